// Command park is pid 1 of every run container: parked on its standard input, it takes one job, runs it as a user
// that cannot reach park, ends it at its limits, and reports what it left behind on its standard output.
package main

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "launch" {
		os.Exit(launch())
	}
	if err := park(); err != nil {
		fmt.Fprintln(os.Stderr, "park:", err)
		os.Exit(1)
	}
}

func park() error {
	// Nobody but root may look into pid 1, whatever the runtime's defaults are.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return err
	}
	runner, err := prepare()
	if err != nil {
		return err
	}
	if err := writeFrame(os.Stdout, Report{Parked: true}); err != nil {
		return err
	}
	var job Job
	if err := readFrame(os.Stdin, &job); err != nil {
		return nil // the portal went away: so do we
	}
	report, err := runner.run(&job)
	if err != nil {
		report = &Report{Fault: err.Error()}
	}
	if err := writeFrame(os.Stdout, report); err != nil {
		return err
	}
	// Taking a sandbox down costs as much as starting one. Wait until the portal lets go of it, which it does in a
	// quiet moment, so that nobody's run stands beside it.
	_, _ = io.Copy(io.Discard, os.Stdin)
	return nil
}
