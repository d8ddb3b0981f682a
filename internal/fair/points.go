package fair

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// Points is an allowance over time: each narrowest network has a burst of points,
// and they come back one by one; a broader network has some times as many for all
// in it together. It is safe for concurrent use.
type Points struct {
	key      [32]byte
	burst    int
	every    time.Duration
	remember int

	mu sync.Mutex
	// full holds, by keyed hash of the network, when all its points will be back.
	// Guarded by mu.
	full map[[16]byte]time.Time
}

// PointsConfig makes Points. Every member is required.
type PointsConfig struct {
	// Rand keys the table.
	Rand io.Reader
	// Burst is how many points a narrowest network has at once.
	Burst int
	// Every is how long one point takes to come back.
	Every time.Duration
	// Remember bounds the networks in memory; beyond it those that have most points
	// left are forgotten first.
	Remember int
}

// NewPoints checks the configuration and draws the key.
func NewPoints(cfg PointsConfig) (*Points, error) {
	if cfg.Rand == nil || cfg.Burst < 1 || cfg.Every <= 0 || cfg.Remember < 8 {
		return nil, errors.New("fair: incomplete configuration")
	}
	p := &Points{burst: cfg.Burst, every: cfg.Every, remember: cfg.Remember, full: map[[16]byte]time.Time{}}
	if _, err := io.ReadFull(cfg.Rand, p.key[:]); err != nil {
		return nil, fmt.Errorf("fair: draw a key: %w", err)
	}
	return p, nil
}

// Take spends points in all networks of a client, or returns how long it must wait
// for them and spends nothing.
func (p *Points) Take(c Client, points int, now time.Time) (wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	networks := c.networks()
	if wait := p.wait(networks, points, now); wait > 0 {
		return wait
	}
	for _, n := range networks {
		p.spend(n, points, now)
	}
	return 0
}

// Wait returns how long a client must wait before it may spend points.
func (p *Points) Wait(c Client, points int, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.wait(c.networks(), points, now)
}

func (p *Points) wait(networks []network, points int, now time.Time) time.Duration {
	var longest time.Duration
	for _, n := range networks {
		back := p.full[p.index(n)]
		if back.Before(now) {
			back = now
		}
		over := back.Add(time.Duration(points)*p.every/time.Duration(n.weight)).Sub(now) - time.Duration(p.burst)*p.every
		longest = max(longest, over)
	}
	return longest
}

// spend takes points of one network. mu is held.
func (p *Points) spend(n network, points int, now time.Time) {
	key := p.index(n)
	back, known := p.full[key]
	if back.Before(now) {
		back = now
	}
	if !known && len(p.full) >= p.remember {
		p.forget(now)
	}
	p.full[key] = back.Add(time.Duration(points) * p.every / time.Duration(n.weight))
}

// index is what a network is known by in the table. mu is held.
func (p *Points) index(n network) [16]byte {
	mac := hmac.New(sha256.New, p.key[:])
	_, _ = fmt.Fprint(mac, n.prefix)
	return [16]byte(mac.Sum(nil))
}

// forget drops networks whose points are back, and if that is not enough those
// that will have them back first. mu is held.
func (p *Points) forget(now time.Time) {
	step := time.Duration(p.burst) * p.every / 8
	for horizon := now; len(p.full) >= p.remember; horizon = horizon.Add(step) {
		for key, back := range p.full {
			if !back.After(horizon) {
				delete(p.full, key)
			}
		}
	}
}
