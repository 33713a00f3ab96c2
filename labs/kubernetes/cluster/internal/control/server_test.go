package control

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"naru/cluster/internal/facts"
	"naru/cluster/internal/state"
)

// cluster plays everything behind the socket, and writes down what it was asked to do.
type cluster struct {
	waits string
	found map[string]string // by name, or "selector=" and it
	fails error
	feed  *facts.Feed
	did   []string
}

func (c *cluster) Find(_ context.Context, query facts.Query) ([]byte, error) {
	if c.fails != nil {
		return nil, c.fails
	}
	key := query.Kind + " " + query.Namespace + "/" + query.Name
	if query.Selector != nil {
		key += "selector=" + *query.Selector
	}
	if text, ok := c.found[key]; ok {
		return []byte(text), nil
	}
	return nil, nil
}

func (c *cluster) Topology() ([]byte, error) { return []byte(`{"nodes":[]}`), c.fails }

func (c *cluster) Between(since, until time.Time) [][]byte { return c.feed.Between(since, until) }

func (c *cluster) Follow(ctx context.Context, since time.Time, give func([][]byte) error) error {
	return c.feed.Follow(ctx, since, give)
}

func (c *cluster) Save(context.Context) ([]byte, error) { return []byte("packed"), c.fails }

func (c *cluster) Load(ctx context.Context, from io.Reader) error {
	text, err := io.ReadAll(from)
	if err != nil {
		return fmt.Errorf("%w: %w", state.ErrBadState, err)
	}
	if _, bounded := ctx.Deadline(); !bounded {
		return errors.New("no end")
	}
	c.did = append(c.did, "load "+string(text))
	return c.fails
}

func (c *cluster) Waits(context.Context) string { return c.waits }

func (c *cluster) Power(_ context.Context, node string, on bool) error {
	c.did = append(c.did, fmt.Sprint("power ", node, " ", on))
	return c.fails
}

func (c *cluster) Simulate(_ context.Context, count int) error {
	c.did = append(c.did, fmt.Sprint("simulate ", count))
	return c.fails
}

func (c *cluster) Demand(_ context.Context, namespace, deployment, cpu string) error {
	c.did = append(c.did, strings.Join([]string{"demand", namespace, deployment, cpu}, " "))
	return c.fails
}

func (c *cluster) server() *Server { return &Server{Finder: c, Picture: c, Store: c, Switches: c} }

