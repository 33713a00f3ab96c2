package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

const lookAtSize = 400 * time.Millisecond

// A learner's shell is two processes of ours and bash. The relay, started on the terminal of the exec, carries bytes
// to and from a terminal inside the lab: programs find a complete one there, with a name. The leader of that
// terminal's session starts bash and frees it, for only inside a session a terminal tells its foreground.
type relay struct {
	master *os.File
	leader *exec.Cmd
	done   chan struct{}
}

func shellSocket(id int) string { return inRun("shells", strconv.Itoa(id)) }

func shellCommand(args []string) int {
	var id int
	var name string
	_, err := flagsOf("shell", args, func(f *flag.FlagSet) {
		f.IntVar(&id, "id", 0, "number of the terminal")
		f.StringVar(&name, "host", "", "host")
	})
	if err != nil {
		return 2
	}
	h, err := findHost(name)
	if err != nil {
		return fail(err)
	}
	_, _ = tellShell(id, "hangup", time.Second) // one that a portal before us left behind
	r, err := startRelay(id, h)
	if err != nil {
		return fail(err)
	}
	if err := makeRaw(os.Stdin); err != nil {
		fail(err)
	}
	return r.run()
}

func startRelay(id int, h host) (*relay, error) {
	master, terminal, err := openPty()
	if err != nil {
		return nil, err
	}
	defer terminal.Close()
	if err := setModes(master, saneModes()); err != nil {
		return nil, err
	}
	copySize(os.Stdin, master)
	leader := exec.Command("/proc/self/exe", "lead", strconv.Itoa(id), h.name)
	leader.Args[0] = filepath.Base(ownPath) // as it is called in a list of processes
	leader.Stdin, leader.Stdout, leader.Stderr = terminal, terminal, terminal
	leader.ExtraFiles = []*os.File{master}
	leader.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	if err := leader.Start(); err != nil {
		master.Close()
		return nil, fmt.Errorf("shell: %w", err)
	}
	return &relay{master: master, leader: leader, done: make(chan struct{})}, nil
}

// run carries bytes both ways until the shell has ended; the result is the shell's exit code. Nothing is kept on the
// way: a reader that is slow makes the programs wait.
func (r *relay) run() int {
	go func() {
		_, _ = io.Copy(typed{r.master}, os.Stdin)
		_ = r.leader.Process.Signal(syscall.SIGHUP) // nobody is at the other end any more
	}()
	printed := make(chan struct{})
	go func() {
		_, _ = io.Copy(os.Stdout, r.master)
		close(printed)
	}()
	go r.followSize()
	_ = r.leader.Wait()
	close(r.done)
	select { // what the shell's last words still hold; a background job may keep the terminal open
	case <-printed:
	case <-time.After(200 * time.Millisecond):
	}
	return max(r.leader.ProcessState.ExitCode(), 0)
}

// typed passes keys on. What they start finds the size that the window had when they were typed.
type typed struct{ master *os.File }

func (t typed) Write(keys []byte) (int, error) {
	copySize(os.Stdin, t.master)
	return t.master.Write(keys)
}

// followSize keeps the inner terminal as large as the outer one. Not every runtime tells of a change by a signal.
func (r *relay) followSize() {
	changed := make(chan os.Signal, 1)
	signal.Notify(changed, syscall.SIGWINCH)
	tick := time.NewTicker(lookAtSize)
	defer tick.Stop()
	for {
		copySize(os.Stdin, r.master)
		select {
		case <-changed:
		case <-tick.C:
		case <-r.done:
			return
		}
	}
}
