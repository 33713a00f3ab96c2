// Package node runs the upstream kubelet inside a lab, which is gVisor: no cgroups to manage, no cadvisor, mounts by
// mount(2). It is a process of its own: upstream's calls os.Exit, and stopping it is how its node fails.
package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	kubeletapp "k8s.io/kubernetes/cmd/kubelet/app"
	"k8s.io/kubernetes/pkg/kubelet"
	"k8s.io/kubernetes/pkg/kubelet/cm"
	"k8s.io/kubernetes/pkg/util/oom"
	"k8s.io/kubernetes/pkg/volume/util/subpath"

	"naru/cluster/internal/config"
	"naru/cluster/internal/pause"
)

const (
	// While this file lies in the cluster's directory the node is off.
	offFile = "node-off"
	// The bridge that Pods are plugged into: whose node is off, whose cable is out.
	podBridge = "cni0"
	pollEvery = 50 * time.Millisecond
	offEvery  = 250 * time.Millisecond
	askWithin = 2 * time.Second // an API that starts may take a question and never answer
	kmsg      = "/dev/kmsg"
)

// Run is the kubelet until the context ends or the node is turned off; both are no error.
func Run(ctx context.Context, c config.Config) error {
	off := filepath.Join(c.Directory, offFile)
	if exists(off) {
		return nil
	}
	if err := await(ctx, c); err != nil {
		return err
	}
	plugPods("up")
	if err := ownAddress(ctx, c.Real.Address); err != nil {
		return err
	}
	log, err := openKmsg()
	if err != nil {
		return err
	}
	defer log.Close()
	ended := make(chan error, 1)
	go func() { ended <- runKubelet(ctx, c) }()
	ticker := time.NewTicker(offEvery)
	defer ticker.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-ticker.C:
			if exists(off) {
				plugPods("down")
				return nil
			}
		}
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// await waits for what the kubelet would fail without: the container runtime, and an API to introduce itself to.
func await(ctx context.Context, c config.Config) error {
	kubeconfig := filepath.Join(c.Directory, componentsKubeconfig)
	for _, ready := range []func() bool{
		func() bool { return answers(c.Real.Runtime) },
		func() bool { return exists(kubeconfig) },
		knowsNodes(ctx, kubeconfig, c.Real.Name),
	} {
		for !ready() {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(pollEvery):
			}
		}
	}
	return nil
}

// knowsNodes says whether the API answers about nodes, be it that there is no such one. A kubelet that comes before that
// tries again in longer and longer intervals. One client asks, from the first time that the kubeconfig can be read.
func knowsNodes(ctx context.Context, kubeconfig, name string) func() bool {
	var client *kubernetes.Clientset
	return func() bool {
		if client == nil {
			base, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
			if err != nil {
				return false
			}
			base.QPS, base.Timeout = -1, askWithin
			if client, err = kubernetes.NewForConfig(base); err != nil {
				return false
			}
		}
		_, err := client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		return err == nil || apierrors.IsNotFound(err)
	}
}

func answers(socket string) bool {
	connection, err := net.DialTimeout("unix", socket, time.Second)
	if err != nil {
		return false
	}
	connection.Close()
	return true
}

// plugPods connects the Pods with the lab, or cuts them off; before the first Pod there is nothing to plug.
func plugPods(state string) {
	_ = exec.Command("ip", "link", "set", podBridge, state).Run()
}

// ownAddress makes the node's address the lab's own; the service network may have done so already.
func ownAddress(ctx context.Context, address string) error {
	out, err := exec.CommandContext(ctx, "ip", "addr", "add", address+"/24", "dev", "lo").CombinedOutput()
	if addresses, listErr := net.InterfaceAddrs(); listErr == nil {
		for _, each := range addresses {
			if own, ok := each.(*net.IPNet); ok && own.IP.String() == address {
				return nil
			}
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %s", address, err, out)
	}
	return nil
}

// openKmsg gives the kubelet's watcher of the kernel's messages something to wait at for ever: gVisor has no /dev/kmsg.
func openKmsg() (*os.File, error) {
	if err := syscall.Mkfifo(kmsg, 0o600); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, &os.PathError{Op: "mkfifo", Path: kmsg, Err: err}
	}
	return os.OpenFile(kmsg, os.O_RDWR, 0)
}

func runKubelet(ctx context.Context, c config.Config) error {
	server, err := settings(c)
	if err != nil {
		return err
	}
	deps, err := kubeletapp.UnsecuredDependencies(ctx, server, utilfeature.DefaultFeatureGate)
	if err != nil {
		return err
	}
	gate := pause.New(c.Times.PauseGrace.Duration)
	go gate.Beat(ctx.Done())
	if err := setClients(deps, server.KubeConfig, gate, c.Times.NodeStatus.Duration); err != nil {
		return err
	}
	deps.CAdvisorInterface = machine{root: c.Real.Root, memory: uint64(c.Real.MemoryMB) << 20}
	deps.ContainerManager = containers{cm.NewStubContainerManager()}
	deps.Mounter = mounter{deps.Mounter}
	deps.Subpather = subpath.New(deps.Mounter)
	deps.OOMAdjuster = oom.NewFakeOOMAdjuster()
	return kubeletapp.Run(ctx, server, deps, utilfeature.DefaultFeatureGate)
}

// setClients gives the kubelet its ways to the API. Right after a pause it must not tell of its node: what it knows by
// then is that nothing, itself included, has moved for minutes.
func setClients(deps *kubelet.Dependencies, kubeconfig string, gate *pause.Gate, heartbeat time.Duration) error {
	base, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	base.QPS, base.Burst = -1, -1
	base.ContentType = "application/vnd.kubernetes.protobuf"
	base.AcceptContentTypes = base.ContentType + ",application/json"
	base.Wrap(func(next http.RoundTripper) http.RoundTripper { return gate.Wrap(next, tellsOfNode) })
	timed := rest.CopyConfig(base)
	timed.Timeout = heartbeat
	if deps.KubeClient, err = kubernetes.NewForConfig(base); err != nil {
		return err
	}
	events := rest.CopyConfig(base)
	events.Wrap(func(next http.RoundTripper) http.RoundTripper { return quiet{next: next, gate: gate} })
	recorder, err := kubernetes.NewForConfig(events)
	if err != nil {
		return err
	}
	deps.EventClient = recorder.CoreV1()
	deps.HeartbeatClient, err = kubernetes.NewForConfig(timed)
	return err
}

// tellsOfNode says whether a request writes a node's state. Pods' goes on: it is what the runtime says, now.
func tellsOfNode(request *http.Request) bool {
	return request.Method != http.MethodGet && pause.NodesAndEvictions(request) && !isPods(request)
}
