package relay_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"ipse/internal/relay"
)

// server plays a relay's server as a test tells it to.
func server(t *testing.T, play func(ctx context.Context, ws *websocket.Conn)) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = ws.CloseNow() }()
		play(r.Context(), ws)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func say(ctx context.Context, ws *websocket.Conn, text string) {
	_ = ws.Write(ctx, websocket.MessageText, []byte(text))
}

func hello(ctx context.Context, ws *websocket.Conn) (map[string]any, error) {
	_, raw, err := ws.Read(ctx)
	if err != nil {
		return nil, err
	}
	m := map[string]any{}
	return m, json.Unmarshal(raw, &m)
}

const welcome = `{"type":"welcome","protocol":"ipse-relay/1","max_batch":16}`

func connectTo(t *testing.T, url string, card relay.Card) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return relay.Connect(ctx, relay.ClientConfig{URL: url, Code: "acdef ghjkm", Card: card, Name: "specimen"})
}

// TestAReaderIsToldWhyItIsRefused, so that its person knows what to do.
func TestAReaderIsToldWhyItIsRefused(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]error{
		`{"type":"refused","code":"wrong_code"}`:                          relay.ErrCode,
		`{"type":"refused","code":"too_many_attempts","retry_after_s":7}`: relay.ErrTooMany,
		`{"type":"refused","code":"unknown_protocol"}`:                    relay.ErrVersion,
		`{"type":"refused","code":"busy","retry_after_s":5}`:              relay.ErrBusy,
		`{"type":"refused","code":"for another reason"}`:                  relay.ErrHandshake,
		`{"type":"welcome","protocol":"ipse-relay/9"}`:                    relay.ErrHandshake,
		`{"type":"bye"}`: relay.ErrHandshake, `{`: relay.ErrHandshake, `[]`: relay.ErrHandshake,
		strings.Repeat(" ", 5<<10): relay.ErrHandshake,
	} {
		asked := make(chan map[string]any, 1)
		url := server(t, func(ctx context.Context, ws *websocket.Conn) {
			m, err := hello(ctx, ws)
			if err != nil {
				return
			}
			asked <- m
			say(ctx, ws, answer)
			_, _, _ = ws.Read(ctx)
		})
		err := connectTo(t, url, cardFunc(echo))
		var e *relay.Error
		if !errors.Is(err, want) || !errors.As(err, &e) {
			t.Errorf("%.40s: %v, want %v", answer, err, want)
			continue
		}
		if (e.RetryAfter > 0) != strings.Contains(answer, "retry") {
			t.Errorf("%.40s: again after %v", answer, e.RetryAfter)
		}
		if m := <-asked; m["type"] != "hello" || m["protocol"] != relay.Protocol || m["code"] != "ACDEFGHJKM" && m["code"] != "acdef ghjkm" {
			t.Errorf("the hello: %v", m)
		}
	}
}

