package main

import (
	"context"

	"naru/cluster/internal/config"
	"naru/cluster/internal/node"
)

// runNode is the kubelet; upstream's calls os.Exit when it fails, so it is a process of its own, and stopping that is how
// its node fails.
func runNode(ctx context.Context, c config.Config) error { return node.Run(ctx, c) }
