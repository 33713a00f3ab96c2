package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

const (
	ownPath      = "/naru/bin/naru-attendant"
	hostsVar     = "NARU_HOSTS"
	registryName = "registry.naru"
	registryPort = 5000
)

// runDirectory holds what the attendant's processes tell each other; every host sees the same one.
var runDirectory = "/run/naru"

func inRun(parts ...string) string { return filepath.Join(append([]string{runDirectory}, parts...)...) }

// host is a root directory with its own engine. A lab without named hosts is one host: the lab itself, named "".
type host struct {
	name  string
	index int
}

var hostName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)

// hostNames is the container's word; a learner's own environment may lack it, so pid 1 leaves it in a file, too.
func hostNames() string {
	if text := os.Getenv(hostsVar); text != "" {
		return text
	}
	text, _ := readSmall(inRun("names"), 256)
	return strings.TrimSpace(string(text))
}

// labHosts are the lab's hosts, the learner's own first; the container's environment says which.
func labHosts() ([]host, error) {
	text := hostNames()
	if text == "" {
		return []host{{}}, nil
	}
	var hosts []host
	for index, name := range strings.Split(text, ",") {
		if !hostName.MatchString(name) {
			return nil, fmt.Errorf("%s: %q is no host's name", hostsVar, name)
		}
		hosts = append(hosts, host{name: name, index: index})
	}
	if len(hosts) > 4 {
		return nil, fmt.Errorf("%s: more than four hosts", hostsVar)
	}
	return hosts, nil
}

var errNoHost = errors.New("no such host in this lab")

// findHost gives the named host; "" is the learner's own.
func findHost(name string) (host, error) {
	hosts, err := labHosts()
	if err != nil {
		return host{}, err
	}
	for _, each := range hosts {
		if name == "" || each.name == name {
			return each, nil
		}
	}
	return host{}, fmt.Errorf("%q: %w", name, errNoHost)
}

func (h host) isLab() bool { return h.name == "" }

// socket is where the host's engine answers, seen from the lab's own root and from every host.
func (h host) socket() string {
	if h.isLab() {
		return "/run/docker.sock"
	}
	return inRun("engines", h.name+".sock")
}

// address is the host's in the lab's small network, which exists only between named hosts.
func (h host) address() net.IP { return net.IPv4(10, 77, 0, byte(h.index+2)) }

var labAddress = net.IPv4(10, 77, 0, 1)

// registryAddress is where the lab's registry listens.
func registryAddress() string {
	if hostNames() == "" {
		return fmt.Sprintf("127.0.0.1:%d", registryPort)
	}
	return fmt.Sprintf("%s:%d", labAddress, registryPort)
}

// storage is the host's share of the lab's tmpfs.
func (h host) storage() string { return filepath.Join("/var/lib/docker", h.name) }

func (h host) pidFile() string { return inRun("hosts", h.name) }

// pid is the process that holds the host's namespaces.
func (h host) pid() (int, error) {
	if h.isLab() {
		return 1, nil
	}
	text, err := readSmall(h.pidFile(), 32)
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid < 1 {
		return 0, fmt.Errorf("host %s has no process", h.name)
	}
	return pid, nil
}

// rootPath is the host's root directory as this process finds it.
func (h host) rootPath() (string, error) {
	if h.isLab() {
		return "/", nil
	}
	pid, err := h.pid()
	return fmt.Sprintf("/proc/%d/root", pid), err
}
