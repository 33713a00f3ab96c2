package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// statsCommand tells what the lab uses, as seen from inside.
func statsCommand([]string) int {
	return printJSON(map[string]int64{
		"memory_mb": readCount("/sys/fs/cgroup/memory/memory.usage_in_bytes") >> 20,
		"cpu_ms":    readCount("/sys/fs/cgroup/cpuacct/cpuacct.usage") / 1e6,
		"processes": int64(len(processes())),
	})
}

func readCount(path string) int64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	count, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return count
}

const smallestImage = "busybox:1.37"

// checkCommand uses the lab once as its learner will: a container on every host, a question to the cluster.
func checkCommand([]string) int {
	hosts, err := labHosts()
	if err != nil {
		return fail(err)
	}
	if !hasEngine() {
		hosts = nil
	}
	began := time.Now()
	if hasCluster() {
		if err := tryKubectl(); err != nil {
			printJSON(map[string]any{"ok": false, "message": cut(err.Error(), 500)})
			return 1
		}
	}
	for _, each := range hosts {
		if err := tryRun(each); err != nil {
			printJSON(map[string]any{"ok": false, "message": cut(err.Error(), 500)})
			return 1
		}
	}
	return printJSON(map[string]any{"ok": true, "ms": time.Since(began).Milliseconds()})
}

func tryRun(h host) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	argv := []string{"docker", "--host", "unix://" + h.socket(), "run", "--rm", "--network", "none", smallestImage, "echo", "naru"}
	result, err := command{argv: argv, output: 4 << 10}.run(ctx)
	if err != nil {
		return err
	}
	if string(result.stdout) != "naru\n" {
		text, _ := json.Marshal(string(result.stderr))
		return fmt.Errorf("docker run on %q: %s, %s", h.name, result.reason, text)
	}
	return nil
}

func tryKubectl() error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	result, err := command{argv: []string{"kubectl", "get", "nodes", "--output=name"}, output: 16 << 10}.run(ctx)
	if err != nil {
		return err
	}
	if result.exitCode == nil || *result.exitCode != 0 {
		text, _ := json.Marshal(string(result.stderr))
		return fmt.Errorf("kubectl get nodes: %s, %s", result.reason, text)
	}
	return nil
}
