package vault

import "errors"

// Errors, to be told apart with errors.Is. None carries a value of a person.
var (
	// ErrKey: the person's public key or its suite is not usable.
	ErrKey = errors.New("vault: unusable public key")
	// ErrWrap: a wrapped private key has the wrong form.
	ErrWrap = errors.New("vault: unusable wrap")
	// ErrAttributes: attributes that cannot be signed.
	ErrAttributes = errors.New("vault: unusable attributes")
	// ErrMalformed: a presentation that is not in the form of an SD-JWT of ours.
	ErrMalformed = errors.New("vault: malformed presentation")
	// ErrSignature: a presentation that this server did not sign.
	ErrSignature = errors.New("vault: presentation not signed by this server")
	// ErrNotTheirs: a presentation of another account.
	ErrNotTheirs = errors.New("vault: presentation of another account")
	// ErrExpired: claims past their validity, or from the future.
	ErrExpired = errors.New("vault: claims not valid at this time")
	// ErrNotSigned: a disclosure that is not among the signed digests.
	ErrNotSigned = errors.New("vault: disclosure not among the signed digests")
	// ErrNotAllowed: a disclosure that was not asked for.
	ErrNotAllowed = errors.New("vault: disclosure of more than was asked for")
)
