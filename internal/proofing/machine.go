package proofing

import (
	"fmt"
	"time"
)

// State is where a session stands.
type State string

// The states of a session. Done, Refused, Abandoned and Expired are final.
const (
	StateConsent   State = "consent"   // nothing may be read yet
	StateDocument  State = "document"  // the chip is to be read
	StateFace      State = "face"      // the live check is to be passed
	StateCounter   State = "counter"   // an agent is to decide
	StateAccount   State = "account"   // accepted; the account is to be created
	StateDone      State = "done"      // the account exists
	StateRefused   State = "refused"   // not accepted, with a coarse reason
	StateAbandoned State = "abandoned" // the person stopped
	StateExpired   State = "expired"   // too late
)

// Final reports whether nothing happens to a session in this state any more.
func (s State) Final() bool {
	switch s {
	case StateDone, StateRefused, StateAbandoned, StateExpired:
		return true
	case StateConsent, StateDocument, StateFace, StateCounter, StateAccount:
	}
	return false
}

// Result is the outcome of one check.
type Result string

// Outcomes. The zero value means that the check was not reached.
const (
	ResultPassed     Result = "passed"
	ResultFailed     Result = "failed"
	ResultNotOffered Result = "not_offered" // the document has no such feature
)

// Position is the machine's memory: plain values, comparable, nothing personal.
type Position struct {
	State State
	// Route the person chose; empty from acceptance on, so that nothing later tells.
	Route Route
	// Running says that a reading or a face run has started and not ended.
	Running bool
	// DocumentLeft, FaceLeft are the attempts that may still be started.
	DocumentLeft, FaceLeft int
	// FaceRefunds is how many interrupted face runs may still be given back.
	FaceRefunds int
	// Document, Chip and Holder are the outcomes so far.
	Document, Chip, Holder Result
	// Level reached; set on acceptance only.
	Level Level
	// Reason of a refusal.
	Reason Reason
	// Expires is when the session ends if it is not final before.
	Expires time.Time
}

// EventKind names what happened.
type EventKind string

// The events.
const (
	EventConsent         EventKind = "consent"          // the person agreed to the text shown
	EventDocumentStarted EventKind = "document_started" // a reading begins and counts
	EventDocumentFailed  EventKind = "document_failed"  // the chip could not be read
	EventDocumentRead    EventKind = "document_read"    // read and verified, with a verdict
	EventFaceStarted     EventKind = "face_started"     // a face run begins and counts
	EventFaceInterrupted EventKind = "face_interrupted" // it ended without a decision
	EventFaceDecided     EventKind = "face_decided"     // it ended with one
	EventFaceLimited     EventKind = "face_limited"     // too many checks with this document failed, in whatever sessions
	EventCounterDecided  EventKind = "counter_decided"  // the agent decided
	EventMaterialLost    EventKind = "material_lost"    // the memory of the session is gone (restart)
	EventAccountCreated  EventKind = "account_created"  // in the same transaction
	EventAbandon         EventKind = "abandon"          // the person stops
	EventExpire          EventKind = "expire"           // the clock says so
)

// Event is what happened, when, and with which outcome.
type Event struct {
	Kind EventKind
	At   time.Time
	// Genuine, Chip, DocumentExpired: of EventDocumentRead.
	Genuine         bool
	Chip            Result
	DocumentExpired bool
	// Accepted: of EventFaceDecided and EventCounterDecided.
	Accepted bool
	// Reason of a face refusal, coarse.
	Reason Reason
	// Final says that trying again cannot help (a portrait without a usable face).
	Final bool
}

// Effect is what the Service must do for a transition.
type Effect string

// The effects, in the order a Service executes them: the first three before
// the new position is persisted, the others after.
const (
	EffectSignReceipt   Effect = "sign_receipt"   // sign the consent
	EffectSeal          Effect = "seal"           // encrypt the accepted attributes under the session's token
	EffectForgetSealed  Effect = "forget_sealed"  // drop them and the receipt (after StateDone the receipt stays, sealed)
	EffectWipe          Effect = "wipe"           // clear everything personal in memory, stop what runs
	EffectReleaseReader Effect = "release_reader" // let go of the person's reader
	EffectPair          Effect = "pair"           // issue a code for a reader
	EffectOpenCase      Effect = "open_case"      // issue a code for the counter
)

