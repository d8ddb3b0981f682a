package counter

import (
	"context"
	"time"
)

// Agent is one of the operator's staff at the counter.
type Agent struct {
	// ID is random, 128 bits in hexadecimal: what statements call the agent, and what is
	// typed on the command line.
	ID string
	// Name as the operator wrote it.
	Name string
	// AddedOn and RemovedOn are days, YYYY-MM-DD in UTC; RemovedOn is empty while
	// the agent is one.
	AddedOn, RemovedOn string
	// Handle is the WebAuthn user handle: random.
	Handle []byte
	// Key is nil until the agent has registered a passkey, and after their removal.
	Key *Key
}

// Key is an agent's passkey (WebAuthn Level 3 §4, credential record).
type Key struct {
	// ID is the credential's identifier.
	ID []byte
	// PublicKey is a COSE key.
	PublicKey []byte
	SignCount uint32
	// BackupEligible and BackupState say whether the passkey may be, and is, synced.
	BackupEligible, BackupState bool
}

// Enrolment lets one passkey be registered, once. Only the hash of its code is kept.
type Enrolment struct {
	Hash    [32]byte
	Expires time.Time
}

// Session is a signed-in agent. Only the hash of its token is stored.
type Session struct {
	TokenHash [32]byte
	Agent     string
	// IdleUntil and Ends bound the session's life, to the second.
	IdleUntil, Ends time.Time
}

// Decision is the evidence of one decision. It holds nothing of the person.
type Decision struct {
	// Case is the random number of the opening of the case, Agent an Agent.ID.
	Case, Agent string
	// At is the minute of the statement.
	At time.Time
	// Statement is what was signed: canonical JSON, see Check.
	Statement []byte
	// KeyID, PublicKey, BackupEligible are those of the passkey that signed.
	KeyID, PublicKey []byte
	BackupEligible   bool
	// Answer is the passkey's AuthenticationResponseJSON, reduced to what a
	// verifier needs.
	Answer []byte
}

// Store keeps agents and what they sign. Writes are durable when they return and
// safe to repeat: an error means that it is not known whether the write persisted.
// It is safe for concurrent use, also by several processes: the command line
// writes while the server runs. Inside Atomically, the context given to the function
// carries the transaction, and every method called with it takes part.
type Store interface {
	Roll
	Keys
	Sessions
	Decisions
	// Atomically runs f in one transaction: all of it or nothing.
	Atomically(ctx context.Context, f func(ctx context.Context) error) error
}

// Roll keeps the list of agents.
type Roll interface {
	// AddAgent adds an agent with an enrolment.
	AddAgent(ctx context.Context, a Agent, e Enrolment) error
	// Agents lists all agents, also those removed, in the order of their identifiers.
	Agents(ctx context.Context) ([]Agent, error)
	// RemoveAgent ends the agent's sessions and forgets passkey and enrolment. The
	// record stays, with the day, while a decision of theirs is kept, and goes at
	// once when there is none. ErrNoAgent, also when they were removed before.
	RemoveAgent(ctx context.Context, id, day string) error
}

// Keys keeps the agents' passkeys.
type Keys interface {
	// AgentByEnrolment finds the agent whom an enrolment lets register, or ErrEnrolment.
	AgentByEnrolment(ctx context.Context, hash [32]byte, now time.Time) (Agent, error)
	// EnrolAgent spends the enrolment and keeps the passkey: ErrEnrolment when it is
	// spent or over, ErrPasskey when the passkey is another agent's.
	EnrolAgent(ctx context.Context, hash [32]byte, now time.Time, k Key) error
	// AgentByKey finds the agent of a credential, or ErrPasskey.
	AgentByKey(ctx context.Context, credentialID []byte) (Agent, error)
	// UseKey records counter and backup state of a successful use. Unless the passkey
	// may be synced, the counter must have grown, or both be zero; ErrPasskey
	// otherwise, and when the passkey is gone.
	UseKey(ctx context.Context, credentialID []byte, signCount uint32, backupState bool) error
}

// Sessions keeps signed-in agents.
type Sessions interface {
	// PutAgentSession adds a session in place of every other of the agent; ErrNoAgent.
	PutAgentSession(ctx context.Context, s Session) error
	// AgentSession finds a session and its agent by the token's hash, or ErrNoSession.
	// Whether it is over is for the caller to see.
	AgentSession(ctx context.Context, hash [32]byte) (Session, Agent, error)
	// TouchAgentSession moves the idle end, or answers ErrNoSession.
	TouchAgentSession(ctx context.Context, hash [32]byte, idleUntil time.Time) error
	// EndAgentSession removes a session, if it exists.
	EndAgentSession(ctx context.Context, hash [32]byte) error
}

// Decisions keeps the evidence.
type Decisions interface {
	// KeepDecision adds a decision. ErrPasskey when the case has one that differs.
	KeepDecision(ctx context.Context, d Decision) error
	// Decisions calls f with every decision, oldest first, until it returns an error.
	Decisions(ctx context.Context, f func(Decision) error) error
	// SweepCounter removes the sessions and enrolments that are over at now, the
	// decisions made before keptSince, and the records of removed agents of whom no
	// decision is left.
	SweepCounter(ctx context.Context, now, keptSince time.Time) (removed int, err error)
}
