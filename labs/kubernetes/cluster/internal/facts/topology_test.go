package facts

import (
	"encoding/json"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
	metadatafake "k8s.io/client-go/metadata/fake"
	"k8s.io/utils/ptr"
)

func emptyFacts() *Facts {
	return newFacts(fake.NewClientset(), metadatafake.NewSimpleMetadataClient(scheme.Scheme))
}

func document(t *testing.T, f *Facts) Topology {
	t.Helper()
	text, err := f.Topology()
	if err != nil {
		t.Fatal(err)
	}
	if len(text) >= 128<<10 {
		t.Errorf("%d bytes", len(text))
	}
	var told Topology
	if err := json.Unmarshal(text, &told); err != nil {
		t.Fatal(err)
	}
	return told
}

func TestTopologyOfNothingHasEveryList(t *testing.T) {
	text, err := emptyFacts().Topology()
	want := `{"nodes":[],"pods":[],"replicasets":[],"deployments":[],"workloads":[],"services":[],"autoscalers":[],"left_out":0}`
	if err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
}

func TestTopologyShowsWhoAnswersForAService(t *testing.T) {
	f := emptyFacts()
	_ = f.sinks["Service"].Add(&corev1.Service{ObjectMeta: meta1("shop")})
	_ = f.sinks["Service"].Add(&corev1.Service{ObjectMeta: meta1("alone")})
	for i := range 2 {
		_ = f.sinks["EndpointSlice"].Add(&discoveryv1.EndpointSlice{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: fmt.Sprint("s", i), Labels: map[string]string{discoveryv1.LabelServiceName: "shop"}},
			Endpoints:  []discoveryv1.Endpoint{{Addresses: []string{fmt.Sprint("10.244.0.", i)}, Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(i == 0)}}},
		})
	}
	told := document(t, f)
	if len(told.Services) != 2 || len(told.Services[0].Endpoints) != 0 || len(told.Services[1].Endpoints) != 2 || !told.Services[1].Endpoints[0].Ready {
		t.Errorf("%+v", told.Services)
	}
}

func TestTopologyShowsReplicaSetsWithPodsFirst(t *testing.T) {
	f := emptyFacts()
	for i := range 150 {
		set := ReplicaSet{Namespace: "default", Name: fmt.Sprintf("set-%03d", i)}
		if i == 149 {
			set.Desired = 2
		}
		f.sinks["ReplicaSet"].facts[set.Name] = &fact{namespace: "default", name: set.Name, shown: set}
	}
	told := document(t, f)
	if len(told.ReplicaSets) != mostOthers || told.ReplicaSets[0].Name != "set-149" || told.LeftOut != 50 {
		t.Errorf("%d, first %q, left out %d", len(told.ReplicaSets), told.ReplicaSets[0].Name, told.LeftOut)
	}
}

func TestTopologyIsBoundedWhateverThereIs(t *testing.T) {
	f := emptyFacts()
	long := map[string]string{}
	for i := range 30 {
		long[fmt.Sprintf("label-%02d-%050d", i, i)] = fmt.Sprintf("%063d", i)
	}
	for i := range 10_000 {
		_ = f.sinks["Pod"].Add(&corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: fmt.Sprintf("pod-%05d", i), UID: types.UID(fmt.Sprint(i)), Labels: long},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Image: "registry.example/" + fmt.Sprintf("%0250d", i)}}},
		})
	}
	told := document(t, f)
	if len(told.Pods) == 0 || len(told.Pods) > mostPods || told.LeftOut+len(told.Pods) != 10_000 {
		t.Errorf("%d pods, %d left out", len(told.Pods), told.LeftOut)
	}
	if len(told.Pods[0].Labels) != mostLabels {
		t.Errorf("%d labels", len(told.Pods[0].Labels))
	}
}

func TestHalvingEndsWithAnEmptyDocument(t *testing.T) {
	full := Topology{
		Nodes: make([]Node, 3), Pods: make([]Pod, 9), ReplicaSets: make([]ReplicaSet, 5), Deployments: make([]Deployment, 7), Workloads: make([]Workload, 2),
		Services: []Service{{Endpoints: make([]Endpoint, 20)}, {Endpoints: make([]Endpoint, 1)}}, Autoscalers: make([]Autoscaler, 1),
	}
	for range 100 {
		full.halve()
	}
	left := len(full.Nodes) + len(full.Pods) + len(full.ReplicaSets) + len(full.Deployments) + len(full.Workloads) + len(full.Services) + len(full.Autoscalers)
	if left != 0 {
		t.Errorf("%d left", left)
	}
}
