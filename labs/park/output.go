package main

import (
	"io"
	"sync"
)

// output keeps what both streams print, up to limit bytes together, and says once when there was more.
type output struct {
	mutex  sync.Mutex
	left   int
	full   chan struct{}
	closed bool
}

func newOutput(limit int) *output {
	return &output{left: limit, full: make(chan struct{})}
}

// read drains a stream to its end. What is over the limit is thrown away while it streams.
func (o *output) read(from io.Reader) []byte {
	var kept []byte
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			kept = append(kept, buffer[:o.take(n)]...)
		}
		if err != nil {
			return kept
		}
	}
}

func (o *output) take(n int) int {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if n > o.left {
		n = o.left
		if !o.closed {
			o.closed = true
			close(o.full)
		}
	}
	o.left -= n
	return n
}

func (o *output) overflowed() bool {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.closed
}
