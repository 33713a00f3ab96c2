package simulated

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	registration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	aggregator "k8s.io/kube-aggregator/pkg/client/clientset_generated/clientset"
	metrics "k8s.io/metrics/pkg/apis/metrics/v1beta1"
	"k8s.io/utils/ptr"

	"naru/cluster/internal/config"
)

const (
	metricsService = "metrics-server"
	metricsRoot    = "/apis/metrics.k8s.io/v1beta1"
)

// ServeMetrics answers for metrics.k8s.io/v1beta1 on a free port of 127.0.0.1, and tells the API server so, until ctx ends.
// cert and key are files.
func ServeMetrics(ctx context.Context, way *rest.Config, c config.Config, cert, key string) error {
	client, err := kubernetes.NewForConfig(way)
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           (&meter{client: client, real: c.Real.Name, usage: newUsage(groups)}).handler(),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- server.ServeTLS(listener, "", "") }()
	if err := register(ctx, client, way, int32(listener.Addr().(*net.TCPAddr).Port)); err != nil {
		return errors.Join(err, server.Close())
	}
	err = <-ended
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// register tells the API server where the metrics are; it tries until ctx ends, for kube-system may not be there yet.
func register(ctx context.Context, client kubernetes.Interface, way *rest.Config, port int32) error {
	registrar, err := aggregator.NewForConfig(way)
	if err != nil {
		return err
	}
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: metricsService, Namespace: metav1.NamespaceSystem},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeExternalName, ExternalName: "localhost", Ports: []corev1.ServicePort{{Port: port}},
		},
	}
	api := &registration.APIService{
		ObjectMeta: metav1.ObjectMeta{Name: "v1beta1." + metrics.GroupName},
		Spec: registration.APIServiceSpec{
			Group: metrics.GroupName, Version: "v1beta1", GroupPriorityMinimum: 100, VersionPriority: 100, InsecureSkipTLSVerify: true,
			Service: &registration.ServiceReference{Name: metricsService, Namespace: metav1.NamespaceSystem, Port: ptr.To(port)},
		},
	}
	for {
		// In this order: an API whose Service is missing disturbs everybody who asks which APIs there are.
		err := putService(ctx, client, service)
		if err == nil {
			err = putAPI(ctx, registrar, api)
		}
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(shortly):
		}
	}
}

// putService makes the Service, or gives the one of a seed the port of this time.
func putService(ctx context.Context, client kubernetes.Interface, service *corev1.Service) error {
	services := client.CoreV1().Services(service.Namespace)
	_, err := services.Create(ctx, service, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		_, err = services.Patch(ctx, service.Name, types.MergePatchType, specPatch(service.Spec), metav1.PatchOptions{})
	}
	return err
}

func putAPI(ctx context.Context, registrar aggregator.Interface, api *registration.APIService) error {
	apis := registrar.ApiregistrationV1().APIServices()
	_, err := apis.Create(ctx, api, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		_, err = apis.Patch(ctx, api.Name, types.MergePatchType, specPatch(api.Spec), metav1.PatchOptions{})
	}
	return err
}

func specPatch(spec any) []byte {
	text, err := json.Marshal(map[string]any{"spec": spec})
	if err != nil {
		panic(err) // plain structs
	}
	return text
}

// handler answers as metrics-server does: lists and single objects, with label and field selectors.
func (m *meter) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+metricsRoot, resources)
	mux.HandleFunc("GET "+metricsRoot+"/pods", m.listPods)
	mux.HandleFunc("GET "+metricsRoot+"/namespaces/{namespace}/pods", m.listPods)
	mux.HandleFunc("GET "+metricsRoot+"/namespaces/{namespace}/pods/{name}", m.onePod)
	mux.HandleFunc("GET "+metricsRoot+"/nodes", m.listNodes)
	mux.HandleFunc("GET "+metricsRoot+"/nodes/{name}", m.oneNode)
	// Without these the API server complains once a minute.
	mux.HandleFunc("GET /openapi/v2", static(map[string]any{
		"swagger": "2.0", "info": map[string]string{"title": metrics.GroupName, "version": "v1beta1"}, "paths": map[string]any{},
	}))
	mux.HandleFunc("GET /openapi/v3", static(map[string]any{"paths": map[string]any{}}))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, apierrors.NewGenericServerResponse(http.StatusNotFound, r.Method, schema.GroupResource{}, r.URL.Path, "no such path", 0, true))
	})
	return mux
}

func resources(w http.ResponseWriter, _ *http.Request) {
	verbs := metav1.Verbs{"get", "list"}
	reply(w, http.StatusOK, metav1.APIResourceList{
		TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: metrics.SchemeGroupVersion.String(),
		APIResources: []metav1.APIResource{
			{Name: "nodes", Kind: "NodeMetrics", Verbs: verbs},
			{Name: "pods", Namespaced: true, Kind: "PodMetrics", Verbs: verbs},
		},
	})
}

func static(body any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, body) }
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // fails when the one who asked is gone
}

func refuse(w http.ResponseWriter, err error) {
	var told apierrors.APIStatus
	if !errors.As(err, &told) {
		told = apierrors.NewInternalError(err)
	}
	status := told.Status()
	status.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
	reply(w, int(status.Code), status)
}

func selectors(r *http.Request) metav1.ListOptions {
	query := r.URL.Query()
	return metav1.ListOptions{LabelSelector: query.Get("labelSelector"), FieldSelector: query.Get("fieldSelector")}
}
