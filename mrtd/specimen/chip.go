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

	chain     *chain         // of commands, under way
	rest      *apdu.Response // what GET RESPONSE gives next
	challenge []byte         // RND.IC of BAC
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
	c.reset()
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
	if c.has(FaultInApplication) {
		c.s.dir = eMRTD
	}
}

// endSession forgets keys and rights, not the selection.
func (c *Chip) endSession() {
	if c.s.sm != nil {
		c.s.sm.Wipe()
	}
	c.s.next.Wipe()
	c.s.sm, c.s.next, c.s.chain, c.s.byPACE, c.s.confused = nil, nil, nil, false, false
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
	if cmd.Extended && (c.has(FaultNoExtended) || c.has(FaultNoChaining)) {
		return c.encode(status(apdu.WrongLength)), nil
	}
	r := c.answer(cmd)
	if c.failed != nil {
		return nil, c.failed
	}
	return c.encode(r), nil
}

func (c *Chip) encode(r apdu.Response) []byte { return r.Encode() }

// answer deals with long answers and with secure messaging around the command.
func (c *Chip) answer(cmd *apdu.Command) apdu.Response {
	if cmd.INS == apdu.GetResponse && cmd.CLA == 0 {
		return c.getResponse(cmd.Ne)
	}
	c.s.rest = nil
	return c.cut(cmd, c.exchange(cmd))
}

// exchange deals with secure messaging.
func (c *Chip) exchange(cmd *apdu.Command) apdu.Response {
	if !sm.IsProtected(cmd) {
		// 9303-11 §9.8.7: a plain command ends a session. SELECT by name alone
		// leaves nothing behind that a plain reader may use.
		if c.s.sm != nil {
			c.endSession()
		}
		r := c.limit(c.dispatch(cmd), cmd)
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
	r := c.limit(c.dispatch(plain), plain)
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

// limit holds a response to what the command asked for. A short Le of zero asks for
// everything, be it in several parts.
func (c *Chip) limit(r apdu.Response, cmd *apdu.Command) apdu.Response {
	all := cmd.Ne == apdu.MaxShortNe && !cmd.Extended
	if len(r.Data) > cmd.Ne && !all || len(r.Data) > longestShort && c.has(FaultNoChaining) {
		return status(apdu.WrongLength)
	}
	return r
}

// longestShort is how much data a protected answer of 256 octets holds at most.
const longestShort = 231

// dispatch answers a plain command.
func (c *Chip) dispatch(cmd *apdu.Command) apdu.Response {
	if cmd.CLA&^apdu.Chained != 0 {
		return status(apdu.UnknownCLA)
	}
	cmd, held, sw := c.gather(cmd)
	if held || sw != apdu.OK {
		return status(sw)
	}
	switch cmd.INS {
	case apdu.Select:
		return c.selectFile(cmd)
	case apdu.ReadBinary:
		return c.readBinary(cmd)
	case apdu.ReadBinaryOdd:
		return c.readBinaryOdd(cmd)
	case apdu.GetChallenge:
		return c.getChallenge(cmd)
	case apdu.ExternalAuthenticate:
		return c.basicAccess(cmd)
	case apdu.InternalAuthenticate:
		return c.activeAuthentication(cmd)
	case apdu.ManageSecurity:
		return c.manageSecurity(cmd)
	case apdu.GeneralAuthenticate:
		return c.generalAuthenticate(cmd, cmd.CLA&apdu.Chained != 0)
	}
	return status(apdu.UnknownINS)
}

// random fills a fresh buffer, or fails the chip.
func (c *Chip) random(n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(c.rand, b); err != nil {
		c.failed = fmt.Errorf("specimen: chip: randomness: %w", err)
	}
	return b
}
