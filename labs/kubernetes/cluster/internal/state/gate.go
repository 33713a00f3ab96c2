package state

import (
	"context"
	"strings"
	"sync"

	"github.com/k3s-io/kine/pkg/server"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// errLoading answers writes while a saved state is put in. Not Unavailable: etcd's client would repeat those by itself.
var errLoading = status.Error(codes.Aborted, "the cluster's state is being replaced: try again")

// Gate is the store as the API server sees it. While a saved state is put in, writes of everybody else fail: who saw half of
// the change would otherwise act upon it. They try again, with what they know by then.
type Gate struct {
	server.Backend

	// Real is the node whose kubelet runs containers; "" where there is none.
	Real string
	// Alone runs a change while no controller runs.
	Alone func(ctx context.Context, change func() error) error
	// Told returns once whoever watches the cluster has heard of all that was written.
	Told func(ctx context.Context) error

	// Held for reading by each write that comes through, for writing while a state is loaded.
	loading sync.RWMutex
}

// NewGate puts a gate before a store; hand the gate to the server that the API server talks to, and set Alone and Told before
// the first Load.
func NewGate(store server.Backend) *Gate { return &Gate{Backend: store} }

// Create makes a key.
func (g *Gate) Create(ctx context.Context, key string, value []byte, lease int64) (int64, error) {
	if passing(key) {
		return g.Backend.Create(ctx, key, value, lease)
	}
	if !g.loading.TryRLock() {
		return 0, errLoading
	}
	defer g.loading.RUnlock()
	return g.Backend.Create(ctx, key, value, lease)
}

// Update changes a key.
func (g *Gate) Update(ctx context.Context, key string, value []byte, revision, lease int64) (int64, *server.KeyValue, bool, error) {
	if passing(key) {
		return g.Backend.Update(ctx, key, value, revision, lease)
	}
	if !g.loading.TryRLock() {
		return 0, nil, false, errLoading
	}
	defer g.loading.RUnlock()
	return g.Backend.Update(ctx, key, value, revision, lease)
}

// Delete removes a key.
func (g *Gate) Delete(ctx context.Context, key string, revision int64) (int64, *server.KeyValue, bool, error) {
	if passing(key) {
		return g.Backend.Delete(ctx, key, revision)
	}
	if !g.loading.TryRLock() {
		return 0, nil, false, errLoading
	}
	defer g.loading.RUnlock()
	return g.Backend.Delete(ctx, key, revision)
}

// passing says whether a key may be written at any time: what no loading touches. An API server that starts ends itself
// when it cannot write some of those. Events do not pass: what a controller says about half a change would only puzzle its
// reader.
func passing(key string) bool {
	return !strings.HasPrefix(key, root) || (ownKey(key) && !strings.HasPrefix(key, root+"events/"))
}
