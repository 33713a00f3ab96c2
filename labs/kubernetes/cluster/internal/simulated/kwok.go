package simulated

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/pflag"
	kwokconfig "sigs.k8s.io/kwok/pkg/config"
	kwok "sigs.k8s.io/kwok/pkg/kwok/cmd"
	kwoklog "sigs.k8s.io/kwok/pkg/log"

	"naru/cluster/internal/config"
)

// RunKwok plays the kubelets of all simulated nodes until ctx ends. kubeconfig, cert and key are files: the way to the API,
// and what it answers the API server with. Call it once in a process: kwok configures itself through globals.
func RunKwok(ctx context.Context, c config.Config, kubeconfig, cert, key string) error {
	ctx, err := prepareKwok(ctx, c)
	if err != nil {
		return err
	}
	command := kwok.NewCommand(ctx)
	command.Version = "" // else cobra makes a --version of its own, which another package has made before
	command.SetArgs([]string{
		"--kubeconfig=" + kubeconfig, "--tls-cert-file=" + cert, "--tls-private-key-file=" + key,
		"--manage-nodes-with-annotation-selector=" + playedAnnotation + "=" + playedValue,
		"--node-lease-duration-seconds=" + strconv.Itoa(max(1, int(math.Round(c.Times.NodeLease.Seconds())))),
		"--server-address=127.0.0.1:" + strconv.Itoa(c.Simulated.Port), "--node-port=" + strconv.Itoa(c.Simulated.Port),
	})
	if err := command.ExecuteContext(ctx); err != nil {
		return err
	}
	return ctx.Err()
}

// prepareKwok writes kwok's configuration and gives a context that holds it.
func prepareKwok(ctx context.Context, c config.Config) (context.Context, error) {
	text, err := stages(c)
	if err != nil {
		return nil, err
	}
	for name, content := range map[string][]byte{"kwok.yaml": text, logFile: []byte(logText)} {
		if err := os.WriteFile(filepath.Join(c.Directory, name), content, 0o600); err != nil {
			return nil, err
		}
	}
	ctx = kwoklog.NewContext(ctx, kwoklog.NewLogger(calm{os.Stderr}, kwoklog.LevelError))
	// Kwok reads the path of its configuration from the process's arguments only, or else looks here.
	kwokconfig.WorkDir = c.Directory
	ctx, err = kwokconfig.InitFlags(ctx, pflag.NewFlagSet("kwok", pflag.ContinueOnError))
	if err != nil {
		return nil, fmt.Errorf("kwok's configuration: %w", err)
	}
	return ctx, nil
}

// calm is a log without what kwok calls errors in everyday work: a Pod that is gone already when it is to go, a lease that
// somebody else has just written.
type calm struct{ to io.Writer }

func (c calm) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(`pod-delete`)) && bytes.Contains(line, []byte(`not found`)) ||
		bytes.Contains(line, []byte(`Failed to sync lease`)) {
		return len(line), nil
	}
	return c.to.Write(line)
}
