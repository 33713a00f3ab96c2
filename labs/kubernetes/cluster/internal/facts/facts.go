// Package facts knows what goes on in the cluster: a feed of what changed, a picture of what there is, and single objects
// on demand. It remembers a few words of every object and never what ConfigMaps and Secrets hold.
package facts

import (
	"context"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// Annotations with which a lab's tools and the control socket steer simulated parts.
const (
	powerAnnotation  = ownPrefix + "power"
	demandAnnotation = ownPrefix + "cpu"
)

// Facts follows the cluster. Run must be running for the rest to be true.
type Facts struct {
	Feed *Feed

	sinks   map[string]*sink
	sources []source
}

type source struct {
	sink   *sink
	lister cache.ListerWatcher
	object any
}

// New prepares the watches of a cluster; config must name credentials that may read everything.
func New(config *rest.Config) (*Facts, error) {
	quick := rest.CopyConfig(config)
	quick.AcceptContentTypes, quick.ContentType = runtime.ContentTypeProtobuf+","+runtime.ContentTypeJSON, runtime.ContentTypeProtobuf
	typed, err := kubernetes.NewForConfig(quick)
	if err != nil {
		return nil, err
	}
	bare, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return newFacts(typed, bare), nil
}

func newFacts(typed kubernetes.Interface, bare metadata.Interface) *Facts {
	f := &Facts{Feed: NewFeed(), sinks: map[string]*sink{}}
	core, apps, batch := typed.CoreV1(), typed.AppsV1(), typed.BatchV1()
	follow(f, typed, "Node", &corev1.Node{}, foldNode, trimNode, core.Nodes())
	follow(f, typed, "Pod", &corev1.Pod{}, foldPod, trimPod, core.Pods(""))
	follow(f, typed, "Service", &corev1.Service{}, foldService, nil, core.Services(""))
	follow(f, typed, "EndpointSlice", &discoveryv1.EndpointSlice{}, foldEndpointSlice, nil, typed.DiscoveryV1().EndpointSlices(""))
	follow(f, typed, "PersistentVolumeClaim", &corev1.PersistentVolumeClaim{}, foldClaim, nil, core.PersistentVolumeClaims(""))
	follow(f, typed, "Deployment", &appsv1.Deployment{}, foldDeployment, trimTemplate, apps.Deployments(""))
	follow(f, typed, "ReplicaSet", &appsv1.ReplicaSet{}, foldReplicaSet, trimTemplate, apps.ReplicaSets(""))
	follow(f, typed, "StatefulSet", &appsv1.StatefulSet{}, foldStatefulSet, trimTemplate, apps.StatefulSets(""))
	follow(f, typed, "DaemonSet", &appsv1.DaemonSet{}, foldDaemonSet, trimTemplate, apps.DaemonSets(""))
	follow(f, typed, "Job", &batchv1.Job{}, foldJob, trimTemplate, batch.Jobs(""))
	follow(f, typed, "CronJob", &batchv1.CronJob{}, foldCronJob, trimTemplate, batch.CronJobs(""))
	follow(f, typed, "HorizontalPodAutoscaler", &autoscalingv2.HorizontalPodAutoscaler{}, foldAutoscaler, nil,
		typed.AutoscalingV2().HorizontalPodAutoscalers(""))
	follow(f, typed, eventKind, &corev1.Event{}, foldEvent, nil, core.Events(""))
	for kind, resource := range map[string]string{"ConfigMap": "configmaps", "Secret": "secrets"} {
		follow(f, bare, kind, &metav1.PartialObjectMetadata{}, foldVersion, nil,
			bare.Resource(schema.GroupVersionResource{Version: "v1", Resource: resource}))
	}
	return f
}

// client is what every typed client and the metadata client have in common.
type client[L runtime.Object] interface {
	List(context.Context, metav1.ListOptions) (L, error)
	Watch(context.Context, metav1.ListOptions) (watch.Interface, error)
}

func follow[L runtime.Object](
	f *Facts, backing any, kind string, object runtime.Object,
	fold func(metav1.Object) (map[string]string, any), trim func(any), from client[L],
) {
	f.sinks[kind] = newSink(kind, fold, trim, f.Feed)
	f.sources = append(f.sources, source{
		sink: f.sinks[kind], object: object,
		lister: cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
			ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
				return from.List(ctx, options)
			},
			WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
				return from.Watch(ctx, options)
			},
		}, backing),
	})
}

// trimTemplate leaves the names and images of what a workload's Pods are made from.
func trimTemplate(object any) {
	switch one := object.(type) {
	case *appsv1.Deployment:
		one.Spec.Template = bareTemplate(one.Spec.Template)
	case *appsv1.ReplicaSet:
		one.Spec.Template = bareTemplate(one.Spec.Template)
	case *appsv1.StatefulSet:
		one.Spec.Template = bareTemplate(one.Spec.Template)
	case *appsv1.DaemonSet:
		one.Spec.Template = bareTemplate(one.Spec.Template)
	case *batchv1.Job:
		one.Spec.Template = bareTemplate(one.Spec.Template)
	case *batchv1.CronJob:
		one.Spec.JobTemplate = batchv1.JobTemplateSpec{}
	}
}

// Run follows the cluster until the context ends. A watch that breaks is begun again, sooner than client-go would.
func (f *Facts) Run(ctx context.Context) {
	var group sync.WaitGroup
	for _, one := range f.sources {
		reflector := cache.NewReflectorWithOptions(one.lister, one.object, one.sink, cache.ReflectorOptions{
			Name:    "facts of " + one.sink.kind,
			Backoff: &wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Jitter: 0.2, Steps: 5, Cap: 4 * time.Second},
		})
		group.Go(func() { reflector.RunWithContext(ctx) })
	}
	group.Wait()
}

// Synced says whether the first list of every kind is there; lines are told of what happens from then on.
func (f *Facts) Synced() bool {
	for _, one := range f.sinks {
		if !one.hasFilled() {
			return false
		}
	}
	return true
}

// Between is Feed.Between.
func (f *Facts) Between(since, until time.Time) [][]byte { return f.Feed.Between(since, until) }

// Follow is Feed.Follow.
func (f *Facts) Follow(ctx context.Context, since time.Time, give func(lines [][]byte) error) error {
	return f.Feed.Follow(ctx, since, give)
}
