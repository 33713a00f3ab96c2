package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	mostPut      = 8 << 20
	mostFiles    = 5000
	mostUnpacked = 64 << 20
	tooLargeExit = 3
)

// putCommand writes files that the portal brings.
func putCommand([]string) int {
	text, err := readBounded(os.Stdin, mostPut)
	if err != nil {
		return fail(err)
	}
	var request struct {
		Host  string `json:"host"`
		Files map[string]struct {
			Text string `json:"text"`
			Mode uint32 `json:"mode"`
		} `json:"files"`
	}
	if err := json.Unmarshal(text, &request); err != nil {
		return fail(err)
	}
	h, err := findHost(request.Host)
	if err != nil {
		return fail(err)
	}
	root, err := h.rootPath()
	if err != nil {
		return fail(err)
	}
	for name, file := range request.Files {
		if !strings.HasPrefix(name, "/") {
			return fail(fmt.Errorf("%q is no absolute path", cut(name, 100)))
		}
		if file.Mode == 0 {
			file.Mode = 0o644
		}
		if err := writeFile(root, name, strings.NewReader(file.Text), file.Mode); err != nil {
			return fail(err)
		}
	}
	return printJSON(map[string]int{"written": len(request.Files)})
}

// saveCommand packs what a learner keeps. Nothing is printed when it is larger than allowed.
func saveCommand(args []string) int {
	var mostKB int64
	var name string
	flags, err := flagsOf("save", args, func(f *flag.FlagSet) {
		f.Int64Var(&mostKB, "most-kb", 2048, "bound of the packed file")
		f.StringVar(&name, "host", "", "host")
	})
	if err != nil {
		return 2
	}
	h, err := findHost(name)
	if err != nil {
		return fail(err)
	}
	root, err := h.rootPath()
	if err != nil {
		return fail(err)
	}
	packed, err := packKept(root, flags.Args(), mostKB<<10)
	if errors.Is(err, errTooLarge) {
		fail(err)
		return tooLargeExit
	}
	if err == nil {
		_, err = os.Stdout.Write(packed)
	}
	if err != nil {
		return fail(err)
	}
	return 0
}

// pack makes a tar.gz of paths below root; devices, pipes and sockets are left out. With a cluster's state, that stands
// first, under a name of its own.
func pack(root string, names []string, cluster []byte, most int64) ([]byte, error) {
	var packed bytes.Buffer
	squeezed := gzip.NewWriter(&packed)
	archive := tar.NewWriter(squeezed)
	if cluster != nil {
		header := &tar.Header{Name: clusterEntry, Mode: 0o600, Typeflag: tar.TypeReg, Size: int64(len(cluster)), Format: tar.FormatPAX}
		if err := archive.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := archive.Write(cluster); err != nil {
			return nil, err
		}
	}
	seen := map[string]bool{}
	walk := walker{root: root, bytes: min(most*10, mostUnpacked), nodes: mostFiles, visit: func(met node) error {
		if met.name == "" || seen[met.name] {
			return nil
		}
		seen[met.name] = true
		header := &tar.Header{Name: met.name, Mode: int64(met.mode), ModTime: time.Unix(met.mtime, 0), Format: tar.FormatPAX}
		switch met.kind {
		case unix.S_IFDIR:
			header.Typeflag, header.Name = tar.TypeDir, met.name+"/"
		case unix.S_IFLNK:
			header.Typeflag, header.Linkname = tar.TypeSymlink, met.link
		default:
			header.Typeflag, header.Size = tar.TypeReg, int64(len(met.content))
		}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		_, err := archive.Write(met.content)
		return err
	}}
	for _, name := range names {
		if err := walk.walk(name); err != nil {
			return nil, err
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	if err := squeezed.Close(); err != nil {
		return nil, err
	}
	if int64(packed.Len()) > most {
		return nil, errTooLarge
	}
	return packed.Bytes(), nil
}

func loadCommand(args []string) int {
	var name string
	_, err := flagsOf("load", args, func(f *flag.FlagSet) { f.StringVar(&name, "host", "", "host") })
	if err != nil {
		return 2
	}
	h, err := findHost(name)
	if err != nil {
		return fail(err)
	}
	root, err := h.rootPath()
	if err != nil {
		return fail(err)
	}
	count, err := unpack(root, os.Stdin)
	if err != nil {
		return fail(err)
	}
	return printJSON(map[string]int{"loaded": count})
}

// unpack puts back what pack made. Names lead nowhere else, whatever the archive says.
func unpack(root string, from io.Reader) (int, error) {
	squeezed, err := gzip.NewReader(from)
	if err != nil {
		return 0, err
	}
	archive := tar.NewReader(io.LimitReader(squeezed, mostUnpacked))
	for count := 0; ; count++ {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return count, nil
		}
		if err != nil {
			return count, err
		}
		if count == mostFiles {
			return count, errTooLarge
		}
		if header.Name == clusterEntry && header.Typeflag == tar.TypeReg {
			if err := loadCluster(archive); err != nil {
				return count, err
			}
			continue
		}
		if err := unpackOne(root, header, archive); err != nil {
			return count, err
		}
	}
}

func unpackOne(root string, header *tar.Header, content io.Reader) error {
	parts, err := cleanPath("/" + header.Name)
	if err != nil {
		return err
	}
	if len(parts) == 0 {
		return nil
	}
	if header.Typeflag == tar.TypeReg {
		return writeFile(root, "/"+path.Join(parts...), content, uint32(header.Mode))
	}
	if header.Typeflag == tar.TypeDir {
		at, err := openDirectory(root, parts, true)
		if err != nil {
			return err
		}
		defer unix.Close(at)
		return unix.Fchmod(at, uint32(header.Mode)&0o777)
	}
	if header.Typeflag != tar.TypeSymlink {
		return nil
	}
	at, err := openDirectory(root, parts[:len(parts)-1], true)
	if err != nil {
		return err
	}
	defer unix.Close(at)
	last := parts[len(parts)-1]
	_ = unix.Unlinkat(at, last, 0)
	return unix.Symlinkat(header.Linkname, at, last)
}
