package proofing

import (
	"errors"
	"time"

	"ipse/internal/consent"
)

// Route is how the person is recognised as the document's holder.
type Route = consent.Route

// The two routes, equal in what they lead to.
const (
	RouteCamera  = consent.RouteCamera
	RouteCounter = consent.RouteCounter
)

// Level is a level of assurance of (EU) 2015/1502.
type Level string

// The levels a proofing can reach. The zero value is none.
const (
	LevelSubstantial Level = "substantial"
	LevelHigh        Level = "high"
)

// AtLeast reports whether the level is reached. No level reaches nothing.
func (l Level) AtLeast(other Level) bool { return l.rank() > 0 && l.rank() >= other.rank() }

func (l Level) rank() int {
	switch l {
	case LevelHigh:
		return 2
	case LevelSubstantial:
		return 1
	}
	return 0
}

// Reason is why a session was refused or an attempt failed: coarse on purpose,
// so that it helps a person and not somebody who probes the checks.
type Reason string

// The reasons.
const (
	ReasonDocumentNotGenuine Reason = "document_not_genuine"
	ReasonChipNotAuthentic   Reason = "chip_not_authentic"
	ReasonDocumentExpired    Reason = "document_expired"
	ReasonDocumentUnreadable Reason = "document_unreadable"
	ReasonLevelNotReached    Reason = "level_not_reached"
	ReasonPortraitUnusable   Reason = "portrait_unusable"
	ReasonCounterRefused     Reason = "counter_refused"
	ReasonNotLive            Reason = "not_live"
	ReasonNotSamePerson      Reason = "not_same_person"
	ReasonNotFollowed        Reason = "instructions_not_followed"
	ReasonSeveralFaces       Reason = "several_faces"
	ReasonPoorQuality        Reason = "poor_quality"
	ReasonTimeout            Reason = "timeout"
	ReasonConnectionLost     Reason = "connection_lost"
	ReasonDocumentLimit      Reason = "document_limit" // too many live checks with this document failed
)

// Policy holds the rules of proofing. The zero value is not usable: start from
// DefaultPolicy.
type Policy struct {
	// MinimumLevel below which a document is refused. Default substantial.
	MinimumLevel Level
	// AcceptExpiredDocuments lets a document past its expiry date pass. Default false.
	AcceptExpiredDocuments bool
	// DocumentAttempts a session may start. Default 5, range 1 to 20.
	DocumentAttempts int
	// FaceAttempts a session may start (TS 119 461 BIN-8.4.2). Default 3, range 1 to 10.
	FaceAttempts int
	// FaceRefunds is how many runs that ended without a decision (a lost
	// connection, a closed page) are given back. Default 3, range 0 to 10.
	FaceRefunds int
	// DocumentFailures is how many live checks with one document may fail, in all
	// sessions together, within DocumentFailuresFor. Default 6 in 24 hours, range 1
	// to 100 in a minute to 30 days.
	DocumentFailures    int
	DocumentFailuresFor time.Duration
	// CameraFor is how long a session with the camera may take. Default 30 minutes.
	CameraFor time.Duration
	// CounterFor is how long a session at the counter may take. Default 60 minutes.
	CounterFor time.Duration
	// AccountFor is how long an accepted person may take to create the account. Default 30 minutes.
	AccountFor time.Duration
	// ReadFor bounds one reading of the chip. Default 3 minutes.
	ReadFor time.Duration
	// FaceFor bounds one face run. Default 3 minutes.
	FaceFor time.Duration
	// FramesPerRun bounds the frames of one face run. Default 3,000.
	FramesPerRun int
	// CaseFor is how long a code for the counter is valid. Default 15 minutes.
	CaseFor time.Duration
	// ResultFor is how long a session that ended stays visible to its person
	// before its row is deleted. Default 60 minutes.
	ResultFor time.Duration
}

// DefaultPolicy returns the rules in force when nothing is configured.
func DefaultPolicy() Policy {
	return Policy{MinimumLevel: LevelSubstantial, DocumentAttempts: 5, FaceAttempts: 3, FaceRefunds: 3,
		DocumentFailures: 6, DocumentFailuresFor: 24 * time.Hour,
		CameraFor: 30 * time.Minute, CounterFor: 60 * time.Minute, AccountFor: 30 * time.Minute,
		ReadFor: 3 * time.Minute, FaceFor: 3 * time.Minute, FramesPerRun: 3000,
		CaseFor: 15 * time.Minute, ResultFor: 60 * time.Minute}
}

// Validate reports the first rule out of range.
func (p Policy) Validate() error {
	switch {
	case p.MinimumLevel.rank() == 0:
		return errors.New("proofing policy: unknown minimum level")
	case p.DocumentAttempts < 1 || p.DocumentAttempts > 20:
		return errors.New("proofing policy: document attempts out of range")
	case p.FaceAttempts < 1 || p.FaceAttempts > 10 || p.FaceRefunds < 0 || p.FaceRefunds > 10:
		return errors.New("proofing policy: face attempts out of range")
	case p.DocumentFailures < 1 || p.DocumentFailures > 100 || p.DocumentFailuresFor < time.Minute || p.DocumentFailuresFor > 30*24*time.Hour:
		return errors.New("proofing policy: failures of a document out of range")
	case p.FramesPerRun < 1:
		return errors.New("proofing policy: no frames allowed")
	}
	for _, d := range []time.Duration{p.CameraFor, p.CounterFor, p.AccountFor, p.ReadFor, p.FaceFor, p.CaseFor, p.ResultFor} {
		if d <= 0 {
			return errors.New("proofing policy: a duration is not positive")
		}
	}
	return nil
}

// LevelFor is the level a genuine document gives once its holder is confirmed,
// by camera or counter alike: high when the chip proved that it is the
// original (active or chip authentication), substantial when it has no such
// feature, none when it has it and failed.
func (p Policy) LevelFor(chip Result) Level {
	switch chip {
	case ResultPassed:
		return LevelHigh
	case ResultNotOffered:
		return LevelSubstantial
	case ResultFailed:
	}
	return ""
}

func (p Policy) documentRefusal(ev Event) Reason {
	switch {
	case !ev.Genuine:
		return ReasonDocumentNotGenuine
	case p.LevelFor(ev.Chip) == "":
		return ReasonChipNotAuthentic
	case ev.DocumentExpired && !p.AcceptExpiredDocuments:
		return ReasonDocumentExpired
	case !p.LevelFor(ev.Chip).AtLeast(p.MinimumLevel):
		return ReasonLevelNotReached
	}
	return ""
}

func (p Policy) lifetime(route Route) time.Duration {
	if route == RouteCounter {
		return p.CounterFor
	}
	return p.CameraFor
}
