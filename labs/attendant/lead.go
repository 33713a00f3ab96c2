package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// shell is bash and what its session's leader knows of it: the terminal on standard input, its other end as
// descriptor 3.
type shell struct {
	master  *os.File
	process *exec.Cmd
	done    chan struct{}
}

// leadCommand: `lead ID HOST` is the leader of a learner's session. Its exit code is the shell's.
func leadCommand(args []string) int {
	if len(args) != 2 {
		return fail(fmt.Errorf("lead ID HOST"))
	}
	id, err := strconv.Atoi(args[0])
	if err != nil {
		return fail(err)
	}
	h, err := findHost(args[1])
	if err != nil {
		return fail(err)
	}
	hungUp := make(chan os.Signal, 1)
	signal.Notify(hungUp, syscall.SIGHUP)
	s := &shell{master: os.NewFile(3, "ptmx"), done: make(chan struct{})}
	unix.CloseOnExec(3)
	argv := shellArgv(h)
	s.process = exec.Command(argv[0], argv[1:]...)
	s.process.Stdin, s.process.Stdout, s.process.Stderr = os.Stdin, os.Stdout, os.Stderr
	s.process.Env, s.process.Dir = shellEnvironment(), homeOrRoot()
	s.process.SysProcAttr = &syscall.SysProcAttr{Foreground: true, Ctty: 0}
	if err := s.process.Start(); err != nil {
		return fail(err)
	}
	if listener, err := net.Listen("unix", shellSocket(id)); err == nil {
		defer listener.Close()
		go s.serve(listener)
	} // else a shell that cannot be freed, which is better than none
	go func() {
		<-hungUp
		s.hangUp()
	}()
	_ = s.process.Wait()
	close(s.done)
	return max(s.process.ProcessState.ExitCode(), 0)
}

// homeOrRoot is where a program starts: a learner may have removed their home.
func homeOrRoot() string {
	if unix.Access("/root", unix.X_OK) == nil {
		return "/root"
	}
	return "/"
}

func shellArgv(h host) []string {
	if h.isLab() {
		return []string{"/bin/bash", "-l"}
	}
	return []string{ownPath, "enter", h.name, "/bin/bash", "-l"}
}

func shellEnvironment() []string {
	environment := []string{
		"HOME=/root", "USER=root", "LOGNAME=root", "SHELL=/bin/bash", "TERM=xterm-256color", "COLORTERM=truecolor",
		"LANG=ko_KR.UTF-8", "EDITOR=nano", "DOCKER_CLI_HINTS=false",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	}
	if names := hostNames(); names != "" {
		environment = append(environment, hostsVar+"="+names)
	}
	return environment
}

// hangUp ends the shell and everything of its session.
func (s *shell) hangUp() {
	leader := os.Getpid()
	for _, number := range []syscall.Signal{unix.SIGHUP, unix.SIGKILL} {
		for _, each := range processes() {
			if each.session == leader && each.pid != leader {
				_ = unix.Kill(each.pid, number)
				_ = unix.Kill(each.pid, unix.SIGCONT)
			}
		}
		select {
		case <-s.done:
		case <-time.After(300 * time.Millisecond):
		}
	}
}
