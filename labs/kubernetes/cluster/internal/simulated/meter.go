package simulated

import (
	"context"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	metrics "k8s.io/metrics/pkg/apis/metrics/v1beta1"
)

const (
	window = 5 * time.Second // over which a figure is said to hold

	// What a simulated node spends on itself.
	nodeMillis = 40
	nodeBytes  = 256 << 20
)

// A meter says what Pods and Nodes use: the real ones as measured, the simulated ones as their Deployment is asked to.
type meter struct {
	client kubernetes.Interface
	real   string // the node whose containers are real, "" for none
	usage  *usage
}

// plays says whether a Pod serves on a simulated node; one on a node that fell silent does not.
func (m *meter) plays(pod *corev1.Pod) bool {
	return runs(pod) && pod.Spec.NodeName != m.real && podReady(pod)
}

func runs(pod *corev1.Pod) bool { return pod.Status.Phase == corev1.PodRunning }

func podReady(pod *corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// pod measures one Pod; nil when there is nothing to measure.
func (m *meter) pod(ctx context.Context, known *demands, pod *corev1.Pod) (*metrics.PodMetrics, error) {
	out := &metrics.PodMetrics{
		ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace, Labels: pod.Labels, CreationTimestamp: metav1.Now()},
		Timestamp:  metav1.Now(), Window: metav1.Duration{Duration: window},
	}
	switch {
	case runs(pod) && pod.Spec.NodeName == m.real:
		out.Containers = m.measured(pod)
	case m.plays(pod):
		share, err := known.share(ctx, pod)
		if err != nil {
			return nil, err
		}
		out.Containers = spread(pod, share)
	}
	if len(out.Containers) == 0 {
		return nil, nil
	}
	return out, nil
}

// measured gives what a real Pod's containers use; nothing while one of them cannot be read.
func (m *meter) measured(pod *corev1.Pod) []metrics.ContainerMetrics {
	var all []metrics.ContainerMetrics
	for i := range pod.Status.ContainerStatuses {
		one := &pod.Status.ContainerStatuses[i]
		if one.State.Running == nil {
			continue
		}
		_, id, _ := strings.Cut(one.ContainerID, "://")
		if id == "" || strings.ContainsAny(id, "./") {
			return nil
		}
		millis, bytes, ok := m.usage.of(id, one.State.Running.StartedAt.Time)
		if !ok {
			return nil
		}
		all = append(all, metrics.ContainerMetrics{Name: one.Name, Usage: amounts(millis, bytes)})
	}
	return all
}

// spread shares a Pod's CPU among its containers. No container uses more than its limit.
func spread(pod *corev1.Pod, share int64) []metrics.ContainerMetrics {
	all := make([]metrics.ContainerMetrics, 0, len(pod.Spec.Containers))
	left := share
	for i := range pod.Spec.Containers {
		one := &pod.Spec.Containers[i]
		millis := left / int64(len(pod.Spec.Containers)-i)
		left -= millis
		if limit, ok := one.Resources.Limits[corev1.ResourceCPU]; ok {
			millis = min(millis, limit.MilliValue())
		}
		all = append(all, metrics.ContainerMetrics{Name: one.Name, Usage: amounts(millis, idleBytes)})
	}
	return all
}

func amounts(millis, bytes int64) corev1.ResourceList {
	return corev1.ResourceList{
		corev1.ResourceCPU:    *resource.NewMilliQuantity(millis, resource.DecimalSI),
		corev1.ResourceMemory: *resource.NewQuantity(bytes, resource.BinarySI),
	}
}

// nodes measures the Nodes that are Ready.
func (m *meter) nodes(ctx context.Context, nodes []corev1.Node) ([]metrics.NodeMetrics, error) {
	type sum struct{ millis, bytes int64 }
	sums := map[string]sum{}
	known := newDemands(m.client, m.plays)
	err := eachPod(ctx, m.client, "", metav1.ListOptions{}, func(pod *corev1.Pod) error {
		measured, err := m.pod(ctx, known, pod)
		if err != nil || measured == nil {
			return err
		}
		all := sums[pod.Spec.NodeName]
		for _, one := range measured.Containers {
			all.millis += one.Usage.Cpu().MilliValue()
			all.bytes += one.Usage.Memory().Value()
		}
		sums[pod.Spec.NodeName] = all
		return nil
	})
	if err != nil {
		return nil, err
	}
	all := []metrics.NodeMetrics{}
	for i := range nodes {
		node := &nodes[i]
		if !nodeReady(node) {
			continue
		}
		used := sum{sums[node.Name].millis + nodeMillis, sums[node.Name].bytes + nodeBytes}
		if node.Name == m.real {
			if millis, bytes, ok := m.usage.of("", time.Time{}); ok {
				used = sum{millis, bytes}
			}
		}
		all = append(all, metrics.NodeMetrics{
			ObjectMeta: metav1.ObjectMeta{Name: node.Name, Labels: node.Labels, CreationTimestamp: metav1.Now()},
			Timestamp:  metav1.Now(), Window: metav1.Duration{Duration: window}, Usage: amounts(used.millis, used.bytes),
		})
	}
	return all, nil
}

func nodeReady(node *corev1.Node) bool {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}
