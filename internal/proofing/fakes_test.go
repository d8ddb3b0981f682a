package proofing_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"ipse/internal/consent"
	"ipse/internal/pii"
	"ipse/internal/pii/piitest"
	"ipse/internal/proofing"
)

// clock is a hand-set clock.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

var errDisk = errors.New("disk full")

// memStore is a proofing.Store in memory. fault breaks the n-th write from now.
type memStore struct {
	mu      sync.Mutex
	rows    map[[32]byte]proofing.Session
	writes  int
	failAt  int  // number of the write that fails; 0 for none
	persist bool // the failing write persists nevertheless
	other   int  // what a transaction wrote besides
	// evidence is how many decisions of agents were kept.
	evidence int
}

type txKey struct{}

func (m *memStore) write(ctx context.Context, f func() error) error {
	if ctx.Value(txKey{}) != nil {
		return f()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes++
	if m.failAt == m.writes && !m.persist {
		return errDisk
	}
	before, other, evidence := clone(m.rows), m.other, m.evidence
	if err := f(); err != nil {
		m.rows, m.other, m.evidence = before, other, evidence
		return err
	}
	if m.failAt == m.writes {
		return errDisk
	}
	return nil
}

func clone(rows map[[32]byte]proofing.Session) map[[32]byte]proofing.Session {
	out := make(map[[32]byte]proofing.Session, len(rows))
	for k, v := range rows {
		out[k] = v
	}
	return out
}

func (m *memStore) CreateProofing(ctx context.Context, s proofing.Session) error {
	return m.write(ctx, func() error { m.rows[s.TokenHash] = s; return nil })
}

func (m *memStore) ProofingByToken(_ context.Context, hash [32]byte) (proofing.Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.rows[hash]
	if !ok {
		return s, proofing.ErrNoSession
	}
	return s, nil
}

func (m *memStore) UpdateProofing(ctx context.Context, s proofing.Session) error {
	return m.write(ctx, func() error {
		if m.rows[s.TokenHash].Version != s.Version {
			return proofing.ErrConflict
		}
		s.Version++
		m.rows[s.TokenHash] = s
		return nil
	})
}

func (m *memStore) SweepProofings(ctx context.Context, _, _ time.Time) (int, int, error) {
	return 0, 0, m.write(ctx, func() error { return nil })
}

func (m *memStore) Atomically(ctx context.Context, f func(context.Context) error) error {
	return m.write(ctx, func() error { return f(context.WithValue(ctx, txKey{}, true)) })
}

// only returns the one row.
func (m *memStore) only(t *testing.T) proofing.Session {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.rows) != 1 {
		t.Fatalf("%d rows", len(m.rows))
	}
	for _, s := range m.rows {
		return s
	}
	panic("unreachable")
}

// readers is a proofing.Readers whose reader is always there once plugged.
type readers struct {
	mu        sync.Mutex
	connected map[string]bool
	changed   map[string]func(bool)
	released  int
	refuse    bool
}

func (r *readers) Pair(owner string, changed func(bool)) (string, time.Time, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refuse {
		return "", time.Time{}, errors.New("no codes")
	}
	r.changed[owner] = changed
	delete(r.connected, owner)
	return "1234-5678", begin().Add(5 * time.Minute), nil
}

func (r *readers) Reader(owner string) (proofing.Card, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return card{}, r.connected[owner]
}

func (r *readers) Release(owner string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.connected, owner)
	delete(r.changed, owner)
	r.released++
}

// plug connects or disconnects every owner's reader.
func (r *readers) plug(on bool) {
	r.mu.Lock()
	var calls []func(bool)
	for owner, changed := range r.changed {
		r.connected[owner] = on
		calls = append(calls, changed)
	}
	r.mu.Unlock()
	for _, call := range calls {
		call(on)
	}
}

type card struct{}

func (card) Transmit(context.Context, []byte) ([]byte, error) { return []byte{0x90, 0}, nil }

// chipFake answers readings with a function and remembers what it handed out.
type chipFake struct {
	mu         sync.Mutex
	read       func(ctx context.Context, req proofing.ReadRequest) (*proofing.Reading, error)
	portraits  [][]byte
	challenges [][8]byte
	calls      int
}

