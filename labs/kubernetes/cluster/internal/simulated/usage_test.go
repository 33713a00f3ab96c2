package simulated

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func writeGroup(t *testing.T, root, group, cpu, memory string) {
	t.Helper()
	for path, text := range map[string]string{
		filepath.Join(root, "cpuacct", group, "cpuacct.usage"):        cpu,
		filepath.Join(root, "memory", group, "memory.usage_in_bytes"): memory,
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestUsageIsARate(t *testing.T) {
	root := t.TempDir()
	now := time.Unix(1000, 0)
	use := newUsage(root)
	use.now = func() time.Time { return now }
	for _, step := range []struct {
		later  time.Duration
		cpu    string
		millis int64
	}{
		{0, "1000000000", 100},               // a second's work in the ten since its start
		{time.Second, "2000000000", 100},     // too soon to say something new
		{3 * time.Second, "3000000000", 500}, // two seconds' work in four
	} {
		now = now.Add(step.later)
		writeGroup(t, root, "c1", step.cpu, "4096")
		millis, bytes, ok := use.of("c1", time.Unix(990, 0))
		if millis != step.millis || bytes != 4096 || !ok {
			t.Errorf("%s: %d %d %v, not %d", step.cpu, millis, bytes, ok, step.millis)
		}
	}
}

func TestUsageOfWhatCannotBeRead(t *testing.T) {
	use := newUsage(t.TempDir())
	if _, _, ok := use.of("gone", time.Time{}); ok {
		t.Error("a container that is not there has a usage")
	}
}

func TestUsageForgets(t *testing.T) {
	now := time.Unix(1000, 0)
	use := newUsage("")
	use.now = func() time.Time { return now }
	for i := range 2 * keptRates {
		now = now.Add(time.Minute)
		use.rate(string(rune('a'+i)), 1, time.Time{})
	}
	if len(use.seen) > keptRates+1 {
		t.Errorf("%d containers are remembered", len(use.seen))
	}
}
