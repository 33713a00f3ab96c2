package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/ptr"

	"naru/cluster/internal/control"
)

// servedConfig makes the test's own binary a cluster: its flags are global to a process, so each needs one of its own.
const servedConfig = "NARU_TEST_SERVED_CONFIG"

func init() {
	if path := os.Getenv(servedConfig); path != "" {
		ctx, cancel := context.WithCancel(context.Background())
		go func() { // ends with the test, however that ends
			_, _ = io.Copy(io.Discard, os.Stdin)
			cancel()
		}()
		os.Exit(run(ctx, []string{"--config", path}, serve))
	}
}

// served is a running cluster of three simulated nodes.
type served struct {
	t       *testing.T
	socket  string
	client  *kubernetes.Clientset
	process *os.Process
	ended   chan struct{} // closed once it has
}

// freePort is a port that nobody listens on.
func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port
}

func startCluster(t *testing.T) *served {
	t.Helper()
	folder, err := os.MkdirTemp("", "cluster")
	if err != nil {
		t.Fatal(err)
	}
	config, kubeconfig := filepath.Join(folder, "cluster.yaml"), filepath.Join(folder, "learner")
	text := fmt.Sprintf("directory: %s\nport: %d\nsimulated: {count: 3, images: [nginx], port: %d}\n", folder, freePort(t), freePort(t))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	process := exec.Command(os.Args[0])
	process.Env = append(os.Environ(), servedConfig+"="+config, "NARU_LEARNER_KUBECONFIG="+kubeconfig)
	log := filepath.Join(folder, "log")
	if process.Stderr, err = os.Create(log); err != nil {
		t.Fatal(err)
	}
	stdin, err := process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = process.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = process.Process.Signal(syscall.SIGTERM)
		<-ended
		if t.Failed() {
			said, _ := os.ReadFile(log)
			t.Logf("%s", said[max(0, len(said)-4000):])
		}
		_ = os.RemoveAll(folder)
	})
	s := &served{t: t, socket: filepath.Join(folder, "control.sock"), process: process.Process, ended: ended}
	s.await("the cluster to be ready", func() bool { _, status := s.ask("GET", "/ready", ""); return status == 0 })
	way, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	way.QPS = -1
	if s.client, err = kubernetes.NewForConfig(way); err != nil {
		t.Fatal(err)
	}
	return s
}

// ask talks to the control socket; it gives the answer, or the refusal, and the client's exit status.
func (s *served) ask(method, path, body string) (string, int) {
	s.t.Setenv("NARU_CONTROL_SOCKET", s.socket)
	var out, refusal strings.Builder
	args := []string{method, path}
	if body != "" {
		args = append(args, "-")
	}
	status := control.Command(s.t.Context(), args, strings.NewReader(body), &out, &refusal)
	return out.String() + refusal.String(), status
}

func (s *served) await(what string, is func() bool) {
	s.t.Helper()
	for start := time.Now(); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Since(start) > 90*time.Second {
			s.t.Fatal("waited in vain for " + what)
		}
	}
}

func (s *served) must(_ any, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// make is what a learner makes: one of each kind that an exercise is about.
func (s *served) make() {
	ctx, app := s.t.Context(), map[string]string{"app": "shop"}
	s.must(s.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team"}}, metav1.CreateOptions{}))
	s.must(s.client.CoreV1().ConfigMaps("team").Create(ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "shop"}, Data: map[string]string{"greeting": "hello"},
	}, metav1.CreateOptions{}))
	s.must(s.client.CoreV1().Secrets("team").Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "shop"}, Data: map[string][]byte{"token": {0, 255}},
	}, metav1.CreateOptions{}))
	s.must(s.client.CoreV1().Services("team").Create(ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "shop"},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeNodePort, Selector: app, Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromInt32(8080), NodePort: 30080}},
		},
	}, metav1.CreateOptions{}))
	s.awaitAccount("team")
	s.must(s.client.AppsV1().Deployments("team").Create(ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "shop"},
		Spec: appsv1.DeploymentSpec{Replicas: ptr.To[int32](2), Selector: &metav1.LabelSelector{MatchLabels: app}, Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: app},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{
				Name: "shop", Image: "nginx:1.27",
				Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m")}},
			}}},
		}},
	}, metav1.CreateOptions{}))
	s.must(s.client.AutoscalingV2().HorizontalPodAutoscalers("team").Create(ctx, &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "shop"},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "shop"},
			MinReplicas:    ptr.To[int32](2), MaxReplicas: 4,
			Metrics: []autoscalingv2.MetricSpec{{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{
				Name: corev1.ResourceCPU, Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: ptr.To[int32](80)},
			}}},
		},
	}, metav1.CreateOptions{}))
	s.must(s.client.CoreV1().Nodes().Patch(ctx, "worker-3", "application/merge-patch+json", []byte(`{"spec":{"unschedulable":true}}`), metav1.PatchOptions{}))
	s.await("two Pods that run", func() bool { return s.running() == 2 })
	s.await("the endpoints of both", func() bool {
		text, _ := s.ask("GET", "/topology", "")
		return strings.Count(text, `"ready":true}]}`) > 0 && strings.Count(text, `{"pod":"shop-`) == 2
	})
}

func (s *served) awaitAccount(namespace string) {
	s.t.Helper()
	s.await("the service account", func() bool {
		_, err := s.client.CoreV1().ServiceAccounts(namespace).Get(s.t.Context(), "default", metav1.GetOptions{})
		return err == nil
	})
}

