// Package config reads the one file that says what a lab's cluster is.
package config

import (
	"fmt"
	"os"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// Config is /etc/naru/cluster.yaml. Unknown keys are errors; what is left out has the value of Default.
type Config struct {
	Directory  string    `json:"directory"`    // certificates, sockets; 0700
	Port       int       `json:"port"`         // of the API server, on 127.0.0.1
	MostHeapMB int       `json:"most_heap_mb"` // MiB; with more of its heap in use the cluster takes no more objects
	Simulated  Simulated `json:"simulated"`
	Real       Real      `json:"real"`
	Times      Times     `json:"times"`
}

// Simulated describes the nodes that only play: worker-1 to worker-N.
type Simulated struct {
	Count  int               `json:"count"`
	CPU    string            `json:"cpu"`
	Memory string            `json:"memory"`
	Pods   int               `json:"pods"`
	Labels map[string]string `json:"labels"`
	Taint  string            `json:"taint"`  // key=value:Effect, "" for none
	Images []string          `json:"images"` // names, without tags, that their registry knows
	Port   int               `json:"port"`   // on 127.0.0.1, where the kubelets of all of them answer
}

// Real describes the node that runs containers; an empty name is none.
type Real struct {
	Name     string            `json:"name"`
	Address  string            `json:"address"`
	Root     string            `json:"root"`    // the kubelet's directory
	Runtime  string            `json:"runtime"` // the CRI's socket
	Labels   map[string]string `json:"labels"`
	MaxPods  int               `json:"max_pods"`
	MemoryMB int               `json:"memory_mb"` // shown as the node's capacity
}

// Times are a lesson's: what takes minutes in production takes seconds here. All in one place.
type Times struct {
	NodeLease        metav1.Duration `json:"node_lease"`        // how long a node's word holds
	NodeGrace        metav1.Duration `json:"node_grace"`        // silence after which a node is NotReady
	NodeMonitor      metav1.Duration `json:"node_monitor"`      // how often that is looked at
	Toleration       metav1.Duration `json:"toleration"`        // how long a Pod stays on a node that is NotReady
	AutoscalerSync   metav1.Duration `json:"autoscaler_sync"`   // how often the HPA looks
	AutoscalerSettle metav1.Duration `json:"autoscaler_settle"` // how long it waits before it takes Pods away
	CrashBackoff     metav1.Duration `json:"crash_backoff"`     // the longest CrashLoopBackOff
	EventTTL         metav1.Duration `json:"event_ttl"`         // how long events are kept
	NodeStatus       metav1.Duration `json:"node_status"`       // how often the kubelet tells of its node
	PauseGrace       metav1.Duration `json:"pause_grace"`       // after a pause: how long no node is written off
	StopWithin       metav1.Duration `json:"stop_within"`       // from SIGTERM to the end
}

func seconds(n float64) metav1.Duration {
	return metav1.Duration{Duration: time.Duration(n * float64(time.Second))}
}

// Default is a cluster of three simulated nodes with the times of a lesson.
func Default() Config {
	return Config{
		Directory:  "/run/naru/cluster",
		Port:       6443,
		MostHeapMB: 120,
		Simulated:  Simulated{Count: 3, CPU: "4", Memory: "8Gi", Pods: 4000, Port: 10247},
		Real:       Real{Address: "10.0.0.1", Root: "/var/lib/kubelet", Runtime: "/run/containerd/containerd.sock", MaxPods: 30, MemoryMB: 2048},
		Times: Times{
			NodeLease: seconds(6), NodeGrace: seconds(8), NodeMonitor: seconds(1), Toleration: seconds(5),
			AutoscalerSync: seconds(2), AutoscalerSettle: seconds(15), CrashBackoff: seconds(5), EventTTL: seconds(600),
			NodeStatus: seconds(5), PauseGrace: seconds(4), StopWithin: seconds(2.5),
		},
	}
}

// Read gives the file's configuration; its errors name the file.
func Read(path string) (Config, error) {
	c := Default()
	text, err := os.ReadFile(path)
	if err != nil {
		return c, err
	}
	if err := yaml.UnmarshalStrict(text, &c); err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	if err := c.check(); err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func (c Config) check() error {
	switch {
	case c.Directory == "":
		return fmt.Errorf("directory: must not be empty")
	case c.Port < 1 || c.Port > 65535:
		return fmt.Errorf("port: %d is no port", c.Port)
	case c.MostHeapMB < 1:
		return fmt.Errorf("most_heap_mb: %d leaves no room for any object", c.MostHeapMB)
	case c.Simulated.Port < 1 || c.Simulated.Port > 65535 || c.Simulated.Port == c.Port:
		return fmt.Errorf("simulated.port: %d is no port of its own", c.Simulated.Port)
	case c.Simulated.Count < 0 || c.Simulated.Count > 100:
		return fmt.Errorf("simulated.count: %d is not between 0 and 100", c.Simulated.Count)
	case c.Times.NodeGrace.Duration <= c.Times.NodeLease.Duration:
		return fmt.Errorf("times.node_grace must be longer than times.node_lease")
	}
	return nil
}
