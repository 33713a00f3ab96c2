package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const startWait = 60 * time.Second

// State is what pid 1 last knew of the lab; engines are "starting", "ready" or "ended".
type State struct {
	Ready   bool              `json:"ready"`
	ReadyMs int64             `json:"ready_ms"`
	Hosts   []string          `json:"hosts"`
	Engines map[string]string `json:"engines"`
	Message string            `json:"message,omitempty"`
}

// lab is pid 1's own view.
type lab struct {
	mutex  sync.Mutex
	state  State
	hosts  []host
	family *family
	began  time.Time
}

func initCommand([]string) int {
	if os.Getpid() != 1 {
		return fail(fmt.Errorf("init is for pid 1 of a lab"))
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	l, err := newLab()
	if err == nil {
		err = l.begin()
	}
	if err != nil {
		// The container stays: who waits for it is told why.
		l.change(func(s *State) { s.Message = err.Error() })
		fail(err)
	}
	<-stop // everything in a lab is for throwing away: the end of pid 1 ends it all at once
	return 0
}

func newLab() (*lab, error) {
	l := &lab{began: time.Now(), state: State{Engines: map[string]string{}, Hosts: []string{}}}
	for _, directory := range []string{"engines", "hosts", "shells", "log"} {
		if err := os.MkdirAll(inRun(directory), 0o755); err != nil {
			return l, err
		}
	}
	log, err := os.OpenFile(inRun("log", "lab.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return l, err
	}
	_ = os.Setenv("PATH", searchPath)
	l.family = newFamily(log)
	l.hosts, err = labHosts()
	if err != nil {
		return l, err
	}
	for _, each := range l.hosts {
		l.state.Engines[each.name] = "starting"
		if !each.isLab() {
			l.state.Hosts = append(l.state.Hosts, each.name)
		}
	}
	return l, os.WriteFile(inRun("names"), []byte(os.Getenv(hostsVar)), 0o644)
}

// change keeps the state and its file together.
func (l *lab) change(edit func(*State)) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	edit(&l.state)
	if text, err := json.Marshal(l.state); err == nil {
		_ = writeWhole(inRun("state.json"), text)
	}
}

// begin starts everything beside each other and returns once the lab is ready.
func (l *lab) begin() error {
	l.change(func(*State) {})
	if err := errors.Join(limitUsers(), limitContainers(containersGroup)); err != nil {
		return err
	}
	if err := l.nameRegistry(); err != nil {
		return err
	}
	var started []func() (<-chan syscall.WaitStatus, error)
	if l.hosts[0].isLab() {
		started = append(started, func() (<-chan syscall.WaitStatus, error) { return startEngine(l.family, l.hosts[0]) })
	} else {
		if err := errors.Join(putOn("/"), l.makeNetwork()); err != nil { // an author's setup speaks from the lab's own root
			return err
		}
		for _, each := range l.hosts {
			started = append(started, func() (<-chan syscall.WaitStatus, error) { return l.startHost(each) })
		}
	}
	problems := make(chan error, len(started)+1)
	for i, start := range started {
		go func() {
			ended, err := start()
			if err == nil {
				go l.watch(l.hosts[i].name, ended)
			}
			problems <- err
		}()
	}
	go func() {
		ended, err := startRegistry(l.family)
		if err == nil {
			go l.watch("registry", ended)
		}
		problems <- err
	}()
	for range len(started) + 1 {
		if err := <-problems; err != nil {
			return err
		}
	}
	return l.awaitReady()
}

func (l *lab) awaitReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), startWait)
	defer cancel()
	for _, each := range l.hosts {
		if err := answers(ctx, engineClient(each), "http://engine/_ping"); err != nil {
			return fmt.Errorf("engine %q: %w", each.name, err)
		}
		l.change(func(s *State) { s.Engines[each.name] = "ready" })
	}
	direct := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if err := answers(ctx, direct, "http://"+registryAddress()+"/v2/"); err != nil {
		return fmt.Errorf("registry: %w", err)
	}
	l.change(func(s *State) {
		s.Ready, s.ReadyMs = true, time.Since(l.began).Milliseconds()
	})
	return os.WriteFile(inRun("ready"), nil, 0o644)
}

// watch says when an engine has ended; nothing is started again, for a learner may have meant it.
func (l *lab) watch(name string, ended <-chan syscall.WaitStatus) {
	status := <-ended
	l.change(func(s *State) {
		s.Engines[name] = "ended"
		s.Message = fmt.Sprintf("%s ended: exit %d, signal %d", strings.TrimSpace("engine "+name), status.ExitStatus(), status.Signal())
	})
}

// nameRegistry lets the lab's own root reach the registry by its name.
func (l *lab) nameRegistry() error {
	file, err := os.OpenFile("/etc/hosts", os.O_WRONLY|os.O_APPEND|os.O_CREATE|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	address, _, _ := strings.Cut(registryAddress(), ":")
	_, err = fmt.Fprintf(file, "%s\t%s\n", address, registryName)
	return err
}
