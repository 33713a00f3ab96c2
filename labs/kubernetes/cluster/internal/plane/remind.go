package plane

import (
	"context"
	"encoding/json"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

const (
	resumedAnnotation = "naru.dev/resumed"
	remindAgain       = time.Second
)

// Remind shows the nodes to the controllers once more after writes about them were refused, until ctx ends. The node
// controller takes the taint of a node that is ready again off when the node changes, and when that fails it waits for the
// next change: nodes would take no Pods for many minutes.
func (p *Plane) Remind(ctx context.Context, client kubernetes.Interface) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.gate.Missed():
		}
		for remind(ctx, client) != nil {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(remindAgain):
			}
		}
	}
}

// remind changes every node a little.
func remind(ctx context.Context, client kubernetes.Interface) error {
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	now := time.Now().UTC().Format(time.RFC3339)
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]any{resumedAnnotation: now}}})
	if err != nil {
		return err
	}
	for i := range nodes.Items {
		_, err := client.CoreV1().Nodes().Patch(ctx, nodes.Items[i].Name, types.MergePatchType, patch, metav1.PatchOptions{})
		if err != nil {
			return err
		}
	}
	return nil
}
