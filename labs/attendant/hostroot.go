package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// What the image says of a host: directories over the lab's own root, topmost first, and paths that it lacks.
const hostsDirectory = "/opt/naru/hosts"

func listIn(path string) ([]string, error) {
	text, err := readSmall(path, 64<<10)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return strings.Fields(string(text)), err
}

// makeRoot builds the host's root directory in this process's own mount namespace and makes it the root. Hosts share
// what they only read with the lab; what they write lies in the lab's tmpfs.
func (h host) makeRoot(hosts []host) error {
	if err := unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	root := inRun("roots", h.name)
	upper, work, data := filepath.Join(h.storage(), "upper"), filepath.Join(h.storage(), "work"), filepath.Join(h.storage(), "data")
	for _, directory := range []string{root, upper, work, data} {
		if err := os.MkdirAll(directory, 0o755); err != nil {
			return err
		}
	}
	if err := h.hide(upper); err != nil {
		return err
	}
	layers, err := listIn(filepath.Join(hostsDirectory, h.name, "layers"))
	if err != nil {
		return err
	}
	lower := strings.Join(append(layers, "/"), ":")
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, work)
	if err := unix.Mount("overlay", root, "overlay", 0, options); err != nil {
		return fmt.Errorf("overlay of %s: %w", h.name, err)
	}
	if err := h.mountWithin(root, data); err != nil {
		return err
	}
	if err := h.furnish(root, hosts); err != nil {
		return err
	}
	return moveTo(root)
}

// hide makes paths of the lab's root missing on this host.
func (h host) hide(upper string) error {
	hidden, err := listIn(filepath.Join(hostsDirectory, h.name, "hide"))
	if err != nil {
		return err
	}
	for _, path := range hidden {
		place := filepath.Join(upper, path)
		if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
			return err
		}
		if err := unix.Mknod(place, unix.S_IFCHR, 0); err != nil { // how an overlay says: not there
			return &os.PathError{Op: "hide", Path: path, Err: err}
		}
	}
	return nil
}

func (h host) mountWithin(root, data string) error {
	mounts := []struct {
		source, target, kind string
		flags                uintptr
		options              string
	}{
		{"/proc", "proc", "", unix.MS_BIND | unix.MS_REC, ""},
		{"/sys", "sys", "", unix.MS_BIND | unix.MS_REC, ""},
		{"/dev", "dev", "", unix.MS_BIND | unix.MS_REC, ""},
		{"tmpfs", "run", "tmpfs", 0, "mode=755,size=16m"},
		{"tmpfs", "tmp", "tmpfs", 0, "mode=1777,size=64m"},
		{data, "var/lib/docker", "", unix.MS_BIND, ""},
		{"/naru/bin", "naru/bin", "", unix.MS_BIND, ""},
		{runDirectory, "run/naru", "", unix.MS_BIND, ""},
		{bakedDirectory, "opt/naru/baked", "", unix.MS_BIND | unix.MS_REC, ""},
	}
	for _, each := range mounts {
		if each.flags != 0 {
			if _, err := os.Stat(each.source); errors.Is(err, os.ErrNotExist) {
				continue
			}
		}
		target := filepath.Join(root, each.target)
		if err := os.MkdirAll(target, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(each.source, target, each.kind, each.flags, each.options); err != nil {
			return fmt.Errorf("mount %s: %w", each.target, err)
		}
	}
	return nil
}

// furnish writes what is this host's own: its name, its neighbours' names, the way to them.
func (h host) furnish(root string, hosts []host) error {
	var names strings.Builder
	fmt.Fprintf(&names, "127.0.0.1\tlocalhost\n::1\tlocalhost\n%s\t%s\n", labAddress, registryName)
	for _, each := range hosts {
		fmt.Fprintf(&names, "%s\t%s\n", each.address(), each.name)
	}
	files := map[string]string{"etc/hosts": names.String(), "etc/hostname": h.name + "\n", "etc/resolv.conf": ""}
	if h.index == 0 {
		for _, each := range hosts {
			path, text, err := contextFile(each)
			if err != nil {
				return err
			}
			files[path] = text
		}
	}
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return putOn(root)
}

// contextFile is where and what Docker's command line keeps of a context named like the host.
func contextFile(h host) (path, text string, err error) {
	document, err := json.Marshal(map[string]any{
		"Name": h.name, "Metadata": map[string]string{},
		"Endpoints": map[string]any{"docker": map[string]any{"Host": "unix://" + h.socket(), "SkipTLSVerify": false}},
	})
	key := fmt.Sprintf("%x", sha256.Sum256([]byte(h.name)))
	return filepath.Join("root/.docker/contexts/meta", key, "meta.json"), string(document), err
}

// putOn gives a host the learner's command `on`.
func putOn(root string) error {
	path := filepath.Join(root, "usr/local/bin/on")
	if err := os.Symlink(ownPath, path); err != nil && !os.IsExist(err) {
		return err
	}
	return nil
}

// moveTo makes a mounted directory the root; the old one is out of reach afterwards.
func moveTo(root string) error {
	if err := unix.Chdir(root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot_root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("old root: %w", err)
	}
	return unix.Chdir("/")
}
