package counter

import (
	"sync"
	"time"
)

// Wrong case codes of one agent: four, then one a minute. With 1.1e11 codes, a
// stolen session finds nothing by trying; an agent who mistypes waits a little.
const (
	wrongBurst = 4
	wrongEvery = time.Minute
)

// limiter counts wrong codes by agent, in memory: a restart forgives. Agents are
// few, so none is forgotten.
type limiter struct {
	mu   sync.Mutex
	back map[string]time.Time // when all tries will be back. Guarded by mu.
}

// wait returns how long the agent must wait for the next try; zero for none.
func (l *limiter) wait(agent string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	back, known := l.back[agent]
	over := back.Sub(now) - (wrongBurst-1)*wrongEvery
	if !known || over <= 0 {
		return 0
	}
	return over
}

// fail counts a wrong code.
func (l *limiter) fail(agent string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	back := l.back[agent]
	if back.Before(now) {
		back = now
	}
	l.back[agent] = back.Add(wrongEvery)
}
