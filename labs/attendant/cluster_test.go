package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// clusterWith gives the lab a control socket that a handler answers.
func clusterWith(t *testing.T, control http.HandlerFunc) {
	t.Helper()
	labWith(t, nil)
	t.Setenv(hostsVar, "")
	if err := os.Mkdir(inRun("cluster"), 0o700); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", controlSocket())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(control)
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
}

// imageWith lets the lab's image have a services file.
func imageWith(t *testing.T, text string) {
	t.Helper()
	before := servicesFile
	servicesFile = filepath.Join(t.TempDir(), "services.json")
	t.Cleanup(func() { servicesFile = before })
	if err := os.WriteFile(servicesFile, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestServicesAreReadStrictly(t *testing.T) {
	if found, err := labServices(); err != nil || found.Engine == nil || !found.Registry || len(found.Services) > 0 {
		t.Fatal("without a file", found, err)
	}
	imageWith(t, `{"engine": null, "registry": false, "services": [
		{"name": "cluster", "argv": ["x"], "ready": {"control": true}, "vital": true},
		{"name": "node", "argv": ["y"], "after": ["cluster"], "again": true, "off": "/run/off"}]}`)
	if found, err := labServices(); err != nil || found.Engine != nil || len(found.Services) != 2 || hasEngine() {
		t.Fatal(found, err)
	}
	for _, text := range []string{
		`{`, `{"engin": null}`, `{"services": [{"name": "a"}]}`, `{"services": [{"name": "a", "argv": ["x"], "after": ["b"]}]}`,
		`{"engine": {}, "services": [{"name": "engine", "argv": ["x"]}]}`, `{"engine": {"after": ["nothing"]}}`,
	} {
		imageWith(t, text)
		if _, err := labServices(); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

func TestUnitsStartOnceWhatTheyWaitForIsReady(t *testing.T) {
	var mutex sync.Mutex
	var order []string
	note := func(text string) {
		mutex.Lock()
		defer mutex.Unlock()
		order = append(order, text)
	}
	made := func(name string, wait time.Duration, after ...string) unit {
		return unit{
			name: name, after: after,
			start: func() error { note("start " + name); return nil },
			ready: func(context.Context) error { time.Sleep(wait); note("ready " + name); return nil },
		}
	}
	if err := startUnits(t.Context(), []unit{made("last", 0, "first", "second"), made("second", 5*time.Millisecond), made("first", 30*time.Millisecond)}); err != nil {
		t.Fatal(err)
	}
	if at := slices.Index(order, "start last"); at != 4 {
		t.Fatal(order)
	}
	failing := made("broken", 0)
	failing.ready = func(context.Context) error { return fmt.Errorf("it does not come up") }
	err := startUnits(t.Context(), []unit{failing, made("never", 0, "broken")})
	if err == nil || !strings.Contains(err.Error(), "broken: it does not come up") {
		t.Fatal(err)
	}
}

func TestObjectsAreAskedFromTheControlSocket(t *testing.T) {
	var asked atomic.Value
	clusterWith(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.URL.RequestURI())
		switch r.URL.Query().Get("name") {
		case "nothing":
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, "null")
		case "broken":
			w.WriteHeader(http.StatusInternalServerError)
		default:
			fmt.Fprint(w, `{"metadata": {"name": "shop"}}`)
		}
		if r.URL.Query().Get("kind") == "Nonsense" {
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	for request, wanted := range map[string]string{
		`{"kind": "Deployment", "name": "shop"}`:                    `{"metadata":{"name":"shop"}}`,
		`{"kind": "Pod", "selector": "app=shop", "namespace": "*"}`: `{"metadata":{"name":"shop"}}`,
		`{"kind": "Pod", "name": "nothing"}`:                        `null`,
	} {
		answer := answerOne(askOf("kubernetes", request, 5))
		if !answer.OK || string(answer.Value) != wanted {
			t.Errorf("%s: %+v", request, answer)
		}
	}
	answerOne(askOf("kubernetes", `{"kind": "Pod", "selector": "a=b"}`, 5))
	if text := asked.Load().(string); text != "/objects?kind=Pod&namespace=default&selector=a%3Db" {
		t.Error(text)
	}
	for request, reason := range map[string]string{
		`{"kind": "Pod"}`: reasonRequest,
		`{"kind": "Pod", "name": "a", "selector": ""}`:        reasonRequest,
		`{"kind": "../state", "name": "a"}`:                   reasonRequest,
		`{"kind": "Pod", "name": "a", "namespace": "a/../b"}`: reasonRequest,
		`{"kind": "Pod", "name": "broken"}`:                   reasonFailed,
	} {
		if answer := answerOne(askOf("kubernetes", request, 5)); answer.OK || answer.Reason != reason {
			t.Errorf("%s: %+v", request, answer)
		}
	}
}

func TestAClusterThatHasDiedIsAnEngineThatIsGone(t *testing.T) {
	labWith(t, nil)
	t.Setenv(hostsVar, "")
	if answer := answerOne(askOf("kubernetes", `{"kind": "Pod", "name": "a"}`, 5)); answer.Reason != reasonRequest {
		t.Error("a lab without a cluster", answer)
	}
	if err := os.Mkdir(inRun("cluster"), 0o700); err != nil {
		t.Fatal(err)
	}
	if answer := answerOne(askOf("kubernetes", `{"kind": "Pod", "name": "a"}`, 5)); answer.Reason != reasonEngine {
		t.Error(answer)
	}
	imageWith(t, `{"engine": null, "registry": false, "services": []}`)
	if answer := answerOne(askOf("docker", `{"object": "image", "name": "a"}`, 5)); answer.Reason != reasonRequest {
		t.Error("a lab without an engine", answer)
	}
}

func TestTrafficCountsWhileCommandsRunAndLooksBeforeAndAfter(t *testing.T) {
	labWith(t, nil)
	t.Setenv(hostsVar, "")
	var version atomic.Value
	version.Store("v1")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/switch" {
			version.Store("v2")
		}
		if r.URL.Path == "/broken" || version.Load() == "v2" && r.Header.Get("X-Fails") != "" {
			w.WriteHeader(http.StatusBadGateway)
		}
		fmt.Fprintln(w, version.Load())
	}))
	defer server.Close()
	look := `{"tool": "http", "request": {"url": "` + server.URL + `"}}`
	answer := answerOne(askOf("traffic", `{"http": {"url": "`+server.URL+`", "every_ms": 20}, "seconds": 20, "watch": {"seen": `+look+`},
		"while": [["sleep", "0.3"], ["curl", "-s", "`+server.URL+`/switch"], ["false"]]}`, 30))
	var value struct {
		Sent, Failed  int
		Distinct      []string
		Timeline      []bucket
		Before, After map[string]httpValue
		Commands      []struct {
			ExitCode int `json:"exit_code"`
		}
	}
	if !answer.OK || json.Unmarshal(answer.Value, &value) != nil {
		t.Fatalf("%+v", answer)
	}
	if value.Sent < 50 || value.Failed != 0 || !slices.Equal(value.Distinct, []string{"v1", "v2"}) {
		t.Errorf("%+v", value)
	}
	sent := 0
	for _, each := range value.Timeline {
		sent += each.Sent
	}
	if sent != value.Sent || len(value.Timeline) < 3 {
		t.Errorf("%+v", value.Timeline)
	}
	if value.Before["seen"].Distinct[0] != "v1\n" || value.After["seen"].Distinct[0] != "v2\n" {
		t.Errorf("%+v %+v", value.Before, value.After)
	}
	if len(value.Commands) != 3 || value.Commands[1].ExitCode != 0 || value.Commands[2].ExitCode != 1 {
		t.Errorf("%+v", value.Commands)
	}
	if answer := answerOne(askOf("traffic", `{"http": {"url": "`+server.URL+`/broken"}, "while": []}`, 30)); !strings.Contains(string(answer.Value), `"distinct":[]`) {
		t.Errorf("%+v", answer)
	}
	if answer := answerOne(askOf("traffic", `{"http": {"url": "ftp://x"}}`, 30)); answer.Reason != reasonRequest {
		t.Errorf("%+v", answer)
	}
}