func (c *chipFake) ReadDocument(ctx context.Context, _ proofing.Card, req proofing.ReadRequest) (*proofing.Reading, error) {
	c.mu.Lock()
	c.calls++
	c.challenges = append(c.challenges, req.Challenge)
	read := c.read
	c.mu.Unlock()
	reading, err := read(ctx, req)
	if reading != nil {
		c.mu.Lock()
		c.portraits = append(c.portraits, reading.Portrait.Reveal())
		c.mu.Unlock()
	}
	return reading, err
}

func (c *chipFake) set(f func(ctx context.Context, req proofing.ReadRequest) (*proofing.Reading, error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read = f
}

// specimen is a genuine document as a reader returns it. The name is ICAO's specimen.
func specimen() *proofing.Reading {
	return &proofing.Reading{Genuine: true, Chip: proofing.ResultPassed, Portrait: pii.NewBytes([]byte("portrait of the specimen")), Identity: pii.NewBytes([]byte("what was signed")),
		Attributes: proofing.Attributes{FamilyName: pii.NewText("ERIKSSON"), GivenName: pii.NewText("ANNA MARIA"),
			BirthDate: pii.NewText("1974-08-12"), Sex: pii.NewText("F"), Nationality: pii.NewText("UTO"), DocumentKind: "passport",
			DocumentIssuer: "UTO", DocumentNumber: pii.NewText("L898902C3"), DocumentExpiry: pii.NewText("2032-04-15")}}
}

func genuine(context.Context, proofing.ReadRequest) (*proofing.Reading, error) {
	return specimen(), nil
}

// faceFake begins checks with a decision to come, and remembers the portraits it got.
type faceFake struct {
	mu        sync.Mutex
	decision  proofing.FaceDecision
	err       error
	onPush    func()
	portraits [][]byte
	checks    []*checkFake
}

func (f *faceFake) NewCheck(_ context.Context, portrait pii.Bytes) (proofing.FaceCheck, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return nil, f.err
	}
	f.portraits = append(f.portraits, portrait.Reveal())
	c := &checkFake{face: f, portrait: portrait}
	f.checks = append(f.checks, c)
	return c, nil
}

func (f *faceFake) decide(d proofing.FaceDecision) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.decision = d
}

type checkFake struct {
	face     *faceFake
	portrait pii.Bytes
	wiped    bool
	dark     bool
}

func (c *checkFake) Instruction() proofing.Instruction {
	return proofing.Instruction{Of: 6, Action: "center", Timeout: 10 * time.Second}
}

func (c *checkFake) DeclineLight() { c.dark = true }

func (c *checkFake) Push(context.Context, proofing.Frame) (proofing.Guidance, error) {
	if c.face.onPush != nil {
		c.face.onPush()
	}
	return proofing.Guidance{Instruction: c.Instruction(), Finished: true}, nil
}

func (c *checkFake) Decide() proofing.FaceDecision {
	c.face.mu.Lock()
	defer c.face.mu.Unlock()
	return c.face.decision
}

func (c *checkFake) Wipe() { c.portrait.Wipe(); c.wiped = true }

// agents accepts signatures that equal the decision signed, and writes one row of
// evidence in the transaction that it is called in.
type agents struct{ store *memStore }

func (a agents) VerifyDecision(ctx context.Context, _ string, decision, signature []byte) error {
	switch {
	case ctx.Value(txKey{}) == nil:
		return errors.New("not in a transaction")
	case !bytes.Equal(decision, signature):
		return fmt.Errorf("%w: wrong signature", proofing.ErrAgent)
	}
	a.store.evidence++
	return nil
}

// rig is a service with all its fakes.
type rig struct {
	*proofing.Service
	clock   *clock
	store   *memStore
	readers *readers
	chip    *chipFake
	face    *faceFake
	log     *piitest.Log
	cfg     proofing.Config
}

