package account

import (
	"context"
	"time"
)

// Account is an account with its ways in.
type Account struct {
	// ID is random, 128 bits in base64url; it is the subject of the claims.
	ID string
	// Handle is the WebAuthn user handle: random, unrelated to ID.
	Handle []byte
	// Suite and PublicKey are the person's HPKE key.
	Suite     string
	PublicKey []byte
	// Level of the proofing: low, substantial or high.
	Level string
	// CreatedOn is a day, YYYY-MM-DD in UTC.
	CreatedOn string
	// Passkeys, in the order of their identifiers.
	Passkeys []Passkey
	// Recovery is nil when there is no code.
	Recovery *Recovery
}

// ways counts the ways in.
func (a Account) ways() int {
	n := len(a.Passkeys)
	if a.Recovery != nil {
		n++
	}
	return n
}

// Wrap is the person's private key, encrypted for one way in.
type Wrap struct {
	Salt, Wrapped []byte
}

// Passkey is a WebAuthn credential record (Level 3 §4) and its wrap.
type Passkey struct {
	ID         []byte
	PublicKey  []byte // COSE
	AAGUID     []byte // 16 bytes
	SignCount  uint32
	Transports []string
	// BackupEligible and BackupState say whether the passkey may be, and is, synced.
	BackupEligible, BackupState bool
	Name                        string
	CreatedOn                   string // YYYY-MM-DD
	Wrap                        Wrap
}

// Recovery is a recovery code, of which only a hash is known.
type Recovery struct {
	// AuthHash is the SHA-256 of the code's authentication value.
	AuthHash  [32]byte
	Wrap      Wrap
	CreatedOn string // YYYY-MM-DD
}

// Item is sealed to the person. Seq counts within the account; no time is kept.
type Item struct {
	Seq    int64
	Kind   string
	Sealed []byte
}

// Scope is what a session permits.
type Scope string

// The scopes.
const (
	ScopeFull     Scope = "full"     // opened with a passkey
	ScopeRecovery Scope = "recovery" // opened with a recovery code: to add a passkey
)

// Session is a signed-in browser. Only the hash of its token is stored.
type Session struct {
	TokenHash [32]byte
	Account   string
	Scope     Scope
	// AuthTime is when a passkey was last used for this session, to the
	// microsecond; zero when none was.
	AuthTime time.Time
	// IdleUntil and Ends bound the session's life, to the second.
	IdleUntil, Ends time.Time
}

// Ceremony is a WebAuthn ceremony that waits for its answer.
type Ceremony struct {
	// Hash is the SHA-256 of the challenge.
	Hash [32]byte
	// Kind is create, add or login.
	Kind string
	// Binding names whose it is: what began it must finish it.
	Binding string
	// State is the WebAuthn library's record of the ceremony.
	State   []byte
	Expires time.Time
}

// Store keeps accounts. Writes are durable when they return and safe to repeat:
// an error means that it is not known whether the write persisted. It is safe
// for concurrent use. Inside Atomically, the context given to the function
// carries the transaction, and every method called with it takes part.
type Store interface {
	Accounts
	Passkeys
	Sessions
	Ceremonies
	Items
	// Atomically runs f in one transaction: all of it or nothing.
	Atomically(ctx context.Context, f func(ctx context.Context) error) error
}

// Accounts keeps accounts as a whole.
type Accounts interface {
	// CreateAccount adds an account with its ways in and its first items. ErrPasskeyExists
	// when a passkey is registered already.
	CreateAccount(ctx context.Context, a Account, items []Item) error
	// Account reads an account, or ErrNoAccount.
	Account(ctx context.Context, id string) (Account, error)
	// AccountByPasskey finds the account of a credential, or ErrUnknownPasskey.
	AccountByPasskey(ctx context.Context, credentialID []byte) (Account, error)
	// AccountByRecovery finds the account of a recovery code, or ErrRecovery.
	AccountByRecovery(ctx context.Context, authHash [32]byte) (Account, error)
	// EraseAccount removes the account and everything of it, so that no trace stays
	// in the files. Without such an account it does nothing.
	EraseAccount(ctx context.Context, id string) error
}

// Passkeys keeps an account's ways in.
type Passkeys interface {
	// AddPasskey adds a passkey: ErrPasskeyExists, ErrNoAccount.
	AddPasskey(ctx context.Context, account string, p Passkey) error
	// UsePasskey records the counter and backup state of a successful use. Unless
	// any is set, the counter must be greater than the stored one, or both zero;
	// ErrSignCounter otherwise, ErrUnknownPasskey when it is gone.
	UsePasskey(ctx context.Context, credentialID []byte, signCount uint32, backupState, any bool) error
	// RenamePasskey: ErrUnknownPasskey when the account has no such passkey.
	RenamePasskey(ctx context.Context, account string, credentialID []byte, name string) error
	// RemovePasskey: ErrUnknownPasskey when the account has no such passkey.
	RemovePasskey(ctx context.Context, account string, credentialID []byte) error
	// SetRecovery replaces the recovery code: ErrNoAccount; ErrVault when another
	// account has a code with this hash.
	SetRecovery(ctx context.Context, account string, r Recovery) error
}

// Sessions keeps signed-in browsers.
type Sessions interface {
	// PutSession adds a session; ErrNoAccount when its account is gone.
	PutSession(ctx context.Context, s Session) error
	// TouchSession moves the idle end, or answers ErrNoSession: a session that was
	// ended meanwhile stays ended.
	TouchSession(ctx context.Context, hash [32]byte, idleUntil time.Time) error
	// SessionByToken finds a session by its token's hash, or ErrNoSession. Whether
	// it is over is for the caller to see.
	SessionByToken(ctx context.Context, hash [32]byte) (Session, error)
	// EndSession removes a session, if it exists.
	EndSession(ctx context.Context, hash [32]byte) error
	// EndSessions removes every session of the account but one.
	EndSessions(ctx context.Context, account string, but [32]byte) error
}

// Ceremonies keeps challenges.
type Ceremonies interface {
	// SweepAccounts removes sessions and ceremonies that are over at now.
	SweepAccounts(ctx context.Context, now time.Time) (removed int, err error)
	// PutCeremony adds a ceremony.
	PutCeremony(ctx context.Context, c Ceremony) error
	// TakeCeremony removes a ceremony and returns it, to one caller only; it
	// answers ErrChallengeExpired when there is none or it is over at now.
	TakeCeremony(ctx context.Context, hash [32]byte, now time.Time) (Ceremony, error)
}

// Items keeps what is sealed to people.
type Items interface {
	// AppendItem adds an item, numbered by the store, and drops the oldest items of
	// the same kind beyond keep; ErrNoAccount when the account is gone.
	AppendItem(ctx context.Context, account string, item Item, keep int) error
	// Items lists the account's items, oldest first.
	Items(ctx context.Context, account string) ([]Item, error)
}
