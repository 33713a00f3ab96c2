package main

import (
	"os/exec"
	"syscall"
	"testing"
)

const (
	exited0    = syscall.WaitStatus(0)
	exited3    = syscall.WaitStatus(3 << 8)
	killed     = syscall.WaitStatus(syscall.SIGKILL)
	outOfCPU   = syscall.WaitStatus(syscall.SIGXCPU)
	segfaulted = syscall.WaitStatus(syscall.SIGSEGV)
)

func TestVerdicts(t *testing.T) {
	job := &Job{CPUSeconds: 1, MemoryBytes: 64 << 20}
	for name, c := range map[string]struct {
		reason    string
		status    syscall.WaitStatus
		cpuMs     int64
		peak      int64
		oomKilled bool
		wanted    string
	}{
		"success":                      {status: exited0, wanted: "exit"},
		"failure":                      {status: exited3, wanted: "exit"},
		"our reason stays":             {reason: "output", status: killed, oomKilled: true, cpuMs: 5000, wanted: "output"},
		"wall time":                    {reason: "time", status: killed, wanted: "time"},
		"kernel killed for memory":     {status: killed, oomKilled: true, wanted: "memory"},
		"child killed for memory":      {status: exited3, oomKilled: true, wanted: "memory"},
		"too much between two looks":   {status: exited0, peak: 64<<20 + 1, wanted: "memory"},
		"exactly all memory":           {status: exited0, peak: 64 << 20, wanted: "exit"},
		"kernel counted the seconds":   {status: outOfCPU, cpuMs: 1000, wanted: "time"},
		"hard limit of seconds":        {status: killed, cpuMs: 990, wanted: "time"},
		"SIGXCPU sent to oneself":      {status: outOfCPU, cpuMs: 20, wanted: "killed"},
		"SIGKILL sent to oneself":      {status: killed, cpuMs: 20, wanted: "killed"},
		"segfault":                     {status: segfaulted, cpuMs: 20, wanted: "killed"},
		"segfault after much work":     {status: segfaulted, cpuMs: 5000, wanted: "killed"},
		"children used it, all exited": {status: exited0, cpuMs: 1500, wanted: "exit"},
	} {
		done := outcome{status: c.status, cpuMs: c.cpuMs, peakBytes: c.peak}
		if got := verdictOf(c.reason, done, job, c.oomKilled); got != c.wanted {
			t.Errorf("%s: %s instead of %s", name, got, c.wanted)
		}
	}
}

func TestMostProcessesLeavesTheProgramItself(t *testing.T) {
	for asked, wanted := range map[int]int64{1: 2, 2: 2, 32: 32} {
		if got := mostProcesses(&Job{Processes: asked}); got != wanted {
			t.Errorf("%d for %d", got, asked)
		}
	}
}

func TestNumbersThatCannotBeReadAreMinusOne(t *testing.T) {
	root := t.TempDir()
	write(t, root+"/good", "42\n")
	write(t, root+"/word", "max\n")
	for name, wanted := range map[string]int64{"good": 42, "word": -1, "missing": -1} {
		if got := readNumber(root, name); got != wanted {
			t.Errorf("%s is %d", name, got)
		}
	}
	if got := readNumber("", "good"); got != -1 {
		t.Errorf("without a group: %d", got)
	}
}

func TestFieldsAreFoundByTheirWholeName(t *testing.T) {
	root := t.TempDir()
	write(t, root+"/events", "oom 3\noom_kill 2\noom_group_kill 1\nhigh max\n")
	for name, wanted := range map[string]int64{"oom": 3, "oom_kill": 2, "high": -1, "low": -1} {
		if got := readField(root+"/events", name); got != wanted {
			t.Errorf("%s is %d", name, got)
		}
	}
	if got := readField(root+"/missing", "oom"); got != -1 {
		t.Errorf("of a missing file: %d", got)
	}
}

func TestReasonForNotStartingIsNamedOnce(t *testing.T) {
	_, missing := exec.LookPath("no-such-program")
	for wanted, err := range map[string]error{
		"x: executable file not found in $PATH": missing,
		"x: exec format error":                  syscall.ENOEXEC,
	} {
		if got := notStarted("x", err); got != wanted {
			t.Errorf("%q instead of %q", got, wanted)
		}
	}
}
