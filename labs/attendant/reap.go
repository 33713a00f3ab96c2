package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
)

// family starts processes and reaps every one that ends, also those it did not start: it is for pid 1 of a lab and
// the first process of a host, to which orphans fall.
type family struct {
	mutex   sync.Mutex
	waiting map[int]chan syscall.WaitStatus
	log     *os.File
}

func newFamily(log *os.File) *family {
	f := &family{waiting: map[int]chan syscall.WaitStatus{}, log: log}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	go func() {
		for range ended {
			f.reap()
		}
	}()
	return f
}

func (f *family) reap() {
	for {
		var status syscall.WaitStatus
		f.mutex.Lock() // a child is on the list before it can be missed
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		waiter := f.waiting[pid]
		delete(f.waiting, pid)
		f.mutex.Unlock()
		if err == syscall.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		if waiter != nil {
			waiter <- status
		}
	}
}

// start begins a program with its output in the log. The channel gives its status once.
func (f *family) start(argv []string, extra []string, attributes *syscall.SysProcAttr, files ...*os.File) (int, <-chan syscall.WaitStatus, error) {
	return f.startInto(f.log, argv, extra, attributes, files...)
}

// startInto begins a program with its output in a file or pipe.
func (f *family) startInto(log *os.File, argv []string, extra []string, attributes *syscall.SysProcAttr, files ...*os.File) (int, <-chan syscall.WaitStatus, error) {
	program, err := lookPath(argv[0])
	if err != nil {
		return 0, nil, err
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, nil, err
	}
	defer null.Close()
	descriptors := []uintptr{null.Fd(), log.Fd(), log.Fd()}
	for _, file := range files {
		descriptors = append(descriptors, file.Fd())
	}
	ended := make(chan syscall.WaitStatus, 1)
	f.mutex.Lock()
	defer f.mutex.Unlock()
	pid, err := syscall.ForkExec(program, argv, &syscall.ProcAttr{
		Dir: "/", Env: environment(os.Environ(), extra), Files: descriptors, Sys: attributes,
	})
	if err != nil {
		return 0, nil, fmt.Errorf("%s: %w", argv[0], err)
	}
	f.waiting[pid] = ended
	return pid, ended, nil
}

// environment has each name once: of two the last, where a program might take the first.
func environment(given, extra []string) []string {
	return (&exec.Cmd{Env: append(given[:len(given):len(given)], extra...)}).Environ()
}

// run waits for a short program.
func (f *family) run(argv ...string) error {
	_, ended, err := f.start(argv, nil, nil)
	if err != nil {
		return err
	}
	if status := <-ended; status.ExitStatus() != 0 {
		return fmt.Errorf("%s: exit %d", strings.Join(argv, " "), status.ExitStatus())
	}
	return nil
}
