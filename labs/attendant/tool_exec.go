package main

import (
	"context"
	"encoding/json"
	"strings"
	"time"
)

const mostLines = 5000

// askExec runs a command in the lab, or on one of its hosts.
func askExec(ctx context.Context, text json.RawMessage) (any, error) {
	var request struct {
		Argv     []string `json:"argv"`
		Stdin    string   `json:"stdin"`
		Engine   string   `json:"engine"`
		Seconds  float64  `json:"seconds"`
		OutputKB int      `json:"output_kb"`
	}
	if err := decode(text, &request); err != nil {
		return nil, err
	}
	if len(request.Argv) == 0 || request.Argv[0] == "" {
		return nil, wrong("argv is empty")
	}
	h, err := findHost(request.Engine)
	if err != nil {
		return nil, err
	}
	if request.OutputKB <= 0 || request.OutputKB > 512 {
		request.OutputKB = 64
	}
	if request.Seconds > 0 {
		limited, cancel := context.WithTimeout(ctx, time.Duration(request.Seconds*float64(time.Second)))
		defer cancel()
		ctx = limited
	}
	argv := request.Argv
	switch {
	case argv[0] == "on": // ours, whatever lies under that name by now
		argv = append([]string{ownPath, "enter"}, argv[1:]...)
	case !h.isLab():
		argv = append([]string{ownPath, "enter", h.name}, argv...)
	}
	result, err := command{argv: argv, stdin: []byte(request.Stdin), output: request.OutputKB << 10, directory: homeOrRoot()}.run(ctx)
	if err != nil {
		return nil, err
	}
	return describe(result), nil
}

// describe gives what a program printed in the forms that checks ask for.
func describe(result ended) map[string]any {
	stdout := strings.ToValidUTF8(string(result.stdout), "\uFFFD")
	value := map[string]any{
		"exit_code": result.exitCode,
		"stdout":    stdout,
		"stderr":    strings.ToValidUTF8(string(result.stderr), "\uFFFD"),
		"lines":     linesOf(stdout),
		"json":      nil,
		"ended":     result.reason,
	}
	if trimmed := []byte(strings.TrimSpace(stdout)); len(trimmed) > 0 && plainDocument(trimmed) == nil {
		value["json"] = json.RawMessage(trimmed)
	}
	return value
}

func linesOf(text string) []string {
	lines := []string{}
	for line := range strings.Lines(text) {
		if len(lines) == mostLines {
			break
		}
		lines = append(lines, strings.TrimRight(line, "\r\n"))
	}
	return lines
}
