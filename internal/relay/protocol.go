package relay

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Protocol is the version spoken, in the hello and the welcome.
const Protocol = "ipse-relay/1"

// Path is where a server offers the relay.
const Path = "/api/relay"

// Limits of the protocol, in bytes and counts.
const (
	// minCommand is CLA INS P1 P2; maxCommand an extended command with data and
	// Le (ISO/IEC 7816-4 §5.1: 4 + 3 + 65535 + 2).
	minCommand, maxCommand = 4, 65544
	// minAnswer is SW1 SW2; maxAnswer 65536 bytes and SW1 SW2.
	minAnswer, maxAnswer = 2, 65538
	// MaxBatch is how many commands travel in one message.
	MaxBatch   = 16
	maxText    = 4 << 10
	maxMessage = 256 << 10
	headerLen  = 7
)

// Kinds of binary messages.
const (
	kindCommands byte = 0x01 // server to reader
	kindAnswers  byte = 0x02 // reader to server
)

// Status of the answers.
const (
	statusDone       byte = 0 // every command was answered
	statusStopped    byte = 1 // an answer was not 9000: the rest was not sent to the chip
	statusCardLost   byte = 2 // the document left the reader
	statusReaderLost byte = 3 // the reader itself failed
)

// message is every JSON message of the protocol; a type uses some members.
type message struct {
	Type       string `json:"type"`
	Protocol   string `json:"protocol,omitempty"`
	Code       string `json:"code,omitempty"`          // hello: pairing code; refused: why
	Reader     string `json:"reader,omitempty"`        // hello: kind of reader, for the operator's log
	MaxBatch   int    `json:"max_batch,omitempty"`     // welcome
	RetryAfter int    `json:"retry_after_s,omitempty"` // refused
}

// Types of JSON messages.
const (
	typeHello   = "hello"   // reader: first message
	typeWelcome = "welcome" // server: the code was good
	typeRefused = "refused" // server: it was not; the connection ends
	typeBye     = "bye"     // server: the reader is not needed any more
)

// Codes of a refusal.
const (
	refusedCode    = "wrong_code"
	refusedTooMany = "too_many_attempts"
	refusedVersion = "unknown_protocol"
	refusedBusy    = "busy"
	refusedHello   = "bad_hello"
)

// frame is a binary message: commands or their answers.
//
//	kind (1) | id (4, big endian) | status (1, 0 in commands) | count (1) | count x ( length (4) | bytes )
type frame struct {
	kind   byte
	id     uint32
	status byte
	items  [][]byte
}

// errFrame is any malformed binary message.
var errFrame = errors.New("relay: malformed message")

// encode serialises the frame, or fails when it breaks a limit.
func (f frame) encode() ([]byte, error) {
	size := headerLen
	for _, item := range f.items {
		size += 4 + len(item)
	}
	if len(f.items) > MaxBatch || size > maxMessage {
		return nil, fmt.Errorf("%w: too large", errFrame)
	}
	out := make([]byte, headerLen, size)
	out[0], out[5], out[6] = f.kind, f.status, byte(len(f.items))
	binary.BigEndian.PutUint32(out[1:], f.id)
	for _, item := range f.items {
		out = binary.BigEndian.AppendUint32(out, uint32(len(item)))
		out = append(out, item...)
	}
	return out, nil
}

// decodeFrame parses a binary message of the kind expected. Every item lies
// within the limits of its kind, and nothing is left over.
func decodeFrame(raw []byte, kind byte) (frame, error) {
	if len(raw) < headerLen || len(raw) > maxMessage || raw[0] != kind {
		return frame{}, fmt.Errorf("%w: header", errFrame)
	}
	shortest, longest := minCommand, maxCommand
	if kind == kindAnswers {
		shortest, longest = minAnswer, maxAnswer
	}
	f := frame{kind: kind, id: binary.BigEndian.Uint32(raw[1:]), status: raw[5]}
	count := int(raw[6])
	if count > MaxBatch || f.status > statusReaderLost || (kind == kindCommands && (count == 0 || f.status != 0)) {
		return frame{}, fmt.Errorf("%w: header", errFrame)
	}
	rest := raw[headerLen:]
	for range count {
		if len(rest) < 4 {
			return frame{}, fmt.Errorf("%w: cut short", errFrame)
		}
		length := binary.BigEndian.Uint32(rest)
		rest = rest[4:]
		if uint64(length) > uint64(len(rest)) {
			return frame{}, fmt.Errorf("%w: cut short", errFrame)
		}
		if int(length) < shortest || int(length) > longest {
			return frame{}, fmt.Errorf("%w: an APDU out of bounds", errFrame)
		}
		f.items = append(f.items, rest[:length:length])
		rest = rest[length:]
	}
	if len(rest) > 0 {
		return frame{}, fmt.Errorf("%w: bytes left over", errFrame)
	}
	return f, nil
}

