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

const (
	longestEvent = 16 << 10
	toldWithin   = 15 * time.Second // what was told until a moment
)

var errEngineDied = errors.New("an engine in the lab has died")

var errUntold = errors.New("not everything that happened was told")

// eventsCommand prints what the engines and the cluster tell, a line each, until standard input ends or an engine has died;
// with --until what they have told by then, as far as they still know it, or it fails.
func eventsCommand(args []string) int {
	var since, until, wanted string
	_, err := flagsOf("events", args, func(f *flag.FlagSet) {
		f.StringVar(&since, "since", "0", "seconds since 1970")
		f.StringVar(&until, "until", "", "likewise; nothing is waited for")
		f.StringVar(&wanted, "streams", "[]", "requests to send meanwhile")
	})
	if err != nil {
		return 2
	}
	for name, text := range map[string]string{"--since": since, "--until": until} {
		if _, err := strconv.ParseFloat(text, 64); err != nil && (name == "--since" || text != "") {
			return fail(fmt.Errorf("%s %q", name, text))
		}
	}
	var streams []steady
	if err := decode([]byte(wanted), &streams); err != nil {
		return fail(fmt.Errorf("--streams: %w", err))
	}
	if len(streams) > mostStreams {
		return fail(fmt.Errorf("--streams: more than %d", mostStreams))
	}
	hosts, err := labHosts()
	if err != nil {
		return fail(err)
	}
	if !hasEngine() {
		hosts = nil
	}
	ends := context.Background()
	if until != "" {
		within, end := context.WithTimeout(ends, toldWithin)
		defer end()
		ends = within
	}
	ctx, cancel := context.WithCancelCause(ends)
	if until == "" {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			cancel(nil)
		}()
	}
	var printing sync.Mutex
	print := func(line []byte) error {
		printing.Lock()
		defer printing.Unlock()
		_, err := os.Stdout.Write(line)
		return err
	}
	var all sync.WaitGroup
	begin := func(work func() error) {
		all.Add(1)
		go func() {
			defer all.Done()
			if err := work(); err != nil {
				cancel(err)
			}
		}()
	}
	var sources []source
	for _, each := range hosts {
		sources = append(sources, engineSource(each))
	}
	if hasCluster() {
		sources = append(sources, clusterSource())
	}
	for _, each := range sources {
		begin(func() error {
			if until != "" {
				return told(ctx, each, since, until, print)
			}
			return follow(ctx, each, since, print)
		})
	}
	for _, each := range streams {
		begin(func() error { return each.report(ctx, print) })
	}
	all.Wait()
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return fail(cause)
	}
	return 0
}

// source is where events come from: an engine, or the cluster's own record.
type source struct {
	host   string // as it stands in the lines
	state  string // under which pid 1 tells of its end
	url    string
	client *http.Client
}

func engineSource(h host) source {
	return source{host: h.name, state: h.name, url: "http://engine/events?since=", client: engineClient(h)}
}

func clusterSource() source {
	return source{state: "cluster", url: controlURL + "/watch?since=", client: controlClient()}
}

// told reads what one source has told from one moment to another.
func told(ctx context.Context, from source, since, until string, print func([]byte) error) error {
	_, whole, err := readEvents(ctx, from, since+"&until="+until, print)
	if err == nil && !whole {
		err = errUntold
	}
	return err
}

// follow reads the events of one source; one that goes away is asked again from where it was, unless pid 1 says that
// it has ended: nobody starts it again.
func follow(ctx context.Context, from source, since string, print func([]byte) error) error {
	for ctx.Err() == nil {
		last, _, err := readEvents(ctx, from, since, print)
		if last > 0 {
			since = fmt.Sprintf("%d.%09d", (last+1)/1e9, (last+1)%1e9)
		}
		if err != nil { // nobody reads any more
			return nil
		}
		if state, err := readState(); err == nil && state.Engines[from.state] == "ended" {
			return errEngineDied
		}
		select {
		case <-ctx.Done():
		case <-time.After(500 * time.Millisecond):
		}
	}
	return nil
}

// readEvents gives the time of the last event in nanoseconds, whether the source said by itself that this was all, and an
// error when printing failed.
func readEvents(ctx context.Context, from source, since string, print func([]byte) error) (int64, bool, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from.url+since, nil)
	if err != nil {
		return 0, false, err
	}
	response, err := from.client.Do(request)
	if err != nil {
		return 0, false, nil
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return 0, false, nil
	}
	var last int64
	lines := bufio.NewReaderSize(response.Body, longestEvent)
	for {
		event, err := nextLine(lines)
		if err != nil {
			return last, errors.Is(err, io.EOF), nil
		}
		event = bytes.TrimSpace(event)
		var fields struct {
			TimeNano int64 `json:"timeNano"`
		}
		if plainDocument(event) != nil || json.Unmarshal(event, &fields) != nil {
			continue
		}
		last = max(last, fields.TimeNano)
		line, err := json.Marshal(map[string]any{"host": from.host, "event": json.RawMessage(event)})
		if err != nil {
			continue
		}
		if err := print(append(line, '\n')); err != nil {
			return last, false, err
		}
	}
}

// nextLine gives the next line that fits into the reader's buffer; longer ones are passed over.
func nextLine(from *bufio.Reader) ([]byte, error) {
	for {
		line, err := from.ReadSlice('\n')
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = from.ReadSlice('\n')
		}
		if err != nil {
			return nil, err
		}
	}
}
