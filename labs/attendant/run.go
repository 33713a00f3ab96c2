package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// command is a program to run to its end or to a limit. Output is what both streams may print together, in bytes.
type command struct {
	argv      []string
	stdin     []byte
	output    int
	directory string
	env       []string
}

// ended is what a program left behind. exitCode is nil when it was ended by a signal.
type ended struct {
	exitCode       *int
	stdout, stderr []byte
	reason         string // exit, time, output
}

var plainEnvironment = []string{
	"PATH=" + searchPath, "HOME=/root", "USER=root", "LANG=C.UTF-8", "TERM=dumb", "DOCKER_CLI_HINTS=false",
}

// bounded collects one stream; the streams of a program share what is left.
type bounded struct {
	shared *share
	kept   bytes.Buffer
}

type share struct {
	mutex sync.Mutex
	left  int
	full  func()
	over  bool
}

func (b *bounded) Write(text []byte) (int, error) {
	b.shared.mutex.Lock()
	defer b.shared.mutex.Unlock()
	n := min(len(text), b.shared.left)
	b.kept.Write(text[:n])
	b.shared.left -= n
	if n < len(text) && !b.shared.over {
		b.shared.over = true
		b.shared.full()
	}
	return len(text), nil
}

// run runs a command as the leader of a session of its own and ends everything that came of it.
func (c command) run(ctx context.Context) (ended, error) {
	program, err := lookPath(c.argv[0])
	if err != nil {
		return notThere(err), nil
	}
	limited, stop := context.WithCancel(ctx)
	defer stop()
	shared := &share{left: c.output, full: stop}
	stdout, stderr := &bounded{shared: shared}, &bounded{shared: shared}
	process := exec.CommandContext(limited, program)
	process.Args = c.argv
	process.Stdin, process.Stdout, process.Stderr = io.Reader(bytes.NewReader(c.stdin)), stdout, stderr
	process.Dir, process.Env = c.directory, append(plainEnvironment, c.env...)
	if process.Dir == "" {
		process.Dir = "/"
	}
	process.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	process.Cancel = func() error { return unix.Kill(-process.Process.Pid, unix.SIGKILL) }
	process.WaitDelay = 300 * time.Millisecond // for streams that a descendant holds open
	if err := process.Start(); err != nil {
		return notThere(err), nil
	}
	_ = process.Wait()
	_ = unix.Kill(-process.Process.Pid, unix.SIGKILL)
	killOrphans()

	shared.mutex.Lock() // a straggler may still be writing
	defer shared.mutex.Unlock()
	result := ended{reason: "exit", stdout: bytes.Clone(stdout.kept.Bytes()), stderr: bytes.Clone(stderr.kept.Bytes())}
	switch {
	case shared.over:
		result.reason = "output"
	case ctx.Err() != nil:
		result.reason = "time"
	}
	if state := process.ProcessState; state != nil && state.ExitCode() >= 0 {
		code := state.ExitCode()
		result.exitCode = &code
	}
	return result, nil
}

func notThere(err error) ended {
	code := 127
	return ended{exitCode: &code, stderr: []byte(err.Error() + "\n"), reason: "exit"}
}

// beSubreaper makes orphans of what we start ours instead of pid 1's, so that none outlives its question.
func beSubreaper() { _ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// killOrphans ends every child that is left; our own programs are waited for before.
func killOrphans() {
	deadline := time.Now().Add(time.Second)
	for time.Now().Before(deadline) {
		children := childrenOf(os.Getpid())
		if len(children) == 0 {
			return
		}
		for _, pid := range children {
			_ = unix.Kill(pid, unix.SIGKILL)
			_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func childrenOf(parent int) []int {
	var children []int
	for _, process := range processes() {
		if process.parent == parent {
			children = append(children, process.pid)
		}
	}
	return children
}

// process is a row of /proc.
type process struct {
	pid, parent, group, session, terminal, foreground int
}

// processes lists everything that runs; what ends meanwhile is left out.
func processes() []process {
	directory, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer directory.Close()
	names, _ := directory.Readdirnames(-1)
	var all []process
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		text, err := os.ReadFile(filepath.Join("/proc", name, "stat"))
		if err != nil {
			continue
		}
		if each, ok := parseStat(pid, string(text)); ok {
			all = append(all, each)
		}
	}
	return all
}

// parseStat reads a line of /proc/PID/stat; a name may hold spaces and brackets.
func parseStat(pid int, line string) (process, bool) {
	end := strings.LastIndexByte(line, ')')
	fields := strings.Fields(line[max(end+1, 0):])
	if end < 0 || len(fields) < 6 {
		return process{}, false
	}
	var numbers [5]int
	for i := range numbers {
		number, err := strconv.Atoi(fields[i+1])
		if err != nil {
			return process{}, false
		}
		numbers[i] = number
	}
	return process{pid, numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]}, true
}
