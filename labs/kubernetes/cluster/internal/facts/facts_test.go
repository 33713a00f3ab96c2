package facts

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	metadatafake "k8s.io/client-go/metadata/fake"
)

func TestFactsFollowTheCluster(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	typed := fake.NewClientset(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "worker-1", UID: "n1"}})
	meta := metadatafake.NewTestScheme()
	if err := metav1.AddMetaToScheme(meta); err != nil {
		t.Fatal(err)
	}
	f := newFacts(typed, metadatafake.NewSimpleMetadataClient(meta))
	ended := make(chan struct{})
	go func() { f.Run(ctx); close(ended) }()
	for start := time.Now(); !f.Synced(); time.Sleep(2 * time.Millisecond) {
		if time.Since(start) > 10*time.Second {
			t.Fatal("no first lists")
		}
	}
	got := make(chan string, 10)
	go func() {
		_ = f.Follow(ctx, time.Unix(0, 0), func(lines [][]byte) error {
			for _, line := range lines {
				got <- string(line)
			}
			return nil
		})
	}()
	if _, err := typed.CoreV1().Pods("default").Create(ctx, pod("default", "a", "p1"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	select {
	case line := <-got: // the node was there before, so the first line is the Pod's
		if !strings.Contains(line, `"Action":"added"`) || !strings.Contains(line, `"ID":"p1"`) {
			t.Error(line)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("no line")
	}
	if told := document(t, f); len(told.Nodes) != 1 || len(told.Pods) != 1 {
		t.Errorf("%+v", told)
	}
	cancel()
	<-ended
}

func TestAuditedTellsOfTheLearnersDeeds(t *testing.T) {
	cases := map[string]struct {
		request Request
		want    string
	}{
		"a look":            {Request{User: Learner, Verb: "get", Resource: "pods", Namespace: "default", Name: "a", Code: 200}, "read Pod/default/a "},
		"logs":              {Request{User: Learner, Verb: "get", Resource: "pods", Subresource: "log", Namespace: "default", Name: "a"}, "read Pod/default/a "},
		"a rollout's watch": {Request{User: Learner, Verb: "watch", Resource: "deployments", Namespace: "default", Name: "shop"}, "read Deployment/default/shop "},
		"a change":          {Request{User: Learner, Verb: "patch", Resource: "deployments", Namespace: "default", Name: "shop", UID: "u"}, "wrote Deployment/default/shop u"},
		"exec":              {Request{User: Learner, Verb: "get", Resource: "pods", Subresource: "exec", Namespace: "default", Name: "a"}, "wrote Pod/default/a "},
		"a list":            {Request{User: Learner, Verb: "list", Resource: "pods", Namespace: "default"}, ""},
		"a component":       {Request{User: "naru:grader", Verb: "patch", Resource: "pods", Namespace: "default", Name: "a"}, ""},
		"may I":             {Request{User: Learner, Verb: "create", Resource: "selfsubjectaccessreviews", Name: "x"}, ""},
		"no resource":       {Request{User: Learner, Verb: "get", Name: "x"}, ""},
	}
	for name, c := range cases {
		f := emptyFacts()
		f.Audited(c.request)
		if got := strings.Join(told(t, f.Feed), "\n"); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestAuditedMarksWhatWasOnlyTried(t *testing.T) {
	f := emptyFacts()
	f.Audited(Request{
		User: Learner, Verb: "create", Resource: "pods", Namespace: "default", Name: "a", Code: 201,
		DryRun: true,
	})
	words := linesSince(t, f.Feed, time.Unix(0, 0))[0].Actor.Attributes
	if words["dry_run"] != "true" || words["code"] != "201" || words["verb"] != "create" {
		t.Errorf("%v", words)
	}
}
