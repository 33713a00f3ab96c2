package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

const switchName = "naru0"

// makeNetwork makes the lab's small network: a switch that the hosts are plugged into, with the registry on it.
func (l *lab) makeNetwork() error {
	for _, argv := range [][]string{
		{"ip", "link", "add", switchName, "type", "bridge"},
		{"ip", "addr", "add", labAddress.String() + "/24", "dev", switchName},
		{"ip", "link", "set", switchName, "up"},
	} {
		if err := l.family.run(argv...); err != nil {
			return err
		}
	}
	return nil
}

// startHost starts a host: a process in namespaces of its own that holds them and the host's engine. The channel
// tells that the engine has ended.
func (l *lab) startHost(h host) (<-chan syscall.WaitStatus, error) {
	theirStart, ourStart, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer ourStart.Close()
	defer theirStart.Close()
	ourEnd, theirEnd, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirEnd.Close()
	attributes := &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWUTS}
	pid, _, err := l.family.start([]string{ownPath, "host", h.name}, nil, attributes, theirStart, theirEnd)
	if err != nil {
		ourEnd.Close()
		return nil, err
	}
	plug := "host" + strconv.Itoa(h.index)
	for _, argv := range [][]string{
		{"ip", "link", "add", plug, "type", "veth", "peer", "name", "eth0", "netns", strconv.Itoa(pid)},
		{"ip", "link", "set", plug, "master", switchName},
		{"ip", "link", "set", plug, "up"},
	} {
		if err := l.family.run(argv...); err != nil {
			ourEnd.Close()
			return nil, err
		}
	}
	if err := os.WriteFile(h.pidFile(), []byte(strconv.Itoa(pid)), 0o644); err != nil {
		ourEnd.Close()
		return nil, err
	}
	_, _ = ourStart.Write([]byte{'\n'})
	ended := make(chan syscall.WaitStatus, 1)
	go func() { // the host keeps its end open as long as its engine runs
		defer ourEnd.Close()
		_, _ = io.Copy(io.Discard, ourEnd)
		ended <- 0
	}()
	return ended, nil
}

// hostCommand is the first process of a host: `host NAME`, started by pid 1 with two pipes.
func hostCommand(args []string) int {
	if len(args) != 1 {
		return fail(fmt.Errorf("host NAME"))
	}
	plugged, running := os.NewFile(3, "plugged"), os.NewFile(4, "running")
	unix.CloseOnExec(3)
	unix.CloseOnExec(4)
	family := newFamily(os.Stderr)
	ended, err := beginHost(family, args[0], plugged)
	if err != nil {
		return fail(fmt.Errorf("host %s: %w", args[0], err))
	}
	<-ended
	running.Close()
	select {} // the namespaces stay, and orphans are reaped
}

func beginHost(family *family, name string, plugged *os.File) (<-chan syscall.WaitStatus, error) {
	hosts, err := labHosts()
	if err != nil {
		return nil, err
	}
	h, err := findHost(name)
	if err != nil {
		return nil, err
	}
	if err := h.makeRoot(hosts); err != nil {
		return nil, err
	}
	if err := unix.Sethostname([]byte(h.name)); err != nil {
		return nil, err
	}
	if _, err := plugged.Read(make([]byte, 1)); err != nil {
		return nil, fmt.Errorf("network: %w", err)
	}
	for _, argv := range [][]string{
		{"ip", "link", "set", "lo", "up"},
		{"ip", "addr", "add", h.address().String() + "/24", "dev", "eth0"},
		{"ip", "link", "set", "eth0", "up"},
	} {
		if err := family.run(argv...); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(filepath.Dir(h.socket()), 0o755); err != nil {
		return nil, err
	}
	return startEngine(family, h)
}
