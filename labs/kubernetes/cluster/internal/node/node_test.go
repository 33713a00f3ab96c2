package node

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	cadvisorv2 "github.com/google/cadvisor/info/v2"
	"golang.org/x/sys/unix"

	"naru/cluster/internal/config"
)

func TestANodeThatIsOffDoesNotStart(t *testing.T) {
	c := config.Default()
	c.Directory = t.TempDir()
	if err := os.WriteFile(filepath.Join(c.Directory, offFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), c); err != nil {
		t.Error(err)
	}
}

func TestWaitingForTheClusterEndsWhenTold(t *testing.T) {
	c := config.Default()
	c.Directory, c.Real.Runtime = t.TempDir(), filepath.Join(t.TempDir(), "none.sock")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := Run(ctx, c); err != context.DeadlineExceeded {
		t.Error(err)
	}
}

func TestAnAPIThatDoesNotAnswerIsAskedAgain(t *testing.T) {
	var hung atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hung.CompareAndSwap(false, true) {
			<-r.Context().Done()
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}`))
	}))
	defer server.Close()
	path := filepath.Join(t.TempDir(), componentsKubeconfig)
	knows := knowsNodes(t.Context(), path, "real-1")
	if knows() {
		t.Error("there is no kubeconfig yet")
	}
	text := "{apiVersion: v1, kind: Config, clusters: [{name: a, cluster: {server: '" + server.URL + "'}}], contexts: [{name: a, context: {cluster: a}}], current-context: a}"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if began := time.Now(); knows() || time.Since(began) > 5*askWithin {
		t.Error("an API that hangs is waited for", time.Since(began))
	}
	began := time.Now()
	for range 20 { // as often as it takes: no limit of the client's own slows a start
		if !knows() {
			t.Fatal("it answers that there is no such node")
		}
	}
	if took := time.Since(began); took > time.Second {
		t.Error(took)
	}
}

func TestSettingsFollowTheConfiguration(t *testing.T) {
	c := config.Default()
	c.Directory, c.Real.Root, c.Real.Name = "/run/x", filepath.Join(t.TempDir(), "kubelet"), "real-1"
	c.Real.Labels, c.Real.MaxPods = map[string]string{"type": "real"}, 7
	s, err := settings(c)
	if err != nil {
		t.Fatal(err)
	}
	if s.HostnameOverride != "real-1" || s.NodeIP != c.Real.Address || s.MaxPods != 7 || s.NodeLabels["type"] != "real" {
		t.Errorf("%+v", s.KubeletFlags)
	}
	if s.NodeLeaseDurationSeconds != 6 || s.NodeStatusUpdateFrequency.Duration != 5*time.Second ||
		s.CrashLoopBackOff.MaxContainerRestartPeriod.Duration != 5*time.Second {
		t.Errorf("%+v", s.KubeletConfiguration)
	}
	if s.KubeConfig != "/run/x/components.kubeconfig" || s.ContainerRuntimeEndpoint != "unix:///run/containerd/containerd.sock" {
		t.Errorf("%s %s", s.KubeConfig, s.ContainerRuntimeEndpoint)
	}
	if info, err := os.Stat(c.Real.Root); err != nil || !info.IsDir() {
		t.Errorf("no directory for the kubelet: %v", err)
	}
}

func TestAfterAPauseOnlyTheNodesStateWaits(t *testing.T) {
	for _, each := range []struct {
		method, path string
		held         bool
	}{
		{"PATCH", "/api/v1/nodes/real-1/status", true},
		{"GET", "/api/v1/nodes/real-1", false},
		{"PATCH", "/api/v1/namespaces/default/pods/shop-1/status", false},
		{"PUT", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/real-1", false},
	} {
		if held := tellsOfNode(httptest.NewRequest(each.method, each.path, nil)); held != each.held {
			t.Errorf("%s %s: %v", each.method, each.path, held)
		}
	}
}

func TestOptionsOfMountsBecomeFlags(t *testing.T) {
	flags, data := flagsOf([]string{"bind", "remount", "ro", "noswap", "size=8388608", "mode=0755"})
	if flags != unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY || data != "size=8388608,mode=0755" {
		t.Errorf("%x %q", flags, data)
	}
	if flags, data := flagsOf(nil); flags != 0 || data != "" {
		t.Errorf("%x %q", flags, data)
	}
}

func TestTheMachineIsWhatTheConfigurationSays(t *testing.T) {
	m := machine{root: t.TempDir(), memory: 2 << 30}
	if info, err := m.MachineInfo(); err != nil || info.MemoryCapacity != 2<<30 || info.NumCores < 1 {
		t.Errorf("%+v %v", info, err)
	}
	if disk, err := m.RootFsInfo(); err != nil || disk.Capacity == 0 || disk.Usage > disk.Capacity {
		t.Errorf("%+v %v", disk, err)
	}
	if _, err := (machine{root: "/nowhere"}).RootFsInfo(); err == nil {
		t.Error("a disk that is not there")
	}
	used, err := m.ContainerInfoV2("none", cadvisorv2.RequestOptions{})
	if err != nil || used["none"].Stats[0].Cpu.Usage.Total != 0 {
		t.Errorf("a container that has ended: %+v %v", used, err)
	}
	path := filepath.Join(t.TempDir(), "os-release")
	if err := os.WriteFile(path, []byte("NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if name := osName(path); name != "Debian GNU/Linux 13 (trixie)" {
		t.Errorf("%q", name)
	}
	if name := osName("/nowhere"); name != "" {
		t.Errorf("%q", name)
	}
}
