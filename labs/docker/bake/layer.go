package main

import (
	"archive/tar"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// entry is one path of a root file system: its header under a clean relative name and the hash of its content.
type entry struct {
	header *tar.Header
	digest [sha256.Size]byte
}

// tree is a whole root file system by name, "" (the root itself) left out.
type tree map[string]entry

// cleanName gives "etc/passwd" for "./etc/passwd" and "" for the root; names that leave it are refused.
func cleanName(name string) (string, error) {
	clean := strings.TrimPrefix(path.Clean("/"+name), "/")
	if clean != "" && !filepath.IsLocal(clean) {
		return "", fmt.Errorf("name %q leaves the root", name)
	}
	return clean, nil
}

// walk calls each with every path of a tar but the root. Only what a base image needs may be in it.
func walk(file string, each func(name string, header *tar.Header, content io.Reader) error) error {
	source, err := os.Open(file)
	if err != nil {
		return err
	}
	defer source.Close()
	reader := tar.NewReader(source)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		name, err := cleanName(header.Name)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if name == "" {
			continue
		}
		switch header.Typeflag {
		case tar.TypeReg, tar.TypeDir, tar.TypeSymlink, tar.TypeLink:
		default:
			return fmt.Errorf("%s: %s is neither file, directory nor link", file, name)
		}
		if err := each(name, header, reader); err != nil {
			return fmt.Errorf("%s: %s: %w", file, name, err)
		}
	}
}

// readTree reads a whole root file system's tar.
func readTree(file string) (tree, error) {
	found := tree{}
	err := walk(file, func(name string, header *tar.Header, content io.Reader) error {
		sum := sha256.New()
		if _, err := io.Copy(sum, content); err != nil {
			return err
		}
		one := entry{header: header}
		copy(one.digest[:], sum.Sum(nil))
		found[name] = one
		return nil
	})
	return found, err
}

func (one entry) same(other entry) bool {
	a, b := one.header, other.header
	return a.Typeflag == b.Typeflag && a.Mode == b.Mode && a.Uid == b.Uid && a.Gid == b.Gid && a.Size == b.Size &&
		a.Linkname == b.Linkname && a.ModTime.Unix() == b.ModTime.Unix() && one.digest == other.digest
}

// changed names what upper has beyond lower, with all directories on the way, since a directory of a layer
// hides the attributes of the one below. Layers here only add and change: whatever is gone is an error,
// for it would need a whiteout, which is a device and survives no copying of the lab's image.
func changed(lower, upper tree) (map[string]bool, error) {
	for name := range lower {
		if _, there := upper[name]; !there {
			return nil, fmt.Errorf("%s is in the layer below and gone in this one", name)
		}
	}
	wanted := map[string]bool{}
	for name, one := range upper {
		if below, there := lower[name]; there {
			if one.same(below) {
				continue
			}
			if (one.header.Typeflag == tar.TypeDir) != (below.header.Typeflag == tar.TypeDir) {
				return nil, fmt.Errorf("%s turns from or into a directory", name)
			}
		}
		for ; name != "."; name = path.Dir(name) {
			wanted[name] = true
		}
	}
	for name := range wanted {
		if one := upper[name]; one.header.Typeflag == tar.TypeLink {
			target, err := cleanName(one.header.Linkname)
			if err != nil {
				return nil, err
			}
			if !wanted[target] {
				return nil, fmt.Errorf("%s is a hard link to %s, which lies in the layer below", name, target)
			}
		}
	}
	return wanted, nil
}

// writeLayer writes the wanted part of a root file system's tar as a layer's tar, and says when it was last changed.
func writeLayer(file string, wanted map[string]bool, out io.Writer) (time.Time, error) {
	var newest time.Time
	writer := tar.NewWriter(out)
	err := walk(file, func(name string, header *tar.Header, content io.Reader) error {
		if !wanted[name] {
			return nil
		}
		clean := tar.Header{
			Typeflag: header.Typeflag, Name: name, Linkname: header.Linkname, Size: header.Size, Mode: header.Mode,
			Uid: header.Uid, Gid: header.Gid, ModTime: header.ModTime.Truncate(time.Second),
		}
		if header.Typeflag == tar.TypeDir {
			clean.Name += "/"
		}
		if header.Typeflag == tar.TypeLink {
			target, err := cleanName(header.Linkname)
			if err != nil {
				return err
			}
			clean.Linkname = target
		}
		if clean.ModTime.After(newest) {
			newest = clean.ModTime
		}
		if err := writer.WriteHeader(&clean); err != nil {
			return err
		}
		_, err := io.Copy(writer, content)
		return err
	})
	if err != nil {
		return newest, err
	}
	return newest, writer.Close()
}

// unpack lays a layer's tar out below folder, owners, modes and times included.
func unpack(file, folder string) error {
	times := map[string]time.Time{}
	err := walk(file, func(name string, header *tar.Header, content io.Reader) error {
		target := filepath.Join(folder, name)
		mode := os.FileMode(header.Mode & 0o777)
		switch header.Typeflag {
		case tar.TypeDir:
			if err := os.Mkdir(target, mode); err != nil {
				return err
			}
		case tar.TypeReg:
			made, err := os.OpenFile(target, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
			if err != nil {
				return err
			}
			_, err = io.Copy(made, content)
			if err := errors.Join(err, made.Close()); err != nil {
				return err
			}
		case tar.TypeSymlink:
			if err := os.Symlink(header.Linkname, target); err != nil {
				return err
			}
			return os.Lchown(target, header.Uid, header.Gid)
		case tar.TypeLink:
			return os.Link(filepath.Join(folder, header.Linkname), target)
		}
		times[target] = header.ModTime
		if err := os.Lchown(target, header.Uid, header.Gid); err != nil {
			return err
		}
		return os.Chmod(target, header.FileInfo().Mode()) // after chown, which drops setuid
	})
	if err != nil {
		return err
	}
	// Deepest first: what is made inside a directory changes its time.
	names := make([]string, 0, len(times))
	for name := range times {
		names = append(names, name)
	}
	sort.Sort(sort.Reverse(sort.StringSlice(names)))
	for _, name := range names {
		if err := os.Chtimes(name, times[name], times[name]); err != nil {
			return err
		}
	}
	return nil
}
