package chip

import (
	"errors"
	"fmt"

	"ipse/mrtd/internal/apdu"
)

// Reasons a reading failed, to be told apart with errors.Is. Each is wrapped in an
// *Error that says at which step.
var (
	// ErrAccessDenied: the chip refused the access data: the zone or the number was
	// mistyped, or is another document's.
	ErrAccessDenied = errors.New("the chip refuses the access data")
	// ErrAccessData: the access data cannot open any document, or not this one (a
	// card access number alone, and a chip without PACE).
	ErrAccessData = errors.New("access data not usable for this document")
	// ErrNoApplication: a chip, but of no passport or identity card.
	ErrNoApplication = errors.New("no travel document application")
	// ErrUnsupported: the chip wants a protocol or parameters this package lacks.
	ErrUnsupported = errors.New("protocol not supported")
	// ErrSecureMessaging: a response came unprotected or wrongly protected.
	ErrSecureMessaging = errors.New("secure messaging broken")
	// ErrSessionLost: the chip lost its session, again after reading it anew.
	ErrSessionLost = errors.New("the chip lost the session")
	// ErrAnswer: the chip answered something malformed or refused what it must not.
	ErrAnswer = errors.New("unusable answer of the chip")
	// ErrLimit: a file or the conversation is longer than allowed.
	ErrLimit = errors.New("limit exceeded")
	// ErrCard: the chip or the reader is lost; the cause is in the chain.
	ErrCard = errors.New("card not reached")
	// ErrOptions: a required option is missing or out of range.
	ErrOptions = errors.New("incomplete options")
)

// Error is why a reading failed. It holds no octet of any file, password or key.
type Error struct {
	// Step is what was being done, for example "PACE, step 3" or "read DG2".
	Step string
	// Offset in the file being read, or 0.
	Offset int
	// Status is SW1 SW2 of the answer that ended the reading, or 0.
	Status uint16
	// Reason is one of the sentinels of this package.
	Reason error
	// Err is the cause, or nil.
	Err error

	lost bool // a fresh session may succeed
}

// Error implements error.
func (e *Error) Error() string {
	s := "chip: " + e.Step
	if e.Offset > 0 {
		s += fmt.Sprintf(" at %d", e.Offset)
	}
	s += ": " + e.Reason.Error()
	if e.Status != 0 {
		s += fmt.Sprintf(" (status %04X)", e.Status)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the reason and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Reason}
	}
	return []error{e.Reason, e.Err}
}

func failed(step string, reason, err error) *Error {
	return &Error{Step: step, Reason: reason, Err: err}
}

// refused reports a status. A chip that answers without secure messaging has
// ended the session (9303-11 §9.8.7).
func refused(step string, reason error, a *answer) *Error {
	e := &Error{Step: step, Reason: reason, Status: uint16(a.SW)}
	if a.bare {
		e.Reason, e.lost = ErrSessionLost, true
	}
	return e
}

// sessionEnds are the statuses by which a chip says, unprotected, that secure
// messaging is over, or that it was reset and knows of none.
func sessionEnds(sw apdu.Status) bool {
	switch sw { //nolint:exhaustive // the statuses that say so, of many
	case apdu.SMNotSupported, apdu.SMMissing, apdu.SMIncorrect, apdu.SecurityStatus, apdu.UnknownCLA, apdu.UnknownINS,
		apdu.ConditionsOfUse, apdu.NotAllowed, apdu.Unknown, 0x6881, 0x6800:
		return true
	}
	return false
}
