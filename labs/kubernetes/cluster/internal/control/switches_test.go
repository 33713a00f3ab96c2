package control

import (
	"context"
	"errors"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

func node(name string, ready corev1.ConditionStatus, annotations map[string]string) *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: annotations},
		Status:     corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: ready}}},
	}
}

func levers(synced bool, objects ...runtime.Object) *Levers {
	return &Levers{
		Client: fake.NewClientset(objects...), Synced: func() bool { return synced }, Nodes: func() []string { return []string{"worker-1", "real-1"} },
		SetSimulated: func(context.Context, int) error { return nil },
	}
}

func TestWaitsForOneThingAfterTheOther(t *testing.T) {
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "default"}}
	up, down := node("worker-1", corev1.ConditionTrue, nil), node("real-1", corev1.ConditionUnknown, nil)
	off := node("real-1", corev1.ConditionUnknown, map[string]string{powerAnnotation: "off"})
	for _, c := range []struct {
		levers *Levers
		want   string
	}{
		{levers(true), "the default service account"},
		{levers(false, account), "the watches"},
		{levers(true, account), "nodes: worker-1, real-1"},
		{levers(true, account, up), "nodes: real-1"},
		{levers(true, account, up, down), "nodes: real-1"},
		{levers(true, account, up, off), ""},
		{levers(true, account, up, node("real-1", corev1.ConditionTrue, nil)), ""},
	} {
		if got := c.levers.Waits(t.Context()); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestWaitsForTheAPI(t *testing.T) {
	l := levers(true)
	l.Client.(*fake.Clientset).PrependReactor("get", "serviceaccounts", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, errors.New("connection refused")
	})
	if got := l.Waits(t.Context()); got != "the API: connection refused" {
		t.Error(got)
	}
}

func TestPowerIsTheAnnotationThatTheLabsToolsSet(t *testing.T) {
	l := levers(true, node("worker-1", corev1.ConditionTrue, map[string]string{"mine": "1"}))
	for on, want := range map[bool]string{false: "off", true: "on"} {
		if err := l.Power(t.Context(), "worker-1", on); err != nil {
			t.Fatal(err)
		}
		got, _ := l.Client.CoreV1().Nodes().Get(t.Context(), "worker-1", metav1.GetOptions{})
		if got.Annotations[powerAnnotation] != want || got.Annotations["mine"] != "1" {
			t.Errorf("%v, want %s", got.Annotations, want)
		}
	}
	if err := l.Power(t.Context(), "worker-9", false); !apierrors.IsNotFound(err) {
		t.Error(err)
	}
}

func TestSimulateIsBounded(t *testing.T) {
	asked := -1
	l := levers(true)
	l.SetSimulated = func(_ context.Context, count int) error { asked = count; return nil }
	for count, fine := range map[int]bool{-1: false, 0: true, 5: true, mostSimulated: true, mostSimulated + 1: false} {
		asked = -1
		err := l.Simulate(t.Context(), count)
		var bad errBad
		if fine && (err != nil || asked != count) || !fine && (!errors.As(err, &bad) || asked != -1) {
			t.Errorf("%d: asked for %d, %v", count, asked, err)
		}
	}
}

func TestDemandIsTheAnnotationThatTheLabsToolsSet(t *testing.T) {
	l := levers(true, &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "shop"}})
	for _, cpu := range []string{"1200m", "2", ""} {
		if err := l.Demand(t.Context(), "team", "shop", cpu); err != nil {
			t.Fatal(err)
		}
		got, _ := l.Client.AppsV1().Deployments("team").Get(t.Context(), "shop", metav1.GetOptions{})
		if value, there := got.Annotations[demandAnnotation]; value != cpu || there != (cpu != "") {
			t.Errorf("%v, want %q", got.Annotations, cpu)
		}
	}
	var bad errBad
	for _, cpu := range []string{"much", "-1", "1e99", "10001"} {
		if err := l.Demand(t.Context(), "team", "shop", cpu); !errors.As(err, &bad) {
			t.Errorf("%s: %v", cpu, err)
		}
	}
	if err := l.Demand(t.Context(), "team", "", "1"); !errors.As(err, &bad) {
		t.Error(err)
	}
	if err := l.Demand(t.Context(), "team", "none", "1"); !apierrors.IsNotFound(err) {
		t.Error(err)
	}
}
