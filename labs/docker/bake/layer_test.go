package main

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"
	"testing"
	"time"
)

var then = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// one is a path of a test's root file system.
type one struct {
	name, content, link string
	kind                byte
	mode                int64
	later               time.Duration
}

func file(name, content string) one {
	return one{name: name, content: content, kind: tar.TypeReg, mode: 0o644}
}
func dir(name string, mode int64) one { return one{name: name, kind: tar.TypeDir, mode: mode} }

// write makes a tar as `tar -C / .` does: every name begins with ./
func write(t *testing.T, entries ...one) string {
	t.Helper()
	var buffer bytes.Buffer
	writer := tar.NewWriter(&buffer)
	for _, each := range append([]one{dir("", 0o755)}, entries...) {
		name, link := "./"+each.name, each.link
		if each.kind == tar.TypeLink {
			link = "./" + link
		}
		header := &tar.Header{
			Typeflag: each.kind, Name: name, Linkname: link, Mode: each.mode, Size: int64(len(each.content)),
			Uid: os.Getuid(), Gid: os.Getgid(), ModTime: then.Add(each.later),
		}
		if err := writer.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := writer.Write([]byte(each.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "root.tar")
	if err := os.WriteFile(path, buffer.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func difference(t *testing.T, below, above string) ([]string, error) {
	t.Helper()
	lower, err := readTree(below)
	if err != nil {
		t.Fatal(err)
	}
	upper, err := readTree(above)
	if err != nil {
		t.Fatal(err)
	}
	wanted, err := changed(lower, upper)
	names := []string{}
	for name := range wanted {
		names = append(names, name)
	}
	sort.Strings(names)
	return names, err
}

func TestLayerHoldsWhatChangedAndTheDirectoriesOnTheWay(t *testing.T) {
	base := []one{dir("etc", 0o755), file("etc/a", "1"), dir("usr", 0o755), dir("usr/bin", 0o755), file("usr/bin/x", "x")}
	touched := file("etc/a", "1")
	touched.later = time.Hour
	cases := map[string]struct {
		above []one
		want  []string
	}{
		"nothing":         {base, []string{}},
		"new file":        {append(base[:5:5], file("usr/bin/y", "y")), []string{"usr", "usr/bin", "usr/bin/y"}},
		"content":         {append(base[:4:4], file("usr/bin/x", "z")), []string{"usr", "usr/bin", "usr/bin/x"}},
		"time":            {append([]one{base[0], touched}, base[2:]...), []string{"etc", "etc/a"}},
		"mode of a dir":   {append([]one{dir("etc", 0o700)}, base[1:]...), []string{"etc"}},
		"link for a file": {append(base[:4:4], one{name: "usr/bin/x", link: "y", kind: tar.TypeSymlink}), []string{"usr", "usr/bin", "usr/bin/x"}},
	}
	for name, each := range cases {
		got, err := difference(t, write(t, base...), write(t, each.above...))
		if err != nil || !reflect.DeepEqual(got, each.want) {
			t.Errorf("%s: got %v %v, want %v", name, got, err, each.want)
		}
	}
}

func TestWhatALayerCannotSayIsRefused(t *testing.T) {
	base := []one{dir("d", 0o755), file("d/a", "1")}
	cases := map[string]struct {
		above []one
		want  string
	}{
		"removed":   {base[:1], "gone in this one"},
		"dir ends":  {[]one{file("d", ""), base[1]}, "turns from or into a directory"},
		"hard link": {append(base[:2:2], one{name: "d/b", link: "d/a", kind: tar.TypeLink}), "lies in the layer below"},
	}
	for name, each := range cases {
		if _, err := difference(t, write(t, base...), write(t, each.above...)); err == nil || !strings.Contains(err.Error(), each.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := readTree(write(t, one{name: "null", kind: tar.TypeChar})); err == nil {
		t.Error("a device was let in")
	}
}

func TestNamesStayBelowTheRoot(t *testing.T) {
	for name, want := range map[string]string{"./etc/x": "etc/x", "./": "", "../../etc": "etc", "/a//b/": "a/b"} {
		if got, err := cleanName(name); err != nil || got != want {
			t.Errorf("%q: got %q %v, want %q", name, got, err, want)
		}
	}
}

func TestUnpackKeepsModesTimesAndLinks(t *testing.T) {
	entries := []one{
		dir("bin", 0o755), {name: "bin/su", content: "su", kind: tar.TypeReg, mode: 0o4755},
		{name: "bin/hard", link: "bin/su", kind: tar.TypeLink, mode: 0o4755},
		{name: "lib", link: "usr/lib", kind: tar.TypeSymlink, mode: 0o777}, dir("tmp", 0o1777),
	}
	source := write(t, entries...)
	tree, err := readTree(source)
	if err != nil {
		t.Fatal(err)
	}
	wanted, err := changed(nil, tree)
	if err != nil {
		t.Fatal(err)
	}
	layer := filepath.Join(t.TempDir(), "layer.tar")
	out, err := os.Create(layer)
	if err != nil {
		t.Fatal(err)
	}
	newest, err := writeLayer(source, wanted, out)
	if err != nil || !newest.Equal(then) || out.Close() != nil {
		t.Fatal(newest, err)
	}
	folder := t.TempDir()
	if err := unpack(layer, folder); err != nil {
		t.Fatal(err)
	}
	modes := map[string]os.FileMode{
		"bin": os.ModeDir | 0o755, "bin/su": os.ModeSetuid | 0o755, "bin/hard": os.ModeSetuid | 0o755,
		"tmp": os.ModeDir | os.ModeSticky | 0o777,
	}
	for name, mode := range modes {
		info, err := os.Stat(filepath.Join(folder, name))
		if err != nil || info.Mode() != mode || !info.ModTime().Equal(then) {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
	a, _ := os.Stat(filepath.Join(folder, "bin/su"))
	b, _ := os.Stat(filepath.Join(folder, "bin/hard"))
	if !os.SameFile(a, b) {
		t.Error("the hard link became a file of its own")
	}
	if target, err := os.Readlink(filepath.Join(folder, "lib")); err != nil || target != "usr/lib" {
		t.Error(target, err)
	}
}
