package state

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/k3s-io/kine/pkg/server"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"

	"naru/cluster/internal/store"
)

// stored is an object as the API server keeps it.
func stored(t *testing.T, object runtime.Object) []byte {
	t.Helper()
	kinds, _, err := scheme.Scheme.ObjectKinds(object)
	if err != nil {
		t.Fatal(err)
	}
	object.GetObjectKind().SetGroupVersionKind(kinds[0])
	var text bytes.Buffer
	if err := protobuf.NewSerializer(scheme.Scheme, scheme.Scheme).Encode(object, &text); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

func named(namespace, name, uid string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(uid)}
}

func configMap(t *testing.T, namespace, name, uid, text string) []byte {
	t.Helper()
	return stored(t, &corev1.ConfigMap{ObjectMeta: named(namespace, name, uid), Data: map[string]string{"text": text}})
}

// cluster is a store with such keys, below /registry/.
func cluster(t *testing.T, keys map[string][]byte) *Gate {
	t.Helper()
	backend := store.New()
	for key, value := range keys {
		if _, err := backend.Create(t.Context(), root+key, value, 0); err != nil {
			t.Fatal(err)
		}
	}
	g := NewGate(backend)
	g.Alone = func(_ context.Context, change func() error) error { return change() }
	g.Told = func(context.Context) error { return nil }
	return g
}

// content are the keys of a store, below /registry/.
func content(t *testing.T, g *Gate) map[string][]byte {
	t.Helper()
	_, all, err := g.List(t.Context(), "/", "0", 0, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string][]byte{}
	for _, one := range all {
		if one.Key == server.HealthKey { // each store's own
			continue
		}
		keys[strings.TrimPrefix(one.Key, root)] = one.Value
	}
	return keys
}

func names(keys map[string][]byte) string {
	var all []string
	for key := range keys {
		all = append(all, key)
	}
	sort.Strings(all)
	return strings.Join(all, " ")
}