func TestSteadyRequestsAreToldSecondBySecond(t *testing.T) {
	labWith(t, nil)
	t.Setenv(hostsVar, "")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "v1") }))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var lines []map[string]any
	err := steady{ID: "stream", HTTP: httpRequest{URL: server.URL, EveryMs: 50}}.report(ctx, func(text []byte) error {
		var line struct{ Event map[string]any }
		if err := json.Unmarshal(text, &line); err != nil {
			t.Error(err)
		}
		if lines = append(lines, line.Event); len(lines) == 2 {
			cancel()
		}
		return nil
	})
	if err != nil || len(lines) < 2 {
		t.Fatal(lines, err)
	}
	about := lines[0]["Actor"].(map[string]any)
	told := about["Attributes"].(map[string]any)
	if lines[0]["Type"] != "traffic" || about["ID"] != "stream" || told["failed"] != "0" || !strings.HasPrefix(told["answers"].(string), `{"v1":`) {
		t.Error(lines[0])
	}
	cancel()
}

func TestTheClustersStateIsKeptBesideFiles(t *testing.T) {
	var loaded atomic.Value
	clusterWith(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			body, _ := io.ReadAll(r.Body)
			loaded.Store(string(body))
			return
		}
		fmt.Fprint(w, "all objects")
	})
	root, other := t.TempDir(), t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "root"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "root", "shop.yaml"), []byte("kind: Pod"), 0o600); err != nil {
		t.Fatal(err)
	}
	packed, err := packKept(root, []string{clusterWord, "shop.yaml"}, 64<<10)
	if err != nil {
		t.Fatal(err)
	}
	if count, err := unpack(other, bytes.NewReader(packed)); err != nil || count < 2 {
		t.Fatal(count, err)
	}
	text, err := os.ReadFile(filepath.Join(other, "root", "shop.yaml"))
	if err != nil || string(text) != "kind: Pod" || loaded.Load() != "all objects" {
		t.Error(string(text), err, loaded.Load())
	}
	if _, err := os.Stat(filepath.Join(other, "naru")); err == nil {
		t.Error("the state lies among the learner's files")
	}
	if _, err := packKept(root, []string{clusterWord}, 4); err == nil {
		t.Error("more than allowed")
	}
}

