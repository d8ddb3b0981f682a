package idp

import "errors"

// Error is a refusal that a person or a service can act on. Its code is stable
// and never carries data; a mapper turns it into a sentence. What caused it, if
// anything, is reachable with errors.Unwrap and meant for the operator only.
type Error struct {
	code  string
	cause error
}

// Error implements error. The text names the code and the cause, no values.
func (e *Error) Error() string {
	if e.cause == nil {
		return "idp: " + e.code
	}
	return "idp: " + e.code + ": " + e.cause.Error()
}

// Code returns the stable code, such as "login_expired".
func (e *Error) Code() string { return e.code }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is an Error with the same code, so that errors.Is
// finds the sentinels below whatever their cause.
func (e *Error) Is(target error) bool {
	t, ok := errors.AsType[*Error](target)
	return ok && t.code == e.code
}

func (e *Error) because(cause error) error { return &Error{code: e.code, cause: cause} }

// The refusals of this package. Compare with errors.Is.
var (
	// ErrLoginNotFound: no login has this id, or it is over (answered or expired).
	ErrLoginNotFound = &Error{code: "login_not_found"}
	// ErrLoginExpired: the login waited too long for an answer.
	ErrLoginExpired = &Error{code: "login_expired"}
	// ErrOtherBrowser: the login was begun in another browser.
	ErrOtherBrowser = &Error{code: "login_other_browser"}
	// ErrSignInAgain: the passkey was not used since this login began.
	ErrSignInAgain = &Error{code: "login_sign_in_again"}
	// ErrOtherPerson: the service asked for the person of an earlier login, and this is another account.
	ErrOtherPerson = &Error{code: "login_other_person"}
	// ErrPresentation: what the browser presented is not what this server signed for this account.
	ErrPresentation = &Error{code: "login_presentation_invalid"}
	// ErrEssentialMissing: an attribute that the service cannot do without was withheld.
	ErrEssentialMissing = &Error{code: "login_essential_missing"}
	// ErrLevelTooLow: the account's level is below the one that the service requires.
	ErrLevelTooLow = &Error{code: "login_level_too_low"}
	// ErrBusy: too many logins are waiting for an answer.
	ErrBusy = &Error{code: "login_busy"}
)

// storeError marks a failure of the store, so that it is answered as a fault of
// the server and its text stays out of every answer.
type storeError struct{ cause error }

func (e *storeError) Error() string { return "idp store: " + e.cause.Error() }
func (e *storeError) Unwrap() error { return e.cause }

func storeFailure(err error) error {
	if err == nil {
		return nil
	}
	return &storeError{cause: err}
}
