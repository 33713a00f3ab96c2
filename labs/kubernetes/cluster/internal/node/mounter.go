package node

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
	"k8s.io/mount-utils"
)

// mounter mounts with mount(2) itself: sooner than mount(8), which also fails on the sources of subPath mounts.
type mounter struct{ mount.Interface }

var mountFlags = map[string]uintptr{
	"bind": unix.MS_BIND, "rbind": unix.MS_BIND | unix.MS_REC, "remount": unix.MS_REMOUNT, "ro": unix.MS_RDONLY,
	"nosuid": unix.MS_NOSUID, "nodev": unix.MS_NODEV, "noexec": unix.MS_NOEXEC, "rw": 0, "defaults": 0,
	"noswap": 0, // there is no swap in gVisor, nor the option
}

// flagsOf parts mount(8)'s options into the call's flags and what is the file system's own matter.
func flagsOf(options []string) (flags uintptr, data string) {
	var rest []string
	for _, option := range options {
		flag, known := mountFlags[option]
		if !known {
			rest = append(rest, option)
		}
		flags |= flag
	}
	return flags, strings.Join(rest, ",")
}

func (mounter) Mount(source, target, kind string, options []string) error {
	flags, data := flagsOf(options)
	if flags&unix.MS_BIND != 0 && strings.HasPrefix(source, "/proc/") {
		// A subPath is given as an open file of the kubelet's, /proc/PID/fd/N, which gVisor does not follow in a mount.
		if opened, err := os.Readlink(source); err == nil {
			source = opened
		}
	}
	if err := unix.Mount(source, target, kind, flags, data); err != nil {
		return &os.LinkError{Op: "mount", Old: source, New: target, Err: err}
	}
	return nil
}

func (m mounter) MountSensitive(source, target, kind string, options, sensitive []string) error {
	return m.Mount(source, target, kind, append(append([]string{}, options...), sensitive...))
}

func (m mounter) MountSensitiveWithoutSystemd(source, target, kind string, options, sensitive []string) error {
	return m.MountSensitive(source, target, kind, options, sensitive)
}

func (m mounter) MountSensitiveWithoutSystemdWithMountFlags(source, target, kind string, options, sensitive, _ []string) error {
	return m.MountSensitive(source, target, kind, options, sensitive)
}

func (mounter) Unmount(target string) error {
	if err := unix.Unmount(target, 0); err != nil {
		return &os.PathError{Op: "unmount", Path: target, Err: err}
	}
	return nil
}
