package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

const controlURL = "http://control"

func controlSocket() string { return inRun("cluster", "control.sock") }

// hasCluster says whether this lab has a cluster of its own: its image says so, or what it keeps while it runs is there.
func hasCluster() bool {
	if found, err := labServices(); err == nil {
		for _, each := range found.Services {
			if each.Ready.Control {
				return true
			}
		}
	}
	_, err := os.Lstat(inRun("cluster"))
	return err == nil
}

// controlClient speaks to the cluster's control socket.
func controlClient() *http.Client {
	return &http.Client{
		CheckRedirect: noRedirect,
		Transport: &http.Transport{
			DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				dialer := net.Dialer{Timeout: 5 * time.Second}
				return dialer.DialContext(ctx, "unix", controlSocket())
			},
		},
	}
}

// controlDocument asks the control socket; a 404 is null, and a request that it finds wrong is the asker's mistake.
func controlDocument(ctx context.Context, path string) (any, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, controlURL+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := controlClient().Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	document, err := readBounded(response.Body, mostAnswer)
	if err != nil {
		return nil, err
	}
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return nil, nil
	case http.StatusBadRequest:
		return nil, wrong("%s", cut(string(document), 300))
	default:
		return nil, fmt.Errorf("the cluster answers %d: %s", response.StatusCode, cut(string(document), 300))
	}
	if err := plainDocument(document); err != nil {
		return nil, err
	}
	return json.RawMessage(document), nil
}
