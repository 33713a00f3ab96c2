package store

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/k3s-io/kine/pkg/server"
	"github.com/tidwall/btree"
)

const (
	events    = "/registry/events/"
	kinds     = "/registry/apiextensions.k8s.io/customresourcedefinitions/"
	heavyKind = 64 << 10
)

// Memory keeps keys with their history since the last compaction, as etcd does. It is written to a few times a second and
// followed by a hundred watches, so a write wakes only those whose keys it is about.
type Memory struct {
	mu        sync.RWMutex
	revision  int64
	compacted int64 // what was before is forgotten
	keys      *btree.Map[string, *history]
	log       []*server.Event // one of each revision after `compacted`
	watches   map[*watch]struct{}
	size      int64 // bytes of the newest versions
	weight    int64 // what they cost those who know them all, likewise in bytes
}

// history is what a key was, oldest first. The tree holds it by pointer: it keeps stale copies of what it moves and removes.
type history struct{ versions []*server.KeyValue }

var _ server.Backend = (*Memory)(nil)

// New gives a store with one key, which a healthy one has: revision 1 is there to be watched from.
func New() *Memory {
	m := &Memory{keys: btree.NewMap[string, *history](0), watches: map[*watch]struct{}{}}
	m.write(&server.KeyValue{Key: server.HealthKey, Value: []byte(server.HealthVal), Version: 1}, nil)
	return m
}

// gone marks a deletion in a key's history: a version without one.
func gone(one *server.KeyValue) bool { return one == nil || one.Version == 0 }

// length is how many bytes a version takes; what is deleted takes none.
func length(one *server.KeyValue) int64 {
	if gone(one) {
		return 0
	}
	return int64(len(one.Key) + len(one.Value))
}

// weight is how many bytes of objects a version counts for. Nobody keeps events; what a kind needs besides is many times
// as long as it says.
func weight(one *server.KeyValue) int64 {
	switch {
	case gone(one) || strings.HasPrefix(one.Key, events):
		return 0
	case strings.HasPrefix(one.Key, kinds):
		return length(one) + heavyKind
	}
	return length(one)
}

func (m *Memory) latest(key string) *server.KeyValue {
	known, found := m.keys.Get(key)
	if !found || len(known.versions) == 0 || gone(known.versions[len(known.versions)-1]) {
		return nil
	}
	return known.versions[len(known.versions)-1]
}

// at gives a key as it was at a revision.
func (h *history) at(revision int64) *server.KeyValue {
	for i := len(h.versions) - 1; i >= 0; i-- {
		if h.versions[i].ModRevision <= revision {
			return h.versions[i]
		}
	}
	return nil
}

// write makes next the newest version of its key and tells those who watch it. It sets next's revision.
func (m *Memory) write(next, before *server.KeyValue) {
	m.revision++
	next.ModRevision = m.revision
	if next.Version == 1 {
		next.CreateRevision = m.revision
	}
	known, found := m.keys.Get(next.Key)
	if !found {
		known = &history{}
		m.keys.Set(next.Key, known)
	}
	known.versions = append(known.versions, next)
	m.size += length(next) - length(before)
	m.weight += weight(next) - weight(before)
	event := &server.Event{Create: before == nil, Delete: gone(next), KV: next, PrevKV: before}
	m.log = append(m.log, event)
	for one := range m.watches {
		one.take(event)
	}
	if next.Lease > 0 { // a lease is named by its seconds: the bridge to etcd's API has it so
		key, revision := next.Key, next.ModRevision
		time.AfterFunc(time.Duration(next.Lease)*time.Second, func() {
			_, _, _, _ = m.Delete(context.Background(), key, revision) // unless it was written since
		})
	}
}

// Start has nothing to do.
func (m *Memory) Start(context.Context) error { return nil }

// Create makes a key that is not there.
func (m *Memory) Create(_ context.Context, key string, value []byte, lease int64) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.latest(key) != nil {
		return m.revision, server.ErrKeyExists
	}
	m.write(&server.KeyValue{Key: key, Value: value, Version: 1, Lease: lease}, nil)
	return m.revision, nil
}

