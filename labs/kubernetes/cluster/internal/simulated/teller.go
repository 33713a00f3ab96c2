package simulated

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/flowcontrol"
)

// Events a second, and at once. Thousands of Pods that start together are not told one by one.
const (
	eventsSecond = 10
	eventsBurst  = 120

	mostRemembered = 256 // events that are told again as the same one; the default keeps thousands
)

// What a kubelet has told about one container of a Pod, as bits.
type told uint8

const (
	toldStarted told = 1 << iota
	toldFailed       // the image could not be pulled
	toldBackOff
)

// A teller watches Pods and writes the events that a kubelet would write of them: kwok's say neither image nor container.
// It remembers a few bits of every Pod.
type teller struct {
	client kubernetes.Interface
	real   string // the node whose kubelet tells for itself
	write  func(pod *corev1.Pod, fieldPath, kind, reason, message string)
	limit  flowcontrol.RateLimiter
	known  map[types.UID]map[string]told // by container
	filled bool
}

func newTeller(client kubernetes.Interface, real string) *teller {
	return &teller{
		client: client, real: real, known: map[types.UID]map[string]told{},
		limit: flowcontrol.NewTokenBucketRateLimiter(eventsSecond, eventsBurst),
	}
}

// run watches until ctx ends.
func (t *teller) run(ctx context.Context) {
	correlates := record.CorrelatorOptions{LRUCacheSize: mostRemembered}
	broadcaster := record.NewBroadcaster(record.WithContext(ctx), record.WithCorrelatorOptions(correlates))
	defer broadcaster.Shutdown()
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: t.client.CoreV1().Events("")})
	t.write = func(pod *corev1.Pod, fieldPath, kind, reason, message string) {
		source := corev1.EventSource{Component: "kubelet", Host: pod.Spec.NodeName}
		about := &corev1.ObjectReference{
			APIVersion: "v1", Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID, ResourceVersion: pod.ResourceVersion,
			FieldPath: fieldPath,
		}
		broadcaster.NewRecorder(scheme.Scheme, source).Event(about, kind, reason, message)
	}
	list := cache.NewListWatchFromClient(t.client.CoreV1().RESTClient(), "pods", "", fields.OneTermNotEqualSelector("spec.nodeName", ""))
	cache.NewReflectorWithOptions(list, &corev1.Pod{}, t, cache.ReflectorOptions{}).RunWithContext(ctx)
}

// Add takes a new Pod.
func (t *teller) Add(object any) error { return t.take(object, false) }

// Update takes a changed Pod.
func (t *teller) Update(object any) error { return t.take(object, false) }

// Delete forgets a Pod.
func (t *teller) Delete(object any) error {
	if pod, ok := object.(*corev1.Pod); ok {
		delete(t.known, pod.UID)
	}
	return nil
}

// Replace takes all Pods; what the first list shows was told before.
func (t *teller) Replace(objects []any, _ string) error {
	silently := !t.filled
	before := t.known
	t.known = make(map[types.UID]map[string]told, len(objects))
	for _, object := range objects {
		if pod, ok := object.(*corev1.Pod); ok && before[pod.UID] != nil {
			t.known[pod.UID] = before[pod.UID]
		}
		if err := t.take(object, silently); err != nil {
			return err
		}
	}
	t.filled = true
	return nil
}

// Resync has nothing to do.
func (t *teller) Resync() error { return nil }

func (t *teller) take(object any, silently bool) error {
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return fmt.Errorf("%T is no Pod", object)
	}
	if pod.Spec.NodeName == t.real || pod.DeletionTimestamp != nil {
		return nil
	}
	t.tell(pod, "spec.initContainers", pod.Status.InitContainerStatuses, silently)
	t.tell(pod, "spec.containers", pod.Status.ContainerStatuses, silently)
	return nil
}

// tell writes what is new of a Pod's containers.
func (t *teller) tell(pod *corev1.Pod, path string, containers []corev1.ContainerStatus, silently bool) {
	for i := range containers {
		one := &containers[i]
		before, now := t.known[pod.UID][one.Name], toldOf(one)
		if now == before {
			continue
		}
		if t.known[pod.UID] == nil {
			t.known[pod.UID] = map[string]told{}
		}
		t.known[pod.UID][one.Name] = now
		fresh := now &^ before
		if silently || fresh == 0 || !t.limit.TryAccept() {
			continue
		}
		for _, each := range sayings(one, fresh) {
			t.write(pod, fmt.Sprintf("%s{%s}", path, one.Name), each[0], each[1], each[2])
		}
	}
}

func toldOf(one *corev1.ContainerStatus) told {
	switch {
	case one.State.Running != nil, one.State.Terminated != nil:
		return toldStarted
	case one.State.Waiting != nil && one.State.Waiting.Reason == "ErrImagePull":
		return toldFailed
	case one.State.Waiting != nil && one.State.Waiting.Reason == "ImagePullBackOff":
		return toldBackOff
	}
	return 0
}

// sayings are the events of one container in a kubelet's words: type, reason, message.
func sayings(one *corev1.ContainerStatus, fresh told) [][3]string {
	const normal, warning = corev1.EventTypeNormal, corev1.EventTypeWarning
	switch {
	case fresh&toldStarted != 0:
		return [][3]string{
			{normal, "Pulled", fmt.Sprintf("Container image %q already present on machine and can be accessed by the pod", one.Image)},
			{normal, "Created", "Container created"},
			{normal, "Started", "Container started"},
		}
	case fresh&toldFailed != 0:
		return [][3]string{
			{normal, "Pulling", fmt.Sprintf("Pulling image %q", one.Image)},
			{warning, "Failed", fmt.Sprintf("Failed to pull image %q: %s", one.Image, one.State.Waiting.Message)},
			{warning, "Failed", "Error: ErrImagePull"},
		}
	}
	first, _, _ := strings.Cut(one.State.Waiting.Message, ": ErrImagePull")
	return [][3]string{{normal, "BackOff", first}, {warning, "Failed", "Error: ImagePullBackOff"}}
}
