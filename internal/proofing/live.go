package proofing

import (
	"context"
	"sync"
	"time"

	"ipse/internal/pii"
)

// live is a session in memory: its persisted part and what must never be
// persisted. Lock order: live.mu, then FaceRun.mu, then Service.mu.
type live struct {
	mu sync.Mutex // guards everything below

	sess     Session  // as last written
	material material // personal; cleared by wipe
	summary  Summary  // what views show of the document

	pairing  pairing
	document documentStatus
	face     faceStatus
	counter  *counterCase // open case at the counter, or nil

	leave   func()             // gives back the session's place in memory
	work    context.CancelFunc // stops the running reading, or nil
	run     *FaceRun           // the running face run, or nil
	subs    map[chan View]struct{}
	loaded  bool // false until a session read from the store was recovered
	evicted bool // no longer in the service's table: load it again
}

// material is what a session knows of the person, in memory only.
type material struct {
	attributes Attributes
	portrait   pii.Bytes
	sealKey    pii.Bytes
	document   [32]byte // by which failures knows the document
	present    bool     // a verified document is here
}

func (m *material) wipe() {
	m.portrait.Wipe()
	m.sealKey.Wipe()
	*m = material{}
}

type pairing struct {
	code      string
	expires   time.Time
	connected bool
}

type documentStatus struct {
	failure  Failure
	progress *Progress
	started  time.Time // of the running reading
	notified time.Time // last view sent for progress
}

type faceStatus struct {
	failure Reason
	again   time.Time // of ReasonDocumentLimit: when the document may be checked again
}

// wipe clears the person from memory and stops what runs. mu is held.
func (l *live) wipe() {
	if l.work != nil {
		l.work()
		l.work = nil
	}
	if l.run != nil {
		l.run.abort()
		l.run = nil
	}
	l.counter = nil
	l.document.progress = nil
	l.material.wipe()
}

// restful reports whether the session loses nothing by leaving memory: it is
// final, or it is persisted whole and no page watches it. mu is held.
func (l *live) restful(now time.Time) bool {
	switch l.sess.Position.State {
	case StateRefused:
		return l.face.again.IsZero() || !now.Before(l.sess.Position.Expires) // that time is nowhere else
	case StateDone, StateAbandoned, StateExpired:
		return true
	case StateConsent, StateAccount:
		return len(l.subs) == 0
	case StateDocument, StateFace, StateCounter:
	}
	return false
}

// notify sends the view to every subscriber, replacing one not yet taken. mu is held.
func (l *live) notify(view View) {
	for ch := range l.subs {
		select {
		case <-ch:
		default:
		}
		ch <- view // one place is free: only notify sends, under mu
	}
}

// closeSubs ends every subscription. mu is held.
func (l *live) closeSubs() {
	for ch := range l.subs {
		close(ch)
	}
	l.subs = nil
}