func newRig(t *testing.T, change ...func(*proofing.Config)) *rig {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := consent.NewIssuer(consent.Config{Operator: consent.Operator{Name: "Example City", Contact: "dpo@city.example"}, Key: key, KeyID: "k"})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{clock: &clock{at: begin()}, store: &memStore{rows: map[[32]byte]proofing.Session{}},
		readers: &readers{connected: map[string]bool{}, changed: map[string]func(bool){}},
		chip:    &chipFake{read: genuine}, face: &faceFake{decision: proofing.FaceDecision{Accepted: true}}, log: &piitest.Log{}}
	r.cfg = proofing.Config{Policy: proofing.DefaultPolicy(), Consent: issuer, Store: r.store, Readers: r.readers, Chip: r.chip,
		Face: r.face, Agents: agents{r.store}, Now: r.clock.now, Rand: rand.Reader, Log: slog.New(slog.NewTextHandler(r.log, nil))}
	for _, f := range change {
		f(&r.cfg)
	}
	r.restart(t)
	t.Cleanup(func() { _ = r.Close(context.Background()) })
	return r
}

// restart closes the service, if there is one, and starts another on the same store.
func (r *rig) restart(t *testing.T) {
	t.Helper()
	if r.Service != nil {
		if err := r.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	service, err := proofing.NewService(r.cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.Service = service
}

func (r *rig) start(t *testing.T, route proofing.Route) (string, proofing.View) {
	t.Helper()
	token, view, err := r.Start(context.Background(), proofing.StartRequest{Route: route, Language: consent.English})
	if err != nil {
		t.Fatal(err)
	}
	return token, view
}

// consented is a session at the document with a reader connected.
func (r *rig) consented(t *testing.T, route proofing.Route) string {
	t.Helper()
	token, view := r.start(t, route)
	if _, err := r.AgreeConsent(context.Background(), token, view.Consent.ID); err != nil {
		t.Fatal(err)
	}
	r.readers.plug(true)
	return token
}

func typed() proofing.Access {
	return proofing.Access{DocumentNumber: pii.NewText("l898902c3 "), BirthDate: pii.NewText("1974-08-12"), ExpiryDate: pii.NewText("2032-04-15")}
}

// readDocument reads and waits until the reading is over.
func (r *rig) readDocument(t *testing.T, token string) proofing.View {
	t.Helper()
	if _, err := r.ReadDocument(context.Background(), token, typed()); err != nil {
		t.Fatal(err)
	}
	return r.settled(t, token)
}

// settled waits until nothing runs.
func (r *rig) settled(t *testing.T, token string) proofing.View {
	t.Helper()
	return r.until(t, token, func(v proofing.View) bool {
		return v.Document == nil || v.Document.Phase != proofing.DocumentReading
	})
}

func (r *rig) until(t *testing.T, token string, ok func(proofing.View) bool) proofing.View {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		view, err := r.Get(context.Background(), token)
		if err != nil {
			t.Fatal(err)
		}
		if ok(view) {
			return view
		}
	}
	t.Fatal("the session does not settle")
	return proofing.View{}
}

func (r *rig) runFace(t *testing.T, token string) (proofing.FaceOutcome, error) {
	t.Helper()
	run, err := r.BeginFace(context.Background(), token)
	if err != nil {
		return proofing.FaceOutcome{}, err
	}
	defer run.Close()
	if _, err := run.Push(context.Background(), proofing.Frame{JPEG: pii.NewBytes([]byte("frame"))}); err != nil {
		return proofing.FaceOutcome{}, err
	}
	return run.Finish(context.Background())
}

// decideAtCounter has the agent open and decide the case of a session.
func (r *rig) decideAtCounter(t *testing.T, view proofing.View, approved bool) error {
	t.Helper()
	if _, err := r.CounterCase("agent-1", view.Counter.CaseCode); err != nil {
		return err
	}
	return r.sign("agent-1", approved)
}

// sign has an agent sign and send a decision on the case that they have open.
func (r *rig) sign(agent string, approved bool) error {
	draft, err := r.CounterDraft(agent, approved)
	if err != nil {
		return err
	}
	return r.CounterDecide(context.Background(), agent, approved, draft)
}

// wiped fails when a portrait handed out by the chip or given to a check is not all zeros.
func (r *rig) wiped(t *testing.T, when string) {
	t.Helper()
	r.chip.mu.Lock()
	defer r.chip.mu.Unlock()
	r.face.mu.Lock()
	defer r.face.mu.Unlock()
	for _, buf := range append(r.chip.portraits, r.face.portraits...) {
		if !bytes.Equal(buf, make([]byte, len(buf))) {
			t.Errorf("%s: a portrait is still in memory", when)
		}
	}
}
