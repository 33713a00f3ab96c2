package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/k3s-io/kine/pkg/server"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// served is a store and a client of it, such as the API server has.
func served(t *testing.T) (*Memory, *clientv3.Client) {
	t.Helper()
	folder, err := os.MkdirTemp("", "store") // a test's own folder may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	path := filepath.Join(folder, "store.sock")
	if err := os.WriteFile(path, nil, 0o600); err != nil { // of a run before
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	memory := New()
	endpoint, err := Serve(ctx, memory, memory, path)
	if err != nil || endpoint != "unix://"+path {
		t.Fatal(endpoint, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{endpoint}, DialTimeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return memory, client
}

// put writes as the API server does: in a transaction that fails if somebody else was faster.
func put(t *testing.T, client *clientv3.Client, key, value string, at int64) int64 {
	t.Helper()
	answer, err := client.Txn(t.Context()).If(clientv3.Compare(clientv3.ModRevision(key), "=", at)).
		Then(clientv3.OpPut(key, value)).Else(clientv3.OpGet(key)).Commit()
	if err != nil || !answer.Succeeded {
		t.Fatal(key, answer, err)
	}
	return answer.Header.Revision
}

// next gives what a watch says next, a word an event.
func next(t *testing.T, from clientv3.WatchChan) []string {
	t.Helper()
	select {
	case answer, open := <-from:
		if !open || answer.Err() != nil {
			t.Fatal("the watch ended: ", answer.Err())
		}
		var all []string
		for _, event := range answer.Events {
			word := fmt.Sprintf("%s %s=%s", event.Type, event.Kv.Key, event.Kv.Value)
			if event.PrevKv != nil {
				word += " before " + string(event.PrevKv.Value)
			}
			all = append(all, word)
		}
		if len(all) == 0 {
			all = append(all, fmt.Sprintf("at %d", answer.Header.Revision))
		}
		return all
	case <-time.After(10 * time.Second):
		t.Fatal("the watch says nothing")
	}
	return nil
}

func TestWritesAreTransactionsAndReadsMayBeOfThePast(t *testing.T) {
	_, client := served(t)
	first := put(t, client, "/registry/pods/a", "1", 0)
	put(t, client, "/registry/pods/b", "1", 0)
	second := put(t, client, "/registry/pods/a", "2", first)
	taken, err := client.Txn(t.Context()).If(clientv3.Compare(clientv3.ModRevision("/registry/pods/a"), "=", first)).
		Then(clientv3.OpPut("/registry/pods/a", "3")).Else(clientv3.OpGet("/registry/pods/a")).Commit()
	if err != nil || taken.Succeeded || string(taken.Responses[0].GetResponseRange().Kvs[0].Value) != "2" {
		t.Error(taken, err)
	}
	now, err := client.Get(t.Context(), "/registry/pods/", clientv3.WithPrefix())
	if err != nil || len(now.Kvs) != 2 || string(now.Kvs[0].Value) != "2" || now.Header.Revision != second {
		t.Error(now, err)
	}
	if now.Kvs[0].CreateRevision != first || now.Kvs[0].Version != 2 {
		t.Error(now.Kvs[0])
	}
	past, err := client.Get(t.Context(), "/registry/pods/", clientv3.WithPrefix(), clientv3.WithRev(first))
	if err != nil || len(past.Kvs) != 1 || string(past.Kvs[0].Value) != "1" {
		t.Error(past, err)
	}
	part, err := client.Get(t.Context(), "/registry/pods/", clientv3.WithPrefix(), clientv3.WithLimit(1))
	if err != nil || len(part.Kvs) != 1 || !part.More {
		t.Error(part, err)
	}
	if _, err := client.Get(t.Context(), "/registry/pods/a", clientv3.WithRev(second+9)); !errors.Is(err, rpctypes.ErrFutureRev) {
		t.Error(err)
	}
}

func TestAWatchTellsEverythingOfItsKeysAndNothingElse(t *testing.T) {
	memory, client := served(t)
	first := put(t, client, "/registry/pods/a", "1", 0)
	watch := client.Watch(t.Context(), "/registry/pods/", clientv3.WithPrefix(), clientv3.WithRev(first), clientv3.WithPrevKV())
	if got := next(t, watch); len(got) != 1 || got[0] != "PUT /registry/pods/a=1" {
		t.Error(got)
	}
	put(t, client, "/registry/nodes/a", "1", 0)
	put(t, client, "/registry/pods/a", "2", first)
	if got := next(t, watch); len(got) != 1 || got[0] != "PUT /registry/pods/a=2 before 1" {
		t.Error(got)
	}
	if _, _, done, err := memory.Delete(t.Context(), "/registry/pods/a", 0); !done || err != nil {
		t.Fatal(done, err)
	}
	if got := next(t, watch); len(got) != 1 || got[0] != "DELETE /registry/pods/a= before 2" {
		t.Error(got)
	}
}

func TestProgressComesAfterAllEventsUpToIt(t *testing.T) {
	memory, client := served(t)
	ctx := clientv3.WithRequireLeader(t.Context())
	watch := client.Watch(ctx, "/registry/", clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	next(t, watch)
	var last int64
	for i := range 300 {
		last, _ = memory.Create(ctx, fmt.Sprintf("/registry/pods/%d", i), []byte("x"), 0)
	}
	if err := client.RequestProgress(ctx); err != nil {
		t.Fatal(err)
	}
	for seen := 0; ; {
		got := next(t, watch)
		if got[0] == fmt.Sprintf("at %d", last) {
			if seen != 300 {
				t.Errorf("told of revision %d after %d events", last, seen)
			}
			return
		}
		seen += len(got)
	}
}

func TestWhatIsCompactedIsForgottenAndNoMore(t *testing.T) {
	memory, client := served(t)
	at := int64(0)
	for i := range 5 {
		at = put(t, client, "/registry/pods/a", fmt.Sprint(i), at)
	}
	put(t, client, "/registry/pods/b", "1", 0)
	gone, _, _, _ := memory.Delete(t.Context(), "/registry/pods/b", 0)
	put(t, client, "/registry/pods/c", "1", 0)
	if _, err := client.Compact(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	now, err := client.Get(t.Context(), "/registry/pods/", clientv3.WithPrefix(), clientv3.WithRev(gone))
	if err != nil || len(now.Kvs) != 1 || string(now.Kvs[0].Value) != "4" {
		t.Error(now, err)
	}
	if _, err := client.Get(t.Context(), "/registry/pods/a", clientv3.WithRev(gone-1)); !errors.Is(err, rpctypes.ErrCompacted) {
		t.Error(err)
	}
	watch := client.Watch(t.Context(), "/registry/pods/", clientv3.WithPrefix(), clientv3.WithRev(gone+1))
	if got := next(t, watch); len(got) != 1 || got[0] != "PUT /registry/pods/c=1" {
		t.Error(got)
	}
	late := <-client.Watch(t.Context(), "/registry/pods/", clientv3.WithPrefix(), clientv3.WithRev(gone))
	if late.CompactRevision != gone {
		t.Error(late)
	}
	if count := memory.keys.Len(); count != 3 || len(memory.log) != 1 {
		t.Errorf("%d keys, %d events", count, len(memory.log))
	}
}

func TestAKeyWithALeaseGoesUnlessItIsWrittenAgain(t *testing.T) {
	memory, client := served(t)
	lease, err := client.Grant(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"/registry/events/a", "/registry/events/b"} {
		if _, err := client.Txn(t.Context()).If(clientv3.Compare(clientv3.ModRevision(key), "=", 0)).
			Then(clientv3.OpPut(key, "x", clientv3.WithLease(lease.ID))).Commit(); err != nil {
			t.Fatal(err)
		}
	}
	_, kept, _ := memory.Get(t.Context(), "/registry/events/b", 0, false)
	put(t, client, "/registry/events/b", "y", kept.ModRevision)
	events := memory.Watch(t.Context(), "/registry/events/", "/registry/events0", 0)
	for batch := range events.Events {
		if len(batch) != 1 || !batch[0].Delete || batch[0].KV.Key != "/registry/events/a" {
			t.Errorf("%+v", batch[0])
		}
		break
	}
	if _, count, _ := memory.Count(t.Context(), "/registry/events/", "/registry/events0", 0); count != 1 {
		t.Error(count)
	}
}

func TestABackendsWatchEndsWithItsContext(t *testing.T) {
	memory := New()
	ctx, cancel := context.WithCancel(t.Context())
	follows := memory.Watch(ctx, "a", "", 0)
	cancel()
	if batch, open := <-follows.Events; open {
		t.Error(batch)
	}
	if _, err := memory.Compact(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if late := memory.Watch(t.Context(), "a", "", 1); late.CompactRevision != 1 || !errors.Is(<-late.Errorc, server.ErrCompacted) {
		t.Error(late)
	}
}
