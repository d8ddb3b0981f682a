// Package apdu holds command and response APDUs (ISO/IEC 7816-4 §5, §12), as both
// ends of a card interface need them: reader and software chip.
package apdu

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Limits of an APDU in octets.
const (
	MaxShortData = 255       // data of a short command
	MaxShortNe   = 256       // data of a response to a short command
	MaxData      = 65535     // data of an extended command
	MaxNe        = 65536     // data of a response to an extended command
	MaxCommand   = 65544     // header, extended lengths and data
	MaxResponse  = 2 + 65536 // data and SW1 SW2
)

var (
	// ErrCommand reports octets that are not a command APDU, or one that cannot be encoded.
	ErrCommand = errors.New("apdu: malformed command")
	// ErrResponse reports octets that are not a response APDU: fewer than two or too many.
	ErrResponse = errors.New("apdu: malformed response")
)

// Command is a command APDU.
type Command struct {
	CLA, INS, P1, P2 byte
	Data             []byte
	// Ne is the most octets of data that the response may hold, 0 to 65536; with 0
	// there is no Le field, with 256 (short) or 65536 (extended) Le is zero.
	Ne int
	// Extended asks for length fields of two octets where short ones would do.
	Extended bool
}

// NeedsExtended reports whether the lengths do not fit short fields.
func (c *Command) NeedsExtended() bool { return len(c.Data) > MaxShortData || c.Ne > MaxShortNe }

// Header returns CLA INS P1 P2.
func (c *Command) Header() [4]byte { return [4]byte{c.CLA, c.INS, c.P1, c.P2} }

// Encode returns the command's octets, with short length fields where they fit
// and Extended is not set.
func (c *Command) Encode() ([]byte, error) {
	if len(c.Data) > MaxData || c.Ne < 0 || c.Ne > MaxNe {
		return nil, ErrCommand
	}
	out := append(make([]byte, 0, 10+len(c.Data)), c.CLA, c.INS, c.P1, c.P2)
	if c.NeedsExtended() || c.Extended {
		return c.appendExtended(out), nil
	}
	if len(c.Data) > 0 {
		out = append(append(out, byte(len(c.Data))), c.Data...)
	}
	if c.Ne > 0 {
		out = append(out, byte(c.Ne)) // 256 becomes 00
	}
	return out, nil
}

func (c *Command) appendExtended(out []byte) []byte {
	if len(c.Data) == 0 && c.Ne == 0 {
		return out
	}
	out = append(out, 0)
	if len(c.Data) > 0 {
		out = binary.BigEndian.AppendUint16(out, uint16(len(c.Data)))
		out = append(out, c.Data...)
	}
	if c.Ne > 0 {
		out = binary.BigEndian.AppendUint16(out, uint16(c.Ne&0xFFFF))
	}
	return out
}

// Parse reads a command APDU. Data points into b.
func Parse(b []byte) (*Command, error) {
	if len(b) < 4 || len(b) > MaxCommand {
		return nil, ErrCommand
	}
	c := &Command{CLA: b[0], INS: b[1], P1: b[2], P2: b[3]}
	body := b[4:]
	switch {
	case len(body) == 0: // case 1
		return c, nil
	case len(body) == 1: // case 2, short
		c.Ne = shortNe(body[0])
		return c, nil
	case body[0] != 0: // cases 3 and 4, short
		n := int(body[0])
		return c, c.split(body[1:], n, 1)
	case len(body) < 3:
		return nil, ErrCommand
	}
	c.Extended = true
	n := int(binary.BigEndian.Uint16(body[1:]))
	if len(body) == 3 { // case 2, extended
		c.Ne = extendedNe(n)
		return c, nil
	}
	if n == 0 {
		return nil, ErrCommand
	}
	return c, c.split(body[3:], n, 2)
}

func shortNe(le byte) int { return (int(le)+255)%256 + 1 }

func extendedNe(le int) int { return (le+65535)%65536 + 1 }

