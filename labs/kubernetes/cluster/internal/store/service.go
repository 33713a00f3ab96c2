package store

import (
	"context"
	"time"

	"github.com/k3s-io/kine/pkg/server"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	progressEvery = time.Minute // how often watches hear of the revision that did not ask
	mostEvents    = 200         // in one answer

	// The API server notes its compactions under the first name; kine, which has a use of its own for that, keeps them under
	// the second.
	compactKey, keptCompactKey = "compact_rev_key", "compact_rev_key_apiserver"
)

// watching is etcd's Watch service. Kine's asks ten times a second, for each of a hundred watches, whether there is
// something to say.
type watching struct{ memory *Memory }

// Watch serves one stream: all watches of one of the API server's clients.
func (s watching) Watch(server etcdserverpb.Watch_WatchServer) error {
	ctx, cancel := context.WithCancel(server.Context())
	defer cancel()
	v := &viewer{memory: s.memory, stream: newStream(), watches: map[int64]*watch{}}
	defer v.endAll()
	requests, failed := make(chan *etcdserverpb.WatchRequest), make(chan error, 1)
	go func() {
		for {
			request, err := server.Recv()
			if err != nil {
				failed <- err
				return
			}
			select {
			case requests <- request:
			case <-ctx.Done():
				return
			}
		}
	}()
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	for {
		var answers []*etcdserverpb.WatchResponse
		select {
		case err := <-failed:
			return err
		case request := <-requests:
			answers = v.asked(request)
		case <-ticker.C:
			v.tick()
		case <-v.stream.some:
			answers = v.heard(v.stream.take())
		}
		for _, answer := range answers {
			if err := server.Send(answer); err != nil {
				return err
			}
		}
	}
}

// A viewer is the watches of one stream.
type viewer struct {
	memory  *Memory
	stream  *stream
	last    int64 // id of a watch
	watches map[int64]*watch
}

func header(revision int64) *etcdserverpb.ResponseHeader {
	return &etcdserverpb.ResponseHeader{Revision: revision}
}

func (v *viewer) asked(request *etcdserverpb.WatchRequest) []*etcdserverpb.WatchResponse {
	if create := request.GetCreateRequest(); create != nil {
		return v.create(create)
	}
	if cancel := request.GetCancelRequest(); cancel != nil {
		if one := v.watches[cancel.WatchId]; one != nil {
			v.memory.end(one)
			delete(v.watches, cancel.WatchId)
			return []*etcdserverpb.WatchResponse{{Header: header(0), WatchId: cancel.WatchId, Canceled: true}}
		}
	}
	if request.GetProgressRequest() != nil {
		v.memory.tellRevision(v.stream, nil)
	}
	return nil
}

func (v *viewer) create(request *etcdserverpb.WatchCreateRequest) []*etcdserverpb.WatchResponse {
	v.last++
	one := &watch{
		id: v.last, key: string(request.Key), end: string(request.RangeEnd), to: v.stream, prev: request.PrevKv, progress: request.ProgressNotify,
	}
	if one.key == compactKey {
		one.key = keptCompactKey
	}
	now, err := v.memory.begin(one, request.StartRevision)
	answers := []*etcdserverpb.WatchResponse{{Header: header(now), WatchId: one.id, Created: true}}
	if err != nil {
		return append(answers, &etcdserverpb.WatchResponse{
			Header: header(now), WatchId: one.id, Canceled: true, CompactRevision: now, CancelReason: err.Error(),
		})
	}
	v.watches[one.id] = one
	return answers
}

func (v *viewer) tick() {
	for _, one := range v.watches {
		if one.progress {
			v.memory.tellRevision(v.stream, one)
		}
	}
}

// heard puts news into as few answers as their order allows.
func (v *viewer) heard(all []news) []*etcdserverpb.WatchResponse {
	var answers []*etcdserverpb.WatchResponse
	var open *etcdserverpb.WatchResponse // the last answer, while events may be added
	for _, one := range all {
		switch {
		case one.from == nil:
			open = nil
			answers = append(answers, &etcdserverpb.WatchResponse{Header: header(one.revision), WatchId: clientv3.InvalidWatchID})
			continue
		case v.watches[one.from.id] == nil: // ended meanwhile
			continue
		}
		if open == nil || one.event == nil || open.WatchId != one.from.id || len(open.Events) >= mostEvents {
			open = &etcdserverpb.WatchResponse{WatchId: one.from.id}
			answers = append(answers, open)
		}
		open.Header = header(one.revision)
		if one.event == nil {
			open = nil
		} else {
			open.Events = append(open.Events, told(one.event, one.from.prev))
		}
	}
	return answers
}

func (v *viewer) endAll() {
	for _, one := range v.watches {
		v.memory.end(one)
	}
}

func told(event *server.Event, prev bool) *mvccpb.Event {
	one := &mvccpb.Event{Kv: stored(event.KV)}
	if event.Delete {
		one.Type = mvccpb.DELETE
	}
	if prev && event.PrevKV != nil {
		one.PrevKv = stored(event.PrevKV)
	}
	return one
}

func stored(one *server.KeyValue) *mvccpb.KeyValue {
	kv := &mvccpb.KeyValue{
		Key: []byte(one.Key), Value: one.Value, Version: one.Version, Lease: one.Lease, CreateRevision: one.CreateRevision,
		ModRevision: one.ModRevision,
	}
	if one.Key == keptCompactKey {
		kv.Key = []byte(compactKey)
		kv.Version, kv.Value = server.DecodeVersion(one.Value)
	}
	return kv
}
