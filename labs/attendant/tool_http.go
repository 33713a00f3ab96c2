package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	mostRequests = 500
	mostBody     = 64 << 10
	mostDistinct = 100
	mostBodies   = 700 << 10 // of all answers together
	atOnce       = 16
)

type httpRequest struct {
	URL     string            `json:"url"`
	From    string            `json:"from"`
	Engine  string            `json:"engine"`
	Method  string            `json:"method"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Times   int               `json:"times"`
	EveryMs int               `json:"every_ms"`
	Seconds float64           `json:"seconds"`
}

// httpAnswer is one answer; its body is cut at 64 KiB.
type httpAnswer struct {
	Status int    `json:"status"`
	Body   string `json:"body"`
	Ms     int64  `json:"ms"`
}

func (r *httpRequest) check() error {
	address, err := url.Parse(r.URL)
	if err != nil || address.Scheme != "http" || address.Hostname() == "" {
		return wrong("url %q", cut(r.URL, 200))
	}
	if r.From == "" {
		r.From = "lab"
	}
	if !objectName.MatchString(strings.TrimPrefix(r.From, podPrefix)) {
		return wrong("from %q", cut(r.From, 100))
	}
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	r.Times = max(r.Times, 1)
	if r.Times > mostRequests || r.EveryMs < 0 || r.EveryMs > 60_000 {
		return wrong("times %d, every_ms %d", r.Times, r.EveryMs)
	}
	if r.Seconds <= 0 || r.Seconds > 60 {
		r.Seconds = 5
	}
	return nil
}

// askHTTP asks an address once or many times, from the lab, one of its hosts, or inside a container's network.
// An answer is one with a status; `failed` counts requests without.
func askHTTP(ctx context.Context, text json.RawMessage) (any, error) {
	var request httpRequest
	if err := decode(text, &request); err != nil {
		return nil, err
	}
	if err := request.check(); err != nil {
		return nil, err
	}
	spot, err := standAt(ctx, request.From, request.Engine)
	if err != nil {
		return nil, err
	}
	answers := askMany(ctx, spot, &request)

	value := struct {
		Answers  []httpAnswer `json:"answers"`
		Failed   int          `json:"failed"`
		Distinct []string     `json:"distinct"`
	}{Answers: []httpAnswer{}, Distinct: []string{}}
	left := mostBodies
	seen := map[string]bool{}
	for _, answer := range answers {
		if answer == nil {
			value.Failed++
			continue
		}
		answer.Body = cut(answer.Body, left)
		left -= len(answer.Body)
		value.Answers = append(value.Answers, *answer)
		if !seen[answer.Body] && len(seen) < mostDistinct && left >= len(answer.Body) {
			seen[answer.Body] = true
			left -= len(answer.Body)
			value.Distinct = append(value.Distinct, answer.Body)
		}
	}
	return value, nil
}

// askMany starts the requests every_ms apart, whether earlier ones have ended or not; nil stands for no answer.
func askMany(ctx context.Context, spot *spot, request *httpRequest) []*httpAnswer {
	client := &http.Client{
		CheckRedirect: noRedirect,
		Timeout:       time.Duration(request.Seconds * float64(time.Second)),
		Transport: &http.Transport{
			DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: 64 << 10, DialContext: spot.dial,
		},
	}
	answers := make([]*httpAnswer, request.Times)
	running := make(chan struct{}, atOnce)
	began := time.Now()
	for started := range request.Times {
		wait := time.Until(began.Add(time.Duration(started*request.EveryMs) * time.Millisecond))
		select {
		case <-ctx.Done():
			return drainSlots(running, answers)
		case <-time.After(wait):
		}
		if request.EveryMs == 0 { // without a beat, one after the other
			answers[started] = askOnce(ctx, client, request)
			continue
		}
		running <- struct{}{}
		go func(i int) {
			answers[i] = askOnce(ctx, client, request)
			<-running
		}(started)
	}
	return drainSlots(running, answers)
}

// drainSlots waits for what still runs.
func drainSlots(running chan struct{}, answers []*httpAnswer) []*httpAnswer {
	for range cap(running) {
		running <- struct{}{}
	}
	return answers
}

func askOnce(ctx context.Context, client *http.Client, request *httpRequest) *httpAnswer {
	asked, err := http.NewRequestWithContext(ctx, request.Method, request.URL, strings.NewReader(request.Body))
	if err != nil {
		return nil
	}
	for name, value := range request.Headers {
		asked.Header.Set(name, value)
		if strings.EqualFold(name, "Host") {
			asked.Host = value
		}
	}
	began := time.Now()
	response, err := client.Do(asked)
	if err != nil {
		return nil
	}
	defer response.Body.Close()
	body, err := readCut(response.Body, mostBody)
	if err != nil {
		return nil
	}
	return &httpAnswer{
		Status: response.StatusCode, Ms: time.Since(began).Milliseconds(),
		Body: strings.ToValidUTF8(string(body), "\uFFFD"),
	}
}

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
		return nil, fmt.Errorf("no such running container")
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

// ask asks the name server for one whole name.
func (s *spot) ask(ctx context.Context, name string) (net.IP, error) {
	connection, err := s.connect(ctx, "udp", s.names)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(2 * time.Second))
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
			if _, there := known[name]; !there {
				known[strings.ToLower(name)] = fields[0]
			}
		}
	}
	return known
}