// Next returns the position after an event and what must be done for it. It is
// pure. An event that does not fit the position is ErrState and changes
// nothing; an event at or after the expiry of a session that is not final
// leads to StateExpired, whatever it is.
func (p Policy) Next(pos Position, ev Event) (Position, []Effect, error) {
	if pos.State.Final() {
		switch ev.Kind {
		case EventAbandon, EventExpire, EventMaterialLost:
			return pos, nil, nil
		default:
			return pos, nil, misfit(pos, ev)
		}
	}
	if ev.Kind == EventExpire || !ev.At.Before(pos.Expires) {
		return end(pos, StateExpired, ""), exitEffects(), nil
	}
	switch ev.Kind {
	case EventAbandon:
		return end(pos, StateAbandoned, ""), exitEffects(), nil
	case EventMaterialLost:
		return materialLost(pos)
	default:
	}
	switch pos.State {
	case StateConsent:
		return p.nextConsent(pos, ev)
	case StateDocument:
		return p.nextDocument(pos, ev)
	case StateFace:
		return p.nextFace(pos, ev)
	case StateCounter:
		return p.nextCounter(pos, ev)
	case StateAccount:
		return nextAccount(pos, ev)
	case StateDone, StateRefused, StateAbandoned, StateExpired: // handled above
	}
	return pos, nil, misfit(pos, ev)
}

// Begin is the position of a new session.
func (p Policy) Begin(route Route, now time.Time) Position {
	return Position{State: StateConsent, Route: route, DocumentLeft: p.DocumentAttempts,
		FaceLeft: p.FaceAttempts, FaceRefunds: p.FaceRefunds, Expires: wholeSecond(now.Add(p.lifetime(route)))}
}

func (p Policy) nextConsent(pos Position, ev Event) (Position, []Effect, error) {
	if ev.Kind != EventConsent {
		return pos, nil, misfit(pos, ev)
	}
	next := pos
	next.State = StateDocument
	return next, []Effect{EffectSignReceipt, EffectPair}, nil
}

func (p Policy) nextDocument(pos Position, ev Event) (Position, []Effect, error) {
	next := pos
	switch {
	case ev.Kind == EventDocumentStarted && !pos.Running && pos.DocumentLeft > 0:
		next.Running = true
		next.DocumentLeft--
		return next, nil, nil
	case ev.Kind == EventDocumentFailed && pos.Running:
		if pos.DocumentLeft == 0 {
			return end(pos, StateRefused, ReasonDocumentUnreadable), exitEffects(), nil
		}
		next.Running = false
		return next, nil, nil
	case ev.Kind == EventDocumentRead && pos.Running:
		return p.documentRead(next, ev)
	default:
		return pos, nil, misfit(pos, ev)
	}
}

func (p Policy) documentRead(next Position, ev Event) (Position, []Effect, error) {
	next.Running = false
	next.Chip = ev.Chip
	next.Document = ResultPassed
	if !ev.Genuine {
		next.Document = ResultFailed
	}
	if reason := p.documentRefusal(ev); reason != "" {
		return end(next, StateRefused, reason), exitEffects(), nil
	}
	if next.Route == RouteCounter {
		next.State = StateCounter
		return next, []Effect{EffectReleaseReader, EffectOpenCase}, nil
	}
	next.State = StateFace
	return next, []Effect{EffectReleaseReader}, nil
}

