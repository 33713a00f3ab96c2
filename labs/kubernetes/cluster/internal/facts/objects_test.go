package facts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery/cached/memory"
	discoveryfake "k8s.io/client-go/discovery/fake"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"
)

var known = []*metav1.APIResourceList{
	{GroupVersion: "v1", APIResources: []metav1.APIResource{
		{Name: "pods", SingularName: "pod", Kind: "Pod", Namespaced: true, ShortNames: []string{"po"}, Verbs: metav1.Verbs{"get", "list"}},
		{Name: "configmaps", SingularName: "configmap", Kind: "ConfigMap", Namespaced: true, ShortNames: []string{"cm"}, Verbs: metav1.Verbs{"get", "list"}},
		{Name: "nodes", SingularName: "node", Kind: "Node", ShortNames: []string{"no"}, Verbs: metav1.Verbs{"get", "list"}},
	}},
	{GroupVersion: "apps/v1", APIResources: []metav1.APIResource{
		{Name: "deployments", SingularName: "deployment", Kind: "Deployment", Namespaced: true, ShortNames: []string{"deploy"}, Verbs: metav1.Verbs{"get", "list"}},
	}},
}

func finder(objects ...runtime.Object) (*Objects, *discoveryfake.FakeDiscovery) {
	discovery := &discoveryfake.FakeDiscovery{Fake: &clienttesting.Fake{Resources: known}}
	return newObjects(dynamicfake.NewSimpleDynamicClient(scheme.Scheme, objects...), memory.NewMemCacheClient(discovery)), discovery
}

func configMap(namespace, name string, age time.Duration, data string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: name, CreationTimestamp: metav1.NewTime(time.Unix(1_800_000_000, 0).Add(-age)), Labels: map[string]string{"app": "shop"},
		},
		Data: map[string]string{"text": data},
	}
}

func TestFindResolvesKindsAsKubectlDoes(t *testing.T) {
	objects, _ := finder(
		&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "shop"}},
		&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "worker-1"}},
	)
	for _, c := range []struct {
		query Query
		want  string
	}{
		{Query{Kind: "Deployment", Namespace: "default", Name: "shop"}, "shop"},
		{Query{Kind: "Deployment.apps", Name: "shop"}, "shop"},
		{Query{Kind: "deployments", Name: "shop"}, "shop"},
		{Query{Kind: "deployments.v1.apps", Name: "shop"}, "shop"},
		{Query{Kind: "deploy", Name: "shop"}, "shop"},
		{Query{Kind: "Node", Namespace: "default", Name: "worker-1"}, "worker-1"},
		{Query{Kind: "no", Namespace: "*", Name: "worker-1"}, "worker-1"},
	} {
		text, err := objects.Find(context.Background(), c.query)
		var object unstructured.Unstructured
		if err != nil || json.Unmarshal(text, &object.Object) != nil || object.GetName() != c.want {
			t.Errorf("%+v: %s, %v", c.query, text, err)
		}
	}
}

func TestFindRefusesWhatNobodyCanAnswer(t *testing.T) {
	objects, _ := finder()
	for _, c := range []struct {
		query Query
		want  error
	}{
		{Query{Kind: "Cake", Name: "a"}, ErrUnknownKind},
		{Query{Kind: "Deployment.food", Name: "a"}, ErrUnknownKind},
		{Query{Name: "a"}, ErrBadQuery},
		{Query{Kind: strings.Repeat("a", 300), Name: "a"}, ErrBadQuery},
		{Query{Kind: "Pod"}, ErrBadQuery},
		{Query{Kind: "Pod", Name: "a", Selector: ptr.To("")}, ErrBadQuery},
		{Query{Kind: "Pod", Name: "a", Namespace: "*"}, ErrBadQuery},
		{Query{Kind: "Pod", Selector: ptr.To("a===")}, ErrBadQuery},
	} {
		if _, err := objects.Find(context.Background(), c.query); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, want %v", c.query, err, c.want)
		}
	}
}

func TestFindOfNothingIsNil(t *testing.T) {
	objects, _ := finder()
	text, err := objects.Find(context.Background(), Query{Kind: "Pod", Name: "a"})
	if text != nil || err != nil {
		t.Errorf("%s, %v", text, err)
	}
	text, err = objects.Find(context.Background(), Query{Kind: "Pod", Selector: ptr.To("")})
	if string(text) != "[]" || err != nil {
		t.Errorf("%s, %v", text, err)
	}
}

func TestFindLeavesOutWhatTheAPIKeepsForItself(t *testing.T) {
	one := configMap("default", "a", 0, "x")
	one.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
	one.Annotations = map[string]string{corev1.LastAppliedConfigAnnotation: "{}", "mine": "1"}
	objects, _ := finder(one)
	text, err := objects.Find(context.Background(), Query{Kind: "cm", Name: "a"})
	if err != nil || strings.Contains(string(text), "managedFields") || strings.Contains(string(text), "last-applied") || !strings.Contains(string(text), `"mine":"1"`) {
		t.Errorf("%s, %v", text, err)
	}
}

