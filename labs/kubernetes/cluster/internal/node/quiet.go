package node

import (
	"bytes"
	"io"
	"net/http"

	"naru/cluster/internal/pause"
)

// quiet refuses for good the kubelet's event that its node is not ready while the gate is closed. The kubelet writes it
// when it works out the state that the gate then holds back, and nobody should read of what never was.
type quiet struct {
	next http.RoundTripper
	gate *pause.Gate
}

var notReady = []byte("NodeNotReady")

func (q quiet) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.GetBody == nil || !q.gate.Closed() {
		return q.next.RoundTrip(request)
	}
	body, err := request.GetBody()
	if err != nil {
		return nil, err
	}
	defer body.Close()
	text, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	if !bytes.Contains(text, notReady) {
		return q.next.RoundTrip(request)
	}
	_ = request.Body.Close()
	// An answer, not an error: errors are tried again.
	return &http.Response{
		StatusCode: http.StatusForbidden, Status: "403 Forbidden", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: http.NoBody, Request: request,
	}, nil
}