// TestAReaderLeavesAServerThatIsNone: what does not follow the protocol reaches no
// chip; what a later version may add is passed over.
func TestAReaderLeavesAServerThatIsNone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		play func(ctx context.Context, ws *websocket.Conn)
		want error
	}{
		"gone before the welcome": {func(context.Context, *websocket.Conn) {}, relay.ErrGone},
		"a binary welcome": {func(ctx context.Context, ws *websocket.Conn) {
			_ = ws.Write(ctx, websocket.MessageBinary, []byte(welcome))
			_, _, _ = ws.Read(ctx)
		}, relay.ErrHandshake},
		"malformed commands": {func(ctx context.Context, ws *websocket.Conn) {
			say(ctx, ws, welcome)
			_ = ws.Write(ctx, websocket.MessageBinary, []byte{1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 9})
			_, _, _ = ws.Read(ctx)
		}, relay.ErrHandshake},
		"no commands": {func(ctx context.Context, ws *websocket.Conn) {
			say(ctx, ws, welcome)
			_ = ws.Write(ctx, websocket.MessageBinary, []byte{1, 0, 0, 0, 1, 0, 0})
			_, _, _ = ws.Read(ctx)
		}, relay.ErrHandshake},
		"answers instead": {func(ctx context.Context, ws *websocket.Conn) {
			say(ctx, ws, welcome)
			_ = ws.Write(ctx, websocket.MessageBinary, []byte{2, 0, 0, 0, 1, 0, 1, 0, 0, 0, 2, 0x90, 0})
			_, _, _ = ws.Read(ctx)
		}, relay.ErrHandshake},
		"cut": {func(ctx context.Context, ws *websocket.Conn) { say(ctx, ws, welcome) }, relay.ErrGone},
		"news of a later version, then bye": {func(ctx context.Context, ws *websocket.Conn) {
			say(ctx, ws, welcome)
			say(ctx, ws, `{"type":"weather","temperature":21}`)
			say(ctx, ws, `not JSON`)
			say(ctx, ws, `{"type":"bye"}`)
			_, _, _ = ws.Read(ctx)
		}, nil},
		"closed with a word": {func(ctx context.Context, ws *websocket.Conn) {
			say(ctx, ws, welcome)
			_ = ws.Close(websocket.StatusNormalClosure, "done")
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := server(t, func(ctx context.Context, ws *websocket.Conn) {
				if _, err := hello(ctx, ws); err == nil {
					c.play(ctx, ws)
				}
			})
			err := connectTo(t, url, cardFunc(func(context.Context, []byte) ([]byte, error) {
				t.Error("something reached the chip")
				return []byte{0x90, 0}, nil
			}))
			if !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

// TestCommandsThatNoChipAcceptsAreNotSent, nor more in one message than there may be.
func TestCommandsThatNoChipAcceptsAreNotSent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	reader, _, _ := ready(t, b, "s", cardFunc(func(_ context.Context, command []byte) ([]byte, error) {
		if len(command) < 4 || len(command) > 65544 {
			t.Errorf("%d bytes reached the chip", len(command))
		}
		return []byte{0x90, 0}, nil
	}))
	batch, ok := reader.(interface {
		TransmitBatch(ctx context.Context, commands [][]byte) ([][]byte, error)
	})
	if !ok {
		t.Fatal("no batches")
	}
	good := []byte{0, 0xB0, 0, 0}
	seventeen := make([][]byte, 17)
	for i := range seventeen {
		seventeen[i] = good
	}
	huge := make([]byte, 65544)
	for name, commands := range map[string][][]byte{
		"none": {}, "too short": {{0, 0xB0, 0}}, "too long": {make([]byte, 65545)}, "one of two too short": {good, {1}}, "too many": seventeen,
		"too large together": {huge, huge, huge, huge, huge},
	} {
		if answers, err := batch.TransmitBatch(t.Context(), commands); !errors.Is(err, relay.ErrCommand) || answers != nil {
			t.Errorf("%s: %d answers, %v", name, len(answers), err)
		}
	}
	if answers, err := batch.TransmitBatch(t.Context(), seventeen[:16]); err != nil || len(answers) != 16 {
		t.Errorf("sixteen: %d answers, %v", len(answers), err)
	}
	if _, err := reader.Transmit(t.Context(), huge); err != nil {
		t.Errorf("the longest: %v", err)
	}
}

// TestACommandThatIsNeverAnsweredEndsTheConnection: a reader that says it is there and
// does nothing does not hold a reading for ever.
func TestACommandThatIsNeverAnsweredEndsTheConnection(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *relay.Config) { c.TransmitFor = 50 * time.Millisecond })
	held := make(chan struct{})
	t.Cleanup(func() { close(held) })
	reader, changes, _ := ready(t, b, "s", cardFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		select {
		case <-held:
		case <-ctx.Done():
		}
		return nil, errors.New("late")
	}))
	_, err := reader.Transmit(t.Context(), []byte{0, 0xB0, 0, 0})
	var e *relay.Error
	if !errors.Is(err, relay.ErrGone) || !errors.As(err, &e) || !e.ReaderLost() || e.CardLost() {
		t.Errorf("err = %v", err)
	}
	if wait(t, changes) {
		t.Error("the reader is still there")
	}
	if _, ok := b.hub.Reader("s"); ok {
		t.Error("the reader is still found")
	}
}
