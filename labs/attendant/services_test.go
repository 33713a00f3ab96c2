package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestServicesWaitLongerEachTimeTheyEndSoon(t *testing.T) {
	var waits patience
	for i, wanted := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
		if got := waits.after(time.Second); got != wanted*time.Second {
			t.Error(i, got)
		}
	}
	if got := waits.after(time.Hour); got != againAfter {
		t.Error("after a long life", got)
	}
}

func TestServiceLogsStayBounded(t *testing.T) {
	log := &serviceLog{path: filepath.Join(t.TempDir(), "node.log")}
	line := strings.Repeat("x", 1000) + "\n"
	for i := range 1000 {
		if n, err := fmt.Fprintf(log, "%d %s", i, line); err != nil || n < len(line) {
			t.Fatal(n, err)
		}
	}
	total := 0
	for _, path := range []string{log.path, log.path + ".before"} {
		text, err := os.ReadFile(path)
		if err != nil || len(text) == 0 || len(text) > mostLog {
			t.Fatal(path, len(text), err)
		}
		total += len(text)
	}
	if text, _ := os.ReadFile(log.path); !strings.Contains(string(text), "\n999 x") || total < mostLog {
		t.Error("the last line is missing", total)
	}
	lost := &serviceLog{path: filepath.Join(t.TempDir(), "no", "such", "folder")}
	if n, err := lost.Write([]byte("text")); n != 4 || err != nil {
		t.Error("a service is held up by its log", n, err)
	}
}

func TestTheFirstLineOfAHostsFileCounts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	write(t, path, "10.0.0.1 Shop\n10.0.0.2 SHOP shop Cart # Till\n")
	known := hostsFile(path)
	if len(known) != 3 || known["shop"] != "10.0.0.1" || known["cart"] != "10.0.0.2" {
		t.Error(known)
	}
}

func TestNamesAreAskedForNoLongerThanTheAskerWaits(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := (&spot{names: silent.LocalAddr().String()}).ask(ctx, "shop"); err == nil || time.Since(began) > time.Second {
		t.Error(err, time.Since(began))
	}
}

func TestNothingWaitsForTheEngineWhereThereAreMany(t *testing.T) {
	labWith(t, nil)
	imageWith(t, `{"engine": {}, "services": [{"name": "shop", "argv": ["x"], "after": ["engine"]}]}`)
	for names, taken := range map[string]bool{"": true, "laptop,server": false} {
		t.Setenv(hostsVar, names)
		if _, err := labServices(); (err == nil) != taken {
			t.Errorf("%q: %v", names, err)
		}
	}
}

func TestTheLabsOwnLogStaysBounded(t *testing.T) {
	labWith(t, nil)
	if err := os.Mkdir(inRun("log"), 0o700); err != nil {
		t.Fatal(err)
	}
	log, err := labLog()
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	f := familyOf(t)
	f.log = log
	if err := f.run("sh", "-c", fmt.Sprintf("head -c %d /dev/zero; echo last", 4*mostLog)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the last line is missing", func() bool {
		text, _ := os.ReadFile(inRun("log", "lab.log"))
		return strings.HasSuffix(string(text), "last\n")
	})
	for _, name := range []string{"lab.log", "lab.log.before"} {
		if text, err := os.ReadFile(inRun("log", name)); err != nil || len(text) > mostLog {
			t.Error(name, len(text), err)
		}
	}
}

// familyOf is a family that reaps only what this test started.
func familyOf(t *testing.T) *family {
	t.Helper()
	f := &family{waiting: map[int]chan syscall.WaitStatus{}, log: os.Stderr}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				f.reap()
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-stopped })
	return f
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}