func (s *served) running() int {
	pods, err := s.client.CoreV1().Pods("team").List(s.t.Context(), metav1.ListOptions{})
	if err != nil {
		return -1
	}
	count := 0
	for i := range pods.Items {
		if pods.Items[i].Status.Phase == corev1.PodRunning && pods.Items[i].DeletionTimestamp == nil {
			count++
		}
	}
	if count != len(pods.Items) {
		return -1
	}
	return count
}

// things names everything made in the namespace, with uids, and how much of it there is.
func (s *served) things() string {
	s.t.Helper()
	var all []string
	for _, kind := range []string{"pod", "service", "deployment", "replicaset", "hpa", "configmap", "secret"} {
		text, status := s.ask("GET", "/objects?namespace=team&selector=&kind="+kind, "")
		if status != 0 {
			s.t.Fatal(text)
		}
		var objects []metav1.PartialObjectMetadata
		if err := json.Unmarshal([]byte(text), &objects); err != nil {
			s.t.Fatal(err)
		}
		for _, object := range objects {
			if object.Name != "kube-root-ca.crt" { // every cluster has its own authority
				all = append(all, fmt.Sprintf("%s %s %s", kind, object.Name, object.UID))
			}
		}
	}
	sort.Strings(all)
	return strings.Join(all, "\n")
}

func TestAClusterEndsSoonAfterSIGTERM(t *testing.T) {
	s := startCluster(t)
	began := time.Now()
	if err := s.process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.ended:
	case <-time.After(10 * time.Second): // 3 s are promised; a busy machine takes longer to notice
		t.Fatal("it goes on")
	}
	t.Logf("ended after %s", time.Since(began))
}

func TestAClusterMovesIntoAnotherAndBackInTime(t *testing.T) {
	first := startCluster(t)
	first.make()
	want := first.things()
	state, status := first.ask("GET", "/state", "")
	if status != 0 {
		t.Fatal(state)
	}

	second := startCluster(t)
	if said, status := second.ask("PUT", "/state", state); status != 0 {
		t.Fatal(said)
	}
	second.await("the Pods to run", func() bool { return second.running() == 2 })
	if got := second.things(); got != want {
		t.Errorf("another cluster has\n%s\ninstead of\n%s", got, want)
	}
	node, err := second.client.CoreV1().Nodes().Get(t.Context(), "worker-3", metav1.GetOptions{})
	if err != nil || !node.Spec.Unschedulable {
		t.Errorf("%+v, %v", node.Spec, err)
	}

	// The controllers go on with what was put in: it is a Deployment like any other.
	ctx := t.Context()
	second.must(second.client.AppsV1().Deployments("team").Patch(ctx, "shop", "application/merge-patch+json",
		[]byte(`{"spec":{"replicas":3,"template":{"spec":{"containers":[{"name":"shop","image":"nginx:1.28"}]}}}}`), metav1.PatchOptions{}))
	second.await("a rollout in another cluster", func() bool {
		one, err := second.client.AppsV1().Deployments("team").Get(ctx, "shop", metav1.GetOptions{})
		return err == nil && one.Status.UpdatedReplicas == 3 && one.Status.ReadyReplicas == 3 && one.Status.Replicas == 3
	})

	back := func(what string, change func() error) {
		t.Helper()
		if err := change(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if said, status := first.ask("PUT", "/state", state); status != 0 {
			t.Fatalf("%s: %s", what, said)
		}
		for range 16 { // controllers get time to spoil it
			time.Sleep(250 * time.Millisecond)
			if got := first.things(); got != want {
				t.Fatalf("%s: there is\n%s\ninstead of\n%s", what, got, want)
			}
		}
		if first.running() != 2 {
			t.Errorf("%s: the Pods do not run", what)
		}
	}
	background := metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationBackground)}
	back("nothing happened", func() error { return nil })
	back("the Deployment was deleted", func() error {
		return first.client.AppsV1().Deployments("team").Delete(ctx, "shop", background)
	})
	back("more Pods were wanted", func() error {
		_, err := first.client.AppsV1().Deployments("team").Patch(ctx, "shop", "application/merge-patch+json", []byte(`{"spec":{"replicas":9}}`), metav1.PatchOptions{})
		return err
	})
	back("all Pods were deleted", func() error {
		return first.client.CoreV1().Pods("team").DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{})
	})
	back("the Service was deleted", func() error {
		return first.client.CoreV1().Services("team").Delete(ctx, "shop", metav1.DeleteOptions{})
	})
	back("the namespace was deleted", func() error {
		if err := first.client.CoreV1().Namespaces().Delete(ctx, "team", background); err != nil {
			return err
		}
		first.await("the namespace to go", func() bool {
			_, err := first.client.CoreV1().Namespaces().Get(ctx, "team", metav1.GetOptions{})
			return apierrors.IsNotFound(err)
		})
		return nil
	})
	// The port of the Service is taken once more, and one that came later is free again.
	taken := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "other"},
		Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeNodePort, Ports: []corev1.ServicePort{{Port: 80, NodePort: 30080}}},
	}
	if _, err := first.client.CoreV1().Services("team").Create(ctx, taken, metav1.CreateOptions{}); !apierrors.IsInvalid(err) {
		t.Errorf("a taken port: %v", err)
	}
	taken.Spec.Ports[0].NodePort = 30081
	back("a Service came", func() error {
		_, err := first.client.CoreV1().Services("team").Create(ctx, taken, metav1.CreateOptions{})
		return err
	})
	first.must(first.client.CoreV1().Services("team").Create(ctx, taken, metav1.CreateOptions{}))
}
