package simulated

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/flowcontrol"
)

func podWith(container, node string, state corev1.ContainerState) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "shop", Namespace: "default", UID: "1"},
		Spec:       corev1.PodSpec{NodeName: node},
		Status:     corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: container, Image: "shop:v1", State: state}}},
	}
}

var (
	running = corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	failed  = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ErrImagePull", Message: "no such image"}}
	backOff = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
		Reason: "ImagePullBackOff", Message: `Back-off pulling image "shop:v1": ErrImagePull: no such image`,
	}}
)

func recording() (*teller, *[]string) {
	told := &[]string{}
	t := newTeller(nil, "real-1")
	t.write = func(_ *corev1.Pod, path, kind, reason, message string) {
		*told = append(*told, path+" "+kind+" "+reason+": "+message)
	}
	t.filled = true
	return t, told
}

func TestTellerWritesEachStateOnce(t *testing.T) {
	teller, told := recording()
	for _, state := range []corev1.ContainerState{{}, failed, failed, backOff, backOff, running, running} {
		if err := teller.Update(podWith("web", "worker-1", state)); err != nil {
			t.Fatal(err)
		}
	}
	wanted := []string{
		`spec.containers{web} Normal Pulling: Pulling image "shop:v1"`,
		`spec.containers{web} Warning Failed: Failed to pull image "shop:v1": no such image`,
		`spec.containers{web} Warning Failed: Error: ErrImagePull`,
		`spec.containers{web} Normal BackOff: Back-off pulling image "shop:v1"`,
		`spec.containers{web} Warning Failed: Error: ImagePullBackOff`,
		`spec.containers{web} Normal Pulled: Container image "shop:v1" already present on machine and can be accessed by the pod`,
		`spec.containers{web} Normal Created: Container created`,
		`spec.containers{web} Normal Started: Container started`,
	}
	if !slices.Equal(*told, wanted) {
		t.Errorf("told %q", *told)
	}
}

func TestTellerLeavesTheRealNodeAndOldNewsAlone(t *testing.T) {
	teller, told := recording()
	teller.filled = false
	old := podWith("web", "worker-1", running)
	if err := teller.Replace([]any{old}, ""); err != nil {
		t.Fatal(err)
	}
	if err := teller.Update(old); err != nil {
		t.Fatal(err)
	}
	if err := teller.Add(podWith("web", "real-1", failed)); err != nil {
		t.Fatal(err)
	}
	if len(*told) != 0 {
		t.Errorf("told %q", *told)
	}
	if err := teller.Delete(old); err != nil || len(teller.known) != 0 {
		t.Errorf("a deleted Pod is remembered: %v %v", teller.known, err)
	}
}

func TestTellerIsBounded(t *testing.T) {
	teller, told := recording()
	teller.limit = flowcontrol.NewTokenBucketRateLimiter(0.001, 2)
	for _, name := range []string{"a", "b", "c", "d"} {
		if err := teller.Add(podWith(name, "worker-1", running)); err != nil {
			t.Fatal(err)
		}
	}
	if len(*told) != 2*3 {
		t.Errorf("%d events", len(*told))
	}
}
