package plane

import (
	"context"
	"errors"
	"net/http"

	"k8s.io/component-base/configz"
	kcmapp "k8s.io/kubernetes/cmd/kube-controller-manager/app"

	"naru/cluster/internal/pause"
)

// errChanged ends controllers that are to begin anew.
var errChanged = errors.New("the cluster's state is being replaced")

// RunManager runs the controllers until ctx ends, anew after each change that Alone makes.
func (p *Plane) RunManager(ctx context.Context) error {
	for {
		running, end := context.WithCancelCause(ctx)
		ended := make(chan error, 1)
		go func() { ended <- p.runManagerOnce(running) }()
		select {
		case err := <-ended:
			end(nil)
			return err
		case change := <-p.changes:
			end(errChanged)
			if err := <-ended; err != nil && !errors.Is(err, errChanged) && !errors.Is(err, context.Canceled) {
				close(change.stopped)
				return err
			}
			close(change.stopped)
			<-change.done
		}
	}
}

// A change happens between stopped and done, while no controller runs.
type change struct{ stopped, done chan struct{} }

// Alone runs a change of the store while no controller runs. Controllers remember: the garbage collector keeps which owners
// it once looked for in vain, and would remove what belongs to one that was put back.
func (p *Plane) Alone(ctx context.Context, run func() error) error {
	one := change{stopped: make(chan struct{}), done: make(chan struct{})}
	defer close(one.done)
	select {
	case p.changes <- one:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-one.stopped:
	case <-ctx.Done():
		return ctx.Err()
	}
	return run()
}

func (p *Plane) runManagerOnce(ctx context.Context) error {
	configz.Delete(kcmapp.ConfigzName) // of those that ran before: a second registration is an error
	c, err := p.manager.Config(ctx, kcmapp.KnownControllers(), kcmapp.ControllersDisabledByDefault(), kcmapp.ControllerAliases())
	if err != nil {
		return err
	}
	c.Kubeconfig.WrapTransport = func(next http.RoundTripper) http.RoundTripper {
		return healthy{p.gate.Wrap(next, pause.NodesAndEvictions)}
	}
	return kcmapp.Run(ctx, c.Complete())
}
