package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

// The files of a lab are a learner's: on the way to one no symbolic link is followed, and what is no regular file is
// never opened for reading in earnest.

// cleanPath gives the components of a path; relative ones are below the learner's home.
func cleanPath(name string) ([]string, error) {
	if name == "" || len(name) > 1024 || strings.ContainsRune(name, 0) {
		return nil, fmt.Errorf("path %q", cut(name, 100))
	}
	if !strings.HasPrefix(name, "/") {
		name = "/root/" + name
	}
	for _, part := range strings.Split(name, "/") {
		if part == ".." {
			return nil, fmt.Errorf("path %q leads out", cut(name, 100))
		}
	}
	name = path.Clean(name)
	if name == "/" {
		return nil, nil
	}
	return strings.Split(name[1:], "/"), nil
}

// openDirectory walks down from root; with create missing directories are made. The caller closes the descriptor.
func openDirectory(root string, parts []string, create bool) (int, error) {
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	at, err := unix.Open(root, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: root, Err: err}
	}
	for _, part := range parts {
		next, err := unix.Openat(at, part, flags, 0)
		if create && errors.Is(err, unix.ENOENT) {
			if err = unix.Mkdirat(at, part, 0o755); err == nil || errors.Is(err, unix.EEXIST) {
				next, err = unix.Openat(at, part, flags, 0)
			}
		}
		unix.Close(at)
		if err != nil {
			return -1, &os.PathError{Op: "open", Path: "/" + path.Join(parts...), Err: err}
		}
		at = next
	}
	return at, nil
}

// writeFile puts a file in its place at once, whatever lay there except a directory.
func writeFile(root, name string, content io.Reader, mode uint32) error {
	parts, err := cleanPath(name)
	if err != nil {
		return err
	}
	if len(parts) == 0 {
		return fmt.Errorf("path %q is no file's", name)
	}
	at, err := openDirectory(root, parts[:len(parts)-1], true)
	if err != nil {
		return err
	}
	defer unix.Close(at)
	last := parts[len(parts)-1]
	next := fmt.Sprintf(".naru-%d", os.Getpid())
	_ = unix.Unlinkat(at, next, 0)
	descriptor, err := unix.Openat(at, next, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return &os.PathError{Op: "create", Path: name, Err: err}
	}
	file := os.NewFile(uintptr(descriptor), name)
	_, err = io.Copy(file, content)
	if err == nil {
		err = file.Chmod(os.FileMode(mode & 0o777))
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = unix.Renameat(at, next, at, last)
	}
	if err != nil {
		_ = unix.Unlinkat(at, next, 0)
		return &os.PathError{Op: "write", Path: name, Err: err}
	}
	return nil
}

// node is what a walk meets: a directory, a link or a regular file, whose content is at most what was left.
type node struct {
	name    string // without the slash at the front
	mode    uint32
	link    string
	content []byte
	kind    uint32 // unix.S_IFDIR, S_IFLNK, S_IFREG
	mtime   int64
}

// ownOfLab is what every lab makes for itself in a learner's home: the way to its own cluster, and what is quickly made again.
var ownOfLab = map[string]bool{"root/.kube": true, "root/.cache": true}

// walker goes through files within bounds; what has gone meanwhile is left out.
type walker struct {
	root  string
	bytes int64 // left
	nodes int   // left
	visit func(node) error
}

func (w *walker) walk(name string) error {
	parts, err := cleanPath(name)
	if err != nil {
		return err
	}
	parent, last := parts[:max(len(parts)-1, 0)], "."
	if len(parts) > 0 {
		last = parts[len(parts)-1]
	}
	at, err := openDirectory(w.root, parent, false)
	if err != nil {
		return nil // not there, or behind a link
	}
	defer unix.Close(at)
	return w.step(at, last, path.Join(parts...), 0)
}

const deepestTree = 40

func (w *walker) step(at int, last, name string, depth int) error {
	if ownOfLab[name] {
		return nil
	}
	var stat unix.Stat_t
	if err := unix.Fstatat(at, last, &stat, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return nil
	}
	if w.nodes--; w.nodes < 0 || depth > deepestTree {
		return errTooLarge
	}
	met := node{name: name, mode: stat.Mode & 0o7777, kind: stat.Mode & unix.S_IFMT, mtime: stat.Mtim.Sec}
	switch met.kind {
	case unix.S_IFLNK:
		target := make([]byte, 1024)
		n, err := unix.Readlinkat(at, last, target)
		if err != nil || n == len(target) {
			return nil
		}
		met.link = string(target[:n])
		return w.visit(met)
	case unix.S_IFREG:
		content, err := w.read(at, last)
		if err != nil || content == nil {
			return err
		}
		met.content = content
		return w.visit(met)
	case unix.S_IFDIR:
		return w.directory(at, last, met, depth)
	}
	return nil
}

func (w *walker) directory(at int, last string, met node, depth int) error {
	descriptor, err := unix.Openat(at, last, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	directory := os.NewFile(uintptr(descriptor), met.name)
	defer directory.Close()
	if err := w.visit(met); err != nil {
		return err
	}
	names, _ := directory.Readdirnames(w.nodes + 1)
	sort.Strings(names)
	for _, each := range names {
		if err := w.step(descriptor, each, path.Join(met.name, each), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// read gives a regular file's content, nil when it is none any more.
func (w *walker) read(at int, last string) ([]byte, error) {
	descriptor, err := unix.Openat(at, last, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil
	}
	file := os.NewFile(uintptr(descriptor), last)
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, nil
	}
	content, err := io.ReadAll(io.LimitReader(file, w.bytes+1))
	if err != nil {
		return nil, nil
	}
	if w.bytes -= int64(len(content)); w.bytes < 0 {
		return nil, errTooLarge
	}
	if content == nil {
		content = []byte{}
	}
	return content, nil
}
