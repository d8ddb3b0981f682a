package specimen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"sync"

	"ipse/mrtd/internal/apdu"
	"ipse/mrtd/internal/pace"
	"ipse/mrtd/internal/sm"
	"ipse/mrtd/lds"
	"ipse/mrtd/mrz"
)

// Chip is a software chip: it answers command APDUs as the chip of a document
// does, with real cryptography, and implements mrtd/chip.Card. Commands of
// several goroutines take turns, but a session is one conversation: two readers
// at once break each other's, as they do on a real chip.
//
// The chip counts no failed attempts: the MRZ and the CAN are not blocking
// passwords (ICAO 9303-11 §4.4.1). A wrong attempt ends the session.
type Chip struct {
	doc   *Document
	rand  io.Reader
	infos *pace.Infos // of EF.CardAccess, nil without it

	mu     sync.Mutex // guards what follows
	s      session
	once   map[string]bool // faults that happen once in the life of a chip
	failed error           // FaultGone has happened
}

// session is what the chip forgets on reset.
type session struct {
	dir      directory
	file     lds.FileID
	sm       *sm.Session
	next     *sm.Session // takes the place of sm after the response
	byPACE   bool        // the session stems from PACE
	confused bool        // FaultRead6B00: secure messaging has lost its way

	challenge []byte // RND.IC of BAC
	agreement *agreement
	ca        *caSelection
	reads     int           // READ BINARY of DG2
	lastRead  apdu.Response // FaultReplayedRead
}

// ErrRemoved is the error of Transmit after FaultGone: the chip left the reader.
var ErrRemoved = errors.New("specimen: the chip was taken away")

// NewChip makes a chip that holds doc. rand is the source of its nonces and keys.
func NewChip(doc *Document, rand io.Reader) (*Chip, error) {
	if doc == nil || rand == nil || len(doc.Files) == 0 {
		return nil, fmt.Errorf("%w: a document and randomness are required", ErrConfig)
	}
	c := &Chip{doc: doc, rand: rand, once: map[string]bool{}}
	if _, err := mrz.Parse(doc.MRZ); err != nil {
		return nil, fmt.Errorf("specimen: chip: zone: %w", err)
	}
	if err := c.readCardAccess(); err != nil {
		return nil, err
	}
	return c, nil
}

// Reset makes the chip forget its session, as loss of power does.
func (c *Chip) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reset()
}

func (c *Chip) reset() {
	c.endSession()
	c.s = session{}
}

// endSession forgets keys and rights, not the selection.
func (c *Chip) endSession() {
	if c.s.sm != nil {
		c.s.sm.Wipe()
	}
	c.s.next.Wipe()
	c.s.sm, c.s.next, c.s.byPACE, c.s.confused = nil, nil, false, false
	c.forgetProtocols()
}

// forgetProtocols drops what half-finished protocols hold.
func (c *Chip) forgetProtocols() {
	c.s.agreement.wipe()
	c.s.challenge, c.s.agreement, c.s.ca = nil, nil, nil
}

func (c *Chip) has(fault string) bool { return c.doc.Faults[fault] }

// Faults returns a copy of the faults in force.
func (c *Chip) Faults() map[string]bool { return maps.Clone(c.doc.Faults) }

// Transmit answers a command APDU. Its only error is ErrRemoved (FaultGone) or
// that of the source of randomness: whatever else is wrong is a status word.
func (c *Chip) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed != nil {
		return nil, c.failed
	}
	cmd, err := apdu.Parse(command)
	if err != nil {
		return c.encode(status(apdu.WrongLength)), nil
	}
	if cmd.Extended && c.has(FaultNoExtended) {
		return c.encode(status(apdu.WrongLength)), nil
	}
	r := c.answer(cmd)
	if c.failed != nil {
		return nil, c.failed
	}
	return c.encode(r), nil
}

func (c *Chip) encode(r apdu.Response) []byte { return r.Encode() }

// answer deals with secure messaging around the command.
func (c *Chip) answer(cmd *apdu.Command) apdu.Response {
	if !sm.IsProtected(cmd) {
		// 9303-11 §9.8.7: a plain command ends a session. SELECT by name alone
		// leaves nothing behind that a plain reader may use.
		if c.s.sm != nil {
			c.endSession()
		}
		r := limit(c.dispatch(cmd), cmd.Ne)
		c.changeOver(r)
		return r
	}
	if c.s.sm == nil {
		return status(apdu.SMNotSupported)
	}
	if c.s.confused {
		c.endSession()
		return status(apdu.SMIncorrect)
	}
	channel := c.s.sm
	plain, err := channel.UnprotectCommand(cmd)
	if err != nil {
		c.endSession()
		return status(apdu.SMIncorrect)
	}
	plain.CLA = cmd.CLA &^ 0x0C
	r := limit(c.dispatch(plain), plain.Ne)
	if channel.Ended() { // reset by a fault
		return status(apdu.SMIncorrect)
	}
	out := c.protect(channel, plain, r)
	c.changeOver(r)
	return out
}

// changeOver puts the session that a protocol agreed on in force, once its last
// response was given under the old one.
func (c *Chip) changeOver(r apdu.Response) {
	next := c.s.next
	c.s.next = nil
	if next == nil {
		return
	}
	if r.SW != apdu.OK {
		next.Wipe()
		return
	}
	if c.s.sm == nil {
		c.s.byPACE = true // only PACE agrees on a session without having one
	}
	c.s.sm.Wipe()
	c.s.sm = next
}

// limit holds a response to what the command asked for.
func limit(r apdu.Response, ne int) apdu.Response {
	if len(r.Data) > ne {
		return status(apdu.WrongLength)
	}
	return r
}

// dispatch answers a plain command.
func (c *Chip) dispatch(cmd *apdu.Command) apdu.Response {
	chaining := cmd.CLA&0x10 != 0
	if cmd.CLA&^0x10 != 0 {
		return status(apdu.UnknownCLA)
	}
	if chaining && cmd.INS != insGeneralAuthenticate {
		return status(apdu.ChainingNotSupported)
	}
	switch cmd.INS {
	case insSelect:
		return c.selectFile(cmd)
	case insReadBinary:
		return c.readBinary(cmd)
	case insReadBinaryOdd:
		return c.readBinaryOdd(cmd)
	case insGetChallenge:
		return c.getChallenge(cmd)
	case insExternalAuthenticate:
		return c.basicAccess(cmd)
	case insInternalAuthenticate:
		return c.activeAuthentication(cmd)
	case insManageSecurity:
		return c.manageSecurity(cmd)
	case insGeneralAuthenticate:
		return c.generalAuthenticate(cmd, chaining)
	}
	return status(apdu.UnknownINS)
}

// Instructions (ISO/IEC 7816-4, ICAO 9303-11).
const (
	insManageSecurity       = 0x22
	insExternalAuthenticate = 0x82
	insGetChallenge         = 0x84
	insGeneralAuthenticate  = 0x86
	insInternalAuthenticate = 0x88
	insSelect               = 0xA4
	insReadBinary           = 0xB0
	insReadBinaryOdd        = 0xB1
)

// random fills a fresh buffer, or fails the chip.
func (c *Chip) random(n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(c.rand, b); err != nil {
		c.failed = fmt.Errorf("specimen: chip: randomness: %w", err)
	}
	return b
}
