package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

const workDirectory = "/box"

// Fewer would stop the launcher itself, whose threads count for the learner's user until its exec.
const leastProcesses = 8

var environment = []string{
	"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + workDirectory, "TMPDIR=/tmp", "LANG=C.UTF-8", "USER=learner",
}

// launch is the other half of park: started while parked, so that a job costs one exec and no fork. It reads the
// job from descriptor 3, takes the limits upon itself, becomes the learner and turns into their program.
func launch() int {
	control := os.NewFile(3, "job")
	var job Job
	if err := readFrame(control, &job); err != nil {
		return 0 // park ended without a job
	}
	control.Close()
	unix.CloseOnExec(4) // its end tells park that the learner's program has begun
	if err := become(&job); err != nil {
		fmt.Fprintf(os.Stderr, "park: %v\n", err)
		return 126
	}
	_ = os.Setenv("PATH", "/usr/local/bin:/usr/bin:/bin")
	program, err := exec.LookPath(job.Argv[0])
	if err == nil {
		err = unix.Exec(program, job.Argv, environment)
	}
	fmt.Fprintln(os.Stderr, notStarted(job.Argv[0], err))
	return 127
}

// notStarted says why, without the name that exec.LookPath puts before its reason.
func notStarted(name string, err error) string {
	if inner := new(exec.Error); errors.As(err, &inner) {
		err = inner.Err
	}
	return fmt.Sprintf("%s: %v", name, err)
}

func become(job *Job) error {
	seconds := uint64(math.Ceil(job.CPUSeconds))
	limits := map[int]uint64{
		unix.RLIMIT_CPU:     seconds,
		unix.RLIMIT_CORE:    0,
		unix.RLIMIT_FSIZE:   64 << 20,
		unix.RLIMIT_NOFILE:  256,
		unix.RLIMIT_NPROC:   uint64(max(job.Processes, leastProcesses)),
		unix.RLIMIT_MEMLOCK: 64 << 10,
	}
	for resource, value := range limits {
		if err := unix.Setrlimit(resource, &unix.Rlimit{Cur: value, Max: value}); err != nil {
			return fmt.Errorf("limit %d: %w", resource, err)
		}
	}
	if _, err := unix.Setsid(); err != nil {
		return fmt.Errorf("session: %w", err)
	}
	if err := unix.Setgroups([]int{}); err != nil {
		return fmt.Errorf("groups: %w", err)
	}
	if err := unix.Setresgid(job.UID, job.UID, job.UID); err != nil {
		return fmt.Errorf("group: %w", err)
	}
	if err := unix.Setresuid(job.UID, job.UID, job.UID); err != nil {
		return fmt.Errorf("user: %w", err)
	}
	return os.Chdir(workDirectory)
}
