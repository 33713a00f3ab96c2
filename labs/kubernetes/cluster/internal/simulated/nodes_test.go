package simulated

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"

	"naru/cluster/internal/config"
)

func testConfig(t *testing.T) config.Config {
	c := config.Default()
	c.Directory = t.TempDir()
	c.Simulated.Images = []string{"shop:v1", "nginx", "library/web"}
	return c
}

func nodeOf(t *testing.T, c config.Config, number int, annotations map[string]string) *corev1.Node {
	t.Helper()
	node, err := describe(workerName(number), number, c)
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range annotations {
		node.Annotations[key] = value
	}
	return node
}

func TestDescribeMakesANodeAsConfigured(t *testing.T) {
	c := testConfig(t)
	c.Simulated.Labels = map[string]string{"zone": "a"}
	c.Simulated.Taint = "naru.dev/simulated=true:NoSchedule"
	node := nodeOf(t, c, 2, nil)
	if node.Name != "worker-2" || node.Labels["zone"] != "a" || node.Labels[simulatedLabel] != "true" || !isSimulated(node) {
		t.Errorf("metadata: %+v", node.ObjectMeta)
	}
	wanted := []corev1.Taint{{Key: "naru.dev/simulated", Value: "true", Effect: corev1.TaintEffectNoSchedule}}
	if !slices.Equal(node.Spec.Taints, wanted) {
		t.Errorf("taints: %v", node.Spec.Taints)
	}
	if node.Status.Addresses[0].Address != "10.0.0.12" || node.Status.Capacity.Cpu().Value() != 4 || node.Status.Allocatable.Pods().Value() != 4000 {
		t.Errorf("status: %+v", node.Status)
	}
}

func TestDescribeNamesWhatIsWrong(t *testing.T) {
	for text, change := range map[string]func(*config.Config){
		`simulated.cpu: "x": quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`: func(c *config.Config) { c.Simulated.CPU = "x" },
		`simulated.taint: "a=b" is not key=value:Effect`:                                                                  func(c *config.Config) { c.Simulated.Taint = "a=b" },
		`simulated.taint: "a:Never" is not key=value:Effect`:                                                              func(c *config.Config) { c.Simulated.Taint = "a:Never" },
		`real.address: ::1 has no address for node 1 beside it`:                                                           func(c *config.Config) { c.Real.Address = "::1" },
	} {
		c := testConfig(t)
		change(&c)
		if _, err := describe("worker-1", 1, c); err == nil || err.Error() != text {
			t.Errorf("%v, not %s", err, text)
		}
	}
}

func names(t *testing.T, client *fake.Clientset) []string {
	t.Helper()
	nodes, err := client.CoreV1().Nodes().List(context.Background(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for i := range nodes.Items {
		all = append(all, nodes.Items[i].Name)
	}
	slices.Sort(all)
	return all
}

func TestSetMakesAndTakesSimulatedNodesOnly(t *testing.T) {
	c := testConfig(t)
	real := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "real-1"}}
	look := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "worker-9"}} // not ours
	client := fake.NewClientset(real, look, nodeOf(t, c, 1, map[string]string{"kept": "yes"}), nodeOf(t, c, 4, nil))
	c.Real.Name = "real-1"
	nodes := New(client, c)
	if err := nodes.Set(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if got := names(t, client); !slices.Equal(got, []string{"real-1", "worker-1", "worker-2", "worker-9"}) {
		t.Errorf("nodes: %v", got)
	}
	if got := nodes.Names(); !slices.Equal(got, []string{"worker-1", "worker-2", "real-1"}) {
		t.Errorf("names: %v", got)
	}
	kept, err := client.CoreV1().Nodes().Get(t.Context(), "worker-1", metav1.GetOptions{})
	if err != nil || kept.Annotations["kept"] != "yes" {
		t.Errorf("a present node was replaced: %v %v", kept, err)
	}
}

func TestANodeThatSomebodyDeletesGoesWithItsPods(t *testing.T) {
	c := testConfig(t)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "a", Namespace: "default", UID: "1"}, Spec: corev1.PodSpec{NodeName: "worker-2"}}
	client := fake.NewClientset(pod)
	nodes := New(client, c)
	node := nodeOf(t, c, 2, nil)
	if err := nodes.store.Add(node); err != nil {
		t.Fatal(err)
	}
	if err := nodes.look(t.Context(), node.Name); err != nil {
		t.Fatal(err)
	}
	if err := nodes.store.Delete(node); err != nil {
		t.Fatal(err)
	}
	if err := nodes.look(t.Context(), node.Name); err != nil {
		t.Fatal(err)
	}
	if got := nodes.Names(); !slices.Equal(got, []string{"worker-1", "worker-3"}) {
		t.Errorf("names: %v", got)
	}
	var asked, deleted bool
	for _, action := range client.Actions() {
		if list, ok := action.(clienttesting.ListAction); ok && action.GetResource().Resource == "pods" {
			asked = list.GetListRestrictions().Fields.String() == "spec.nodeName=worker-2"
		}
		if removal, ok := action.(clienttesting.DeleteActionImpl); ok && removal.Name == "a" {
			deleted = ptr.Deref(removal.DeleteOptions.GracePeriodSeconds, 30) == 0
		}
	}
	if !asked || !deleted {
		t.Errorf("asked for its Pods: %v, deleted at once: %v", asked, deleted)
	}
}

