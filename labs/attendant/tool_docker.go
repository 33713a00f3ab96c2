package main

import (
	"context"
	"encoding/json"
	"regexp"
)

var objectName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.:/@-]{0,254}$`)

// askDocker gives what the engine says of one object, as it says it, or null.
func askDocker(ctx context.Context, text json.RawMessage) (any, error) {
	var request struct {
		Object string `json:"object"`
		Name   string `json:"name"`
		Engine string `json:"engine"`
	}
	if err := decode(text, &request); err != nil {
		return nil, err
	}
	h, err := findHost(request.Engine)
	if err != nil {
		return nil, err
	}
	if !objectName.MatchString(request.Name) {
		return nil, wrong("name %q", cut(request.Name, 100))
	}
	paths := map[string]string{
		"container": "/containers/" + request.Name + "/json",
		"image":     "/images/" + request.Name + "/json",
		"network":   "/networks/" + request.Name,
		"volume":    "/volumes/" + request.Name,
	}
	path, known := paths[request.Object]
	if !known {
		return nil, wrong("object %q", cut(request.Object, 100))
	}
	return engineDocument(ctx, h, path)
}

func engineDocument(ctx context.Context, h host, path string) (any, error) {
	document, err := engineGet(ctx, h, path, mostAnswer)
	if err != nil || document == nil {
		return nil, err
	}
	if err := plainDocument(document); err != nil {
		return nil, err
	}
	return json.RawMessage(document), nil
}
