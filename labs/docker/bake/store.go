package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/vbatts/tar-split/tar/asm"
	"github.com/vbatts/tar-split/tar/storage"
)

// layer is one layer in Docker's store.
type layer struct {
	diffID  string // sha256:… of its tar
	chainID string // sha256:… of it on top of those below
	cacheID string // its directory's name under overlay2/
	link    string // its short name under overlay2/l/
	lower   string // overlay2's `lower` file
	created time.Time
}

// store writes what dockerd keeps of images under its data root: everything but the layers' files goes below
// meta, those go to files/overlay2/<cache id>/diff.
type store struct {
	meta, files, scratch string
	layers               map[string]layer             // by chain id
	order                []string                     // cache ids as they were made
	tags                 map[string]map[string]string // repository -> reference -> image id
}

func newStore(meta, files, scratch string) *store {
	return &store{meta, files, scratch, map[string]layer{}, nil, map[string]map[string]string{}}
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func hexOf(id string) string { return strings.TrimPrefix(id, "sha256:") }

// chain is the id of a layer on top of others, as the image specification has it.
func chain(parent, diffID string) string {
	if parent == "" {
		return diffID
	}
	return digest([]byte(parent + " " + diffID))
}

func (s *store) write(path string, data []byte) error {
	path = filepath.Join(s.meta, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}

// split records how a layer's tar is put together, so that dockerd can make the very same bytes from its files
// again, and says how many bytes the files hold.
func split(file string) (recorded []byte, size int64, err error) {
	source, err := os.Open(file)
	if err != nil {
		return nil, 0, err
	}
	defer source.Close()
	var buffer bytes.Buffer
	compressed := gzip.NewWriter(&buffer)
	counter := &counting{Packer: storage.NewJSONPacker(compressed)}
	stream, err := asm.NewInputTarStream(source, counter, storage.NewDiscardFilePutter())
	if err != nil {
		return nil, 0, err
	}
	if _, err := io.Copy(io.Discard, stream); err != nil {
		return nil, 0, err
	}
	if err := compressed.Close(); err != nil {
		return nil, 0, err
	}
	return buffer.Bytes(), counter.size, nil
}

// counting adds up the sizes of the files that pass.
type counting struct {
	storage.Packer
	size int64
}

func (c *counting) AddEntry(one storage.Entry) (int, error) {
	if one.Type == storage.FileType {
		c.size += one.Size
	}
	return c.Packer.AddEntry(one)
}

// addLayer puts the difference between two root file systems' tars on top of parent (nil: the first layer).
func (s *store) addLayer(parent *layer, below, file string) (layer, error) {
	lower := tree{}
	if below != "" {
		var err error
		if lower, err = readTree(below); err != nil {
			return layer{}, err
		}
	}
	upper, err := readTree(file)
	if err != nil {
		return layer{}, err
	}
	wanted, err := changed(lower, upper)
	if err != nil {
		return layer{}, fmt.Errorf("%s: %w", file, err)
	}
	scratch, err := os.CreateTemp(s.scratch, "layer-*.tar")
	if err != nil {
		return layer{}, err
	}
	defer os.Remove(scratch.Name())
	defer scratch.Close()
	sum := sha256.New()
	created, err := writeLayer(file, wanted, io.MultiWriter(scratch, sum))
	if err != nil {
		return layer{}, err
	}
	made := layer{diffID: "sha256:" + hex.EncodeToString(sum.Sum(nil)), created: created}
	above := ""
	if parent != nil {
		above = parent.chainID
		made.lower = "l/" + parent.link
		if parent.lower != "" {
			made.lower += ":" + parent.lower
		}
	}
	made.chainID = chain(above, made.diffID)
	if known, there := s.layers[made.chainID]; there {
		return known, nil
	}
	made.cacheID = hexOf(digest([]byte("cache " + made.chainID)))
	short := sha256.Sum256([]byte("link " + made.chainID))
	made.link = base32.StdEncoding.EncodeToString(short[:])[:26]
	if err := s.keepLayer(made, above, scratch.Name()); err != nil {
		return layer{}, err
	}
	s.layers[made.chainID] = made
	s.order = append(s.order, made.cacheID)
	return made, nil
}

// keepLayer writes a layer's records and files.
func (s *store) keepLayer(made layer, above, file string) error {
	recorded, size, err := split(file)
	if err != nil {
		return err
	}
	records := map[string][]byte{
		"diff": []byte(made.diffID), "cache-id": []byte(made.cacheID), "size": []byte(strconv.FormatInt(size, 10)),
		"tar-split.json.gz": recorded,
	}
	if above != "" {
		records["parent"] = []byte(above)
	}
	for name, data := range records {
		if err := s.write(filepath.Join("image/overlay2/layerdb/sha256", hexOf(made.chainID), name), data); err != nil {
			return err
		}
	}
	folder := filepath.Join("overlay2", made.cacheID)
	own := map[string][]byte{"link": []byte(made.link), "committed": nil}
	if made.lower != "" {
		own["lower"] = []byte(made.lower)
	}
	for name, data := range own {
		if err := s.write(filepath.Join(folder, name), data); err != nil {
			return err
		}
	}
	places := []string{filepath.Join(s.meta, folder, "diff"), filepath.Join(s.meta, folder, "work"),
		filepath.Join(s.meta, "overlay2/l"), filepath.Join(s.files, folder, "diff")}
	for _, place := range places {
		if err := os.MkdirAll(place, 0o755); err != nil {
			return err
		}
	}
	if err := os.Symlink(filepath.Join("..", made.cacheID, "diff"), filepath.Join(s.meta, "overlay2/l", made.link)); err != nil {
		return err
	}
	return unpack(file, filepath.Join(s.files, folder, "diff"))
}

// step is one line of an image's history. Rootfs names the whole root file system after it; without one the
// step changes the configuration only.
type step struct {
	CreatedBy string `json:"created_by"`
	Rootfs    string `json:"rootfs"`
}

// image is what images.json says of one.
type image struct {
	Tags   []string       `json:"tags"`
	Steps  []step         `json:"steps"`
	Config map[string]any `json:"config"` // as in an image's configuration: Env, Cmd, …
}

// addImage makes an image and tags it; returns its id. folder is where the steps' tars lie.
func (s *store) addImage(one image, folder string) (string, error) {
	var top *layer
	var below string
	diffIDs := []string{}
	history := []map[string]any{}
	for _, each := range one.Steps {
		if each.Rootfs != "" {
			file := filepath.Join(folder, each.Rootfs)
			made, err := s.addLayer(top, below, file)
			if err != nil {
				return "", err
			}
			top, below = &made, file
			diffIDs = append(diffIDs, made.diffID)
		}
		if top == nil {
			return "", fmt.Errorf("%v: the first step has no rootfs", one.Tags)
		}
		line := map[string]any{"created": top.created.UTC().Format(time.RFC3339), "created_by": each.CreatedBy}
		if each.Rootfs == "" {
			line["empty_layer"] = true
		}
		history = append(history, line)
	}
	if top == nil {
		return "", fmt.Errorf("%v: no steps", one.Tags)
	}
	document, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux", "created": top.created.UTC().Format(time.RFC3339),
		"config": one.Config, "history": history, "rootfs": map[string]any{"type": "layers", "diff_ids": diffIDs},
	})
	if err != nil {
		return "", err
	}
	id := digest(document)
	for _, tag := range one.Tags {
		repository, _, found := strings.Cut(tag, ":")
		if !found {
			return "", fmt.Errorf("%s has no tag", tag)
		}
		if s.tags[repository] == nil {
			s.tags[repository] = map[string]string{}
		}
		s.tags[repository][tag] = id
	}
	return id, s.write(filepath.Join("image/overlay2/imagedb/content/sha256", hexOf(id)), document)
}

// finish writes the tags.
func (s *store) finish() error {
	document, err := json.Marshal(map[string]any{"Repositories": s.tags})
	if err != nil {
		return err
	}
	return s.write("image/overlay2/repositories.json", document)
}
