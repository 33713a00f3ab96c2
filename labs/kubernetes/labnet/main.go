// Command labnet is the network plugin (CNI) of the Kubernetes lab: it plugs a pod into the lab's bridge. The usual
// plugins ask for what gVisor does not have, and a pod starts sooner with one short program.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

const (
	cniVersion = "1.0.0"
	cniFailed  = 100 // the first code that the specification leaves to plugins
	// Containerd asks a plugin of this name first, whatever the configuration says; labnet is installed as it, too.
	loopback = "loopback"
)

// request is what the runtime says: its configuration and the variables CNI_*.
type request struct {
	Bridge      string `json:"bridge"`
	Subnet      string `json:"subnet"` // 10.88.0.0/16
	State       string `json:"state"`  // directory of the addresses given out
	Kind        string `json:"type"`
	containerID string
	namespace   string
	device      string
}

func readRequest(input io.Reader, getenv func(string) string) (request, addresses, error) {
	r := request{containerID: getenv("CNI_CONTAINERID"), namespace: getenv("CNI_NETNS"), device: getenv("CNI_IFNAME")}
	if err := json.NewDecoder(io.LimitReader(input, 1<<20)).Decode(&r); err != nil {
		return r, addresses{}, fmt.Errorf("configuration: %w", err)
	}
	if r.Kind == loopback {
		return r, addresses{}, nil
	}
	_, network, err := net.ParseCIDR(r.Subnet)
	if err != nil {
		return r, addresses{}, fmt.Errorf("subnet: %w", err)
	}
	if len(r.containerID) < 12 || r.Bridge == "" || r.State == "" || network.IP.To4() == nil {
		return r, addresses{}, errors.New("bridge, state, an IPv4 subnet and CNI_CONTAINERID are needed")
	}
	return r, addresses{directory: r.State, network: network}, nil
}

// plug is the name of the lab's end of a pod's cable.
func (r request) plug() string { return "pod" + r.containerID[:12] }

// bridge gives the index of the pods' bridge and makes it when it is the first time.
func (r request) bridge(pool addresses) (int, error) {
	// It is set up last: one that is down may be half made.
	if found, err := net.InterfaceByName(r.Bridge); err == nil && found.Flags&net.FlagUp != 0 {
		return found.Index, nil
	}
	unlock, err := pool.lock()
	if err != nil {
		return 0, err
	}
	defer unlock()
	if err := addBridge(r.Bridge); err != nil && !errors.Is(err, unix.EEXIST) {
		return 0, fmt.Errorf("bridge: %w", err)
	}
	found, err := net.InterfaceByName(r.Bridge)
	if err != nil {
		return 0, err
	}
	if err := addAddress(found.Index, pool.gateway(), pool.bits()); err != nil && !errors.Is(err, unix.EEXIST) {
		return 0, fmt.Errorf("address of the bridge: %w", err)
	}
	return found.Index, setUp(found.Index)
}

// add plugs the pod in and tells its address.
func (r request) add(pool addresses) (address net.IP, err error) {
	namespace, err := os.Open(r.namespace)
	if err != nil {
		return nil, err
	}
	defer namespace.Close()
	bridge, err := r.bridge(pool)
	if err != nil {
		return nil, err
	}
	address, err = pool.take(r.containerID)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.remove(pool))
		}
	}()
	if err := addPair(r.plug(), r.device, namespace); err != nil {
		return nil, fmt.Errorf("cable: %w", err)
	}
	plug, err := net.InterfaceByName(r.plug())
	if err != nil {
		return nil, err
	}
	if err := setMaster(plug.Index, bridge); err != nil {
		return nil, fmt.Errorf("into the bridge: %w", err)
	}
	if err := setUp(plug.Index); err != nil {
		return nil, fmt.Errorf("up: %w", err)
	}
	return address, inNamespace(namespace, func() error { return r.configure(address, pool) })
}

