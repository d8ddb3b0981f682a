package relay_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"

	"ipse/internal/relay"
)

// TestSilentConnectionsOfOneAddressKeepNobodyElseOut: whoever connects and says
// nothing takes places of its own address alone, and gives them back.
func TestSilentConnectionsOfOneAddressKeepNobodyElseOut(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *relay.Config) {
		c.MaxGreetings, c.MaxGreetingsEach = 6, 3
		c.Addr = func(r *http.Request) string { return r.Header.Get("Test-Address") }
	})
	dial := func(from string) (*websocket.Conn, int) {
		ws, res, err := websocket.Dial(t.Context(), b.url, &websocket.DialOptions{HTTPHeader: http.Header{"Test-Address": {from}}})
		if err != nil {
			return nil, res.StatusCode
		}
		t.Cleanup(func() { _ = ws.CloseNow() })
		return ws, res.StatusCode
	}
	var silent []*websocket.Conn
	for range 3 {
		ws, status := dial("one")
		if ws == nil {
			t.Fatalf("refused with %d", status)
		}
		silent = append(silent, ws)
	}
	if _, status := dial("one"); status != http.StatusServiceUnavailable {
		t.Errorf("a fourth of the same address: %d", status)
	}
	code, changes := b.pair(t, "s")
	b.connect(t, code, cardFunc(echo)) // of another address
	if !wait(t, changes) {
		t.Error("another address's reader was kept out")
	}
	_ = silent[0].CloseNow()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if ws, _ := dial("one"); ws != nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the place was not given back")
		}
	}
}
