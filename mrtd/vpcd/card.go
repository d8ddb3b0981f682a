package vpcd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// CardConfig is a software card to serve.
type CardConfig struct {
	// Card answers the commands; required.
	Card Card
	// Reset, if set, makes the card forget its session: on power up, power
	// down and reset.
	Reset func()
	// ATR is the answer to reset. Default DefaultATR.
	ATR []byte
	// Exchanged, if set, is called after each command with how many there were.
	Exchanged func(commands int)
}

// Limits of the card's end.
const (
	dialFor   = 10 * time.Second
	frameFor  = 10 * time.Second // the rest of a message once it began
	commandOf = 30 * time.Second // the card's own work on one command
)

// Connect opens a connection to a vpcd reader and serves the card there until
// the reader goes (nil) or ctx ends.
func Connect(ctx context.Context, address string, cfg CardConfig) error {
	dialCtx, cancel := context.WithTimeout(ctx, dialFor)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(dialCtx, "tcp", address)
	if err != nil {
		return fmt.Errorf("vpcd: connect to the reader: %w", err)
	}
	return Serve(ctx, conn, cfg)
}

// Serve answers a reader on conn until the reader closes the connection (nil),
// ctx ends (its cause), the card fails (its error) or the reader breaks the
// protocol. It closes conn.
func Serve(ctx context.Context, conn net.Conn, cfg CardConfig) error {
	defer func() { _ = conn.Close() }()
	if cfg.Card == nil {
		return errors.New("vpcd: no card to serve")
	}
	if len(cfg.ATR) == 0 {
		cfg.ATR = DefaultATR()
	}
	if len(cfg.ATR) > maxATR {
		return fmt.Errorf("%w: ATR of %d octets", ErrTooLong, len(cfg.ATR))
	}
	defer cfg.reset()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	for commands := 0; ; {
		message, err := nextMessage(conn)
		if errors.Is(err, io.EOF) {
			return ctx.Err()
		}
		if err != nil {
			return classify(ctx, "serve", err)
		}
		answer, isCommand, err := cfg.answer(ctx, message)
		if err != nil {
			return err
		}
		if answer != nil {
			_ = conn.SetWriteDeadline(time.Now().Add(frameFor))
			if err := writeMessage(conn, answer); err != nil {
				return classify(ctx, "serve", err)
			}
		}
		if isCommand {
			commands++
			if cfg.Exchanged != nil {
				cfg.Exchanged(commands)
			}
		}
	}
}

// nextMessage waits for a message as long as it takes, and for its end frameFor.
func nextMessage(conn net.Conn) ([]byte, error) {
	_ = conn.SetReadDeadline(time.Time{})
	quickAck(conn)
	var first [1]byte
	if _, err := io.ReadFull(conn, first[:]); err != nil {
		return nil, err
	}
	_ = conn.SetReadDeadline(time.Now().Add(frameFor))
	b, err := readMessage(io.MultiReader(bytes.NewReader(first[:]), conn), MaxMessage)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return b, err
}

// answer returns what the card says to a message, nil for nothing.
func (cfg *CardConfig) answer(ctx context.Context, message []byte) (out []byte, isCommand bool, err error) {
	switch {
	case len(message) == 0:
		return nil, false, fmt.Errorf("vpcd: serve: %w: empty message", ErrProtocol)
	case len(message) == 1:
		switch message[0] {
		case controlOff, controlOn, controlReset:
			cfg.reset()
			return nil, false, nil
		case controlATR:
			return cfg.ATR, false, nil
		}
		return nil, false, fmt.Errorf("vpcd: serve: %w: unknown control code", ErrProtocol)
	}
	ctx, cancel := context.WithTimeout(ctx, commandOf)
	defer cancel()
	out, err = cfg.Card.Transmit(ctx, message)
	if err != nil {
		return nil, true, fmt.Errorf("vpcd: serve: card: %w", err)
	}
	if len(out) < 2 || len(out) > MaxMessage {
		return nil, true, fmt.Errorf("vpcd: serve: %w: the card's answer of %d octets", ErrTooLong, len(out))
	}
	return out, true, nil
}

func (cfg *CardConfig) reset() {
	if cfg.Reset != nil {
		cfg.Reset()
	}
}
