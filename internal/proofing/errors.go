package proofing

import "errors"

// Errors of the Service, to be told apart with errors.Is.
var (
	// ErrNoSession: no session belongs to this token.
	ErrNoSession = errors.New("proofing: no such session")
	// ErrState: the session is not where this request fits.
	ErrState = errors.New("proofing: not possible in this state")
	// ErrExpired: the session has expired.
	ErrExpired = errors.New("proofing: session expired")
	// ErrNoConsent: no valid receipt permits this check.
	ErrNoConsent = errors.New("proofing: no consent for this check")
	// ErrConsentChanged: the person agreed to another text than the one in force.
	ErrConsentChanged = errors.New("proofing: consent is for another text")
	// ErrNoReader: no reader is connected to this session.
	ErrNoReader = errors.New("proofing: no reader connected")
	// ErrRunning: a reading or a face run is already going on in this session.
	ErrRunning = errors.New("proofing: already running")
	// ErrNoAttempts: the attempts of this step are used up.
	ErrNoAttempts = errors.New("proofing: no attempts left")
	// ErrInput: what the person typed cannot open a document.
	ErrInput = errors.New("proofing: unusable document access data")
	// ErrBusy: the server has no room now; errors.As to *fair.Later says when to try again.
	ErrBusy = errors.New("proofing: busy")
	// ErrRunOver: the face run has ended, was interrupted or took too long.
	ErrRunOver = errors.New("proofing: face run is over")
	// ErrInternal: a fault of the server; the session goes on where it can.
	ErrInternal = errors.New("proofing: internal fault")
	// ErrConflict: another process changed the session; load it again.
	ErrConflict = errors.New("proofing: session changed elsewhere")
	// ErrNoCase: no case at the counter has this code, or it was used or has expired.
	ErrNoCase = errors.New("proofing: no such case")
	// ErrCaseOpen: the agent has another case open.
	ErrCaseOpen = errors.New("proofing: another case is open")
	// ErrAgent is for Agents to return: the agent has not signed this decision, or may not.
	ErrAgent = errors.New("proofing: decision not signed by the agent")
	// ErrClosed: the service is shutting down.
	ErrClosed = errors.New("proofing: service closed")
	// ErrPortrait is for a FaceChecker to return when the chip's portrait holds
	// no usable face: no attempt with the camera can succeed.
	ErrPortrait = errors.New("proofing: portrait unusable")
)

// Failure is why one reading of a chip did not complete, as a code for the page.
type Failure string

// The failures of a reading.
const (
	FailureAccessDenied Failure = "access_denied"        // the chip refused the typed data or the CAN
	FailureCardLost     Failure = "card_lost"            // the document left the reader
	FailureReaderLost   Failure = "reader_lost"          // the reader or its connection vanished
	FailureSecure       Failure = "secure_messaging"     // the protected conversation broke
	FailureChip         Failure = "read_failed"          // the chip answered something unusable
	FailureUnsupported  Failure = "unsupported_document" // a document this version cannot read
	FailureNoPassport   Failure = "no_chip_application"  // a chip, but of no passport or identity card
	FailureTimeout      Failure = "timeout"              // it took too long
	FailureInternal     Failure = "unknown"              // a fault of the server
)

// ReadError is how a ChipReader says why a reading failed.
type ReadError struct {
	// Code for the person.
	Code Failure
	// Err is the cause, for the operator; it holds no data values.
	Err error
}

// Error implements error.
func (e *ReadError) Error() string {
	if e.Err == nil {
		return "read document: " + string(e.Code)
	}
	return "read document: " + string(e.Code) + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *ReadError) Unwrap() error { return e.Err }
