package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	containersGroup = "/sys/fs/cgroup/pids/docker"
	// The kernel under a lab allows thousands of threads for everything together, and each takes half a megabyte of the
	// lab's memory. A user of a container gets this many, counted with those of the engine.
	mostInnerProcesses = 300
	limitEvery         = 250 * time.Millisecond
)

// limitUsers holds whatever has not all rights to a number of processes, so that a bomb in a container or in a step of a
// build leaves the lab usable. It is inherited by all that pid 1 starts; engines and shells have all rights.
func limitUsers() error {
	return unix.Setrlimit(unix.RLIMIT_NPROC, &unix.Rlimit{Cur: mostInnerProcesses, Max: mostInnerProcesses})
}

// limitContainers gives every container that has no limit of its own one on its processes. It is what slows privileged
// ones down, and no more: gVisor asks one of a process's groups, by chance, when it forks, and only one of the seven counts
// processes. It counts each group by itself, not what lies below it: a limit on the group of all containers would hold
// nobody.
func limitContainers(group string) error {
	if err := os.MkdirAll(group, 0o755); err != nil {
		return err
	}
	go func() {
		seen := map[string]bool{}
		for range time.Tick(limitEvery) {
			seen = limitNew(group, seen)
		}
	}()
	return nil
}

// limitNew limits the groups that were not there before, and gives those that are there now.
func limitNew(group string, before map[string]bool) map[string]bool {
	now := map[string]bool{}
	for _, pattern := range []string{"*/pids.max", "*/*/pids.max"} { // containers; steps of a build
		paths, _ := filepath.Glob(filepath.Join(group, pattern))
		for _, path := range paths {
			now[path] = true
			if before[path] {
				continue
			}
			if limit, err := os.ReadFile(path); err == nil && strings.TrimSpace(string(limit)) == "max" {
				// It may have gone meanwhile; then there is nothing to limit.
				_ = os.WriteFile(path, []byte(strconv.Itoa(mostInnerProcesses)), 0o644)
			}
		}
	}
	return now
}
