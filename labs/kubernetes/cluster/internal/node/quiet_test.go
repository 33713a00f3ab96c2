package node

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"naru/cluster/internal/pause"
)

type counting struct{ asked int }

func (c *counting) RoundTrip(*http.Request) (*http.Response, error) {
	c.asked++
	return &http.Response{StatusCode: http.StatusCreated, Body: http.NoBody}, nil
}

func TestAfterAPauseNoEventSaysThatTheNodeWasNotReady(t *testing.T) {
	next := &counting{}
	closed := pause.New(time.Hour)
	time.Sleep(1600 * time.Millisecond) // nothing beats: to the gate this is a pause
	if !closed.Closed() {
		t.Fatal("a gate that has not noticed the pause")
	}
	for _, each := range []struct {
		gate   *pause.Gate
		body   string
		status int
	}{
		{closed, `{"reason": "NodeNotReady"}`, http.StatusForbidden},
		{closed, `{"reason": "Started"}`, http.StatusCreated},
		{pause.New(time.Hour), `{"reason": "NodeNotReady"}`, http.StatusCreated},
	} {
		request, err := http.NewRequest(http.MethodPost, "http://api/api/v1/namespaces/default/events", strings.NewReader(each.body))
		if err != nil {
			t.Fatal(err)
		}
		response, err := quiet{next: next, gate: each.gate}.RoundTrip(request)
		if err != nil || response.StatusCode != each.status {
			t.Errorf("%s: %v %v", each.body, response, err)
		}
	}
	if next.asked != 2 {
		t.Errorf("asked %d times", next.asked)
	}
}
