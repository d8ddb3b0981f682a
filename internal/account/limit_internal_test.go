package account

import (
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestLimiterNeverMakesAnyoneWaitMoreThanAMinute, however tries and time
// interleave, as long as whoever must wait does.
func TestLimiterNeverMakesAnyoneWaitMoreThanAMinute(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		l, now := newLimiter(), time.Unix(1e9, 0)
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			client := strconv.Itoa(rapid.IntRange(0, 2).Draw(rt, "client"))
			wait := l.wait(client, now)
			if wait < 0 || wait > limitEvery {
				rt.Fatalf("wait %v", wait)
			}
			if wait == 0 {
				l.fail(client, now)
			}
			now = now.Add(time.Duration(rapid.IntRange(0, 90).Draw(rt, "seconds")) * time.Second)
		}
	})
}

func TestLimiterGivesTriesBackOneAMinute(t *testing.T) {
	t.Parallel()
	l, now := newLimiter(), time.Unix(1e9, 0)
	for range limitBurst {
		l.fail("c", now)
	}
	if wait := l.wait("c", now); wait != limitEvery {
		t.Errorf("wait %v", wait)
	}
	if wait := l.wait("c", now.Add(limitEvery)); wait != 0 {
		t.Errorf("a minute later: %v", wait)
	}
	if wait := l.wait("other", now); wait != 0 {
		t.Errorf("another client: %v", wait)
	}
}

func TestLimiterMemoryIsBounded(t *testing.T) {
	t.Parallel()
	l, now := newLimiter(), time.Unix(1e9, 0)
	for range limitBurst {
		l.fail("persistent", now)
	}
	for i := range 3 * limitClients {
		l.fail(strconv.Itoa(i), now)
	}
	if n := len(l.spent); n > limitClients {
		t.Errorf("%d clients", n)
	}
	if l.wait("persistent", now) == 0 {
		t.Error("flooding forgave the client with fewest tries left")
	}
}
