package simulated

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

const (
	demandAnnotation = "naru.dev/cpu" // on a Deployment: what the requests to it cost in all

	idleMillis = 5
	idleBytes  = 32 << 20
	page       = 500 // Pods held at once
)

// demands answers, for one request, how much CPU each simulated Pod spends. It asks the API for each owner once.
type demands struct {
	client kubernetes.Interface
	played func(*corev1.Pod) bool
	owners map[string]string // namespace/ReplicaSet -> Deployment, "" for none
	shares map[string]int64  // namespace/Deployment -> thousandths of a core for each of its Pods
}

func newDemands(client kubernetes.Interface, played func(*corev1.Pod) bool) *demands {
	return &demands{client: client, played: played, owners: map[string]string{}, shares: map[string]int64{}}
}

// share gives a Pod's thousandths of a core.
func (d *demands) share(ctx context.Context, pod *corev1.Pod) (int64, error) {
	deployment, err := d.deploymentOf(ctx, pod)
	if err != nil || deployment == "" {
		return idleMillis, err
	}
	key := pod.Namespace + "/" + deployment
	if share, known := d.shares[key]; known {
		return share, nil
	}
	share, err := d.measure(ctx, pod.Namespace, deployment)
	if err == nil {
		d.shares[key] = share
	}
	return share, err
}

func (d *demands) measure(ctx context.Context, namespace, name string) (int64, error) {
	deployment, err := d.client.AppsV1().Deployments(namespace).Get(ctx, name, metav1.GetOptions{ResourceVersion: "0"})
	if apierrors.IsNotFound(err) {
		return idleMillis, nil
	} else if err != nil {
		return 0, err
	}
	whole, ok := demandOf(deployment)
	if !ok {
		return idleMillis, nil
	}
	selector, err := metav1.LabelSelectorAsSelector(deployment.Spec.Selector)
	if err != nil {
		return 0, err
	}
	var count int64
	err = eachPod(ctx, d.client, namespace, metav1.ListOptions{LabelSelector: selector.String()}, func(pod *corev1.Pod) error {
		owner, err := d.deploymentOf(ctx, pod)
		if err == nil && owner == name && d.played(pod) {
			count++
		}
		return err
	})
	return whole / max(count, 1), err
}

// demandOf reads a Deployment's annotation: thousandths of a core.
func demandOf(deployment *appsv1.Deployment) (int64, bool) {
	text, ok := deployment.Annotations[demandAnnotation]
	if !ok {
		return 0, false
	}
	quantity, err := resource.ParseQuantity(text)
	if err != nil || quantity.Sign() < 0 {
		return 0, false
	}
	return quantity.MilliValue(), true
}

// deploymentOf goes from a Pod to its ReplicaSet to its Deployment; "" when it has none.
func (d *demands) deploymentOf(ctx context.Context, pod *corev1.Pod) (string, error) {
	set := controllerOf(pod, "ReplicaSet")
	if set == "" {
		return "", nil
	}
	key := pod.Namespace + "/" + set
	if owner, known := d.owners[key]; known {
		return owner, nil
	}
	found, err := d.client.AppsV1().ReplicaSets(pod.Namespace).Get(ctx, set, metav1.GetOptions{ResourceVersion: "0"})
	switch {
	case apierrors.IsNotFound(err):
		d.owners[key] = ""
	case err != nil:
		return "", err
	default:
		d.owners[key] = controllerOf(found, "Deployment")
	}
	return d.owners[key], nil
}

func controllerOf(object metav1.Object, kind string) string {
	if owner := metav1.GetControllerOf(object); owner != nil && owner.Kind == kind {
		return owner.Name
	}
	return ""
}

// eachPod hands over Pods, never holding more than a page of them.
func eachPod(ctx context.Context, client kubernetes.Interface, namespace string, options metav1.ListOptions, do func(*corev1.Pod) error) error {
	options.Limit = page
	for {
		pods, err := client.CoreV1().Pods(namespace).List(ctx, options)
		if err != nil {
			return err
		}
		for i := range pods.Items {
			if err := do(&pods.Items[i]); err != nil {
				return err
			}
		}
		if options.Continue = pods.Continue; options.Continue == "" {
			return nil
		}
	}
}
