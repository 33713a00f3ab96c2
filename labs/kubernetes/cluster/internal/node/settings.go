package node

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/kubernetes/cmd/kubelet/app/options"
	"k8s.io/kubernetes/pkg/kubelet/cm"

	"naru/cluster/internal/config"
)

const (
	componentsKubeconfig = "components.kubeconfig"
	caFile               = "ca.crt"
	certFile             = "server.crt"
	keyFile              = "server.key"

	kubeletPort   = 10250
	clusterDNS    = "10.96.0.10"
	clusterDomain = "cluster.local"
	containerLogs = "1Mi"
)

func isPods(request *http.Request) bool {
	return strings.HasPrefix(request.URL.Path, "/api/v1/namespaces/")
}

// settings are the kubelet's: everything that needs cgroups, swap, a disk of its own or a cloud is off.
func settings(c config.Config) (*options.KubeletServer, error) {
	if err := os.MkdirAll(c.Real.Root, 0o755); err != nil {
		return nil, err
	}
	in := func(name string) string { return filepath.Join(c.Directory, name) }
	flags := options.NewKubeletFlags()
	flags.KubeConfig = in(componentsKubeconfig)
	flags.RootDirectory = c.Real.Root
	flags.CertDirectory = filepath.Join(c.Real.Root, "pki")
	flags.HostnameOverride = c.Real.Name
	flags.NodeIP = c.Real.Address
	flags.NodeLabels = c.Real.Labels
	flags.MaxPerPodContainerCount = 2
	k, err := options.NewKubeletConfiguration()
	if err != nil {
		return nil, err
	}
	k.ContainerRuntimeEndpoint = "unix://" + c.Real.Runtime
	k.Address, k.Port, k.ReadOnlyPort, k.HealthzPort = c.Real.Address, kubeletPort, 0, 0
	k.TLSCertFile, k.TLSPrivateKeyFile = in(certFile), in(keyFile)
	k.Authentication.Anonymous.Enabled, k.Authentication.Webhook.Enabled = false, false
	k.Authentication.X509.ClientCAFile = in(caFile)
	k.Authorization.Mode = "AlwaysAllow"
	k.ClusterDNS, k.ClusterDomain, k.ResolverConfig = []string{clusterDNS}, clusterDomain, ""
	k.FailSwapOn, k.FailCgroupV1, k.CgroupsPerQOS, k.CgroupDriver = false, false, false, "cgroupfs"
	k.EnforceNodeAllocatable, k.CPUCFSQuota = []string{}, false
	k.EvictionHard, k.ImageMaximumGCAge.Duration = map[string]string{}, 0
	k.ImageGCHighThresholdPercent, k.ImageGCLowThresholdPercent = 100, 99
	k.LocalStorageCapacityIsolation, k.EnableControllerAttachDetach = false, false
	k.MakeIPTablesUtilChains, k.HairpinMode = false, "none"
	k.MaxPods = int32(c.Real.MaxPods)
	k.NodeLeaseDurationSeconds = int32(c.Times.NodeLease.Seconds())
	k.NodeStatusUpdateFrequency.Duration = c.Times.NodeStatus.Duration
	k.NodeStatusReportFrequency.Duration = time.Minute
	k.SyncFrequency.Duration = 10 * time.Second // how late a mounted ConfigMap follows a change
	k.VolumeStatsAggPeriod.Duration = -1
	k.FileCheckFrequency.Duration = 2 * time.Second
	k.SerializeImagePulls, k.RegistryPullQPS, k.EventRecordQPS = true, 0, 0
	k.ContainerLogMaxSize, k.ContainerLogMaxFiles = containerLogs, 2
	k.CrashLoopBackOff.MaxContainerRestartPeriod = ptrTo(c.Times.CrashBackoff)
	return &options.KubeletServer{KubeletFlags: *flags, KubeletConfiguration: *k}, nil
}

func ptrTo[T any](value T) *T { return &value }

// containers says there is nothing to manage, in the form of cgroups that nothing complains of.
type containers struct{ cm.ContainerManager }

func (containers) GetNodeConfig() cm.NodeConfig { return cm.NodeConfig{CgroupVersion: 2} }
