// Package vpcd speaks the protocol of the virtual smart card reader vpcd (of
// the vsmartcard project) from both ends.
//
// Listen is the reader's end: it waits for a virtual card (such as vicc, or
// Serve elsewhere) and offers it as a card, without any PC/SC daemon. Serve is
// the card's end: it presents a software card to a vpcd reader, so that any PC/SC
// program can read it.
//
// The protocol is one TCP connection, opened by the card; every message is a
// length of two octets, big endian, and that many octets. The reader sends
// commands; a message of one octet is a control code. The card answers commands
// and requests for its answer to reset (ATR) and nothing else. It has neither
// authentication nor encryption: use it on the loopback interface.
package vpcd

import (
	"context"
	"errors"
)

// DefaultPort is the TCP port where vpcd listens.
const DefaultPort = 35963

// MaxMessage is the largest message, in octets: a command or answer of extended
// length that fills the 16-bit length field.
const MaxMessage = 1<<16 - 1

// Control codes (one-octet messages of the reader).
const (
	controlOff   = 0
	controlOn    = 1
	controlReset = 2
	controlATR   = 4
)

// maxATR is the longest answer to reset (ISO/IEC 7816-3 §8.2.1).
const maxATR = 33

// Card is a card that answers command APDUs. It is the method set of
// mrtd/chip.Card, so that either type serves as the other.
type Card = interface {
	// Transmit sends a command APDU and returns the response with SW1 SW2. An
	// error means that the card is gone.
	Transmit(ctx context.Context, command []byte) (response []byte, err error)
}

// Reasons an exchange fails; errors of this package wrap one of them.
var (
	// ErrGone: the other end closed the connection: the card was taken away.
	ErrGone = errors.New("vpcd: the virtual card is gone")
	// ErrTimeout: the other end did not answer in time.
	ErrTimeout = errors.New("vpcd: no answer in time")
	// ErrProtocol: the other end sent what the protocol does not allow.
	ErrProtocol = errors.New("vpcd: not the vpcd protocol")
	// ErrTooLong: a command or answer does not fit one message.
	ErrTooLong = errors.New("vpcd: message too long")
	// ErrClosed: the listener or connection was closed on this end.
	ErrClosed = errors.New("vpcd: closed")
)

// DefaultATR is that of a contactless card without historical bytes (PC/SC part
// 3 §3.1.3.2.3.1, T=0 and T=1): readers built on libnfc insist on it.
func DefaultATR() []byte { return []byte{0x3B, 0x80, 0x80, 0x01, 0x01} }
