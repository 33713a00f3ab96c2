package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
}

func TestWriteFileNeverFollowsALink(t *testing.T) {
	root, outside := t.TempDir(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(root, "way")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(outside, "target"), filepath.Join(root, "name")); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(root, "/way/file", strings.NewReader("x"), 0o644); err == nil {
		t.Error("a link was followed on the way")
	}
	if err := writeFile(root, "/name", strings.NewReader("x"), 0o755); err != nil {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(outside); len(entries) != 0 {
		t.Error("something was written outside")
	}
	info, err := os.Lstat(filepath.Join(root, "name"))
	if err != nil || info.Mode() != 0o755 {
		t.Error("the link was not replaced", info, err)
	}
	for _, name := range []string{"", "/", "/a/../../b", "../b", "/a\x00b"} {
		if err := writeFile(root, name, strings.NewReader("x"), 0o644); err == nil {
			t.Errorf("%q was taken", name)
		}
	}
}

func TestPackAndUnpackKeepFilesAndNothingElse(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "root/shop/app.py"), "print(1)\n")
	write(t, filepath.Join(root, "root/.bash_history"), "docker ps\n")
	write(t, filepath.Join(root, "etc/passwd"), "root\n")
	if err := os.Symlink("/etc", filepath.Join(root, "root/shop/etc")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(root, "root/shop/pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	packed, err := pack(root, []string{"/root/shop", ".bash_history", "/root/shop/app.py", "/root/shop/etc/passwd", "none"}, nil, 64<<10)
	if err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	count, err := unpack(other, bytes.NewReader(packed))
	if err != nil || count != 4 {
		t.Fatal(count, err)
	}
	text, err := os.ReadFile(filepath.Join(other, "root/shop/app.py"))
	if err != nil || string(text) != "print(1)\n" {
		t.Fatal(string(text), err)
	}
	if target, err := os.Readlink(filepath.Join(other, "root/shop/etc")); err != nil || target != "/etc" {
		t.Fatal(target, err)
	}
	if _, err := os.Lstat(filepath.Join(other, "etc")); err == nil {
		t.Fatal("what lies behind a link was packed")
	}
}

func TestPackLeavesOutWhatEachLabMakesForItself(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "root/.kube/config"), "token: of another lab\n")
	write(t, filepath.Join(root, "root/shop/.kube/config"), "own\n")
	packed, err := pack(root, []string{"/root"}, nil, 64<<10)
	if err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	if _, err := unpack(other, bytes.NewReader(packed)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(filepath.Join(other, "root/.kube")); err == nil {
		t.Fatal("the way to another lab's cluster was kept")
	}
	if _, err := os.Lstat(filepath.Join(other, "root/shop/.kube/config")); err != nil {
		t.Fatal(err)
	}
}

func TestPackSaysWhenItIsTooLarge(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "root/zeros"), strings.Repeat("\x00", 300<<10))
	if _, err := pack(root, []string{"zeros"}, nil, 10<<10); !errors.Is(err, errTooLarge) {
		t.Fatal("what unpacks to much was packed:", err)
	}
	if _, err := pack(root, []string{"zeros"}, nil, 100<<10); err != nil {
		t.Fatal(err)
	}
}

func TestUnpackStaysInside(t *testing.T) {
	var packed bytes.Buffer
	squeezed := gzip.NewWriter(&packed)
	archive := tar.NewWriter(squeezed)
	headers := []*tar.Header{
		{Typeflag: tar.TypeSymlink, Name: "way", Linkname: "/tmp"},
		{Typeflag: tar.TypeReg, Name: "way/attendant-was-here"},
	}
	for _, header := range headers {
		if err := archive.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
	}
	archive.Close()
	squeezed.Close()
	if _, err := unpack(t.TempDir(), &packed); err == nil {
		t.Fatal("an archive's own link was followed")
	}
	if _, err := os.Lstat("/tmp/attendant-was-here"); err == nil {
		t.Fatal("a file was written outside")
	}
}

func TestReadGivesTextsOnly(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "root/app/a.txt"), "가나다")
	write(t, filepath.Join(root, "root/app/sub/b.txt"), "b")
	write(t, filepath.Join(root, "root/app/binary"), "\xff\xfe")
	write(t, filepath.Join(root, "root/big"), strings.Repeat("x", 9000))
	if err := os.Symlink("/etc/passwd", filepath.Join(root, "root/link")); err != nil {
		t.Fatal(err)
	}
	value, err := readTexts(root, []string{"/root/app", "/root/link", "/root/none", "/root/big"}, 4096)
	if err != nil {
		t.Fatal(err)
	}
	files := value.(map[string]any)["files"].(map[string]*string)
	if len(files) != 5 || *files["/root/app/a.txt"] != "가나다" || *files["/root/app/sub/b.txt"] != "b" {
		t.Fatal(files)
	}
	for _, name := range []string{"/root/link", "/root/none", "/root/big"} {
		if text, there := files[name]; text != nil || !there {
			t.Errorf("%s: %v", name, text)
		}
	}
}

func TestReadSmallWaitsForNothing(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := readSmall(pipe, 10)
		done <- err
	}()
	select {
	case err := <-done:
		if err == nil {
			t.Fatal("a pipe was read")
		}
	case <-time.After(2 * time.Second):
		t.Fatal("it waits for a writer")
	}
}
