package plane

import (
	"encoding/json"
	"net/url"

	internal "k8s.io/apiserver/pkg/apis/audit"
	"k8s.io/apiserver/pkg/audit"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	"naru/cluster/internal/pki"
)

// Request is what a user asked of the API, after it was answered.
type Request struct {
	User        string
	Verb        string // as in audit: get, list, watch, create, update, patch, delete, deletecollection
	Group       string
	Resource    string // plural
	Subresource string
	Namespace   string
	Name        string
	UID         string
	Code        int
	DryRun      bool // it was to change nothing
}

// auditSink is the API server's audit: which requests are looked at, and where they go. Nothing is written anywhere.
type auditSink struct{ tell func(Request) }

// EvaluatePolicyRule lets learners' requests through, without their bodies; only a deletion's says whether it is meant.
func (auditSink) EvaluatePolicyRule(attributes authorizer.Attributes) audit.RequestAuditConfig {
	level := internal.LevelNone
	if user := attributes.GetUser(); user != nil && user.GetName() == pki.Learner && attributes.IsResourceRequest() {
		level = internal.LevelMetadata
		if verb := attributes.GetVerb(); verb == "delete" || verb == "deletecollection" {
			level = internal.LevelRequest
		}
	}
	return audit.RequestAuditConfig{
		Level: level, OmitStages: []internal.Stage{internal.StageRequestReceived, internal.StageResponseStarted}, OmitManagedFields: true,
	}
}

// ProcessEvents passes them on.
func (s auditSink) ProcessEvents(events ...*internal.Event) bool {
	for _, event := range events {
		if event.ObjectRef == nil || s.tell == nil {
			continue
		}
		about := event.ObjectRef
		request := Request{
			User: event.User.Username, Verb: event.Verb, Group: about.APIGroup, Resource: about.Resource, Subresource: about.Subresource,
			Namespace: about.Namespace, Name: about.Name, UID: string(about.UID), DryRun: dryRun(event),
		}
		if event.ResponseStatus != nil {
			request.Code = int(event.ResponseStatus.Code)
		}
		s.tell(request)
	}
	return true
}

func dryRun(event *internal.Event) bool {
	if address, err := url.Parse(event.RequestURI); err == nil && address.Query().Has("dryRun") {
		return true
	}
	var options struct{ DryRun []string }
	return event.RequestObject != nil && json.Unmarshal(event.RequestObject.Raw, &options) == nil && len(options.DryRun) > 0
}

func (auditSink) Run(<-chan struct{}) error { return nil }
func (auditSink) Shutdown()                 {}
func (auditSink) String() string            { return "naru" }
