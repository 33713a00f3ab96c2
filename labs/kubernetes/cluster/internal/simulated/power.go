package simulated

import (
	"context"
	"encoding/json"
	"os"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

const (
	// holder has the leases of simulated nodes without power. Whoever has a node's lease speaks for it, and this one is
	// silent: kwok leaves the node and its Pods alone, and the node controller finds out by itself.
	holder = "naru-power-off"

	// A lease that has run out may be taken by anybody. Longer than any lab is paused.
	tenYears = 10 * 365 * 24 * time.Hour
)

// switchReal makes the file be there or not that keeps the real node's kubelet from running; who runs it looks there.
func (n *Nodes) switchReal(off bool) error {
	if off {
		return os.WriteFile(n.offFile(), nil, 0o600)
	}
	if err := os.Remove(n.offFile()); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}

// switchSimulated takes a node's lease, or gives it back, as its annotation says.
func (n *Nodes) switchSimulated(ctx context.Context, node *corev1.Node) error {
	leases := n.client.CoordinationV1().Leases(corev1.NamespaceNodeLease)
	lease, err := leases.Get(ctx, node.Name, metav1.GetOptions{})
	missing := apierrors.IsNotFound(err)
	if err != nil && !missing {
		return err
	}
	held := !missing && ptr.Deref(lease.Spec.HolderIdentity, "") == holder
	switch off := isOff(node); {
	case off && missing:
		_, err = leases.Create(ctx, takenLease(node), metav1.CreateOptions{})
		return err
	case off && !held:
		// The time of the last renewal stays: the node has been silent since then.
		return n.patchLease(ctx, node.Name, map[string]any{"holderIdentity": holder, "leaseDurationSeconds": int32(tenYears.Seconds())})
	case !off && held:
		return n.patchLease(ctx, node.Name, map[string]any{"holderIdentity": nil})
	}
	return nil
}

func (n *Nodes) patchLease(ctx context.Context, name string, spec map[string]any) error {
	patch, err := json.Marshal(map[string]any{"spec": spec})
	if err != nil {
		return err
	}
	_, err = n.client.CoordinationV1().Leases(corev1.NamespaceNodeLease).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
	return err
}

// takenLease is the lease of a node that never had one; it goes with the node.
func takenLease(node *corev1.Node) *coordinationv1.Lease {
	return &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{
			Name: node.Name, Namespace: corev1.NamespaceNodeLease,
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: node.Name, UID: node.UID}},
		},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity: ptr.To(holder), LeaseDurationSeconds: ptr.To(int32(tenYears.Seconds())),
			RenewTime: ptr.To(metav1.NowMicro()),
		},
	}
}
