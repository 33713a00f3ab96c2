package main

import (
	"context"
	"encoding/json"
	"strconv"
	"time"
)

const (
	mostStreams = 5
	reportEvery = time.Second
)

// steady is a stream of requests that goes on for as long as the events of the lab are followed.
type steady struct {
	ID   string      `json:"id"`
	HTTP httpRequest `json:"http"`
}

// report sends the requests and tells, in lines shaped as an engine's events, what became of those of each second.
func (s steady) report(ctx context.Context, print func([]byte) error) error {
	sending, err := newStream(ctx, s.HTTP)
	if err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		sending.run(ctx)
		close(done)
	}()
	every := time.NewTicker(reportEvery)
	defer every.Stop()
	for {
		before := 0
		select {
		case <-done:
		case <-every.C:
			if before = sending.whole(); before < 1 {
				continue
			}
		}
		for _, each := range sending.taken(before) {
			if err := print(s.line(sending.began, each)); err != nil {
				return nil // nobody reads any more
			}
		}
		if before == 0 {
			return nil
		}
	}
}

func (s steady) line(began time.Time, told bucket) []byte {
	answers, _ := json.Marshal(told.Answers)
	at := began.Add(time.Duration(told.At) * time.Second)
	text, _ := json.Marshal(map[string]any{"host": "", "event": map[string]any{
		"Type": "traffic", "Action": "second", "time": at.Unix(), "timeNano": at.UnixNano(),
		"Actor": map[string]any{"ID": s.ID, "Attributes": map[string]string{
			"sent": strconv.Itoa(told.Sent), "failed": strconv.Itoa(told.Failed), "answers": string(answers),
		}},
	}})
	return append(text, '\n')
}
