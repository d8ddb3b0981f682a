package httpapi_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ipse/internal/account"
	"ipse/internal/consent"
	"ipse/internal/httpapi"
	"ipse/internal/httpapi/apitest"
	"ipse/internal/pii"
	"ipse/internal/pii/piitest"
	"ipse/internal/proofing"
	"ipse/internal/relay"
	"ipse/internal/store"
	"ipse/internal/vault"
)

// server is a whole server with real services; the chip and the face answer
// from a script, and logins come from a table.
type server struct {
	t      testing.TB
	path   string
	url    string
	http   *httptest.Server
	api    *httpapi.API
	store  *store.DB
	proof  *proofing.Service
	hub    *relay.Hub
	keys   *ecdsa.PrivateKey
	chip   *chipScript
	face   *faceScript
	logins *loginTable
	cases  *caseTable
	log    *piitest.Log
	change []func(*httpapi.Config)

	mu  sync.Mutex // guards api behind the handler, and at
	now time.Time
}

func newServer(t testing.TB, change ...func(*httpapi.Config)) *server {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, path: filepath.Join(t.TempDir(), "ipse.db"), keys: key, change: change, now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC),
		chip: &chipScript{}, face: &faceScript{}, logins: &loginTable{}, cases: &caseTable{}, log: &piitest.Log{}}
	s.http = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		api := s.api
		s.mu.Unlock()
		api.ServeHTTP(w, r)
	}))
	s.http.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	_, port, _ := strings.Cut(s.http.Listener.Addr().String(), ":")
	s.url = "https://localhost:" + port
	s.open()
	s.http.StartTLS()
	t.Cleanup(func() {
		s.close()
		s.http.Close()
	})
	return s
}

func (s *server) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *server) add(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// open starts every service on the database.
func (s *server) open() {
	s.t.Helper()
	log := slog.New(pii.NewHandler(slog.NewJSONHandler(s.log, nil)))
	s.store = apitest.Must(store.Open(s.t.Context(), store.Config{Path: s.path}))
	issuer := apitest.Must(consent.NewIssuer(consent.Config{Operator: consent.Operator{Name: "Example City", Contact: "dpo@city.example"}, Key: s.keys, KeyID: "k"}))
	s.hub = apitest.Must(relay.NewHub(relay.Config{Now: s.clock, Rand: rand.Reader, Log: log}))
	s.proof = apitest.Must(proofing.NewService(proofing.Config{Policy: proofing.DefaultPolicy(), Consent: issuer, Store: s.store, Readers: s.hub,
		Chip: s.chip, Face: s.face, Now: s.clock, Rand: rand.Reader, Log: log}))
	claims := apitest.Must(vault.New(vault.Config{ClaimsKey: s.keys, Issuer: s.url, Now: s.clock, Rand: rand.Reader}))
	accounts := apitest.Must(account.New(account.Config{Store: s.store, Vault: claims, RPID: "localhost", RPName: "Ipse",
		Origins: []string{s.url}, Now: s.clock, Rand: rand.Reader}))
	cfg := httpapi.Config{PublicURL: s.url, Site: httpapi.Site{Name: "Ipse", Languages: []string{"en", "fr"}}, Proofing: s.proof, Accounts: accounts,
		Vault: claims, Counter: s.counterOf(), Logins: s.logins, SignOuts: s.logins, OIDC: http.NotFoundHandler(), Relay: s.hub, Pages: http.HandlerFunc(page),
		Ready: s.store.Ping, Client: httpapi.Client(nil), Now: s.clock, Rand: rand.Reader, Log: log}
	for _, f := range s.change {
		f(&cfg)
	}
	api := apitest.Must(httpapi.New(cfg))
	s.mu.Lock()
	s.api = api
	s.mu.Unlock()
}

func page(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("page")) }

func (s *server) close() {
	s.api.Close()
	s.hub.Close()
	if err := s.proof.Close(context.Background()); err != nil {
		s.t.Error(err)
	}
	if err := s.store.Close(); err != nil {
		s.t.Error(err)
	}
}

func (s *server) restart() {
	s.close()
	s.open()
}