func TestAnswers(t *testing.T) {
	gone := apierrors.NewNotFound(schema.GroupResource{Resource: "nodes"}, "x")
	busy := apierrors.NewInternalError(errors.New("busy"))
	found := map[string]string{"Pod default/a": `{"kind":"Pod"}`, "Pod */selector=": `[]`, "Pod /selector=app=shop,x!=y": `[1]`}
	cases := map[string]struct {
		method, path, body string
		cluster            cluster
		status             int
		answer, did        string
	}{
		"ready":              {"GET", "/ready", "", cluster{}, 200, `{"ready":true}`, ""},
		"not yet":            {"GET", "/ready", "", cluster{waits: "nodes: worker-1"}, 503, `{"ready":false,"waits":"nodes: worker-1"}`, ""},
		"an object":          {"GET", "/objects?kind=Pod&namespace=default&name=a", "", cluster{found: found}, 200, `{"kind":"Pod"}`, ""},
		"no object":          {"GET", "/objects?kind=Pod&namespace=default&name=b", "", cluster{found: found}, 404, `null`, ""},
		"all objects":        {"GET", "/objects?kind=Pod&namespace=*&selector=", "", cluster{found: found}, 200, `[]`, ""},
		"some objects":       {"GET", "/objects?kind=Pod&selector=app%3Dshop%2Cx%21%3Dy", "", cluster{found: found}, 200, `[1]`, ""},
		"unknown kind":       {"GET", "/objects?kind=Cake&name=b", "", cluster{fails: fmt.Errorf("%w %q", facts.ErrUnknownKind, "Cake")}, 400, `{"error":"unknown kind \"Cake\""}`, ""},
		"too long an object": {"GET", "/objects?kind=Pod&name=b", "", cluster{fails: facts.ErrTooLong}, 413, `{"error":"the object is too long"}`, ""},
		"no API":             {"GET", "/objects?kind=Pod&name=b", "", cluster{fails: busy}, 503, `{"error":"Internal error occurred: busy"}`, ""},
		"no answer in time":  {"GET", "/objects?kind=Pod&name=b", "", cluster{fails: context.DeadlineExceeded}, 503, `{"error":"context deadline exceeded"}`, ""},
		"topology":           {"GET", "/topology", "", cluster{}, 200, `{"nodes":[]}`, ""},
		"no topology":        {"GET", "/topology", "", cluster{fails: errors.New("broken")}, 500, `{"error":"broken"}`, ""},
		"save":               {"GET", "/state", "", cluster{}, 200, `packed`, ""},
		"save too much":      {"GET", "/state", "", cluster{fails: state.ErrTooLong}, 413, `{"error":"the cluster's state is too long"}`, ""},
		"load":               {"PUT", "/state", "packed", cluster{}, 200, `{"loaded":true}`, "load packed"},
		"load nonsense":      {"PUT", "/state", "x", cluster{fails: state.ErrBadState}, 400, `{"error":"not a saved state"}`, "load x"},
		"load too much":      {"PUT", "/state", strings.Repeat("x", state.MostSaved+1), cluster{}, 413, `{"error":"not a saved state: http: request body too large"}`, ""},
		"fail":               {"POST", "/nodes/worker-1/fail", "", cluster{}, 200, `{"done":true}`, "power worker-1 false"},
		"revive":             {"POST", "/nodes/worker-1/revive", "", cluster{}, 200, `{"done":true}`, "power worker-1 true"},
		"fail nobody":        {"POST", "/nodes/x/fail", "", cluster{fails: gone}, 404, `{"error":"nodes \"x\" not found"}`, "power x false"},
		"nodes":              {"PUT", "/nodes", `{"simulated": 5}`, cluster{}, 200, `{"done":true}`, "simulate 5"},
		"no nodes":           {"PUT", "/nodes", `{"simulated": 0}`, cluster{}, 200, `{"done":true}`, "simulate 0"},
		"nodes without":      {"PUT", "/nodes", `{}`, cluster{}, 400, `{"error":"simulated: a number is wanted"}`, ""},
		"nodes misspelt":     {"PUT", "/nodes", `{"simulate": 5}`, cluster{}, 400, `{"error":"body: json: unknown field \"simulate\""}`, ""},
		"a long body":        {"PUT", "/nodes", strings.Repeat(" ", mostBody+1), cluster{}, 413, `{"error":"http: request body too large"}`, ""},
		"demand":             {"POST", "/demand", `{"namespace":"team","deployment":"shop","cpu":"1200m"}`, cluster{}, 200, `{"done":true}`, "demand team shop 1200m"},
		"demand by default":  {"POST", "/demand", `{"deployment":"shop","cpu":"1"}`, cluster{}, 200, `{"done":true}`, "demand default shop 1"},
		"bad demand":         {"POST", "/demand", `{"deployment":"shop","cpu":"x"}`, cluster{fails: errBad{"cpu"}}, 400, `{"error":"cpu"}`, "demand default shop x"},
		"nowhere":            {"GET", "/secrets", "", cluster{}, 404, `{"error":"no such path: GET /secrets"}`, ""},
		"another method":     {"DELETE", "/state", "", cluster{}, 404, `{"error":"no such path: DELETE /state"}`, ""},
		"a bad time":         {"GET", "/watch?since=yesterday", "", cluster{}, 400, `{"error":"since: seconds since 1970 are wanted"}`, ""},
		"a bad end":          {"GET", "/watch?until=soon", "", cluster{}, 400, `{"error":"until: seconds since 1970 are wanted"}`, ""},
		"no time at all":     {"GET", "/watch?since=NaN", "", cluster{}, 400, `{"error":"since: seconds since 1970 are wanted"}`, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := httptest.NewRecorder()
			c.cluster.server().Handler().ServeHTTP(got, httptest.NewRequest(c.method, c.path, strings.NewReader(c.body)))
			if got.Code != c.status || strings.TrimSpace(got.Body.String()) != c.answer {
				t.Errorf("%d %s, want %d %s", got.Code, got.Body, c.status, c.answer)
			}
			if did := strings.Join(c.cluster.did, ", "); did != c.did {
				t.Errorf("did %q, want %q", did, c.did)
			}
		})
	}
}

// lab runs a cluster's server on a socket in a folder of its own, and names the socket to the client.
func lab(t *testing.T, c *cluster) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "control") // t.TempDir is too long a path for a socket
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(folder, "run", "control.sock")
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- c.server().Run(ctx, socket) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_ = os.RemoveAll(folder)
	})
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(socket); err == nil {
			break
		}
		if time.Since(start) > 5*time.Second {
			t.Fatal("no socket")
		}
	}
	t.Setenv("NARU_CONTROL_SOCKET", socket)
	return socket
}

