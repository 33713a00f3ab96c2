package simulated

import (
	"encoding/json"
	"fmt"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metrics "k8s.io/metrics/pkg/apis/metrics/v1beta1"
)

func kindOf(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{Kind: kind, APIVersion: metrics.SchemeGroupVersion.String()}
}

// listPods writes Pods while it reads them, a page at a time: there may be ten thousand.
func (m *meter) listPods(w http.ResponseWriter, r *http.Request) {
	const head, tail = `{"kind":"PodMetricsList","apiVersion":"metrics.k8s.io/v1beta1","metadata":{},"items":[`, "]}\n"
	separator := head
	known := newDemands(m.client, m.plays)
	err := eachPod(r.Context(), m.client, r.PathValue("namespace"), selectors(r), func(pod *corev1.Pod) error {
		measured, err := m.pod(r.Context(), known, pod)
		if err != nil || measured == nil {
			return err
		}
		text, err := json.Marshal(measured)
		if err != nil {
			return err
		}
		if separator == head {
			w.Header().Set("Content-Type", "application/json")
		}
		_, err = fmt.Fprintf(w, "%s%s", separator, text)
		separator = ","
		return err
	})
	switch {
	case err != nil && separator == head:
		refuse(w, err)
	case err != nil:
		panic(http.ErrAbortHandler) // half a list must not look like a whole one
	case separator == head:
		reply(w, http.StatusOK, metrics.PodMetricsList{TypeMeta: kindOf("PodMetricsList"), Items: []metrics.PodMetrics{}})
	default:
		_, _ = fmt.Fprint(w, tail)
	}
}

func (m *meter) onePod(w http.ResponseWriter, r *http.Request) {
	namespace, name := r.PathValue("namespace"), r.PathValue("name")
	missing := apierrors.NewNotFound(metrics.Resource("podmetrics"), namespace+"/"+name)
	pod, err := m.client.CoreV1().Pods(namespace).Get(r.Context(), name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		refuse(w, missing)
		return
	} else if err != nil {
		refuse(w, err)
		return
	}
	measured, err := m.pod(r.Context(), newDemands(m.client, m.plays), pod)
	switch {
	case err != nil:
		refuse(w, err)
	case measured == nil:
		refuse(w, missing)
	default:
		measured.TypeMeta = kindOf("PodMetrics")
		reply(w, http.StatusOK, measured)
	}
}

func (m *meter) listNodes(w http.ResponseWriter, r *http.Request) {
	nodes, err := m.client.CoreV1().Nodes().List(r.Context(), selectors(r))
	if err != nil {
		refuse(w, err)
		return
	}
	measured, err := m.nodes(r.Context(), nodes.Items)
	if err != nil {
		refuse(w, err)
		return
	}
	reply(w, http.StatusOK, metrics.NodeMetricsList{TypeMeta: kindOf("NodeMetricsList"), Items: measured})
}

func (m *meter) oneNode(w http.ResponseWriter, r *http.Request) {
	missing := apierrors.NewNotFound(metrics.Resource("nodemetrics"), r.PathValue("name"))
	node, err := m.client.CoreV1().Nodes().Get(r.Context(), r.PathValue("name"), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		refuse(w, missing)
		return
	} else if err != nil {
		refuse(w, err)
		return
	}
	measured, err := m.nodes(r.Context(), []corev1.Node{*node})
	switch {
	case err != nil:
		refuse(w, err)
	case len(measured) == 0:
		refuse(w, missing)
	default:
		measured[0].TypeMeta = kindOf("NodeMetrics")
		reply(w, http.StatusOK, measured[0])
	}
}
