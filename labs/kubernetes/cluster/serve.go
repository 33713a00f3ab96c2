package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"k8s.io/client-go/kubernetes"

	"naru/cluster/internal/config"
	"naru/cluster/internal/control"
	"naru/cluster/internal/facts"
	"naru/cluster/internal/network"
	"naru/cluster/internal/pause"
	"naru/cluster/internal/pki"
	"naru/cluster/internal/plane"
	"naru/cluster/internal/simulated"
	"naru/cluster/internal/state"
	"naru/cluster/internal/store"
)

const (
	learnersKubeconfig = "/root/.kube/config"
	startingGC         = 400 // percent: collecting while everything starts would take a third of the time
	servingGC          = 50  // and afterwards memory is what is scarce
	settled            = 2 * time.Second
)

// serve runs everything but the kubelet. It returns when one part ends, for none is of use without the others.
func serve(ctx context.Context, c config.Config) error {
	debug.SetGCPercent(startingGC)
	keys, err := pki.Make(c.Directory, c.Port)
	if err != nil {
		return err
	}
	home := os.Getenv("NARU_LEARNER_KUBECONFIG")
	if home == "" {
		home = learnersKubeconfig
	}
	components := filepath.Join(c.Directory, "components.kubeconfig")
	if err := keys.WriteKubeconfig(components, pki.System); err != nil {
		return err
	}
	memory := store.New()
	saved := state.NewGate(memory)
	saved.Real = c.Real.Name
	// Before the gate: a state that is loaded takes the place of what is there, and always fits that was saved.
	most := int64(c.MostHeapMB) << 20
	debug.SetMemoryLimit(2 * most)
	etcd, err := store.Serve(ctx, memory, store.NewBounded(saved, memory, most, state.Needed), filepath.Join(c.Directory, "store.sock"))
	if err != nil {
		return err
	}
	gate := pause.New(c.Times.PauseGrace.Duration)
	go gate.Beat(ctx.Done())
	controlPlane, err := plane.New(ctx, c, keys, gate, etcd, components)
	if err != nil {
		return err
	}
	watching, err := facts.New(plane.ConfigFor(keys, pki.Grader))
	if err != nil {
		return err
	}
	finder, err := facts.NewObjects(plane.ConfigFor(keys, pki.Grader))
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(plane.ConfigFor(keys, pki.System))
	if err != nil {
		return err
	}
	saved.Alone = controlPlane.Alone
	saved.Told = func(ctx context.Context) error { return plane.Told(ctx, client) }
	nodes := simulated.New(client, c)
	parts := newParts()
	parts.start("API server", func() error {
		return controlPlane.RunAPI(ctx, func(request plane.Request) { watching.Audited(facts.Request(request)) })
	})
	asked := &control.Server{
		Finder: finder, Picture: watching, Store: saved,
		Switches: &control.Levers{Client: client, Synced: watching.Synced, Nodes: nodes.Names, SetSimulated: nodes.Set},
	}
	parts.start("control socket", func() error { return asked.Run(ctx, filepath.Join(c.Directory, "control.sock")) })
	up := make(chan error, 1)
	go func() { up <- controlPlane.AwaitAPI(ctx) }()
	select {
	case err = <-parts.ended:
	case err = <-up:
	}
	if err != nil {
		return err
	}
	// Only now: a kubectl that finds this file finds an API behind it.
	if err := keys.WriteKubeconfig(home, pki.Learner); err != nil {
		return err
	}
	parts.start("controllers", func() error { return controlPlane.RunManager(ctx) })
	parts.start("reminder", func() error { return controlPlane.Remind(ctx, client) })
	parts.start("scheduler", func() error { return controlPlane.RunScheduler(ctx) })
	parts.start("nodes", func() error { return nodes.Run(ctx) })
	parts.start("simulated nodes", func() error { return simulated.RunKwok(ctx, c, components, keys.Cert, keys.Key) })
	parts.start("metrics", func() error {
		return simulated.ServeMetrics(ctx, plane.ConfigFor(keys, pki.System), c, keys.Cert, keys.Key)
	})
	parts.start("record", func() error { watching.Run(ctx); return ctx.Err() })
	if c.Real.Name != "" {
		parts.start("network", func() error { return network.Run(ctx, c, client) })
	}
	time.AfterFunc(settled, func() {
		debug.SetGCPercent(servingGC)
		debug.FreeOSMemory()
	})
	return <-parts.ended
}

// parts run beside each other; the first that ends says why.
type parts struct{ ended chan error }

func newParts() *parts { return &parts{ended: make(chan error, 16)} }

func (p *parts) start(name string, run func() error) {
	go func() {
		err := run()
		if err == nil {
			err = fmt.Errorf("it has ended")
		}
		p.ended <- fmt.Errorf("%s: %w", name, err)
	}()
}
