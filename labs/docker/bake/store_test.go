package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vbatts/tar-split/tar/asm"
	"github.com/vbatts/tar-split/tar/storage"
)

// baked lays two images out that share their first layer; returns the folder and meta.tar's files by name.
func baked(t *testing.T) (string, map[string]string) {
	t.Helper()
	roots, out := t.TempDir(), t.TempDir()
	base := []one{dir("etc", 0o755), file("etc/os", "debian")}
	tars := map[string]string{
		"base.tar": write(t, base...),
		"top.tar":  write(t, append(base, file("etc/top", strings.Repeat("t", 5000)))...),
	}
	for name, path := range tars {
		if err := os.Rename(path, filepath.Join(roots, name)); err != nil {
			t.Fatal(err)
		}
	}
	list := `[{"tags": ["small:1"], "config": {"Cmd": ["sh"]}, "steps": [{"created_by": "ADD base", "rootfs": "base.tar"}]},
	  {"tags": ["large:2", "large:latest"], "config": {}, "steps": [{"created_by": "ADD base", "rootfs": "base.tar"},
	   {"created_by": "ENV A=1"}, {"created_by": "RUN top", "rootfs": "top.tar"}]}]`
	if err := os.WriteFile(filepath.Join(roots, "images.json"), []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := bake(filepath.Join(roots, "images.json"), roots, out); err != nil {
		t.Fatal(err)
	}
	packed, err := os.Open(filepath.Join(out, "meta.tar"))
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	found := map[string]string{}
	for reader := tar.NewReader(packed); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return out, found
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		found[header.Name] = string(content) + header.Linkname
	}
}

type document struct {
	Config  map[string]any
	History []struct {
		CreatedBy  string `json:"created_by"`
		EmptyLayer bool   `json:"empty_layer"`
	}
	Rootfs struct {
		DiffIDs []string `json:"diff_ids"`
	}
}

func imageOf(t *testing.T, meta map[string]string, tag string) document {
	t.Helper()
	var tags struct{ Repositories map[string]map[string]string }
	if err := json.Unmarshal([]byte(meta["image/overlay2/repositories.json"]), &tags); err != nil {
		t.Fatal(err)
	}
	id := tags.Repositories[strings.Split(tag, ":")[0]][tag]
	content := meta["image/overlay2/imagedb/content/sha256/"+hexOf(id)]
	if digest([]byte(content)) != id {
		t.Fatalf("%s: %s is not the id of its configuration", tag, id)
	}
	var found document
	if err := json.Unmarshal([]byte(content), &found); err != nil {
		t.Fatal(err)
	}
	return found
}

func TestImagesShareLayersAndTellTheirHistory(t *testing.T) {
	out, meta := baked(t)
	small, large := imageOf(t, meta, "small:1"), imageOf(t, meta, "large:2")
	if len(small.Rootfs.DiffIDs) != 1 || len(large.Rootfs.DiffIDs) != 2 || small.Rootfs.DiffIDs[0] != large.Rootfs.DiffIDs[0] {
		t.Fatal(small.Rootfs, large.Rootfs)
	}
	lines := []string{}
	for _, line := range large.History {
		mark := ""
		if line.EmptyLayer {
			mark = " (empty)"
		}
		lines = append(lines, line.CreatedBy+mark)
	}
	if got := strings.Join(lines, ", "); got != "ADD base, ENV A=1 (empty), RUN top" {
		t.Error(got)
	}
	if imageOf(t, meta, "large:latest").History == nil || small.Config["Cmd"].([]any)[0] != "sh" {
		t.Error("a tag or a configuration is missing")
	}
	ids, err := os.ReadFile(filepath.Join(out, "layers"))
	if err != nil || len(strings.Fields(string(ids))) != 2 {
		t.Error(string(ids), err)
	}
}

func TestLayersCanBePutTogetherAgainByteForByte(t *testing.T) {
	out, meta := baked(t)
	diffIDs := imageOf(t, meta, "large:2").Rootfs.DiffIDs
	parent := ""
	for _, diffID := range diffIDs {
		id := chain(parent, diffID)
		records := "image/overlay2/layerdb/sha256/" + hexOf(id) + "/"
		if meta[records+"diff"] != diffID || meta[records+"parent"] != parent {
			t.Fatal(meta[records+"diff"], meta[records+"parent"])
		}
		folder := filepath.Join(out, "overlay2", meta[records+"cache-id"], "diff")
		plain, err := gzip.NewReader(strings.NewReader(meta[records+"tar-split.json.gz"]))
		if err != nil {
			t.Fatal(err)
		}
		stream := asm.NewOutputTarStream(storage.NewPathFileGetter(folder), storage.NewJSONUnpacker(plain))
		var again bytes.Buffer
		if _, err := io.Copy(&again, stream); err != nil {
			t.Fatal(err)
		}
		if digest(again.Bytes()) != diffID {
			t.Error("other bytes than the layer's")
		}
		parent = id
	}
	if size := meta["image/overlay2/layerdb/sha256/"+hexOf(parent)+"/size"]; size != "5000" {
		t.Error("size", size)
	}
}

func TestUpperLayerNamesTheLowerByItsLink(t *testing.T) {
	_, meta := baked(t)
	diffIDs := imageOf(t, meta, "large:2").Rootfs.DiffIDs
	caches := []string{}
	for _, id := range []string{diffIDs[0], chain(diffIDs[0], diffIDs[1])} {
		caches = append(caches, meta["image/overlay2/layerdb/sha256/"+hexOf(id)+"/cache-id"])
	}
	link := meta["overlay2/"+caches[0]+"/link"]
	if got := meta["overlay2/"+caches[1]+"/lower"]; got != "l/"+link {
		t.Error(got)
	}
	if _, there := meta["overlay2/"+caches[0]+"/lower"]; there {
		t.Error("the first layer has one below")
	}
	if got := meta["overlay2/l/"+link]; got != "../"+caches[0]+"/diff" || len(link) != 26 {
		t.Error(got, link)
	}
}

func TestImageWithoutAFirstLayerIsRefused(t *testing.T) {
	made := newStore(t.TempDir(), t.TempDir(), t.TempDir())
	for _, each := range []image{{Tags: []string{"x:1"}}, {Tags: []string{"x:1"}, Steps: []step{{CreatedBy: "ENV A=1"}}}} {
		if _, err := made.addImage(each, ""); err == nil {
			t.Error("accepted", each)
		}
	}
}
