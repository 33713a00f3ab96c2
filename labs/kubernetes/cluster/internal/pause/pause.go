// Package pause keeps a cluster calm after its lab was frozen. To everything inside, a pause of ten minutes looks as if all
// nodes had been silent for ten minutes: whoever looks first writes them off, although their next sign of life is
// milliseconds away. A Gate in the way to the API holds such writes back until the nodes have spoken.
package pause

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

const (
	beat = 200 * time.Millisecond
	jump = 1500 * time.Millisecond // a silence of the beat that no busy machine explains
)

// Gate tells whether the lab was frozen a moment ago.
type Gate struct {
	grace time.Duration
	last  atomic.Int64 // of the beat, nanoseconds
	until atomic.Int64 // the end of the grace after a jump
	now   func() time.Time

	refused atomic.Bool // something, since it was told last
	missed  chan struct{}
}

// New gives a gate that is closed for grace after each pause. Beat must be running.
func New(grace time.Duration) *Gate {
	g := &Gate{grace: grace, now: time.Now, missed: make(chan struct{}, 1)}
	g.last.Store(g.now().UnixNano())
	return g
}

// Beat keeps time until stop is closed.
func (g *Gate) Beat(stop <-chan struct{}) {
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			g.tick()
		}
	}
}

// tick is one beat. It asks for the time once: a pause between two looks at the clock would go unseen.
func (g *Gate) tick() {
	now := g.look()
	g.last.Store(now)
	if now >= g.until.Load() && g.refused.Swap(false) {
		select {
		case g.missed <- struct{}{}:
		default:
		}
	}
}

// Missed tells that the gate is open again and has refused something meanwhile, for those who do not try again by themselves.
func (g *Gate) Missed() <-chan struct{} { return g.missed }

// look notices a jump, and gives the time; whoever comes first after a pause, the beat or a request, finds it.
func (g *Gate) look() int64 {
	// Wall clock without Go's monotonic part: a frozen process's monotonic clock may stand still.
	now := g.now().UnixNano()
	if now-g.last.Load() > int64(jump) {
		g.until.Store(now + int64(g.grace))
	}
	return now
}

// Closed says whether the lab woke up less than the grace ago.
func (g *Gate) Closed() bool {
	return g.look() < g.until.Load()
}

type transport struct {
	next http.RoundTripper
	gate *Gate
	held func(*http.Request) bool
}

// Wrap refuses the requests that held names while the gate is closed. Most callers try again, with what they know by then; see
// Missed for the others.
func (g *Gate) Wrap(next http.RoundTripper, held func(*http.Request) bool) http.RoundTripper {
	return transport{next: next, gate: g, held: held}
}

func (t transport) RoundTrip(request *http.Request) (*http.Response, error) {
	if t.held(request) && t.gate.Closed() {
		if request.Body != nil {
			_ = request.Body.Close()
		}
		t.gate.refused.Store(true)
		return nil, fmt.Errorf("the lab has just been resumed: %s %s waits", request.Method, request.URL.Path)
	}
	return t.next.RoundTrip(request)
}

// NodesAndEvictions are the writes by which somebody writes off a node: its status and taints, and its Pods' conditions and
// ends.
func NodesAndEvictions(request *http.Request) bool {
	if request.Method == http.MethodGet {
		return false
	}
	path := request.URL.Path
	if strings.HasPrefix(path, "/api/v1/nodes/") {
		return true
	}
	if !strings.HasPrefix(path, "/api/v1/namespaces/") || !strings.Contains(path, "/pods/") {
		return false
	}
	return request.Method == http.MethodDelete || strings.HasSuffix(path, "/status") || strings.HasSuffix(path, "/eviction")
}
