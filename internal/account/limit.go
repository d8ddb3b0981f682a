package account

import (
	"sync"
	"time"
)

// Tries of recovery codes, for each client: a burst, then one a minute. A code
// has 160 random bits, so the limit is there to bound work and not to keep
// guessers out. It counts wrong codes by client only, never by account, and one
// try comes back every minute: nobody can lock a person out, least of all for ever.
const (
	limitBurst   = 10
	limitEvery   = time.Minute
	limitClients = 1 << 14 // clients remembered; beyond, those with most tries left are forgotten first
)

// limiter counts wrong tries by client, in memory: a restart forgives.
type limiter struct {
	mu sync.Mutex
	// spent holds, by hash of the client, when all its tries will be back. Guarded by mu.
	spent map[[32]byte]time.Time
}

func newLimiter() *limiter { return &limiter{spent: map[[32]byte]time.Time{}} }

// wait returns how long the client must wait for its next try; zero for none.
func (l *limiter) wait(client string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	back, known := l.spent[hashOf(client)]
	if !known {
		return 0
	}
	over := back.Sub(now) - (limitBurst-1)*limitEvery
	if over <= 0 {
		return 0
	}
	return (over + time.Second - 1).Truncate(time.Second)
}

// fail counts a wrong try.
func (l *limiter) fail(client string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := hashOf(client)
	back := l.spent[key]
	if back.Before(now) {
		back = now
	}
	if len(l.spent) >= limitClients {
		l.forget(now)
	}
	l.spent[key] = back.Add(limitEvery)
}

// forget drops clients whose tries are back, and if that is not enough those
// that will have them back first. mu is held.
func (l *limiter) forget(now time.Time) {
	for horizon := now; len(l.spent) >= limitClients; horizon = horizon.Add(limitEvery) {
		for key, back := range l.spent {
			if !back.After(horizon) {
				delete(l.spent, key)
			}
		}
	}
}
