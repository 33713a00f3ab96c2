package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const cgroupRoot = "/sys/fs/cgroup"

// cgroups are control groups of the job's own below pid 1's. gVisor lets root in the sandbox make them; a runtime on
// the host's kernel does not, and there RLIMIT_NPROC and the container's own memory limit do the work, while the
// container's group still says what is in use.
type cgroups struct {
	pids, memory, cpu string // "" where there is none
}

func makeCgroups() cgroups {
	return cgroups{pids: makeCgroup("pids"), memory: makeCgroup("memory"), cpu: makeCgroup("cpuacct")}
}

func makeCgroup(controller string) string {
	directory := filepath.Join(cgroupRoot, controller, "run")
	if os.Mkdir(directory, 0o755) != nil {
		return ""
	}
	return directory
}

func (c cgroups) adopt(pid int) {
	for _, directory := range []string{c.pids, c.memory, c.cpu} {
		if directory != "" {
			writeNumber(filepath.Join(directory, "cgroup.procs"), int64(pid))
		}
	}
}

// limit sets the job's limits, and shows them at the paths where programs look for them.
func (c cgroups) limit(job *Job) {
	if c.pids != "" {
		writeNumber(filepath.Join(c.pids, "pids.max"), mostProcesses(job))
	}
	if c.memory != "" {
		writeNumber(filepath.Join(c.memory, "memory.limit_in_bytes"), job.MemoryBytes)
		// The sandbox enforces its own, wider limit from outside; this file only shows the learner theirs.
		writeNumber(filepath.Join(cgroupRoot, "memory", "memory.limit_in_bytes"), job.MemoryBytes)
	}
}

// processes counts the job's processes and threads, -1 where nothing says.
func (c cgroups) processes() int64 {
	if c.pids != "" {
		return readNumber(c.pids, "pids.current")
	}
	all := readFirst("pids.current", "pids/pids.current")
	ours, err := os.ReadDir("/proc/self/task") // after the count: a thread of ours born between is not the job's
	if all < 0 || err != nil {
		return -1
	}
	return max(all-int64(len(ours)), 0)
}

// memoryBytes is -1 where the job has no group of its own: the container's counts cached files of the image, too.
func (c cgroups) memoryBytes() int64 { return readNumber(c.memory, "memory.usage_in_bytes") }

// cpuNanos is -1 where nothing says; only a difference between two looks means anything.
func (c cgroups) cpuNanos() int64 {
	if c.cpu != "" {
		return readNumber(c.cpu, "cpuacct.usage")
	}
	if micros := readField(filepath.Join(cgroupRoot, "cpu.stat"), "usage_usec"); micros >= 0 {
		return micros * 1000
	}
	return readFirst("cpuacct/cpuacct.usage")
}

// oomKills counts what the host's kernel killed in this container for memory; 0 where it does not say.
func oomKills() int64 {
	for _, file := range []string{"memory.events", "memory/memory.oom_control"} {
		if count := readField(filepath.Join(cgroupRoot, file), "oom_kill"); count >= 0 {
			return count
		}
	}
	return 0
}

// readField finds "name number" among a file's lines; -1 where it is not.
func readField(file, name string) int64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return -1
	}
	for _, line := range strings.Split(string(text), "\n") {
		if value, found := strings.CutPrefix(line, name+" "); found {
			return number(value)
		}
	}
	return -1
}

// readFirst reads the first of the container's own files that is there; -1 where none is.
func readFirst(names ...string) int64 {
	for _, name := range names {
		if value := readNumber(cgroupRoot, name); value >= 0 {
			return value
		}
	}
	return -1
}

func readNumber(directory, name string) int64 {
	if directory == "" {
		return -1
	}
	text, err := os.ReadFile(filepath.Join(directory, name))
	if err != nil {
		return -1
	}
	return number(string(text))
}

func number(text string) int64 {
	value, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return -1
	}
	return value
}

func writeNumber(file string, value int64) {
	// A refusal leaves the wider limits in force: rlimits inside, the container's outside.
	_ = os.WriteFile(file, []byte(strconv.FormatInt(value, 10)), 0o644)
}
