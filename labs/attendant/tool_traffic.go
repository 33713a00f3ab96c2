package main

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	mostTraffic    = 120 * time.Second
	leastTraffic   = 3 * time.Second
	afterTheLast   = time.Second
	lookAgain      = time.Second // for a Pod or container that is not there
	mostBuckets    = 120
	mostAnswerText = 200
	mostKinds      = 20
	mostCommands   = 20
)

// bucket is one second of a stream of requests.
type bucket struct {
	At      int            `json:"at"` // seconds from the start
	Sent    int            `json:"sent"`
	Failed  int            `json:"failed"`
	Answers map[string]int `json:"answers"` // body -> how often
}

// stream sends requests at a steady beat and counts who answered. A request fails without an answer or with a status of
// 400 and above.
type stream struct {
	request httpRequest
	client  *http.Client

	finding sync.Mutex
	spot    *spot
	looked  time.Time

	mutex   sync.Mutex
	flying  map[int]int // second -> requests of it without an answer yet
	began   time.Time
	buckets map[int]*bucket
	kinds   map[string]bool
}

func newStream(ctx context.Context, request httpRequest) (*stream, error) {
	request.Times = 1
	if request.EveryMs == 0 {
		request.EveryMs = 100
	}
	if err := request.check(); err != nil {
		return nil, err
	}
	if request.EveryMs < 10 {
		return nil, wrong("every_ms %d", request.EveryMs)
	}
	s := &stream{request: request, began: time.Now(), buckets: map[int]*bucket{}, flying: map[int]int{}, kinds: map[string]bool{}}
	s.client = &http.Client{
		CheckRedirect: noRedirect,
		Timeout:       time.Duration(min(request.Seconds, 5) * float64(time.Second)),
		Transport: &http.Transport{
			DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: 64 << 10,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				connection, err := s.place(ctx, false).dial(ctx, network, address)
				if errors.Is(err, errNetworkGone) { // another Pod or container has the name by now
					connection, err = s.place(ctx, true).dial(ctx, network, address)
				}
				return connection, err
			},
		},
	}
	return s, nil
}

// place is where the requests start: looked for at first, again where there was none, and anew.
func (s *stream) place(ctx context.Context, anew bool) *spot {
	s.finding.Lock()
	defer s.finding.Unlock()
	if s.spot == nil || anew || s.spot.pid < 0 && time.Since(s.looked) > lookAgain {
		found, err := standAt(ctx, s.request.From, s.request.Engine)
		if err != nil {
			found = &spot{pid: -1}
		}
		s.spot, s.looked = found, time.Now()
	}
	return s.spot
}

// run sends until the context ends, and waits for what is still on its way.
func (s *stream) run(ctx context.Context) {
	beat := time.NewTicker(time.Duration(s.request.EveryMs) * time.Millisecond)
	defer beat.Stop()
	var running sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for {
		select {
		case <-ctx.Done():
			running.Wait()
			return
		case <-beat.C:
		}
		select {
		case slots <- struct{}{}:
		default: // all are waiting for their answers: a learner's server that stands still is not asked faster
			continue
		}
		running.Add(1)
		go func() {
			defer running.Done()
			defer func() { <-slots }()
			second := s.leave()
			// What is on its way when the time is up may end: it would count as lost otherwise.
			s.count(second, askOnce(context.WithoutCancel(ctx), s.client, &s.request))
		}()
	}
}

// leave notes that a request is on its way, and gives the second to which it counts.
func (s *stream) leave() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	second := int(time.Since(s.began) / time.Second)
	s.flying[second]++
	return second
}

// whole is the second before which every request has been answered or given up.
func (s *stream) whole() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	first := int(time.Since(s.began) / time.Second)
	for second := range s.flying {
		first = min(first, second)
	}
	return first
}

func (s *stream) count(second int, answer *httpAnswer) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.flying[second]--; s.flying[second] <= 0 {
		delete(s.flying, second)
	}
	now := s.buckets[second]
	if now == nil {
		now = &bucket{At: second, Answers: map[string]int{}}
		s.buckets[second] = now
	}
	now.Sent++
	if answer == nil || answer.Status >= http.StatusBadRequest {
		now.Failed++
		return
	}
	body := cut(strings.TrimSpace(answer.Body), mostAnswerText)
	if !s.kinds[body] && len(s.kinds) >= mostKinds-1 {
		body = "…"
	}
	s.kinds[body] = true
	now.Answers[body]++
}

