package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	bakedDirectory = "/opt/naru/baked"
	dataRoot       = "/var/lib/docker"
	pollEvery      = 20 * time.Millisecond
)

// Idle engines should be small: a lab holds two or three of these programs for every learner.
var thrifty = []string{"GOGC=40", "GOMAXPROCS=2"}

// startEngine prepares what Docker needs on this host and starts it, with more arguments where the image has some. The
// channel tells its end.
func startEngine(f *family, h host, more ...string) (<-chan syscall.WaitStatus, error) {
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644); err != nil {
		return nil, err
	}
	// Without rules of its own Docker would let its networks reach each other.
	if err := f.run("iptables", "-P", "FORWARD", "DROP"); err != nil {
		return nil, err
	}
	if err := mountBaked(f); err != nil {
		return nil, err
	}
	argv := []string{
		"dockerd", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--storage-driver=overlay2",
		"--insecure-registry=" + registryName + ":" + strconv.Itoa(registryPort),
		"--log-level=warn", "--shutdown-timeout=1", "--max-concurrent-uploads=2",
		"--host=unix:///run/docker.sock",
	}
	if !h.isLab() {
		argv = append(argv, "--host=unix://"+h.socket())
	}
	_, ended, err := f.start(append(argv, more...), thrifty, nil)
	return ended, err
}

// mountBaked puts the image's own base images into the empty data root: small metadata as files, layers as mounts.
func mountBaked(f *family) error {
	list, err := os.Open(filepath.Join(bakedDirectory, "layers"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer list.Close()
	if err := f.run("tar", "-xf", filepath.Join(bakedDirectory, "meta.tar"), "-C", dataRoot); err != nil {
		return err
	}
	lines := bufio.NewScanner(list)
	for lines.Scan() {
		id := strings.TrimSpace(lines.Text())
		if id == "" {
			continue
		}
		layer := filepath.Join("overlay2", id, "diff")
		if err := os.MkdirAll(filepath.Join(dataRoot, layer), 0o755); err != nil {
			return err
		}
		if err := unix.Mount(filepath.Join(bakedDirectory, layer), filepath.Join(dataRoot, layer), "", unix.MS_BIND, ""); err != nil {
			return &os.PathError{Op: "mount", Path: layer, Err: err}
		}
	}
	return lines.Err()
}

// startRegistry starts the lab's registry. Its images count to the lab's tmpfs like everything else.
func startRegistry(f *family) (<-chan syscall.WaitStatus, error) {
	storage := registryStorage
	if err := os.MkdirAll(storage, 0o755); err != nil {
		return nil, err
	}
	config := inRun("registry.yml")
	text := "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n" +
		"storage: {filesystem: {rootdirectory: " + storage + "}, delete: {enabled: true}, maintenance: {uploadpurging: {enabled: false}}}\n" +
		"http: {addr: '" + registryAddress() + "'}\n"
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return nil, err
	}
	_, ended, err := f.start([]string{"docker-registry", "serve", config}, append(thrifty, "OTEL_TRACES_EXPORTER=none"), nil)
	return ended, err
}

// answers asks until an address gives 200, or the context ends.
func answers(ctx context.Context, client *http.Client, url string) error {
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err == nil {
			_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pollEvery):
		}
	}
}
