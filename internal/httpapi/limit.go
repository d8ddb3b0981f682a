package httpapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"sync"
	"time"
)

// The allowance of an address: a burst of points, and points that come back. A
// whole check with its retries costs some 60; a login some 10. A town hall or a
// university behind one address stays far below it.
const (
	allowance       = 600
	pointsPerSecond = 5
	maxAddresses    = 1 << 14 // remembered; beyond, those with most points are forgotten first
)

// limits counts what addresses spend, in memory: a restart forgives. Addresses
// are kept as a keyed hash.
type limits struct {
	key  [32]byte
	pace int

	mu sync.Mutex
	// full holds, by address, when all its points will be back. Guarded by mu.
	full map[[32]byte]time.Time
}

func newLimits(rand io.Reader, pace int) (*limits, error) {
	l := &limits{pace: pace, full: map[[32]byte]time.Time{}}
	if _, err := io.ReadFull(rand, l.key[:]); err != nil {
		return nil, fmt.Errorf("httpapi: draw a key: %w", err)
	}
	return l, nil
}

// take spends points of an address, or returns how long it must wait for them
// and spends nothing.
func (l *limits) take(address string, points int, now time.Time) (wait time.Duration) {
	mac := hmac.New(sha256.New, l.key[:])
	mac.Write([]byte(address))
	key := [32]byte(mac.Sum(nil))
	point := time.Second / time.Duration(pointsPerSecond*l.pace)

	l.mu.Lock()
	defer l.mu.Unlock()
	full := l.full[key]
	if full.Before(now) {
		full = now
	}
	after := full.Add(time.Duration(points) * point)
	if over := after.Sub(now) - time.Duration(allowance*l.pace)*point; over > 0 {
		return over
	}
	if _, known := l.full[key]; !known && len(l.full) >= maxAddresses {
		l.forget(now, point)
	}
	l.full[key] = after
	return 0
}

// forget drops addresses whose points are back, and if that is not enough those
// that will have them back first. mu is held.
func (l *limits) forget(now time.Time, point time.Duration) {
	step := time.Duration(allowance*l.pace) * point / 8
	for horizon := now; len(l.full) >= maxAddresses; horizon = horizon.Add(step) {
		for key, full := range l.full {
			if !full.After(horizon) {
				delete(l.full, key)
			}
		}
	}
}
