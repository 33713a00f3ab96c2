package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestLabHostsAreReadStrictly(t *testing.T) {
	labWith(t, nil)
	t.Setenv(hostsVar, "laptop,server")
	hosts, err := labHosts()
	if err != nil || len(hosts) != 2 || hosts[1] != (host{"server", 1}) || hosts[0].address().String() != "10.77.0.2" {
		t.Fatal(hosts, err)
	}
	if own, err := findHost(""); err != nil || own.name != "laptop" {
		t.Fatal(own, err)
	}
	for _, text := range []string{"a,", "../x", "a,b,c,d,e", "A"} {
		t.Setenv(hostsVar, text)
		if _, err := labHosts(); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
	// A learner's environment may lack the names; pid 1 left them in a file.
	t.Setenv(hostsVar, "")
	if hosts, err := labHosts(); err != nil || !hosts[0].isLab() {
		t.Fatal(hosts, err)
	}
	if err := os.WriteFile(inRun("names"), []byte("laptop,server"), 0o644); err != nil {
		t.Fatal(err)
	}
	if target, err := findHost("server"); err != nil || target.index != 1 {
		t.Fatal(target, err)
	}
}

func TestStatLinesAreReadWhateverAProgramIsCalled(t *testing.T) {
	each, ok := parseStat(12, "12 (a ) b) S 5 6 7 8 9 0 0\n")
	if !ok || each != (process{12, 5, 6, 7, 8, 9}) {
		t.Fatal(each, ok)
	}
	for _, line := range []string{"", "12 (x", "12 (x) S 1 2", "12 (x) S a b c d e"} {
		if _, ok := parseStat(12, line); ok {
			t.Errorf("%q was taken", line)
		}
	}
}

func TestEventsGoOnAfterAnEngineWasAway(t *testing.T) {
	var asked []string
	labWith(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Query().Get("since"))
		fmt.Fprintf(w, `{"Action": "start", "timeNano": %d}`+"\nno event\n", 5_000_000_000+len(asked))
	}))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var lines []string
	follow(ctx, engineSource(host{name: "laptop"}), "4", func(line []byte) error {
		if lines = append(lines, string(line)); len(lines) == 2 {
			cancel()
		}
		return nil
	})
	if !slices.Equal(asked, []string{"4", "5.000000002"}) {
		t.Fatal(asked)
	}
	if lines[1] != `{"event":{"Action":"start","timeNano":5000000002},"host":"laptop"}`+"\n" {
		t.Fatal(lines)
	}
}

func TestWhatWasToldUntilAMomentIsAskedForOnceAndWhole(t *testing.T) {
	var asked []string
	cut := false
	labWith(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RawQuery)
		fmt.Fprintln(w, `{"Action": "delete", "timeNano": 5}`)
		if cut {
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
	}))
	var lines []string
	print := func(line []byte) error {
		lines = append(lines, string(line))
		return nil
	}
	if err := told(t.Context(), engineSource(host{name: "laptop"}), "4", "6.5", print); err != nil || len(lines) != 1 {
		t.Fatal(lines, err)
	}
	if !slices.Equal(asked, []string{"since=4&until=6.5"}) {
		t.Fatal(asked)
	}
	cut = true
	if err := told(t.Context(), engineSource(host{name: "laptop"}), "4", "6.5", print); !errors.Is(err, errUntold) {
		t.Fatal(err)
	}
}

func TestEventsUntilAMomentAreToldThoughNobodyTypes(t *testing.T) {
	labWith(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(50 * time.Millisecond)
		fmt.Fprintln(w, `{"Action": "delete", "timeNano": 5}`)
	}))
	nothing, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	stdin, stdout := os.Stdin, os.Stdout
	t.Cleanup(func() { os.Stdin, os.Stdout = stdin, stdout })
	os.Stdin, os.Stdout = nothing, file
	if code := eventsCommand([]string{"--since", "4", "--until", "6"}); code != 0 {
		t.Fatal(code)
	}
	if said, _ := os.ReadFile(file.Name()); !strings.Contains(string(said), `"delete"`) {
		t.Fatalf("%q", said)
	}
}

func TestEventsEndWhenNobodyReads(t *testing.T) {
	labWith(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, `{"timeNano": 1}`) }))
	done := make(chan struct{})
	go func() {
		follow(t.Context(), engineSource(host{name: "laptop"}), "0", func([]byte) error { return syscall.EPIPE })
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Fatal("it goes on")
	}
}

func TestFamilyReapsItsOwnAndTellsTheirEnd(t *testing.T) {
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	f := &family{waiting: map[int]chan syscall.WaitStatus{}, log: log} // reaps only while this test runs
	stop := make(chan struct{})
	reaped := make(chan struct{})
	go func() {
		defer close(reaped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				f.reap()
			}
		}
	}()
	defer func() { close(stop); <-reaped }()
	if err := f.run("sh", "-c", "echo said; exit 0"); err != nil {
		t.Fatal(err)
	}
	if err := f.run("sh", "-c", "exit 4"); err == nil || !strings.Contains(err.Error(), "exit 4") {
		t.Fatal(err)
	}
	text, err := os.ReadFile(log.Name())
	if err != nil || !bytes.Contains(text, []byte("said")) {
		t.Fatal(string(text), err)
	}
}

func TestStateTellsWhichEngineEnded(t *testing.T) {
	labWith(t, nil)
	l := &lab{state: State{Engines: map[string]string{"laptop": "ready"}, Hosts: []string{"laptop"}}}
	ended := make(chan syscall.WaitStatus, 1)
	ended <- syscall.WaitStatus(2 << 8)
	l.watch("laptop", ended)
	state, err := readState()
	if err != nil || state.Engines["laptop"] != "ended" || !strings.Contains(state.Message, "exit 2") {
		t.Fatal(state, err)
	}
}

func TestContextsAreWhereDockerLooks(t *testing.T) {
	path, text, err := contextFile(host{name: "server"})
	if err != nil {
		t.Fatal(err)
	}
	// sha256 of "server", as Docker's command line names the folder
	if path != "root/.docker/contexts/meta/b3eacd33433b31b5252351032c9b3e7a2e7aa7738d5decdf0dd6c62680853c06/meta.json" {
		t.Error(path)
	}
	var document struct {
		Name      string
		Endpoints map[string]struct{ Host string }
	}
	if json.Unmarshal([]byte(text), &document) != nil || !strings.HasSuffix(document.Endpoints["docker"].Host, "/engines/server.sock") {
		t.Error(text)
	}
}

func TestContainersWithoutALimitGetOne(t *testing.T) {
	group := t.TempDir()
	limits := map[string]string{"free": "max\n", "own": "10\n", "buildkit/step": "max\n"}
	for name, text := range limits {
		write(t, filepath.Join(group, name, "pids.max"), text)
	}
	seen := limitNew(group, nil)
	for name, want := range map[string]string{"free": strconv.Itoa(mostInnerProcesses), "own": "10\n", "buildkit/step": strconv.Itoa(mostInnerProcesses)} {
		text, err := os.ReadFile(filepath.Join(group, name, "pids.max"))
		if err != nil || string(text) != want {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	write(t, filepath.Join(group, "free", "pids.max"), "max\n") // `docker update` says so: the learner's will
	if limitNew(group, seen); len(seen) != 3 {
		t.Error(seen)
	}
	if text, _ := os.ReadFile(filepath.Join(group, "free", "pids.max")); string(text) != "max\n" {
		t.Errorf("%q", text)
	}
}
