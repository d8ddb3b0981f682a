package vpcd_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"ipse/mrtd/vpcd"
)

// echo answers each command with its own octets and 9000.
type echo struct{ err error }

func (e echo) Transmit(_ context.Context, command []byte) ([]byte, error) {
	if e.err != nil {
		return nil, e.err
	}
	return append(bytes.Clone(command), 0x90, 0x00), nil
}

func listen(t *testing.T, cfg vpcd.ReaderConfig) *vpcd.Listener {
	t.Helper()
	l, err := vpcd.Listen(t.Context(), "127.0.0.1:0", cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// connect serves cfg to a new listener and returns the reader's view of it and
// how serving ended.
func connect(t *testing.T, reader vpcd.ReaderConfig, cfg vpcd.CardConfig) (*vpcd.RemoteCard, <-chan error) {
	t.Helper()
	l := listen(t, reader)
	end := make(chan error, 1)
	go func() { end <- vpcd.Connect(t.Context(), l.Addr().String(), cfg) }()
	card, err := l.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = card.Close() })
	return card, end
}

func TestBothEndsExchangeCommands(t *testing.T) {
	t.Parallel()
	var resets atomic.Int32
	var counted atomic.Int32
	card, end := connect(t, vpcd.ReaderConfig{}, vpcd.CardConfig{Card: echo{},
		Reset: func() { resets.Add(1) }, Exchanged: func(n int) { counted.Store(int32(n)) }})
	if !bytes.Equal(card.ATR(), vpcd.DefaultATR()) {
		t.Errorf("ATR % x", card.ATR())
	}
	for _, size := range []int{4, 5, 261, 4096, vpcd.MaxMessage - 2} {
		command := bytes.Repeat([]byte{0xA5}, size)
		got, err := card.Transmit(t.Context(), command)
		if err != nil || !bytes.Equal(got, append(command, 0x90, 0x00)) {
			t.Fatalf("%d octets: %d, %v", size, len(got), err)
		}
	}
	if err := card.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := card.Transmit(t.Context(), []byte{0, 0xA4, 0, 0}); err != nil {
		t.Fatal(err)
	}
	if resets.Load() != 2 {
		t.Errorf("%d resets", resets.Load())
	}
	if err := errors.Join(card.Close(), <-end); err != nil {
		t.Error(err)
	}
	if resets.Load() < 3 || counted.Load() != 6 { // counted after the answer left
		t.Errorf("%d resets with that of power down, %d commands", resets.Load(), counted.Load())
	}
	if _, err := card.Transmit(t.Context(), []byte{0, 0xA4, 0, 0}); !errors.Is(err, vpcd.ErrClosed) {
		t.Errorf("after closing: %v", err)
	}
}

func TestVanishingCardsAreToldApart(t *testing.T) {
	t.Parallel()
	cause := errors.New("chip burnt")
	card, end := connect(t, vpcd.ReaderConfig{}, vpcd.CardConfig{Card: echo{err: cause}})
	for range 2 { // the connection stays broken
		if _, err := card.Transmit(t.Context(), []byte{0, 0xA4, 0, 0}); !errors.Is(err, vpcd.ErrGone) || !vpcd.Lost(err) {
			t.Errorf("reader: %v", err)
		}
	}
	if err := <-end; !errors.Is(err, cause) {
		t.Errorf("card: %v", err)
	}
	if _, err := card.Transmit(t.Context(), []byte{0}); !errors.Is(err, vpcd.ErrProtocol) {
		t.Errorf("a control code as a command: %v", err)
	}
	if _, err := card.Transmit(t.Context(), make([]byte, vpcd.MaxMessage+1)); !errors.Is(err, vpcd.ErrTooLong) {
		t.Errorf("a command too long: %v", err)
	}
}

// stuck never answers.
type stuck struct{}

