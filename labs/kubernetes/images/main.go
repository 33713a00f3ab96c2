// Command images packs images as one archive that container engines load, without an engine.
//
//	images IMAGES.json FOLDER OUT.tar
//
// IMAGES.json lists the images: tags, the layers (names of tars in FOLDER) and the configuration. Images that name
// the same tar share that layer.
package main

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// image is what IMAGES.json says of one.
type image struct {
	Tags   []string       `json:"tags"`
	Layers []string       `json:"layers"`
	Config map[string]any `json:"config"` // as in an image's configuration: Env, Cmd, …
}

// archive is one being written; what has been written is not written again.
type archive struct {
	*tar.Writer
	folder  string
	written map[string]string // name of a layer's tar -> its digest
}

// day is the time of everything in an archive, so that the same content gives the same bytes.
var day = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (a *archive) header(name string, size int64) error {
	return a.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: size, ModTime: day})
}

func (a *archive) document(name string, content []byte) error {
	if err := a.header(name, int64(len(content))); err != nil {
		return err
	}
	_, err := a.Write(content)
	return err
}

// layer writes a layer when it is new, and gives its digest in hexadecimal.
func (a *archive) layer(name string) (string, error) {
	if digest, known := a.written[name]; known {
		return digest, nil
	}
	file, err := os.Open(filepath.Join(a.folder, name))
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	size, err := io.Copy(hash, file)
	if err != nil {
		return "", err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	digest := hex.EncodeToString(hash.Sum(nil))
	if err := a.header(digest+".tar", size); err != nil {
		return "", err
	}
	if _, err := io.Copy(a, file); err != nil {
		return "", err
	}
	a.written[name] = digest
	return digest, nil
}

// row is an image in an archive's manifest.json.
type row struct {
	Config   string   `json:"Config"`
	RepoTags []string `json:"RepoTags"`
	Layers   []string `json:"Layers"`
}

func (a *archive) image(one image) (row, error) {
	if len(one.Tags) == 0 || len(one.Layers) == 0 {
		return row{}, fmt.Errorf("%v: an image needs tags and layers", one.Tags)
	}
	made := row{RepoTags: one.Tags}
	var diffIDs []string
	var history []map[string]any
	for _, name := range one.Layers {
		digest, err := a.layer(name)
		if err != nil {
			return row{}, err
		}
		made.Layers = append(made.Layers, digest+".tar")
		diffIDs = append(diffIDs, "sha256:"+digest)
		history = append(history, map[string]any{"created": day, "created_by": "ADD " + name + " /"})
	}
	document, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux", "created": day, "config": one.Config,
		"rootfs": map[string]any{"type": "layers", "diff_ids": diffIDs}, "history": history,
	})
	if err != nil {
		return row{}, err
	}
	made.Config = fmt.Sprintf("%x.json", sha256.Sum256(document))
	return made, a.document(made.Config, document)
}

// pack writes the archive of the images that list describes.
func pack(list []byte, folder string, out io.Writer) error {
	var images []image
	if err := json.Unmarshal(list, &images); err != nil {
		return err
	}
	a := &archive{tar.NewWriter(out), folder, map[string]string{}}
	var rows []row
	for _, one := range images {
		made, err := a.image(one)
		if err != nil {
			return err
		}
		rows = append(rows, made)
	}
	document, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	if err := a.document("manifest.json", document); err != nil {
		return err
	}
	return a.Close()
}

func run(args []string) error {
	if len(args) != 3 {
		return errors.New("images IMAGES.json FOLDER OUT.tar")
	}
	list, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	out, err := os.Create(args[2])
	if err != nil {
		return err
	}
	return errors.Join(pack(list, args[1], out), out.Close())
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "images:", err)
		os.Exit(1)
	}
}
