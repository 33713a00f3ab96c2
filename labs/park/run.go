package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	watchEvery = 20 * time.Millisecond
	drainWait  = time.Second
	settleWait = 3 * time.Millisecond
)

// runner holds what is ready before a job comes: the launcher process, its pipes and its control groups.
type runner struct {
	pid                                     int
	control, started, stdin, stdout, stderr *os.File
	groups                                  cgroups
}

func prepare() (*runner, error) {
	var theirs, ours [5]*os.File // stdin, stdout, stderr, control, started
	for i := range theirs {
		read, write, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		theirs[i], ours[i] = read, write
		if i == 1 || i == 2 || i == 4 {
			theirs[i], ours[i] = write, read
		}
	}
	process, err := os.StartProcess("/proc/self/exe", []string{"park", "launch"}, &os.ProcAttr{Dir: "/", Files: theirs[:]})
	if err != nil {
		return nil, fmt.Errorf("launcher: %w", err)
	}
	for _, file := range theirs {
		file.Close()
	}
	r := &runner{pid: process.Pid, stdin: ours[0], stdout: ours[1], stderr: ours[2], control: ours[3], started: ours[4]}
	r.groups = makeCgroups()
	r.groups.adopt(r.pid)
	return r, nil
}

// ending is why a run was ended by us; the first reason stays.
type ending struct {
	reason string
}

func (e *ending) end(reason string) {
	if e.reason == "" {
		e.reason = reason
	}
	killAll()
}

// killAll reaches every process but park: pid 1 of a pid namespace shares it with nobody else.
func killAll() {
	_ = unix.Kill(-1, unix.SIGKILL)
}

// outcome is what waiting for the processes told: the main one's status, and what all of them used.
type outcome struct {
	status    syscall.WaitStatus
	cpuMs     int64
	peakBytes int64
}

func (r *runner) run(job *Job) (*Report, error) {
	if err := job.check(); err != nil {
		return nil, err
	}
	if err := as(job.UID, func() error { return place(workDirectory, job.Files) }); err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	oomBefore := oomKills()
	printed := newOutput(job.OutputBytes)
	stdout, stderr := drain(printed, r.stdout), drain(printed, r.stderr)

	started := time.Now()
	small := *job
	small.Files, small.Stdin = nil, nil
	if err := writeFrame(r.control, small); err != nil {
		return nil, fmt.Errorf("launch: %w", err)
	}
	r.control.Close()
	// The end of this pipe is the launcher's exec: from then on what counts is the learner's, no thread of ours.
	_ = r.started.SetReadDeadline(started.Add(5 * time.Second))
	_, _ = r.started.Read(make([]byte, 1))
	r.groups.limit(job)
	started = time.Now()
	go feed(r.stdin, job.Stdin)

	mainEnded := make(chan struct{})
	reaped := make(chan outcome, 1)
	go func() { reaped <- reap(r.pid, mainEnded) }()

	var end ending
	peak := r.watch(job, printed, mainEnded, &end)
	wall := time.Since(started)
	killAll()
	done, err := r.settle(reaped)
	if err != nil {
		return nil, err
	}

	report := &Report{CPUMs: done.cpuMs, PeakBytes: max(done.peakBytes, peak), WallMs: wall.Milliseconds()}
	report.Stdout, report.Stderr = stdout(), stderr()
	report.Truncated = printed.overflowed()
	if printed.overflowed() {
		end.end("output")
	}
	if done.status.Signaled() {
		report.Signal = int(done.status.Signal())
	} else {
		code := done.status.ExitStatus()
		report.ExitCode = &code
	}
	report.Ended = verdictOf(end.reason, done, job, oomKills() > oomBefore)
	if err := as(job.UID, func() error { report.Files = collect(workDirectory, job.Collect, job.FileBytes); return nil }); err != nil {
		return nil, fmt.Errorf("collect: %w", err)
	}
	return report, nil
}

// watch returns when the main process has ended or a limit is reached, with the most memory seen.
func (r *runner) watch(job *Job, printed *output, mainEnded <-chan struct{}, end *ending) (peak int64) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	wall := time.NewTimer(time.Duration(job.Seconds * float64(time.Second)))
	defer wall.Stop()
	cpuAtStart := r.groups.cpuNanos()
	for {
		select {
		case <-mainEnded:
			if r.crowded(job) { // a bomb whose first process is gone already
				end.end("processes")
			}
			return peak
		case <-wall.C:
			end.end("time")
			return peak
		case <-printed.full:
			end.end("output")
			return peak
		case <-tick.C:
			used := r.groups.memoryBytes()
			peak = max(peak, used)
			switch {
			case r.crowded(job): // first: many processes take much memory, too
				end.end("processes")
				return peak
			case used > job.MemoryBytes:
				end.end("memory")
				return peak
			case cpuAtStart >= 0 && float64(r.groups.cpuNanos()-cpuAtStart) > job.CPUSeconds*1e9:
				end.end("time")
				return peak
			}
		}
	}
}

// crowded tells whether the job is at its limit of processes. It looks twice: a loaded sandbox counts threads that
// have just ended, the launcher's own among them, for a moment longer.
func (r *runner) crowded(job *Job) bool {
	if r.groups.processes() < mostProcesses(job) {
		return false
	}
	time.Sleep(settleWait)
	return r.groups.processes() >= mostProcesses(job)
}

// mostProcesses is where a run ends: a program that is alone has not reached any limit.
func mostProcesses(job *Job) int64 { return int64(max(job.Processes, 2)) }

// settle waits until nothing of the job is left, killing again what was forked meanwhile.
func (r *runner) settle(reaped <-chan outcome) (outcome, error) {
	deadline := time.After(10 * time.Second)
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		select {
		case done := <-reaped:
			return done, nil
		case <-again.C:
			killAll()
		case <-deadline:
			return outcome{}, errors.New("processes outlived SIGKILL")
		}
	}
}

// reap waits for every process: pid 1 is given those whose parents have ended.
func reap(main int, mainEnded chan<- struct{}) outcome {
	var all outcome
	for {
		var status syscall.WaitStatus
		var usage syscall.Rusage
		pid, err := syscall.Wait4(-1, &status, 0, &usage)
		if err == syscall.EINTR {
			continue
		}
		if err != nil { // ECHILD: none left
			return all
		}
		all.cpuMs += (usage.Utime.Nano() + usage.Stime.Nano()) / 1e6
		all.peakBytes = max(all.peakBytes, usage.Maxrss<<10)
		if pid == main {
			all.status = status
			close(mainEnded)
		}
	}
}

// verdictOf names how it ended. A learner who sends themselves SIGXCPU or SIGKILL has not run out of anything.
func verdictOf(reason string, done outcome, job *Job, oomKilled bool) string {
	switch {
	case reason != "":
		return reason
	case oomKilled, done.peakBytes > job.MemoryBytes: // the latter: between two looks
		return "memory"
	case !done.status.Signaled():
		return "exit"
	case float64(done.cpuMs) >= job.CPUSeconds*900 && (done.status.Signal() == unix.SIGXCPU || done.status.Signal() == unix.SIGKILL):
		return "time"
	}
	return "killed"
}

func feed(to *os.File, content []byte) {
	_, _ = to.Write(content) // a program may leave its input unread
	to.Close()
}

// drain reads a stream beside the run; the returned function gives what was kept. A stream that somehow stays
// open after everybody is gone is closed.
func drain(printed *output, from *os.File) func() []byte {
	done := make(chan []byte, 1)
	go func() { done <- printed.read(from) }()
	return func() []byte {
		_ = from.SetReadDeadline(time.Now().Add(drainWait))
		return <-done
	}
}
