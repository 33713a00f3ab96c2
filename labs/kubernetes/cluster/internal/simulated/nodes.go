// Package simulated is the part of a lab's cluster that only plays: nodes without machines, whose Pods run no containers,
// and the metrics API. Kwok (RunKwok) moves Nodes and Pods on; this package says which nodes there are, turns their power
// off and on, tells the events a kubelet would, and answers for CPU and memory.
package simulated

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/ptr"

	"naru/cluster/internal/config"
)

const (
	powerAnnotation = "naru.dev/power" // "off" on a Node takes its power away
	offFile         = "node-off"       // while it is there, nobody starts the kubelet

	again   = 10 * time.Second // how often nodes without power are looked at, in case somebody gave them back
	shortly = 300 * time.Millisecond

	startWithin = 30 * time.Second
	startEvery  = 20 * time.Millisecond
)

// Nodes are the nodes of a cluster: those simulated, and the power of all.
type Nodes struct {
	client kubernetes.Interface
	config config.Config
	store  cache.Store // of Nodes by name, filled by Run

	mu     sync.Mutex
	wanted []string        // names of the simulated nodes that there should be
	played map[string]bool // simulated nodes that have been seen
	off    map[string]bool // nodes without power, as far as known; a node that is not in here has not been looked at
}

// New gives the nodes that a configuration wants; Run makes them.
func New(client kubernetes.Interface, c config.Config) *Nodes {
	return &Nodes{
		client: client, config: c, store: cache.NewStore(cache.DeletionHandlingMetaNamespaceKeyFunc),
		wanted: workers(c.Simulated.Count), played: map[string]bool{}, off: map[string]bool{},
	}
}

func workers(count int) []string {
	names := make([]string, count)
	for i := range names {
		names[i] = workerName(i + 1)
	}
	return names
}

func workerName(number int) string { return fmt.Sprintf("worker-%d", number) }

// Names gives the nodes that the cluster should have, the real one included. One that somebody deleted is not among them.
func (n *Nodes) Names() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	names := slices.Clone(n.wanted)
	if n.config.Real.Name != "" {
		names = append(names, n.config.Real.Name)
	}
	return names
}

// Set makes the simulated nodes be worker-1 to worker-count. The Pods of nodes that go are deleted with them.
func (n *Nodes) Set(ctx context.Context, count int) error {
	names := workers(count)
	n.mu.Lock()
	n.wanted = names
	n.mu.Unlock()
	present, err := n.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for i := range present.Items {
		node := &present.Items[i]
		if !isSimulated(node) || !strings.HasPrefix(node.Name, "worker-") || slices.Contains(names, node.Name) {
			continue
		}
		if err := n.client.CoreV1().Nodes().Delete(ctx, node.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return n.create(ctx, names)
}

// create makes those nodes that are not there; present ones stay as they are.
func (n *Nodes) create(ctx context.Context, names []string) error {
	for i, name := range names {
		node, err := describe(name, i+1, n.config)
		if err != nil {
			return err
		}
		if _, err := n.client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
	}
	return nil
}

// Run makes the configured nodes, keeps their power as their annotations say, and tells of their Pods, until ctx ends.
func (n *Nodes) Run(ctx context.Context) error {
	// Of an earlier start: a kubelet that may not run never says that its node has power.
	if err := os.Remove(n.offFile()); err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := n.createAtLast(ctx); err != nil {
		return err
	}
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[string](shortly, again))
	defer queue.ShutDown()
	stop := context.AfterFunc(ctx, queue.ShutDown)
	defer stop()
	add := func(object any) {
		if key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(object); err == nil {
			queue.Add(key)
		}
	}
	list := cache.NewListWatchFromClient(n.client.CoreV1().RESTClient(), "nodes", "", fields.Everything())
	store, informer := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: list, ObjectType: &corev1.Node{}, ResyncPeriod: again,
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc: add, DeleteFunc: add,
			UpdateFunc: func(before, after any) {
				if n.matters(before.(*corev1.Node), after.(*corev1.Node)) {
					add(after)
				}
			},
		},
	})
	n.store = store
	go informer.RunWithContext(ctx)
	go newTeller(n.client, n.config.Real.Name).run(ctx)
	for {
		name, end := queue.Get()
		if end {
			return ctx.Err()
		}
		if err := n.look(ctx, name); err != nil {
			queue.AddRateLimited(name)
		} else {
			queue.Forget(name)
		}
		queue.Done(name)
	}
}

// createAtLast tries until the API takes the nodes. The namespace of their leases comes first: kwok waits for a whole second
// when it is missing.
func (n *Nodes) createAtLast(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	for {
		n.mu.Lock()
		names := slices.Clone(n.wanted)
		n.mu.Unlock()
		_, err := n.client.CoreV1().Namespaces().Get(ctx, corev1.NamespaceNodeLease, metav1.GetOptions{})
		if err == nil {
			err = n.create(ctx, names)
		}
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("creating the simulated nodes: %w", err)
		case <-time.After(startEvery):
		}
	}
}

// matters says whether a node is to be looked at: heartbeats are none of this package's business.
func (n *Nodes) matters(before, after *corev1.Node) bool {
	resync := before.ResourceVersion == after.ResourceVersion
	return before.Annotations[powerAnnotation] != after.Annotations[powerAnnotation] || before.UID != after.UID || resync && isOff(after)
}

func isOff(node *corev1.Node) bool { return node.Annotations[powerAnnotation] == "off" }

func (n *Nodes) offFile() string { return filepath.Join(n.config.Directory, offFile) }

// look makes a node's power what its annotation says, and cleans up after a simulated one that is gone.
func (n *Nodes) look(ctx context.Context, name string) error {
	found, exists, err := n.store.GetByKey(name)
	if err != nil {
		return err
	}
	var node *corev1.Node
	if exists {
		node = found.(*corev1.Node)
	}
	switch {
	case name == n.config.Real.Name:
		// A node that somebody deleted gets its kubelet back, which registers it anew.
		return n.switchReal(exists && isOff(node))
	case !exists:
		return n.gone(ctx, name)
	case !isSimulated(node):
		return nil
	}
	n.mu.Lock()
	n.played[name] = true
	off, known := n.off[name]
	n.mu.Unlock()
	if known && !off && !isOff(node) {
		return nil
	}
	if err := n.switchSimulated(ctx, node); err != nil {
		return err
	}
	n.mu.Lock()
	n.off[name] = isOff(node)
	n.mu.Unlock()
	return nil
}

// gone deletes the Pods of a simulated node that is no more: nobody else would for most of a minute.
func (n *Nodes) gone(ctx context.Context, name string) error {
	n.mu.Lock()
	played := n.played[name]
	n.wanted = slices.DeleteFunc(n.wanted, func(each string) bool { return each == name })
	delete(n.off, name)
	n.mu.Unlock()
	if !played {
		return nil
	}
	selector := metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("spec.nodeName", name).String()}
	pods, err := n.client.CoreV1().Pods("").List(ctx, selector)
	if err != nil {
		return err
	}
	for i := range pods.Items {
		pod := &pods.Items[i]
		now := metav1.DeleteOptions{GracePeriodSeconds: ptr.To[int64](0), Preconditions: metav1.NewUIDPreconditions(string(pod.UID))}
		err := n.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, now)
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return err
		}
	}
	n.mu.Lock()
	delete(n.played, name)
	n.mu.Unlock()
	return nil
}
