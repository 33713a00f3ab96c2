package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"
)

// flagsOf reads a command's options; its usage goes to stderr.
func flagsOf(name string, args []string, define func(*flag.FlagSet)) (*flag.FlagSet, error) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	define(flags)
	return flags, flags.Parse(args)
}

// printJSON writes one line for the portal.
func printJSON(value any) int {
	text, err := json.Marshal(value)
	if err == nil {
		_, err = os.Stdout.Write(append(text, '\n'))
	}
	if err != nil {
		return fail(err)
	}
	return 0
}

func readState() (State, error) {
	var state State
	text, err := readSmall(inRun("state.json"), 64<<10)
	if err == nil {
		err = json.Unmarshal(text, &state)
	}
	return state, err
}

func waitCommand(args []string) int {
	var seconds float64
	_, err := flagsOf("wait", args, func(f *flag.FlagSet) { f.Float64Var(&seconds, "seconds", 10, "how long") })
	if err != nil {
		return 2
	}
	deadline := time.Now().Add(time.Duration(seconds * float64(time.Second)))
	for {
		state, err := readState()
		if err == nil && state.Ready {
			return printJSON(map[string]any{"ready_ms": state.ReadyMs, "hosts": state.Hosts})
		}
		if err == nil && state.Message != "" {
			return fail(fmt.Errorf("%s", state.Message))
		}
		if time.Now().After(deadline) {
			return fail(fmt.Errorf("not ready after %g s", seconds))
		}
		time.Sleep(pollEvery)
	}
}
