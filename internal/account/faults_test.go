package account_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"ipse/internal/account"
	"ipse/internal/account/authtest"
	"ipse/internal/fair"
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

// broken is a store of which one call fails.
type broken struct {
	account.Store
	*countdown
}

// call fails when it is time, and else does what it is given.
func call[T any](b broken, do func() (T, error)) (T, error) {
	if err := b.tick(); err != nil {
		var zero T
		return zero, err
	}
	return do()
}

func (b broken) Atomically(ctx context.Context, f func(context.Context) error) error {
	return errors.Join(b.tick(), b.Store.Atomically(ctx, func(ctx context.Context) error {
		if b.left == 0 {
			return errDisk
		}
		return f(ctx)
	}))
}

func (b broken) CreateAccount(ctx context.Context, a account.Account, items []account.Item) error {
	return errors.Join(b.tick(), b.Store.CreateAccount(ctx, a, items))
}

func (b broken) Account(ctx context.Context, id string) (account.Account, error) {
	return call(b, func() (account.Account, error) { return b.Store.Account(ctx, id) })
}

func (b broken) AccountByPasskey(ctx context.Context, id []byte) (account.Account, error) {
	return call(b, func() (account.Account, error) { return b.Store.AccountByPasskey(ctx, id) })
}

func (b broken) AccountByRecovery(ctx context.Context, hash [32]byte) (account.Account, error) {
	return call(b, func() (account.Account, error) { return b.Store.AccountByRecovery(ctx, hash) })
}

func (b broken) EraseAccount(ctx context.Context, id string) error {
	_, err := call(b, func() (bool, error) { return true, b.Store.EraseAccount(ctx, id) })
	return err
}

func (b broken) AddPasskey(ctx context.Context, id string, p account.Passkey) error {
	return errors.Join(b.tick(), b.Store.AddPasskey(ctx, id, p))
}

func (b broken) UsePasskey(ctx context.Context, id []byte, count uint32, state, any bool) error {
	return errors.Join(b.tick(), b.Store.UsePasskey(ctx, id, count, state, any))
}

func (b broken) RenamePasskey(ctx context.Context, id string, credential []byte, name string) error {
	_, err := call(b, func() (bool, error) { return true, b.Store.RenamePasskey(ctx, id, credential, name) })
	return err
}

func (b broken) RemovePasskey(ctx context.Context, id string, credential []byte) error {
	return errors.Join(b.tick(), b.Store.RemovePasskey(ctx, id, credential))
}

func (b broken) SetRecovery(ctx context.Context, id string, r account.Recovery) error {
	_, err := call(b, func() (bool, error) { return true, b.Store.SetRecovery(ctx, id, r) })
	return err
}

func (b broken) PutSession(ctx context.Context, s account.Session) error {
	return errors.Join(b.tick(), b.Store.PutSession(ctx, s))
}

func (b broken) TouchSession(ctx context.Context, hash [32]byte, until time.Time) error {
	return errors.Join(b.tick(), b.Store.TouchSession(ctx, hash, until))
}

func (b broken) SessionByToken(ctx context.Context, hash [32]byte) (account.Session, error) {
	return call(b, func() (account.Session, error) { return b.Store.SessionByToken(ctx, hash) })
}

func (b broken) EndSession(ctx context.Context, hash [32]byte) error {
	_, err := call(b, func() (bool, error) { return true, b.Store.EndSession(ctx, hash) })
	return err
}

func (b broken) EndSessions(ctx context.Context, id string, but [32]byte) error {
	_, err := call(b, func() (bool, error) { return true, b.Store.EndSessions(ctx, id, but) })
	return err
}

func (b broken) PutCeremony(ctx context.Context, c account.Ceremony) error {
	return errors.Join(b.tick(), b.Store.PutCeremony(ctx, c))
}

func (b broken) TakeCeremony(ctx context.Context, hash [32]byte, now time.Time) (account.Ceremony, error) {
	return call(b, func() (account.Ceremony, error) { return b.Store.TakeCeremony(ctx, hash, now) })
}

