package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"
)

const (
	clusterWord  = "cluster"
	registryWord = "registry"
	clusterEntry = "naru/cluster.json.gz"
	mostState    = 4 << 20
	stateSeconds = 70
)

var registryStorage = filepath.Join(dataRoot, "naru-registry")

// packKept packs what a learner keeps: paths, and by these words the state of the cluster and what is in the registry.
func packKept(root string, names []string, most int64) ([]byte, error) {
	var cluster []byte
	paths := []string{}
	for _, name := range names {
		switch name {
		case clusterWord:
			var err error
			if cluster, err = saveCluster(); err != nil {
				return nil, err
			}
		case registryWord:
			paths = append(paths, registryStorage)
		default:
			paths = append(paths, name)
		}
	}
	return pack(root, paths, cluster, most)
}

func saveCluster() ([]byte, error) {
	if !hasCluster() {
		return nil, wrong("this lab has no cluster")
	}
	response, done, err := askState(http.MethodGet, nil)
	if err != nil {
		return nil, err
	}
	defer done()
	return readBounded(response.Body, mostState)
}

func loadCluster(from io.Reader) error {
	state, err := readBounded(from, mostState)
	if err != nil {
		return err
	}
	_, done, err := askState(http.MethodPut, state)
	if err == nil {
		done()
	}
	return err
}

// askState speaks to the control socket; the response is a 200, and done closes it.
func askState(method string, body []byte) (*http.Response, func(), error) {
	ctx, cancel := context.WithTimeout(context.Background(), stateSeconds*time.Second)
	request, err := http.NewRequestWithContext(ctx, method, controlURL+"/state", bytes.NewReader(body))
	if err != nil {
		cancel()
		return nil, nil, err
	}
	response, err := controlClient().Do(request)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	done := func() {
		response.Body.Close()
		cancel()
	}
	if response.StatusCode != http.StatusOK {
		said, _ := readCut(response.Body, 300)
		done()
		return nil, nil, fmt.Errorf("the cluster's state: %d: %s", response.StatusCode, said)
	}
	return response, done, nil
}
