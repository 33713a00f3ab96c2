package store

import (
	"context"
	"sync"

	"github.com/k3s-io/kine/pkg/server"
)

// news is one thing that a watch is told: an event, or, without one, that nothing up to the revision is still to come.
type news struct {
	from     *watch // nil: the stream as a whole
	event    *server.Event
	revision int64
}

// A stream is what several watches tell one reader, in order. Writers put in without waiting; one reader takes out.
type stream struct {
	mu      sync.Mutex
	waiting []news
	some    chan struct{} // holds one when something waits
}

func newStream() *stream { return &stream{some: make(chan struct{}, 1)} }

func (s *stream) put(one news) {
	s.mu.Lock()
	s.waiting = append(s.waiting, one)
	s.mu.Unlock()
	select {
	case s.some <- struct{}{}:
	default:
	}
}

func (s *stream) take() []news {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.waiting
	s.waiting = nil
	return all
}

// A watch follows the keys from key up to end, or one key.
type watch struct {
	id       int64
	key, end string
	to       *stream
	prev     bool // wants the versions before, too
	progress bool // wants to know of the revision now and then
}

// take is called with the store locked, so events come in the order of their revisions.
func (w *watch) take(event *server.Event) {
	if within(event.KV.Key, w.key, w.end) {
		w.to.put(news{from: w, event: event, revision: event.KV.ModRevision})
	}
}

// begin lets a watch follow from a revision on, 0 being from now, and gives the revision now. When that is too late, it gives
// server.ErrCompacted and the last revision that is forgotten.
func (m *Memory) begin(w *watch, revision int64) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if revision > 0 && revision <= m.compacted {
		return m.compacted, server.ErrCompacted
	}
	if first := revision - m.compacted - 1; revision > 0 && first < int64(len(m.log)) {
		for _, event := range m.log[first:] {
			w.take(event)
		}
	}
	m.watches[w] = struct{}{}
	return m.revision, nil
}

func (m *Memory) end(watches ...*watch) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, one := range watches {
		delete(m.watches, one)
	}
}

// tellRevision puts the revision now into a stream, after all that happened up to it, for each of the watches; nil stands for
// the stream as a whole.
func (m *Memory) tellRevision(s *stream, watches ...*watch) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, one := range watches {
		s.put(news{from: one, revision: m.revision})
	}
}

// Watch follows keys from a revision on until ctx ends.
func (m *Memory) Watch(ctx context.Context, key, end string, revision int64) server.WatchResult {
	events, failed := make(chan []*server.Event), make(chan error, 1)
	follow := &watch{key: key, end: end, to: newStream()}
	now, err := m.begin(follow, revision)
	if err != nil {
		close(events)
		failed <- err
		return server.WatchResult{CurrentRevision: now, CompactRevision: now, Events: events, Errorc: failed}
	}
	go func() {
		defer close(events)
		defer m.end(follow)
		for {
			select {
			case <-ctx.Done():
				return
			case <-follow.to.some:
			}
			var batch []*server.Event
			for _, one := range follow.to.take() {
				batch = append(batch, one.event)
			}
			select {
			case <-ctx.Done():
				return
			case events <- batch:
			}
		}
	}()
	return server.WatchResult{CurrentRevision: now, Events: events, Errorc: failed}
}
