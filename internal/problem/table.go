package problem

import (
	"net/http"

	"ipse/internal/account"
	"ipse/internal/consent"
	"ipse/internal/counter"
	"ipse/internal/proofing"
	"ipse/internal/vault"
)

// Code names a kind of problem.
type Code string

// The codes. The pages have sentences for each.
const (
	Internal            Code = "internal"
	Unavailable         Code = "unavailable"
	Busy                Code = "busy"
	RateLimited         Code = "rate_limited"
	InvalidRequest      Code = "invalid_request"
	TooLarge            Code = "too_large"
	Forbidden           Code = "forbidden"
	NotFound            Code = "not_found"
	NoProofing          Code = "no_proofing"
	WrongState          Code = "wrong_state"
	Expired             Code = "expired"
	ConsentRequired     Code = "consent_required"
	ConsentChanged      Code = "consent_changed"
	InvalidDocument     Code = "invalid_document"
	ReaderNotConnected  Code = "reader_not_connected"
	AttemptsExhausted   Code = "attempts_exhausted"
	SignedOut           Code = "signed_out"
	PasskeyNeeded       Code = "passkey_needed"
	PasskeyRefused      Code = "passkey_refused"
	PasskeyExists       Code = "passkey_exists"
	TooManyPasskeys     Code = "too_many_passkeys"
	PRFUnsupported      Code = "prf_unsupported"
	LastPasskey         Code = "last_passkey"
	RecoveryRefused     Code = "recovery_refused"
	LoginUnknown        Code = "login_unknown"
	LoginExpired        Code = "login_expired"
	PresentationRefused Code = "presentation_refused"
	EssentialMissing    Code = "essential_missing"
	LevelTooLow         Code = "level_too_low"
	CaseUnknown         Code = "case_unknown"
	CaseOpen            Code = "case_open"
	EnrolmentUnknown    Code = "enrolment_unknown"
	AgentRefused        Code = "agent_refused"
)

// kind is what a code means to programs.
type kind struct {
	code   Code
	status int
	title  string
}

// kinds lists every code once.
func kinds() []kind {
	return []kind{
		{Internal, http.StatusInternalServerError, "The server failed."},
		{Unavailable, http.StatusServiceUnavailable, "This part of the service is not available."},
		{Busy, http.StatusServiceUnavailable, "The server has no room for this now."},
		{RateLimited, http.StatusTooManyRequests, "Too many requests in a short time."},
		{InvalidRequest, http.StatusBadRequest, "The request does not have the form that is expected."},
		{TooLarge, http.StatusRequestEntityTooLarge, "The request is too large."},
		{Forbidden, http.StatusForbidden, "The request is not permitted from here or for this session."},
		{NotFound, http.StatusNotFound, "There is nothing here."},
		{NoProofing, http.StatusNotFound, "This browser has no identity check under way."},
		{WrongState, http.StatusConflict, "The check does not stand where this request fits."},
		{Expired, http.StatusGone, "The check has expired."},
		{ConsentRequired, http.StatusForbidden, "No consent permits this."},
		{ConsentChanged, http.StatusConflict, "The consent is for another text than the one in force."},
		{InvalidDocument, http.StatusUnprocessableEntity, "These data cannot open a document."},
		{ReaderNotConnected, http.StatusConflict, "No reader is connected."},
		{AttemptsExhausted, http.StatusConflict, "No attempt is left."},
		{SignedOut, http.StatusUnauthorized, "No session is open."},
		{PasskeyNeeded, http.StatusForbidden, "The passkey must be used again."},
		{PasskeyRefused, http.StatusUnauthorized, "The passkey's answer is not accepted."},
		{PasskeyExists, http.StatusConflict, "The passkey is registered already."},
		{TooManyPasskeys, http.StatusConflict, "The account has as many passkeys as it may."},
		{PRFUnsupported, http.StatusUnprocessableEntity, "The passkey has no PRF."},
		{LastPasskey, http.StatusConflict, "Two ways in must remain."},
		{RecoveryRefused, http.StatusUnauthorized, "The recovery code is not accepted."},
		{LoginUnknown, http.StatusNotFound, "This login is not known to this browser."},
		{LoginExpired, http.StatusGone, "The login has expired."},
		{PresentationRefused, http.StatusUnprocessableEntity, "The presentation is not accepted."},
		{EssentialMissing, http.StatusUnprocessableEntity, "An essential attribute is missing."},
		{LevelTooLow, http.StatusForbidden, "The account's level is too low."},
		{CaseUnknown, http.StatusNotFound, "No case is open with this code."},
		{CaseOpen, http.StatusConflict, "Another case is open."},
		{EnrolmentUnknown, http.StatusNotFound, "The enrolment code is unknown, used or expired."},
		{AgentRefused, http.StatusForbidden, "The answer of the agent's passkey is not accepted."},
	}
}

