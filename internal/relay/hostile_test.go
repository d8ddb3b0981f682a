package relay_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"ipse/internal/fair"
	"ipse/internal/relay"
)

// TestSilentConnectionsOfOneAddressKeepNobodyElseOut: whoever connects and says
// nothing takes places of its own network alone, and gives them back.
func TestSilentConnectionsOfOneAddressKeepNobodyElseOut(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *relay.Config) {
		c.MaxGreetings = 50
		c.Client = func(r *http.Request) fair.Client { return client(r.Header.Get("Test-Address")) }
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
	for range 3 { // a seventeenth of the places, rounded up
		ws, status := dial("203.0.113.1")
		if ws == nil {
			t.Fatalf("refused with %d", status)
		}
		silent = append(silent, ws)
	}
	if _, status := dial("203.0.113.1"); status != http.StatusServiceUnavailable {
		t.Errorf("a fourth of the same address: %d", status)
	}
	code, changes := b.pair(t, "s")
	b.connect(t, code, cardFunc(echo)) // of another address
	if !wait(t, changes) {
		t.Error("another address's reader was kept out")
	}
	_ = silent[0].CloseNow()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if ws, _ := dial("203.0.113.1"); ws != nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the place was not given back")
		}
	}
}

// client is the client of an address, or the unknown one.
func client(address string) fair.Client {
	addr, _ := netip.ParseAddr(address)
	return fair.Of(addr)
}

// TestWrongCodesOfManyAddressesBlockNobody: there is no limit for all together that
// a crowd of senders could use up.
func TestWrongCodesOfManyAddressesBlockNobody(t *testing.T) {
	t.Parallel()
	var from atomic.Value
	from.Store("198.51.100.1")
	b := newBench(t, func(c *relay.Config) {
		c.Client = func(*http.Request) fair.Client { return client(from.Load().(string)) }
	})
	for i := range 400 {
		from.Store(fmt.Sprintf("198.51.%d.%d", i/10, i%10+1))
		if err := wait(t, b.connect(t, "22222-22222", cardFunc(echo))); !errors.Is(err, relay.ErrCode) {
			t.Fatalf("wrong code %d: %v", i, err)
		}
	}
	from.Store("203.0.113.1")
	code, changes := b.pair(t, "s")
	b.connect(t, code, cardFunc(echo))
	if !wait(t, changes) {
		t.Error("somebody else's right code was kept out")
	}
}
