package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
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

// controlDocument asks the control socket; a 404 is null, and a request that it finds wrong is the asker's mistake.
func controlDocument(ctx context.Context, path string) (any, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, controlURL+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := controlClient().Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	document, err := readBounded(response.Body, mostAnswer)
	if err != nil {
		return nil, err
	}
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return nil, nil
	case http.StatusBadRequest:
		return nil, wrong("%s", cut(string(document), 300))
	default:
		return nil, fmt.Errorf("the cluster answers %d: %s", response.StatusCode, cut(string(document), 300))
	}
	if err := plainDocument(document); err != nil {
		return nil, err
	}
	return json.RawMessage(document), nil
}

const (
	podPrefix    = "pod "
	clusterNames = "10.96.0.10:53"
)

// searchOf are the domains that a name is looked for in, as a Pod of the namespace has them in its resolv.conf.
func searchOf(namespace string) []string {
	return []string{namespace + ".svc.cluster.local", "svc.cluster.local", "cluster.local"}
}

// standInPod finds a Pod's network: that of a process which has the Pod's address.
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

// holderOf gives a process in whose network an address is, or -1.
func holderOf(address net.IP) int {
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
		for _, one := range there {
			if held, is := one.(*net.IPNet); is && held.IP.Equal(address) {
				return each.pid
			}
		}
	}
	return -1
}
