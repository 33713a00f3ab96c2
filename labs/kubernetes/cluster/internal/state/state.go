// Package state saves what somebody made in a cluster, and puts it into a cluster that runs.
package state

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"

	"github.com/k3s-io/kine/pkg/server"
	corev1 "k8s.io/api/core/v1"
)

const (
	format = "naru-cluster-state/1"

	// MostSaved bounds a saved state, in bytes as it travels.
	MostSaved = 4 << 20

	mostPlain   = 64 << 20 // of a saved state unpacked
	mostObjects = 50_000
	mostLine    = 3 << 20 // one object with its key, in base64
)

var (
	// ErrTooLong is for a state beyond the bounds.
	ErrTooLong = errors.New("the cluster's state is too long")
	// ErrBadState is for bytes that are no saved state.
	ErrBadState = errors.New("not a saved state")
)

// A saved state is gzip of JSON lines: a head, then one line for each key.
type head struct {
	Format string `json:"format"`
}

type saved struct {
	Key   string `json:"key"`
	Value []byte `json:"value"`
}

// Save returns all objects as they are stored, but events, leases, the status of nodes and what each cluster makes for itself.
func (g *Gate) Save(ctx context.Context) ([]byte, error) {
	g.loading.RLock()
	objects, _, err := g.here(ctx)
	g.loading.RUnlock()
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	bounded := &boundedWriter{to: &packed, left: MostSaved}
	zip := gzip.NewWriter(bounded)
	lines := json.NewEncoder(zip)
	if err := lines.Encode(head{Format: format}); err != nil {
		return nil, err
	}
	for _, one := range objects {
		value := one.Value
		if strings.HasPrefix(one.Key, nodesFolder) {
			if value, err = withoutStatus(value); err != nil {
				return nil, fmt.Errorf("%s: %w", one.Key, err)
			}
		}
		if err := lines.Encode(saved{Key: one.Key, Value: value}); err != nil {
			return nil, err
		}
	}
	if err := zip.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

// here lists the objects that a state is made of, and those that the cluster made for itself, by key.
func (g *Gate) here(ctx context.Context) (objects, own []*server.KeyValue, err error) {
	_, everything, err := g.Backend.List(ctx, root, strings.TrimSuffix(root, "/")+"0", 0, 0, false) // '0' follows '/'
	if err != nil {
		return nil, nil, err
	}
	for _, one := range everything {
		is, err := ownObject(one.Key, one.Value)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", one.Key, err)
		}
		if is {
			own = append(own, one)
		} else {
			objects = append(objects, one)
		}
	}
	return objects, own, nil
}

// read unpacks a saved state and checks every line of it.
func read(from io.Reader) (map[string][]byte, error) {
	unzipped, err := gzip.NewReader(from)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadState, err)
	}
	plain := &io.LimitedReader{R: unzipped, N: mostPlain}
	lines := bufio.NewScanner(plain)
	lines.Buffer(make([]byte, 64<<10), mostLine)
	var first head
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &first) != nil || first.Format != format {
		return nil, fmt.Errorf("%w: no head", ErrBadState)
	}
	objects := map[string][]byte{}
	for lines.Scan() {
		var one saved
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			return nil, fmt.Errorf("%w: %v", ErrBadState, err)
		}
		if !strings.HasPrefix(one.Key, root) || len(one.Key) > 1000 || len(one.Value) == 0 {
			return nil, fmt.Errorf("%w: key %.80q", ErrBadState, one.Key)
		}
		own, err := ownObject(one.Key, one.Value)
		if err == nil {
			err = storable(one)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrBadState, one.Key, err)
		}
		if own {
			continue
		}
		if objects[one.Key] = one.Value; len(objects) > mostObjects {
			return nil, ErrTooLong
		}
	}
	if plain.N <= 0 {
		return nil, ErrTooLong
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadState, err)
	}
	return objects, nil
}

func storable(one saved) error {
	if strings.HasPrefix(one.Key, nodesFolder) {
		_, err := nodeOf(one.Value)
		return err
	}
	if strings.HasPrefix(one.Key, podsFolder) {
		if _, err := podOf(one.Value); err != nil {
			return err
		}
	}
	about, err := metaOf(one.Value)
	if err == nil && about.Name == "" && !inPlace(one.Key) {
		return errNotAnObject
	}
	return err
}

// Load replaces what is in the cluster by a saved state: what is not in it goes, except nodes, which stay as they are but for
// labels, annotations, taints and schedulability. Everything keeps its uid but Pods of the real node. Until it
// returns, writes of others fail.
func (g *Gate) Load(ctx context.Context, from io.Reader) error {
	wanted, err := read(from)
	if err != nil {
		return err
	}
	err = g.Alone(ctx, func() error {
		g.loading.Lock()
		defer g.loading.Unlock()
		present, own, err := g.here(ctx)
		if err != nil {
			return err
		}
		if err := g.replace(ctx, present, own, wanted); err != nil {
			return err
		}
		return g.Told(ctx)
	})
	if err != nil {
		return err
	}
	return g.showPending(ctx)
}