// taken gives the seconds before a moment and forgets them, in order; with 0 all.
func (s *stream) taken(before int) []bucket {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var found []bucket
	for second, each := range s.buckets {
		if before == 0 || second < before {
			found = append(found, *each)
			delete(s.buckets, second)
		}
	}
	slices.SortFunc(found, func(a, b bucket) int { return a.At - b.At })
	return found
}

// askTraffic keeps requests coming while commands run, and tells what became of them and what was there before and after.
func askTraffic(ctx context.Context, text json.RawMessage) (any, error) {
	var request struct {
		HTTP    httpRequest    `json:"http"`
		While   [][]string     `json:"while"`
		Undo    [][]string     `json:"undo"`
		Watch   map[string]Ask `json:"watch"`
		Seconds float64        `json:"seconds"`
	}
	if err := decode(text, &request); err != nil {
		return nil, err
	}
	if len(request.While)+len(request.Undo) > mostCommands || len(request.Watch) > mostCommands {
		return nil, wrong("more than %d commands or probes", mostCommands)
	}
	sending, err := newStream(ctx, request.HTTP)
	if err != nil {
		return nil, err
	}
	limit := mostTraffic
	if request.Seconds > 0 {
		limit = min(limit, time.Duration(request.Seconds*float64(time.Second)))
	}
	before, err := answersOf(request.Watch)
	if err != nil {
		return nil, err
	}
	sending.place(ctx, false) // so that requests are on their way when the first command begins
	streaming, stop := context.WithTimeout(ctx, limit)
	defer stop()
	ended := make(chan struct{})
	go func() {
		sending.run(streaming)
		close(ended)
	}()
	began := time.Now()
	commands := runAll(streaming, request.While)
	rest := max(leastTraffic-time.Since(began), afterTheLast)
	select {
	case <-streaming.Done():
	case <-time.After(rest):
	}
	stop()
	<-ended
	after, err := answersOf(request.Watch)
	left := lastWord
	if end, is := ctx.Deadline(); is {
		left = max(left, time.Until(end))
	}
	undoing, stopUndoing := context.WithTimeout(context.WithoutCancel(ctx), left) // also where the time is up
	defer stopUndoing()
	runAll(undoing, request.Undo)
	if err != nil {
		return nil, err
	}
	return summary(sending.taken(0), before, after, commands), nil
}

func runAll(ctx context.Context, commands [][]string) []map[string]any {
	done := []map[string]any{}
	for _, argv := range commands {
		if len(argv) == 0 {
			continue
		}
		result, err := command{argv: argv, output: 16 << 10, directory: homeOrRoot()}.run(ctx)
		if err != nil {
			result = notThere(err)
		}
		told := describe(result)
		done = append(done, map[string]any{"exit_code": told["exit_code"], "stdout": told["stdout"], "stderr": told["stderr"]})
	}
	return done
}

// answersOf asks the watched questions; one without an answer has null.
func answersOf(asks map[string]Ask) (map[string]any, error) {
	found := map[string]any{}
	for name, ask := range asks {
		if ask.Tool == "traffic" {
			return nil, wrong("traffic within traffic")
		}
		answer := answerOne(ask)
		if answer.Reason == reasonRequest {
			return nil, wrong("%s: %s", name, answer.Message)
		}
		found[name] = answer.Value
	}
	return found, nil
}

func summary(seconds []bucket, before, after map[string]any, commands []map[string]any) map[string]any {
	sent, failed := 0, 0
	distinct := []string{}
	for _, each := range seconds {
		sent, failed = sent+each.Sent, failed+each.Failed
		for body := range each.Answers {
			if !slices.Contains(distinct, body) {
				distinct = append(distinct, body)
			}
		}
	}
	slices.Sort(distinct)
	if seconds == nil {
		seconds = []bucket{}
	}
	return map[string]any{
		"sent": sent, "failed": failed, "distinct": distinct, "timeline": seconds[:min(len(seconds), mostBuckets)],
		"before": before, "after": after, "commands": commands,
	}
}
