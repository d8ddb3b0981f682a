// Package relay carries APDUs between the server, which drives the chip, and a
// reader that is elsewhere: a phone, a laptop with a PC/SC reader, a kiosk.
//
// The Hub is the server's side. It issues pairing codes that a person types
// into (or scans with) the program beside the reader, accepts that program's
// WebSocket, and offers the reader as a card. Connect is the reader's side. The
// relay sees secure messaging's ciphertext only (ICAO 9303-11 §9.8), after the
// select and access control commands that precede it, and keeps nothing.
//
// The protocol is described in docs/relay.md; protocol.go is its code.
package relay
