package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// enter moves this thread into the host's namespaces. The caller execs next, or lets the thread end.
func (h host) enter() error {
	runtime.LockOSThread()
	if h.isLab() {
		return nil
	}
	pid, err := h.pid()
	if err != nil {
		return err
	}
	// All are opened before the first is entered: /proc is another one afterwards.
	kinds := []struct {
		name string
		flag int
	}{{"net", unix.CLONE_NEWNET}, {"uts", unix.CLONE_NEWUTS}, {"mnt", unix.CLONE_NEWNS}}
	descriptors := make([]int, len(kinds))
	for i, kind := range kinds {
		descriptors[i], err = unix.Open(fmt.Sprintf("/proc/%d/ns/%s", pid, kind.name), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("host %s: %w", h.name, err)
		}
		defer unix.Close(descriptors[i])
	}
	if err := unix.Unshare(unix.CLONE_FS); err != nil { // a root of this thread's own
		return fmt.Errorf("unshare: %w", err)
	}
	for i, kind := range kinds {
		if err := unix.Setns(descriptors[i], kind.flag); err != nil {
			return fmt.Errorf("host %s, %s: %w", h.name, kind.name, err)
		}
	}
	return nil
}

// enterCommand: `enter HOST ARGV...` becomes a program on the host; the environment stays as it is.
func enterCommand(args []string) int {
	if len(args) < 2 {
		return fail(fmt.Errorf("enter HOST COMMAND..."))
	}
	return become(args[0], args[1:])
}

// onCommand: `on HOST COMMAND...`, as a learner types it. Like a remote shell it starts in the home directory.
func onCommand(args []string) int {
	if len(args) < 2 {
		names := "이름"
		if hosts, err := labHosts(); err == nil && len(hosts) > 1 {
			names = hosts[0].name + "|" + hosts[1].name
		}
		fmt.Fprintf(os.Stderr, "쓰는 법: on %s 명령…\n", names)
		return 2
	}
	return become(args[0], args[1:])
}

func become(name string, argv []string) int {
	target, err := findHost(name)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: 이 실습에 없는 호스트예요.\n", name)
		return 2
	}
	if err := target.enter(); err != nil {
		return fail(err)
	}
	if err := unix.Chdir("/root"); err != nil {
		_ = unix.Chdir("/")
	}
	program, err := exec.LookPath(argv[0])
	if err == nil {
		err = unix.Exec(program, argv, os.Environ())
	}
	fmt.Fprintf(os.Stderr, "%s: %v\n", argv[0], err)
	return 127
}

// errNetworkGone: the process in whose network something was to be done has ended.
var errNetworkGone = errors.New("no such network any more")

// inNetworkOf calls work on a thread of its own inside the network namespace of a process; the thread ends with it.
func inNetworkOf(pid int, work func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread is not used again
		namespace, err := unix.Open(fmt.Sprintf("/proc/%d/ns/net", pid), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			done <- fmt.Errorf("%w: %w", errNetworkGone, err)
			return
		}
		defer unix.Close(namespace)
		if err := unix.Setns(namespace, unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("%w: %w", errNetworkGone, err)
			return
		}
		done <- work()
	}()
	return <-done
}
