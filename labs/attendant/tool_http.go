package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	mostRequests = 500
	mostBody     = 64 << 10
	mostDistinct = 100
	mostBodies   = 700 << 10 // of all answers together
	atOnce       = 16
)

type httpRequest struct {
	URL     string            `json:"url"`
	From    string            `json:"from"`
	Engine  string            `json:"engine"`
	Method  string            `json:"method"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Times   int               `json:"times"`
	EveryMs int               `json:"every_ms"`
	Seconds float64           `json:"seconds"`
}

// httpAnswer is one answer; its body is cut at 64 KiB.
type httpAnswer struct {
	Status int    `json:"status"`
	Body   string `json:"body"`
	Ms     int64  `json:"ms"`
}

func (r *httpRequest) check() error {
	address, err := url.Parse(r.URL)
	if err != nil || address.Scheme != "http" || address.Hostname() == "" {
		return wrong("url %q", cut(r.URL, 200))
	}
	if r.From == "" {
		r.From = "lab"
	}
	if !objectName.MatchString(strings.TrimPrefix(r.From, podPrefix)) {
		return wrong("from %q", cut(r.From, 100))
	}
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	r.Times = max(r.Times, 1)
	if r.Times > mostRequests || r.EveryMs < 0 || r.EveryMs > 60_000 {
		return wrong("times %d, every_ms %d", r.Times, r.EveryMs)
	}
	if r.Seconds <= 0 || r.Seconds > 60 {
		r.Seconds = 5
	}
	return nil
}

// askHTTP asks an address once or many times, from the lab, one of its hosts, or inside a container's network.
// An answer is one with a status; `failed` counts requests without.
func askHTTP(ctx context.Context, text json.RawMessage) (any, error) {
	var request httpRequest
	if err := decode(text, &request); err != nil {
		return nil, err
	}
	if err := request.check(); err != nil {
		return nil, err
	}
	spot, err := standAt(ctx, request.From, request.Engine)
	if err != nil {
		return nil, err
	}
	answers := askMany(ctx, spot, &request)

	value := struct {
		Answers  []httpAnswer `json:"answers"`
		Failed   int          `json:"failed"`
		Distinct []string     `json:"distinct"`
	}{Answers: []httpAnswer{}, Distinct: []string{}}
	left := mostBodies
	seen := map[string]bool{}
	for _, answer := range answers {
		if answer == nil {
			value.Failed++
			continue
		}
		answer.Body = cut(answer.Body, left)
		left -= len(answer.Body)
		value.Answers = append(value.Answers, *answer)
		if !seen[answer.Body] && len(seen) < mostDistinct && left >= len(answer.Body) {
			seen[answer.Body] = true
			left -= len(answer.Body)
			value.Distinct = append(value.Distinct, answer.Body)
		}
	}
	return value, nil
}

// askMany starts the requests every_ms apart, whether earlier ones have ended or not; nil stands for no answer.
func askMany(ctx context.Context, spot *spot, request *httpRequest) []*httpAnswer {
	client := &http.Client{
		CheckRedirect: noRedirect,
		Timeout:       time.Duration(request.Seconds * float64(time.Second)),
		Transport: &http.Transport{
			DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: 64 << 10, DialContext: spot.dial,
		},
	}
	answers := make([]*httpAnswer, request.Times)
	running := make(chan struct{}, atOnce)
	began := time.Now()
	for started := range request.Times {
		wait := time.Until(began.Add(time.Duration(started*request.EveryMs) * time.Millisecond))
		select {
		case <-ctx.Done():
			return drainSlots(running, answers)
		case <-time.After(wait):
		}
		if request.EveryMs == 0 { // without a beat, one after the other
			answers[started] = askOnce(ctx, client, request)
			continue
		}
		running <- struct{}{}
		go func(i int) {
			answers[i] = askOnce(ctx, client, request)
			<-running
		}(started)
	}
	return drainSlots(running, answers)
}

// drainSlots waits for what still runs.
func drainSlots(running chan struct{}, answers []*httpAnswer) []*httpAnswer {
	for range cap(running) {
		running <- struct{}{}
	}
	return answers
}

func askOnce(ctx context.Context, client *http.Client, request *httpRequest) *httpAnswer {
	asked, err := http.NewRequestWithContext(ctx, request.Method, request.URL, strings.NewReader(request.Body))
	if err != nil {
		return nil
	}
	for name, value := range request.Headers {
		asked.Header.Set(name, value)
		if strings.EqualFold(name, "Host") {
			asked.Host = value
		}
	}
	began := time.Now()
	response, err := client.Do(asked)
	if err != nil {
		return nil
	}
	defer response.Body.Close()
	body, err := readCut(response.Body, mostBody)
	if err != nil {
		return nil
	}
	return &httpAnswer{
		Status: response.StatusCode, Ms: time.Since(began).Milliseconds(),
		Body: strings.ToValidUTF8(string(body), "\uFFFD"),
	}
}
