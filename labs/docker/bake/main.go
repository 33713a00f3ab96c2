// Command bake lays out base images as Docker's own store (overlay2) has them, without an engine.
//
//	bake IMAGES.json FOLDER OUT
//
// IMAGES.json lists images by their steps; FOLDER holds the root file systems (tars) that the steps name. Each
// layer is what a root file system has beyond the one of the step before. In OUT it leaves
//
//	meta.tar                  for a data root: records of images and layers, tags, empty layer directories
//	overlay2/<id>/diff/       the files of each layer, to be mounted on <data root>/overlay2/<id>/diff
//	layers                    the ids, one a line
//
// so that a lab's engine has its images at once: nothing is loaded or copied when a lab starts.
package main

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: bake IMAGES.json FOLDER OUT")
		os.Exit(2)
	}
	if err := bake(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "bake:", err)
		os.Exit(1)
	}
}

func bake(list, folder, out string) (err error) {
	data, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	var images []image
	if err := json.Unmarshal(data, &images); err != nil {
		return fmt.Errorf("%s: %w", list, err)
	}
	scratch, err := os.MkdirTemp("", "bake-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	meta := filepath.Join(scratch, "meta")
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	made := newStore(meta, out, scratch)
	for _, one := range images {
		id, err := made.addImage(one, folder)
		if err != nil {
			return err
		}
		fmt.Println(id, strings.Join(one.Tags, " "))
	}
	if err := made.finish(); err != nil {
		return err
	}
	ids := strings.Join(made.order, "\n") + "\n"
	if err := os.WriteFile(filepath.Join(out, "layers"), []byte(ids), 0o644); err != nil {
		return err
	}
	return pack(meta, filepath.Join(out, "meta.tar"))
}

// pack writes folder's content as a tar, owned by root.
func pack(folder, file string) error {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	writer := tar.NewWriter(out)
	err = filepath.WalkDir(folder, func(path string, one fs.DirEntry, err error) error {
		if err != nil || path == folder {
			return err
		}
		info, err := one.Info()
		if err != nil {
			return err
		}
		target := ""
		if info.Mode()&fs.ModeSymlink != 0 {
			if target, err = os.Readlink(path); err != nil {
				return err
			}
		}
		header, err := tar.FileInfoHeader(info, target)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		header.Name, header.Uid, header.Gid, header.Uname, header.Gname = name, 0, 0, "", ""
		if one.IsDir() {
			header.Name += "/"
		}
		if err := writer.WriteHeader(header); err != nil || !info.Mode().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		_, err = writer.Write(content)
		return err
	})
	return errors.Join(err, writer.Close(), out.Close())
}
