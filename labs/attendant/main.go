// Command naru-attendant is pid 1 of a lab and the only tool that the portal uses inside it. It starts the engines,
// answers questions about them, moves files in and out, and gives learners their shells. Whatever it touches after
// the start may have been changed by a learner who is root in the lab: every answer is bounded in size and time.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// commands take their arguments and return an exit code. Those without a line in usage are the attendant's own.
var commands = map[string]func(args []string) int{
	"init":   initCommand,
	"host":   hostCommand,
	"enter":  enterCommand,
	"lead":   leadCommand,
	"wait":   waitCommand,
	"ask":    askCommand,
	"put":    putCommand,
	"save":   saveCommand,
	"load":   loadCommand,
	"events": eventsCommand,
	"shell":  shellCommand,
	"free":   freeCommand,
	"hangup": hangupCommand,
	"stats":  statsCommand,
	"check":  checkCommand,
}

const usage = `usage: naru-attendant COMMAND
  init                       pid 1 of a lab: engines, registry, the image's services, zombies
  wait --seconds N           until the lab is ready
  ask                        questions on stdin, answers on stdout
  put                        files on stdin
  save --most-kb N PATH...   tar.gz on stdout; the words cluster and registry stand for what is in them
  load                       tar.gz on stdin
  events --since SECONDS     what engines and cluster tell, a line each; --streams JSON: requests to send meanwhile;
                             --until SECONDS: what they have told by then
  shell --id N --host H      a learner's shell on this terminal
  free --id N                ends what holds the learner in a shell
  hangup --id N              ends a shell
  stats                      what the lab uses
  check                      runs a container, asks the cluster
`

func main() {
	name, args := filepath.Base(os.Args[0]), os.Args[1:]
	if name == "on" { // a learner's way to the other host
		os.Exit(onCommand(args))
	}
	if len(args) == 0 || commands[args[0]] == nil {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	os.Exit(commands[args[0]](args[1:]))
}

// fail tells a human on stderr what happened and is the exit code.
func fail(err error) int {
	fmt.Fprintln(os.Stderr, "naru-attendant:", strings.TrimSpace(err.Error()))
	return 1
}
