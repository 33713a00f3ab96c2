package facts

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	kept       = 2000 // lines kept for those who ask for the past
	perSecond  = 40   // lines a second; what goes beyond is told by one line "many"
	valueRunes = 300  // most of one attribute's value
)

// What a line says happened.
const (
	Added    = "added"
	Changed  = "changed"
	Deleted  = "deleted"
	Happened = "happened" // an Event of the core API
	Read     = "read"     // by the learner
	Wrote    = "wrote"    // by the learner
	Many     = "many"     // lines were left out; attribute "count" says how many
)

// line has the shape of a Docker event, so that one record takes both.
type line struct {
	Type     string
	Action   string
	Actor    actor
	Time     int64 `json:"time"`
	TimeNano int64 `json:"timeNano"`
}

type actor struct {
	ID         string
	Attributes map[string]string
}

// Feed keeps the last lines of what happened in the cluster and hands them to those who follow. Safe for concurrent use.
type Feed struct {
	now func() time.Time

	mu      sync.Mutex
	ring    [kept]entry
	next    uint64 // number of lines ever written; line n lies at n % kept
	second  int64  // the second that `written` and `left` count
	written int
	left    int
	news    chan struct{} // closed and replaced at every new line
}

type entry struct {
	at   time.Time
	text []byte
}

// NewFeed returns an empty feed.
func NewFeed() *Feed {
	return &Feed{now: time.Now, news: make(chan struct{})}
}

// Emit writes one line. Attributes without a value are left out; values are cut at 300 characters.
func (f *Feed) Emit(action, uid string, attributes map[string]string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	f.turn(now)
	if f.written >= perSecond {
		if f.left == 0 {
			time.AfterFunc(now.Truncate(time.Second).Add(time.Second).Sub(now), f.settle)
		}
		f.left++
		return
	}
	f.written++
	f.write(now, action, uid, attributes)
}

// settle closes a second in which lines were left out, should nothing else happen after it.
func (f *Feed) settle() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.turn(f.now())
}

// turn begins a new second when the old one is over, and tells what the old one left out.
func (f *Feed) turn(now time.Time) {
	if now.Unix() == f.second {
		return
	}
	if f.left > 0 {
		f.write(now, Many, "", map[string]string{"count": strconv.Itoa(f.left)})
	}
	f.second, f.written, f.left = now.Unix(), 0, 0
}

func (f *Feed) write(now time.Time, action, uid string, attributes map[string]string) {
	shown := make(map[string]string, len(attributes))
	for name, value := range attributes {
		if value != "" {
			shown[name] = cut(value, valueRunes)
		}
	}
	text, err := json.Marshal(line{
		Type: "kubernetes", Action: action, Actor: actor{ID: uid, Attributes: shown},
		Time: now.Unix(), TimeNano: now.UnixNano(),
	})
	if err != nil { // strings and numbers only: cannot happen
		return
	}
	f.ring[f.next%kept] = entry{at: now, text: append(text, '\n')}
	f.next++
	close(f.news)
	f.news = make(chan struct{})
}

// Follow hands every line since `since` to give, oldest first and a few at a time, then waits for more, until the context
// ends or give returns an error. A reader slower than the ring loses the oldest lines.
func (f *Feed) Follow(ctx context.Context, since time.Time, give func(lines [][]byte) error) error {
	f.mu.Lock()
	at := f.first(since)
	f.mu.Unlock()
	for {
		lines, next, news := f.from(at)
		if len(lines) > 0 {
			if err := give(lines); err != nil {
				return err
			}
			at = next
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-news:
		}
	}
}

// Between returns the lines from one moment up to another, oldest first.
func (f *Feed) Between(since, until time.Time) [][]byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	var lines [][]byte
	for at := f.first(since); at < f.next && !f.ring[at%kept].at.After(until); at++ {
		lines = append(lines, f.ring[at%kept].text)
	}
	return lines
}

// first returns the number of the oldest line that is kept and not before a moment; the feed is locked.
func (f *Feed) first(since time.Time) uint64 {
	at := f.next
	for at > 0 && f.next-at < kept && !f.ring[(at-1)%kept].at.Before(since) {
		at--
	}
	return at
}

// from returns the lines from number at on, at most 100, the number to go on with, and a channel that tells of the next.
func (f *Feed) from(at uint64) (lines [][]byte, next uint64, news <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.next-at > kept {
		at = f.next - kept
	}
	for ; at < f.next && len(lines) < 100; at++ {
		lines = append(lines, f.ring[at%kept].text)
	}
	return lines, at, f.news
}

// cut shortens a text to at most so many characters.
func cut(text string, most int) string {
	if len(text) <= most {
		return strings.ToValidUTF8(text, "?")
	}
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most-1]) + "…"
}
