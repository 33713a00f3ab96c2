package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes/scheme"
)

const (
	root       = "/registry/"
	systemName = "kube-system"
	bootLabel  = "kubernetes.io/bootstrapping"
)

var protobufMark = []byte{0x6b, 0x38, 0x73, 0x00} // "k8s\0": how the API server stores its own kinds

// Folders of the registry that belong to one cluster and not to what somebody made in it.
var ownFolders = []string{
	"events/", "leases/", "masterleases/", "peerserverleases/", "apiregistration.k8s.io/apiservices/", "internal.apiserver.k8s.io/",
	"csinodes/", "resourceslices/", "flowschemas/", "prioritylevelconfigurations/", "servicecidrs/", "priorityclasses/system-", "health",
}

// Single objects that every cluster makes for itself.
var ownKeys = map[string]bool{
	"services/specs/default/kubernetes": true, "services/endpoints/default/kubernetes": true, "endpointslices/default/kubernetes": true,
	"configmaps/kube-system/extension-apiserver-authentication":                   true,
	"configmaps/kube-system/kube-apiserver-legacy-service-account-token-tracking": true,
}

const (
	nodesFolder  = root + "minions/"
	spacesFolder = root + "namespaces/"
	podsFolder   = root + "pods/"
)

// ownKey says, by its key alone, whether an object belongs to one cluster: it is neither saved nor replaced.
func ownKey(key string) bool {
	rest := strings.TrimPrefix(key, root)
	for _, folder := range ownFolders {
		if strings.HasPrefix(rest, folder) {
			return true
		}
	}
	return ownKeys[rest] || (strings.HasPrefix(rest, "configmaps/") && strings.HasSuffix(rest, "/kube-root-ca.crt"))
}

// Roles that an API server begins with.
var ownRoles = []string{
	"clusterroles/system:", "clusterrolebindings/system:", "roles/kube-", "rolebindings/kube-",
	"clusterroles/cluster-admin", "clusterrolebindings/cluster-admin", "clusterroles/admin", "clusterroles/edit", "clusterroles/view",
}

// Needed says whether a cluster cannot do without a key: what no loading touches, and the first roles, without which an API
// server ends itself.
func Needed(key string) bool {
	if passing(key) {
		return true
	}
	for _, role := range ownRoles {
		if strings.HasPrefix(strings.TrimPrefix(key, root), role) {
			return true
		}
	}
	return false
}

// ownObject says the same where the key alone does not tell: roles that the API server begins with, and the address of its
// own Service.
func ownObject(key string, value []byte) (bool, error) {
	if ownKey(key) {
		return true, nil
	}
	if strings.HasPrefix(key, root+"ipaddresses/") {
		object, _, err := scheme.Codecs.UniversalDeserializer().Decode(value, nil, nil)
		if err != nil {
			return false, err
		}
		address, ok := object.(*networkingv1.IPAddress)
		parent := &networkingv1.ParentReference{}
		if ok && address.Spec.ParentRef != nil {
			parent = address.Spec.ParentRef
		}
		return parent.Namespace == corev1.NamespaceDefault && parent.Name == "kubernetes", nil
	}
	about, err := metaOf(value)
	if err != nil {
		return false, err
	}
	_, boot := about.Labels[bootLabel]
	return boot, nil
}

// namespaceOf is the namespace of something that a cluster makes for itself in every namespace; "" for anything else.
func namespaceOf(key string) string {
	parts := strings.Split(strings.TrimPrefix(key, root), "/")
	if len(parts) == 3 && (parts[0] == "configmaps" || parts[0] == "events" || parts[0] == "leases") {
		return parts[1]
	}
	return ""
}

// inPlace says whether an object stays the same thing whatever its uid is: nothing is owned by it.
func inPlace(key string) bool {
	rest := strings.TrimPrefix(key, root)
	return strings.HasPrefix(rest, "namespaces/") || strings.HasPrefix(rest, "serviceaccounts/") || strings.HasPrefix(rest, "ranges/")
}

// ofTheSystem says whether an object lies in kube-system, where each cluster makes most things itself.
func ofTheSystem(key string) bool {
	return strings.Contains(strings.TrimPrefix(key, root), "/"+systemName+"/")
}

// rank orders writing so that owners are there before what they own, and removing the other way round.
func rank(key string) int {
	folder, _, _ := strings.Cut(strings.TrimPrefix(key, root), "/")
	switch folder {
	case "namespaces", "apiextensions.k8s.io":
		return 0
	case "deployments", "daemonsets", "statefulsets", "cronjobs":
		return 2
	case "replicasets", "jobs":
		return 3
	case "pods":
		return 5
	case "services", "ranges", "ipaddresses":
		return 1
	}
	return 4
}

