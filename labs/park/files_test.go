package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func TestPlaceMakesFoldersAndKeepsBytes(t *testing.T) {
	root := t.TempDir()
	if err := place(root, map[string][]byte{"a/b/c.txt": {0, 255, '\n'}, "empty": {}}); err != nil {
		t.Fatal(err)
	}
	found := collect(root, []string{"a/b/c.txt", "empty"}, 100)
	if got := found["a/b/c.txt"]; got == nil || string(*got) != "\x00\xff\n" {
		t.Errorf("a/b/c.txt is %v", got)
	}
	if got := found["empty"]; got == nil || len(*got) != 0 {
		t.Errorf("empty is %v", got)
	}
}

func TestCollectTakesRegularFilesOnly(t *testing.T) {
	outside, root := t.TempDir(), t.TempDir()
	write(t, filepath.Join(outside, "secret"), "secret")
	write(t, filepath.Join(root, "plain"), "plain")
	write(t, filepath.Join(root, "deep/er/file"), "nested")
	write(t, filepath.Join(root, "exact"), "12345678")
	write(t, filepath.Join(root, "large"), "123456789")
	link(t, filepath.Join(outside, "secret"), filepath.Join(root, "link"))
	link(t, "plain", filepath.Join(root, "own-link"))
	link(t, outside, filepath.Join(root, "linked"))
	link(t, "nowhere", filepath.Join(root, "dangling"))
	if err := unix.Mkfifo(filepath.Join(root, "fifo"), 0o644); err != nil {
		t.Fatal(err)
	}

	names := []string{
		"plain", "deep/er/file", "exact", "large", "link", "own-link", "linked/secret", "dangling", "fifo", "deep",
		"missing", "plain/below", "deep/missing/file",
	}
	done := make(chan map[string]*[]byte, 1)
	go func() { done <- collect(root, names, 8) }()
	var found map[string]*[]byte
	select {
	case found = <-done:
	case <-time.After(5 * time.Second):
		t.Fatal("collecting waits for the fifo's other end")
	}

	wanted := map[string]string{"plain": "plain", "deep/er/file": "nested", "exact": "12345678"}
	if len(found) != len(names) {
		t.Errorf("%d of %d names", len(found), len(names))
	}
	for _, name := range names {
		text, there := wanted[name]
		switch {
		case there && (found[name] == nil || string(*found[name]) != text):
			t.Errorf("%s is %v", name, found[name])
		case !there && found[name] != nil:
			t.Errorf("%s was read: %q", name, *found[name])
		}
	}
}

func TestCollectReadsNothingOfAFileThatIsAllHole(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "hole"), "")
	if err := os.Truncate(filepath.Join(root, "hole"), 1<<40); err != nil {
		t.Fatal(err)
	}
	if found := collectOne(root, "hole", 1<<10); found != nil {
		t.Fatalf("%d bytes", len(*found))
	}
}
