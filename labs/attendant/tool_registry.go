package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
)

var (
	repositoryName = regexp.MustCompile(`^[a-z0-9]+([._/-]+[a-z0-9]+)*$`)
	referenceName  = regexp.MustCompile(`^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|sha256:[0-9a-f]{64})$`)
)

var manifestTypes = strings.Join([]string{
	"application/vnd.docker.distribution.manifest.v2+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
	"application/vnd.oci.image.manifest.v1+json",
	"application/vnd.oci.image.index.v1+json",
}, ", ")

// askRegistry gives what the lab's registry holds under a name, or null: the manifest's digest, the manifest itself,
// its layers, and the image's configuration as a document.
func askRegistry(ctx context.Context, text json.RawMessage) (any, error) {
	var request struct {
		Repository string `json:"repository"`
		Reference  string `json:"reference"`
		Engine     string `json:"engine"` // all hosts share one registry
	}
	if err := decode(text, &request); err != nil {
		return nil, err
	}
	if len(request.Repository) > 200 || !repositoryName.MatchString(request.Repository) {
		return nil, wrong("repository %q", cut(request.Repository, 100))
	}
	if request.Reference == "" {
		request.Reference = "latest"
	}
	if !referenceName.MatchString(request.Reference) {
		return nil, wrong("reference %q", cut(request.Reference, 100))
	}
	path := "/v2/" + request.Repository
	manifest, err := registryGet(ctx, path+"/manifests/"+request.Reference, 256<<10)
	if err != nil || manifest == nil {
		return nil, err
	}
	var fields struct {
		Config struct {
			Digest string `json:"digest"`
		} `json:"config"`
		Layers json.RawMessage `json:"layers"`
	}
	if err := json.Unmarshal(manifest, &fields); err != nil {
		return nil, err
	}
	value := map[string]any{
		"digest": fmt.Sprintf("sha256:%x", sha256.Sum256(manifest)), "manifest": json.RawMessage(manifest),
		"config": nil, "layers": []any{},
	}
	if fields.Layers != nil {
		value["layers"] = fields.Layers
	}
	if referenceName.MatchString(fields.Config.Digest) {
		config, err := registryGet(ctx, path+"/blobs/"+fields.Config.Digest, 256<<10)
		if err != nil {
			return nil, err
		}
		if config != nil {
			value["config"] = json.RawMessage(config)
		}
	}
	return value, nil
}

func registryGet(ctx context.Context, path string, most int64) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+registryAddress()+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", manifestTypes)
	client := &http.Client{
		CheckRedirect: noRedirect, Timeout: 10 * time.Second,
		Transport: &http.Transport{DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10},
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotFound {
		return nil, nil
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the registry answered %d", response.StatusCode)
	}
	document, err := readBounded(response.Body, most)
	if err != nil {
		return nil, err
	}
	return document, plainDocument(document)
}
