package relay

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"ipse/internal/fair"
)

// Config makes a Hub. Now, Rand and Log are required.
type Config struct {
	Now  func() time.Time
	Rand io.Reader
	Log  *slog.Logger
	// Client finds the client of a request, for sharing places and tries: by the
	// peer's address unless set. Set it behind a reverse proxy.
	Client func(*http.Request) fair.Client
	// CodeFor is how long a pairing code is valid. Default 5 minutes.
	CodeFor time.Duration
	// TransmitFor bounds one command at the reader. Default 20 s.
	TransmitFor time.Duration
	// PingEvery is how often a silent connection is probed; a reader that does
	// not answer within the same time is gone. Default 5 s.
	PingEvery time.Duration
	// MaxOwners bounds codes and connected readers together. Default 10,000.
	MaxOwners int
	// MaxGreetings bounds connections that have not sent a good code, shared so that
	// nobody keeps everybody else's readers out by saying nothing. Default 256.
	MaxGreetings int
	// WrongCodes allowed to a client per minute. There is no limit for all together,
	// which anybody could use up: a million wrong codes a minute find one of ten
	// thousand valid ones with a probability of 0.08 % in a code's five minutes. Default 10.
	WrongCodes int
}

// Hub issues pairing codes and holds the connected readers, one per owner. It
// is safe for concurrent use and is the handler of Path.
type Hub struct {
	cfg       Config
	mac       [32]byte // keys the index of codes, so that lookups tell nothing by their timing
	wrong     *fair.Points
	greetings *fair.Room

	mu     sync.Mutex // guards what follows
	owners map[string]*slot
	codes  map[[32]byte]*slot
	closed bool
}

// slot is what an owner has: a code, then a reader. Guarded by Hub.mu.
type slot struct {
	owner   string
	code    [32]byte // keyed hash; the zero value when used
	expires time.Time
	changed func(connected bool)
	conn    *serverConn
}

// NewHub checks the configuration and fills in defaults.
func NewHub(cfg Config) (*Hub, error) {
	if cfg.Now == nil || cfg.Rand == nil || cfg.Log == nil {
		return nil, errors.New("relay: incomplete configuration")
	}
	if cfg.CodeFor < 0 || cfg.TransmitFor < 0 || cfg.PingEvery < 0 || cfg.MaxOwners < 0 ||
		cfg.MaxGreetings < 0 || cfg.WrongCodes < 0 {
		return nil, errors.New("relay: a limit is negative")
	}
	setDefault(&cfg.CodeFor, 5*time.Minute)
	setDefault(&cfg.TransmitFor, 20*time.Second)
	setDefault(&cfg.PingEvery, 5*time.Second)
	setDefault(&cfg.MaxOwners, 10_000)
	setDefault(&cfg.MaxGreetings, 256)
	setDefault(&cfg.WrongCodes, 10)
	if cfg.Client == nil {
		cfg.Client = peer
	}
	wrong, err := fair.NewPoints(fair.PointsConfig{Rand: cfg.Rand, Burst: cfg.WrongCodes, Every: time.Minute / time.Duration(cfg.WrongCodes), Remember: maxNetworks})
	if err != nil {
		return nil, fmt.Errorf("relay: %w", err)
	}
	h := &Hub{cfg: cfg, wrong: wrong, greetings: fair.NewRoom(cfg.MaxGreetings), owners: map[string]*slot{}, codes: map[[32]byte]*slot{}}
	if _, err := io.ReadFull(cfg.Rand, h.mac[:]); err != nil {
		return nil, fmt.Errorf("relay: draw key: %w", err)
	}
	return h, nil
}

func setDefault[T comparable](value *T, def T) {
	var zero T
	if *value == zero {
		*value = def
	}
}

// maxNetworks bounds the networks whose wrong codes are remembered.
const maxNetworks = 1 << 14

// peer is the client at the other end of the connection.
func peer(r *http.Request) fair.Client {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return fair.Client{}
	}
	return fair.Of(at.Addr())
}

// Pair issues a code for an owner (ABCDE-FGHJK), replacing its earlier code and
// letting go of its reader. changed is called from the connection's goroutine
// when a reader connects with this code and when it is lost, not when it is
// released or replaced.
func (h *Hub) Pair(owner string, changed func(connected bool)) (code string, expires time.Time, err error) {
	if owner == "" || changed == nil {
		return "", time.Time{}, errors.New("relay: pairing without owner or callback")
	}
	old := h.take(owner)
	old.close(typeBye)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forgetExpired()
	if h.closed || len(h.owners) >= h.cfg.MaxOwners {
		return "", time.Time{}, &Error{kind: ErrBusy, RetryAfter: 30 * time.Second}
	}
	for {
		code, err := drawCode(h.cfg.Rand)
		if err != nil {
			return "", time.Time{}, err
		}
		key := h.index(code)
		if _, taken := h.codes[key]; taken {
			continue
		}
		s := &slot{owner: owner, code: key, expires: h.cfg.Now().Add(h.cfg.CodeFor), changed: changed}
		h.owners[owner], h.codes[key] = s, s
		return code[:codeLength/2] + "-" + code[codeLength/2:], s.expires, nil
	}
}

// Reader returns the reader connected for an owner, or false. The card's
// errors are *Error.
func (h *Hub) Reader(owner string) (card interface { // proofing.Card
	Transmit(ctx context.Context, command []byte) (response []byte, err error)
}, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.owners[owner]
	if s == nil || s.conn == nil || s.conn.over() {
		return nil, false
	}
	return s.conn, true
}

// Release lets go of an owner's reader, which is told so, and of its code.
func (h *Hub) Release(owner string) {
	old := h.take(owner)
	old.close(typeBye)
}

// Close releases every reader and refuses new ones.
func (h *Hub) Close() {
	h.mu.Lock()
	h.closed = true
	var all []string
	for owner := range h.owners {
		all = append(all, owner)
	}
	h.mu.Unlock()
	for _, owner := range all {
		h.Release(owner)
	}
}

// take removes an owner's slot and returns its connection, nil when it has none.
func (h *Hub) take(owner string) *serverConn {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.owners[owner]
	if s == nil {
		return nil
	}
	delete(h.owners, owner)
	delete(h.codes, s.code)
	return s.conn
}

// forgetExpired drops codes whose time is over. mu is held.
func (h *Hub) forgetExpired() {
	now := h.cfg.Now()
	for key, s := range h.codes {
		if !now.Before(s.expires) {
			delete(h.codes, key)
			delete(h.owners, s.owner)
		}
	}
}

// claim uses up a code and binds the connection to its owner. A wrong, used or
// expired code is ErrCode and takes as long as a right one.
func (h *Hub) claim(code string, conn *serverConn) (*slot, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.codes[h.index(code)]
	if h.closed || s == nil || !h.cfg.Now().Before(s.expires) {
		return nil, &Error{kind: ErrCode}
	}
	delete(h.codes, s.code)
	s.code, s.conn = [32]byte{}, conn
	return s, nil
}

// lost forgets a connection that ended by itself and reports whether it was
// still its owner's.
func (h *Hub) lost(s *slot, conn *serverConn) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.owners[s.owner] != s || s.conn != conn {
		return false
	}
	delete(h.owners, s.owner)
	return true
}

// index is the key of a code: an HMAC under a key of this process's own, so
// that comparing codes leaks nothing about the valid ones.
func (h *Hub) index(code string) [32]byte {
	mac := hmac.New(sha256.New, h.mac[:])
	mac.Write([]byte(code))
	return [32]byte(mac.Sum(nil))
}
