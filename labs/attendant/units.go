package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	offEvery    = 300 * time.Millisecond
	againAfter  = time.Second
	againAtMost = 30 * time.Second
)

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
			log := &serviceLog{path: inRun("log", s.Name+".log")}
			pid, ended, err := l.startService(s, log)
			if err != nil {
				return err
			}
			go l.keep(s, log, pid, ended)
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

// startService starts it with its output in a log of its own.
func (l *lab) startService(s service, log *serviceLog) (int, <-chan syscall.WaitStatus, error) {
	extra := thrifty[:len(thrifty):len(thrifty)]
	for name, value := range s.Env {
		extra = append(extra, name+"="+value)
	}
	output, err := log.pipe()
	if err != nil {
		return 0, nil, err
	}
	defer output.Close()
	return l.family.startInto(output, s.Argv, extra, nil)
}

// patience is how long a service that ended waits to be started again: longer each time, unless it lived for long.
type patience struct{ wait time.Duration }

func (p *patience) after(lived time.Duration) time.Duration {
	if lived > againAtMost || p.wait == 0 {
		p.wait = againAfter
	}
	now := p.wait
	p.wait = min(2*p.wait, againAtMost)
	return now
}

// keep watches a service: an end of a vital one is told, another one may be started again, and one that is switched off is
// stopped, as a machine without power stops.
func (l *lab) keep(s service, log *serviceLog, pid int, ended <-chan syscall.WaitStatus) {
	if s.Vital || !s.Again {
		if s.Vital {
			l.watch(s.Name, ended)
		}
		return
	}
	look := time.NewTicker(offEvery)
	defer look.Stop()
	began, next := time.Now(), time.Now()
	var waits patience
	for {
		select {
		case <-ended:
			ended, pid = nil, 0
			next = time.Now().Add(waits.after(time.Since(began)))
		case <-look.C:
			if s.isOff() {
				if pid != 0 {
					_ = unix.Kill(pid, unix.SIGKILL)
				}
				next, waits = time.Now(), patience{} // who switches it on again wants it at once
				continue
			}
			if pid != 0 || time.Now().Before(next) {
				continue
			}
			began = time.Now()
			var err error
			if pid, ended, err = l.startService(s, log); err != nil {
				pid, ended, next = 0, nil, began.Add(waits.after(0))
				fmt.Fprintf(log, "%s: %v\n", s.Name, err)
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
