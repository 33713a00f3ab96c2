// Package store keeps a cluster's objects in memory behind etcd's API, which kine speaks.
package store

import (
	"context"
	"fmt"
	"math"
	"net"
	"os"
	"sync"
	"time"

	"github.com/k3s-io/kine/pkg/drivers"
	"github.com/k3s-io/kine/pkg/drivers/memory"
	"github.com/k3s-io/kine/pkg/server"
	"github.com/sirupsen/logrus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

const (
	// What the API server is told; it turns off what newer etcds have beyond kine.
	etcdVersion = "3.6.11"
	mostRequest = 2 << 20 // bytes, as etcd's own default with some room
)

// Open starts an empty store in memory.
func Open(ctx context.Context) (server.Backend, error) {
	logrus.SetLevel(logrus.WarnLevel)
	_, backend, err := memory.New(ctx, &sync.WaitGroup{}, &drivers.Config{})
	if err == nil {
		err = backend.Start(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return backend, nil
}

// Serve speaks etcd's API for a store on a unix socket at path until ctx ends; it gives what --etcd-servers takes.
func Serve(ctx context.Context, backend server.Backend, path string) (string, error) {
	if err := os.RemoveAll(path); err != nil {
		return "", err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return "", err
	}
	g := grpc.NewServer(
		grpc.MaxRecvMsgSize(mostRequest), grpc.MaxSendMsgSize(math.MaxInt32),
		// As etcd's. The default allows a ping every five minutes; the API server pings sooner after a pause, and would be
		// thrown out for it with all of its watches.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second}),
	)
	server.New(backend, "unix", 5*time.Second, etcdVersion).Register(g)
	go func() { _ = g.Serve(listener) }()
	context.AfterFunc(ctx, g.Stop)
	return "unix://" + path, nil
}
