package main

import (
	"strings"
	"sync"
	"testing"
)

func isFull(o *output) bool {
	select {
	case <-o.full:
		return true
	default:
		return false
	}
}

func TestOutputUnderTheCapIsWhole(t *testing.T) {
	printed := newOutput(10)
	got := string(printed.read(strings.NewReader("0123456789")))
	if got != "0123456789" || printed.overflowed() || isFull(printed) {
		t.Fatalf("%q, overflowed %v", got, printed.overflowed())
	}
}

func TestOutputOverTheCapIsCutAndSaidSo(t *testing.T) {
	printed := newOutput(10)
	got := string(printed.read(strings.NewReader("0123456789a")))
	if got != "0123456789" || !printed.overflowed() || !isFull(printed) {
		t.Fatalf("%q, overflowed %v", got, printed.overflowed())
	}
}

func TestBothStreamsShareTheCap(t *testing.T) {
	printed := newOutput(100_000)
	var kept [2][]byte
	var both sync.WaitGroup
	for i := range kept {
		both.Add(1)
		go func() {
			defer both.Done()
			kept[i] = printed.read(strings.NewReader(strings.Repeat("x", 1_000_000)))
		}()
	}
	both.Wait() // a second overflow would close a closed channel and panic
	if total := len(kept[0]) + len(kept[1]); total != 100_000 {
		t.Fatalf("%d bytes kept", total)
	}
	if !printed.overflowed() || !isFull(printed) {
		t.Fatal("not flagged")
	}
}

func TestStreamAfterTheOverflowIsDrainedAndDropped(t *testing.T) {
	printed := newOutput(3)
	printed.read(strings.NewReader("abcdef"))
	rest := strings.NewReader(strings.Repeat("y", 1<<20))
	if kept := printed.read(rest); len(kept) != 0 || rest.Len() != 0 {
		t.Fatalf("%d bytes kept, %d not read", len(kept), rest.Len())
	}
}
