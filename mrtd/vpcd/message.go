package vpcd

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// readMessage reads one message of at most limit octets into a fresh buffer.
func readMessage(r io.Reader, limit int) ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(head[:]))
	if n > limit {
		return nil, fmt.Errorf("%w: a message of %d octets where at most %d can follow", ErrProtocol, n, limit)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return body, nil
}

// writeMessage writes one message in a single write, so that no reader sees a
// length without its octets for longer than it must.
func writeMessage(w io.Writer, body []byte) error {
	if len(body) > MaxMessage {
		return fmt.Errorf("%w: %d octets", ErrTooLong, len(body))
	}
	buf := binary.BigEndian.AppendUint16(make([]byte, 0, len(body)+2), uint16(len(body)))
	_, err := w.Write(append(buf, body...))
	return err
}

// within bounds the use of conn until the returned function is called: by limit
// (none if zero or less) and by ctx.
func within(ctx context.Context, conn net.Conn, limit time.Duration) (release func()) {
	deadline := time.Time{}
	if limit > 0 {
		deadline = time.Now().Add(limit)
	}
	_ = conn.SetDeadline(deadline)
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	return func() { stop() }
}

// classify turns an I/O error into one of the package's; it names no data.
func classify(ctx context.Context, operation string, err error) error {
	var timeout net.Error
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("vpcd: %s: %w", operation, context.Cause(ctx))
	case errors.Is(err, ErrProtocol), errors.Is(err, ErrTooLong):
		return fmt.Errorf("vpcd: %s: %w", operation, err)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("vpcd: %s: %w", operation, ErrTimeout)
	case errors.Is(err, net.ErrClosed):
		return fmt.Errorf("vpcd: %s: %w", operation, ErrClosed)
	}
	return fmt.Errorf("vpcd: %s: %w", operation, ErrGone)
}
