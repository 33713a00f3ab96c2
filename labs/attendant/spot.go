package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// spot is where a request starts: a network namespace, and how names are found there.
type spot struct {
	pid    int      // 0: this process's own
	names  string   // address of the name server; "" where there is none
	search []string // domains that are put behind a name, in this order, before it is tried as it is
	known  map[string]string
}

// standAt finds the network of the lab, a host or a container.
func standAt(ctx context.Context, from, engine string) (*spot, error) {
	h, err := findHost(engine)
	if err != nil {
		return nil, err
	}
	if pod, is := strings.CutPrefix(from, podPrefix); is {
		return standInPod(ctx, pod)
	}
	if from == "lab" {
		if h.isLab() && hasCluster() {
			return &spot{known: hostsFile("/etc/hosts"), names: clusterNames, search: searchOf("default")}, nil
		}
		if h.isLab() {
			return &spot{known: hostsFile("/etc/hosts")}, nil
		}
		pid, err := h.pid()
		return &spot{pid: pid, known: hostsFile(fmt.Sprintf("/proc/%d/root/etc/hosts", pid))}, err
	}
	if missing := lacks("docker"); missing != "" {
		return nil, wrong("from %q: this lab has no %s", cut(from, 100), missing)
	}
	document, err := engineGet(ctx, h, "/containers/"+from+"/json", mostAnswer)
	if err != nil {
		return nil, err
	}
	var container struct {
		State struct {
			Pid int
		}
	}
	if document != nil {
		if err := json.Unmarshal(document, &container); err != nil {
			return nil, err
		}
	}
	if container.State.Pid <= 1 { // not there, or not running: nobody answers
		return &spot{pid: -1}, nil
	}
	return &spot{pid: container.State.Pid, names: "127.0.0.11:53", known: map[string]string{"localhost": "127.0.0.1"}}, nil
}

func (s *spot) dial(ctx context.Context, _, address string) (net.Conn, error) {
	name, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if s.pid < 0 {
		return nil, errors.New("no such running container or Pod")
	}
	ip := net.ParseIP(name)
	if ip == nil {
		if ip, err = s.find(ctx, name); err != nil {
			return nil, err
		}
	}
	return s.connect(ctx, "tcp", net.JoinHostPort(ip.String(), port))
}

// connect makes a connection whose socket belongs to the spot's network.
func (s *spot) connect(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: 10 * time.Second}
	if s.pid == 0 {
		return dialer.DialContext(ctx, network, address)
	}
	var connection net.Conn
	err := inNetworkOf(s.pid, func() (err error) {
		connection, err = dialer.DialContext(ctx, network, address)
		return err
	})
	return connection, err
}

func (s *spot) find(ctx context.Context, name string) (net.IP, error) {
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if known := net.ParseIP(s.known[name]); known != nil {
		return known, nil
	}
	if s.names == "" {
		return nil, fmt.Errorf("%s: no such name", cut(name, 100))
	}
	err := error(errNoName)
	for _, domain := range append(s.search[:len(s.search):len(s.search)], "") {
		var found net.IP
		if found, err = s.ask(ctx, strings.TrimSuffix(name+"."+domain, ".")); err == nil {
			return found, nil
		}
		if !errors.Is(err, errNoName) {
			break
		}
	}
	return nil, err
}

// ask asks the name server for one whole name, for two seconds at most.
func (s *spot) ask(ctx context.Context, name string) (net.IP, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	connection, err := s.connect(ctx, "udp", s.names)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	deadline, _ := ctx.Deadline() // the asker's own, if that is earlier
	_ = connection.SetDeadline(deadline)
	return lookUp(connection, name)
}

// hostsFile reads the names of an /etc/hosts; one that cannot be read has none.
func hostsFile(path string) map[string]string {
	known := map[string]string{"localhost": "127.0.0.1"}
	text, err := readSmall(path, 64<<10)
	if err != nil {
		return known
	}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		for _, name := range fields[min(1, len(fields)):] {
			name = strings.ToLower(name)
			if _, there := known[name]; !there {
				known[name] = fields[0]
			}
		}
	}
	return known
}
