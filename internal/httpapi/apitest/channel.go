package apitest

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/coder/websocket"
)

// Channel is the page's end of a live check.
type Channel struct {
	T  testing.TB
	WS *websocket.Conn
}

// Dial opens the channel of the live check. A nil header is the page's own.
func (b *Browser) Dial(header http.Header) (*Channel, *http.Response, error) {
	b.T.Helper()
	if header == nil {
		header = http.Header{"Origin": {b.URL}}
	}
	ws, res, err := websocket.Dial(b.T.Context(), b.URL+"/api/proofing/face", &websocket.DialOptions{HTTPClient: b.Client, HTTPHeader: header})
	if err != nil {
		return nil, res, err
	}
	b.T.Cleanup(func() { _ = ws.CloseNow() })
	return &Channel{b.T, ws}, res, nil
}

// Face opens the channel and asks to begin.
func (b *Browser) Face() *Channel {
	b.T.Helper()
	c, _, err := b.Dial(nil)
	if err != nil {
		b.T.Fatal(err)
	}
	c.Text(`{"type":"start"}`)
	return c
}

// Text sends a text message.
func (c *Channel) Text(s string) {
	c.T.Helper()
	if err := c.WS.Write(c.T.Context(), websocket.MessageText, []byte(s)); err != nil {
		c.T.Fatal(err)
	}
}

// Frame sends a JPEG with its capture time, and reports whether it was taken.
func (c *Channel) Frame(ms int64, jpeg []byte) bool {
	packet := append(binary.BigEndian.AppendUint64(nil, uint64(ms)), jpeg...)
	return c.WS.Write(c.T.Context(), websocket.MessageBinary, packet) == nil
}

// Next is the next message, or nil when the channel is closed.
func (c *Channel) Next() map[string]any {
	c.T.Helper()
	ctx, cancel := context.WithTimeout(c.T.Context(), Patience)
	defer cancel()
	_, raw, err := c.WS.Read(ctx)
	if err != nil {
		if ctx.Err() != nil {
			c.T.Fatal("no message")
		}
		return nil
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		c.T.Fatal(err)
	}
	return m
}

// Last is the last message before the channel closes.
func (c *Channel) Last() (m map[string]any) {
	c.T.Helper()
	for next := c.Next(); next != nil; next = c.Next() {
		m = next
	}
	return m
}
