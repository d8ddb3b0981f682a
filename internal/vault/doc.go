// Package vault makes and checks what a person keeps: their verified attributes,
// signed by the server and sealed to a key that only the person's passkey or
// recovery code opens, and the journal of where their identity was used, sealed
// the same way.
//
// Nothing here opens a sealed item. The person's private key is made in the
// browser and never reaches the server; package vaulttest plays the browser for tests.
//
// # Claims
//
// Claims are an SD-JWT (RFC 9901) signed with ES256. One disclosure per attribute
// lets the person hand on some and keep the others. Decoy digests and padding give
// every person's claims the same shape and nearly the same length, so that the
// sealed item's size does not tell a minor, or a long name.
//
// # Sealing
//
// HPKE (RFC 9180) in base mode with the hybrid KEM MLKEM768-X25519, HKDF-SHA256
// and AES-256-GCM: a database copied today stays closed to a quantum computer of later.
package vault