func (stuck) Transmit(ctx context.Context, _ []byte) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestSilentCardsTimeOut(t *testing.T) {
	t.Parallel()
	card, _ := connect(t, vpcd.ReaderConfig{Exchange: 50 * time.Millisecond}, vpcd.CardConfig{Card: stuck{}})
	if _, err := card.Transmit(t.Context(), []byte{0, 0xA4, 0, 0}); !errors.Is(err, vpcd.ErrTimeout) || vpcd.Lost(err) {
		t.Errorf("exchange: %v", err)
	}
	card, _ = connect(t, vpcd.ReaderConfig{}, vpcd.CardConfig{Card: stuck{}})
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	time.AfterFunc(20*time.Millisecond, func() { cancel(cause) })
	if _, err := card.Transmit(ctx, []byte{0, 0xA4, 0, 0}); !errors.Is(err, cause) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestOtherConnectionsArePassedOver(t *testing.T) {
	t.Parallel()
	rejected := make(chan error, 100)
	l := listen(t, vpcd.ReaderConfig{Handshake: 200 * time.Millisecond, Rejected: func(err error) { rejected <- err }})
	for _, hello := range [][]byte{nil, []byte("GET / HTTP/1.1\r\n\r\n"), {0, 2, 0, 0}, {0, 34, 0x3B}, {0, 0}} {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if _, err := conn.Write(hello); err != nil {
			t.Fatal(err)
		}
	}
	go func() {
		for t.Context().Err() == nil { // again, should it be too late on a busy machine
			_ = vpcd.Connect(t.Context(), l.Addr().String(), vpcd.CardConfig{Card: echo{}})
			time.Sleep(time.Millisecond)
		}
	}()
	card, err := l.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = card.Close()
	for range 5 {
		if err := <-rejected; !errors.Is(err, vpcd.ErrProtocol) && !errors.Is(err, vpcd.ErrTimeout) {
			t.Error(err)
		}
	}
}

func TestWaitingEnds(t *testing.T) {
	t.Parallel()
	l := listen(t, vpcd.ReaderConfig{})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := l.Accept(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("expired: %v", err)
	}
	time.AfterFunc(20*time.Millisecond, func() { _ = l.Close() })
	if _, err := l.Accept(t.Context()); !errors.Is(err, vpcd.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

func TestServeRefusesWhatTheProtocolForbids(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sent []byte
		want error
	}{
		"empty message":   {[]byte{0, 0}, vpcd.ErrProtocol},
		"unknown control": {[]byte{0, 1, 9}, vpcd.ErrProtocol},
		"cut message":     {[]byte{0, 9, 1}, vpcd.ErrGone},
		"cut length":      {[]byte{0}, vpcd.ErrGone},
		"nothing":         {nil, nil},
	} {
		reader, card := net.Pipe()
		end := make(chan error, 1)
		go func() { end <- vpcd.Serve(t.Context(), card, vpcd.CardConfig{Card: echo{}}) }()
		go func() { _, _ = io.Copy(io.Discard, reader) }()
		_, _ = reader.Write(c.sent)
		_ = reader.Close()
		if err := <-end; !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, card := net.Pipe()
	if err := vpcd.Serve(t.Context(), card, vpcd.CardConfig{}); err == nil {
		t.Error("no card was served")
	}
	_, card = net.Pipe()
	if err := vpcd.Serve(t.Context(), card, vpcd.CardConfig{Card: echo{}, ATR: make([]byte, 34)}); !errors.Is(err, vpcd.ErrTooLong) {
		t.Errorf("an ATR too long: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	reader, card := net.Pipe()
	defer func() { _ = reader.Close() }()
	time.AfterFunc(10*time.Millisecond, cancel)
	if err := vpcd.Serve(ctx, card, vpcd.CardConfig{Card: echo{}}); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}

// said is a connection whose far end said some octets and hung up; what is written to
// it is kept.
type said struct {
	net.Conn
	in  *bytes.Reader
	out bytes.Buffer
}

func saying(b []byte) *said                      { return &said{in: bytes.NewReader(b)} }
func (s *said) Read(b []byte) (int, error)       { return s.in.Read(b) }
func (s *said) Write(b []byte) (int, error)      { return s.out.Write(b) }
func (s *said) Close() error                     { return nil }
func (s *said) SetDeadline(time.Time) error      { return nil }
func (s *said) SetReadDeadline(time.Time) error  { return nil }
func (s *said) SetWriteDeadline(time.Time) error { return nil }

// messages counts the messages in b, which must be whole.
func messages(t *testing.T, b []byte) int {
	t.Helper()
	n := 0
	for ; len(b) > 0; n++ {
		if len(b) < 2 || len(b) < 2+int(b[0])<<8+int(b[1]) {
			t.Fatal("a message was cut")
		}
		b = b[2+int(b[0])<<8+int(b[1]):]
	}
	return n
}

// FuzzServe: whatever a reader sends, the card's end stops or answers commands,
// each with one well-formed message, and never more messages than were sent.
func FuzzServe(f *testing.F) {
	f.Add([]byte{0, 1, 1, 0, 1, 4, 0, 4, 0, 0xA4, 4, 0x0C, 0, 1, 0})
	f.Add([]byte{0, 0, 0xFF, 0xFF, 1, 2})
	f.Fuzz(func(t *testing.T, sent []byte) {
		conn := saying(sent)
		err := vpcd.Serve(t.Context(), conn, vpcd.CardConfig{Card: echo{}})
		if err != nil && !errors.Is(err, vpcd.ErrProtocol) && !errors.Is(err, vpcd.ErrGone) && !errors.Is(err, vpcd.ErrTooLong) {
			t.Fatal(err)
		}
		if n := messages(t, conn.out.Bytes()); n > len(sent)/2 {
			t.Fatalf("%d answers to %d octets", n, len(sent))
		}
	})
}

// FuzzAccept: whatever connects, the reader's end accepts it only with an ATR, and
// takes answers only with a status.
func FuzzAccept(f *testing.F) {
	f.Add([]byte{0, 5, 0x3B, 0x80, 0x80, 1, 1, 0, 2, 0x90, 0})
	f.Add([]byte{0, 0})
	f.Fuzz(func(t *testing.T, sent []byte) {
		conn := saying(sent)
		card, err := vpcd.Attach(t.Context(), conn, vpcd.ReaderConfig{})
		if err != nil {
			return
		}
		if atr := card.ATR(); len(atr) < 2 || atr[0] != 0x3B && atr[0] != 0x3F {
			t.Fatal("accepted without an answer to reset")
		}
		answers := 0
		for ; ; answers++ {
			answer, err := card.Transmit(t.Context(), []byte{0, 0xA4, 0, 0})
			if err != nil {
				break
			}
			if len(answer) < 2 {
				t.Fatal("an answer without status")
			}
		}
		if _, err := card.Transmit(t.Context(), []byte{0, 0xA4, 0, 0}); err == nil {
			t.Fatal("a broken connection was used again")
		}
		if n := messages(t, conn.out.Bytes()); n != answers+3 { // power, ATR, and the command that had no answer
			t.Fatalf("%d messages for %d answers", n, answers)
		}
	})
}
