package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

const longestEvent = 64 << 10

var errEngineDied = errors.New("an engine in the lab has died")

// eventsCommand prints what the engines tell, a line each, until standard input ends or an engine has died.
func eventsCommand(args []string) int {
	var since string
	_, err := flagsOf("events", args, func(f *flag.FlagSet) { f.StringVar(&since, "since", "0", "seconds since 1970") })
	if err != nil {
		return 2
	}
	if _, err := strconv.ParseFloat(since, 64); err != nil {
		return fail(fmt.Errorf("--since %q", since))
	}
	hosts, err := labHosts()
	if err != nil {
		return fail(err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel(nil)
	}()
	var printing sync.Mutex
	var all sync.WaitGroup
	for _, each := range hosts {
		all.Add(1)
		go func() {
			defer all.Done()
			err := follow(ctx, each, since, func(line []byte) error {
				printing.Lock()
				defer printing.Unlock()
				_, err := os.Stdout.Write(line)
				return err
			})
			if err != nil {
				cancel(err)
			}
		}()
	}
	all.Wait()
	if context.Cause(ctx) == errEngineDied {
		return fail(errEngineDied)
	}
	return 0
}

// follow reads one engine's events; an engine that goes away is asked again from where it was, unless pid 1 says that
// it has ended: nobody starts it again.
func follow(ctx context.Context, h host, since string, print func([]byte) error) error {
	for ctx.Err() == nil {
		last, err := readEvents(ctx, h, since, print)
		if last > 0 {
			since = fmt.Sprintf("%d.%09d", (last+1)/1e9, (last+1)%1e9)
		}
		if err != nil { // nobody reads any more
			return nil
		}
		if state, err := readState(); err == nil && state.Engines[h.name] == "ended" {
			return errEngineDied
		}
		select {
		case <-ctx.Done():
		case <-time.After(500 * time.Millisecond):
		}
	}
	return nil
}

// readEvents gives the time of the last event in nanoseconds, and an error when printing failed.
func readEvents(ctx context.Context, h host, since string, print func([]byte) error) (int64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://engine/events?since="+since, nil)
	if err != nil {
		return 0, err
	}
	response, err := engineClient(h).Do(request)
	if err != nil {
		return 0, nil
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return 0, nil
	}
	var last int64
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(make([]byte, 4096), longestEvent)
	for lines.Scan() {
		event := bytes.TrimSpace(lines.Bytes())
		var fields struct {
			TimeNano int64 `json:"timeNano"`
		}
		if plainDocument(event) != nil || json.Unmarshal(event, &fields) != nil {
			continue
		}
		last = max(last, fields.TimeNano)
		line, err := json.Marshal(map[string]any{"host": h.name, "event": json.RawMessage(event)})
		if err != nil {
			continue
		}
		if err := print(append(line, '\n')); err != nil {
			return last, err
		}
	}
	return last, nil
}
