package facts

import (
	"strconv"
	"strings"
)

// Request is what somebody asked of the API, as its audit stage tells it.
type Request struct {
	User        string
	Verb        string // as in audit: get, list, watch, create, update, patch, delete, deletecollection
	Group       string
	Resource    string // plural
	Subresource string
	Namespace   string
	Name        string
	UID         string
	Code        int  // HTTP status; 0 when not yet known
	DryRun      bool // it was to change nothing
}

// Learner is the user under whose name a lab's terminal talks to the API.
const Learner = "learner"

// resources of which every kubectl command reads something, and which say nothing about what the learner looks at.
var chatter = map[string]bool{"selfsubjectaccessreviews": true, "selfsubjectreviews": true, "tokenreviews": true, "leases": true}

// Audited writes a line about a request of the learner's for a named object; others are left out.
func (f *Facts) Audited(request Request) {
	if request.User != Learner || request.Name == "" || request.Resource == "" || chatter[request.Resource] {
		return
	}
	action := Wrote
	switch request.Verb {
	case "get", "list", "watch":
		action = Read
	}
	switch request.Subresource { // commands inside a Pod come as GET from newer clients
	case "exec", "attach", "portforward", "proxy":
		action = Wrote
	}
	attributes := map[string]string{
		"verb": request.Verb, "kind": kindOf(request.Resource), "namespace": request.Namespace, "name": request.Name,
		"subresource": request.Subresource,
	}
	if request.Code != 0 {
		attributes["code"] = strconv.Itoa(request.Code)
	}
	if request.DryRun {
		attributes["dry_run"] = "true"
	}
	f.Feed.Emit(action, request.UID, attributes)
}

// kinds by plural, where the plural does not simply give them.
var kinds = map[string]string{
	"configmaps": "ConfigMap", "cronjobs": "CronJob", "daemonsets": "DaemonSet", "endpointslices": "EndpointSlice",
	"horizontalpodautoscalers": "HorizontalPodAutoscaler", "ingresses": "Ingress", "ingressclasses": "IngressClass", "limitranges": "LimitRange",
	"networkpolicies": "NetworkPolicy", "persistentvolumeclaims": "PersistentVolumeClaim", "persistentvolumes": "PersistentVolume",
	"poddisruptionbudgets": "PodDisruptionBudget", "podtemplates": "PodTemplate", "priorityclasses": "PriorityClass", "replicasets": "ReplicaSet",
	"replicationcontrollers": "ReplicationController", "resourcequotas": "ResourceQuota", "rolebindings": "RoleBinding",
	"clusterroles": "ClusterRole", "clusterrolebindings": "ClusterRoleBinding", "serviceaccounts": "ServiceAccount", "statefulsets": "StatefulSet",
	"storageclasses": "StorageClass", "controllerrevisions": "ControllerRevision", "endpoints": "Endpoints",
	"customresourcedefinitions": "CustomResourceDefinition", "runtimeclasses": "RuntimeClass",
}

func kindOf(resource string) string {
	if kind, ok := kinds[resource]; ok {
		return kind
	}
	single := strings.TrimSuffix(resource, "s")
	return strings.ToUpper(single[:min(len(single), 1)]) + single[min(len(single), 1):]
}
