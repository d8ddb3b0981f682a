// Package pcsc reads documents through a PC/SC reader: a USB reader with an
// antenna, or whatever else the system's smart card service offers.
//
// The system's library (libpcsclite on Linux, the PCSC framework on macOS) is
// loaded at run time, without cgo and without being needed to build or start:
// where it or its service is missing, Open says so. Other systems have no reader
// here (winscard.dll offers the same functions, and was left out because nothing here
// can test it); the relay and vpcd work everywhere.
//
// Whoever waits, for a card or for its answer, is free as soon as its context ends;
// see Card.Transmit for what then becomes of the card.
package pcsc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Reasons a reader cannot be used; errors of this package wrap one of them. None
// holds data of a card.
var (
	// ErrUnsupported: no PC/SC on this system.
	ErrUnsupported = errors.New("pcsc: not available on this system")
	// ErrNoLibrary: the system's PC/SC library is not installed.
	ErrNoLibrary = errors.New("pcsc: the PC/SC library is not installed (Debian: apt install libpcsclite1 pcscd)")
	// ErrNoService: the service is not running.
	ErrNoService = errors.New("pcsc: the smart card service does not answer (Linux: start pcscd)")
	// ErrNoReader: no reader, or none of that name, is connected.
	ErrNoReader = errors.New("pcsc: no such reader is connected")
	// ErrBusy: another program holds the card.
	ErrBusy = errors.New("pcsc: another program is using the card")
	// ErrRemoved: the card left the reader, or the reader the computer.
	ErrRemoved = errors.New("pcsc: the card was removed")
	// ErrReset: another program reset the card.
	ErrReset = errors.New("pcsc: the card was reset by another program")
	// ErrUnresponsive: a card lies on the reader and does not answer.
	ErrUnresponsive = errors.New("pcsc: the card does not answer")
	// ErrClosed: the card or the context was closed before, or a command was given up.
	ErrClosed = errors.New("pcsc: closed")
)

// Return codes of PC/SC part 5 §3, as pcsc-lite numbers them.
const (
	codeSuccess           = 0
	codeNoSmartcard       = 0x8010000C
	codeUnknownReader     = 0x80100009
	codeCancelled         = 0x80100002
	codeTimeout           = 0x8010000A
	codeSharingViolation  = 0x8010000B
	codeNotTransacted     = 0x80100016
	codeReaderUnavailable = 0x80100017
	codeNoService         = 0x8010001D
	codeServiceStopped    = 0x8010001E
	codeNoReaders         = 0x8010002E
	codeCommunication     = 0x8010002F
	codeUnresponsiveCard  = 0x80100066
	codeUnpoweredCard     = 0x80100067
	codeResetCard         = 0x80100068
	codeRemovedCard       = 0x80100069
)

// failure turns a return code into an error.
func failure(operation string, code uint32) error {
	var kind error
	switch code {
	case codeSuccess:
		return nil
	case codeNoService, codeServiceStopped:
		kind = ErrNoService
	case codeNoReaders, codeUnknownReader, codeReaderUnavailable:
		kind = ErrNoReader
	case codeSharingViolation:
		kind = ErrBusy
	case codeRemovedCard, codeNoSmartcard, codeNotTransacted, codeCommunication:
		kind = ErrRemoved
	case codeResetCard:
		kind = ErrReset
	case codeUnresponsiveCard, codeUnpoweredCard:
		kind = ErrUnresponsive
	default:
		return fmt.Errorf("pcsc: %s: error %08X", operation, code)
	}
	return fmt.Errorf("%s: %w", operation, kind)
}

// Lost reports whether an error of Transmit means that the document left the
// reader: put it back and read again from the start.
func Lost(err error) bool { return errors.Is(err, ErrRemoved) || errors.Is(err, ErrReset) }

// service is what the system's library does, one call each.
type service interface {
	listReaders() ([]string, uint32)
	// state returns the reader's event state now.
	state(reader string) (uint32, uint32)
	// wait returns when the reader's state is no longer the given one, after
	// waitFor, or by cancel.
	wait(reader string, state uint32) uint32
	// cancel ends a wait; it may be called at any time.
	cancel()
	connect(reader string) (service cardService, code uint32)
	release()
}

// waitFor bounds one wait, so that readers plugged in meanwhile are seen.
const waitFor = time.Second

// cardService is a connected card.
type cardService interface {
	transmit(command []byte, response []byte) (n int, code uint32)
	// disconnect resets the card, or leaves it as it is.
	disconnect(reset bool)
}

// Event states of a reader (PC/SC part 5).
const (
	statePresent = 0x20
	stateMute    = 0x200
)

// Context is a connection to the smart card service. It is safe for concurrent use.
type Context struct {
	mu      sync.Mutex // guards what follows and every call of the service but wait and cancel
	svc     service
	closed  bool
	pending int // calls that nobody waits for any more
	poll    time.Duration
}

// Open connects to the smart card service: ErrUnsupported, ErrNoLibrary or
// ErrNoService when that cannot be.
func Open() (*Context, error) {
	svc, err := openService()
	if err != nil {
		return nil, err
	}
	return newContext(svc), nil
}

func newContext(svc service) *Context { return &Context{svc: svc, poll: 200 * time.Millisecond} }

// Close lets go of the service. Close cards first. Where a command was given up, the
// service is let go of once the reader has done with it.
func (c *Context) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.closed = true
		if c.pending == 0 {
			c.svc.release()
		}
	}
	return nil
}

