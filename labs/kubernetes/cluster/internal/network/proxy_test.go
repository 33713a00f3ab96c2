package network

import (
	"errors"
	"io"
	"net"
	"slices"
	"syscall"
	"testing"
	"time"
)

// server says its name to everybody who connects.
func server(t *testing.T, name string) string {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(connection, name)
			connection.Close()
		}
	}()
	return listener.Addr().String()
}

func free(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func call(address string) (string, error) {
	connection, err := net.DialTimeout("tcp4", address, time.Second)
	if err != nil {
		return "", err
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(5 * time.Second))
	answer, err := io.ReadAll(connection)
	return string(answer), err
}

func apply(t *testing.T, p *proxy, fronts map[string]front) {
	t.Helper()
	if err := p.apply(fronts); err != nil {
		t.Fatal(err)
	}
}

func TestConnectionsAreSpreadAndFollowChangesAtOnce(t *testing.T) {
	p := newProxy("")
	t.Cleanup(p.close)
	address, one, two := free(t), server(t, "one"), server(t, "two")
	apply(t, p, map[string]front{address: {endpoints: []string{one, two}}})
	var answers []string
	for range 4 {
		answer, err := call(address)
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, answer)
	}
	if !slices.Equal(answers, []string{"one", "two", "one", "two"}) {
		t.Errorf("%v", answers)
	}
	apply(t, p, map[string]front{address: {endpoints: []string{two}}})
	for range 3 {
		if answer, err := call(address); answer != "two" || err != nil {
			t.Errorf("after the change: %q %v", answer, err)
		}
	}
	apply(t, p, nil)
	if _, err := call(address); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a front without a Service: %v", err)
	}
}

func TestStickySessionsStayWithOneEndpoint(t *testing.T) {
	p := newProxy("")
	t.Cleanup(p.close)
	address := free(t)
	apply(t, p, map[string]front{address: {endpoints: []string{server(t, "one"), server(t, "two")}, sticky: true}})
	first, err := call(address)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if again, err := call(address); again != first || err != nil {
			t.Errorf("%q after %q: %v", again, first, err)
		}
	}
	l := &listener{front: front{endpoints: []string{"a", "b"}, sticky: true}}
	seen := map[string]bool{}
	for last := range 20 {
		seen[l.choose(net.IPv4(10, 88, 0, byte(last)))] = true
	}
	if len(seen) != 2 {
		t.Errorf("twenty clients all go to %v", seen)
	}
}

func TestAnEndpointThatDoesNotAnswerIsSeen(t *testing.T) {
	p := newProxy("")
	t.Cleanup(p.close)
	address := free(t)
	apply(t, p, map[string]front{address: {endpoints: []string{free(t)}}})
	if answer, err := call(address); err == nil {
		t.Errorf("%q and no error", answer)
	}
}

func TestWhatIsSentBothWaysArrivesWhole(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() { // answers only once it has heard the end
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		defer connection.Close()
		heard, _ := io.ReadAll(connection)
		_, _ = connection.Write(append(heard, '!'))
	}()
	p := newProxy("")
	t.Cleanup(p.close)
	address := free(t)
	apply(t, p, map[string]front{address: {endpoints: []string{listener.Addr().String()}}})
	connection, err := net.Dial("tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if _, err := connection.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	_ = connection.(*net.TCPConn).CloseWrite()
	if answer, err := io.ReadAll(connection); string(answer) != "hello!" || err != nil {
		t.Errorf("%q %v", answer, err)
	}
}

func TestWhoSaysNothingAfterTheEndLosesItsRoom(t *testing.T) {
	const quiet = 300 * time.Millisecond
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() { // once it has heard the end it speaks for longer than that, and then never closes
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		t.Cleanup(func() { connection.Close() })
		_, _ = io.ReadAll(connection)
		for range 40 {
			_, _ = connection.Write([]byte("x"))
			<-time.After(quiet / 10)
		}
	}()
	p := newProxy("")
	p.quiet = quiet
	t.Cleanup(p.close)
	address := free(t)
	apply(t, p, map[string]front{address: {endpoints: []string{listener.Addr().String()}}})
	connection, err := net.Dial("tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	_ = connection.(*net.TCPConn).CloseWrite()
	_ = connection.SetDeadline(time.Now().Add(20 * time.Second))
	if answer, err := io.ReadAll(connection); len(answer) != 40 || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%q %v", answer, err)
	}
	for end := time.Now().Add(5 * time.Second); len(p.room) > 0; <-time.After(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("its room is still taken")
		}
	}
}

func TestAPortThatIsTakenHurtsNobodyElse(t *testing.T) {
	p := newProxy("")
	t.Cleanup(p.close)
	taken, address, one := server(t, "other"), free(t), server(t, "one")
	if err := p.apply(map[string]front{taken: {endpoints: []string{one}}, address: {endpoints: []string{one}}}); err == nil {
		t.Error("two listen at one port")
	}
	if answer, err := call(address); answer != "one" || err != nil {
		t.Errorf("%q %v", answer, err)
	}
}