func packed(t *testing.T, lines ...any) []byte {
	t.Helper()
	var text bytes.Buffer
	zip := gzip.NewWriter(&text)
	for _, line := range lines {
		if err := json.NewEncoder(zip).Encode(line); err != nil {
			t.Fatal(err)
		}
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

func load(t *testing.T, g *Gate, state []byte) {
	t.Helper()
	if err := g.Load(t.Context(), bytes.NewReader(state)); err != nil {
		t.Fatal(err)
	}
}

func save(t *testing.T, g *Gate) []byte {
	t.Helper()
	state, err := g.Save(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func TestSaveAndLoadMoveWhatSomebodyMade(t *testing.T) {
	made := map[string][]byte{
		"configmaps/team/conf":        configMap(t, "team", "conf", "1", "hello"),
		"secrets/team/key":            stored(t, &corev1.Secret{ObjectMeta: named("team", "key", "2"), Data: map[string][]byte{"token": {0, 255}}}),
		"namespaces/team":             stored(t, &corev1.Namespace{ObjectMeta: named("", "team", "3")}),
		"food.example/cakes/team/one": []byte(`{"apiVersion":"food.example/v1","kind":"Cake","metadata":{"name":"one","namespace":"team","uid":"4"}}`),
		"pods/team/a":                 stored(t, &corev1.Pod{ObjectMeta: named("team", "a", "5"), Status: corev1.PodStatus{Phase: corev1.PodSucceeded}}),
	}
	from := cluster(t, made)
	for _, own := range []string{
		"events/team/e", "leases/kube-node-lease/worker-1", "configmaps/team/kube-root-ca.crt", "services/specs/default/kubernetes",
		"apiregistration.k8s.io/apiservices/v1.", "csinodes/real-1",
	} {
		if _, err := from.Backend.Create(t.Context(), root+own, configMap(t, "", "x", "9", ""), 0); err != nil {
			t.Fatal(err)
		}
	}
	to := cluster(t, nil)
	load(t, to, save(t, from))
	got := content(t, to)
	if names(got) != names(made) {
		t.Errorf("got  %s\nwant %s", names(got), names(made))
	}
	for key, value := range made {
		if !bytes.Equal(got[key], value) {
			t.Errorf("%s changed", key)
		}
	}
}

func TestPodsOfTheRealNodeThatAreMadeAnewBeginAnew(t *testing.T) {
	status := corev1.PodStatus{
		Phase: corev1.PodRunning, PodIP: "10.88.0.4", QOSClass: corev1.PodQOSBurstable,
		Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: "True"}, {Type: corev1.PodScheduled, Status: "True"}},
		ContainerStatuses: []corev1.ContainerStatus{{Name: "c", Ready: true, RestartCount: 3}},
	}
	pod := &corev1.Pod{ObjectMeta: named("team", "a", "5"), Spec: corev1.PodSpec{NodeName: "real-1"}, Status: status}
	state := save(t, cluster(t, map[string][]byte{"pods/team/a": stored(t, pod)}))
	ending := pod.DeepCopy()
	ending.DeletionTimestamp = &metav1.Time{Time: time.Now()}
	for name, c := range map[string]struct {
		here map[string][]byte
		anew bool
	}{
		"nothing is there":    {nil, true},
		"it is there":         {map[string][]byte{"pods/team/a": stored(t, pod)}, false},
		"it is about to end":  {map[string][]byte{"pods/team/a": stored(t, ending)}, true},
		"another of its name": {map[string][]byte{"pods/team/a": stored(t, &corev1.Pod{ObjectMeta: named("team", "a", "6")})}, true},
	} {
		g := cluster(t, c.here)
		g.Real = "real-1"
		load(t, g, state)
		got, err := podOf(content(t, g)["pods/team/a"])
		if err != nil {
			t.Fatal(name, err)
		}
		if got.Spec.NodeName != "real-1" || got.DeletionTimestamp != nil || (got.UID != "5") != c.anew || got.UID == "6" {
			t.Errorf("%s: %+v", name, got)
		}
		begun := got.Status.Phase == corev1.PodPending && len(got.Status.ContainerStatuses) == 0 && got.Status.PodIP == "" &&
			len(got.Status.Conditions) == 1 && got.Status.QOSClass == corev1.PodQOSBurstable
		if begun != c.anew {
			t.Errorf("%s: %+v", name, got.Status)
		}
	}
	g := cluster(t, nil)
	g.Real = "real-2"
	load(t, g, state)
	if got, err := podOf(content(t, g)["pods/team/a"]); err != nil || got.UID != "5" || got.Status.Phase != corev1.PodRunning {
		t.Errorf("of a simulated node: %+v, %v", got, err)
	}
}

func TestPodsThatHaveNotBegunAreShownOnceMore(t *testing.T) {
	pods := map[string][]byte{}
	for name, phase := range map[string]corev1.PodPhase{"a": corev1.PodPending, "b": corev1.PodRunning, "c": corev1.PodSucceeded} {
		pods["pods/team/"+name] = stored(t, &corev1.Pod{ObjectMeta: named("team", name, name), Status: corev1.PodStatus{Phase: phase}})
	}
	g := cluster(t, nil)
	load(t, g, save(t, cluster(t, pods)))
	for key, value := range pods {
		_, now, err := g.Backend.Get(t.Context(), root+key, 0, false)
		if err != nil || !bytes.Equal(now.Value, value) {
			t.Fatal(key, err)
		}
		if shown := now.ModRevision > now.CreateRevision; shown != (key == "pods/team/a") {
			t.Errorf("%s was shown once more: %v", key, shown)
		}
	}
}

func TestLoadReplacesByAsFewWritesAsPossible(t *testing.T) {
	team := stored(t, &corev1.Namespace{ObjectMeta: named("", "team", "3")})
	before := map[string][]byte{
		"namespaces/team": team, "configmaps/team/same": configMap(t, "team", "same", "1", "a"),
		"configmaps/team/edited": configMap(t, "team", "edited", "2", "a"), "configmaps/team/another": configMap(t, "team", "another", "3", "a"),
		"configmaps/team/gone": configMap(t, "team", "gone", "4", "a"),
	}
	after := map[string][]byte{
		"namespaces/team": team, "configmaps/team/same": before["configmaps/team/same"],
		"configmaps/team/edited": configMap(t, "team", "edited", "2", "b"), "configmaps/team/another": configMap(t, "team", "another", "33", "a"),
		"configmaps/team/new": configMap(t, "team", "new", "5", "a"),
	}
	g := cluster(t, before)
	revision, _ := g.CurrentRevision(t.Context())
	load(t, g, save(t, cluster(t, after)))
	if got := content(t, g); names(got) != names(after) {
		t.Errorf("got %s", names(got))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	var seen []string
	for events := range g.Watch(ctx, root, root[:len(root)-1]+"0", revision+1).Events {
		for _, event := range events {
			word := "changed"
			if event.Create {
				word = "created"
			}
			if event.Delete {
				word = "deleted"
			}
			seen = append(seen, word+" "+strings.TrimPrefix(event.KV.Key, root+"configmaps/team/"))
		}
		if len(seen) >= 5 {
			cancel()
		}
	}
	sort.Strings(seen)
	if got, want := strings.Join(seen, ", "), "changed edited, created another, created new, deleted another, deleted gone"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestLoadTellsOfOwnersBeforeWhatTheyOwn(t *testing.T) {
	pod := stored(t, &corev1.Pod{ObjectMeta: named("team", "a", "5")})
	other := stored(t, &corev1.ConfigMap{ObjectMeta: named("team", "a", "6")})
	before := map[string][]byte{"pods/team/old": pod, "deployments/team/old": other, "namespaces/old": other}
	after := map[string][]byte{"pods/team/a": pod, "replicasets/team/a": other, "deployments/team/a": other, "namespaces/team": other}
	g := cluster(t, before)
	revision, _ := g.CurrentRevision(t.Context())
	load(t, g, save(t, cluster(t, after)))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	var seen []string
	for events := range g.Watch(ctx, root, root[:len(root)-1]+"0", revision+1).Events {
		for _, event := range events {
			seen = append(seen, strings.TrimPrefix(event.KV.Key, root))
		}
		if len(seen) >= 7 {
			cancel()
		}
	}
	want := "pods/team/old deployments/team/old namespaces/old namespaces/team deployments/team/a replicasets/team/a pods/team/a"
	if got := strings.Join(seen, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestLoadKeepsWhatEachClusterMakesForItself(t *testing.T) {
	role := stored(t, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "admin", UID: "1", Labels: map[string]string{bootLabel: "rbac-defaults"}}})
	here := map[string][]byte{
		"clusterroles/admin": role,
		"ipaddresses/10.96.0.1": stored(t, &networkingv1.IPAddress{
			ObjectMeta: named("", "10.96.0.1", "11"), Spec: networkingv1.IPAddressSpec{ParentRef: &networkingv1.ParentReference{Namespace: "default", Name: "kubernetes"}},
		}),
		"ipaddresses/10.96.0.7": stored(t, &networkingv1.IPAddress{
			ObjectMeta: named("", "10.96.0.7", "12"), Spec: networkingv1.IPAddressSpec{ParentRef: &networkingv1.ParentReference{Namespace: "team", Name: "shop"}},
		}),
		"namespaces/default":                          stored(t, &corev1.Namespace{ObjectMeta: named("", "default", "2")}),
		"services/specs/kube-system/metrics-server":   configMap(t, "kube-system", "metrics-server", "3", "here"),
		"configmaps/default/kube-root-ca.crt":         configMap(t, "default", "kube-root-ca.crt", "4", "here"),
		"apiregistration.k8s.io/apiservices/v1.apps":  configMap(t, "", "v1.apps", "5", "here"),
		"namespaces/team":                             stored(t, &corev1.Namespace{ObjectMeta: named("", "team", "6")}),
		"configmaps/team/kube-root-ca.crt":            configMap(t, "team", "kube-root-ca.crt", "7", "here"),
		"events/team/gone":                            configMap(t, "team", "gone", "8", "here"),
		"events/default/stays":                        configMap(t, "default", "stays", "9", "here"),
		"daemonsets/kube-system/made-after-the-state": configMap(t, "kube-system", "made-after-the-state", "10", "here"),
	}
	labelled := stored(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "default", UID: "22", Labels: map[string]string{"a": "b"}}})
	state := packed(t, head{Format: format},
		saved{root + "namespaces/default", labelled},
		saved{root + "services/specs/kube-system/metrics-server", configMap(t, "kube-system", "metrics-server", "33", "saved")},
		saved{root + "configmaps/default/kube-root-ca.crt", configMap(t, "default", "kube-root-ca.crt", "44", "saved")},
	)
	g := cluster(t, here)
	load(t, g, state)
	got := content(t, g)
	want := "apiregistration.k8s.io/apiservices/v1.apps clusterroles/admin configmaps/default/kube-root-ca.crt events/default/stays " +
		"ipaddresses/10.96.0.1 namespaces/default services/specs/kube-system/metrics-server"
	if names(got) != want {
		t.Errorf("got  %s\nwant %s", names(got), want)
	}
	for _, key := range []string{"services/specs/kube-system/metrics-server", "configmaps/default/kube-root-ca.crt"} {
		if !bytes.Equal(got[key], here[key]) {
			t.Errorf("%s was replaced", key)
		}
	}
	if !bytes.Equal(got["namespaces/default"], labelled) {
		t.Error("the labels of the namespace default are lost")
	}
}

func node(name, uid string, change func(*corev1.Node)) *corev1.Node {
	one := &corev1.Node{ObjectMeta: named("", name, uid), Spec: corev1.NodeSpec{PodCIDR: "10.244.0.0/24"}}
	one.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "10.0.0." + uid}}
	change(one)
	return one
}

