package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
)

var (
	kindName      = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9.-]{0,200}$`)
	namespaceName = regexp.MustCompile(`^(\*|[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)$`)
)

// askKubernetes gives what the cluster says of one object, or null, or of those that a selector fits.
func askKubernetes(ctx context.Context, text json.RawMessage) (any, error) {
	var request struct {
		Kind      string  `json:"kind"`
		Name      string  `json:"name"`
		Selector  *string `json:"selector"`
		Namespace string  `json:"namespace"`
	}
	if err := decode(text, &request); err != nil {
		return nil, err
	}
	if request.Namespace == "" {
		request.Namespace = "default"
	}
	switch {
	case !hasCluster():
		return nil, wrong("this lab has no cluster")
	case !kindName.MatchString(request.Kind):
		return nil, wrong("kind %q", cut(request.Kind, 100))
	case !namespaceName.MatchString(request.Namespace):
		return nil, wrong("namespace %q", cut(request.Namespace, 100))
	case (request.Name == "") == (request.Selector == nil):
		return nil, wrong("either a name or a selector")
	}
	query := url.Values{"kind": {request.Kind}, "namespace": {request.Namespace}}
	if request.Selector != nil {
		query.Set("selector", *request.Selector)
	} else {
		query.Set("name", request.Name)
	}
	return controlDocument(ctx, "/objects?"+query.Encode())
}

const (
	podPrefix    = "pod "
	clusterNames = "10.96.0.10:53"
)

// searchOf are the domains that a name is looked for in, as a Pod of the namespace has them in its resolv.conf.
func searchOf(namespace string) []string {
	return []string{namespace + ".svc.cluster.local", "svc.cluster.local", "cluster.local"}
}

// standInPod finds a Pod's network: that of a process which has the Pod's address. A Pod on a simulated node has none.
func standInPod(ctx context.Context, pod string) (*spot, error) {
	namespace, name, found := strings.Cut(pod, "/")
	if !found {
		namespace, name = "default", pod
	}
	if !hasCluster() {
		return nil, wrong("this lab has no cluster")
	}
	query := url.Values{"kind": {"Pod"}, "namespace": {namespace}, "name": {name}}
	document, err := controlDocument(ctx, "/objects?"+query.Encode())
	if err != nil {
		return nil, err
	}
	var wanted struct {
		Status struct {
			PodIP string `json:"podIP"`
		} `json:"status"`
	}
	if text, is := document.(json.RawMessage); is {
		if err := json.Unmarshal(text, &wanted); err != nil {
			return nil, err
		}
	}
	at := &spot{pid: -1, names: clusterNames, search: searchOf(namespace), known: map[string]string{"localhost": "127.0.0.1"}}
	if wanted.Status.PodIP != "" {
		at.pid = holderOf(net.ParseIP(wanted.Status.PodIP))
	}
	return at, nil
}

// holderOf gives a process in whose network an address is: 0 for that of this process, -1 where there is none.
func holderOf(address net.IP) int {
	if there, err := net.InterfaceAddrs(); err == nil && holds(there, address) { // a Pod in its node's own network
		return 0
	}
	own, _ := os.Readlink("/proc/self/ns/net")
	seen := map[string]bool{own: true}
	for _, each := range processes() {
		network, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", each.pid))
		if err != nil || seen[network] {
			continue
		}
		seen[network] = true
		var there []net.Addr
		if inNetworkOf(each.pid, func() (err error) { there, err = net.InterfaceAddrs(); return err }) != nil {
			continue
		}
		if holds(there, address) {
			return each.pid
		}
	}
	return -1
}

func holds(addresses []net.Addr, wanted net.IP) bool {
	return slices.ContainsFunc(addresses, func(one net.Addr) bool {
		held, is := one.(*net.IPNet)
		return is && held.IP.Equal(wanted)
	})
}
