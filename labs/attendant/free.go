package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	afterInterrupt = 300 * time.Millisecond
	afterTerminate = 700 * time.Millisecond
	tellWait       = 4 * time.Second
)

// freeStep is what a foreground that stays is sent next, and how long it has to go.
type freeStep struct {
	signals  []unix.Signal
	patience time.Duration
}

var freeSteps = []freeStep{
	{[]unix.Signal{unix.SIGINT}, afterInterrupt},
	{[]unix.Signal{unix.SIGTERM, unix.SIGHUP, unix.SIGCONT}, afterTerminate},
	{[]unix.Signal{unix.SIGKILL}, afterTerminate},
}

// free ends what stands between the learner and their prompt, and says how many processes that were. The shell is
// only interrupted, which ends a builtin, a loop or a half-typed command.
func (s *shell) free() int {
	shell := s.process.Process.Pid
	ended := map[int]bool{}
	for _, step := range freeSteps {
		group, err := foreground(os.Stdin)
		if err != nil || group == shell || group <= 1 {
			break
		}
		_ = setModes(s.master, saneModes())
		held := holding(group, shell)
		for _, pid := range held {
			ended[pid] = true
			for _, number := range step.signals {
				_ = unix.Kill(pid, number)
			}
		}
		s.awaitPrompt(group, held, step.patience)
	}
	if len(ended) > 0 {
		plainScreen()
	}
	_ = unix.Kill(shell, unix.SIGINT)
	return len(ended)
}

// plainScreen takes back what a full-screen program asked of the terminal and had no time to undo: other screen,
// hidden cursor, application keys, mouse, colours. A terminal whose output nobody reads would block for ever.
func plainScreen() {
	written := make(chan struct{})
	go func() {
		_, _ = os.Stdout.WriteString("\x1b[?1049l\x1b[?25h\x1b[?1l\x1b>\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[0m")
		close(written)
	}()
	select {
	case <-written:
	case <-time.After(200 * time.Millisecond):
	}
}

// awaitPrompt returns once another group has the terminal and all of the held are gone, or patience ends.
func (s *shell) awaitPrompt(group int, held []int, patience time.Duration) {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		now, err := foreground(os.Stdin)
		if err != nil {
			return
		}
		gone := true
		for _, pid := range held {
			gone = gone && unix.Kill(pid, 0) != nil
		}
		if now != group && gone {
			return
		}
	}
}

// holding lists a process group and everything its members started, except the shell.
func holding(group, shell int) []int {
	all := processes()
	taken := map[int]bool{}
	for _, each := range all {
		taken[each.pid] = each.group == group
	}
	for again := true; again; {
		again = false
		for _, each := range all {
			if !taken[each.pid] && taken[each.parent] {
				taken[each.pid], again = true, true
			}
		}
	}
	var pids []int
	for _, each := range all {
		if taken[each.pid] && each.pid != shell && each.pid != 1 && each.pid != os.Getpid() {
			pids = append(pids, each.pid)
		}
	}
	return pids
}

// serve takes orders for this shell: one word per connection, answered by a number.
func (s *shell) serve(listener net.Listener) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		_ = connection.SetDeadline(time.Now().Add(tellWait))
		order, _ := bufio.NewReader(io.LimitReader(connection, 16)).ReadString('\n')
		switch strings.TrimSpace(order) {
		case "free":
			fmt.Fprintln(connection, s.free())
		case "hangup":
			fmt.Fprintln(connection, 1) // the connection itself ends with this process
			s.hangUp()
			return
		}
		connection.Close()
	}
}

// tellShell gives an order to a shell's process and returns its number.
func tellShell(id int, order string, wait time.Duration) (int, error) {
	connection, err := net.DialTimeout("unix", shellSocket(id), wait)
	if err != nil {
		_ = os.Remove(shellSocket(id)) // nobody listens: the way is free for the next
		return 0, err
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(wait))
	if _, err := fmt.Fprintln(connection, order); err != nil {
		return 0, err
	}
	answer, err := io.ReadAll(io.LimitReader(connection, 16))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(answer)))
}

func freeCommand(args []string) int { return orderCommand("free", "freed", args) }

func hangupCommand(args []string) int { return orderCommand("hangup", "ended", args) }

func orderCommand(order, word string, args []string) int {
	var id int
	if _, err := flagsOf(order, args, func(f *flag.FlagSet) { f.IntVar(&id, "id", 0, "number of the terminal") }); err != nil {
		return 2
	}
	number, err := tellShell(id, order, tellWait)
	if err != nil {
		return fail(err)
	}
	return printJSON(map[string]int{word: number})
}