// decodeMessage parses a JSON message; members unknown to this version are ignored.
func decodeMessage(raw []byte) (message, error) {
	if len(raw) > maxText {
		return message{}, fmt.Errorf("%w: too long", errFrame)
	}
	var m message
	if err := json.Unmarshal(raw, &m); err != nil {
		return message{}, fmt.Errorf("%w: not JSON", errFrame)
	}
	return m, nil
}

// A pairing code has ten characters of an alphabet without those that are mistaken
// for one another when read aloud or typed (no 0 O, 1 I L, 5 S, 8 B, U V): 6.3e13
// codes, so many that guessing one of ten thousand valid ones is hopeless.
const (
	codeAlphabet = "234679ACDEFGHJKMNPQRTWXY"
	codeLength   = 10
)

// drawCode returns a random code.
func drawCode(random io.Reader) (string, error) {
	const limit = 256 / len(codeAlphabet) * len(codeAlphabet) // reject above it: no bias
	code := make([]byte, 0, codeLength)
	var b [1]byte
	for len(code) < codeLength {
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return "", fmt.Errorf("relay: draw code: %w", err)
		}
		if int(b[0]) < limit {
			code = append(code, codeAlphabet[int(b[0])%len(codeAlphabet)])
		}
	}
	return string(code), nil
}

// parseCode reads a pairing code as people type it, in either case: abcde-fghjk,
// ABCDE FGHJK, ABCDEFGHJK.
func parseCode(typed string) (string, bool) {
	code := strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(typed))
	return code, len(code) == codeLength && strings.Trim(code, codeAlphabet) == ""
}

// Error is a failure of the relay or of the reader behind it. It wraps one of
// the sentinels below.
type Error struct {
	kind       error
	RetryAfter time.Duration // of ErrTooMany and ErrBusy
}

// Error implements error.
func (e *Error) Error() string { return e.kind.Error() }

// Unwrap returns the sentinel.
func (e *Error) Unwrap() error { return e.kind }

// ReaderLost reports that the reader or its connection is gone.
func (e *Error) ReaderLost() bool { return errors.Is(e.kind, ErrGone) || errors.Is(e.kind, ErrAnswer) }

// CardLost reports that the document left the reader.
func (e *Error) CardLost() bool { return errors.Is(e.kind, ErrCardLost) }

// Sentinels, to be told apart with errors.Is.
var (
	// ErrGone: the other side, or the reader, vanished.
	ErrGone = errors.New("relay: connection to the reader lost")
	// ErrCardLost: the document left the reader.
	ErrCardLost = errors.New("relay: document left the reader")
	// ErrAnswer: the relay answered something malformed, cut or oversized; the
	// connection is closed.
	ErrAnswer = errors.New("relay: malformed answer from the reader")
	// ErrCommand: a command that no chip accepts was given to Transmit.
	ErrCommand = errors.New("relay: malformed command")
	// ErrCode: the pairing code is wrong, used or expired.
	ErrCode = errors.New("relay: pairing code not valid")
	// ErrTooMany: too many wrong codes from this address.
	ErrTooMany = errors.New("relay: too many wrong pairing codes")
	// ErrVersion: the two sides speak different versions.
	ErrVersion = errors.New("relay: the other side speaks another version")
	// ErrBusy: no room for another code or reader now.
	ErrBusy = errors.New("relay: busy")
	// ErrHandshake: the other side is not a relay.
	ErrHandshake = errors.New("relay: unexpected first message")
)
