package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// A message is a frame: four bytes of length, big endian, then that many bytes of JSON. Byte fields are
// base64, as encoding/json writes []byte. park says parked, is given one job, and answers with one report.
const maxFrame = 16 << 20

// Job is what to run. Times are seconds, sizes bytes; paths are relative to the working directory.
type Job struct {
	Argv        []string          `json:"argv"`
	Stdin       []byte            `json:"stdin"`
	Files       map[string][]byte `json:"files"`
	Collect     []string          `json:"collect"`
	UID         int               `json:"uid"`
	Seconds     float64           `json:"seconds"`
	CPUSeconds  float64           `json:"cpu_seconds"`
	MemoryBytes int64             `json:"memory_bytes"`
	OutputBytes int               `json:"output_bytes"`
	Processes   int               `json:"processes"`
	FileBytes   int64             `json:"file_bytes"`
}

// Report is what the job left behind. ExitCode is nil when a signal ended it; a file is nil when it is
// missing, not a regular file or over the cap. Fault is set when park could not carry the job out.
type Report struct {
	Parked    bool               `json:"parked,omitempty"`
	Fault     string             `json:"fault,omitempty"`
	Ended     string             `json:"ended"`
	ExitCode  *int               `json:"exit_code"`
	Signal    int                `json:"signal"`
	Stdout    []byte             `json:"stdout"`
	Stderr    []byte             `json:"stderr"`
	Truncated bool               `json:"truncated"`
	Files     map[string]*[]byte `json:"files"`
	CPUMs     int64              `json:"cpu_ms"`
	PeakBytes int64              `json:"peak_bytes"`
	WallMs    int64              `json:"wall_ms"`
}

func writeFrame(to io.Writer, message any) error {
	body, err := json.Marshal(message)
	if err != nil {
		return err
	}
	frame := binary.BigEndian.AppendUint32(make([]byte, 0, len(body)+4), uint32(len(body)))
	_, err = to.Write(append(frame, body...))
	return err
}

func readFrame(from io.Reader, message any) error {
	var length uint32
	if err := binary.Read(from, binary.BigEndian, &length); err != nil {
		return err
	}
	if length > maxFrame {
		return fmt.Errorf("a frame of %d bytes", length)
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(from, body); err != nil {
		return err
	}
	return json.Unmarshal(body, message)
}

// check refuses a job that the portal would never send; the portal has validated it for the learner's eyes.
func (job *Job) check() error {
	if len(job.Argv) == 0 {
		return errors.New("no program")
	}
	if job.UID < 1000 {
		return fmt.Errorf("uid %d", job.UID)
	}
	if job.Seconds <= 0 || job.CPUSeconds <= 0 || job.OutputBytes <= 0 || job.Processes <= 0 || job.MemoryBytes <= 0 {
		return errors.New("a limit is missing")
	}
	for name := range job.Files {
		if !local(name) {
			return fmt.Errorf("file %q", name)
		}
	}
	for _, name := range job.Collect {
		if !local(name) {
			return fmt.Errorf("collect %q", name)
		}
	}
	return nil
}

// local tells whether a path stays below the directory it is relative to, as text.
func local(name string) bool {
	return name != "" && name != "." && !strings.HasPrefix(name, "/") && path.Clean(name) == name &&
		name != ".." && !strings.HasPrefix(name, "../") && !strings.ContainsRune(name, 0)
}