func (b broken) AppendItem(ctx context.Context, id string, item account.Item, keep int) error {
	_, err := call(b, func() (bool, error) { return true, b.Store.AppendItem(ctx, id, item, keep) })
	return err
}

func (b broken) Items(ctx context.Context, id string) ([]account.Item, error) {
	return call(b, func() ([]account.Item, error) { return b.Store.Items(ctx, id) })
}

// source is a random source of which one reading fails.
type source struct{ *countdown }

func (s source) Read(b []byte) (int, error) {
	if err := s.tick(); err != nil {
		return 0, err
	}
	return io.ReadFull(rand.Reader, b)
}

// operation prepares something on a sound service and returns the step to be done on
// a broken one: it opens a session or not.
type operation func(w *world, mine account.Opened) func(*account.Service) (account.Opened, error)

func newDevice(w *world) { w.auth = &authtest.Authenticator{Origin: origin, Rand: rand.Reader} }

func quiet(err error) (account.Opened, error) { return account.Opened{}, err }

func operations(ctx context.Context) map[string]operation {
	return map[string]operation{
		"begin a creation": func(*world, account.Opened) func(*account.Service) (account.Opened, error) {
			return func(s *account.Service) (account.Opened, error) { _, err := s.BeginCreate(ctx, "p"); return quiet(err) }
		},
		"begin a login": func(*world, account.Opened) func(*account.Service) (account.Opened, error) {
			return func(s *account.Service) (account.Opened, error) { _, err := s.BeginLogin(ctx); return quiet(err) }
		},
		"begin an addition": func(_ *world, mine account.Opened) func(*account.Service) (account.Opened, error) {
			return func(s *account.Service) (account.Opened, error) {
				_, err := s.BeginAdd(ctx, mine.Session)
				return quiet(err)
			}
		},
		"create": func(w *world, _ account.Opened) func(*account.Service) (account.Opened, error) {
			newDevice(w)
			w.secret = draw(w.t, 20)
			n := w.newAccount("p2")
			return func(s *account.Service) (account.Opened, error) { return s.Create(ctx, "p2", n) }
		},
		"login": func(w *world, mine account.Opened) func(*account.Service) (account.Opened, error) {
			options, err := w.svc.BeginLogin(ctx)
			fatal(w.t, err)
			answer, err := w.auth.Get(options)
			fatal(w.t, err)
			return func(s *account.Service) (account.Opened, error) {
				return s.Login(ctx, answer.JSON, mine.Token.Reveal())
			}
		},
		"prolong a session": func(w *world, mine account.Opened) func(*account.Service) (account.Opened, error) {
			w.now = w.now.Add(20 * time.Minute)
			return func(s *account.Service) (account.Opened, error) {
				_, err := s.Session(ctx, mine.Token.Reveal())
				return quiet(err)
			}
		},
		"read": func(_ *world, mine account.Opened) func(*account.Service) (account.Opened, error) {
			return func(s *account.Service) (account.Opened, error) {
				_, err := s.State(ctx, mine.Session)
				return quiet(err)
			}
		},
		"recover": func(w *world, _ account.Opened) func(*account.Service) (account.Opened, error) {
			auth := w.recovery(w.secret).Auth
			client := fair.Of(netip.MustParseAddr("192.0.2.1"))
			return func(s *account.Service) (account.Opened, error) { return s.Recover(ctx, client, auth) }
		},
		"add": func(w *world, mine account.Opened) func(*account.Service) (account.Opened, error) {
			return w.addition(ctx, mine.Session)
		},
		"add after a recovery": func(w *world, _ account.Opened) func(*account.Service) (account.Opened, error) {
			recovered, err := w.recover("192.0.2.1", w.secret)
			fatal(w.t, err)
			return w.addition(ctx, recovered.Session)
		},
		"rename": func(w *world, mine account.Opened) func(*account.Service) (account.Opened, error) {
			id := w.state(mine.Session).Account.Passkeys[0].ID
			return func(s *account.Service) (account.Opened, error) {
				return quiet(s.RenamePasskey(ctx, mine.Session, id, "Kitchen phone"))
			}
		},
		"remove": func(w *world, mine account.Opened) func(*account.Service) (account.Opened, error) {
			newDevice(w)
			_, id, err := w.add(mine.Session)
			fatal(w.t, err)
			return func(s *account.Service) (account.Opened, error) { return quiet(s.RemovePasskey(ctx, mine.Session, id)) }
		},
		"set a recovery code": func(w *world, mine account.Opened) func(*account.Service) (account.Opened, error) {
			n := w.recovery(draw(w.t, 20))
			return func(s *account.Service) (account.Opened, error) { return quiet(s.SetRecovery(ctx, mine.Session, n)) }
		},
		"erase": func(_ *world, mine account.Opened) func(*account.Service) (account.Opened, error) {
			return func(s *account.Service) (account.Opened, error) { return quiet(s.Erase(ctx, mine.Session)) }
		},
		"sign out": func(_ *world, mine account.Opened) func(*account.Service) (account.Opened, error) {
			return func(s *account.Service) (account.Opened, error) { return quiet(s.Logout(ctx, mine.Token.Reveal())) }
		},
		"sign out everywhere": func(_ *world, mine account.Opened) func(*account.Service) (account.Opened, error) {
			return func(s *account.Service) (account.Opened, error) { return quiet(s.LogoutAll(ctx, mine.Session)) }
		},
		"write the journal": func(_ *world, mine account.Opened) func(*account.Service) (account.Opened, error) {
			return func(s *account.Service) (account.Opened, error) {
				return quiet(s.AppendJournal(ctx, mine.Session.Account, []byte("sealed")))
			}
		},
	}
}

