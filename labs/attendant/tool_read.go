package main

import (
	"context"
	"encoding/json"
	"errors"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

const mostRead = 512 // KiB

// askRead gives the texts of files; a folder stands for the files below it. What is no text, or over the bound, is
// null, and so is a path that is not there.
func askRead(_ context.Context, text json.RawMessage) (any, error) {
	var request struct {
		Paths  []string `json:"paths"`
		MostKB int64    `json:"most_kb"`
		Engine string   `json:"engine"`
	}
	if err := decode(text, &request); err != nil {
		return nil, err
	}
	h, err := findHost(request.Engine)
	if err != nil {
		return nil, err
	}
	root, err := h.rootPath()
	if err != nil {
		return nil, err
	}
	if request.MostKB <= 0 || request.MostKB > mostRead {
		request.MostKB = mostRead
	}
	return readTexts(root, request.Paths, request.MostKB<<10)
}

func readTexts(root string, names []string, most int64) (any, error) {
	files := map[string]*string{}
	walk := walker{root: root, bytes: most, nodes: 1000, visit: func(met node) error {
		if met.kind == unix.S_IFREG && utf8.Valid(met.content) {
			content := string(met.content)
			files["/"+met.name] = &content
		}
		return nil
	}}
	for _, name := range names {
		if _, err := cleanPath(name); err != nil {
			return nil, badRequest{err}
		}
		before := len(files)
		if err := walk.walk(name); err != nil && !errors.Is(err, errTooLarge) {
			return nil, err
		}
		if len(files) == before {
			files[name] = nil
		}
	}
	return map[string]any{"files": files}, nil
}
