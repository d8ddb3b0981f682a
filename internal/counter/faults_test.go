package counter_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"reflect"
	"testing"
	"time"

	"ipse/internal/account/authtest"
	"ipse/internal/counter"
)

var errDisk = errors.New("broken on purpose")

// countdown breaks what calls it for the n-th time, once.
type countdown struct{ left int }

func (c *countdown) tick() error {
	if c.left--; c.left == 0 {
		return errDisk
	}
	return nil
}

// broken is a store of which one call fails: before it does anything, or, for writes
// that a transaction holds together, after.
type broken struct {
	counter.Store
	*countdown
}

func (b broken) Atomically(ctx context.Context, f func(context.Context) error) error {
	if err := b.tick(); err != nil {
		return err
	}
	return b.Store.Atomically(ctx, f)
}

func (b broken) AddAgent(ctx context.Context, a counter.Agent, e counter.Enrolment) error {
	if err := b.tick(); err != nil {
		return err
	}
	return b.Store.AddAgent(ctx, a, e)
}

func (b broken) RemoveAgent(ctx context.Context, id, day string) error {
	if err := b.tick(); err != nil {
		return err
	}
	return b.Store.RemoveAgent(ctx, id, day)
}

func (b broken) AgentByEnrolment(ctx context.Context, hash [32]byte, now time.Time) (counter.Agent, error) {
	if err := b.tick(); err != nil {
		return counter.Agent{}, err
	}
	return b.Store.AgentByEnrolment(ctx, hash, now)
}

func (b broken) EnrolAgent(ctx context.Context, hash [32]byte, now time.Time, k counter.Key) error {
	return errors.Join(b.tick(), b.Store.EnrolAgent(ctx, hash, now, k))
}

func (b broken) AgentByKey(ctx context.Context, id []byte) (counter.Agent, error) {
	if err := b.tick(); err != nil {
		return counter.Agent{}, err
	}
	return b.Store.AgentByKey(ctx, id)
}

func (b broken) UseKey(ctx context.Context, id []byte, count uint32, state bool) error {
	return errors.Join(b.tick(), b.Store.UseKey(ctx, id, count, state))
}

func (b broken) PutAgentSession(ctx context.Context, s counter.Session) error {
	return errors.Join(b.tick(), b.Store.PutAgentSession(ctx, s))
}

func (b broken) AgentSession(ctx context.Context, hash [32]byte) (counter.Session, counter.Agent, error) {
	if err := b.tick(); err != nil {
		return counter.Session{}, counter.Agent{}, err
	}
	return b.Store.AgentSession(ctx, hash)
}

func (b broken) TouchAgentSession(ctx context.Context, hash [32]byte, until time.Time) error {
	return errors.Join(b.tick(), b.Store.TouchAgentSession(ctx, hash, until))
}

func (b broken) EndAgentSession(ctx context.Context, hash [32]byte) error {
	if err := b.tick(); err != nil {
		return err
	}
	return b.Store.EndAgentSession(ctx, hash)
}

func (b broken) KeepDecision(ctx context.Context, d counter.Decision) error {
	return errors.Join(b.tick(), b.Store.KeepDecision(ctx, d))
}

// source is a random source of which one reading fails.
type source struct{ *countdown }

func (s source) Read(b []byte) (int, error) {
	if err := s.tick(); err != nil {
		return 0, err
	}
	return io.ReadFull(rand.Reader, b)
}

// step is what an agent, or the operator, does on a service that may be broken. It
// reports whether something was handed out: a session, an invitation.
type step func(w *world, p *person) func(staff counter.Staff) (gave bool, err error)

