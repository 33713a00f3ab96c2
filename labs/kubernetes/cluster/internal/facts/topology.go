package facts

import (
	"encoding/json"
)

// Bounds of the topology document.
const (
	mostPods      = 200
	mostOthers    = 100 // of every other kind
	mostBytes     = 120 << 10
	mostEndpoints = 50 // of one Service
	mostPorts     = 10
	mostImages    = 5
	mostLabels    = 12
)

// Topology is what a picture of the cluster is drawn from; namespaces of the system are not in it.
type Topology struct {
	Nodes       []Node       `json:"nodes"`
	Pods        []Pod        `json:"pods"`
	ReplicaSets []ReplicaSet `json:"replicasets"`
	Deployments []Deployment `json:"deployments"`
	Workloads   []Workload   `json:"workloads"`
	Services    []Service    `json:"services"`
	Autoscalers []Autoscaler `json:"autoscalers"`
	LeftOut     int          `json:"left_out"` // how many things the bounds kept out
}

// Node is a machine of the cluster.
type Node struct {
	Name        string `json:"name"`
	Ready       bool   `json:"ready"`
	Simulated   bool   `json:"simulated"`
	Schedulable bool   `json:"schedulable"`
	Reason      string `json:"reason"` // why it is not ready
}

// Pod is a Pod and where it runs.
type Pod struct {
	Namespace string            `json:"namespace"`
	Name      string            `json:"name"`
	Node      string            `json:"node"`
	Phase     string            `json:"phase"`
	Ready     bool              `json:"ready"`
	Reason    string            `json:"reason"`
	Restarts  int               `json:"restarts"`
	Owner     *Owner            `json:"owner"`
	Labels    map[string]string `json:"labels"`
	IP        string            `json:"ip"`
	Images    []string          `json:"images"`
	Deleting  bool              `json:"deleting"`
}

// Owner is the controller of an object.
type Owner struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
}

// ReplicaSet is one revision of a Deployment; those without Pods are shown only as long as there is room.
type ReplicaSet struct {
	Namespace string   `json:"namespace"`
	Name      string   `json:"name"`
	Owner     string   `json:"owner"`
	Desired   int      `json:"desired"`
	Ready     int      `json:"ready"`
	Images    []string `json:"images"`
	Revision  string   `json:"revision"`

	present int
}

// Deployment is a Deployment and how far it is.
type Deployment struct {
	Namespace string   `json:"namespace"`
	Name      string   `json:"name"`
	Desired   int      `json:"desired"`
	Ready     int      `json:"ready"`
	Updated   int      `json:"updated"`
	Available int      `json:"available"`
	Images    []string `json:"images"`
}

// Workload is a StatefulSet, DaemonSet, Job or CronJob.
type Workload struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Desired   int    `json:"desired"`
	Ready     int    `json:"ready"`
}

// Service is a Service with the addresses behind it.
type Service struct {
	Namespace string            `json:"namespace"`
	Name      string            `json:"name"`
	Type      string            `json:"type"`
	ClusterIP string            `json:"cluster_ip"`
	Ports     []Port            `json:"ports"`
	Selector  map[string]string `json:"selector"`
	Endpoints []Endpoint        `json:"endpoints"`
}

// Port is one port of a Service; Target is a number or a name.
type Port struct {
	Port     int    `json:"port"`
	Target   string `json:"target"`
	NodePort int    `json:"node_port"`
}

// Endpoint is one address behind a Service.
type Endpoint struct {
	Pod   string `json:"pod"`
	IP    string `json:"ip"`
	Ready bool   `json:"ready"`
}

// Autoscaler is a HorizontalPodAutoscaler.
type Autoscaler struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Target    Owner  `json:"target"`
	Min       int    `json:"min"`
	Max       int    `json:"max"`
	Current   int    `json:"current"`
	Desired   int    `json:"desired"`
}

