package proofing

import (
	"sync"
	"time"

	"ipse/internal/fair"
)

// slots bounds how many things run at once and says when one is likely free.
type slots struct {
	typical time.Duration // how long one usually takes

	mu      sync.Mutex // guards next and started
	limit   int
	next    int
	started map[int]time.Time
}

func newSlots(limit int, typical time.Duration) *slots {
	return &slots{limit: limit, typical: typical, started: map[int]time.Time{}}
}

// taken returns how many run.
func (s *slots) taken() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.started)
}

// take returns a function that gives the slot back (safe to call twice), or a
// ErrBusy with the time until the oldest run is likely over.
func (s *slots) take(now time.Time) (release func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.started) >= s.limit {
		oldest := now
		for _, at := range s.started {
			if at.Before(oldest) {
				oldest = at
			}
		}
		return nil, fair.After(ErrBusy, s.typical-now.Sub(oldest))
	}
	id := s.next
	s.next++
	s.started[id] = now
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.started, id)
	}, nil
}
