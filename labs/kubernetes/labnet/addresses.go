package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// addresses hands out a network's addresses in rotation, so that the address of a pod that has gone means nobody for
// as long as possible. What is given out lies in a directory: a file for each address with its holder's id.
type addresses struct {
	directory string
	network   *net.IPNet
}

const lastFile = "last"

// lock keeps other calls out until it is undone.
func (a addresses) lock() (unlock func(), err error) {
	if err := os.MkdirAll(a.directory, 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(a.directory, "lock"), os.O_CREATE|os.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX); err != nil {
		file.Close()
		return nil, os.NewSyscallError("flock", err)
	}
	return func() { file.Close() }, nil
}

func (a addresses) at(offset uint32) net.IP {
	return binary.BigEndian.AppendUint32(nil, binary.BigEndian.Uint32(a.network.IP.To4())+offset)
}

func (a addresses) bits() int {
	ones, _ := a.network.Mask.Size()
	return ones
}

// gateway is the lab's own address in the network.
func (a addresses) gateway() net.IP { return a.at(1) }

// take gives the holder the next free address. Those that end in 0 or 255 look special and are left out.
func (a addresses) take(holder string) (net.IP, error) {
	unlock, err := a.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	text, err := os.ReadFile(filepath.Join(a.directory, lastFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	last, _ := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 32) // unreadable: begin anew
	size := uint32(1) << (32 - a.bits())
	for range size {
		if last++; last >= uint64(size)-1 {
			last = 2
		}
		address := a.at(uint32(last))
		if last < 2 || address[3] == 0 || address[3] == 255 {
			continue
		}
		file, err := os.OpenFile(filepath.Join(a.directory, address.String()), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		_, err = file.WriteString(holder)
		if err := errors.Join(err, file.Close()); err != nil {
			return nil, err
		}
		return address, os.WriteFile(filepath.Join(a.directory, lastFile), strconv.AppendUint(nil, last, 10), 0o600)
	}
	return nil, fmt.Errorf("%s: every address is taken", a.network)
}

// giveBack frees what the holder has; nothing is not an error.
func (a addresses) giveBack(holder string) error {
	unlock, err := a.lock()
	if err != nil {
		return err
	}
	defer unlock()
	entries, err := os.ReadDir(a.directory)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		path := filepath.Join(a.directory, entry.Name())
		if net.ParseIP(entry.Name()) == nil {
			continue
		}
		if text, err := os.ReadFile(path); err == nil && bytes.Equal(text, []byte(holder)) {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	return nil
}