func TestAServiceComesBackButNotWhileItIsSwitchedOff(t *testing.T) {
	labWith(t, nil)
	directory := t.TempDir()
	if err := os.Mkdir(inRun("log"), 0o700); err != nil {
		t.Fatal(err)
	}
	l := &lab{family: familyOf(t), state: State{Engines: map[string]string{}}}
	s := service{Name: "node", Argv: []string{"sh", "-c", `echo "$GOGC"; echo $$ >> ` + directory + `/lives; exec sleep 100`},
		Env: map[string]string{"GOGC": "77"}, Again: true, Off: filepath.Join(directory, "off")}
	lives := func() []string {
		text, _ := os.ReadFile(filepath.Join(directory, "lives"))
		return strings.Fields(string(text))
	}
	started := l.unitOf(s)
	if err := started.start(); err != nil || started.ready(t.Context()) != nil {
		t.Fatal(err)
	}
	eventually(t, "it does not start", func() bool { return len(lives()) == 1 })
	if pid, err := strconv.Atoi(lives()[0]); err != nil || syscall.Kill(pid, syscall.SIGKILL) != nil {
		t.Fatal(pid, err)
	}
	eventually(t, "it does not come back", func() bool { return len(lives()) == 2 })
	if err := os.WriteFile(s.Off, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	second := "/proc/" + lives()[1]
	eventually(t, "it is not switched off", func() bool { _, err := os.Stat(second); return err != nil })
	time.Sleep(2 * againAfter)
	if len(lives()) != 2 {
		t.Error("it runs while it is switched off")
	}
	if err := os.Remove(s.Off); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is not switched on", func() bool { return len(lives()) == 3 })
	text, err := os.ReadFile(inRun("log", "node.log"))
	if err != nil || !strings.HasPrefix(string(text), "77\n") {
		t.Error("its own environment counts, in a log of its own", string(text), err)
	}
	if len(l.state.Engines) > 0 {
		t.Error("its end is no end of the lab", l.state)
	}
	_ = os.WriteFile(s.Off, nil, 0o600)
	last := "/proc/" + lives()[2]
	eventually(t, "it is not gone", func() bool { _, err := os.Stat(last); return err != nil })
}

func TestTheEndOfAVitalServiceIsTold(t *testing.T) {
	labWith(t, nil)
	if err := os.Mkdir(inRun("log"), 0o700); err != nil {
		t.Fatal(err)
	}
	l := &lab{family: familyOf(t), state: State{Engines: map[string]string{}}}
	dying := l.unitOf(service{Name: "cluster", Argv: []string{"sh", "-c", "sleep 0.2; exit 3"}, Vital: true})
	if err := dying.start(); err != nil || dying.ready(t.Context()) != nil {
		t.Fatal(err)
	}
	if state, err := readState(); err != nil || state.Engines["cluster"] != "ready" {
		t.Fatal(state, err)
	}
	eventually(t, "nobody tells", func() bool {
		state, err := readState()
		return err == nil && state.Engines["cluster"] == "ended" && strings.Contains(state.Message, "exit 3")
	})
}

func TestToolsSayWhatALabLacks(t *testing.T) {
	labWith(t, nil)
	t.Setenv(hostsVar, "")
	imageWith(t, `{"engine": null, "registry": false, "services": [{"name": "cluster", "argv": ["x"], "ready": {"control": true}}]}`)
	for tool, request := range map[string]string{
		"docker": `{"object": "image", "name": "a"}`, "registry": `{"repository": "a"}`, "build": `{}`,
		"http": `{"url": "http://a/", "from": "web"}`,
	} {
		if answer := answerOne(askOf(tool, request, 5)); answer.Reason != reasonRequest || !strings.Contains(answer.Message, "this lab has no ") {
			t.Errorf("%s: %+v", tool, answer)
		}
	}
	if answer := answerOne(askOf("kubernetes", `{"kind": "Pod", "name": "a"}`, 5)); answer.Reason != reasonEngine {
		t.Errorf("a learner took the cluster's folder away: %+v", answer)
	}
}

func TestEventsPassOverLinesThatAreTooLong(t *testing.T) {
	labWith(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"timeNano": 1}`+"\n"+`{"timeNano": 2, "x": %q}`+"\n"+`{"timeNano": 3}`+"\n", strings.Repeat("x", 3*longestEvent))
	}))
	var lines []string
	last, whole, err := readEvents(t.Context(), engineSource(host{name: "laptop"}), "0", func(line []byte) error {
		lines = append(lines, string(line))
		return nil
	})
	if err != nil || last != 3 || !whole || len(lines) != 2 {
		t.Fatal(last, whole, err, len(lines))
	}
}

func TestThisLabsOwnNetworkIsFoundByAnAddress(t *testing.T) {
	if pid := holderOf(net.IPv4(127, 0, 0, 1)); pid != 0 {
		t.Error(pid)
	}
	if pid := holderOf(net.IPv4(203, 0, 113, 7)); pid != -1 {
		t.Error(pid)
	}
}

func TestStreamsFindTheirPlaceAnewOnceItsProcessHasEnded(t *testing.T) {
	labWith(t, nil)
	t.Setenv(hostsVar, "")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "v1") }))
	defer server.Close()
	s, err := newStream(t.Context(), httpRequest{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	ended := exec.Command("true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	s.spot = &spot{pid: ended.Process.Pid}
	if answer := askOnce(t.Context(), s.client, &s.request); answer == nil || answer.Body != "v1" {
		t.Error(answer)
	}
}

func TestTrafficIsUndoneAlsoWhenItsTimeIsUp(t *testing.T) {
	labWith(t, nil)
	t.Setenv(hostsVar, "")
	undone := filepath.Join(t.TempDir(), "undone")
	request := `{"http": {"url": "http://127.0.0.1:1/"}, "while": [["sleep", "9"]], "undo": [["touch", "` + undone + `"]]}`
	answerOne(askOf("traffic", request, 0.5))
	if _, err := os.Stat(undone); err != nil {
		t.Error(err)
	}
}

func TestPicturesLeaveOutWhatIsTooMuch(t *testing.T) {
	picture := dockerPicture{}
	for range mostContainers {
		picture.Containers = append(picture.Containers, pictured{Image: strings.Repeat("i", 200), Networks: []string{strings.Repeat("n", 600)}})
	}
	if picture.bound(); len(picture.Containers) < 40 || picture.LeftOut+len(picture.Containers) != mostContainers {
		t.Error(len(picture.Containers), picture.LeftOut)
	}
	if text, err := json.Marshal(picture); err != nil || len(text) > 2*mostPicture {
		t.Error(len(text), err)
	}
}

func TestTheRegistryIsKeptByItsWord(t *testing.T) {
	before := registryStorage
	t.Cleanup(func() { registryStorage = before })
	registryStorage = "/data/registry"
	root, other := t.TempDir(), t.TempDir()
	write(t, filepath.Join(root, "data", "registry", "blob"), "layer")
	packed, err := packKept(root, []string{registryWord}, 64<<10)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unpack(other, bytes.NewReader(packed)); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(other, "data", "registry", "blob")); err != nil || string(text) != "layer" {
		t.Error(string(text), err)
	}
}
