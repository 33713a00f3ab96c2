package main

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard)
	os.Exit(m.Run())
}

func get(t *testing.T, s *shop, path string) (int, string) {
	t.Helper()
	recorder := httptest.NewRecorder()
	s.handler().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
	return recorder.Code, recorder.Body.String()
}

func newShop(t *testing.T, version string, env map[string]string) *shop {
	return &shop{version: version, name: "shop-1", directory: t.TempDir(), getenv: func(key string) string { return env[key] }}
}

func TestAnswersTellVersionAndPod(t *testing.T) {
	s := newShop(t, "v2", nil)
	for path, want := range map[string]string{"/": "shop v2 (shop-1)\n", "/version": "v2\n", "/healthz": "ok\n"} {
		if code, body := get(t, s, path); code != 200 || body != want {
			t.Errorf("%s: %d %q, want %q", path, code, body, want)
		}
	}
	if code, _ := get(t, s, "/nothing"); code != 404 {
		t.Errorf("unknown path: %d", code)
	}
}

func TestBrokenVersionListensButIsNotHealthy(t *testing.T) {
	s := newShop(t, "v3", nil)
	if code, _ := get(t, s, "/healthz"); code != 500 {
		t.Errorf("healthz of v3: %d", code)
	}
	if code, body := get(t, s, "/version"); code != 200 || body != "v3\n" {
		t.Errorf("version: %d %q", code, body)
	}
}

func TestConfigShowsWhatIsMountedAndSet(t *testing.T) {
	s := newShop(t, "v1", map[string]string{"GREETING": "hello"})
	if _, body := get(t, s, "/config"); body != "GREETING=hello\nfile=-\ntoken=unset\n" {
		t.Errorf("bare: %q", body)
	}
	for name, text := range map[string]string{"greeting.txt": "from a file\n", "secret/token": "x"} {
		path := filepath.Join(s.directory, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, body := get(t, s, "/config"); body != "GREETING=hello\nfile=from a file\ntoken=set\n" {
		t.Errorf("mounted: %q", body)
	}
	s = newShop(t, "v1", map[string]string{"TOKEN": "x"})
	if _, body := get(t, s, "/config"); !strings.HasSuffix(body, "token=set\n") {
		t.Errorf("token by environment: %q", body)
	}
}

func TestWorkBurnsAsLongAsAskedWithinBounds(t *testing.T) {
	s := newShop(t, "v1", nil)
	began := time.Now()
	if code, body := get(t, s, "/work?ms=30"); code != 200 || !strings.HasPrefix(body, "worked 30 ms") {
		t.Errorf("%d %q", code, body)
	}
	if spent := time.Since(began); spent < 30*time.Millisecond {
		t.Errorf("worked for %s only", spent)
	}
	for _, bad := range []string{"", "?ms=x", "?ms=-1", "?ms=10001"} {
		if code, _ := get(t, s, "/work"+bad); code != 400 {
			t.Errorf("%q: %d", bad, code)
		}
	}
}

func TestCrashExitsWithOne(t *testing.T) {
	s, code := newShop(t, "v1", nil), 0
	s.exit = func(with int) { code = with }
	get(t, s, "/crash")
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
}

func TestServerGoesOnAnsweringWhenToldToEnd(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	place := listener.Addr().String()
	listener.Close()
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, &http.Server{Addr: place, Handler: newShop(t, "v1", nil).handler()}) }()
	ask := func() error {
		response, err := http.Get("http://" + place + "/version")
		if err == nil {
			response.Body.Close()
		}
		return err
	}
	for deadline := time.Now().Add(5 * time.Second); ask() != nil; {
		if time.Now().After(deadline) {
			t.Fatal("does not listen")
		}
	}
	end()
	if err := ask(); err != nil {
		t.Errorf("right after the word to end: %v", err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("ended with %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("does not end")
	}
	if ask() == nil {
		t.Error("still answers")
	}
}
