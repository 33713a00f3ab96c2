package node

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	cadvisor "github.com/google/cadvisor/info/v1"
	cadvisorv2 "github.com/google/cadvisor/info/v2"
	"golang.org/x/sys/unix"
)

// machine tells the kubelet what cadvisor would: the node's size, and what containers use.
type machine struct {
	root   string // what lies here is the node's disk
	memory uint64 // bytes, as the configuration says: the kernel's own figure is the whole lab's
}

const cgroups = "/sys/fs/cgroup"

func (machine) Start() error { return nil }

func (m machine) MachineInfo() (*cadvisor.MachineInfo, error) {
	return &cadvisor.MachineInfo{
		NumCores: runtime.NumCPU(), MemoryCapacity: m.memory, MachineID: "naru", SystemUUID: "naru", BootID: "naru",
	}, nil
}

func (machine) VersionInfo() (*cadvisor.VersionInfo, error) {
	info := &cadvisor.VersionInfo{ContainerOsVersion: osName("/etc/os-release")}
	var name unix.Utsname
	if err := unix.Uname(&name); err == nil {
		info.KernelVersion = unix.ByteSliceToString(name.Release[:])
	}
	return info, nil
}

// osName is the distribution's name as it calls itself, "" when it does not.
func osName(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if name, found := strings.CutPrefix(lines.Text(), "PRETTY_NAME="); found {
			return strings.Trim(name, `"`)
		}
	}
	return ""
}

func (m machine) disk() (cadvisorv2.FsInfo, error) {
	var found syscall.Statfs_t
	if err := syscall.Statfs(m.root, &found); err != nil {
		return cadvisorv2.FsInfo{}, &os.PathError{Op: "statfs", Path: m.root, Err: err}
	}
	size, inodes, free := uint64(found.Bsize), found.Files, found.Ffree
	return cadvisorv2.FsInfo{
		Timestamp: time.Now(), Capacity: found.Blocks * size, Available: found.Bavail * size,
		Usage: (found.Blocks - found.Bfree) * size, Inodes: &inodes, InodesFree: &free,
	}, nil
}

func (m machine) ImagesFsInfo(context.Context) (cadvisorv2.FsInfo, error)    { return m.disk() }
func (m machine) RootFsInfo() (cadvisorv2.FsInfo, error)                     { return m.disk() }
func (m machine) ContainerFsInfo(context.Context) (cadvisorv2.FsInfo, error) { return m.disk() }
func (m machine) GetDirFsInfo(string) (cadvisorv2.FsInfo, error)             { return m.disk() }

// ContainerInfoV2 tells what a cgroup has used: gVisor makes one for each container and counts in it.
func (machine) ContainerInfoV2(name string, _ cadvisorv2.RequestOptions) (map[string]cadvisorv2.ContainerInfo, error) {
	memory := number(filepath.Join(cgroups, "memory", name, "memory.usage_in_bytes"))
	return map[string]cadvisorv2.ContainerInfo{name: {
		Spec: cadvisorv2.ContainerSpec{HasCpu: true, HasMemory: true},
		Stats: []*cadvisorv2.ContainerStats{{
			Timestamp: time.Now(),
			Cpu:       &cadvisor.CpuStats{Usage: cadvisor.CpuUsage{Total: number(filepath.Join(cgroups, "cpuacct", name, "cpuacct.usage"))}},
			Memory:    &cadvisor.MemoryStats{Usage: memory, WorkingSet: memory},
		}},
	}}, nil
}

// GetRequestedContainersInfo is for a kubelet that has no CRI to ask.
func (machine) GetRequestedContainersInfo(string, cadvisorv2.RequestOptions) (map[string]*cadvisor.ContainerInfo, error) {
	return map[string]*cadvisor.ContainerInfo{}, nil
}

// number reads a file that holds one, 0 when there is none: a container may end at any moment.
func number(path string) uint64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	value, _ := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	return value
}