// browser is one person's browser, with what these tests do with it.
type browser struct {
	*apitest.Browser
	s *server
}

func (s *server) browser() *browser {
	s.t.Helper()
	transport, ok := s.http.Client().Transport.(*http.Transport)
	if !ok {
		s.t.Fatal("no transport")
	}
	transport = transport.Clone()
	transport.TLSClientConfig.ServerName = "example.com" // the test certificate's
	return &browser{apitest.New(s.t, s.url, transport), s}
}

// plug connects a reader with the pairing code of the page.
func (b *browser) plug() (unplug context.CancelFunc) {
	b.s.t.Helper()
	ctx, cancel := context.WithCancel(b.s.t.Context())
	code := b.View().Document.PairingCode
	connected, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		_ = relay.Connect(ctx, relay.ClientConfig{URL: b.URL, Code: code, Card: card{}, HTTPClient: &http.Client{Transport: b.Client.Transport},
			Connected: func() { close(connected) }})
	}()
	select {
	case <-connected:
	case <-done:
		b.s.t.Fatal("the reader did not connect")
	}
	b.Until(func(v proofing.View) bool { return v.Document != nil && v.Document.ReaderConnected })
	stop := func() {
		cancel()
		<-done
	}
	b.s.t.Cleanup(stop)
	return stop
}

type card struct{}

func (card) Transmit(context.Context, []byte) ([]byte, error) { return []byte{0x90, 0}, nil }

func typed() map[string]any {
	return map[string]any{"mrz": map[string]string{"document_number": "L898902C3", "birth_date": "1974-08-12", "expiry_date": "2032-04-15"}}
}

// read reads the document and waits until that is over.
func (b *browser) read() proofing.View {
	b.s.t.Helper()
	b.plug()
	b.OK("POST", "/api/proofing/document", typed(), nil)
	return b.Until(func(v proofing.View) bool {
		return v.Document == nil || v.Document.Phase == proofing.DocumentFailed
	})
}

// accepted is a browser whose person is accepted.
func (b *browser) accepted() *browser {
	b.s.t.Helper()
	b.Start("camera")
	if v := b.read(); v.State != proofing.StateFace {
		b.s.t.Fatalf("after reading: %+v", v)
	}
	if last := b.runFace(jpegFrame(1)); last["type"] != "decision" || last["accepted"] != true {
		b.s.t.Fatalf("the check: %v", last)
	}
	return b
}

// member is a browser whose person has an account and a session.
func (s *server) member() *browser {
	s.t.Helper()
	b := s.browser().accepted()
	b.OK("POST", "/api/proofing/account", b.AccountBody(), nil)
	return b
}

// chipScript is a chip reader that answers as told.
type chipScript struct {
	mu   sync.Mutex
	read func(ctx context.Context, card proofing.Card, req proofing.ReadRequest) (*proofing.Reading, error)
}

func (c *chipScript) ReadDocument(ctx context.Context, card proofing.Card, req proofing.ReadRequest) (*proofing.Reading, error) {
	c.mu.Lock()
	read := c.read
	c.mu.Unlock()
	if read != nil {
		return read(ctx, card, req)
	}
	if _, err := card.Transmit(ctx, []byte{0, 0xA4, 4, 0x0C}); err != nil {
		return nil, &proofing.ReadError{Code: proofing.FailureChip, Err: err}
	}
	return specimen(), nil
}