func TestNodesStayAndTakeWhatWasDecidedAboutThem(t *testing.T) {
	from := cluster(t, map[string][]byte{
		"minions/worker-1": stored(t, node("worker-1", "1", func(one *corev1.Node) {
			one.Labels, one.Annotations = map[string]string{"disk": "ssd"}, map[string]string{"naru.dev/power": "on"}
			one.Spec.Unschedulable = true
			one.Spec.Taints = []corev1.Taint{
				{Key: "team", Value: "a", Effect: corev1.TaintEffectNoSchedule}, {Key: corev1.TaintNodeUnreachable, Effect: corev1.TaintEffectNoExecute},
				{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule},
			}
		})),
		"minions/worker-9": stored(t, node("worker-9", "9", func(*corev1.Node) {})),
	})
	to := cluster(t, map[string][]byte{
		"minions/worker-1": stored(t, node("worker-1", "100", func(one *corev1.Node) {
			one.Annotations = map[string]string{"naru.dev/power": "off"}
			one.Spec.PodCIDR = "10.244.5.0/24"
			one.Spec.Taints = []corev1.Taint{{Key: corev1.TaintNodeNotReady, Effect: corev1.TaintEffectNoSchedule}}
		})),
		"minions/worker-2": stored(t, node("worker-2", "200", func(*corev1.Node) {})),
	})
	load(t, to, save(t, from))
	got := content(t, to)
	if names(got) != "minions/worker-1 minions/worker-2" {
		t.Fatalf("got %s", names(got))
	}
	one, err := nodeOf(got["minions/worker-1"])
	if err != nil {
		t.Fatal(err)
	}
	var taints []string
	for _, taint := range one.Spec.Taints {
		taints = append(taints, taint.Key)
	}
	sort.Strings(taints)
	want := "node.kubernetes.io/not-ready node.kubernetes.io/unschedulable team"
	if strings.Join(taints, " ") != want || !one.Spec.Unschedulable || one.Labels["disk"] != "ssd" || one.Annotations["naru.dev/power"] != "on" {
		t.Errorf("%+v", one)
	}
	if one.UID != "100" || one.Spec.PodCIDR != "10.244.5.0/24" || len(one.Status.Addresses) != 1 || one.Status.Addresses[0].Address != "10.0.0.100" {
		t.Errorf("the node is not itself any more: %+v", one)
	}
}

