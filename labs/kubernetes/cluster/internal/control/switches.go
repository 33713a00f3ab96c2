package control

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

const (
	powerAnnotation  = "naru.dev/power"
	demandAnnotation = "naru.dev/cpu"

	mostSimulated = 50
	mostDemand    = "10000" // cores
)

// Levers are the Switches of a running cluster. Power and demand are annotations, the same that a lab's tools set.
type Levers struct {
	Client kubernetes.Interface
	// Synced says whether everything that feeds the record watches by now.
	Synced func() bool
	// Nodes names the nodes that the cluster should have.
	Nodes func() []string
	// SetSimulated makes the simulated nodes be so many.
	SetSimulated func(ctx context.Context, count int) error
}

// Waits says what is not there yet: the API, the default service account, the watches, then nodes.
func (l *Levers) Waits(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if _, err := l.Client.CoreV1().ServiceAccounts(corev1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{}); err != nil {
		if apierrors.IsNotFound(err) {
			return "the default service account"
		}
		return "the API: " + err.Error()
	}
	if !l.Synced() {
		return "the watches"
	}
	nodes, err := l.Client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return "the API: " + err.Error()
	}
	up := map[string]bool{}
	for i := range nodes.Items {
		up[nodes.Items[i].Name] = ready(&nodes.Items[i]) || nodes.Items[i].Annotations[powerAnnotation] == "off"
	}
	var missing []string
	for _, name := range l.Nodes() {
		if !up[name] {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return "nodes: " + strings.Join(missing, ", ")
	}
	return ""
}

func ready(node *corev1.Node) bool {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// Power turns a node on or off as `node start` and `node stop` do.
func (l *Levers) Power(ctx context.Context, node string, on bool) error {
	state := "off"
	if on {
		state = "on"
	}
	_, err := l.Client.CoreV1().Nodes().Patch(ctx, node, types.MergePatchType, annotation(powerAnnotation, state), metav1.PatchOptions{})
	return err
}

// Simulate sets the number of simulated nodes.
func (l *Levers) Simulate(ctx context.Context, count int) error {
	if count < 0 || count > mostSimulated {
		return errBad{fmt.Sprintf("simulated: 0 to %d", mostSimulated)}
	}
	return l.SetSimulated(ctx, count)
}

// Demand sets a Deployment's CPU demand as `load` does.
func (l *Levers) Demand(ctx context.Context, namespace, deployment, cpu string) error {
	if deployment == "" {
		return errBad{"deployment: a name is wanted"}
	}
	patch := annotation(demandAnnotation, nil)
	if cpu != "" {
		quantity, err := resource.ParseQuantity(cpu)
		if err != nil || quantity.Sign() < 0 || quantity.Cmp(resource.MustParse(mostDemand)) > 0 {
			return errBad{fmt.Sprintf("cpu: %.40q is no amount of CPU", cpu)}
		}
		patch = annotation(demandAnnotation, cpu)
	}
	_, err := l.Client.AppsV1().Deployments(namespace).Patch(ctx, deployment, types.MergePatchType, patch, metav1.PatchOptions{})
	return err
}

// annotation is the merge patch that sets one annotation, or removes it when the value is nil.
func annotation(name string, value any) []byte {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]any{name: value}}})
	if err != nil {
		panic(err) // strings only
	}
	return patch
}
