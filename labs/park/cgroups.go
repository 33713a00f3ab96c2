package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const cgroupRoot = "/sys/fs/cgroup"

// cgroups are control groups of the job's own below pid 1's. gVisor lets root in the sandbox make them; a runtime on
// the host's kernel does not, and there RLIMIT_NPROC and the container's own memory limit do the work.
type cgroups struct {
	pids, memory, cpu string // "" where there is none
}

func makeCgroups() cgroups {
	return cgroups{pids: makeCgroup("pids"), memory: makeCgroup("memory"), cpu: makeCgroup("cpuacct")}
}

func makeCgroup(controller string) string {
	directory := filepath.Join(cgroupRoot, controller, "run")
	if os.Mkdir(directory, 0o755) != nil {
		return ""
	}
	return directory
}

func (c cgroups) adopt(pid int) {
	for _, directory := range []string{c.pids, c.memory, c.cpu} {
		if directory != "" {
			writeNumber(filepath.Join(directory, "cgroup.procs"), int64(pid))
		}
	}
}

// limit sets the job's limits, and shows them at the paths where programs look for them.
func (c cgroups) limit(job *Job) {
	if c.pids != "" {
		writeNumber(filepath.Join(c.pids, "pids.max"), mostProcesses(job))
	}
	if c.memory != "" {
		writeNumber(filepath.Join(c.memory, "memory.limit_in_bytes"), job.MemoryBytes)
		// The sandbox enforces its own, wider limit from outside; this file only shows the learner theirs.
		writeNumber(filepath.Join(cgroupRoot, "memory", "memory.limit_in_bytes"), job.MemoryBytes)
	}
}

// processes, memoryBytes and cpuNanos are -1 where there is nothing to read.
func (c cgroups) processes() int64   { return readNumber(c.pids, "pids.current") }
func (c cgroups) memoryBytes() int64 { return readNumber(c.memory, "memory.usage_in_bytes") }
func (c cgroups) cpuNanos() int64    { return readNumber(c.cpu, "cpuacct.usage") }

// oomKills counts what the host's kernel killed in this container for memory; 0 where it does not say.
func oomKills() int64 {
	for _, file := range []string{"memory.events", "memory/memory.oom_control"} {
		text, err := os.ReadFile(filepath.Join(cgroupRoot, file))
		if err != nil {
			continue
		}
		for _, line := range strings.Split(string(text), "\n") {
			if value, found := strings.CutPrefix(line, "oom_kill "); found {
				count, _ := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
				return count
			}
		}
	}
	return 0
}

func readNumber(directory, name string) int64 {
	if directory == "" {
		return -1
	}
	text, err := os.ReadFile(filepath.Join(directory, name))
	if err != nil {
		return -1
	}
	value, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return -1
	}
	return value
}

func writeNumber(file string, value int64) {
	// A refusal leaves the wider limits in force: rlimits inside, the container's outside.
	_ = os.WriteFile(file, []byte(strconv.FormatInt(value, 10)), 0o644)
}
