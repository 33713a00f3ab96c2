package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

const (
	mostAsked    = 4 << 20 // bytes of questions
	mostAsks     = 64
	mostAnswer   = 1 << 20 // bytes of one answer's value
	mostAnswered = 4 << 20 // bytes of all answers
	lastWord     = 1500 * time.Millisecond
)

// Reasons of an answer that is none: nobody listens where the engine or the registry was (the lab is dead then), it took
// too long, the answer is too large, the question was wrong, or anything else.
const (
	reasonEngine  = "engine"
	reasonTime    = "time"
	reasonSize    = "size"
	reasonRequest = "request"
	reasonFailed  = "failed"
)

// Ask is one question; Request is the tool's own object.
type Ask struct {
	Tool    string          `json:"tool"`
	Request json.RawMessage `json:"request"`
	Seconds float64         `json:"seconds"`
}

// Answer holds a value or says why there is none.
type Answer struct {
	OK      bool            `json:"ok"`
	Value   json.RawMessage `json:"value,omitempty"`
	Reason  string          `json:"reason,omitempty"`
	Message string          `json:"message,omitempty"`
}

// badRequest marks what the asker got wrong.
type badRequest struct{ error }

func wrong(format string, values ...any) error { return badRequest{fmt.Errorf(format, values...)} }

// tools answer within their context or soon after its end; a value is anything that encodes as JSON.
var tools = map[string]func(context.Context, json.RawMessage) (any, error){
	"docker":     askDocker,
	"registry":   askRegistry,
	"http":       askHTTP,
	"exec":       askExec,
	"build":      askBuild,
	"read":       askRead,
	"kubernetes": askKubernetes,
	"topology":   askTopology,
}

func init() { tools["traffic"] = askTraffic } // it asks other tools

func askCommand([]string) int {
	text, err := readBounded(os.Stdin, mostAsked)
	if err != nil {
		return fail(err)
	}
	var asked struct {
		Asks []Ask `json:"asks"`
	}
	if err := json.Unmarshal(text, &asked); err != nil {
		return fail(err)
	}
	if len(asked.Asks) > mostAsks {
		return fail(fmt.Errorf("more than %d questions", mostAsks))
	}
	beSubreaper()
	return printJSON(map[string]any{"answers": answerAll(asked.Asks)})
}

// answerAll answers one after the other, for later questions may look at what earlier ones did.
func answerAll(asks []Ask) []Answer {
	answers := make([]Answer, 0, len(asks))
	left := mostAnswered - 64<<10
	for _, ask := range asks {
		answer := answerOne(ask)
		if len(answer.Value) > left {
			answer = Answer{Reason: reasonSize, Message: "all answers together are too large"}
		}
		left -= len(answer.Value)
		answers = append(answers, answer)
	}
	return answers
}

func answerOne(ask Ask) Answer {
	tool := tools[ask.Tool]
	if tool == nil {
		return Answer{Reason: reasonRequest, Message: fmt.Sprintf("no tool %q", cut(ask.Tool, 100))}
	}
	if missing := lacks(ask.Tool); missing != "" {
		return Answer{Reason: reasonRequest, Message: "this lab has no " + missing}
	}
	if ask.Seconds <= 0 || ask.Seconds > 600 {
		ask.Seconds = 10
	}
	limit := time.Duration(ask.Seconds * float64(time.Second))
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	done := make(chan Answer, 1)
	go func() { done <- encode(tool(ctx, ask.Request)) }()
	select {
	case answer := <-done:
		return answer
	case <-time.After(limit + lastWord): // a tool that does not keep its time is left behind
		return Answer{Reason: reasonTime, Message: "the tool did not end"}
	}
}

func encode(value any, err error) Answer {
	if err != nil {
		var bad badRequest
		var call *net.OpError
		reason := reasonFailed
		switch {
		case errors.As(err, &bad), errors.Is(err, errNoHost):
			reason = reasonRequest
		case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
			reason = reasonTime
		case errors.Is(err, errTooLarge):
			reason = reasonSize
		case errors.As(err, &call) && call.Op == "dial":
			reason = reasonEngine
		}
		return Answer{Reason: reason, Message: cut(err.Error(), 500)}
	}
	text, err := json.Marshal(value)
	if err != nil {
		return Answer{Reason: reasonFailed, Message: cut(err.Error(), 500)}
	}
	if len(text) > mostAnswer {
		return Answer{Reason: reasonSize, Message: fmt.Sprintf("an answer of %d bytes", len(text))}
	}
	return Answer{OK: true, Value: text}
}

// decode reads a request strictly: a field that no tool knows is the asker's mistake.
func decode(request json.RawMessage, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(request))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return wrong("request: %v", err)
	}
	return nil
}
