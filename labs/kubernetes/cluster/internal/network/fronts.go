package network

import (
	"fmt"
	"net"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"
)

// apiFront is where Pods find the API server. It has no endpoints in the cluster: its front leads to the server itself.
var apiFront = net.JoinHostPort(apiAddress, "443")

// front is one address at which a Service answers, and the endpoints behind it ("10.88.0.5:8080"), in order.
type front struct {
	endpoints []string
	sticky    bool // sessionAffinity: ClientIP
}

// lean drops from objects what nobody here reads.
func lean(object any) (any, error) {
	if accessor, err := meta.Accessor(object); err == nil {
		accessor.SetManagedFields(nil)
		accessor.SetAnnotations(nil)
	}
	return object, nil
}

// fronts gives every address at which something should answer now. A Service without a ready endpoint has none: its
// clients are refused, as kube-proxy does it.
func (v *view) fronts() map[string]front {
	found := map[string]front{apiFront: {}}
	services, err := v.services.List(labels.Everything())
	if err != nil {
		return found
	}
	for _, service := range services {
		if service.Spec.Type == corev1.ServiceTypeExternalName {
			continue
		}
		parts := v.slicesOf(service.Namespace, service.Name)
		for _, port := range service.Spec.Ports {
			if port.Protocol != corev1.ProtocolTCP && port.Protocol != "" {
				continue
			}
			one := front{endpoints: ready(parts, port.Name, v.node), sticky: service.Spec.SessionAffinity == corev1.ServiceAffinityClientIP}
			if len(one.endpoints) == 0 {
				continue
			}
			if address := service.Spec.ClusterIP; address != "" && address != corev1.ClusterIPNone {
				found[net.JoinHostPort(address, strconv.Itoa(int(port.Port)))] = one
			}
			if port.NodePort != 0 {
				found[fmt.Sprintf(":%d", port.NodePort)] = one
			}
		}
	}
	return found
}

// ready gives the endpoints of a named port that are ready; those that are ending are not.
func ready(parts []*discoveryv1.EndpointSlice, port, node string) []string {
	var found []string
	for _, part := range parts {
		if part.AddressType != discoveryv1.AddressTypeIPv4 {
			continue
		}
		for _, each := range part.Ports {
			if ptr.Deref(each.Name, "") != port || each.Port == nil {
				continue
			}
			for _, endpoint := range part.Endpoints {
				answers := ptr.Deref(endpoint.Conditions.Ready, true) && !ptr.Deref(endpoint.Conditions.Terminating, false)
				if answers && (endpoint.NodeName == nil || *endpoint.NodeName == node) && len(endpoint.Addresses) > 0 {
					found = append(found, net.JoinHostPort(endpoint.Addresses[0], strconv.Itoa(int(*each.Port))))
				}
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}
