package pause

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

type answering struct{ asked int }

func (a *answering) RoundTrip(*http.Request) (*http.Response, error) {
	a.asked++
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

func TestGateClosesForTheGraceAfterAPause(t *testing.T) {
	now := time.Unix(1000, 0)
	gate := New(4 * time.Second)
	gate.now = func() time.Time { return now }
	gate.last.Store(now.UnixNano())
	for _, step := range []struct {
		passes time.Duration
		beats  bool
		closed bool
	}{
		{300 * time.Millisecond, true, false},
		{1400 * time.Millisecond, true, false}, // busy, not frozen
		{10 * time.Minute, false, true},        // a request comes before the beat
		{time.Second, true, true},
		{1200 * time.Millisecond, true, true},
		{1300 * time.Millisecond, true, true},
		{1000 * time.Millisecond, true, false},
	} {
		now = now.Add(step.passes)
		if closed := gate.Closed(); closed != step.closed {
			t.Errorf("after %v: closed is %v", step.passes, closed)
		}
		if step.beats || step.closed {
			gate.tick()
		}
	}
}

func TestAPauseInTheMiddleOfABeatIsSeen(t *testing.T) {
	now := time.Unix(1000, 0)
	gate := New(4 * time.Second)
	gate.last.Store(now.UnixNano())
	gate.now = func() time.Time { // frozen for ten minutes right after each look at the clock
		before := now
		now = now.Add(10 * time.Minute)
		return before
	}
	gate.tick()
	if !gate.Closed() {
		t.Error("the beat has swallowed the pause")
	}
}

func TestOnlyWritesThatWriteOffANodeAreHeld(t *testing.T) {
	now := time.Unix(1000, 0)
	gate := New(4 * time.Second)
	gate.now = func() time.Time { return now }
	gate.last.Store(now.Add(-time.Hour).UnixNano())
	next := &answering{}
	way := gate.Wrap(next, NodesAndEvictions)
	for _, each := range []struct {
		method, path string
		held         bool
	}{
		{"PUT", "/api/v1/nodes/worker-1/status", true},
		{"PATCH", "/api/v1/nodes/worker-1", true},
		{"GET", "/api/v1/nodes/worker-1", false},
		{"DELETE", "/api/v1/namespaces/default/pods/shop-1", true},
		{"PATCH", "/api/v1/namespaces/default/pods/shop-1/status", true},
		{"POST", "/api/v1/namespaces/default/pods", false},
		{"PUT", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/worker-1", false},
		{"PUT", "/apis/apps/v1/namespaces/default/deployments/shop/status", false},
	} {
		before := next.asked
		_, err := way.RoundTrip(httptest.NewRequest(each.method, each.path, http.NoBody))
		if (err != nil) != each.held || (next.asked == before) != each.held {
			t.Errorf("%s %s: error %v, asked %d times", each.method, each.path, err, next.asked-before)
		}
	}
}

func TestOnlyWhatWasRefusedIsMissedAndOnceTheGateIsOpen(t *testing.T) {
	now := time.Unix(1000, 0)
	gate := New(4 * time.Second)
	gate.now = func() time.Time { return now }
	gate.last.Store(now.UnixNano())
	missed := func() bool {
		select {
		case <-gate.Missed():
			return true
		default:
			return false
		}
	}
	way := gate.Wrap(&answering{}, NodesAndEvictions)
	for _, refuses := range []bool{false, true, false} {
		now = now.Add(time.Minute)
		gate.tick()
		if refuses {
			if _, err := way.RoundTrip(httptest.NewRequest("PATCH", "/api/v1/nodes/worker-1", http.NoBody)); err == nil {
				t.Fatal("let through")
			}
		}
		for range 4 {
			if missed() {
				t.Error("told while closed")
			}
			now = now.Add(time.Second)
			gate.tick()
		}
		if got := missed(); got != refuses {
			t.Errorf("refused %v, missed %v", refuses, got)
		}
	}
}
