// Command naru-cluster is a lab's Kubernetes: `serve` is the control plane with its simulated nodes, `node` the kubelet of
// the one that runs containers, `control` a client of the socket by which a lab's grader looks in.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/klog/v2"

	"naru/cluster/internal/config"
	"naru/cluster/internal/control"
)

const usage = `usage: naru-cluster COMMAND
  serve --config FILE              the control plane, simulated nodes, services' addresses and names
  node --config FILE               the kubelet of the node that runs containers
  control METHOD PATH [BODY]       asks the control socket
`

func main() {
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	switch command, args := os.Args[1], os.Args[2:]; command {
	case "serve":
		os.Exit(run(ctx, args, serve))
	case "node":
		os.Exit(run(ctx, args, runNode))
	case "control":
		os.Exit(control.Command(ctx, args, os.Stdin, os.Stdout, os.Stderr))
	default:
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
}

// run reads the configuration and carries out a command that goes on until it is told to stop. Its exit code is 0 then.
func run(ctx context.Context, args []string, command func(context.Context, config.Config) error) int {
	flags := flag.NewFlagSet("naru-cluster", flag.ContinueOnError)
	path := flags.String("config", "/etc/naru/cluster.yaml", "the cluster's configuration")
	if flags.Parse(args) != nil {
		return 2
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	slog.SetDefault(log)
	klog.SetSlogLogger(log)
	os.Args = os.Args[:1] // libraries look there
	c, err := config.Read(*path)
	if err != nil {
		log.Error("configuration", "error", err)
		return 2
	}
	done := make(chan error, 1)
	go func() { done <- command(ctx, c) }()
	select {
	case err = <-done:
	case <-ctx.Done():
		select { // all is in memory, and nothing of it is to be kept: whoever takes longer is left behind
		case <-done:
		case <-time.After(c.Times.StopWithin.Duration):
		}
		return 0
	}
	if err != nil && ctx.Err() == nil {
		log.Error("ended", "error", err)
		return 1
	}
	return 0
}
