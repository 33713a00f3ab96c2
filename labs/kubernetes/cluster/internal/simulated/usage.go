package simulated

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	groups    = "/sys/fs/cgroup" // gVisor's own, one folder for each container
	rateOver  = 2 * time.Second  // what is shorter says little
	keptRates = 256              // remembered containers, beyond which those not asked for lately go
	staleRate = 10 * time.Minute
)

// usage reads what real containers use, and remembers as much as rates need.
type usage struct {
	root string
	now  func() time.Time

	mu   sync.Mutex
	seen map[string]sample
}

type sample struct {
	at     time.Time
	cpu    uint64 // nanoseconds by then
	millis int64  // thousandths of a core in the while before
}

func newUsage(root string) *usage {
	return &usage{root: root, now: time.Now, seen: map[string]sample{}}
}

// of gives thousandths of a core and bytes of a container that runs since started; false when its group cannot be read.
// The group's name "" is the whole lab.
func (u *usage) of(group string, started time.Time) (millis, bytes int64, ok bool) {
	cpu, err := readNumber(filepath.Join(u.root, "cpuacct", group, "cpuacct.usage"))
	if err != nil {
		return 0, 0, false
	}
	memory, err := readNumber(filepath.Join(u.root, "memory", group, "memory.usage_in_bytes"))
	if err != nil {
		return 0, 0, false
	}
	return u.rate(group, cpu, started), int64(memory), true
}

// rate gives what was used between two questions at least rateOver apart; the first time the average since the start.
func (u *usage) rate(group string, cpu uint64, started time.Time) int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := u.now()
	last, known := u.seen[group]
	if !known || cpu < last.cpu {
		last = sample{at: now, cpu: cpu}
		if took := now.Sub(started); !started.IsZero() && took > 0 {
			last.millis = millisOf(cpu, took)
		}
	} else if took := now.Sub(last.at); took >= rateOver {
		last = sample{at: now, cpu: cpu, millis: millisOf(cpu-last.cpu, took)}
	}
	u.seen[group] = last
	if len(u.seen) > keptRates {
		for each, one := range u.seen {
			if now.Sub(one.at) > staleRate {
				delete(u.seen, each)
			}
		}
	}
	return last.millis
}

func millisOf(nanoseconds uint64, over time.Duration) int64 {
	return int64(float64(nanoseconds) / float64(over) * 1000)
}

func readNumber(path string) (uint64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
}
