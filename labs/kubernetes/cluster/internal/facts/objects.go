package facts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

const (
	mostObjects     = 200
	mostObjectBytes = 900_000
	// An object has at most 1.5 MB: what is held at once stays below what a lab can spare.
	pageOfObjects = 20
)

// A cluster that hangs is not asked for its kinds for longer.
var discoverWithin = 10 * time.Second

var (
	// ErrUnknownKind is for a kind that the cluster does not know.
	ErrUnknownKind = errors.New("unknown kind")
	// ErrBadQuery is for a query that no cluster could answer.
	ErrBadQuery = errors.New("bad query")
	// ErrTooLong is for one object too long to be handed out.
	ErrTooLong = errors.New("the object is too long")
)

// Query names objects: one by name, or all that a label selector matches (nil Selector: by name; an empty one: all).
// Kind may be a kind, "Kind.group", a plural or a short name; Namespace "*" means all.
type Query struct {
	Kind, Namespace, Name string
	Selector              *string
}

// Objects hands out objects of any kind.
type Objects struct {
	client dynamic.Interface
	mapper meta.ResettableRESTMapper
	named  meta.RESTMapper

	mu       sync.Mutex
	lastLook time.Time
}

// NewObjects returns Objects of a cluster.
func NewObjects(config *rest.Config) (*Objects, error) {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	timed := rest.CopyConfig(config)
	timed.Timeout = discoverWithin
	finder, err := discovery.NewDiscoveryClientForConfig(timed)
	if err != nil {
		return nil, err
	}
	return newObjects(client, memory.NewMemCacheClient(finder)), nil
}

func newObjects(client dynamic.Interface, finder discovery.CachedDiscoveryInterface) *Objects {
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(finder)
	return &Objects{
		client: client, mapper: mapper, named: restmapper.NewShortcutExpander(mapper, finder, func(string) {}),
	}
}

// Find answers a query with JSON: an object or nil by name, a list (at most 200, oldest first, under 900 kB) by selector.
func (o *Objects) Find(ctx context.Context, query Query) ([]byte, error) {
	if (query.Name == "") == (query.Selector == nil) {
		return nil, fmt.Errorf("%w: name or selector is wanted", ErrBadQuery)
	}
	mapping, err := o.mapping(query.Kind)
	if err != nil {
		return nil, err
	}
	var from dynamic.ResourceInterface = o.client.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace && query.Namespace != "*" {
		namespace := query.Namespace
		if namespace == "" {
			namespace = corev1.NamespaceDefault
		}
		from = o.client.Resource(mapping.Resource).Namespace(namespace)
	}
	if query.Selector == nil {
		return o.one(ctx, from, mapping, query)
	}
	return o.list(ctx, from, *query.Selector)
}

func (o *Objects) one(ctx context.Context, from dynamic.ResourceInterface, mapping *meta.RESTMapping, query Query) ([]byte, error) {
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace && query.Namespace == "*" {
		return nil, fmt.Errorf("%w: a name needs one namespace", ErrBadQuery)
	}
	object, err := from.Get(ctx, query.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, asked(err)
	}
	bare(object)
	text, err := json.Marshal(object.Object)
	if err == nil && len(text) > mostObjectBytes {
		return nil, ErrTooLong
	}
	return text, err
}

func (o *Objects) list(ctx context.Context, from dynamic.ResourceInterface, selector string) ([]byte, error) {
	if _, err := labels.Parse(selector); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrBadQuery, err)
	}
	var oldest []found
	options := metav1.ListOptions{LabelSelector: selector, Limit: pageOfObjects}
	for { // pages, so that neither ten thousand objects nor many long ones are ever held at once
		page, err := from.List(ctx, options)
		if err != nil {
			return nil, asked(err)
		}
		for i := range page.Items {
			bare(&page.Items[i])
			text, err := json.Marshal(page.Items[i].Object)
			if err != nil {
				return nil, err
			}
			oldest = append(oldest, found{page.Items[i].GetCreationTimestamp(), text})
		}
		oldest = fitting(oldest)
		if options.Continue = page.GetContinue(); options.Continue == "" {
			break
		}
	}
	text := []byte{'['}
	for i, each := range oldest {
		if len(text)+len(each.text)+2 > mostObjectBytes {
			break
		}
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, each.text...)
	}
	return append(text, ']'), nil
}

// found is an object as it is handed out.
type found struct {
	born metav1.Time
	text []byte
}

// fitting sorts by age and keeps what an answer can hold, and the first that is too much: nothing younger is handed out.
func fitting(all []found) []found {
	sort.SliceStable(all, func(i, j int) bool { return all[i].born.Before(&all[j].born) })
	count, size := 0, 0
	for count < min(len(all), mostObjects) && size <= mostObjectBytes {
		size += len(all[count].text) + 1
		count++
	}
	clear(all[count:])
	return all[:count]
}

// mapping resolves a kind as kubectl does; what is not known is looked for once more in what the cluster offers now, since
// a CustomResourceDefinition may have come meanwhile.
func (o *Objects) mapping(kind string) (*meta.RESTMapping, error) {
	if kind == "" || len(kind) > 200 {
		return nil, fmt.Errorf("%w: kind is wanted", ErrBadQuery)
	}
	mapping, err := o.resolve(kind)
	if meta.IsNoMatchError(err) && o.lookAgain() {
		mapping, err = o.resolve(kind)
	}
	if meta.IsNoMatchError(err) {
		return nil, fmt.Errorf("%w %q", ErrUnknownKind, kind)
	}
	return mapping, err
}

func (o *Objects) resolve(kind string) (*meta.RESTMapping, error) {
	resource, group := schema.ParseResourceArg(strings.ToLower(kind))
	var full schema.GroupVersionKind
	var err error
	if resource != nil {
		full, err = o.named.KindFor(*resource)
	}
	if resource == nil || err != nil {
		full, err = o.named.KindFor(group.WithVersion(""))
	}
	if err != nil {
		return nil, err
	}
	return o.named.RESTMapping(full.GroupKind(), full.Version)
}

// lookAgain drops what is remembered of the cluster's kinds, at most every second.
func (o *Objects) lookAgain() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if time.Since(o.lastLook) < time.Second {
		return false
	}
	o.lastLook = time.Now()
	o.mapper.Reset()
	return true
}

// bare drops what the API server and kubectl keep for themselves.
func bare(object *unstructured.Unstructured) {
	object.SetManagedFields(nil)
	annotations := object.GetAnnotations()
	if _, ok := annotations[corev1.LastAppliedConfigAnnotation]; ok {
		delete(annotations, corev1.LastAppliedConfigAnnotation)
		if len(annotations) == 0 {
			annotations = nil
		}
		object.SetAnnotations(annotations)
	}
}

// asked tells a query that the API refuses from an API that does not answer.
func asked(err error) error {
	if apierrors.IsBadRequest(err) || apierrors.IsMethodNotSupported(err) || apierrors.IsInvalid(err) {
		return fmt.Errorf("%w: %v", ErrBadQuery, err)
	}
	return err
}