// Update changes a key that is still at revision.
func (m *Memory) Update(_ context.Context, key string, value []byte, revision, lease int64) (int64, *server.KeyValue, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.latest(key)
	if before == nil || before.ModRevision != revision {
		return m.revision, before, false, nil
	}
	next := &server.KeyValue{Key: key, Value: value, Version: before.Version + 1, CreateRevision: before.CreateRevision, Lease: lease}
	m.write(next, before)
	return m.revision, next, true, nil
}

// Delete removes a key that is still at revision; 0 is any.
func (m *Memory) Delete(_ context.Context, key string, revision int64) (int64, *server.KeyValue, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.latest(key)
	if before == nil || revision != 0 && before.ModRevision != revision {
		return m.revision, before, false, nil
	}
	m.write(&server.KeyValue{Key: key}, before)
	return m.revision, before, true, nil
}

// Get gives one key, nil when it is not there. Revision 0 is now.
func (m *Memory) Get(ctx context.Context, key string, revision int64, keysOnly bool) (int64, *server.KeyValue, error) {
	now, found, err := m.List(ctx, key, "", 1, revision, keysOnly)
	if err != nil || len(found) == 0 {
		return now, nil, err
	}
	return now, found[0], nil
}

// List gives the keys from key up to end, in order; without an end that one key. Limit 0 is all, revision 0 now.
func (m *Memory) List(_ context.Context, key, end string, limit, revision int64, keysOnly bool) (int64, []*server.KeyValue, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	switch {
	case revision > m.revision:
		return m.revision, nil, server.ErrFutureRev
	case revision > 0 && revision < m.compacted:
		return m.revision, nil, server.ErrCompacted
	case revision == 0:
		revision = m.revision
	}
	var found []*server.KeyValue
	m.keys.Ascend(key, func(name string, known *history) bool {
		if !within(name, key, end) {
			return false
		}
		if one := known.at(revision); !gone(one) {
			if keysOnly {
				bare := *one
				bare.Value = nil
				one = &bare
			}
			found = append(found, one)
		}
		return limit == 0 || int64(len(found)) < limit
	})
	return revision, found, nil
}

func within(name, key, end string) bool {
	if end == "" {
		return name == key
	}
	return name >= key && name < end
}

// Count says how many keys List would give.
func (m *Memory) Count(ctx context.Context, key, end string, revision int64) (int64, int64, error) {
	now, found, err := m.List(ctx, key, end, 0, revision, true)
	return now, int64(len(found)), err
}

// Compact forgets what was before revision.
func (m *Memory) Compact(_ context.Context, revision int64) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case revision > m.revision:
		return m.revision, server.ErrFutureRev
	case revision <= m.compacted:
		return m.revision, server.ErrCompacted
	}
	m.log = slices.Clone(m.log[revision-m.compacted:])
	m.compacted = revision
	var removed []string
	m.keys.Scan(func(key string, known *history) bool {
		first := len(known.versions) - 1
		for first > 0 && known.versions[first].ModRevision > revision {
			first--
		}
		if gone(known.versions[first]) && known.versions[first].ModRevision <= revision {
			first++
		}
		switch {
		case first == len(known.versions):
			known.versions = nil
			removed = append(removed, key)
		case first > 0:
			known.versions = slices.Clone(known.versions[first:])
		}
		return true
	})
	for _, key := range removed {
		m.keys.Delete(key)
	}
	return m.revision, nil
}

// CurrentRevision is that of the last write.
func (m *Memory) CurrentRevision(context.Context) (int64, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.revision, nil
}

// DbSize is how many bytes the newest versions take.
func (m *Memory) DbSize(context.Context) (int64, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.size, nil
}

// Weight is what all objects cost those who know them, in bytes.
func (m *Memory) Weight() int64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.weight
}

// WaitForSyncTo has nothing to wait for: a write tells its watches before it is done.
func (m *Memory) WaitForSyncTo(int64) {}