func look(t *testing.T, nodes *Nodes, node *corev1.Node) string {
	t.Helper()
	if err := nodes.store.Add(node); err != nil {
		t.Fatal(err)
	}
	if err := nodes.look(t.Context(), node.Name); err != nil {
		t.Fatal(err)
	}
	lease, err := nodes.client.CoordinationV1().Leases(corev1.NamespaceNodeLease).Get(t.Context(), node.Name, metav1.GetOptions{})
	if err != nil {
		return "none"
	}
	return ptr.Deref(lease.Spec.HolderIdentity, "nobody")
}

func TestPowerTakesTheLeaseAndGivesItBack(t *testing.T) {
	c := testConfig(t)
	lease := takenLease(nodeOf(t, c, 1, nil))
	lease.Spec.HolderIdentity, lease.Spec.LeaseDurationSeconds = ptr.To("kwok"), ptr.To[int32](6)
	renewed := metav1.NewMicroTime(time.Unix(1_800_000_000, 0))
	lease.Spec.RenewTime = &renewed
	nodes := New(fake.NewClientset(lease), c)
	on, off := nodeOf(t, c, 1, map[string]string{powerAnnotation: "on"}), nodeOf(t, c, 1, map[string]string{powerAnnotation: "off"})
	for i, step := range []struct {
		node *corev1.Node
		held string
	}{{on, "kwok"}, {off, holder}, {off, holder}, {nodeOf(t, c, 1, nil), "nobody"}, {off, holder}} {
		if held := look(t, nodes, step.node); held != step.held {
			t.Errorf("step %d: held by %s, not %s", i, held, step.held)
		}
	}
	taken, err := nodes.client.CoordinationV1().Leases(corev1.NamespaceNodeLease).Get(t.Context(), "worker-1", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !taken.Spec.RenewTime.Equal(&renewed) || *taken.Spec.LeaseDurationSeconds < 365*86400 {
		t.Errorf("a taken lease says something of its node: %+v", taken.Spec)
	}
}

func TestPowerIsTakenFromANodeWithoutALease(t *testing.T) {
	c := testConfig(t)
	nodes := New(fake.NewClientset(), c)
	if held := look(t, nodes, nodeOf(t, c, 1, map[string]string{powerAnnotation: "off"})); held != holder {
		t.Errorf("held by %s", held)
	}
	if held := look(t, nodes, nodeOf(t, c, 2, nil)); held != "none" {
		t.Errorf("a node with power got a lease of %s", held)
	}
}

func TestPowerOfTheRealNodeIsAFile(t *testing.T) {
	c := testConfig(t)
	c.Real.Name = "real-1"
	nodes := New(fake.NewClientset(), c)
	there := func() bool {
		_, err := os.Stat(filepath.Join(c.Directory, "node-off"))
		return err == nil
	}
	off := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "real-1", Annotations: map[string]string{powerAnnotation: "off"}}}
	on := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "real-1"}}
	look(t, nodes, off)
	if !there() {
		t.Error("off: no file")
	}
	look(t, nodes, on)
	if there() {
		t.Error("on: the file is still there")
	}
	look(t, nodes, off)
	if err := nodes.store.Delete(off); err != nil {
		t.Fatal(err)
	}
	if err := nodes.look(t.Context(), "real-1"); err != nil || there() {
		t.Errorf("deleted: its kubelet may not come back (%v)", err)
	}
}

func TestOnlyPowerMattersOfANode(t *testing.T) {
	c := testConfig(t)
	nodes := New(fake.NewClientset(), c)
	before := nodeOf(t, c, 1, nil)
	before.ResourceVersion = "1"
	after := before.DeepCopy()
	after.ResourceVersion, after.Status.Phase = "2", corev1.NodeRunning
	if nodes.matters(before, after) || nodes.matters(before, before) {
		t.Error("a heartbeat or a resync of a node with power is looked at")
	}
	after.Annotations[powerAnnotation] = "off"
	if !nodes.matters(before, after) || !nodes.matters(after, after) {
		t.Error("power, or a resync of a node without it, is not looked at")
	}
}