// slice is a part of the endpoints of a Service, named "namespace/name".
type slice struct {
	service string
	points  []Endpoint
}

// Topology returns the document as it is now, bounded in counts and in bytes, as JSON.
func (f *Facts) Topology() ([]byte, error) {
	document := f.topology()
	for {
		text, err := json.Marshal(document)
		if err != nil || len(text) <= mostBytes {
			return text, err
		}
		document.halve()
	}
}

func (f *Facts) topology() *Topology {
	t := &Topology{}
	t.Nodes = pick[Node](t, f.sinks["Node"], mostOthers)
	t.Pods = pick[Pod](t, f.sinks["Pod"], mostPods)
	t.Deployments = pick[Deployment](t, f.sinks["Deployment"], mostOthers)
	t.Services = pick[Service](t, f.sinks["Service"], mostOthers)
	t.Autoscalers = pick[Autoscaler](t, f.sinks["HorizontalPodAutoscaler"], mostOthers)
	t.ReplicaSets = []ReplicaSet{}
	var old []ReplicaSet
	for _, set := range all[ReplicaSet](f.sinks["ReplicaSet"]) {
		if set.Desired+set.present > 0 {
			t.ReplicaSets = append(t.ReplicaSets, set)
		} else {
			old = append(old, set)
		}
	}
	t.ReplicaSets = bound(t, append(t.ReplicaSets, old...), mostOthers)
	t.Workloads = []Workload{}
	for _, kind := range []string{"StatefulSet", "DaemonSet", "Job", "CronJob"} {
		t.Workloads = append(t.Workloads, all[Workload](f.sinks[kind])...)
	}
	t.Workloads = bound(t, t.Workloads, mostOthers)

	behind := map[string][]Endpoint{}
	for _, part := range all[slice](f.sinks["EndpointSlice"]) {
		behind[part.service] = append(behind[part.service], part.points...)
	}
	for i := range t.Services {
		points := behind[t.Services[i].Namespace+"/"+t.Services[i].Name]
		t.Services[i].Endpoints = append([]Endpoint{}, points[:min(len(points), mostEndpoints)]...)
	}
	return t
}

// halve makes a document that is too long shorter: whatever is longest loses its second half.
func (t *Topology) halve() {
	points := 0
	for _, service := range t.Services {
		points += len(service.Endpoints)
	}
	longest := max(len(t.Pods), len(t.ReplicaSets), len(t.Deployments), len(t.Workloads), len(t.Services), len(t.Autoscalers), len(t.Nodes))
	switch {
	case points > longest:
		for i := range t.Services {
			t.Services[i].Endpoints = bound(t, t.Services[i].Endpoints, len(t.Services[i].Endpoints)/2)
		}
	case longest == len(t.Pods):
		t.Pods = bound(t, t.Pods, longest/2)
	case longest == len(t.ReplicaSets):
		t.ReplicaSets = bound(t, t.ReplicaSets, longest/2)
	case longest == len(t.Services):
		t.Services = bound(t, t.Services, longest/2)
	case longest == len(t.Deployments):
		t.Deployments = bound(t, t.Deployments, longest/2)
	case longest == len(t.Workloads):
		t.Workloads = bound(t, t.Workloads, longest/2)
	case longest == len(t.Autoscalers):
		t.Autoscalers = bound(t, t.Autoscalers, longest/2)
	default:
		t.Nodes = bound(t, t.Nodes, longest/2)
	}
}

func all[T any](from *sink) []T {
	facts := from.sorted()
	things := make([]T, 0, len(facts))
	for _, one := range facts {
		if shown, ok := one.shown.(T); ok {
			things = append(things, shown)
		}
	}
	return things
}

func pick[T any](t *Topology, from *sink, most int) []T { return bound(t, all[T](from), most) }

func bound[T any](t *Topology, things []T, most int) []T {
	if len(things) <= most {
		return things
	}
	t.LeftOut += len(things) - most
	return things[:most]
}
