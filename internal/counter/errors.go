package counter

import "errors"

// Errors of this package, to be told apart with errors.Is. None carries a value of
// a person, an agent or a secret.
var (
	// ErrNoSession: no agent is signed in with this token.
	ErrNoSession = errors.New("counter: no such session")
	// ErrEnrolment: the enrolment code is unknown, used or expired.
	ErrEnrolment = errors.New("counter: enrolment code unknown, used or expired")
	// ErrPasskey: the answer is malformed, replayed or too late, does not verify, or
	// is of no agent who may sign.
	ErrPasskey = errors.New("counter: passkey's answer refused")
	// ErrChecklist: a decision without what it rests on: an approval needs every
	// item and no reason, a refusal needs a reason.
	ErrChecklist = errors.New("counter: checklist and decision do not fit")
	// ErrNoCase: no case has this code, or the agent has none open.
	ErrNoCase = errors.New("counter: no such case")
	// ErrLimited: too many wrong codes; errors.As to *fair.Later says when to try again.
	ErrLimited = errors.New("counter: too many wrong codes")
	// ErrName: an agent's name is empty, too long or not printable.
	ErrName = errors.New("counter: unusable name of an agent")
	// ErrNoAgent: no agent has this identifier, or they were removed.
	ErrNoAgent = errors.New("counter: no such agent")
	// ErrEvidence: a kept decision does not verify.
	ErrEvidence = errors.New("counter: evidence does not verify")
)
