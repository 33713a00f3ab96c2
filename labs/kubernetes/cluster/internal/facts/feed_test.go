package facts

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// at returns a feed whose clock the test turns.
func feedAt(now *time.Time) *Feed {
	feed := NewFeed()
	feed.now = func() time.Time { return *now }
	return feed
}

var errEnough = errors.New("enough")

// lines reads what a follower gets at once.
func linesSince(t *testing.T, feed *Feed, since time.Time) []line {
	t.Helper()
	var all []line
	ctx, cancel := context.WithCancel(context.Background())
	feed.mu.Lock()
	last, first := feed.next, feed.first(since)
	feed.mu.Unlock()
	if first == last {
		cancel()
	}
	err := feed.Follow(ctx, since, func(lines [][]byte) error {
		for _, text := range lines {
			var one line
			if err := json.Unmarshal(text, &one); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			all = append(all, one)
		}
		if len(all) >= int(last-first) {
			return errEnough
		}
		return nil
	})
	cancel()
	if !errors.Is(err, errEnough) && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return all
}

func TestFeedLinesLookLikeDockerEvents(t *testing.T) {
	now := time.Unix(1_800_000_000, 5)
	feed := feedAt(&now)
	feed.Emit(Added, "u1", map[string]string{"kind": "Pod", "name": "a", "reason": ""})
	_ = feed.Follow(context.Background(), now, func(lines [][]byte) error {
		want := `{"Type":"kubernetes","Action":"added","Actor":{"ID":"u1","Attributes":{"kind":"Pod","name":"a"}},` +
			`"time":1800000000,"timeNano":1800000000000000005}` + "\n"
		if string(lines[0]) != want {
			t.Errorf("got  %swant %s", lines[0], want)
		}
		return errEnough
	})
}

func TestFeedGivesWhatWasToldBetweenTwoMoments(t *testing.T) {
	now := time.Unix(1000, 0)
	feed := feedAt(&now)
	for i := range 5 {
		feed.Emit(Changed, strconv.Itoa(i), nil)
		now = now.Add(time.Second)
	}
	told := feed.Between(time.Unix(1001, 0), time.Unix(1003, 0))
	if len(told) != 3 || !strings.Contains(string(told[0]), `"ID":"1"`) || !strings.Contains(string(told[2]), `"ID":"3"`) {
		t.Errorf("%s", told)
	}
	if told := feed.Between(time.Unix(2000, 0), time.Unix(3000, 0)); told != nil {
		t.Errorf("%s", told)
	}
}

func TestFeedGivesThePastThatIsAskedFor(t *testing.T) {
	now := time.Unix(1000, 0)
	feed := feedAt(&now)
	for i := range 5 {
		feed.Emit(Added, strconv.Itoa(i), nil)
		now = now.Add(time.Second)
	}
	for since, want := range map[int64]int{0: 5, 1002: 3, 1004: 1, 1005: 0} {
		if got := linesSince(t, feed, time.Unix(since, 0)); len(got) != want {
			t.Errorf("since %d: %d lines, want %d", since, len(got), want)
		}
	}
}

func TestFeedKeepsTheLastTwoThousand(t *testing.T) {
	now := time.Unix(1000, 0)
	feed := feedAt(&now)
	for i := range kept + 500 {
		feed.Emit(Added, strconv.Itoa(i), nil)
		now = now.Add(100 * time.Millisecond)
	}
	got := linesSince(t, feed, time.Unix(0, 0))
	if len(got) != kept || got[0].Actor.ID != "500" || got[kept-1].Actor.ID != strconv.Itoa(kept+499) {
		t.Errorf("%d lines, first %q", len(got), got[0].Actor.ID)
	}
}

func TestFeedTellsOfAFloodInOneLine(t *testing.T) {
	now := time.Unix(1000, 0)
	feed := feedAt(&now)
	for range perSecond + 60 {
		feed.Emit(Added, "x", nil)
	}
	now = now.Add(time.Second)
	feed.settle()
	got := linesSince(t, feed, time.Unix(0, 0))
	if len(got) != perSecond+1 {
		t.Fatalf("%d lines, want %d", len(got), perSecond+1)
	}
	if last := got[perSecond]; last.Action != Many || last.Actor.Attributes["count"] != "60" {
		t.Errorf("last line %+v", last)
	}
	feed.Emit(Added, "y", nil)
	if got := linesSince(t, feed, now); got[len(got)-1].Actor.ID != "y" {
		t.Error("the next second has no lines")
	}
}

func TestFeedCutsLongValuesAtACharacter(t *testing.T) {
	now := time.Unix(1000, 0)
	feed := feedAt(&now)
	feed.Emit(Happened, "", map[string]string{"message": strings.Repeat("나루", 1000), "bad": "a\xffb"})
	got := linesSince(t, feed, now)[0].Actor.Attributes
	if text := got["message"]; utf8.RuneCountInString(text) != valueRunes || !strings.HasPrefix(text, "나루나루") {
		t.Errorf("%d characters", utf8.RuneCountInString(text))
	}
	if got["bad"] != "a?b" {
		t.Errorf("%q", got["bad"])
	}
}

func TestFeedFollowersGetNewLinesUntilTheyGo(t *testing.T) {
	feed := NewFeed()
	ctx, cancel := context.WithCancel(context.Background())
	since, got, done := time.Now(), make(chan string, 10), make(chan error)
	go func() {
		done <- feed.Follow(ctx, since, func(lines [][]byte) error {
			for _, text := range lines {
				got <- string(text)
			}
			return nil
		})
	}()
	for i := range 3 {
		feed.Emit(Changed, strconv.Itoa(i), nil)
		if text := <-got; !strings.Contains(text, `"ID":"`+strconv.Itoa(i)+`"`) {
			t.Error(text)
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
