package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// typist is somebody at a terminal on which the program's `shell` runs.
type typist struct {
	t       *testing.T
	outer   *os.File
	process *exec.Cmd
	mutex   sync.Mutex
	seen    bytes.Buffer
}

func sitDown(t *testing.T) *typist {
	t.Helper()
	labWith(t, nil)
	t.Setenv(hostsVar, "")
	master, terminal, err := openPty()
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 33, Col: 99}); err != nil {
		t.Fatal(err)
	}
	process := exec.Command("/proc/self/exe", "shell", "--id", "3")
	process.Env = []string{asProgram + "=1", runVar + "=" + runDirectory, "PATH=" + os.Getenv("PATH")}
	process.Stdin, process.Stdout, process.Stderr = terminal, terminal, terminal
	process.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	terminal.Close()
	person := &typist{t: t, outer: master, process: process}
	go person.watch()
	t.Cleanup(func() {
		_, _ = tellShell(3, "hangup", time.Second)
		_ = process.Process.Kill()
		_ = process.Wait()
		master.Close()
	})
	person.types("echo rea''dy\n", "ready")
	return person
}

func (p *typist) watch() {
	buffer := make([]byte, 4096)
	for {
		n, err := p.outer.Read(buffer)
		p.mutex.Lock()
		p.seen.Write(buffer[:n])
		p.mutex.Unlock()
		if err != nil {
			return
		}
	}
}

// types sends keys and waits until a text has come after them.
func (p *typist) types(keys, wanted string) {
	p.t.Helper()
	p.mutex.Lock()
	p.seen.Reset()
	p.mutex.Unlock()
	if _, err := p.outer.WriteString(keys); err != nil {
		p.t.Fatal(err)
	}
	p.waitFor(func() bool {
		p.mutex.Lock()
		defer p.mutex.Unlock()
		return strings.Contains(p.seen.String(), wanted)
	}, wanted)
}

// asksUntil types the same again and again until a text comes.
func (p *typist) asksUntil(keys, wanted string) {
	p.t.Helper()
	var asked time.Time
	p.waitFor(func() bool {
		if time.Since(asked) > 500*time.Millisecond {
			asked = time.Now()
			if _, err := p.outer.WriteString(keys); err != nil {
				p.t.Fatal(err)
			}
		}
		p.mutex.Lock()
		defer p.mutex.Unlock()
		return strings.Contains(p.seen.String(), wanted)
	}, wanted)
}

func (p *typist) waitFor(holds func() bool, what string) {
	p.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.mutex.Lock()
			defer p.mutex.Unlock()
			p.t.Fatalf("waited for %q, saw %q", what, p.seen.String())
		}
	}
}

func (p *typist) free(least int) {
	p.t.Helper()
	freed, err := tellShell(3, "free", tellWait)
	if err != nil || freed < least {
		p.t.Fatalf("freed %d: %v", freed, err)
	}
	p.asksUntil("echo fr''ee\n", "free") // the shell may throw away what is typed before its new prompt
	p.mutex.Lock()
	p.seen.Reset()
	p.mutex.Unlock()
}

func TestShellIsACompleteTerminal(t *testing.T) {
	person := sitDown(t)
	person.types("tty; stty size\n", "33 99")
	if !strings.Contains(person.seen.String(), "/dev/pts/") {
		t.Fatal(person.seen.String())
	}
	if err := unix.IoctlSetWinsize(int(person.outer.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 20, Col: 70}); err != nil {
		t.Fatal(err)
	}
	person.asksUntil("stty size\n", "20 70") // the new size arrives by a signal, or a moment later
	person.types("echo 가나''다\n", "가나다")
}

func TestShellEndsWithItsExitCode(t *testing.T) {
	person := sitDown(t)
	if _, err := person.outer.WriteString("exit 7\n"); err != nil {
		t.Fatal(err)
	}
	var ended *exec.ExitError
	if err := person.process.Wait(); !errors.As(err, &ended) || ended.ExitCode() != 7 {
		t.Fatal(err)
	}
}

func TestFreeEndsWhatHoldsTheLearner(t *testing.T) {
	person := sitDown(t)
	for name, keys := range map[string]string{
		"waiting":    "echo beg''un; sleep 500 | cat\n",
		"deaf":       "sh -c \"trap '' INT TERM HUP; echo beg''un; while :; do sleep 1; done\"\n",
		"full":       "echo beg''un; less /etc/passwd\n",
		"background": "sleep 600 & echo beg''un; cat\n",
	} {
		person.types(keys, "begun")
		person.waitFor(func() bool { return heldBySomething(person) }, name)
		person.free(1)
	}
	person.types("jobs\n", "sleep 600") // a background job holds nobody
}

func TestFreeEndsWhatTheShellItselfIsStuckIn(t *testing.T) {
	person := sitDown(t)
	person.types("echo 'open\n", "> ")
	person.free(0)
	person.types("echo beg''un; while :; do :; done\n", "begun")
	person.free(0)
}

// heldBySomething tells whether another than the shell is in front.
func heldBySomething(person *typist) bool {
	leaders := childrenOf(person.process.Process.Pid)
	if len(leaders) != 1 {
		return false
	}
	for _, shell := range childrenOf(leaders[0]) {
		return len(childrenOf(shell)) > 0
	}
	return false
}

func TestHangUpEndsTheShell(t *testing.T) {
	person := sitDown(t)
	person.types("echo beg''un; sleep 700\n", "begun")
	if _, err := tellShell(3, "hangup", tellWait); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- person.process.Wait() }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Fatal("the shell goes on")
	}
	if _, err := os.Stat(shellSocket(3)); err == nil {
		t.Fatal("its socket is left")
	}
}