func TestTheSocketIsForItsOwnerOnly(t *testing.T) {
	socket := lab(t, &cluster{})
	about, err := os.Stat(socket)
	if err != nil || about.Mode().Perm() != 0o600 || about.Mode().Type() != os.ModeSocket {
		t.Errorf("%v, %v", about.Mode(), err)
	}
	if left, err := os.ReadDir(filepath.Dir(socket)); err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
}

func TestASocketThatWasLeftBehindIsReplaced(t *testing.T) {
	socket := lab(t, &cluster{})
	again, err := listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	_ = again.Close()
}

func TestCommandAsksTheSocket(t *testing.T) {
	cases := map[string]struct {
		args           []string
		stdin          string
		status         int
		stdout, stderr string
		did            string
	}{
		"a question":     {[]string{"get", "/ready"}, "", 0, "{\"ready\":true}\n", "", ""},
		"a body":         {[]string{"PUT", "/nodes", `{"simulated":5}`}, "", 0, "{\"done\":true}\n", "", "simulate 5"},
		"standard input": {[]string{"PUT", "/state", "-"}, "packed", 0, "{\"loaded\":true}\n", "", "load packed"},
		"bytes":          {[]string{"GET", "/state"}, "", 0, "packed", "", ""},
		"a refusal":      {[]string{"PUT", "/nodes", "{}"}, "", 1, "", "400 Bad Request: simulated: a number is wanted\n", ""},
		"nothing there":  {[]string{"GET", "/objects?kind=Pod&name=x"}, "", 1, "", "404 Not Found: null\n", ""},
		"no path":        {[]string{"GET"}, "", 2, "", usage, ""},
		"a bad path":     {[]string{"GET", "ready"}, "", 2, "", usage, ""},
		"too much":       {[]string{"PUT", "/nodes", "{}", "x"}, "", 2, "", usage, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			played := &cluster{}
			lab(t, played)
			var stdout, stderr bytes.Buffer
			status := Command(t.Context(), c.args, strings.NewReader(c.stdin), &stdout, &stderr)
			if status != c.status || stdout.String() != c.stdout || stderr.String() != c.stderr {
				t.Errorf("%d %q %q", status, stdout.String(), stderr.String())
			}
			if did := strings.Join(played.did, ", "); did != c.did {
				t.Errorf("did %q, want %q", did, c.did)
			}
		})
	}
}

func TestCommandSaysWhatAClusterStillWaitsFor(t *testing.T) {
	lab(t, &cluster{waits: "the watches"})
	var stderr bytes.Buffer
	if status := Command(t.Context(), []string{"GET", "/ready"}, nil, io.Discard, &stderr); status != 1 || stderr.String() != "503 Service Unavailable: the watches\n" {
		t.Errorf("%d %q", status, stderr.String())
	}
}

func TestCommandWithoutASocket(t *testing.T) {
	t.Setenv("NARU_CONTROL_SOCKET", filepath.Join(t.TempDir(), "none"))
	var stderr bytes.Buffer
	if status := Command(t.Context(), []string{"GET", "/ready"}, nil, io.Discard, &stderr); status != 1 || stderr.Len() == 0 {
		t.Errorf("%d %q", status, stderr.String())
	}
}

func TestWatchStreamsUntilTheReaderGoes(t *testing.T) {
	played := &cluster{feed: facts.NewFeed()}
	lab(t, played)
	played.feed.Emit(facts.Added, "old", nil)
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	ended := make(chan int)
	go func() { ended <- Command(ctx, []string{"GET", "/watch?since=0.5"}, nil, writer, io.Discard) }()
	line := make([]byte, 4096)
	for _, id := range []string{"old", "new", "newer"} {
		if id != "old" {
			played.feed.Emit(facts.Added, id, nil)
		}
		n, err := reader.Read(line)
		if err != nil || !strings.Contains(string(line[:n]), `"ID":"`+id+`"`) || line[n-1] != '\n' {
			t.Errorf("%q, %v", line[:n], err)
		}
	}
	cancel()
	_ = reader.Close()
	<-ended
}

var (
	_ Finder   = (*facts.Objects)(nil)
	_ Picture  = (*facts.Facts)(nil)
	_ Store    = (*state.Gate)(nil)
	_ Switches = (*Levers)(nil)
)
