package store

import (
	"context"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"time"

	"github.com/k3s-io/kine/pkg/server"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
)

const (
	fewObjects = 2 << 20         // weight, in bytes: with no more the cluster is not full, whatever fills the heap
	mostStored = 24 << 20        // bytes of objects: whoever lists them all holds them a second time
	smallStep  = 4 << 10         // bytes by which a version may be longer than the one before: a status, a deletion's time
	makeRoom   = 5 * time.Second // between two attempts to
	liveHeap   = "/gc/heap/live:bytes"
)

// Bounded is a store that takes no more objects beyond a quota, as etcd does. Small ones cost many times their length, for
// every controller knows them: for those counts how much of the heap is in use. Large ones cost once more where they are
// listed: for those counts how long they are. Without it a loop that creates Pods would end the whole lab, or leave it
// without an answer.
//
// What is there can be deleted, and changed as long as it hardly grows; and what the cluster itself needs is always taken.
type Bounded struct {
	server.Backend

	most int64        // bytes of heap
	used func() int64 // bytes that the last garbage collection left
	room func()       // forgets what can be forgotten

	memory *Memory
	needed func(key string) bool
	old    int64 // revision at the last attempt to make room

	mu   sync.Mutex
	made time.Time // when there was last an attempt to make room
}

// NewBounded puts a bound of most bytes of live heap before a store; memory is where old versions can be forgotten, needed
// says which keys are taken in any case.
func NewBounded(backend server.Backend, memory *Memory, most int64, needed func(key string) bool) *Bounded {
	b := &Bounded{Backend: backend, memory: memory, most: most, needed: needed, used: heapInUse}
	b.room = b.forget
	return b
}

// forget drops versions that were old at the last attempt, so that lists by page may go on for a while, and what was deleted.
func (b *Bounded) forget() {
	now, err := b.memory.CurrentRevision(context.Background())
	if err == nil && b.old > 0 {
		_, _ = b.memory.Compact(context.Background(), b.old) // it may be done already
	}
	b.old = now
	runtime.GC()
}

func heapInUse() int64 {
	sample := []metrics.Sample{{Name: liveHeap}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

// Create makes a key, or fails with etcd's "database space exceeded".
func (b *Bounded) Create(ctx context.Context, key string, value []byte, lease int64) (int64, error) {
	if !b.needed(key) && b.full(key, len(value)) {
		return 0, rpctypes.ErrGRPCNoSpace
	}
	return b.Backend.Create(ctx, key, value, lease)
}

// Update changes a key, or fails likewise.
func (b *Bounded) Update(ctx context.Context, key string, value []byte, revision, lease int64) (int64, *server.KeyValue, bool, error) {
	if !b.needed(key) && b.full(key, len(value)) {
		now, before, err := b.Get(ctx, key, 0, false)
		switch {
		case err != nil || before == nil:
			return now, before, false, err
		case len(value) > len(before.Value)+smallStep:
			return 0, nil, false, rpctypes.ErrGRPCNoSpace
		}
	}
	return b.Backend.Update(ctx, key, value, revision, lease)
}

// full says whether so many bytes more under a key have no room. If it is the heap's, it sees once in a while whether that can be helped:
// deleted objects are in use until the next collection.
func (b *Bounded) full(key string, more int) bool {
	if size, _ := b.memory.DbSize(context.Background()); size+int64(more) > mostStored {
		return true
	}
	if strings.HasPrefix(key, events) { // nobody keeps them, and one of them says why there are no more objects
		return false
	}
	if b.used() <= b.most || b.memory.Weight() <= fewObjects { // an API server remembers for a while what was deleted
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if time.Since(b.made) >= makeRoom {
		b.room()
		b.made = time.Now()
	}
	return b.used() > b.most
}