// configure runs in the pod's namespace.
func (r request) configure(address net.IP, pool addresses) error {
	device, err := net.InterfaceByName(r.device)
	if err != nil {
		return err
	}
	if err := addAddress(device.Index, address, pool.bits()); err != nil {
		return fmt.Errorf("address: %w", err)
	}
	if err := setUp(device.Index); err != nil {
		return fmt.Errorf("up: %w", err)
	}
	if err := addDefaultRoute(device.Index, pool.gateway()); err != nil {
		return fmt.Errorf("route: %w", err)
	}
	return nil
}

// inNamespace does something on a thread that moves into the namespace and never comes back.
func inNamespace(namespace *os.File, do func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- os.NewSyscallError("setns", err)
			return
		}
		done <- do()
	}()
	return <-done
}

// remove unplugs the pod; what is gone already is not an error.
func (r request) remove(pool addresses) error {
	if plug, err := net.InterfaceByName(r.plug()); err == nil {
		if err := deleteLink(plug.Index); err != nil && !errors.Is(err, unix.ENODEV) {
			return err
		}
	}
	return pool.giveBack(r.containerID)
}

// result is the answer to ADD, as the specification has it.
func (r request) result(address net.IP, pool addresses) map[string]any {
	return map[string]any{
		"cniVersion": cniVersion,
		"interfaces": []map[string]string{{"name": r.plug()}, {"name": r.device, "sandbox": r.namespace}},
		"ips": []map[string]any{{
			"address": fmt.Sprintf("%s/%d", address, pool.bits()), "gateway": pool.gateway().String(), "interface": 1,
		}},
		"routes": []map[string]string{{"dst": "0.0.0.0/0", "gw": pool.gateway().String()}},
		"dns":    map[string]any{},
	}
}

// raiseLoopback makes the pod reach itself.
func (r request) raiseLoopback() error {
	namespace, err := os.Open(r.namespace)
	if err != nil {
		return err
	}
	defer namespace.Close()
	return inNamespace(namespace, func() error {
		device, err := net.InterfaceByName(r.device)
		if err != nil {
			return err
		}
		return setUp(device.Index)
	})
}

func (r request) loopbackResult() map[string]any {
	return map[string]any{
		"cniVersion": cniVersion,
		"interfaces": []map[string]string{{"name": r.device, "sandbox": r.namespace}},
		"ips":        []map[string]any{{"address": "127.0.0.1/8", "interface": 0}},
		"dns":        map[string]any{},
	}
}

// run carries out one command of the runtime; its answer is JSON or nil.
func run(command string, input io.Reader, getenv func(string) string) (any, error) {
	if command == "VERSION" {
		return map[string]any{"cniVersion": cniVersion, "supportedVersions": []string{"0.3.1", "0.4.0", cniVersion}}, nil
	}
	r, pool, err := readRequest(input, getenv)
	if err != nil {
		return nil, err
	}
	switch {
	case r.Kind == loopback && command == "ADD":
		return r.loopbackResult(), r.raiseLoopback()
	case r.Kind == loopback:
		return nil, nil
	}
	switch command {
	case "ADD":
		address, err := r.add(pool)
		if err != nil {
			return nil, err
		}
		return r.result(address, pool), nil
	case "DEL":
		return nil, r.remove(pool)
	case "CHECK", "STATUS", "GC":
		return nil, nil
	}
	return nil, fmt.Errorf("unknown command %q", command)
}

func main() {
	answer, err := run(os.Getenv("CNI_COMMAND"), os.Stdin, os.Getenv)
	code := 0
	if err != nil {
		code = 1
		message := filepath.Base(os.Args[0]) + ": " + err.Error()
		answer = map[string]any{"cniVersion": cniVersion, "code": cniFailed, "msg": message}
	}
	if answer != nil {
		_ = json.NewEncoder(os.Stdout).Encode(answer)
	}
	os.Exit(code)
}
