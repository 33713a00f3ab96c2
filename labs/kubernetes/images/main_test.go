package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const list = `[
  {"tags": ["a:1"], "layers": ["base.tar"], "config": {"Cmd": ["sh"]}},
  {"tags": ["b:1", "b:2"], "layers": ["base.tar", "top.tar"], "config": {"Env": ["V=1"]}}
]`

// packed gives the archive's files, in order of their names' first appearance.
func packed(t *testing.T, text string) (names []string, files map[string][]byte) {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{"base.tar", "top.tar"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("content of "+name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := pack([]byte(text), folder, &out); err != nil {
		t.Fatal(err)
	}
	files = map[string][]byte{}
	for reader := tar.NewReader(&out); ; {
		header, err := reader.Next()
		if err == io.EOF {
			return names, files
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		names, files[header.Name] = append(names, header.Name), content
	}
}

func TestImagesShareLayersThatTheyNameAlike(t *testing.T) {
	names, files := packed(t, list)
	if len(names) != 5 || len(files) != 5 { // two layers, two configurations, the manifest
		t.Errorf("%v", names)
	}
	var rows []row
	if err := json.Unmarshal(files["manifest.json"], &rows); err != nil || len(rows) != 2 {
		t.Fatalf("%v %s", err, files["manifest.json"])
	}
	if rows[0].Layers[0] != rows[1].Layers[0] || len(rows[1].Layers) != 2 || len(rows[1].RepoTags) != 2 {
		t.Errorf("%+v", rows)
	}
	for _, each := range rows {
		var config struct {
			Rootfs struct {
				DiffIDs []string `json:"diff_ids"`
			} `json:"rootfs"`
		}
		if err := json.Unmarshal(files[each.Config], &config); err != nil || len(config.Rootfs.DiffIDs) != len(each.Layers) {
			t.Fatalf("%v %s", err, files[each.Config])
		}
		for index, layer := range each.Layers {
			if want := fmt.Sprintf("sha256:%x", sha256.Sum256(files[layer])); config.Rootfs.DiffIDs[index] != want {
				t.Errorf("%s is told as %s", layer, config.Rootfs.DiffIDs[index])
			}
		}
		if want := fmt.Sprintf("%x.json", sha256.Sum256(files[each.Config])); each.Config != want {
			t.Errorf("configuration %s is called %s", want, each.Config)
		}
	}
}

func TestTheSameContentGivesTheSameBytes(t *testing.T) {
	firstNames, first := packed(t, list)
	secondNames, second := packed(t, list)
	if strings.Join(firstNames, " ") != strings.Join(secondNames, " ") || string(first["manifest.json"]) != string(second["manifest.json"]) {
		t.Error("two archives differ")
	}
}

func TestListsThatCannotBeImagesAreRefused(t *testing.T) {
	for _, bad := range []string{"", "{}", `[{"layers": ["base.tar"]}]`, `[{"tags": ["a:1"]}]`, `[{"tags": ["a:1"], "layers": ["none.tar"]}]`} {
		if err := pack([]byte(bad), t.TempDir(), io.Discard); err == nil {
			t.Errorf("accepted: %s", bad)
		}
	}
	if run(nil) == nil {
		t.Error("no arguments")
	}
}
