package account

import "errors"

// Errors of the Service, to be told apart with errors.Is. None carries a value
// of a person or a secret.
var (
	// ErrNoSession: no live session has this token.
	ErrNoSession = errors.New("account: no such session")
	// ErrScope: a session opened with a recovery code may only read and add a passkey.
	ErrScope = errors.New("account: session does not permit this")
	// ErrNotFresh: this needs a passkey used in the last minutes.
	ErrNotFresh = errors.New("account: passkey use too long ago")
	// ErrChallengeExpired: the ceremony is unknown, used, expired or another person's.
	ErrChallengeExpired = errors.New("account: challenge unknown, used or expired")
	// ErrCredential: the authenticator's answer is malformed or does not verify.
	ErrCredential = errors.New("account: credential does not verify")
	// ErrNoPRF: the passkey has no PRF, so that it could not open the vault.
	ErrNoPRF = errors.New("account: passkey without PRF")
	// ErrSecretSent: the answer carries the PRF's output, which must stay in the browser.
	ErrSecretSent = errors.New("account: answer carries the PRF output")
	// ErrUnknownPasskey: no account has this passkey.
	ErrUnknownPasskey = errors.New("account: unknown passkey")
	// ErrPasskeyExists: this passkey is registered already.
	ErrPasskeyExists = errors.New("account: passkey exists")
	// ErrSignCounter: the signature counter went back: the passkey may have been copied.
	ErrSignCounter = errors.New("account: signature counter went back")
	// ErrTooManyPasskeys: the account has as many passkeys as it may.
	ErrTooManyPasskeys = errors.New("account: too many passkeys")
	// ErrLastWayIn: two ways in must remain.
	ErrLastWayIn = errors.New("account: two ways in must remain")
	// ErrName: a passkey's name is empty, too long or not printable.
	ErrName = errors.New("account: unusable passkey name")
	// ErrVault: the vault's key, a wrap or the recovery material has the wrong form.
	ErrVault = errors.New("account: unusable vault material")
	// ErrRecovery: no account has this recovery code.
	ErrRecovery = errors.New("account: recovery code refused")
	// ErrLimited: too many tries; errors.As to *fair.Later says when to try again.
	ErrLimited = errors.New("account: too many tries")
	// ErrNoAccount: no such account; it may have been erased meanwhile.
	ErrNoAccount = errors.New("account: no such account")
)