func (c *chipScript) set(read func(context.Context, proofing.Card, proofing.ReadRequest) (*proofing.Reading, error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read = read
}

// specimen is a genuine document as a reader returns it. The name is ICAO's specimen.
func specimen() *proofing.Reading {
	return &proofing.Reading{Genuine: true, Chip: proofing.ResultPassed, Portrait: pii.NewBytes([]byte("portrait of the specimen")),
		Attributes: proofing.Attributes{FamilyName: pii.NewText("ERIKSSON"), GivenName: pii.NewText("ANNA MARIA"),
			BirthDate: pii.NewText("1974-08-12"), Sex: pii.NewText("F"), Nationality: pii.NewText("UTO"), DocumentKind: "passport",
			DocumentIssuer: "UTO", DocumentNumber: pii.NewText("L898902C3"), DocumentExpiry: pii.NewText("2032-04-15")}}
}

// faceScript is a face checker whose check ends with the first frame whose last
// byte is 1, and remembers what it saw.
type faceScript struct {
	mu       sync.Mutex
	decision proofing.FaceDecision
	refuse   bool
	err      error
	hold     chan struct{} // if set, each frame waits for it
	began    chan struct{} // if set, told when a frame is under examination
	seen     []byte        // last byte of each frame examined
	at       []time.Duration
}

func (f *faceScript) NewCheck(context.Context, pii.Bytes) (proofing.FaceCheck, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return nil, f.err
	}
	return &scriptedCheck{f: f}, nil
}

func (f *faceScript) seenSoFar() []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.seen)
}

type scriptedCheck struct {
	f    *faceScript
	step int
	dark bool
}

func (c *scriptedCheck) DeclineLight() { c.dark = true }

func (c *scriptedCheck) Instruction() proofing.Instruction {
	return proofing.Instruction{Index: c.step, Of: 2, Action: []string{"center", "turnLeft"}[c.step], Timeout: 12 * time.Second}
}

func (c *scriptedCheck) Push(ctx context.Context, f proofing.Frame) (proofing.Guidance, error) {
	c.f.mu.Lock()
	raw := f.JPEG.Reveal()
	last := raw[len(raw)-1]
	c.f.seen = append(c.f.seen, last)
	c.f.at = append(c.f.at, f.CapturedAt)
	hold, began := c.f.hold, c.f.began
	c.f.mu.Unlock()
	if began != nil {
		began <- struct{}{}
	}
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return proofing.Guidance{}, ctx.Err()
		}
	}
	g := proofing.Guidance{}
	switch last {
	case 1:
		g.Finished, g.StepDone, g.DoneIndex = true, true, c.step
	case 2:
		g.StepDone, g.DoneIndex = true, c.step
		c.step = 1
	case 3:
		g.Hint = "come_closer"
	case 4:
		return g, errors.New("a fault of the runtime")
	case 5:
		if !c.dark {
			g.Light = "#ff7070"
		}
	}
	g.Instruction = c.Instruction()
	return g, nil
}

func (c *scriptedCheck) Decide() proofing.FaceDecision {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	if c.f.refuse {
		return c.f.decision
	}
	return proofing.FaceDecision{Accepted: true}
}

func (c *scriptedCheck) Wipe() {}

// loginTable is a provider with one login waiting.
type loginTable struct {
	mu       sync.Mutex
	started  time.Time
	err      error
	got      string
	remember bool       // of the answer
	heard    [][]string // ends of sessions
}

type loginError string

func (e loginError) Error() string { return "login" }
func (e loginError) Code() string  { return string(e) }

func (l *loginTable) Login(_ *http.Request, id string) (httpapi.Login, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if id != "one" {
		return httpapi.Login{}, loginError("login_not_found")
	}
	return httpapi.Login{Service: httpapi.LoginService{ID: "tax", Name: httpapi.Text{EN: "Tax Office", FR: "Impôts"}}, ACR: "eidas2",
		StartedAt: l.started}, nil
}

func (l *loginTable) Consent(_ *http.Request, _ string, session account.Session, answer httpapi.LoginAnswer) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return "", l.err
	}
	l.got = fmt.Sprintf("%t %t %s", session.Account != "", !session.AuthTime.IsZero(), answer.Presentation)
	l.remember = answer.Remember
	return "https://tax.example/back", nil
}

func (l *loginTable) Refuse(*http.Request, string) (string, error) {
	return "https://tax.example/back?error=access_denied", nil
}

func (l *loginTable) Moved(from, to, account string) { l.hear("moved", from, to, account) }
func (l *loginTable) SignedOut(session string)       { l.hear("signed out", session) }
func (l *loginTable) SignedOutAll(account, but string) {
	l.hear("signed out everywhere", account, but)
}

func (l *loginTable) hear(words ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard = append(l.heard, words)
}
