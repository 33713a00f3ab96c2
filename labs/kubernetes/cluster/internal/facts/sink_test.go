package facts

import (
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"
)

func pod(namespace, name, uid string, change ...func(*corev1.Pod)) *corev1.Pod {
	one := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(uid)}}
	for _, each := range change {
		each(one)
	}
	return one
}

func running(one *corev1.Pod) { one.Status.Phase = corev1.PodRunning }

// told are the lines of a feed as "action kind/namespace/name uid".
func told(t *testing.T, feed *Feed) []string {
	t.Helper()
	var all []string
	for _, one := range linesSince(t, feed, time.Unix(0, 0)) {
		words := one.Actor.Attributes
		all = append(all, fmt.Sprintf("%s %s/%s/%s %s", one.Action, words["kind"], words["namespace"], words["name"], one.Actor.ID))
	}
	return all
}

func TestSinkTellsWhatMatters(t *testing.T) {
	first := pod("default", "a", "1")
	cases := map[string]struct {
		do   func(s *sink)
		want []string
	}{
		"a new object": {func(s *sink) { _ = s.Add(first) }, []string{"added Pod/default/a 1"}},
		"a change": {
			func(s *sink) { _ = s.Add(first); _ = s.Update(pod("default", "a", "1", running)) },
			[]string{"added Pod/default/a 1", "changed Pod/default/a 1"},
		},
		"nothing that matters changes": {
			func(s *sink) {
				_ = s.Add(first)
				_ = s.Update(pod("default", "a", "1", func(one *corev1.Pod) { one.ResourceVersion, one.Labels = "7", map[string]string{"x": "y"} }))
			},
			[]string{"added Pod/default/a 1"},
		},
		"an end": {
			func(s *sink) { _ = s.Add(first); _ = s.Delete(first); _ = s.Delete(first) },
			[]string{"added Pod/default/a 1", "deleted Pod/default/a 1"},
		},
		"an end that was missed": {
			func(s *sink) {
				_ = s.Add(first)
				_ = s.Delete(cache.DeletedFinalStateUnknown{Key: "default/a", Obj: first})
			},
			[]string{"added Pod/default/a 1", "deleted Pod/default/a 1"},
		},
		"another one under the same name": {
			func(s *sink) { _ = s.Add(first); _ = s.Update(pod("default", "a", "2")) },
			[]string{"added Pod/default/a 1", "deleted Pod/default/a 1", "added Pod/default/a 2"},
		},
		"the first list is silent": {
			func(s *sink) { _ = s.Replace([]any{first}, "1"); _ = s.Update(pod("default", "a", "1", running)) },
			[]string{"changed Pod/default/a 1"},
		},
		"a later list counts as changes": {
			func(s *sink) {
				_ = s.Replace([]any{first, pod("default", "b", "2")}, "1")
				_ = s.Replace([]any{pod("default", "a", "1", running), pod("default", "c", "3")}, "2")
			},
			[]string{"changed Pod/default/a 1", "added Pod/default/c 3", "deleted Pod/default/b 2"},
		},
		"the system is left out": {func(s *sink) { _ = s.Add(pod("kube-system", "dns", "1")) }, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			feed := NewFeed()
			c.do(newSink("Pod", foldPod, trimPod, feed))
			if got := told(t, feed); strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestSinkTellsOfCountingObjectsInCalm(t *testing.T) {
	feed := NewFeed()
	s := newSink("ReplicaSet", foldReplicaSet, nil, feed)
	s.calm = 40 * time.Millisecond
	for ready := range int32(20) {
		_ = s.Update(&appsv1.ReplicaSet{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "a", UID: "1"}, Status: appsv1.ReplicaSetStatus{ReadyReplicas: ready},
		})
	}
	for range 200 {
		if len(told(t, feed)) >= 2 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	lines := linesSince(t, feed, time.Unix(0, 0))
	if len(lines) != 2 || lines[1].Action != Changed || lines[1].Actor.Attributes["ready"] != "19" {
		t.Errorf("%+v", lines)
	}
}

func TestSinkNeverTellsWhatSecretsHold(t *testing.T) {
	feed := NewFeed()
	s := newSink("Secret", foldVersion, nil, feed)
	for _, version := range []string{"1", "2"} {
		_ = s.Update(&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "key", UID: "1", ResourceVersion: version, Annotations: map[string]string{"a": "hush"}},
			Data:       map[string][]byte{"token": []byte("hush")},
		})
	}
	lines := linesSince(t, feed, time.Unix(0, 0))
	if len(lines) != 2 || lines[1].Action != Changed || len(lines[1].Actor.Attributes) != 3 {
		t.Errorf("%+v", lines)
	}
}

func TestSinkTellsOfEventsOnceForEachCount(t *testing.T) {
	feed := NewFeed()
	s := newSink(eventKind, foldEvent, nil, feed)
	event := func(count int32, version string) *corev1.Event {
		return &corev1.Event{
			ObjectMeta:     metav1.ObjectMeta{Namespace: "default", Name: "a.1", UID: "9", ResourceVersion: version},
			InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: "default", Name: "a"},
			Reason:         "BackOff", Message: "Back-off restarting", Type: corev1.EventTypeWarning, Count: count,
		}
	}
	_ = s.Add(event(0, "1"))
	_ = s.Update(event(1, "2"))
	_ = s.Update(event(2, "3"))
	_ = s.Delete(event(2, "3"))
	lines := linesSince(t, feed, time.Unix(0, 0))
	if len(lines) != 2 {
		t.Fatalf("%+v", lines)
	}
	want := map[string]string{
		"kind": "Pod", "namespace": "default", "name": "a", "reason": "BackOff", "message": "Back-off restarting", "warning": "true", "count": "2",
	}
	for name, value := range want {
		if lines[1].Action != Happened || lines[1].Actor.Attributes[name] != value {
			t.Errorf("%s: %+v", name, lines[1])
		}
	}
}

func TestTransformerLeavesWhatFactsAreMadeOf(t *testing.T) {
	full := pod("default", "a", "1", running, func(one *corev1.Pod) {
		one.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
		one.Annotations = map[string]string{corev1.LastAppliedConfigAnnotation: "{}", powerAnnotation: "off"}
		one.Labels = map[string]string{"app": "a"}
		one.OwnerReferences = []metav1.OwnerReference{{Kind: "ReplicaSet", Name: "r", Controller: ptr.To(true)}}
		one.Spec = corev1.PodSpec{
			NodeName: "worker-1", Volumes: []corev1.Volume{{Name: "v"}},
			Containers: []corev1.Container{{Name: "c", Image: "nginx", Env: []corev1.EnvVar{{Name: "PASSWORD", Value: "x"}}}},
		}
		one.Status.PodIP = "10.244.0.1"
	})
	before, _ := foldPod(full.DeepCopy())
	trimmed, err := newSink("Pod", foldPod, trimPod, NewFeed()).Transformer()(full)
	if err != nil {
		t.Fatal(err)
	}
	after, _ := foldPod(trimmed.(*corev1.Pod))
	if fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("%v became %v", before, after)
	}
	if full.ManagedFields != nil || full.Spec.Volumes != nil || full.Spec.Containers[0].Env != nil || len(full.Annotations) != 1 {
		t.Errorf("not trimmed: %+v", full)
	}
}