func TestPicturesOfAnEngineAreSmallAndInOrder(t *testing.T) {
	labWith(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/containers/json":
			fmt.Fprint(w, `[{"Id": "0123456789abcdef", "Names": ["/web"], "Image": "nginx:1.26", "State": "running",
				"Status": "Up 3 seconds (healthy)", "Ports": [{"PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
				{"PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"}, {"PrivatePort": 443, "Type": "tcp"}],
				"NetworkSettings": {"Networks": {"shop": {}, "bridge": {}}},
				"Mounts": [{"Type": "volume", "Name": "data", "Destination": "/data"}]},
				{"Id": "1", "Names": ["/api"], "State": "exited", "Status": "Exited (0)"}]`)
		case "/networks":
			fmt.Fprint(w, `[{"Name": "shop", "Driver": "bridge"}, {"Name": "host", "Driver": "host"}, {"Name": "bridge", "Driver": "bridge"}]`)
		case "/volumes":
			fmt.Fprint(w, `{"Volumes": [{"Name": "data"}]}`)
		}
	}))
	answer := answerOne(askOf("topology", `{}`, 5))
	wanted := `{"docker":[{"host":"laptop","containers":[` +
		`{"id":"1","name":"api","image":"","state":"exited","health":"","networks":[],"ports":[],"volumes":[]},` +
		`{"id":"0123456789ab","name":"web","image":"nginx:1.26","state":"running","health":"healthy","networks":["bridge","shop"],` +
		`"ports":[{"host":8080,"container":80,"protocol":"tcp"}],"volumes":[{"name":"data","path":"/data"}]}],` +
		`"networks":[{"name":"bridge","driver":"bridge"},{"name":"shop","driver":"bridge"}],"volumes":[{"name":"data"}],"left_out":0}],"kubernetes":null}`
	if string(answer.Value) != wanted {
		t.Errorf("%s %+v", answer.Value, answer)
	}
}