// run makes a call of the system's library that may block, and waits for it or for
// the end of ctx: the library has no way to interrupt a command. A call that is given
// up goes on by itself; then after is called, for what must follow it, and run
// returns ctx's cause. call and after share nothing with the caller.
func (c *Context) run(ctx context.Context, call func() uint32, after func()) (uint32, error) {
	done := make(chan uint32, 1)
	go func() { done <- call() }()
	select {
	case code := <-done:
		return code, nil
	case <-ctx.Done():
	}
	c.mu.Lock()
	c.pending++
	c.mu.Unlock()
	go func() {
		<-done
		after()
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.pending--; c.pending == 0 && c.closed {
			c.svc.release()
		}
	}()
	return 0, context.Cause(ctx)
}

// Readers returns the names of the connected readers, sorted; none is no error.
func (c *Context) Readers() ([]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, ErrClosed
	}
	names, code := c.svc.listReaders()
	if code == codeNoReaders || code == codeReaderUnavailable {
		return nil, nil
	}
	if err := failure("list readers", code); err != nil {
		return nil, err
	}
	slices.Sort(names)
	return names, nil
}

// Connect waits for a card on the reader whose name contains name ("" for any
// reader) and connects to it. It ends with ctx's cause; with ErrNoReader at once
// when no such reader is connected.
func (c *Context) Connect(ctx context.Context, name string) (*Card, error) {
	for {
		readers, err := c.Readers()
		if err != nil {
			return nil, err
		}
		readers = slices.DeleteFunc(readers, func(r string) bool { return !strings.Contains(strings.ToLower(r), strings.ToLower(name)) })
		if len(readers) == 0 {
			return nil, ErrNoReader
		}
		var seen uint32
		for _, reader := range readers {
			card, state, err := c.tryConnect(reader)
			if card != nil || err != nil {
				return card, err
			}
			seen = state
		}
		if err := c.wait(ctx, readers, seen); err != nil {
			return nil, fmt.Errorf("pcsc: wait for a card: %w", err)
		}
	}
}

// wait waits until something may have changed on the readers: on a single one by the
// service's own notice, on several for a moment.
func (c *Context) wait(ctx context.Context, readers []string, state uint32) error {
	if len(readers) > 1 || state == 0 {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(c.poll):
			return nil
		}
	}
	stop := context.AfterFunc(ctx, c.svc.cancel)
	defer stop()
	code, err := c.run(ctx, func() uint32 { return c.svc.wait(readers[0], state) }, func() {})
	switch {
	case err != nil:
		return err
	case code == codeSuccess, code == codeTimeout, code == codeCancelled:
		return nil
	case code == codeUnknownReader, code == codeReaderUnavailable, code == codeNoReaders:
		return nil // unplugged meanwhile
	}
	return failure("wait for a card", code)
}

// tryConnect returns no card and the reader's state when no card is on it.
func (c *Context) tryConnect(reader string) (*Card, uint32, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, 0, ErrClosed
	}
	state, code := c.svc.state(reader)
	switch {
	case code == codeUnknownReader || code == codeReaderUnavailable || code == codeTimeout || code == codeNoReaders:
		return nil, 0, nil // unplugged meanwhile, or nothing to tell
	case code != codeSuccess:
		return nil, 0, failure("ask the reader", code)
	case state&statePresent == 0:
		return nil, state, nil
	case state&stateMute != 0:
		return nil, 0, ErrUnresponsive
	}
	svc, code := c.svc.connect(reader)
	switch code {
	case codeSuccess:
		return &Card{owner: c, svc: svc, reader: reader}, state, nil
	case codeNoSmartcard, codeRemovedCard:
		return nil, 0, nil // gone again
	}
	return nil, 0, failure("connect to the card", code)
}

// maxResponse is the longest response: 65,536 octets, SW1 and SW2.
const maxResponse = 1<<16 + 2

// Card is a connected card. Commands of several goroutines take turns.
type Card struct {
	owner  *Context
	reader string

	mu   sync.Mutex  // guards what follows
	svc  cardService // nil when closed
	gone bool        // the card left: there is nothing to reset
}

// Reader returns the name of the reader.
func (c *Card) Reader() string { return c.reader }

// Transmit sends a command APDU and returns the response with SW1 SW2. When ctx ends
// it returns at once with ctx's cause. The system gives no way to abandon a command:
// the reader finishes it by itself, then the card is reset and let go of, and until
// then no other program can use it. The Card is closed from then on.
func (c *Card) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.svc == nil {
		return nil, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("pcsc: transmit: %w", context.Cause(ctx))
	}
	if len(command) < 4 || len(command) > 1<<16+8 {
		return nil, fmt.Errorf("pcsc: transmit: a command of %d octets", len(command))
	}
	svc, buf, own, n := c.svc, make([]byte, maxResponse), bytes.Clone(command), 0
	code, err := c.owner.run(ctx, func() uint32 {
		var code uint32
		n, code = svc.transmit(own, buf)
		return code
	}, func() {
		clear(buf)
		svc.disconnect(true)
	})
	if err != nil {
		c.svc = nil
		return nil, fmt.Errorf("pcsc: transmit: %w", err)
	}
	if err := failure("transmit", code); err != nil {
		c.gone = c.gone || Lost(err)
		return nil, err
	}
	if n < 2 || n > len(buf) {
		return nil, fmt.Errorf("pcsc: transmit: a response of %d octets", n)
	}
	return buf[:n:n], nil
}

// Close resets the card, so that its session ends, and disconnects. A card that
// left is not reset: pcscd would miss the next one, were it there already.
func (c *Card) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.svc != nil {
		c.svc.disconnect(!c.gone)
		c.svc = nil
	}
	return nil
}
