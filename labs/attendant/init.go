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

const startWait = 120 * time.Second

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
	log, err := labLog()
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

// labLog is for whatever has no log of its own: engines, the registry, the hosts.
func labLog() (*os.File, error) { return (&serviceLog{path: inRun("log", "lab.log")}).pipe() }

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
	found, err := labServices()
	if err != nil {
		return err
	}
	units, err := l.units(found)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startWait)
	defer cancel()
	if err := startUnits(ctx, units); err != nil {
		return err
	}
	l.change(func(s *State) {
		s.Ready, s.ReadyMs = true, time.Since(l.began).Milliseconds()
	})
	return os.WriteFile(inRun("ready"), nil, 0o644)
}

// units are all that this lab runs: an engine on every host, the registry, and the image's own services.
func (l *lab) units(found services) ([]unit, error) {
	var units []unit
	if !l.hosts[0].isLab() {
		if err := errors.Join(putOn("/"), l.makeNetwork()); err != nil { // an author's setup speaks from the lab's own root
			return nil, err
		}
	}
	if found.Engine == nil {
		l.change(func(s *State) { clear(s.Engines) })
	} else {
		for _, each := range l.hosts {
			units = append(units, l.engineUnit(each, found.Engine))
		}
	}
	if found.Registry {
		units = append(units, l.registryUnit())
	}
	for _, each := range found.Services {
		units = append(units, l.unitOf(each))
	}
	return units, nil
}

func (l *lab) engineUnit(h host, wanted *engineService) unit {
	name := engineUnit
	if !h.isLab() {
		name += " " + h.name
	}
	return unit{
		name:  name,
		after: wanted.After,
		start: func() error {
			start := func() (<-chan syscall.WaitStatus, error) { return l.startHost(h) }
			if h.isLab() {
				start = func() (<-chan syscall.WaitStatus, error) { return startEngine(l.family, h, wanted.Argv...) }
			}
			ended, err := start()
			if err == nil {
				go l.watch(h.name, ended)
			}
			return err
		},
		ready: func(ctx context.Context) error {
			err := answers(ctx, engineClient(h), "http://engine/_ping")
			if err == nil {
				l.change(func(s *State) { s.Engines[h.name] = "ready" })
			}
			return err
		},
	}
}

func (l *lab) registryUnit() unit {
	return unit{
		name: registryUnit,
		start: func() error {
			ended, err := startRegistry(l.family)
			if err == nil {
				go l.watch(registryUnit, ended)
			}
			return err
		},
		ready: func(ctx context.Context) error {
			direct := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			return answers(ctx, direct, "http://"+registryAddress()+"/v2/")
		},
	}
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
