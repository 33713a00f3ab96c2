package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func written(t *testing.T, text string) string {
	path := filepath.Join(t.TempDir(), "cluster.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWhatIsLeftOutHasItsDefault(t *testing.T) {
	c, err := Read(written(t, "simulated: {count: 5}\ntimes: {toleration: 7s}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Simulated.Count != 5 || c.Simulated.CPU != "4" || c.Times.Toleration.Duration != 7*time.Second || c.Port != 6443 {
		t.Errorf("%+v", c)
	}
}

func TestALessonsTimesAreShort(t *testing.T) {
	times := Default().Times
	if times.NodeGrace.Duration >= 10*time.Second || times.AutoscalerSync.Duration != 2*time.Second {
		t.Errorf("%+v", times)
	}
	if gone := times.NodeGrace.Duration + times.Toleration.Duration; gone > 15*time.Second {
		t.Errorf("Pods stay %v on a dead node", gone)
	}
}

func TestFaultsNameFileAndField(t *testing.T) {
	for text, wanted := range map[string]string{
		"nodes: 3":                 `unknown field "nodes"`,
		"port: 0":                  "port: 0",
		"simulated: {port: 6443}":  "simulated.port: 6443",
		"simulated: {count: 1000}": "simulated.count: 1000",
		"directory: ''":            "directory:",
		"most_heap_mb: 0":          "most_heap_mb: 0",
		"times: {node_grace: 5s, node_lease: 6s}": "times.node_grace",
		"times: {crash_backoff: soon}":            "soon",
	} {
		path := written(t, text)
		_, err := Read(path)
		if err == nil || !strings.Contains(err.Error(), wanted) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := Read("/nowhere.yaml"); err == nil {
		t.Error("a file that is not there")
	}
}
