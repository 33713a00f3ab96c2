package simulated

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	metrics "k8s.io/metrics/pkg/apis/metrics/v1beta1"
	"k8s.io/utils/ptr"
)

var shopLabels = map[string]string{"app": "shop"}

func ownedBy(kind, name string) []metav1.OwnerReference {
	return []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: kind, Name: name, UID: types.UID(name), Controller: ptr.To(true)}}
}

func readyPod(name, node, set string) *corev1.Pod {
	pod := simulatedPod("shop:v1")
	pod.Name, pod.UID, pod.Spec.NodeName, pod.Labels = name, types.UID(name), node, shopLabels
	if set != "" {
		pod.OwnerReferences = ownedBy("ReplicaSet", set)
	}
	pod.Status = corev1.PodStatus{
		Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
		ContainerStatuses: []corev1.ContainerStatus{{
			Name: "a", ContainerID: "containerd://" + name, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
		}},
	}
	return pod
}

func set(name, deployment string) *appsv1.ReplicaSet {
	return &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default", OwnerReferences: ownedBy("Deployment", deployment)}}
}

func shop(demand string) *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "shop", Namespace: "default", Annotations: map[string]string{demandAnnotation: demand}},
		Spec:       appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{MatchLabels: shopLabels}},
	}
}

func readyNode(name string, status corev1.ConditionStatus) *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Status:     corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: status}}},
	}
}

// ask gets an answer of the metrics API in a cluster of these objects.
func ask(t *testing.T, root, path string, into any, objects ...runtime.Object) int {
	t.Helper()
	meter := &meter{client: fake.NewClientset(objects...), real: "real-1", usage: newUsage(root)}
	answer := httptest.NewRecorder()
	meter.handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, metricsRoot+path, nil))
	if err := json.Unmarshal(answer.Body.Bytes(), into); err != nil {
		t.Fatalf("%s: %v in %s", path, err, answer.Body)
	}
	return answer.Code
}

func usages(list metrics.PodMetricsList) []string {
	var all []string
	for _, pod := range list.Items {
		for _, one := range pod.Containers {
			all = append(all, fmt.Sprintf("%s %s %s", pod.Name, one.Usage.Cpu(), one.Usage.Memory()))
		}
	}
	slices.Sort(all)
	return all
}

func TestDemandIsSharedByThePodsThatServe(t *testing.T) {
	silent := readyPod("silent", "worker-3", "new")
	silent.Status.Conditions[0].Status = corev1.ConditionFalse
	limited := readyPod("limited", "worker-1", "new")
	limited.Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m")}
	var list metrics.PodMetricsList
	code := ask(t, t.TempDir(), "/pods", &list, shop("1200m"), set("old", "shop"), set("new", "shop"),
		readyPod("a", "worker-1", "old"), readyPod("b", "worker-2", "new"), limited, silent,
		simulatedPod("shop:v1"), readyPod("bare", "worker-1", ""), readyPod("other", "worker-1", "lost"))
	wanted := []string{"a 400m 32Mi", "b 400m 32Mi", "bare 5m 32Mi", "limited 100m 32Mi", "other 5m 32Mi"}
	if got := usages(list); code != http.StatusOK || !slices.Equal(got, wanted) || list.Kind != "PodMetricsList" {
		t.Errorf("%d %q", code, got)
	}
}

func TestDemandThatIsNoAmountIsNone(t *testing.T) {
	for _, text := range []string{"", "much", "-5"} {
		var list metrics.PodMetricsList
		ask(t, t.TempDir(), "/namespaces/default/pods", &list, shop(text), set("new", "shop"), readyPod("a", "worker-1", "new"))
		if got := usages(list); !slices.Equal(got, []string{"a 5m 32Mi"}) {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestRealPodsAreMeasured(t *testing.T) {
	root := t.TempDir()
	writeGroup(t, root, "real", "1000", "1048576")
	var list metrics.PodMetricsList
	ask(t, root, "/pods", &list, shop("1200m"), set("new", "shop"),
		readyPod("real", "real-1", "new"), readyPod("unread", "real-1", "new"), readyPod("a", "worker-1", "new"))
	if got := usages(list); !slices.Equal(got, []string{"a 1200m 32Mi", "real 0 1Mi"}) && !slices.Equal(got, []string{"a 1200m 32Mi", "real 0m 1Mi"}) {
		t.Errorf("%q", got)
	}
}

func TestOnePodOrNone(t *testing.T) {
	var one metrics.PodMetrics
	pod := readyPod("a", "worker-1", "")
	if code := ask(t, t.TempDir(), "/namespaces/default/pods/a", &one, pod); code != http.StatusOK || one.Name != "a" || one.Kind != "PodMetrics" {
		t.Errorf("%d %+v", code, one)
	}
	for _, path := range []string{"/namespaces/default/pods/b", "/nodes/x"} {
		var status metav1.Status
		if code := ask(t, t.TempDir(), path, &status, pod); code != http.StatusNotFound || status.Reason != metav1.StatusReasonNotFound {
			t.Errorf("%s: %d %+v", path, code, status)
		}
	}
	var list metrics.PodMetricsList
	if code := ask(t, t.TempDir(), "/namespaces/default/pods", &list); code != http.StatusOK || list.Items == nil || len(list.Items) != 0 {
		t.Errorf("no Pods: %d %+v", code, list)
	}
}

func TestSelectorsAreHandedOn(t *testing.T) {
	other := readyPod("b", "worker-1", "")
	other.Labels = map[string]string{"app": "other"}
	var list metrics.PodMetricsList
	ask(t, t.TempDir(), "/namespaces/default/pods?labelSelector=app%3Dshop", &list, readyPod("a", "worker-1", ""), other)
	if got := usages(list); !slices.Equal(got, []string{"a 5m 32Mi"}) {
		t.Errorf("%q", got)
	}
}

func TestNodesHaveWhatTheirPodsUse(t *testing.T) {
	root := t.TempDir()
	writeGroup(t, root, "", "1000", "1073741824")
	objects := []runtime.Object{
		readyNode("worker-1", "True"), readyNode("worker-2", "Unknown"), readyNode("real-1", "True"),
		shop("600m"), set("new", "shop"), readyPod("a", "worker-1", "new"), readyPod("b", "worker-1", "new"),
	}
	var list metrics.NodeMetricsList
	ask(t, root, "/nodes", &list, objects...)
	got := map[string]int64{}
	for _, node := range list.Items {
		got[node.Name+" cpu"], got[node.Name+" Mi"] = node.Usage.Cpu().MilliValue(), node.Usage.Memory().Value()>>20
	}
	wanted := map[string]int64{"worker-1 cpu": 640, "worker-1 Mi": 320, "real-1 cpu": 0, "real-1 Mi": 1024}
	if len(got) != len(wanted) {
		t.Errorf("%v", got)
	}
	for key, value := range wanted {
		if got[key] != value {
			t.Errorf("%s: %d, not %d", key, got[key], value)
		}
	}
	var one metrics.NodeMetrics
	if code := ask(t, root, "/nodes/worker-1", &one, objects...); code != http.StatusOK || one.Usage.Cpu().MilliValue() != 640 {
		t.Errorf("%d %+v", code, one)
	}
}

func TestTheAPIDescribesItself(t *testing.T) {
	var list metav1.APIResourceList
	if code := ask(t, "", "", &list); code != http.StatusOK || len(list.APIResources) != 2 || list.GroupVersion != "metrics.k8s.io/v1beta1" {
		t.Errorf("%d %+v", code, list)
	}
}
