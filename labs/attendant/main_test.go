package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

// The test binary stands in for the program itself when a test starts it with these.
const (
	asProgram = "ATTENDANT_TEST_PROGRAM"
	runVar    = "ATTENDANT_TEST_RUN"
)

func TestMain(m *testing.M) {
	if directory := os.Getenv(runVar); directory != "" {
		runDirectory = directory
	}
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// labWith gives a test a run directory and one named host whose engine is the handler.
func labWith(t *testing.T, engine http.Handler) {
	t.Helper()
	directory, err := os.MkdirTemp("", "lab") // short: a socket's path is at most 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(directory) })
	before := runDirectory
	runDirectory = directory
	t.Cleanup(func() { runDirectory = before })
	t.Setenv(hostsVar, "laptop")
	for _, name := range []string{"engines", "hosts", "shells"} {
		if err := os.Mkdir(filepath.Join(directory, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if engine == nil {
		return
	}
	listener, err := net.Listen("unix", host{name: "laptop"}.socket())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(engine)
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
}
