package network

import (
	"context"
	"errors"
	"hash/fnv"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

const (
	connectWithin = 3 * time.Second
	// Connections at once over all Services: enough for any exercise, and a flood ends here, not with the lab.
	mostConnections = 2000
	// How long one side may say nothing once the other has ended, where neither closes.
	quietWithin = 5 * time.Minute
)

// proxy listens at the fronts and passes each connection on to an endpoint.
type proxy struct {
	api       string // where the API server listens
	mutex     sync.Mutex
	listeners map[string]*listener
	room      chan struct{}
	quiet     time.Duration
}

type listener struct {
	net.Listener
	mutex sync.Mutex
	front front
	next  int
}

func newProxy(api string) *proxy {
	return &proxy{api: api, listeners: map[string]*listener{}, room: make(chan struct{}, mostConnections), quiet: quietWithin}
}

// apply makes the fronts be exactly these. Connections that stand go on; new ones go to the new endpoints at once.
func (p *proxy) apply(fronts map[string]front) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for address, each := range p.listeners {
		if _, wanted := fronts[address]; !wanted {
			each.Close()
			delete(p.listeners, address)
		}
	}
	var failed []error
	for address, wanted := range fronts {
		if address == apiFront {
			wanted.endpoints = []string{p.api}
		}
		if known := p.listeners[address]; known != nil {
			known.lead(wanted)
			continue
		}
		opened, err := net.Listen("tcp4", address)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		made := &listener{Listener: opened, front: wanted}
		p.listeners[address] = made
		go p.serve(made)
	}
	return errors.Join(failed...)
}

func (p *proxy) close() { _ = p.apply(nil) }

func (l *listener) lead(to front) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if !slices.Equal(to.endpoints, l.front.endpoints) {
		l.next = 0
	}
	l.front = to
}

// choose gives the endpoint for a client: one after the other, so that few requests show all of them already; or, where
// the Service wants that, always the same.
func (l *listener) choose(client net.IP) string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	endpoints := l.front.endpoints
	if len(endpoints) == 0 {
		return ""
	}
	if l.front.sticky {
		hash := fnv.New32a()
		_, _ = hash.Write(client.To4())
		return endpoints[int(hash.Sum32()%uint32(len(endpoints)))]
	}
	chosen := endpoints[l.next%len(endpoints)]
	l.next++
	return chosen
}

func (p *proxy) serve(l *listener) {
	for {
		client, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of descriptors for a moment, or a client that has gone already
			time.Sleep(10 * time.Millisecond)
			continue
		}
		select {
		case p.room <- struct{}{}:
			go func() {
				defer func() { <-p.room }()
				p.pass(client.(*net.TCPConn), l)
			}()
		default:
			refuse(client.(*net.TCPConn))
		}
	}
}

// refuse ends a connection as a closed port would: at once, and not as if all were said.
func refuse(client *net.TCPConn) {
	_ = client.SetLinger(0)
	client.Close()
}

// pass connects a client with an endpoint. There is no second try: that a Pod does not answer is what it shall see.
func (p *proxy) pass(client *net.TCPConn, l *listener) {
	address, _ := client.RemoteAddr().(*net.TCPAddr)
	dialer := net.Dialer{Timeout: connectWithin}
	connected, err := dialer.DialContext(context.Background(), "tcp4", l.choose(address.IP))
	if err != nil {
		refuse(client)
		return
	}
	server := connected.(*net.TCPConn)
	defer client.Close()
	defer server.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		copyHalf(server, client, p.quiet)
	}()
	copyHalf(client, server, p.quiet)
	<-done
}

// copyHalf copies one direction and passes its end on: an end as such, a break as a break. From then on the other direction
// has to say something every now and then, or it breaks: who never closes would keep its room for ever.
func copyHalf(to, from *net.TCPConn, quiet time.Duration) {
	n, err := io.Copy(to, from)
	for n > 0 && errors.Is(err, os.ErrDeadlineExceeded) {
		_ = from.SetReadDeadline(time.Now().Add(quiet))
		n, err = io.Copy(to, from)
	}
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, os.ErrDeadlineExceeded) {
		refuse(to)
		refuse(from)
		return
	}
	_ = to.CloseWrite()
	_ = to.SetReadDeadline(time.Now().Add(quiet))
}