// split takes n octets of data and an optional Le field of the given size.
func (c *Command) split(b []byte, n, leSize int) error {
	switch len(b) - n {
	case 0:
	case leSize:
		if leSize == 1 {
			c.Ne = shortNe(b[n])
		} else {
			c.Ne = extendedNe(int(binary.BigEndian.Uint16(b[n:])))
		}
	default:
		return ErrCommand
	}
	c.Data = b[:n]
	return nil
}

// Chain splits a command whose data are longer than size into a chain (ISO/IEC
// 7816-4 §5.3.3): each part but the last is marked as chained and expects no data.
// The parts share the command's data.
func (c *Command) Chain(size int) []*Command {
	var out []*Command
	for rest := c.Data; ; rest = rest[size:] {
		part := *c
		part.Data = rest[:min(size, len(rest))]
		out = append(out, &part)
		if len(rest) <= size {
			return out
		}
		part.CLA |= Chained
		part.Ne = 0
	}
}

// Response is a response APDU.
type Response struct {
	Data []byte
	SW   Status
}

// ParseResponse reads a response APDU. Data points into b.
func ParseResponse(b []byte) (*Response, error) {
	if len(b) < 2 || len(b) > MaxResponse {
		return nil, ErrResponse
	}
	n := len(b) - 2
	return &Response{Data: b[:n], SW: Status(binary.BigEndian.Uint16(b[n:]))}, nil
}

// Encode returns the response's octets.
func (r *Response) Encode() []byte {
	out := append(make([]byte, 0, len(r.Data)+2), r.Data...)
	return binary.BigEndian.AppendUint16(out, uint16(r.SW))
}

// Status is SW1 SW2.
type Status uint16

// Status words of ISO/IEC 7816-4 §5.6 and ICAO 9303-11 that this project handles or sends.
const (
	OK                   Status = 0x9000
	MoreData             Status = 0x6100 // SW2: how many octets GET RESPONSE gives, 00 for 256 and more
	Corrupted            Status = 0x6281 // part of the returned data may be corrupted
	EndOfFile            Status = 0x6282 // fewer octets than Ne
	AuthenticationFailed Status = 0x6300
	ExecutionError       Status = 0x6400
	WrongLength          Status = 0x6700
	SMNotSupported       Status = 0x6882
	ChainOpen            Status = 0x6883 // last command of the chain expected
	ChainingNotSupported Status = 0x6884
	SecurityStatus       Status = 0x6982 // security status not satisfied
	Blocked              Status = 0x6983
	ReferenceInvalid     Status = 0x6984
	ConditionsOfUse      Status = 0x6985
	NotAllowed           Status = 0x6986 // no current file
	SMMissing            Status = 0x6987 // expected secure messaging data objects missing
	SMIncorrect          Status = 0x6988 // secure messaging data objects incorrect
	WrongData            Status = 0x6A80
	FunctionNotSupported Status = 0x6A81
	FileNotFound         Status = 0x6A82
	WrongP1P2            Status = 0x6A86
	ReferenceNotFound    Status = 0x6A88
	WrongOffset          Status = 0x6B00
	UnknownINS           Status = 0x6D00
	UnknownCLA           Status = 0x6E00
	Unknown              Status = 0x6F00
)

// String returns the four hexadecimal digits.
func (s Status) String() string { return fmt.Sprintf("%04X", uint16(s)) }

// Warning reports SW1 62 or 63: the command was carried out, with a reservation.
func (s Status) Warning() bool { return s>>8 == 0x62 || s>>8 == 0x63 }

// Error reports a status that says that the command was not carried out, or not
// completely: anything but 9000, 61xx and 62xx.
func (s Status) Error() bool { return s != OK && s>>8 != 0x61 && s>>8 != 0x62 }

// ExactLe returns the length that the chip wants in place of the given Le (6Cxx,
// 256 for 6C00), or 0.
func (s Status) ExactLe() int {
	if s>>8 != 0x6C {
		return 0
	}
	return shortNe(byte(s & 0xFF))
}
