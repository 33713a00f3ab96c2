package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// openPty gives both ends of a new terminal of this machine.
func openPty() (master, terminal *os.File, err error) {
	descriptor, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("ptmx: %w", err)
	}
	number, err := unix.IoctlGetInt(descriptor, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(descriptor, unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		unix.Close(descriptor)
		return nil, nil, fmt.Errorf("ptmx: %w", err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		unix.Close(descriptor)
		return nil, nil, err
	}
	return os.NewFile(uintptr(descriptor), "ptmx"), terminal, nil
}

// saneModes are a terminal's modes as a shell expects them. Ctrl-S does not freeze it: nobody finds out of that.
func saneModes() *unix.Termios {
	modes := &unix.Termios{
		Iflag:  unix.ICRNL | unix.IUTF8,
		Oflag:  unix.OPOST | unix.ONLCR,
		Cflag:  unix.CS8 | unix.CREAD | unix.B38400,
		Lflag:  unix.ISIG | unix.ICANON | unix.IEXTEN | unix.ECHO | unix.ECHOE | unix.ECHOK | unix.ECHOCTL | unix.ECHOKE,
		Ispeed: unix.B38400, Ospeed: unix.B38400,
	}
	for index, character := range map[int]byte{
		unix.VINTR: 3, unix.VQUIT: 28, unix.VERASE: 127, unix.VKILL: 21, unix.VEOF: 4, unix.VSTART: 17, unix.VSTOP: 19,
		unix.VSUSP: 26, unix.VREPRINT: 18, unix.VDISCARD: 15, unix.VWERASE: 23, unix.VLNEXT: 22, unix.VMIN: 1,
	} {
		modes.Cc[index] = character
	}
	return modes
}

func setModes(terminal *os.File, modes *unix.Termios) error {
	return unix.IoctlSetTermios(int(terminal.Fd()), unix.TCSETS, modes)
}

// makeRaw lets every byte through; the modes are the inner terminal's business.
func makeRaw(terminal *os.File) error {
	modes, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		return err
	}
	modes.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	modes.Oflag &^= unix.OPOST
	modes.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	modes.Cc[unix.VMIN], modes.Cc[unix.VTIME] = 1, 0
	return setModes(terminal, modes)
}

// copySize gives the inner terminal the size of the outer one and tells whether it was another.
func copySize(outer, inner *os.File) bool {
	wanted, err := unix.IoctlGetWinsize(int(outer.Fd()), unix.TIOCGWINSZ)
	if err != nil || wanted.Row == 0 || wanted.Col == 0 {
		return false
	}
	now, err := unix.IoctlGetWinsize(int(inner.Fd()), unix.TIOCGWINSZ)
	if err != nil || now.Row == wanted.Row && now.Col == wanted.Col {
		return false
	}
	return unix.IoctlSetWinsize(int(inner.Fd()), unix.TIOCSWINSZ, wanted) == nil
}

// foreground is the process group that the terminal's keys reach.
func foreground(terminal *os.File) (int, error) {
	return unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPGRP)
}
