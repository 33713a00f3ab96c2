package plane

import (
	"fmt"
	"strings"

	"naru/cluster/internal/config"
	"naru/cluster/internal/pki"
)

// controllers are those that a lesson needs; each more costs watches and memory.
var controllers = []string{
	"deployment-controller", "replicaset-controller", "statefulset-controller", "daemonset-controller", "job-controller",
	"cronjob-controller", "endpointslice-controller", "horizontal-pod-autoscaler-controller", "node-lifecycle-controller",
	"taint-eviction-controller", "pod-garbage-collector-controller", "garbage-collector-controller", "namespace-controller",
	"disruption-controller", "serviceaccount-controller", "serviceaccount-token-controller",
	"root-ca-certificate-publisher-controller", "persistentvolume-binder-controller", "resourcequota-controller",
	"ttl-after-finished-controller",
}

// small are the controllers' workers, one each: a lab has few objects, and workers of several cost memory.
var small = []string{
	"deployment", "replicaset", "statefulset", "job", "cron-job", "service-endpoint", "horizontal-pod-autoscaler", "gc", "namespace",
	"serviceaccount-token", "resource-quota", "ttl-after-finished",
}

func apiFlags(c config.Config, p *pki.PKI, etcd, tokens string) []string {
	toleration := fmt.Sprintf("%.0f", c.Times.Toleration.Seconds())
	return []string{
		"--etcd-servers=" + etcd,
		"--bind-address=127.0.0.1", "--advertise-address=10.0.0.1", fmt.Sprintf("--secure-port=%d", c.Port),
		"--tls-cert-file=" + p.Cert, "--tls-private-key-file=" + p.Key,
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + p.Accounts, "--service-account-signing-key-file=" + p.Accounts,
		"--token-auth-file=" + tokens, "--client-ca-file=" + p.CA,
		"--proxy-client-cert-file=" + p.Cert, "--proxy-client-key-file=" + p.Key,
		"--requestheader-client-ca-file=" + p.CA, "--requestheader-allowed-names=front-proxy",
		"--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--authorization-mode=RBAC",
		// Without use here: fairness among requests is off, and no controller signs certificates.
		"--runtime-config=flowcontrol.apiserver.k8s.io/v1=false,certificates.k8s.io/v1=false",
		"--service-cluster-ip-range=10.96.0.0/16",
		"--endpoint-reconciler-type=none",
		"--enable-priority-and-fairness=false", "--max-requests-inflight=0", "--max-mutating-requests-inflight=0",
		"--profiling=false", "--event-ttl=" + c.Times.EventTTL.Duration.String(),
		"--default-not-ready-toleration-seconds=" + toleration, "--default-unreachable-toleration-seconds=" + toleration,
		// What was before is kept for one to two of these, for watches and long lists that go on from there.
		"--etcd-compaction-interval=30s",
		// Lists of the past come from the store, which has them anyway.
		"--feature-gates=ListFromCacheSnapshot=false",
		"--etcd-count-metric-poll-period=0", "--etcd-db-metric-poll-interval=0",
		"--allow-privileged=true", "--anonymous-auth=true",
		"--kubelet-preferred-address-types=InternalDNS,InternalIP",
		"--kubelet-client-certificate=" + p.Cert, "--kubelet-client-key=" + p.Key,
	}
}

func managerFlags(c config.Config, p *pki.PKI, kubeconfig string) []string {
	flags := []string{
		"--kubeconfig=" + kubeconfig, "--secure-port=0", "--leader-elect=false", "--profiling=false",
		"--use-service-account-credentials=false",
		"--service-account-private-key-file=" + p.Accounts, "--root-ca-file=" + p.CA,
		"--kube-api-qps=500", "--kube-api-burst=1000",
		"--node-monitor-period=" + c.Times.NodeMonitor.Duration.String(),
		"--node-monitor-grace-period=" + c.Times.NodeGrace.Duration.String(), "--node-startup-grace-period=10s",
		"--horizontal-pod-autoscaler-sync-period=" + c.Times.AutoscalerSync.Duration.String(),
		"--horizontal-pod-autoscaler-downscale-stabilization=" + c.Times.AutoscalerSettle.Duration.String(),
		"--horizontal-pod-autoscaler-cpu-initialization-period=1s", "--horizontal-pod-autoscaler-initial-readiness-delay=1s",
		"--node-eviction-rate=10", "--unhealthy-zone-threshold=1", "--secondary-node-eviction-rate=10",
		"--controllers=" + strings.Join(controllers, ","),
	}
	for _, each := range small {
		flags = append(flags, "--concurrent-"+each+"-syncs=1")
	}
	return flags
}

func schedulerFlags(kubeconfig string) []string {
	return []string{
		"--kubeconfig=" + kubeconfig, "--secure-port=0", "--leader-elect=false", "--profiling=false", "--kube-api-qps=500",
		"--kube-api-burst=1000",
	}
}
