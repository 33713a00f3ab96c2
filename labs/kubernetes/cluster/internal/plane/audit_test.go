package plane

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	internal "k8s.io/apiserver/pkg/apis/audit"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	"naru/cluster/internal/pki"
)

func TestAuditTellsWhetherARequestWasMeant(t *testing.T) {
	for name, c := range map[string]struct {
		uri, body string
		wanted    bool
	}{
		"meant":                  {"/api/v1/namespaces/default/pods?fieldManager=kubectl", "", false},
		"rehearsed creation":     {"/api/v1/namespaces/default/pods?dryRun=All&fieldManager=kubectl", "", true},
		"deletion":               {"/api/v1/namespaces/default/pods/one", `{"kind":"DeleteOptions","propagationPolicy":"Background"}`, false},
		"rehearsed deletion":     {"/api/v1/namespaces/default/pods/one", `{"kind":"DeleteOptions","dryRun":["All"]}`, true},
		"a body that is no JSON": {"/api/v1/namespaces/default/pods/one", `k8s`, false},
	} {
		var heard []Request
		event := &internal.Event{
			RequestURI: c.uri, ObjectRef: &internal.ObjectReference{Resource: "pods", Name: "one"},
			ResponseStatus: &metav1.Status{Code: 200},
		}
		if c.body != "" {
			event.RequestObject = &runtime.Unknown{Raw: []byte(c.body)}
		}
		auditSink{tell: func(one Request) { heard = append(heard, one) }}.ProcessEvents(event)
		if len(heard) != 1 || heard[0].DryRun != c.wanted || heard[0].Code != 200 || heard[0].Name != "one" {
			t.Errorf("%s: %+v", name, heard)
		}
	}
}

func TestAuditLooksAtLearnersRequestsAndKeepsNoBodies(t *testing.T) {
	for name, c := range map[string]struct {
		user, verb string
		wanted     internal.Level
	}{
		"a learner's":          {pki.Learner, "create", internal.LevelMetadata},
		"a learner's deletion": {pki.Learner, "delete", internal.LevelRequest},
		"a controller's":       {"system:kube-controller-manager", "delete", internal.LevelNone},
	} {
		asked := authorizer.AttributesRecord{User: &user.DefaultInfo{Name: c.user}, Verb: c.verb, ResourceRequest: true}
		if level := (auditSink{}).EvaluatePolicyRule(asked).Level; level != c.wanted {
			t.Errorf("%s: %v", name, level)
		}
	}
}
