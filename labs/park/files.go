package main

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// as runs do with this thread's effective user changed to uid, so that what it touches is the learner's
// and what the learner cannot read stays unread. Go's own Setuid would change every thread: raw calls.
func as(uid int, do func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	keep := ^uintptr(0)
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESGID, keep, uintptr(uid), keep); errno != 0 {
		return errno
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, keep, uintptr(uid), keep); errno != 0 {
		return errno
	}
	err := do()
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, keep, 0, keep); errno != 0 {
		panic(errno) // a thread that stays somebody else must not serve park
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESGID, keep, 0, keep); errno != 0 {
		panic(errno)
	}
	return err
}

// place writes the job's files below root.
func place(root string, files map[string][]byte) error {
	for name, content := range files {
		full := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(full, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// collect reads regular files below root. No component may be a link; a file over limit counts as missing.
func collect(root string, names []string, limit int64) map[string]*[]byte {
	found := make(map[string]*[]byte, len(names))
	for _, name := range names {
		found[name] = collectOne(root, name, limit)
	}
	return found
}

func collectOne(root, name string, limit int64) *[]byte {
	directory, err := unix.Open(root, unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	parts := strings.Split(name, "/")
	for _, part := range parts[:len(parts)-1] {
		// Without O_DIRECTORY: gVisor follows a link where both that and O_NOFOLLOW are asked for. What is no directory
		// fails as soon as something is looked for in it.
		next, err := unix.Openat(directory, part, unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		unix.Close(directory)
		if err != nil {
			return nil
		}
		directory = next
	}
	// O_NONBLOCK: opening a fifo must not wait for somebody to write.
	descriptor, err := unix.Openat(directory, parts[len(parts)-1], unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	unix.Close(directory)
	if err != nil {
		return nil
	}
	file := os.NewFile(uintptr(descriptor), name)
	defer file.Close()
	information, err := file.Stat()
	if err != nil || !information.Mode().IsRegular() || information.Size() > limit {
		return nil
	}
	content, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil || int64(len(content)) > limit {
		return nil
	}
	return &content
}
