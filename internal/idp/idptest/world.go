package idptest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ipse/internal/idp"
)

// Account is the account of the world's person.
const Account = "account-7f3a"

// World is a provider on a loopback port, with TLS, and one person.
type World struct {
	Provider *idp.Provider
	Issuer   string
	Store    *Memory
	Claims   *Claims
	Keys     []idp.SigningKey
	Pairwise []byte
	Server   *httptest.Server
	// Log holds what the provider logged.
	Log *Buffer
	// SignedIn is the account whose session the browsers hold when a service logs
	// somebody out.
	SignedIn string

	cfg     idp.Config
	handler atomic.Pointer[http.Handler]
	wallet  string

	mu      sync.Mutex
	offset  time.Duration // guarded by mu
	entries []idp.Entry   // the person's journal; guarded by mu
	ended   int           // sessions ended by logouts; guarded by mu
}

// Buffer is an io.Writer safe for concurrent use.
type Buffer struct {
	mu sync.Mutex
	b  strings.Builder
}

// Write implements io.Writer.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// String returns what was written.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// Append implements idp.Journal.
func (w *World) Append(_ context.Context, _ string, e idp.Entry) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.entries = append(w.entries, e)
	return nil
}

// Journal returns the person's journal.
func (w *World) Journal() []idp.Entry {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.entries)
}

// Ended returns how many sessions logouts have ended.
func (w *World) Ended() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ended
}

// Now is the world's clock.
func (w *World) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.offset)
}

// Advance moves the clock.
func (w *World) Advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.offset += d
}

// Attributes is the person: specimen data of ICAO Doc 9303.
func Attributes() map[string]any {
	return map[string]any{
		"family_name": "ERIKSSON", "given_name": "ANNA MARIA", "birthdate": "1974-08-12",
		"nationalities": []any{"UTO"}, "age_over_18": true, "document_type": "passport",
		"document_issuer": "UTO", "document_number": "L898902C3", "document_expiry": "2032-04-15", "verified_on": "2026-11-01",
	}
}

// New starts a world at the given level (low, substantial, high). configure may
// change the provider's configuration; services are registered afterwards with
// SetServices, since they need the addresses of their own servers.
func New(tb testing.TB, level string, configure func(*idp.Config)) *World {
	tb.Helper()
	w := &World{Store: &Memory{}, Log: &Buffer{}, Pairwise: make([]byte, 32)}
	rand.Read(w.Pairwise)
	var err error
	if w.Claims, err = NewClaims(); err != nil {
		tb.Fatal(err)
	}
	if w.wallet, err = w.Claims.Issue(Account, level, Attributes()); err != nil {
		tb.Fatal(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		tb.Fatal(err)
	}
	w.Keys = []idp.SigningKey{{Algorithm: "ES256", Signer: ec}, {Algorithm: "RS256", Signer: rs}}
	mux := http.NewServeMux()
	w.Server = httptest.NewUnstartedServer(mux)
	w.Server.Config.ErrorLog = log.New(io.Discard, "", 0) // connections cut when tests end
	w.Server.StartTLS()
	tb.Cleanup(w.Server.Close)
	w.Issuer = w.Server.URL
	w.SignedIn = Account
	w.cfg = idp.Config{
		Issuer: w.Issuer, Name: "Test", Keys: w.Keys, PairwiseKey: w.Pairwise,
		Store: w.Store, Verifier: w.Claims, Journal: w, Now: w.Now,
		Logger: slog.New(slog.NewTextHandler(w.Log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		EndSession: func(_ http.ResponseWriter, _ *http.Request, theirs func(string) bool) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if theirs(w.SignedIn) {
				w.ended++
			}
		},
	}
	w.Restart(tb, configure)
	mux.HandleFunc("/", func(rw http.ResponseWriter, r *http.Request) { (*w.handler.Load()).ServeHTTP(rw, r) })
	mux.HandleFunc("/login/", func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, "the login page") })
	return w
}

// Restart replaces the provider by a new one over the same store, as after a
// restart of the server. configure may change the configuration. The services
// stay those of the configuration: register others with SetServices.
func (w *World) Restart(tb testing.TB, configure func(*idp.Config)) {
	tb.Helper()
	if configure != nil {
		configure(&w.cfg)
	}
	if w.Provider != nil {
		w.cfg.Services = w.Provider.Services()
	}
	p, err := idp.New(w.cfg)
	if err != nil {
		tb.Fatal(err)
	}
	h := p.Handler()
	w.Provider = p
	w.handler.Store(&h)
}

// Browser is a browser: cookies, and redirections followed until a login page
// or an answer.
type Browser struct {
	*http.Client
	// Session is the person's session at the server, or empty.
	Session string

	w *World
}

// NewBrowser opens a browser with no cookies.
func (w *World) NewBrowser(tb testing.TB) *Browser {
	tb.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return &Browser{w: w, Client: &http.Client{
		Transport: w.Server.Client().Transport, Jar: jar, Timeout: time.Minute,
		// Services of tests that have no server live under .example (RFC 2606): the
		// browser stops at their door, and the redirection is the answer.
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if strings.HasSuffix(r.URL.Hostname(), ".example") || len(via) > 10 {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}}
}

// Cookie returns the value that binds this browser's logins.
func (b *Browser) Cookie() string {
	u, err := url.Parse(b.w.Issuer)
	if err != nil {
		return ""
	}
	for _, c := range b.Jar.Cookies(u) {
		if c.Name == b.w.Provider.BrowserCookie() {
			return c.Value
		}
	}
	return ""
}

// Begin follows an address to the login page and returns the login's id, or the
// answer where the browser ended instead.
func (b *Browser) Begin(tb testing.TB, address string) (id string, final *http.Response) {
	tb.Helper()
	resp, err := b.Get(address)
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Body.Close()
	id, ok := strings.CutPrefix(resp.Request.URL.Path, "/login/")
	if !ok {
		return "", resp
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return id, resp
}

// Agree answers a login: the person has just used the passkey and discloses
// every asked attribute but those withheld.
func (b *Browser) Agree(tb testing.TB, id string, withheld ...string) (string, error) {
	tb.Helper()
	view, err := b.w.Provider.Login(tb.Context(), id, b.Cookie())
	if err != nil {
		return "", fmt.Errorf("login page: %w", err)
	}
	var names []string
	for _, a := range view.Attributes {
		if !slices.Contains(withheld, a.Name) {
			names = append(names, a.Name)
		}
	}
	return b.w.Provider.Consent(tb.Context(), id, b.Cookie(), idp.Person{Account: Account, Session: b.Session, AuthTime: b.w.Now()}, Choose(b.w.wallet, names...), false)
}

// Wallet returns the person's signed claims with every disclosure.
func (w *World) Wallet() string { return w.wallet }
