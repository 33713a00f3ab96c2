package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// engineClient speaks to a host's engine. Nothing is kept alive: an engine may be replaced at any moment.
func engineClient(h host) *http.Client {
	return &http.Client{
		CheckRedirect: noRedirect,
		Transport: &http.Transport{
			DisableKeepAlives:      true,
			MaxResponseHeaderBytes: 64 << 10,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				dialer := net.Dialer{Timeout: 5 * time.Second}
				return dialer.DialContext(ctx, "unix", h.socket())
			},
		},
	}
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// engineGet reads a document from the engine; a missing object gives nil.
func engineGet(ctx context.Context, h host, path string, most int64) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://engine"+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := engineClient(h).Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotFound {
		return nil, nil
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the engine answered %d", response.StatusCode)
	}
	return readBounded(response.Body, most)
}

func readBounded(from io.Reader, most int64) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(from, most+1))
	if err == nil && int64(len(content)) > most {
		return nil, errTooLarge
	}
	return content, err
}

// readCut reads at most so many bytes and leaves the rest.
func readCut(from io.Reader, most int64) ([]byte, error) {
	return io.ReadAll(io.LimitReader(from, most))
}
