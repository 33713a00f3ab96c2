package network

import (
	"net"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"
)

// world is a view of the given objects.
func world(t *testing.T, objects ...any) *view {
	t.Helper()
	keys := cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc}
	services, slices := cache.NewIndexer(cache.MetaNamespaceKeyFunc, keys), cache.NewIndexer(cache.MetaNamespaceKeyFunc, keys)
	for _, object := range objects {
		store := services
		if _, is := object.(*discoveryv1.EndpointSlice); is {
			store = slices
		}
		if err := store.Add(object); err != nil {
			t.Fatal(err)
		}
	}
	return &view{services: corelisters.NewServiceLister(services), slices: discoverylisters.NewEndpointSliceLister(slices), node: "real-1"}
}

func service(name, address string, ports ...corev1.ServicePort) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec:       corev1.ServiceSpec{ClusterIP: address, Ports: ports},
	}
}

func endpoint(address, node string, ready, terminating bool) discoveryv1.Endpoint {
	return discoveryv1.Endpoint{
		Addresses: []string{address}, NodeName: &node,
		Conditions: discoveryv1.EndpointConditions{Ready: &ready, Terminating: &terminating},
	}
}

func slice(name, service, port string, number int32, endpoints ...discoveryv1.Endpoint) *discoveryv1.EndpointSlice {
	return &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: "default", Name: name, Labels: map[string]string{discoveryv1.LabelServiceName: service}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: &port, Port: &number}},
		Endpoints:   endpoints,
	}
}

func TestFrontsLeadToWhatIsReadyAndReal(t *testing.T) {
	v := world(t,
		service("shop", "10.96.0.20", corev1.ServicePort{Port: 80, NodePort: 30080}),
		slice("shop-b", "shop", "", 8080, endpoint("10.88.0.9", "real-1", true, false)),
		slice("shop-a", "shop", "", 8080,
			endpoint("10.88.0.5", "real-1", true, false), endpoint("10.88.0.6", "real-1", false, false),
			endpoint("10.88.0.7", "real-1", true, true), endpoint("10.244.1.2", "worker-1", true, false)),
		service("empty", "10.96.0.21", corev1.ServicePort{Port: 80}),
		service("headless", "None", corev1.ServicePort{Port: 80}),
		slice("headless-a", "headless", "", 80, endpoint("10.88.0.5", "real-1", true, false)),
	)
	fronts := v.fronts()
	if len(fronts) != 3 {
		t.Errorf("%v", fronts)
	}
	for _, address := range []string{"10.96.0.20:80", ":30080"} {
		if got := strings.Join(fronts[address].endpoints, " "); got != "10.88.0.5:8080 10.88.0.9:8080" {
			t.Errorf("%s leads to %q", address, got)
		}
	}
	if _, there := fronts[apiFront]; !there {
		t.Error("the API has no front")
	}
}

func TestEachPortLeadsToItsOwnEndpoints(t *testing.T) {
	other := service("two", "10.96.0.22", corev1.ServicePort{Name: "web", Port: 80}, corev1.ServicePort{Name: "admin", Port: 81},
		corev1.ServicePort{Name: "names", Port: 53, Protocol: corev1.ProtocolUDP})
	other.Spec.SessionAffinity = corev1.ServiceAffinityClientIP
	v := world(t, other,
		slice("two-a", "two", "web", 8080, endpoint("10.88.0.5", "real-1", true, false)),
		slice("two-b", "two", "admin", 9090, endpoint("10.88.0.5", "real-1", true, false)),
		slice("two-c", "two", "names", 53, endpoint("10.88.0.5", "real-1", true, false)))
	fronts := v.fronts()
	if fronts["10.96.0.22:80"].endpoints[0] != "10.88.0.5:8080" || fronts["10.96.0.22:81"].endpoints[0] != "10.88.0.5:9090" {
		t.Errorf("%v", fronts)
	}
	if _, there := fronts["10.96.0.22:53"]; there || !fronts["10.96.0.22:80"].sticky {
		t.Errorf("%v", fronts)
	}
}

func ask(t *testing.T, v *view, name string, kind dnsmessage.Type) (dnsmessage.RCode, []string) {
	t.Helper()
	query := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 7, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET}},
	}
	packed, err := query.Pack()
	if err != nil {
		t.Fatal(err)
	}
	var answer dnsmessage.Message
	if err := answer.Unpack(v.answer(packed)); err != nil || answer.ID != 7 || !answer.Response {
		t.Fatalf("%v %+v", err, answer)
	}
	var found []string
	for _, each := range answer.Answers {
		switch body := each.Body.(type) {
		case *dnsmessage.AResource:
			found = append(found, net.IP(body.A[:]).String())
		case *dnsmessage.CNAMEResource:
			found = append(found, body.CNAME.String())
		}
	}
	return answer.RCode, found
}

func TestNamesOfServicesAndOfPodsBehindThem(t *testing.T) {
	first, second := endpoint("10.88.0.8", "real-1", true, false), endpoint("10.88.0.12", "real-1", true, false)
	first.Hostname, second.Hostname = ptr.To("db-0"), ptr.To("db-1")
	outside := service("outside", "")
	outside.Spec.Type, outside.Spec.ExternalName = corev1.ServiceTypeExternalName, "shop.default.svc.cluster.local"
	v := world(t,
		service("shop", "10.96.0.20"), service("db", "None"), service("none", "None"), outside,
		slice("db-a", "db", "", 80, second, first, endpoint("10.88.0.13", "real-1", false, false)),
	)
	for _, each := range []struct {
		name  string
		kind  dnsmessage.Type
		code  dnsmessage.RCode
		found string
	}{
		{"shop.default.svc.cluster.local.", dnsmessage.TypeA, dnsmessage.RCodeSuccess, "10.96.0.20"},
		{"Shop.Default.svc.cluster.local.", dnsmessage.TypeA, dnsmessage.RCodeSuccess, "10.96.0.20"},
		{"shop.default.svc.cluster.local.", dnsmessage.TypeAAAA, dnsmessage.RCodeSuccess, ""},
		{"shop.other.svc.cluster.local.", dnsmessage.TypeA, dnsmessage.RCodeNameError, ""},
		{"db.default.svc.cluster.local.", dnsmessage.TypeA, dnsmessage.RCodeSuccess, "10.88.0.8 10.88.0.12"},
		{"db-1.db.default.svc.cluster.local.", dnsmessage.TypeA, dnsmessage.RCodeSuccess, "10.88.0.12"},
		{"db-7.db.default.svc.cluster.local.", dnsmessage.TypeA, dnsmessage.RCodeNameError, ""},
		{"none.default.svc.cluster.local.", dnsmessage.TypeA, dnsmessage.RCodeSuccess, ""},
		{"x.shop.default.svc.cluster.local.", dnsmessage.TypeA, dnsmessage.RCodeNameError, ""},
		{"outside.default.svc.cluster.local.", dnsmessage.TypeA, dnsmessage.RCodeSuccess, "shop.default.svc.cluster.local. 10.96.0.20"},
		{"shop.", dnsmessage.TypeA, dnsmessage.RCodeNameError, ""},
		{"example.com.", dnsmessage.TypeA, dnsmessage.RCodeNameError, ""},
	} {
		if code, found := ask(t, v, each.name, each.kind); code != each.code || strings.Join(found, " ") != each.found {
			t.Errorf("%s %v: %v %v", each.name, each.kind, code, found)
		}
	}
	if v.answer([]byte("no query")) != nil {
		t.Error("an answer to no query")
	}
}
