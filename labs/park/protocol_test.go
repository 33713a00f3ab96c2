package main

import (
	"bytes"
	"encoding/binary"
	"io"
	"reflect"
	"strings"
	"testing"
)

func goodJob() Job {
	return Job{
		Argv: []string{"python3", "main.py"}, Stdin: []byte("3 4\n"), Files: map[string][]byte{"a/b.py": {0, 255}},
		Collect: []string{"out.txt"}, UID: 20000, Seconds: 0.5, CPUSeconds: 1, MemoryBytes: 1 << 26,
		OutputBytes: 1024, Processes: 8, FileBytes: 10,
	}
}

func TestFrameComesBackAsItWasWritten(t *testing.T) {
	var wire bytes.Buffer
	sent := goodJob()
	if err := writeFrame(&wire, sent); err != nil {
		t.Fatal(err)
	}
	if length := binary.BigEndian.Uint32(wire.Bytes()); int(length) != wire.Len()-4 {
		t.Fatalf("length %d of %d bytes", length, wire.Len())
	}
	var received Job
	if err := readFrame(&wire, &received); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(sent, received) || wire.Len() != 0 {
		t.Fatalf("sent %+v, received %+v, %d bytes left", sent, received, wire.Len())
	}
}

func TestReportTellsMissingFilesFromEmptyOnes(t *testing.T) {
	var wire bytes.Buffer
	empty := []byte{}
	if err := writeFrame(&wire, Report{Ended: "exit", Files: map[string]*[]byte{"gone": nil, "empty": &empty}}); err != nil {
		t.Fatal(err)
	}
	for _, wanted := range []string{`"gone":null`, `"empty":""`, `"exit_code":null`} {
		if !strings.Contains(wire.String(), wanted) {
			t.Errorf("no %s in %s", wanted, wire.String()[4:])
		}
	}
}

func TestFrameTooLargeIsRefusedBeforeItIsRead(t *testing.T) {
	head := binary.BigEndian.AppendUint32(nil, maxFrame+1)
	rest := strings.NewReader("never read")
	var job Job
	if err := readFrame(io.MultiReader(bytes.NewReader(head), rest), &job); err == nil {
		t.Fatal("accepted")
	}
	if rest.Len() != len("never read") {
		t.Fatal("the body was read")
	}
}

func TestFrameCutShortIsAnError(t *testing.T) {
	var wire bytes.Buffer
	if err := writeFrame(&wire, goodJob()); err != nil {
		t.Fatal(err)
	}
	whole := wire.Bytes()
	for _, length := range []int{0, 1, 3, 4, 5, len(whole) - 1} {
		var job Job
		if err := readFrame(bytes.NewReader(whole[:length]), &job); err == nil {
			t.Errorf("%d of %d bytes were accepted", length, len(whole))
		}
	}
}

func TestFrameThatIsNotJSONIsAnError(t *testing.T) {
	var job Job
	if err := readFrame(strings.NewReader("\x00\x00\x00\x03abc"), &job); err == nil {
		t.Fatal("accepted")
	}
}

func TestCheckAcceptsAWholeJob(t *testing.T) {
	job := goodJob()
	if err := job.check(); err != nil {
		t.Fatal(err)
	}
}

func TestCheckRefusesWhatThePortalNeverSends(t *testing.T) {
	for name, spoil := range map[string]func(*Job){
		"no program":     func(job *Job) { job.Argv = nil },
		"root":           func(job *Job) { job.UID = 0 },
		"system user":    func(job *Job) { job.UID = 999 },
		"no seconds":     func(job *Job) { job.Seconds = 0 },
		"no cpu seconds": func(job *Job) { job.CPUSeconds = -1 },
		"no output":      func(job *Job) { job.OutputBytes = 0 },
		"no processes":   func(job *Job) { job.Processes = 0 },
		"no memory":      func(job *Job) { job.MemoryBytes = 0 },
		"file outside":   func(job *Job) { job.Files = map[string][]byte{"../x": nil} },
		"file absolute":  func(job *Job) { job.Files = map[string][]byte{"/etc/passwd": nil} },
		"collect above":  func(job *Job) { job.Collect = []string{"a/../../x"} },
		"collect abs":    func(job *Job) { job.Collect = []string{"/etc/shadow"} },
	} {
		job := goodJob()
		spoil(&job)
		if job.check() == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestLocalPaths(t *testing.T) {
	for name, wanted := range map[string]bool{
		"a": true, "a/b": true, ".a": true, "a.b/c": true, "..a": true, "한글.txt": true, "a b": true,
		"": false, ".": false, "..": false, "../a": false, "/a": false, "a/../b": false, "a/..": false,
		"a//b": false, "./a": false, "a/": false, "a\x00b": false, "a/../../b": false,
	} {
		if local(name) != wanted {
			t.Errorf("local(%q) is %v", name, !wanted)
		}
	}
}
