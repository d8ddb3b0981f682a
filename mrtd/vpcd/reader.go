package vpcd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// ReaderConfig configures the reader's end. The zero value is usable.
type ReaderConfig struct {
	// Handshake bounds how long a new connection may take to give its ATR.
	// Default 5 s.
	Handshake time.Duration
	// Exchange bounds one command, whatever the caller's context allows: a chip
	// may compute for seconds. Default 30 s.
	Exchange time.Duration
	// Rejected, if set, is called for each connection that was not a virtual
	// card, with an error that names no data.
	Rejected func(error)
}

// Listener waits for virtual cards. It is safe for concurrent use.
type Listener struct {
	listener net.Listener
	cfg      ReaderConfig
}

// Listen opens the TCP address ("127.0.0.1:35963"; port 0 picks a free one).
func Listen(ctx context.Context, address string, cfg ReaderConfig) (*Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("vpcd: listen: %w", err)
	}
	return &Listener{listener: l, cfg: cfg}, nil
}

func (cfg ReaderConfig) filled() ReaderConfig {
	if cfg.Handshake <= 0 {
		cfg.Handshake = 5 * time.Second
	}
	if cfg.Exchange <= 0 {
		cfg.Exchange = 30 * time.Second
	}
	return cfg
}

// Attach powers up the virtual card at the other end of conn and reads its ATR. The
// card owns conn, which is closed where Attach fails: with ErrProtocol, ErrTimeout,
// ErrGone, ErrClosed or ctx's cause.
func Attach(ctx context.Context, conn net.Conn, cfg ReaderConfig) (*RemoteCard, error) {
	cfg = cfg.filled()
	card := &RemoteCard{conn: conn, exchange: cfg.Exchange}
	if err := card.powerUp(ctx, cfg.Handshake); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return card, nil
}

// Addr returns the address listened on.
func (l *Listener) Addr() net.Addr { return l.listener.Addr() }

// Close stops listening; cards accepted before stay connected.
func (l *Listener) Close() error { return l.listener.Close() }

// Accept waits for a virtual card, powers it up and reads its ATR. Connections
// that are no virtual card are closed, reported to Rejected and passed over. It
// ends with ctx's cause, or ErrClosed.
func (l *Listener) Accept(ctx context.Context) (*RemoteCard, error) {
	stop := context.AfterFunc(ctx, func() {
		if d, ok := l.listener.(*net.TCPListener); ok {
			_ = d.SetDeadline(time.Unix(1, 0))
		}
	})
	defer stop()
	for {
		conn, err := l.listener.Accept()
		if err != nil {
			if d, ok := l.listener.(*net.TCPListener); ok {
				_ = d.SetDeadline(time.Time{})
			}
			return nil, classify(ctx, "wait for a virtual card", err)
		}
		card, err := Attach(ctx, conn, l.cfg)
		if err == nil || ctx.Err() != nil {
			return card, err
		}
		if l.cfg.Rejected != nil {
			l.cfg.Rejected(err)
		}
	}
}

// RemoteCard is a virtual card connected to this reader. Commands of several
// goroutines take turns.
type RemoteCard struct {
	conn     net.Conn
	exchange time.Duration
	atr      []byte

	mu     sync.Mutex // one exchange at a time; guards broken
	broken error      // why the connection is of no more use
}

// ATR returns the card's answer to reset.
func (c *RemoteCard) ATR() []byte { return bytes.Clone(c.atr) }

func (c *RemoteCard) powerUp(ctx context.Context, limit time.Duration) error {
	release := within(ctx, c.conn, limit)
	defer release()
	err := writeMessage(c.conn, []byte{controlOn})
	if err == nil {
		err = writeMessage(c.conn, []byte{controlATR})
	}
	if err != nil {
		return classify(ctx, "power up", err)
	}
	if c.atr, err = readMessage(c.conn, maxATR); err != nil {
		return classify(ctx, "read the ATR", err)
	}
	// ISO/IEC 7816-3 §8.1: TS is 3B or 3F, and T0 follows.
	if len(c.atr) < 2 || c.atr[0] != 0x3B && c.atr[0] != 0x3F {
		return fmt.Errorf("vpcd: read the ATR: %w: no answer to reset", ErrProtocol)
	}
	return nil
}

// Transmit implements Card. An error breaks the connection: an answer that comes
// too late would be taken for that of the next command.
func (c *RemoteCard) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if len(command) < 4 {
		return nil, fmt.Errorf("%w: a command has at least 4 octets", ErrProtocol)
	}
	if len(command) > MaxMessage {
		return nil, fmt.Errorf("%w: command of %d octets", ErrTooLong, len(command))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return nil, c.broken
	}
	release := within(ctx, c.conn, c.exchange)
	defer release()
	err := writeMessage(c.conn, command)
	var response []byte
	if err == nil {
		response, err = readMessage(c.conn, MaxMessage)
	}
	if err == nil && len(response) < 2 {
		err = fmt.Errorf("%w: an answer without status", ErrProtocol)
	}
	if err != nil {
		return nil, c.fail(classify(ctx, "transmit", err))
	}
	return response, nil
}

// Reset performs a warm reset: the card forgets its session.
func (c *RemoteCard) Reset(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return c.broken
	}
	release := within(ctx, c.conn, c.exchange)
	defer release()
	if err := writeMessage(c.conn, []byte{controlReset}); err != nil {
		return c.fail(classify(ctx, "reset", err))
	}
	return nil
}

func (c *RemoteCard) fail(err error) error {
	c.broken = err
	_ = c.conn.Close()
	return err
}

// Close powers the card off and closes the connection.
func (c *RemoteCard) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return nil
	}
	c.broken = ErrClosed
	_ = c.conn.SetWriteDeadline(time.Now().Add(time.Second))
	_ = writeMessage(c.conn, []byte{controlOff})
	return c.conn.Close()
}

// Lost reports whether an error of Transmit means that the virtual card went
// away, as against a mistake of the caller.
func Lost(err error) bool { return errors.Is(err, ErrGone) }
