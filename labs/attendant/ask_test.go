package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

func askOf(tool, request string, seconds float64) Ask {
	return Ask{Tool: tool, Request: json.RawMessage(request), Seconds: seconds}
}

func TestAskAnswersInOrderAndSaysWhyNot(t *testing.T) {
	labWith(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/images/shop:1/json":
			fmt.Fprint(w, `{"Id": "sha256:1"}`)
		case "/images/registry.naru:5000/team/shop:1/json":
			fmt.Fprint(w, `{"Id": "sha256:2"}`)
		case "/containers/broken/json":
			w.WriteHeader(http.StatusInternalServerError)
		case "/containers/slow/json":
			time.Sleep(400 * time.Millisecond)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	answers := answerAll([]Ask{
		askOf("docker", `{"object": "image", "name": "shop:1", "engine": "laptop"}`, 2),
		askOf("docker", `{"object": "image", "name": "registry.naru:5000/team/shop:1"}`, 2),
		askOf("docker", `{"object": "container", "name": "none"}`, 2),
		askOf("docker", `{"object": "container", "name": "broken"}`, 2),
		askOf("docker", `{"object": "container", "name": "slow"}`, 0.1),
		askOf("docker", `{"object": "container", "name": "../../info"}`, 2),
		askOf("docker", `{"object": "image", "name": "x", "engine": "nowhere"}`, 2),
		askOf("docker", `{"object": "image", "name": "x", "colour": "red"}`, 2),
		askOf("magic", `{}`, 2),
	})
	wanted := []string{
		`{"Id":"sha256:1"}`, `{"Id":"sha256:2"}`, "null", reasonFailed, reasonTime,
		reasonRequest, reasonRequest, reasonRequest, reasonRequest,
	}
	for i, answer := range answers {
		found := answer.Reason
		if answer.OK {
			found = string(answer.Value)
		}
		if found != wanted[i] {
			t.Errorf("answer %d: %q (%s), wanted %q", i, found, answer.Message, wanted[i])
		}
	}
}

func TestAskRefusesDocumentsThatHurtReaders(t *testing.T) {
	for name, told := range map[string]struct{ text, reason string }{
		"deep":  {strings.Repeat("[", 5000) + strings.Repeat("]", 5000), reasonFailed},
		"long":  {`{"n": ` + strings.Repeat("9", 5000) + `}`, reasonFailed},
		"huge":  {`"` + strings.Repeat("x", mostAnswer) + `"`, reasonSize},
		"grown": {`"` + strings.Repeat("<", mostAnswer/2) + `"`, reasonSize}, // six bytes each, once written anew
		"other": {`<html>`, reasonFailed},
	} {
		labWith(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, told.text) }))
		answer := answerOne(askOf("docker", `{"object": "volume", "name": "data"}`, 5))
		if answer.OK || answer.Reason != told.reason {
			t.Errorf("%s: %+v", name, answer.Reason)
		}
	}
}

func TestAnEngineThatIsGoneIsToldFromOneThatAnswersBadly(t *testing.T) {
	labWith(t, http.NotFoundHandler())
	h, err := findHost("")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(h.socket()); err != nil {
		t.Fatal(err)
	}
	answer := answerOne(askOf("docker", `{"object": "volume", "name": "data"}`, 5))
	if answer.OK || answer.Reason != reasonEngine {
		t.Fatalf("%+v", answer)
	}
}

func TestAllAnswersTogetherAreBounded(t *testing.T) {
	labWith(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `"%s"`, strings.Repeat("x", 900<<10))
	}))
	var asks []Ask
	for range 8 {
		asks = append(asks, askOf("docker", `{"object": "volume", "name": "data"}`, 5))
	}
	text, err := json.Marshal(answerAll(asks))
	if err != nil || len(text) > mostAnswered {
		t.Fatalf("%d bytes, %v", len(text), err)
	}
	if !answerAll(asks[:1])[0].OK {
		t.Fatal("one large answer is allowed")
	}
}

type execValue struct {
	ExitCode *int     `json:"exit_code"`
	Stdout   string   `json:"stdout"`
	Stderr   string   `json:"stderr"`
	Lines    []string `json:"lines"`
	JSON     any      `json:"json"`
	Ended    string   `json:"ended"`
}

func runAsk(t *testing.T, request string) execValue {
	t.Helper()
	t.Setenv(hostsVar, "")
	began := time.Now()
	answer := answerOne(askOf("exec", request, 8))
	if !answer.OK {
		t.Fatalf("%s: %s", answer.Reason, answer.Message)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Fatalf("took %s", took)
	}
	var value execValue
	if err := json.Unmarshal(answer.Value, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestExecTellsWhatAProgramDid(t *testing.T) {
	value := runAsk(t, `{"argv": ["sh", "-c", "cat; echo oops >&2; exit 3"], "stdin": "{\"a\": 1}\n"}`)
	if *value.ExitCode != 3 || value.Stdout != "{\"a\": 1}\n" || value.Stderr != "oops\n" || value.Ended != "exit" {
		t.Fatalf("%+v", value)
	}
	if document, ok := value.JSON.(map[string]any); !ok || document["a"] != 1.0 || len(value.Lines) != 1 {
		t.Fatalf("%+v", value)
	}
	if value := runAsk(t, `{"argv": ["no-such-program"]}`); *value.ExitCode != 127 {
		t.Fatalf("%+v", value)
	}
}

func TestExecEndsWhatDoesNotEnd(t *testing.T) {
	beSubreaper()
	marker := fmt.Sprint(100000 + time.Now().UnixNano()%800000)
	value := runAsk(t, `{"argv": ["sh", "-c", "setsid sleep `+marker+` & trap '' TERM; sleep `+marker+`"], "seconds": 0.3}`)
	if value.Ended != "time" || value.ExitCode != nil {
		t.Fatalf("%+v", value)
	}
	if left := runAsk(t, `{"argv": ["pgrep", "-fx", "sleep `+marker+`"]}`); left.Stdout != "" {
		t.Fatalf("left: %s", left.Stdout)
	}
	value = runAsk(t, `{"argv": ["yes"], "output_kb": 2}`)
	if value.Ended != "output" || len(value.Stdout)+len(value.Stderr) != 2<<10 {
		t.Fatalf("%s after %d bytes", value.Ended, len(value.Stdout))
	}
}