func TestFindListsTheOldestFirstAndNotTooMuch(t *testing.T) {
	var many, long []runtime.Object
	for i := range 250 {
		many = append(many, configMap("default", fmt.Sprintf("c-%03d", i), time.Duration(i)*time.Minute, ""))
	}
	for i := range 20 {
		long = append(long, configMap("default", fmt.Sprintf("c-%03d", i), time.Duration(i)*time.Minute, strings.Repeat("x", 100_000)))
	}
	cases := map[string]struct {
		there []runtime.Object
		query Query
		count int
		first string
	}{
		"too many":         {many, Query{Kind: "ConfigMap", Selector: ptr.To("app=shop")}, mostObjects, "c-249"},
		"too long":         {long, Query{Kind: "ConfigMap", Selector: ptr.To("")}, 8, "c-019"},
		"another label":    {many, Query{Kind: "ConfigMap", Selector: ptr.To("app=other")}, 0, ""},
		"one namespace":    {[]runtime.Object{configMap("a", "x", 0, ""), configMap("b", "y", 0, "")}, Query{Kind: "cm", Namespace: "b", Selector: ptr.To("")}, 1, "y"},
		"every namespace":  {[]runtime.Object{configMap("a", "x", 1, ""), configMap("b", "y", 0, "")}, Query{Kind: "cm", Namespace: "*", Selector: ptr.To("")}, 2, "x"},
		"default when not": {[]runtime.Object{configMap("default", "x", 0, ""), configMap("b", "y", 0, "")}, Query{Kind: "cm", Selector: ptr.To("")}, 1, "x"},
	}
	for name, c := range cases {
		objects, _ := finder(c.there...)
		text, err := objects.Find(context.Background(), c.query)
		var list []unstructured.Unstructured
		var raw []map[string]any
		if err != nil || json.Unmarshal(text, &raw) != nil || len(text) > mostObjectBytes {
			t.Fatalf("%s: %d bytes, %v", name, len(text), err)
		}
		for _, object := range raw {
			list = append(list, unstructured.Unstructured{Object: object})
		}
		if len(list) != c.count || (c.count > 0 && list[0].GetName() != c.first) {
			t.Errorf("%s: %d objects, want %d with %q first", name, len(list), c.count, c.first)
		}
	}
}

func TestFindHoldsFewLongObjectsAtOnceAndStillListsTheOldest(t *testing.T) {
	objects, _ := finder()
	const count = 60 // the further behind, the older
	objects.client.(*dynamicfake.FakeDynamicClient).PrependReactor("list", "configmaps", func(action clienttesting.Action) (bool, runtime.Object, error) {
		options := action.(clienttesting.ListActionImpl).ListOptions
		if options.Limit < 1 || options.Limit > 20 {
			t.Error("too many at once:", options.Limit)
		}
		from, _ := strconv.Atoi(options.Continue)
		list := &unstructured.UnstructuredList{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMapList"}}
		for i := from; i < min(count, from+int(options.Limit)); i++ {
			object, _ := runtime.DefaultUnstructuredConverter.ToUnstructured(
				configMap("default", fmt.Sprintf("c-%03d", i), time.Duration(i)*time.Minute, strings.Repeat("x", 100_000)))
			list.Items = append(list.Items, unstructured.Unstructured{Object: object})
		}
		if next := from + len(list.Items); next < count {
			list.SetContinue(strconv.Itoa(next))
		}
		return true, list, nil
	})
	text, err := objects.Find(context.Background(), Query{Kind: "cm", Selector: ptr.To("")})
	var raw []map[string]any
	if err != nil || json.Unmarshal(text, &raw) != nil || len(raw) != 8 {
		t.Fatal(len(text), len(raw), err)
	}
	if name := (&unstructured.Unstructured{Object: raw[0]}).GetName(); name != "c-059" {
		t.Error(name)
	}
}

func TestWhatIsKeptOfAListIsBounded(t *testing.T) {
	var all []found
	for i := range 50 {
		all = append(all, found{metav1.Unix(int64(-i), 0), make([]byte, 300_000)})
	}
	if kept := fitting(all); len(kept) != 3 || kept[0].born.Unix() != -49 { // two, and one that is too much
		t.Error(len(kept))
	}
	if kept := fitting(make([]found, 300)); len(kept) != mostObjects {
		t.Error(len(kept))
	}
}

func TestKindsAreNotAskedForForEver(t *testing.T) {
	before := discoverWithin
	t.Cleanup(func() { discoverWithin = before })
	discoverWithin = 50 * time.Millisecond
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer server.Close()
	objects, err := NewObjects(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if _, err := objects.Find(context.Background(), Query{Kind: "Pod", Name: "a"}); err == nil || time.Since(began) > 10*time.Second {
		t.Error(err, time.Since(began))
	}
}

func TestFindRefusesOneObjectThatIsTooLong(t *testing.T) {
	objects, _ := finder(configMap("default", "a", 0, strings.Repeat("x", mostObjectBytes)))
	if _, err := objects.Find(context.Background(), Query{Kind: "cm", Name: "a"}); !errors.Is(err, ErrTooLong) {
		t.Error(err)
	}
}

func TestFindLearnsOfKindsThatCameLater(t *testing.T) {
	objects, discovery := finder()
	query := Query{Kind: "cake", Selector: ptr.To("")}
	if _, err := objects.Find(context.Background(), Query{Kind: "pod", Name: "a"}); err != nil {
		t.Fatal(err)
	}
	discovery.Resources = append(discovery.Resources, &metav1.APIResourceList{GroupVersion: "food.example/v1", APIResources: []metav1.APIResource{
		{Name: "cakes", SingularName: "cake", Kind: "Cake", Namespaced: true, Verbs: metav1.Verbs{"get", "list"}},
	}})
	objects.client = dynamicfake.NewSimpleDynamicClientWithCustomListKinds(scheme.Scheme, map[schema.GroupVersionResource]string{
		{Group: "food.example", Version: "v1", Resource: "cakes"}: "CakeList",
	})
	if text, err := objects.Find(context.Background(), query); err != nil || string(text) != "[]" {
		t.Errorf("%s, %v", text, err)
	}
	if objects.lookAgain() {
		t.Error("looks again at once")
	}
}
