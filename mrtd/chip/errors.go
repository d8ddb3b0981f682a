package chip

import (
	"errors"
	"fmt"
	"strings"

	"ipse/mrtd/internal/apdu"
	"ipse/mrtd/lds"
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

	lost    bool // a fresh session may succeed
	command int  // which of the commands sent together
}

// File is the file that was being read, "" at other steps.
func (e *Error) File() lds.FileID {
	name, _ := strings.CutPrefix(e.Step, readStep)
	if id := lds.FileID(name); id.Valid() {
		return id
	}
	return ""
}

// readStep begins the steps that read a file.
const readStep = "read "

// Clause is where the standard says what the chip did not do, for example "ICAO
// 9303-11 §4.3"; "" where the cause lies elsewhere: in the options, the limits, or
// between reader and chip.
func (e *Error) Clause() string {
	switch {
	case errors.Is(e.Reason, ErrOptions), errors.Is(e.Reason, ErrLimit), errors.Is(e.Reason, ErrCard):
		return ""
	case errors.Is(e.Reason, ErrSessionLost):
		return "ICAO 9303-11 §9.8.7"
	}
	for _, c := range []struct{ step, clause string }{
		{"access data", "§9.7.2"}, {"access", "§4.2"}, {"BAC", "§4.3"},
		{"PACE, step 1", "§4.4.4.1"}, {"PACE, step 2", "§4.4.3.3"}, {"PACE, step 3", "§4.4.1"}, {"PACE, step 4", "§4.4.3.4"}, {"PACE", "§9.2.1"},
		{"read CardAccess", "§9.2.11"}, {"chip authentication", "§6.2"}, {"active authentication", "§6.1"},
	} {
		if e.Step == c.step {
			return "ICAO 9303-11 " + c.clause
		}
	}
	switch {
	case errors.Is(e.Reason, ErrSecureMessaging):
		return "ICAO 9303-11 §9.8"
	case errors.Is(e.Reason, ErrNoApplication), e.Step == selectStep:
		return "ICAO 9303-10 §3.11.1"
	case e.File() != "":
		return "ICAO 9303-10 §3.6.3"
	}
	return ""
}

// Error implements error.
func (e *Error) Error() string {
	s := "chip: " + e.Step
	if e.File() != "" {
		s += fmt.Sprintf(" at %d", e.Offset)
	}
	s += ": " + e.Reason.Error()
	if e.Status != 0 {
		s += fmt.Sprintf(" (status %04X)", e.Status)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if clause := e.Clause(); clause != "" {
		s += " [" + clause + "]"
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
