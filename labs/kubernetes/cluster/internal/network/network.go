// Package network makes Services work for the Pods that are real: addresses, ports and names of Services lead to
// containers. It stands in for kube-proxy and CoreDNS, in one process and without a rule in any kernel.
package network

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
	"k8s.io/client-go/tools/cache"

	"naru/cluster/internal/config"
)

const (
	apiAddress  = "10.96.0.1"
	dnsAddress  = "10.96.0.10"
	serviceNet  = "10.96.0.0/16"
	serviceBits = "/16"
	nodeBits    = "/24" // simulated nodes have their addresses beside the real one's
	domain      = "cluster.local"
	resolvConf  = "/etc/resolv.conf"
)

// Run serves until the context ends or what it needs cannot be had.
func Run(ctx context.Context, c config.Config, client kubernetes.Interface) error {
	if err := makeAddresses(ctx, c.Real.Address); err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTransform(lean))
	view := &view{
		services: factory.Core().V1().Services().Lister(),
		slices:   factory.Discovery().V1().EndpointSlices().Lister(),
		node:     c.Real.Name,
	}
	changed := make(chan struct{}, 1)
	for _, informer := range []cache.SharedIndexInformer{
		factory.Core().V1().Services().Informer(), factory.Discovery().V1().EndpointSlices().Informer(),
	} {
		if _, err := informer.AddEventHandler(notify(changed)); err != nil {
			return err
		}
	}
	names, err := net.ListenPacket("udp", net.JoinHostPort(dnsAddress, "53"))
	if err != nil {
		return err
	}
	defer names.Close()
	proxy := newProxy(fmt.Sprintf("127.0.0.1:%d", c.Port))
	defer proxy.close()
	if err := proxy.apply(map[string]front{apiFront: {}}); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	for kind, synced := range factory.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return fmt.Errorf("%v: no watch", kind)
		}
	}
	if err := os.WriteFile(resolvConf, []byte(resolver), 0o644); err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- answerNames(names, view) }()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-failed:
			return err
		case <-changed:
			// A port that something else in the lab holds is that Service's trouble only.
			_ = proxy.apply(view.fronts())
		}
	}
}

// resolver is the lab's own resolv.conf: what a Pod of namespace default has, but for ndots, so that a learner's
// programs ask for other names as they are first.
var resolver = "nameserver " + dnsAddress + "\nsearch default.svc." + domain + " svc." + domain + " " + domain + "\n"

// makeAddresses gives the lab the addresses of Services and nodes. All of a network on lo is the lab's own; what comes
// from Pods for them counts as forwarded, which is otherwise forbidden.
func makeAddresses(ctx context.Context, node string) error {
	argvs := [][]string{{"ip", "addr", "add", apiAddress + serviceBits, "dev", "lo"},
		{"iptables", "-A", "FORWARD", "-d", serviceNet, "-j", "ACCEPT"}}
	if node != "" {
		argvs = append(argvs, []string{"ip", "addr", "add", node + nodeBits, "dev", "lo"},
			[]string{"iptables", "-A", "FORWARD", "-d", node + nodeBits, "-j", "ACCEPT"})
	}
	for _, argv := range argvs {
		out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput()
		if err != nil && !strings.Contains(string(out), "File exists") {
			return fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, strings.TrimSpace(string(out)))
		}
	}
	return nil
}

// notify tells of any change; several in a row count as one.
func notify(changed chan<- struct{}) cache.ResourceEventHandler {
	tell := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { tell() }, UpdateFunc: func(any, any) { tell() }, DeleteFunc: func(any) { tell() },
	}
}

// view is what the cluster says of Services.
type view struct {
	services corelisters.ServiceLister
	slices   discoverylisters.EndpointSliceLister
	node     string // only its Pods answer; those of simulated nodes have addresses that nobody listens at
}

// slicesOf gives a Service's endpoints.
func (v *view) slicesOf(namespace, service string) []*discoveryv1.EndpointSlice {
	selector := labels.SelectorFromSet(labels.Set{discoveryv1.LabelServiceName: service})
	found, err := v.slices.EndpointSlices(namespace).List(selector)
	if err != nil {
		return nil
	}
	return found
}