func steps(ctx context.Context) map[string]step {
	opened := func(o counter.Opened, err error) (bool, error) { return o.Token.Reveal() != "", err }
	return map[string]step{
		"invite": func(*world, *person) func(counter.Staff) (bool, error) {
			return func(staff counter.Staff) (bool, error) {
				i, err := staff.Add(ctx, "Noé")
				return i.Code.Reveal() != "", err
			}
		},
		"dismiss": func(_ *world, p *person) func(counter.Staff) (bool, error) {
			return func(staff counter.Staff) (bool, error) { return false, staff.Remove(ctx, p.Agent.ID) }
		},
		"enrol": func(w *world, _ *person) func(counter.Staff) (bool, error) {
			code := must(w.staff.Add(ctx, "Noé")).Code.Reveal()
			auth := &authtest.Authenticator{Origin: origin, Rand: rand.Reader}
			return func(counter.Staff) (bool, error) {
				options, err := w.BeginEnrol(ctx, code)
				if err != nil {
					return false, err
				}
				return opened(w.Enrol(ctx, code, must(auth.Create(options)).JSON))
			}
		},
		"sign in": func(w *world, p *person) func(counter.Staff) (bool, error) {
			return func(counter.Staff) (bool, error) {
				options, err := w.BeginSignIn()
				if err != nil {
					return false, err
				}
				return opened(w.SignIn(ctx, must(p.auth.Get(options)).JSON))
			}
		},
		"go on": func(w *world, p *person) func(counter.Staff) (bool, error) {
			w.add(6 * time.Minute) // so that the idle end moves
			return func(counter.Staff) (bool, error) { _, err := w.Session(ctx, p.token); return false, err }
		},
		"sign out": func(w *world, p *person) func(counter.Staff) (bool, error) {
			return func(counter.Staff) (bool, error) { return false, w.SignOut(ctx, p.token) }
		},
		"decide": func(w *world, p *person) func(counter.Staff) (bool, error) {
			must(w.Open(p.SignedIn, "ABCD"))
			statement, answer := p.signed(approval())
			return func(counter.Staff) (bool, error) { return false, w.Decide(ctx, p.SignedIn, statement, answer) }
		},
	}
}

// TestEachFaultOfStoreOrChanceChangesNothing breaks every call of every step to the
// store, and every reading of the random source, one after the other: the step says
// so, hands nothing out, keeps no decision and changes no agent, and works the next
// time.
func TestEachFaultOfStoreOrChanceChangesNothing(t *testing.T) {
	t.Parallel()
	for name, prepare := range steps(t.Context()) {
		for what, arm := range map[string]func(*counter.Staff, *countdown){
			"store":  func(s *counter.Staff, n *countdown) { s.Store = broken{s.Store, n} },
			"random": func(s *counter.Staff, n *countdown) { s.Rand = source{n} },
		} {
			t.Run(name+", "+what, func(t *testing.T) {
				t.Parallel()
				for n := 1; breaks(t, prepare, arm, n); n++ {
					if n > 20 {
						t.Fatal("no end")
					}
				}
			})
		}
	}
}

// breaks breaks the n-th call, and reports whether there was one.
func breaks(t *testing.T, prepare step, arm func(*counter.Staff, *countdown), n int) bool {
	t.Helper()
	w := newWorld(t)
	p := w.hired("Zoé")
	do := prepare(w, p)
	sound, count, staff := w.Service, &countdown{}, w.staff
	arm(&staff, count)
	faulty := must(counter.New(counter.Config{Staff: staff, Passkeys: w.keys, Cases: w.cases}))
	// A statement that was signed is checked by whichever service gets it.
	w.Service = faulty
	agents := func() []any { return []any{must(w.staff.List(t.Context())), len(w.decisions()), w.cases.decided} }
	before := agents()
	count.left = n
	gave, err := do(staff)
	if count.left > 0 {
		if err != nil {
			t.Fatal(err)
		}
		return false
	}
	w.Service = sound
	if gave || err != nil && !errors.Is(err, errDisk) {
		t.Errorf("call %d: %v, handed out %v", n, err, gave)
	}
	if err == nil { // signing out does without looking
		if _, err := w.Session(t.Context(), p.token); !errors.Is(err, counter.ErrNoSession) {
			t.Errorf("call %d: no error, and the session: %v", n, err)
		}
		return true
	}
	if after := agents(); !reflect.DeepEqual(before, after) {
		t.Errorf("call %d changed something:\n%+v\n%+v", n, before, after)
	}
	if _, err := do(w.staff); err != nil {
		t.Errorf("call %d, tried again: %v", n, err)
	}
	return true
}

// TestNothingWorksWithoutItsParts: a service without clock, chance, store, passkeys or
// cases is not made.
func TestNothingWorksWithoutItsParts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, change := range map[string]func(*counter.Config){
		"no store":         func(c *counter.Config) { c.Store = nil },
		"no clock":         func(c *counter.Config) { c.Now = nil },
		"no chance":        func(c *counter.Config) { c.Rand = nil },
		"chance runs dry":  func(c *counter.Config) { c.Rand = source{&countdown{left: 1}} },
		"no passkeys":      func(c *counter.Config) { c.Passkeys = nil },
		"no cases":         func(c *counter.Config) { c.Cases = nil },
		"a negative idle":  func(c *counter.Config) { c.SessionIdle = -1 },
		"a negative shift": func(c *counter.Config) { c.SessionMax = -1 },
		"kept before":      func(c *counter.Config) { c.Kept = -1 },
	} {
		cfg := counter.Config{Staff: w.staff, Passkeys: w.keys, Cases: w.cases}
		change(&cfg)
		if _, err := counter.New(cfg); err == nil {
			t.Errorf("%s: made", name)
		}
	}
}
