package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// servicesFile says what a lab of this image runs beside, or instead of, an engine and a registry.
var servicesFile = "/etc/naru/services.json"

const (
	engineUnit   = "engine"
	registryUnit = "registry"
	againAfter   = time.Second
	offEvery     = 300 * time.Millisecond
)

// services is that file. Without one a lab has its engine and registry and nothing else.
type services struct {
	Engine   *engineService `json:"engine"`
	Registry bool           `json:"registry"`
	Services []service      `json:"services"`
}

// engineService: more arguments for dockerd, and what must be ready before it starts.
type engineService struct {
	Argv  []string `json:"argv"`
	After []string `json:"after"`
}

// service is one program. Vital: its end is the lab's. Again: it is started again when it ends. Off: a file during whose
// life it is stopped; NAME-off among the cluster's files for one that is started again.
type service struct {
	Name  string            `json:"name"`
	Argv  []string          `json:"argv"`
	Env   map[string]string `json:"env"`
	After []string          `json:"after"`
	Ready struct {
		Socket  string `json:"socket"`  // takes connections
		Control bool   `json:"control"` // the control socket says that the cluster is ready
	} `json:"ready"`
	Vital bool   `json:"vital"`
	Again bool   `json:"again"`
	Off   string `json:"off"`
}

// labServices reads the image's services and refuses what could never start.
func labServices() (services, error) {
	plain := services{Engine: &engineService{}, Registry: true}
	text, err := readSmall(servicesFile, 64<<10)
	if errors.Is(err, os.ErrNotExist) {
		return plain, nil
	}
	if err != nil {
		return plain, err
	}
	var found services
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&found); err != nil {
		return plain, fmt.Errorf("%s: %w", servicesFile, err)
	}
	for i := range found.Services {
		if each := &found.Services[i]; each.Again && each.Off == "" {
			each.Off = inRun("cluster", each.Name+"-off")
		}
	}
	return found, found.check()
}

func (s services) check() error {
	known := map[string]bool{engineUnit: s.Engine != nil, registryUnit: s.Registry}
	for _, each := range s.Services { // in the file's order: what is waited for stands above
		if each.Name == "" || len(each.Argv) == 0 || known[each.Name] {
			return fmt.Errorf("%s: a service without a name of its own or a program: %q", servicesFile, each.Name)
		}
		for _, other := range each.After {
			if !known[other] {
				return fmt.Errorf("%s: %s waits for %s, which does not stand before it", servicesFile, each.Name, other)
			}
		}
		known[each.Name] = true
	}
	if s.Engine != nil {
		for _, other := range s.Engine.After {
			if !known[other] || other == engineUnit {
				return fmt.Errorf("%s: the engine waits for %s", servicesFile, other)
			}
		}
	}
	return nil
}

// hasEngine says whether this lab's image brings an engine.
func hasEngine() bool {
	found, err := labServices()
	return err != nil || found.Engine != nil
}

// unit is one thing that pid 1 starts: once all of after are ready, until it is ready itself.
type unit struct {
	name  string
	after []string
	start func() error
	ready func(context.Context) error
}

// startUnits starts all, each as soon as it may, and returns when every one is ready or one has failed.
func startUnits(ctx context.Context, units []unit) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := map[string]chan struct{}{}
	for _, each := range units {
		done[each.name] = make(chan struct{})
	}
	problems := make(chan error, len(units))
	for _, each := range units {
		go func() {
			err := func() error {
				for _, other := range each.after {
					select {
					case <-done[other]:
					case <-ctx.Done():
						return ctx.Err()
					}
				}
				if err := each.start(); err != nil {
					return err
				}
				return each.ready(ctx)
			}()
			if err != nil {
				err = fmt.Errorf("%s: %w", each.name, err)
			} else {
				close(done[each.name])
			}
			problems <- err
		}()
	}
	for range units {
		if err := <-problems; err != nil {
			return err
		}
	}
	return nil
}

// unitOf makes a unit of a service of the image.
func (l *lab) unitOf(s service) unit {
	return unit{
		name:  s.Name,
		after: s.After,
		start: func() error {
			l.change(func(state *State) {
				if s.Vital {
					state.Engines[s.Name] = "starting"
				}
			})
			pid, ended, err := l.startService(s)
			if err != nil {
				return err
			}
			go l.keep(s, pid, ended)
			return nil
		},
		ready: func(ctx context.Context) error {
			if err := s.awaitReady(ctx); err != nil {
				return err
			}
			if s.Vital {
				l.change(func(state *State) {
					if state.Engines[s.Name] != "ended" {
						state.Engines[s.Name] = "ready"
					}
				})
			}
			return nil
		},
	}
}

func (l *lab) startService(s service) (int, <-chan syscall.WaitStatus, error) {
	environment := thrifty
	for name, value := range s.Env {
		environment = append(environment[:len(environment):len(environment)], name+"="+value)
	}
	return l.family.start(s.Argv, environment, nil)
}

// keep watches a service: an end of a vital one is told, another one may be started again, and one that is switched off is
// stopped, as a machine without power stops.
func (l *lab) keep(s service, pid int, ended <-chan syscall.WaitStatus) {
	if s.Vital || !s.Again {
		if s.Vital {
			l.watch(s.Name, ended)
		}
		return
	}
	look := time.NewTicker(offEvery)
	defer look.Stop()
	for {
		select {
		case <-ended:
			ended, pid = nil, 0
			time.Sleep(againAfter)
		case <-look.C:
			off := s.isOff()
			if off && pid != 0 {
				_ = unix.Kill(pid, unix.SIGKILL)
			}
			if off || pid != 0 {
				continue
			}
			var err error
			if pid, ended, err = l.startService(s); err != nil {
				pid, ended = 0, nil
				fmt.Fprintf(os.Stderr, "%s: %v\n", s.Name, err)
			}
		}
	}
}

func (s service) isOff() bool {
	if s.Off == "" {
		return false
	}
	_, err := os.Lstat(s.Off)
	return err == nil
}

// awaitReady asks until the service can be used, or the context ends. One that says nothing of being ready is, at once.
func (s service) awaitReady(ctx context.Context) error {
	if s.Ready.Control {
		return answers(ctx, controlClient(), controlURL+"/ready")
	}
	for s.Ready.Socket != "" {
		connection, err := net.DialTimeout("unix", s.Ready.Socket, time.Second)
		if err == nil {
			return connection.Close()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pollEvery):
		}
	}
	return nil
}

const controlURL = "http://control"

func controlSocket() string { return inRun("cluster", "control.sock") }

// hasCluster says whether a cluster of this lab's own was started.
func hasCluster() bool {
	_, err := os.Lstat(inRun("cluster"))
	return err == nil
}

// controlClient speaks to the cluster's control socket.
func controlClient() *http.Client {
	return &http.Client{
		CheckRedirect: noRedirect,
		Transport: &http.Transport{
			DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				dialer := net.Dialer{Timeout: 5 * time.Second}
				return dialer.DialContext(ctx, "unix", controlSocket())
			},
		},
	}
}