func TestSaveLeavesOutTheStatusOfNodes(t *testing.T) {
	g := cluster(t, map[string][]byte{"minions/worker-1": stored(t, node("worker-1", "1", func(*corev1.Node) {}))})
	objects, err := read(bytes.NewReader(save(t, g)))
	if err != nil {
		t.Fatal(err)
	}
	one, err := nodeOf(objects[nodesFolder+"worker-1"])
	if err != nil || len(one.Status.Addresses) != 0 {
		t.Errorf("%+v, %v", one, err)
	}
}

func TestOthersMayNotWriteWhileAStateIsLoaded(t *testing.T) {
	here := map[string][]byte{"configmaps/team/a": configMap(t, "team", "a", "1", "")}
	g := cluster(t, here)
	state := save(t, g)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	g.Told = func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	go func() { done <- g.Load(ctx, bytes.NewReader(state)) }()
	for g.loading.TryRLock() { // until it has begun
		g.loading.RUnlock()
		time.Sleep(time.Millisecond)
	}
	value := configMap(t, "team", "b", "2", "")
	if _, err := g.Create(ctx, root+"configmaps/team/b", value, 0); !errors.Is(err, errLoading) {
		t.Errorf("create: %v", err)
	}
	if _, _, _, err := g.Update(ctx, root+"configmaps/team/a", value, 1, 0); !errors.Is(err, errLoading) {
		t.Errorf("update: %v", err)
	}
	if _, _, _, err := g.Delete(ctx, root+"configmaps/team/a", 0); !errors.Is(err, errLoading) {
		t.Errorf("delete: %v", err)
	}
	if _, err := g.Create(ctx, root+"events/team/e", value, 0); !errors.Is(err, errLoading) {
		t.Errorf("an event: %v", err)
	}
	for _, key := range []string{root + "leases/kube-node-lease/worker-1", root + "priorityclasses/system-node-critical", "/compact_rev_key"} {
		revision, err := g.Create(ctx, key, value, 0)
		if err != nil {
			t.Errorf("%s: %v", key, err)
		}
		if _, _, ok, err := g.Update(ctx, key, value, revision, 0); !ok || err != nil {
			t.Errorf("%s: %v", key, err)
		}
		if _, _, ok, err := g.Delete(ctx, key, 0); !ok || err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := g.Create(t.Context(), root+"configmaps/team/b", value, 0); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if _, _, ok, err := g.Delete(t.Context(), root+"configmaps/team/b", 0); !ok || err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestLoadChangesTheStoreWhileNoControllerRuns(t *testing.T) {
	value := configMap(t, "team", "a", "1", "")
	g := cluster(t, map[string][]byte{"configmaps/team/here": value})
	state := save(t, cluster(t, map[string][]byte{"configmaps/team/there": value}))
	var steps []string
	step := func(word string) { steps = append(steps, word+": "+names(content(t, g))) }
	g.Alone = func(_ context.Context, change func() error) error {
		step("controllers stop")
		defer step("controllers start")
		return change()
	}
	g.Told = func(context.Context) error {
		step("all are told")
		return nil
	}
	load(t, g, state)
	want := "controllers stop: configmaps/team/here, all are told: configmaps/team/there, controllers start: configmaps/team/there"
	if got := strings.Join(steps, ", "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestLoadOfWhatIsNoStateDisturbsNoController(t *testing.T) {
	g := cluster(t, nil)
	g.Alone = func(context.Context, func() error) error {
		t.Error("the controllers were stopped")
		return nil
	}
	if err := g.Load(t.Context(), strings.NewReader("hello")); !errors.Is(err, ErrBadState) {
		t.Error(err)
	}
}

func TestAPodThatEndsComesBackAsANewOne(t *testing.T) {
	lives, ends := named("team", "a", "1"), named("team", "a", "1")
	ends.DeletionTimestamp = &metav1.Time{Time: time.Unix(1_800_000_000, 0)}
	for key, want := range map[string]bool{"pods/team/a": true, "deployments/team/a": false} {
		here, saved := stored(t, &corev1.Pod{ObjectMeta: ends}), stored(t, &corev1.Pod{ObjectMeta: lives})
		if _, fresh, err := next(root+key, here, saved); err != nil || fresh != want {
			t.Errorf("%s: %v, %v", key, fresh, err)
		}
		if _, fresh, err := next(root+key, saved, saved); err != nil || fresh {
			t.Errorf("%s lives on: %v, %v", key, fresh, err)
		}
	}
}

func TestLoadRefusesWhatIsNoState(t *testing.T) {
	good := configMap(t, "team", "a", "1", "")
	var tooMany []any
	tooMany = append(tooMany, head{Format: format})
	for i := range mostObjects + 1 {
		tooMany = append(tooMany, saved{fmt.Sprint(root, "configmaps/team/", i), good})
	}
	bomb := packed(t, head{Format: format}, saved{root + "configmaps/team/a", good}, strings.Repeat(" ", mostLine+10))
	cases := map[string]struct {
		state []byte
		want  error
	}{
		"nothing":             {nil, ErrBadState},
		"not gzip":            {[]byte("hello"), ErrBadState},
		"no head":             {packed(t, saved{root + "configmaps/team/a", good}), ErrBadState},
		"another format":      {packed(t, head{Format: "naru-cluster-state/99"}), ErrBadState},
		"not a line":          {packed(t, head{Format: format}, "text"), ErrBadState},
		"outside":             {packed(t, head{Format: format}, saved{"/etc/passwd", good}), ErrBadState},
		"no value":            {packed(t, head{Format: format}, saved{root + "configmaps/team/a", nil}), ErrBadState},
		"not an object":       {packed(t, head{Format: format}, saved{root + "configmaps/team/a", []byte("hello")}), ErrBadState},
		"an object of no one": {packed(t, head{Format: format}, saved{root + "configmaps/team/a", []byte("{}")}), ErrBadState},
		"no Pod":              {packed(t, head{Format: format}, saved{root + "pods/team/a", good}), ErrBadState},
		"a node that is none": {packed(t, head{Format: format}, saved{nodesFolder + "a", good}), ErrBadState},
		"cut off":             {save(t, cluster(t, map[string][]byte{"configmaps/team/a": good}))[:60], ErrBadState},
		"too many":            {packed(t, tooMany...), ErrTooLong},
		"a very long line":    {bomb, ErrBadState},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			g := cluster(t, map[string][]byte{"configmaps/team/here": good})
			if err := g.Load(t.Context(), bytes.NewReader(c.state)); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if names(content(t, g)) != "configmaps/team/here" {
				t.Error("something was written")
			}
		})
	}
}

func TestSaveRefusesWhatIsTooLong(t *testing.T) {
	noise := make([]byte, 1<<20)
	_, _ = rand.Read(noise)
	keys := map[string][]byte{}
	for i := range 5 {
		name := fmt.Sprint("s", i)
		keys["secrets/team/"+name] = stored(t, &corev1.Secret{ObjectMeta: named("team", name, name), Data: map[string][]byte{"noise": noise}})
		_, _ = rand.Read(noise)
	}
	if _, err := cluster(t, keys).Save(t.Context()); !errors.Is(err, ErrTooLong) {
		t.Error(err)
	}
}

var _ server.Backend = (*Gate)(nil)

func TestWhatAClusterCannotDoWithout(t *testing.T) {
	for key, wanted := range map[string]bool{
		"/registry/leases/kube-node-lease/worker-1":                             true,
		"/registry/masterleases/127.0.0.1":                                      true,
		"compact_rev_key_apiserver":                                             true,
		"/registry/clusterroles/system:node":                                    true,
		"/registry/clusterrolebindings/cluster-admin":                           true,
		"/registry/rolebindings/kube-public/system:controller:bootstrap-signer": true,
		"/registry/clusterroles/mine":                                           false,
		"/registry/rolebindings/default/mine":                                   false,
		"/registry/events/default/shop.1":                                       false,
		"/registry/pods/default/shop":                                           false,
		"/registry/secrets/kube-system/mine":                                    false,
	} {
		if Needed(key) != wanted {
			t.Errorf("%s: %v", key, !wanted)
		}
	}
}
