// Package account keeps accounts: the passkeys and the recovery code that open
// them, sessions, and the sealed items that belong to them.
//
// An account names nobody. It has a random identifier, the person's public key,
// that key's private half wrapped once for each way in, and items sealed to it
// (see package vault). Nothing here can open them.
//
// Passkeys follow WebAuthn Level 3: discoverable, user verification required, PRF
// extension required (its output is what the wraps are made with, and must never
// reach the server: an answer that carries it is refused), attestation none. This
// package is the only importer of the WebAuthn library: Signers verifies the
// passkeys of the agents at the counter, which open no account.
//
// # Ceremonies
//
// Every ceremony's challenge is kept in the store, by its hash, until it is used
// or expires; it survives a restart. A login's challenge is spent by the first answer,
// right or wrong. The challenge of a new passkey is spent in the transaction that
// keeps the passkey: if that transaction fails, the same answer may be sent again.
//
// # Ways in
//
// An account has at least two ways in, from its first moment: a passkey and a
// recovery code. The code can be replaced and not removed; a passkey can be
// removed while two ways remain.
package account
