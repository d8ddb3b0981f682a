package proofing

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"ipse/internal/fair"
	"ipse/internal/pii"
)

// documentsCounted bounds the documents whose failures are remembered.
const documentsCounted = 1 << 16

// failures counts the live checks that one document did not pass, over every
// session: whoever holds a stolen document must not get new attempts by beginning
// anew (TS 119 461 BIN-8.4.2). A document is known by an HMAC under a key drawn at
// the start and never written, so that the counts name nobody and mean nothing
// after a restart. Only documents that were verified are counted, their chip
// proved to be the original wherever it can be: who has not held it locks nobody
// out. Nothing is written; a restart forgives.
type failures struct {
	key    [32]byte
	limit  int           // checks that may fail within window
	window time.Duration // after which a failure is forgotten
	room   int           // documents remembered

	mu sync.Mutex
	// at holds when the checks of a document began that did not succeed, oldest
	// first, at most limit. Guarded by mu.
	at map[[32]byte][]time.Time
}

func newFailures(rand io.Reader, limit int, window time.Duration, room int) (*failures, error) {
	f := &failures{limit: limit, window: window, room: room, at: map[[32]byte][]time.Time{}}
	if _, err := io.ReadFull(rand, f.key[:]); err != nil {
		return nil, fmt.Errorf("draw the key of the attempts: %w", err)
	}
	return f, nil
}

// index is what a document is known by here. identity is wiped.
func (f *failures) index(identity pii.Bytes) [32]byte {
	defer identity.Wipe()
	mac := hmac.New(sha256.New, f.key[:])
	mac.Write(identity.Reveal())
	return [32]byte(mac.Sum(nil))
}

// full returns when the document may be checked again, or the zero time when it
// may be now.
func (f *failures) full(doc [32]byte, now time.Time) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.again(f.recent(doc, now))
}

// begin counts a check as failed until forget says otherwise, so that leaving it
// counts, and checks in several sessions at once. It returns when to try again
// where there is no attempt left.
func (f *failures) begin(doc [32]byte, now time.Time) (again time.Time, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	times := f.recent(doc, now)
	if again := f.again(times); !again.IsZero() {
		return again, nil
	}
	if len(times) == 0 && len(f.at) >= f.room && !f.evict(now) {
		return time.Time{}, fair.After(ErrBusy, time.Minute)
	}
	f.at[doc] = append(times, now)
	return time.Time{}, nil
}

// giveBack takes back the last begin: the server could not check.
func (f *failures) giveBack(doc [32]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if times := f.at[doc]; len(times) > 1 {
		f.at[doc] = times[:len(times)-1]
		return
	}
	delete(f.at, doc)
}

// forget drops what is known of a document: its holder was recognised.
func (f *failures) forget(doc [32]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.at, doc)
}

// again is when the oldest failure that counts is forgotten, if none may follow. mu is held.
func (f *failures) again(times []time.Time) time.Time {
	if len(times) < f.limit {
		return time.Time{}
	}
	return times[len(times)-f.limit].Add(f.window)
}

// recent drops what is older than the window. mu is held.
func (f *failures) recent(doc [32]byte, now time.Time) []time.Time {
	times, known := f.at[doc]
	if !known {
		return nil
	}
	times = slices.DeleteFunc(times, func(at time.Time) bool { return !now.Before(at.Add(f.window)) })
	if len(times) == 0 {
		delete(f.at, doc)
		return nil
	}
	f.at[doc] = times
	return times
}

// sweep forgets what is older than the window.
func (f *failures) sweep(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for doc := range f.at {
		f.recent(doc, now)
	}
}

// evict makes room: it drops what is forgotten anyway, else the document with the
// fewest failures. A document that has none left is never forgotten for another's
// sake: rather, evict finds no room. mu is held.
func (f *failures) evict(now time.Time) bool {
	var least [32]byte
	fewest := f.limit
	for doc := range f.at {
		if n := len(f.recent(doc, now)); n < fewest {
			least, fewest = doc, n
		}
	}
	if len(f.at) < f.room {
		return true
	}
	if fewest == f.limit {
		return false
	}
	delete(f.at, least)
	return true
}
