// Package store keeps a cluster's objects in memory behind etcd's API. Reading and writing speak it through kine's bridge;
// the memory and the watches are our own, for those of kine take a third of an idle lab's processor time.
package store

import (
	"context"
	"fmt"
	"math"
	"net"
	"os"
	"time"

	"github.com/k3s-io/kine/pkg/server"
	"github.com/sirupsen/logrus"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

const (
	// What the API server is told; it turns off what newer etcds have beyond kine.
	etcdVersion = "3.6.11"
	mostRequest = 2 << 20 // bytes, as etcd's own default with some room
	buffers     = 4 << 10 // bytes; the API server connects once for every kind of object
)

// Serve speaks etcd's API on a unix socket at path until ctx ends; it gives what --etcd-servers takes. backend is what reads
// and writes go to: the memory, or something before it.
func Serve(ctx context.Context, memory *Memory, backend server.Backend, path string) (string, error) {
	logrus.SetLevel(logrus.FatalLevel) // kine logs whole objects where a request fails; the API server is told, too
	if err := os.RemoveAll(path); err != nil {
		return "", err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return "", err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return "", fmt.Errorf("store: %w", err)
	}
	g := grpc.NewServer(
		grpc.MaxRecvMsgSize(mostRequest), grpc.MaxSendMsgSize(math.MaxInt32),
		grpc.ReadBufferSize(buffers), grpc.WriteBufferSize(buffers), grpc.SharedWriteBuffer(true),
		// As etcd's. The default allows a ping every five minutes; the API server pings sooner after a pause, and would be
		// thrown out for it with all of its watches.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second}),
	)
	bridge := server.New(backend, "unix", time.Hour, etcdVersion)
	etcdserverpb.RegisterKVServer(g, bridge)
	etcdserverpb.RegisterLeaseServer(g, bridge)
	etcdserverpb.RegisterClusterServer(g, bridge)
	etcdserverpb.RegisterMaintenanceServer(g, bridge)
	etcdserverpb.RegisterWatchServer(g, watching{memory})
	go func() { _ = g.Serve(listener) }()
	context.AfterFunc(ctx, g.Stop)
	return "unix://" + path, nil
}
