package main

import (
	"io"
	"os"
	"sync"
)

// mostLog bounds a service's log: so much, and as much again from before. Logs lie in the lab's memory.
const mostLog = 256 << 10

// serviceLog begins anew when it is full and keeps what was there before beside it.
type serviceLog struct {
	path  string
	mutex sync.Mutex
	file  *os.File
	size  int
}

// Write never fails: who writes to a log that cannot be kept goes on all the same.
func (l *serviceLog) Write(text []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.file != nil && l.size+len(text) > mostLog {
		l.file.Close()
		l.file, l.size = nil, 0
		_ = os.Rename(l.path, l.path+".before")
	}
	if l.file == nil {
		file, err := os.OpenFile(l.path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
		if err != nil {
			return len(text), nil
		}
		l.file = file
	}
	_, _ = l.file.Write(text)
	l.size += len(text)
	return len(text), nil
}

// pipe gives a program's end of the log; the caller closes it once the program has it.
func (l *serviceLog) pipe() (*os.File, error) {
	ours, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	go func() {
		defer ours.Close()
		_, _ = io.Copy(l, ours)
	}()
	return theirs, nil
}