// metaOf reads the metadata of a stored object, be it in protobuf or JSON.
func metaOf(value []byte) (*metav1.ObjectMeta, error) {
	var partial metav1.PartialObjectMetadata
	if !bytes.HasPrefix(value, protobufMark) {
		if err := json.Unmarshal(value, &partial); err != nil {
			return nil, err
		}
		return &partial.ObjectMeta, nil
	}
	var unknown runtime.Unknown
	if err := unknown.Unmarshal(value[len(protobufMark):]); err != nil {
		return nil, err
	}
	// The metadata is field 1 of every kind; the rest is skipped as unknown.
	if err := partial.Unmarshal(unknown.Raw); err != nil {
		return nil, err
	}
	return &partial.ObjectMeta, nil
}

var codec = protobuf.NewSerializer(scheme.Scheme, scheme.Scheme)

func storedAs(object runtime.Object, kind string) ([]byte, error) {
	object.GetObjectKind().SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(kind))
	var text bytes.Buffer
	if err := codec.Encode(object, &text); err != nil {
		return nil, err
	}
	return text.Bytes(), nil
}

func podOf(value []byte) (*corev1.Pod, error) {
	object, _, err := scheme.Codecs.UniversalDeserializer().Decode(value, nil, nil)
	if err != nil {
		return nil, err
	}
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return nil, fmt.Errorf("%T is no Pod", object)
	}
	return pod, nil
}

// reborn is a stored Pod of the real node as it is made anew: it has not begun yet, and nobody has seen it. A kubelet
// remembers for a while the uids of Pods that it ended; one that comes back under such a uid would be told to have failed.
// Pods that are over, or that somebody asked to end, stay what they are.
func reborn(value []byte, real string) ([]byte, error) {
	pod, err := podOf(value)
	if err != nil {
		return nil, err
	}
	if real == "" || pod.Spec.NodeName != real || pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
		return value, nil
	}
	begun := corev1.PodStatus{Phase: corev1.PodPending, QOSClass: pod.Status.QOSClass}
	for _, one := range pod.Status.Conditions {
		if one.Type == corev1.PodScheduled {
			begun.Conditions = append(begun.Conditions, one)
		}
	}
	pod.UID, pod.Status = uuid.NewUUID(), begun
	return storedAs(pod, "Pod")
}

func nodeOf(value []byte) (*corev1.Node, error) {
	object, _, err := scheme.Codecs.UniversalDeserializer().Decode(value, nil, nil)
	if err != nil {
		return nil, err
	}
	node, ok := object.(*corev1.Node)
	if !ok {
		return nil, fmt.Errorf("%T is no node", object)
	}
	return node, nil
}

// withoutStatus is a stored node as it is saved: what somebody decided about it, not how it is.
func withoutStatus(value []byte) ([]byte, error) {
	node, err := nodeOf(value)
	if err != nil {
		return nil, err
	}
	node.Status = corev1.NodeStatus{}
	node.ManagedFields = nil
	node.Spec.Taints = decidedTaints(node.Spec.Taints)
	return storedAs(node, "Node")
}

// merged is the node that is here with the labels, annotations, taints and schedulability of the saved one.
func merged(here, saved []byte) ([]byte, error) {
	node, err := nodeOf(here)
	if err != nil {
		return nil, err
	}
	wanted, err := nodeOf(saved)
	if err != nil {
		return nil, err
	}
	taints := decidedTaints(wanted.Spec.Taints)
	for _, taint := range node.Spec.Taints {
		if conditionTaint(taint) {
			taints = append(taints, taint)
		}
	}
	node.Labels, node.Annotations = wanted.Labels, wanted.Annotations
	node.Spec.Taints, node.Spec.Unschedulable = taints, wanted.Spec.Unschedulable
	return storedAs(node, "Node")
}

func decidedTaints(taints []corev1.Taint) []corev1.Taint {
	var decided []corev1.Taint
	for _, taint := range taints {
		if !conditionTaint(taint) {
			decided = append(decided, taint)
		}
	}
	return decided
}

// conditionTaint says whether a taint tells of a node's condition (a controller sets and removes it). The one of a cordoned
// node goes with spec.unschedulable, so it counts as decided.
func conditionTaint(taint corev1.Taint) bool {
	return strings.HasPrefix(taint.Key, "node.kubernetes.io/") && taint.Key != corev1.TaintNodeUnschedulable
}

var errNotAnObject = errors.New("not a stored object")
