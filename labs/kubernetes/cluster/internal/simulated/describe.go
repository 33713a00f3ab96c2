package simulated

import (
	"fmt"
	"net/netip"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-base/version"

	"naru/cluster/internal/config"
)

const (
	// Kwok moves the nodes with this annotation, and their Pods.
	playedAnnotation = "kwok.x-k8s.io/node"
	playedValue      = "fake"

	simulatedLabel = "naru.dev/simulated"

	firstAddress = 10 // worker-1 is 10.0.0.11 beside a real node at 10.0.0.1
)

func isSimulated(node *corev1.Node) bool { return node.Annotations[playedAnnotation] == playedValue }

// describe gives the Node of that name, the number'th (from 1) of the simulated ones.
func describe(name string, number int, c config.Config) (*corev1.Node, error) {
	capacity := corev1.ResourceList{}
	for _, one := range []struct {
		name corev1.ResourceName
		text string
	}{
		{corev1.ResourceCPU, c.Simulated.CPU},
		{corev1.ResourceMemory, c.Simulated.Memory},
		{corev1.ResourcePods, fmt.Sprint(c.Simulated.Pods)},
		{corev1.ResourceEphemeralStorage, "64Gi"},
	} {
		quantity, err := resource.ParseQuantity(one.text)
		if err != nil {
			return nil, fmt.Errorf("simulated.%s: %q: %w", one.name, one.text, err)
		}
		capacity[one.name] = quantity
	}
	taints, err := parseTaint(c.Simulated.Taint)
	if err != nil {
		return nil, fmt.Errorf("simulated.taint: %w", err)
	}
	address, err := addressOf(c.Real.Address, number)
	if err != nil {
		return nil, fmt.Errorf("real.address: %w", err)
	}
	labels := map[string]string{
		corev1.LabelHostname: name, corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64", simulatedLabel: "true",
	}
	for key, value := range c.Simulated.Labels {
		labels[key] = value
	}
	release := version.Get().GitVersion
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Labels: labels,
			Annotations: map[string]string{playedAnnotation: playedValue, "node.alpha.kubernetes.io/ttl": "0"},
		},
		Spec: corev1.NodeSpec{Taints: taints},
		Status: corev1.NodeStatus{
			Capacity: capacity, Allocatable: capacity.DeepCopy(),
			Addresses: []corev1.NodeAddress{
				{Type: corev1.NodeInternalIP, Address: address},
				{Type: corev1.NodeHostName, Address: name},
				// Nobody listens at the node's address; this is where the API server finds its kubelet.
				{Type: corev1.NodeInternalDNS, Address: "localhost"},
			},
			DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: int32(c.Simulated.Port)}},
			NodeInfo: corev1.NodeSystemInfo{
				Architecture: "amd64", OperatingSystem: "linux", KubeletVersion: release, KernelVersion: "simulated",
				OSImage: "simulated", ContainerRuntimeVersion: "simulated://1", MachineID: name, SystemUUID: name, BootID: name,
			},
		},
	}, nil
}

// addressOf gives the address of a simulated node, in the /24 of the real one's.
func addressOf(real string, number int) (string, error) {
	base, err := netip.ParseAddr(real)
	if err != nil {
		return "", err
	}
	if !base.Is4() || number > 200 {
		return "", fmt.Errorf("%s has no address for node %d beside it", real, number)
	}
	octets := base.As4()
	octets[3] = byte(firstAddress + number)
	return netip.AddrFrom4(octets).String(), nil
}

// parseTaint reads key=value:Effect or key:Effect; "" is none.
func parseTaint(text string) ([]corev1.Taint, error) {
	if text == "" {
		return nil, nil
	}
	name, effect, found := strings.Cut(text, ":")
	key, value, _ := strings.Cut(name, "=")
	taint := corev1.Taint{Key: key, Value: value, Effect: corev1.TaintEffect(effect)}
	switch taint.Effect {
	case corev1.TaintEffectNoSchedule, corev1.TaintEffectPreferNoSchedule, corev1.TaintEffectNoExecute:
	default:
		found = false
	}
	if !found || key == "" {
		return nil, fmt.Errorf("%q is not key=value:Effect", text)
	}
	return []corev1.Taint{taint}, nil
}