func (p Policy) nextFace(pos Position, ev Event) (Position, []Effect, error) {
	next := pos
	switch {
	case ev.Kind == EventFaceStarted && !pos.Running && pos.FaceLeft > 0:
		next.Running = true
		next.FaceLeft--
		return next, nil, nil
	case ev.Kind == EventFaceLimited && !pos.Running:
		return end(pos, StateRefused, ReasonDocumentLimit), exitEffects(), nil
	case ev.Kind == EventFaceInterrupted && pos.Running:
		next.Running = false
		if pos.FaceRefunds > 0 {
			next.FaceRefunds--
			next.FaceLeft++
		}
		return faceAgain(next, ReasonConnectionLost)
	case ev.Kind == EventFaceDecided && pos.Running:
		next.Running = false
		if ev.Accepted {
			return p.accept(next, ev.At)
		}
		if ev.Final {
			next.FaceLeft = 0
		}
		return faceAgain(next, ev.Reason)
	default:
		return pos, nil, misfit(pos, ev)
	}
}

// faceAgain leaves the person in front of the camera while attempts are left.
func faceAgain(next Position, reason Reason) (Position, []Effect, error) {
	if next.FaceLeft > 0 {
		return next, nil, nil
	}
	next.Holder = ResultFailed
	return end(next, StateRefused, reason), exitEffects(), nil
}

func (p Policy) nextCounter(pos Position, ev Event) (Position, []Effect, error) {
	if ev.Kind != EventCounterDecided {
		return pos, nil, misfit(pos, ev)
	}
	if ev.Accepted {
		return p.accept(pos, ev.At)
	}
	next := pos
	next.Holder = ResultFailed
	return end(next, StateRefused, ReasonCounterRefused), exitEffects(), nil
}

// accept is the one way into StateAccount. Route and counts are cleared, so
// that both routes leave the same position.
func (p Policy) accept(pos Position, at time.Time) (Position, []Effect, error) {
	level := p.LevelFor(pos.Chip)
	if pos.Document != ResultPassed || !level.AtLeast(p.MinimumLevel) {
		return pos, nil, fmt.Errorf("%w: no verified document", ErrState)
	}
	return Position{State: StateAccount, Document: pos.Document, Chip: pos.Chip, Holder: ResultPassed,
		Level: level, Expires: wholeSecond(at.Add(p.AccountFor))}, []Effect{EffectSeal, EffectWipe, EffectReleaseReader}, nil
}

func nextAccount(pos Position, ev Event) (Position, []Effect, error) {
	if ev.Kind != EventAccountCreated {
		return pos, nil, misfit(pos, ev)
	}
	next := pos
	next.State = StateDone
	return next, []Effect{EffectForgetSealed, EffectWipe, EffectReleaseReader}, nil
}

// materialLost takes a session whose memory is gone back to the document: the
// chip is read again after an interruption (TS 119 461 VAL-8.3.2). An
// interruption that is not the person's does not cost them their last attempt.
func materialLost(pos Position) (Position, []Effect, error) {
	next := pos
	next.Running = false
	switch pos.State {
	case StateDocument, StateFace, StateCounter:
		next.State = StateDocument
		next.Document, next.Chip, next.Holder = "", "", ""
		next.DocumentLeft = max(next.DocumentLeft, 1)
		next.FaceLeft = max(next.FaceLeft, 1)
		return next, []Effect{EffectWipe, EffectReleaseReader, EffectPair}, nil
	case StateConsent, StateAccount, StateDone, StateRefused, StateAbandoned, StateExpired:
	}
	return next, nil, nil
}

// end leaves for a final state other than StateDone. The results are kept for
// the person to see; attempts mean nothing any more.
func end(pos Position, state State, reason Reason) Position {
	next := pos
	next.State, next.Reason, next.Level, next.Running = state, reason, "", false
	next.DocumentLeft, next.FaceLeft, next.FaceRefunds = 0, 0, 0
	return next
}

func exitEffects() []Effect {
	return []Effect{EffectForgetSealed, EffectWipe, EffectReleaseReader}
}

func misfit(pos Position, ev Event) error {
	return fmt.Errorf("%w: %s in state %s", ErrState, ev.Kind, pos.State)
}

// wholeSecond is the precision that is stored and shown.
func wholeSecond(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
