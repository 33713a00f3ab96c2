package state

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/k3s-io/kine/pkg/server"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// errLoading answers writes while a saved state is put in. Not Unavailable: etcd's client would repeat those by itself.
var errLoading = status.Error(codes.Aborted, "the cluster's state is being replaced: try again")

// Gate is the store as the API server sees it. While a saved state is put in, writes of everybody else fail: a controller
// that saw half of the change would otherwise act upon it. Controllers try again, with what they know by then.
type Gate struct {
	server.Backend

	// Before a state is loaded, nobody must have written for Quiet, or Patience must be over: a cascade of deletions that is
	// half done would go on with what was put back. Afterwards controllers get Settle to learn of it before they may act.
	Quiet, Patience, Settle time.Duration

	// Held for reading by each write that comes through, for writing while a state is loaded.
	loading sync.RWMutex
	last    atomic.Int64 // when somebody wrote, nanoseconds
}

// NewGate puts a gate before a store; hand the gate to the server that the API server talks to.
func NewGate(store server.Backend) *Gate {
	return &Gate{Backend: store, Quiet: 400 * time.Millisecond, Patience: 4 * time.Second, Settle: 2500 * time.Millisecond}
}

// awaitQuiet returns when nobody writes any more.
func (g *Gate) awaitQuiet(ctx context.Context) error {
	patience := time.After(g.Patience)
	for {
		rest := g.Quiet - time.Since(time.Unix(0, g.last.Load()))
		if rest <= 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-patience:
			return nil
		case <-time.After(rest):
		}
	}
}

// Create makes a key.
func (g *Gate) Create(ctx context.Context, key string, value []byte, lease int64) (int64, error) {
	if passing(key) {
		return g.Backend.Create(ctx, key, value, lease)
	}
	if !g.loading.TryRLock() {
		return 0, errLoading
	}
	defer g.loading.RUnlock()
	g.wrote(key)
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
	g.wrote(key)
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
	g.wrote(key)
	return g.Backend.Delete(ctx, key, revision)
}

// wrote notes that somebody writes. Events tell of what was done, and are no deed.
func (g *Gate) wrote(key string) {
	if !strings.HasPrefix(key, root+"events/") {
		g.last.Store(time.Now().UnixNano())
	}
}

// passing says whether a key may be written at any time: what no loading touches. An API server that starts ends itself
// when it cannot write some of those. Events do not pass: what a controller says about half a change would only puzzle its
// reader.
func passing(key string) bool {
	return !strings.HasPrefix(key, root) || (ownKey(key) && !strings.HasPrefix(key, root+"events/"))
}