// showPending shows Pods that have not begun once more, unchanged: who wanted to begin them while the state was put in was
// refused, and the one who plays the simulated nodes does not try again.
func (g *Gate) showPending(ctx context.Context) error {
	_, pods, err := g.Backend.List(ctx, podsFolder, strings.TrimSuffix(podsFolder, "/")+"0", 0, 0, false)
	if err != nil {
		return err
	}
	for _, one := range pods {
		pod, err := podOf(one.Value)
		if err != nil {
			return fmt.Errorf("%s: %w", one.Key, err)
		}
		if pod.Status.Phase != corev1.PodPending {
			continue
		}
		if _, _, _, err := g.Backend.Update(ctx, one.Key, one.Value, one.ModRevision, 0); err != nil { // unless it changed since
			return fmt.Errorf("%s: %w", one.Key, err)
		}
	}
	return nil
}

// replace makes the objects present those wanted, by as few writes as possible. What the cluster made for itself goes with
// the namespace it lies in.
func (g *Gate) replace(ctx context.Context, present, own []*server.KeyValue, wanted map[string][]byte) (err error) {
	known := make(map[string]bool, len(present))
	var gone []*server.KeyValue
	var writes []write
	for _, one := range present {
		known[one.Key] = true
		value, kept := wanted[one.Key]
		switch {
		case kept:
			next, fresh, err := next(one.Key, one.Value, value)
			if err != nil {
				return fmt.Errorf("%s: %w", one.Key, err)
			}
			if fresh {
				gone = append(gone, one)
				writes = append(writes, write{key: one.Key, value: next})
			} else if !bytes.Equal(next, one.Value) {
				writes = append(writes, write{key: one.Key, value: next, over: one.ModRevision})
			}
		case !strings.HasPrefix(one.Key, nodesFolder):
			gone = append(gone, one)
		}
	}
	for key, value := range wanted {
		if !known[key] && !strings.HasPrefix(key, nodesFolder) {
			writes = append(writes, write{key: key, value: value})
		}
	}
	sort.SliceStable(gone, func(i, j int) bool { return rank(gone[i].Key) > rank(gone[j].Key) })
	sort.Slice(writes, func(i, j int) bool {
		if a, b := rank(writes[i].key), rank(writes[j].key); a != b {
			return a < b
		}
		return writes[i].key < writes[j].key
	})
	for _, one := range gone {
		if _, _, ok, err := g.Backend.Delete(ctx, one.Key, one.ModRevision); err != nil || !ok {
			return fmt.Errorf("removing %s: %w", one.Key, because(err))
		}
	}
	for _, one := range own {
		if space := namespaceOf(one.Key); space != "" && known[spacesFolder+space] && wanted[spacesFolder+space] == nil {
			// Whatever it is by now: these are written at any time.
			if _, _, _, err := g.Backend.Delete(ctx, one.Key, 0); err != nil {
				return fmt.Errorf("removing %s: %w", one.Key, err)
			}
		}
	}
	for _, one := range writes {
		if one.over == 0 && strings.HasPrefix(one.key, podsFolder) {
			if one.value, err = reborn(one.value, g.Real); err != nil {
				return fmt.Errorf("%s: %w", one.key, err)
			}
		}
		if err := g.put(ctx, one); err != nil {
			return fmt.Errorf("writing %s: %w", one.key, err)
		}
	}
	return nil
}

type write struct {
	key   string
	value []byte
	over  int64 // the revision it replaces; 0: a new key
}

func (g *Gate) put(ctx context.Context, one write) error {
	if one.over == 0 {
		_, err := g.Backend.Create(ctx, one.key, one.value, 0)
		return err
	}
	_, _, ok, err := g.Backend.Update(ctx, one.key, one.value, one.over, 0)
	if err != nil || !ok {
		return because(err)
	}
	return nil
}

func because(err error) error {
	if err == nil {
		return errors.New("it changed meanwhile")
	}
	return err
}

// next says what an object becomes that both the cluster and the saved state have. fresh: it is removed and made anew, where
// the other one under the same name has another uid (controllers go by that), and for a Pod that is about to end here (who
// ends it would go on). Owners that stay the same are never removed: the garbage collector would follow with what they own.
func next(key string, here, saved []byte) (value []byte, fresh bool, err error) {
	if strings.HasPrefix(key, nodesFolder) {
		value, err = merged(here, saved)
		return value, false, err
	}
	before, err := metaOf(here)
	if err != nil {
		return nil, false, err
	}
	after, err := metaOf(saved)
	if err != nil {
		return nil, false, err
	}
	switch {
	case inPlace(key):
		return saved, false, nil
	case before.UID == after.UID:
		ends := before.DeletionTimestamp != nil && after.DeletionTimestamp == nil
		return saved, ends && strings.HasPrefix(key, podsFolder), nil
	case ofTheSystem(key):
		return here, false, nil
	}
	return saved, true, nil
}

type boundedWriter struct {
	to   io.Writer
	left int
}

func (b *boundedWriter) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, ErrTooLong
	}
	return b.to.Write(p)
}
