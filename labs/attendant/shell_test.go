package main

import (
	"bytes"
	"errors"
	"fmt"
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
	person := &typist{t: t, outer: master}
	person.resizes(33, 99)
	process := exec.Command("/proc/self/exe", "shell", "--id", "3")
	process.Env = []string{asProgram + "=1", runVar + "=" + runDirectory, "PATH=" + os.Getenv("PATH")}
	process.Stdin, process.Stdout, process.Stderr = terminal, terminal, terminal
	process.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	terminal.Close()
	person.process = process
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

func (p *typist) resizes(rows, columns uint16) {
	size := &unix.Winsize{Row: rows, Col: columns}
	if err := unix.IoctlSetWinsize(int(p.outer.Fd()), unix.TIOCSWINSZ, size); err != nil {
		p.t.Error(err)
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
	person.resizes(20, 70)
	person.types("stty size\n", "20 70") // with the keys at the latest: no runtime must tell by a signal
	person.types("echo 가나''다\n", "가나다")
}

func TestShellLosesNoKeysWhileItsSizeChanges(t *testing.T) {
	person := sitDown(t)
	for round := range 40 {
		stop, stopped := make(chan bool), make(chan bool)
		go func() {
			defer close(stopped)
			for size := uint16(0); ; size++ {
				select {
				case <-stop:
					return
				case <-time.After(time.Duration(round%5) * time.Millisecond):
					person.resizes(20+size%30, 70+size%50)
				}
			}
		}()
		person.types(fmt.Sprintf("echo key''s_%d\n", round), fmt.Sprintf("keys_%d\r\n", round))
		close(stop)
		<-stopped
	}
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
