package facts

import (
	"maps"
	"sort"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
)

// eventKind is the kind whose objects are told as what happened, not as objects that come and go.
const eventKind = "Event"

// A fact is what is remembered of one object: a few words instead of the object itself, so that ten thousand Pods fit.
type fact struct {
	uid, namespace, name string
	words                map[string]string // what a line of the feed says, beside kind, namespace and name
	shown                any               // what the topology shows; nil for kinds it leaves out

	told   map[string]string // the words of the last line about it
	toldAt time.Time
	waits  bool // a line is on its way
}

// A sink takes what a reflector reads of one kind, remembers its facts, and writes a line for every change that matters.
type sink struct {
	kind string
	fold func(object metav1.Object) (words map[string]string, shown any)
	trim func(object any) // drops what fold does not read, in place; nil when there is nothing worth dropping
	feed *Feed
	// Numbers that count along while Pods come and go change in bursts: at most one line in such a while about one object.
	calm time.Duration

	mu     sync.Mutex
	facts  map[string]*fact
	filled bool
}

const aWhile = 300 * time.Millisecond

// calmOf names the kinds that are told of in calm. Pods are not among them: each of their states may be what a lesson is about.
var calmOf = map[string]time.Duration{
	"Deployment": aWhile, "ReplicaSet": aWhile, "StatefulSet": aWhile, "DaemonSet": aWhile, "Job": aWhile, "EndpointSlice": aWhile, "Node": aWhile,
}

func newSink(kind string, fold func(metav1.Object) (map[string]string, any), trim func(any), feed *Feed) *sink {
	return &sink{kind: kind, fold: fold, trim: trim, feed: feed, calm: calmOf[kind], facts: map[string]*fact{}}
}

// Transformer makes the reflector trim objects before it holds a whole list of them.
func (s *sink) Transformer() cache.TransformFunc {
	return func(object any) (any, error) {
		if accessor, err := meta.Accessor(object); err == nil {
			accessor.SetManagedFields(nil)
			accessor.SetAnnotations(keepAnnotations(accessor.GetAnnotations()))
		}
		if s.trim != nil {
			s.trim(object)
		}
		return object, nil
	}
}

// keepAnnotations leaves the few that facts are made of.
func keepAnnotations(all map[string]string) map[string]string {
	var few map[string]string
	for name, value := range all {
		if strings.HasPrefix(name, ownPrefix) || name == revisionAnnotation || name == simulatedAnnotation {
			if few == nil {
				few = map[string]string{}
			}
			few[name] = value
		}
	}
	return few
}

// Add takes a new or changed object.
func (s *sink) Add(object any) error { return s.take(object, true) }

// Update takes a changed object.
func (s *sink) Update(object any) error { return s.take(object, true) }

// Resync has nothing to do: facts do not age.
func (s *sink) Resync() error { return nil }

// Delete forgets an object.
func (s *sink) Delete(object any) error {
	if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = gone.Obj
	}
	accessor, err := meta.Accessor(object)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(keyOf(accessor))
	return nil
}

// Replace takes a whole list: the first one silently, later ones (after a broken watch) as the changes they amount to.
func (s *sink) Replace(objects []any, _ string) error {
	present := make(map[string]bool, len(objects))
	for _, object := range objects {
		accessor, err := meta.Accessor(object)
		if err != nil {
			return err
		}
		present[keyOf(accessor)] = true
		if err := s.take(object, s.hasFilled()); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.facts {
		if !present[key] {
			s.forget(key)
		}
	}
	s.filled = true
	return nil
}

func (s *sink) hasFilled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.filled
}

func (s *sink) take(object any, tell bool) error {
	accessor, err := meta.Accessor(object)
	if err != nil {
		return err
	}
	if ofTheSystem(s.kind, accessor.GetNamespace(), accessor.GetName()) {
		return nil
	}
	words, shown := s.fold(accessor)
	now := &fact{
		uid: string(accessor.GetUID()), namespace: accessor.GetNamespace(), name: accessor.GetName(), words: words, shown: shown,
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := keyOf(accessor)
	before := s.facts[key]
	if before != nil && before.uid != now.uid {
		s.forget(key)
		before = nil
	}
	s.facts[key] = now
	if s.kind == eventKind { // of which there are many: once told, its count is enough
		now.words = map[string]string{"count": words["count"]}
		if tell && (before == nil || !maps.Equal(before.words, now.words)) {
			s.feed.Emit(Happened, now.uid, words)
		}
		return nil
	}
	switch {
	case before == nil && tell:
		s.tell(Added, now)
	case before == nil:
		now.told = now.words
	default:
		now.told, now.toldAt, now.waits = before.told, before.toldAt, before.waits
		s.change(key, now)
	}
	return nil
}

// change tells of a change, at once or when the calm after the last line is over; the caller holds the lock.
func (s *sink) change(key string, now *fact) {
	if now.waits || maps.Equal(now.told, now.words) {
		return
	}
	rest := s.calm - time.Since(now.toldAt)
	if rest <= 0 {
		s.tell(Changed, now)
		return
	}
	now.waits = true
	time.AfterFunc(rest, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if late := s.facts[key]; late != nil && late.waits {
			late.waits = false
			s.change(key, late)
		}
	})
}

// forget drops a fact; the caller holds the lock.
func (s *sink) forget(key string) {
	if gone := s.facts[key]; gone != nil {
		delete(s.facts, key)
		if s.kind != eventKind {
			s.tell(Deleted, gone)
		}
	}
}

func (s *sink) tell(action string, about *fact) {
	attributes := maps.Clone(about.words)
	if attributes == nil {
		attributes = map[string]string{}
	}
	delete(attributes, versionWord)
	attributes["kind"], attributes["namespace"], attributes["name"] = s.kind, about.namespace, about.name
	s.feed.Emit(action, about.uid, attributes)
	about.told, about.toldAt = about.words, time.Now()
}

// sorted returns the facts by namespace and name.
func (s *sink) sorted() []*fact {
	s.mu.Lock()
	all := make([]*fact, 0, len(s.facts))
	for _, one := range s.facts {
		all = append(all, one)
	}
	s.mu.Unlock()
	sort.Slice(all, func(i, j int) bool {
		if all[i].namespace != all[j].namespace {
			return all[i].namespace < all[j].namespace
		}
		return all[i].name < all[j].name
	})
	return all
}

func keyOf(object metav1.Object) string { return object.GetNamespace() + "/" + object.GetName() }

// ofTheSystem says whether an object is part of how the cluster works, and not something that a learner does.
func ofTheSystem(kind, namespace, name string) bool {
	switch namespace {
	case "kube-system", "kube-public", "kube-node-lease":
		return true
	}
	switch kind {
	case "Service", "EndpointSlice", "Endpoints":
		return namespace == "default" && name == "kubernetes"
	case "ConfigMap":
		return name == "kube-root-ca.crt"
	}
	return false
}

var _ cache.TransformingStore = (*sink)(nil)
