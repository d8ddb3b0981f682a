package relay

import (
	"sync"
	"time"
)

// limiter counts wrong pairing codes per address and altogether, in windows of
// a minute. It remembers addresses for that minute only, in memory.
type limiter struct {
	each, all int // wrong codes allowed per window

	mu      sync.Mutex // guards what follows
	window  time.Time
	total   int
	wrong   map[string]int
	maxKept int // addresses remembered; beyond it all share one count
}

const limiterWindow = time.Minute

func newLimiter(each, all int) *limiter {
	return &limiter{each: each, all: all, wrong: map[string]int{}, maxKept: 4096}
}

// wait returns zero when the address may try a code, else how long it may not.
func (l *limiter) wait(addr string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn(now)
	if l.total >= l.all || l.wrong[l.key(addr)] >= l.each {
		return max(l.window.Add(limiterWindow).Sub(now), time.Second)
	}
	return 0
}

// fail counts a wrong code.
func (l *limiter) fail(addr string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn(now)
	l.total++
	l.wrong[l.key(addr)]++
}

// key is the address's own entry while there is room. mu is held.
func (l *limiter) key(addr string) string {
	if _, known := l.wrong[addr]; known || len(l.wrong) < l.maxKept {
		return addr
	}
	return "others"
}

// turn begins a new window when the present one is over. mu is held.
func (l *limiter) turn(now time.Time) {
	if now.Sub(l.window) >= limiterWindow || now.Before(l.window) {
		l.window, l.total = now, 0
		clear(l.wrong)
	}
}

// greetings counts the connections that have not sent a good code.
type greetings struct {
	each, all int

	mu    sync.Mutex // guards what follows
	total int
	open  map[string]int // by address; no entry when zero
}

// begin counts one of an address, if there is room. over ends it, once.
func (g *greetings) begin(addr string) (over func(), ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.total >= g.all || g.open[addr] >= g.each {
		return nil, false
	}
	g.total++
	g.open[addr]++
	return sync.OnceFunc(func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.total--
		if g.open[addr]--; g.open[addr] == 0 {
			delete(g.open, addr)
		}
	}), true
}
