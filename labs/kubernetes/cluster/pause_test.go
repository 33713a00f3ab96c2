package main

import (
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"naru/cluster/internal/config"
)

// nodes says of every node whether it is Ready, and which taints it has that a controller gave it.
func (s *served) nodes() (ready map[string]bool, tainted map[string]bool) {
	s.t.Helper()
	list, err := s.client.CoreV1().Nodes().List(s.t.Context(), metav1.ListOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	ready, tainted = map[string]bool{}, map[string]bool{}
	for _, node := range list.Items {
		for _, condition := range node.Status.Conditions {
			if condition.Type == corev1.NodeReady {
				ready[node.Name] = condition.Status == corev1.ConditionTrue
			}
		}
		for _, taint := range node.Spec.Taints {
			if taint.Key == corev1.TaintNodeNotReady || taint.Key == corev1.TaintNodeUnreachable {
				tainted[node.Name] = true
			}
		}
	}
	return ready, tainted
}

func (s *served) freeze(how time.Duration) {
	s.t.Helper()
	s.must(nil, s.process.Signal(syscall.SIGSTOP))
	time.Sleep(how)
	s.must(nil, s.process.Signal(syscall.SIGCONT))
}

func TestAPausedLabFindsItsNodesAndPodsAsTheyWere(t *testing.T) {
	s := startCluster(t)
	s.make()
	want := s.things()
	times := config.Default().Times
	s.freeze(times.NodeGrace.Duration + 3*time.Second)
	// A controller that is refused something about this node forgets it.
	s.must(s.client.CoreV1().Nodes().Patch(t.Context(), "worker-1", "application/merge-patch+json",
		[]byte(`{"spec":{"taints":[{"key":"node.kubernetes.io/not-ready","effect":"NoSchedule"}]}}`), metav1.PatchOptions{}))
	for end := time.Now().Add(times.PauseGrace.Duration + 4*time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		ready, tainted := s.nodes()
		if !ready["worker-1"] || !ready["worker-2"] || !ready["worker-3"] || tainted["worker-2"] || tainted["worker-3"] {
			t.Fatalf("ready %v, tainted %v", ready, tainted)
		}
	}
	if got := s.things(); got != want {
		t.Errorf("after a pause there is\n%s\ninstead of\n%s", got, want)
	}
	s.await("the taint to go", func() bool { _, tainted := s.nodes(); return len(tainted) == 0 })
}
