// Package proofing checks who a person is, once, at their own demand: consent,
// document, then either the camera or a counter, then an account.
//
// Policy.Next is the pure state machine: no clock, no randomness, no I/O. The
// Service around it holds what a session needs (the chip's attributes and
// portrait) in memory only, executes the machine's effects, and wipes the
// material on every exit: acceptance, refusal, abandonment, expiry, a failed
// write, a panic, shutdown.
//
// What is persisted of a session (Session) names nobody. Between acceptance
// and the creation of the account the verified attributes are persisted
// encrypted under a key that only the person's session cookie yields; the
// database holds the SHA-256 of that cookie.
//
// The camera and the counter end in the same accepted state: from then on
// neither the stored row nor any view tells which was taken.
//
// Sources: ETSI TS 119 461 v2.1.1 (VAL-8.3.2: fresh challenge, chip read again
// after an interruption; BIN-8.4.2: cap on retries), (EU) 2015/1502 annex 2.1.2.
package proofing