func (c Code) problem() Problem {
	for _, k := range kinds() {
		if k.code == c {
			return Problem{Type: "urn:ipse:problem:" + string(c), Title: k.title, Status: k.status, Code: c}
		}
	}
	return Internal.problem()
}

// row says which code stands for a sentinel error.
type row struct {
	err  error
	code Code
}

// rows is the table: the first that an error is, counts. Services stand before
// what they use, so that a service's own meaning of a cause comes first.
func rows() []row {
	return []row{
		{proofing.ErrNoSession, NoProofing},
		{proofing.ErrState, WrongState},
		{proofing.ErrExpired, Expired},
		{proofing.ErrNoConsent, ConsentRequired},
		{proofing.ErrConsentChanged, ConsentChanged},
		{proofing.ErrNoReader, ReaderNotConnected},
		{proofing.ErrRunning, WrongState},
		{proofing.ErrNoAttempts, AttemptsExhausted},
		{proofing.ErrInput, InvalidDocument},
		{proofing.ErrBusy, Busy},
		{proofing.ErrRunOver, WrongState},
		{proofing.ErrConflict, WrongState},
		{proofing.ErrNoCase, CaseUnknown},
		{proofing.ErrCaseOpen, CaseOpen},
		{proofing.ErrAgent, AgentRefused},
		{proofing.ErrClosed, Unavailable},
		{proofing.ErrPortrait, WrongState}, // the session is refused then: the page asks where it stands
		{proofing.ErrInternal, Internal},

		{counter.ErrNoSession, SignedOut},
		{counter.ErrEnrolment, EnrolmentUnknown},
		{counter.ErrPasskey, AgentRefused},
		{counter.ErrChecklist, InvalidRequest},
		{counter.ErrNoCase, CaseUnknown},
		{counter.ErrLimited, RateLimited},
		{counter.ErrName, InvalidRequest},
		{counter.ErrNoAgent, NotFound},
		{counter.ErrEvidence, Internal},

		{account.ErrNoSession, SignedOut},
		{account.ErrScope, PasskeyNeeded},
		{account.ErrNotFresh, PasskeyNeeded},
		{account.ErrChallengeExpired, PasskeyRefused},
		{account.ErrCredential, PasskeyRefused},
		{account.ErrNoPRF, PRFUnsupported},
		{account.ErrSecretSent, InvalidRequest},
		{account.ErrUnknownPasskey, PasskeyRefused},
		{account.ErrPasskeyExists, PasskeyExists},
		{account.ErrSignCounter, PasskeyRefused},
		{account.ErrTooManyPasskeys, TooManyPasskeys},
		{account.ErrLastWayIn, LastPasskey},
		{account.ErrName, InvalidRequest},
		{account.ErrVault, InvalidRequest},
		{account.ErrRecovery, RecoveryRefused},
		{account.ErrLimited, RateLimited},
		{account.ErrNoAccount, SignedOut},

		{vault.ErrKey, InvalidRequest},
		{vault.ErrWrap, InvalidRequest},
		{vault.ErrAttributes, Internal},
		{vault.ErrMalformed, PresentationRefused},
		{vault.ErrSignature, PresentationRefused},
		{vault.ErrNotTheirs, PresentationRefused},
		{vault.ErrExpired, PresentationRefused},
		{vault.ErrNotSigned, PresentationRefused},
		{vault.ErrNotAllowed, PresentationRefused},

		{consent.ErrSignature, ConsentRequired},
		{consent.ErrNotPermitted, ConsentRequired},
		{consent.ErrUnknownLanguage, InvalidRequest},
		{consent.ErrUnknownRoute, InvalidRequest},
	}
}

// namedCodes maps the codes of errors that name their own (see coded).
func namedCodes() map[string]Code {
	return map[string]Code{
		"login_not_found":            LoginUnknown,
		"login_expired":              LoginExpired,
		"login_other_browser":        LoginUnknown,
		"login_sign_in_again":        PasskeyNeeded,
		"login_other_person":         PasskeyRefused, // of another account than the one asked for
		"login_presentation_invalid": PresentationRefused,
		"login_essential_missing":    EssentialMissing,
		"login_level_too_low":        LevelTooLow,
		"login_busy":                 Busy,
		"store_unavailable":          Unavailable,
	}
}
