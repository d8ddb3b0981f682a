package counter_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"ipse/internal/account/authtest"
	"ipse/internal/app"
	"ipse/internal/counter"
	"ipse/internal/pii"
	"ipse/internal/store"
)

const origin = "https://ipse.example"

// world is the counter with a real database and real passkeys; its cases come
// from a table.
type world struct {
	*counter.Service
	t     testing.TB
	db    *store.DB
	staff counter.Staff
	keys  counter.Passkeys
	cases *table

	mu  sync.Mutex
	now time.Time
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 23, 10, 0, 20, 0, time.UTC)}
	w.db = must(store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "ipse.db"), Readers: 2}))
	t.Cleanup(func() {
		if err := w.db.Close(); err != nil {
			t.Error(err)
		}
	})
	w.keys = must(app.AgentKeys(origin))
	w.cases = &table{world: w, held: map[string]string{}, waiting: map[string]bool{"ABCD": true, "EFGH": true}}
	w.staff = counter.Staff{Store: w.db, Now: w.clock, Rand: rand.Reader}
	w.Service = must(counter.New(counter.Config{Staff: w.staff, Passkeys: w.keys, Cases: w.cases}))
	return w
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) add(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// person is an agent with their authenticator and their session.
type person struct {
	counter.SignedIn
	w     *world
	auth  *authtest.Authenticator
	token string
}

// hired adds an agent who enrols.
func (w *world) hired(name string) *person {
	w.t.Helper()
	p := &person{w: w, auth: &authtest.Authenticator{Origin: origin, Rand: rand.Reader, Counter: true}}
	code := must(w.staff.Add(w.t.Context(), name)).Code.Reveal()
	answer := must(p.auth.Create(must(w.BeginEnrol(w.t.Context(), code))))
	p.take(must(w.Enrol(w.t.Context(), code, answer.JSON)))
	return p
}

func (p *person) take(o counter.Opened) { p.SignedIn, p.token = o.SignedIn, o.Token.Reveal() }

// signed makes a decision's statement and has the passkey sign it.
func (p *person) signed(d counter.Draft) (statement, answer []byte) {
	p.w.t.Helper()
	statement, options, err := p.w.BeginDecide(p.SignedIn, d)
	if err != nil {
		p.w.t.Fatal(err)
	}
	return statement, must(p.auth.Get(options)).JSON
}

func approval() counter.Draft { return counter.Draft{Approved: true, Checklist: counter.Checklist()} }

// decisions are those kept.
func (w *world) decisions() (list []counter.Decision) {
	w.t.Helper()
	if err := w.staff.Decisions(w.t.Context(), func(d counter.Decision) error { list = append(list, d); return nil }); err != nil {
		w.t.Fatal(err)
	}
	return list
}

// table is counter.Cases.
type table struct {
	world   *world
	mu      sync.Mutex
	waiting map[string]bool   // codes
	held    map[string]string // code by agent
	decided int
	broken  error // what ends the transaction after the evidence was written
}

func (c *table) Open(agent, code string) (counter.Case, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.waiting[code] {
		return counter.Case{}, counter.ErrNoCase
	}
	c.held[agent] = code
	return counter.Case{FamilyName: pii.NewText("ERIKSSON")}, nil
}

func (c *table) Portrait(string) (pii.Bytes, error) { return pii.Bytes{}, counter.ErrNoCase }

func (c *table) Holds(agent string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held[agent] != ""
}

func (c *table) Release(agent string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.held, agent)
	return nil
}

func (c *table) Draft(agent string, approved bool) (json.RawMessage, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held[agent] == "" {
		return nil, counter.ErrNoCase
	}
	outcome := map[bool]string{true: "approved", false: "refused"}[approved]
	return json.RawMessage(`{"case":"` + c.held[agent] + `","outcome":"` + outcome + `","receipt_sha256":"cmVjZWlwdA"}`), nil
}

func (c *table) Decide(ctx context.Context, agent string, approved bool, signature []byte) error {
	decision, err := c.Draft(agent, approved)
	if err != nil {
		return err
	}
	err = c.world.db.Atomically(ctx, func(tx context.Context) error {
		return errors.Join(c.world.VerifyDecision(tx, agent, decision, signature), c.broken)
	})
	if err == nil {
		c.decided++
	}
	return err
}

func newFuzzKeys(f *testing.F) counter.Passkeys {
	f.Helper()
	return must(app.AgentKeys(origin))
}