// addition begins to add a passkey of another device.
func (w *world) addition(ctx context.Context, session account.Session) func(*account.Service) (account.Opened, error) {
	w.t.Helper()
	newDevice(w)
	options, err := w.svc.BeginAdd(ctx, session)
	fatal(w.t, err)
	n := w.passkey(options)
	return func(s *account.Service) (account.Opened, error) { return s.AddPasskey(ctx, session, n) }
}

func fatal(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// seen is all that a person with a session, or anybody with a passkey, learns.
func (w *world) seen(mine account.Opened, device []byte) []any {
	w.t.Helper()
	state, err := w.svc.State(w.t.Context(), mine.Session)
	_, session := w.store.SessionByToken(w.t.Context(), mine.Session.TokenHash)
	other, unknown := w.store.AccountByPasskey(w.t.Context(), device)
	return []any{state, err, session, other.ID, errors.Is(unknown, account.ErrUnknownPasskey)}
}

// TestEachFaultOfStoreOrChanceChangesNothing breaks every call of every operation to
// the store, and every reading of the random source, one after the other: the
// operation says so, gives no session, leaves everything as it was, and works when it
// is begun anew.
func TestEachFaultOfStoreOrChanceChangesNothing(t *testing.T) {
	t.Parallel()
	for name, prepare := range operations(t.Context()) {
		for what, arm := range map[string]func(*account.Config, *countdown){
			"store":  func(c *account.Config, n *countdown) { c.Store = broken{c.Store, n} },
			"random": func(c *account.Config, n *countdown) { c.Rand = source{n} },
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
func breaks(t *testing.T, prepare operation, arm func(*account.Config, *countdown), n int) bool {
	t.Helper()
	w := newWorld(t)
	mine := w.create()
	step := prepare(w, mine)
	device := w.auth.LastID()
	count, cfg := &countdown{}, w.config()
	arm(&cfg, count)
	svc, err := account.New(cfg)
	fatal(t, err)
	before := w.seen(mine, device)
	count.left = n
	opened, err := step(svc)
	if count.left > 0 {
		fatal(t, err)
		return false
	}
	if !errors.Is(err, errDisk) || opened.Token.Reveal() != "" {
		t.Errorf("call %d: %v, a session %v", n, err, opened.Token.Reveal() != "")
	}
	if after := w.seen(mine, device); !reflect.DeepEqual(before, after) {
		t.Errorf("call %d changed something:\n%+v\n%+v", n, before, after)
	}
	if _, err := step(w.svc); err != nil && !errors.Is(err, account.ErrChallengeExpired) { // which is spent with the first try
		t.Errorf("call %d, tried again: %v", n, err)
	}
	return true
}
