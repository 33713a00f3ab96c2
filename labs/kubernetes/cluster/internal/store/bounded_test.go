package store

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
)

const (
	pod   = "/registry/pods/default/one"
	lease = "/registry/leases/kube-node-lease/worker-1"
	mib   = 1 << 20
)

func needed(key string) bool { return strings.HasPrefix(key, "/registry/leases/") }

// bounded is a store whose heap the test says, with a Pod and a lease in it; rooms counts attempts to make room.
func bounded(t *testing.T) (b *Bounded, heap *int64, rooms *int) {
	t.Helper()
	memory := New()
	b = NewBounded(memory, memory, 100*mib, needed)
	heap, rooms = new(int64), new(int)
	b.used = func() int64 { return *heap }
	b.room = func() { *rooms++ }
	for _, key := range []string{pod, lease} {
		if _, err := b.Create(t.Context(), key, []byte("small"), 0); err != nil {
			t.Fatal(err)
		}
	}
	return b, heap, rooms
}

// fill puts in so many objects that they may be what fills the heap.
func fill(t *testing.T, b *Bounded) {
	t.Helper()
	if _, err := b.memory.Create(t.Context(), "/registry/secrets/default/large", make([]byte, fewObjects), 0); err != nil {
		t.Fatal(err)
	}
}

func update(t *testing.T, b *Bounded, key, value string) (bool, error) {
	t.Helper()
	_, known, err := b.Get(t.Context(), key, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	_, _, done, err := b.Update(t.Context(), key, []byte(value), known.ModRevision, 0)
	return done, err
}

func TestFullStoreTakesNoMoreObjects(t *testing.T) {
	b, heap, _ := bounded(t)
	*heap = 100*mib + 1
	if _, err := b.Create(t.Context(), pod+"1", nil, 0); err != nil {
		t.Errorf("few objects cannot be what fills it: %v", err)
	}
	fill(t, b)
	if _, err := b.Create(t.Context(), pod+"2", nil, 0); !errors.Is(err, rpctypes.ErrGRPCNoSpace) {
		t.Errorf("create: %v", err)
	}
	if _, found, _ := b.Get(t.Context(), pod+"2", 0, false); found != nil {
		t.Error("it was created all the same")
	}
	if done, err := update(t, b, pod, strings.Repeat("x", 2*smallStep)); done || !errors.Is(err, rpctypes.ErrGRPCNoSpace) {
		t.Errorf("update: %v, %v", done, err)
	}
	*heap = 100 * mib
	if _, err := b.Create(t.Context(), pod+"2", nil, 0); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

func TestFullStoreLetsStatusDeletionAndLeasesThrough(t *testing.T) {
	b, heap, _ := bounded(t)
	fill(t, b)
	*heap = 200 * mib
	if done, err := update(t, b, pod, strings.Repeat("x", smallStep)); !done || err != nil {
		t.Errorf("a little longer: %v, %v", done, err)
	}
	if done, err := update(t, b, lease, strings.Repeat("x", 4*smallStep)); !done || err != nil {
		t.Errorf("lease: %v, %v", done, err)
	}
	for _, key := range []string{lease + "2", events + "default/full"} {
		if _, err := b.Create(t.Context(), key, nil, 0); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	if _, _, done, err := b.Delete(t.Context(), pod, 0); !done || err != nil {
		t.Errorf("delete: %v, %v", done, err)
	}
	_, _, done, err := b.Update(t.Context(), pod, []byte("x"), 2, 0)
	if done || err != nil {
		t.Errorf("update of what is gone: %v, %v", done, err)
	}
}

func TestFullStoreMakesRoomOnceInAWhile(t *testing.T) {
	b, heap, rooms := bounded(t)
	fill(t, b)
	*heap = 200 * mib
	for range 3 {
		_, _ = b.Create(t.Context(), pod+"2", nil, 0)
	}
	if *rooms != 1 {
		t.Errorf("made room %d times", *rooms)
	}
	b.made = time.Now().Add(-makeRoom)
	b.room = func() { *heap = 0 }
	if _, err := b.Create(t.Context(), pod+"2", nil, 0); err != nil {
		t.Errorf("after room was made: %v", err)
	}
}

func TestMakingRoomForgetsOldVersions(t *testing.T) {
	runtime.GC() // what is in use is known from the first collection on
	memory := New()
	b := NewBounded(memory, memory, 0, needed) // nothing fits
	if _, err := memory.Create(t.Context(), pod, []byte("one"), 0); err != nil {
		t.Fatal(err)
	}
	fill(t, b)
	if done, err := update(t, b, pod, "two"); !done || err != nil {
		t.Fatal(done, err)
	}
	kept := func() int {
		b.made = time.Time{}
		if _, err := b.Create(t.Context(), pod+"2", nil, 0); !errors.Is(err, rpctypes.ErrGRPCNoSpace) {
			t.Fatal(err)
		}
		known, _ := memory.keys.Get(pod)
		if last := known.versions[len(known.versions)-1]; string(last.Value) != "two" {
			t.Errorf("the last version is %s", last.Value)
		}
		return len(known.versions)
	}
	if recent, later := kept(), kept(); recent != 2 || later != 1 {
		t.Errorf("%d versions that somebody may be reading, and %d", recent, later)
	}
	if heapInUse() <= 0 {
		t.Error("a heap is never empty")
	}
}

func TestStoreTakesOnlySoManyBytes(t *testing.T) {
	b, _, rooms := bounded(t)
	large := []byte(strings.Repeat("x", mostStored/4))
	taken := 0
	for _, name := range []string{"a", "b", "c", "d"} {
		if _, err := b.Create(t.Context(), pod+name, large, 0); err == nil {
			taken++
		} else if !errors.Is(err, rpctypes.ErrGRPCNoSpace) {
			t.Error(err)
		}
	}
	if taken != 3 || *rooms != 0 {
		t.Errorf("%d of 4, with room made %d times", taken, *rooms)
	}
	if done, err := update(t, b, pod+"a", "short"); !done || err != nil {
		t.Errorf("made shorter: %v, %v", done, err)
	}
	if _, _, _, err := b.Delete(t.Context(), pod+"b", 0); err != nil {
		t.Error(err)
	}
	if _, err := b.Create(t.Context(), pod+"e", large, 0); err != nil {
		t.Errorf("with room again: %v", err)
	}
	wanted := int64(0)
	_, all, err := b.List(t.Context(), "/", "0", 0, 0, false)
	for _, one := range all {
		wanted += int64(len(one.Key) + len(one.Value))
	}
	if size, _ := b.DbSize(t.Context()); err != nil || len(all) < 4 || size != wanted {
		t.Errorf("%d bytes counted, %d there: %v", size, wanted, err)
	}
}

func TestWeightIsOfObjectsAndKinds(t *testing.T) {
	memory := New()
	before := memory.Weight()
	for _, key := range []string{events + "default/one", kinds + "things.example", pod} {
		if _, err := memory.Create(t.Context(), key, make([]byte, 1000), 0); err != nil {
			t.Fatal(err)
		}
	}
	both := int64(len(kinds+"things.example") + 1000 + heavyKind + len(pod) + 1000)
	if got := memory.Weight() - before; got != both {
		t.Errorf("%d instead of %d", got, both)
	}
	for _, key := range []string{events + "default/one", kinds + "things.example", pod} {
		if _, _, _, err := memory.Delete(t.Context(), key, 0); err != nil {
			t.Fatal(err)
		}
	}
	if memory.Weight() != before {
		t.Errorf("%d is left", memory.Weight()-before)
	}
}
