package account_test

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"
	"time"

	"ipse/internal/account"
	"ipse/internal/account/authtest"
	"ipse/internal/fair"
	"ipse/internal/pii"
	"ipse/internal/vault"
	"ipse/internal/vault/vaulttest"
)

// add adds a passkey on another device.
func (w *world) add(session account.Session) (account.Session, []byte, error) {
	w.t.Helper()
	options, err := w.svc.BeginAdd(w.t.Context(), session)
	if err != nil {
		return session, nil, err
	}
	n := w.passkey(options)
	opened, err := w.svc.AddPasskey(w.t.Context(), session, n)
	return opened.Session, n.WrapFor, err
}

func TestTwoWaysInAlwaysRemain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := w.create().Session
	first := w.state(session).Account.Passkeys[0].ID
	if err := w.svc.RemovePasskey(t.Context(), session, first); !errors.Is(err, account.ErrLastWayIn) {
		t.Errorf("one passkey and the code: %v", err)
	}
	other := w.mustLogin()
	w.auth = &authtest.Authenticator{Origin: origin, Rand: w.auth.Rand} // another device
	session, second, err := w.add(session)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.svc.RemovePasskey(t.Context(), session, []byte("unknown")); !errors.Is(err, account.ErrUnknownPasskey) {
		t.Errorf("unknown: %v", err)
	}
	if err := w.svc.RemovePasskey(t.Context(), session, first); err != nil {
		t.Fatal(err)
	}
	if list := w.state(session).Account.Passkeys; len(list) != 1 || !bytes.Equal(list[0].ID, second) {
		t.Errorf("%d passkeys", len(list))
	}
	if _, err := w.svc.Session(t.Context(), other.Token.Reveal()); !errors.Is(err, account.ErrNoSession) {
		t.Errorf("the lost device's session lives: %v", err)
	}
	if opened := w.mustLogin(); opened.Session.Account != session.Account {
		t.Error("the new passkey opens another account")
	}
}

func TestAPasskeyIsNotAddedTwiceOnOneDevice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := w.create().Session
	options, err := w.svc.BeginAdd(t.Context(), session)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.auth.Create(options); !errors.Is(err, authtest.ErrExcluded) {
		t.Errorf("the passkeys that exist are not excluded: %v", err)
	}
}

func TestACeremonyOfOneAccountDoesNotServeAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mine := w.create().Session
	w.auth = &authtest.Authenticator{Origin: origin, Rand: w.auth.Rand}
	w.secret = draw(t, 20)
	theirs, err := w.svc.Create(t.Context(), "p2", w.newAccount("p2"))
	if err != nil {
		t.Fatal(err)
	}
	w.auth = &authtest.Authenticator{Origin: origin, Rand: w.auth.Rand}
	options, err := w.svc.BeginAdd(t.Context(), mine)
	if err != nil {
		t.Fatal(err)
	}
	n := w.passkey(options)
	if _, err := w.svc.AddPasskey(t.Context(), theirs.Session, n); !errors.Is(err, account.ErrChallengeExpired) {
		t.Errorf("err = %v", err)
	}
	if _, err := w.svc.Create(t.Context(), mine.Account, account.NewAccount{Passkey: n, Recovery: w.recovery(draw(t, 20)), Suite: vault.Suite,
		PublicKey: w.key.Public, Level: "low", Seal: func(string) ([]byte, error) { return []byte("x"), nil }}); !errors.Is(err, account.ErrChallengeExpired) {
		t.Errorf("as a creation: %v", err)
	}
	if _, err := w.svc.AddPasskey(t.Context(), mine, n); err != nil {
		t.Errorf("its own: %v", err)
	}
}

func TestAtMostTwentyPasskeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := w.create().Session
	for range 19 {
		w.auth = &authtest.Authenticator{Origin: origin, Rand: w.auth.Rand}
		var err error
		if session, _, err = w.add(session); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.svc.BeginAdd(t.Context(), session); !errors.Is(err, account.ErrTooManyPasskeys) {
		t.Errorf("err = %v", err)
	}
}

func TestRenamingAPasskey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := w.create().Session
	id := w.state(session).Account.Passkeys[0].ID
	if err := w.svc.RenamePasskey(t.Context(), session, id, "  Kitchen phone "); err != nil {
		t.Fatal(err)
	}
	if name := w.state(session).Account.Passkeys[0].Name; name != "Kitchen phone" {
		t.Errorf("name %q", name)
	}
	if err := w.svc.RenamePasskey(t.Context(), session, id, ""); !errors.Is(err, account.ErrName) {
		t.Errorf("empty: %v", err)
	}
	if err := w.svc.RenamePasskey(t.Context(), session, []byte("x"), "n"); !errors.Is(err, account.ErrUnknownPasskey) {
		t.Errorf("unknown: %v", err)
	}
}

func (w *world) recover(address string, secret []byte) (account.Opened, error) {
	w.t.Helper()
	auth, err := vaulttest.RecoveryAuth(secret)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.svc.Recover(w.t.Context(), fair.Of(netip.MustParseAddr(address)), pii.NewBytes(auth))
}

func TestRecoveryLeadsToANewPasskeyAndNoFurther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	created := w.create().Session
	first := w.state(created).Account.Passkeys[0].ID
	opened, err := w.recover("192.0.2.1", w.secret)
	if err != nil {
		t.Fatal(err)
	}
	session := opened.Session
	if session.Account != created.Account || session.Scope != account.ScopeRecovery || !session.AuthTime.IsZero() {
		t.Errorf("scope %s, auth time %v", session.Scope, session.AuthTime)
	}
	stored, err := w.svc.Session(t.Context(), opened.Token.Reveal())
	if err != nil || stored.Scope != account.ScopeRecovery || !stored.AuthTime.IsZero() {
		t.Errorf("stored: %v, %v", stored.Scope, err)
	}
	for name, err := range map[string]error{
		"erase": w.svc.Erase(t.Context(), session), "remove": w.svc.RemovePasskey(t.Context(), session, first),
		"rename": w.svc.RenamePasskey(t.Context(), session, first, "n"), "fresh": w.svc.Fresh(session),
		"new code": w.svc.SetRecovery(t.Context(), session, w.recovery(draw(t, 20))),
	} {
		if !errors.Is(err, account.ErrScope) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.auth = &authtest.Authenticator{Origin: origin, Rand: w.auth.Rand}
	options, err := w.svc.BeginAdd(t.Context(), session)
	if err != nil {
		t.Fatal(err)
	}
	full, err := w.svc.AddPasskey(t.Context(), session, w.passkey(options))
	if err != nil || full.Token.IsZero() || full.Token.Reveal() == opened.Token.Reveal() {
		t.Fatalf("after a passkey: a token of its own is given: %t, %v", !full.Token.IsZero(), err)
	}
	if _, err := w.svc.Session(t.Context(), opened.Token.Reveal()); !errors.Is(err, account.ErrNoSession) {
		t.Errorf("the former token still opens something: %v", err)
	}
	session, err = w.svc.Session(t.Context(), full.Token.Reveal())
	if err != nil || session.Scope != account.ScopeFull || !session.AuthTime.Equal(full.Session.AuthTime) {
		t.Errorf("the new session: %v %v", session.Scope, err)
	}
	if err := w.svc.RemovePasskey(t.Context(), session, first); err != nil {
		t.Errorf("removing the lost passkey: %v", err)
	}
}

// TestOneRecoveryLeadsToOnePasskey also where two additions were begun before either ended.
func TestOneRecoveryLeadsToOnePasskey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create()
	opened, err := w.recover("192.0.2.1", w.secret)
	if err != nil {
		t.Fatal(err)
	}
	var made []account.NewPasskey
	for range 2 {
		w.auth = &authtest.Authenticator{Origin: origin, Rand: w.auth.Rand}
		options, err := w.svc.BeginAdd(t.Context(), opened.Session)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, w.passkey(options))
	}
	full, err := w.svc.AddPasskey(t.Context(), opened.Session, made[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.svc.AddPasskey(t.Context(), opened.Session, made[1]); !errors.Is(err, account.ErrNoSession) {
		t.Errorf("a second one: %v", err)
	}
	if n := len(w.state(full.Session).Account.Passkeys); n != 2 {
		t.Errorf("%d passkeys", n)
	}
}

// TestARecoverySessionEndsInAQuarterOfAnHour however it is used.
func TestARecoverySessionEndsInAQuarterOfAnHour(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create()
	opened, err := w.recover("192.0.2.1", w.secret)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w.now = w.now.Add(5*time.Minute - time.Second)
		if _, err := w.svc.Session(t.Context(), opened.Token.Reveal()); err != nil {
			t.Fatal(err)
		}
	}
	w.now = w.now.Add(3 * time.Second)
	if _, err := w.svc.Session(t.Context(), opened.Token.Reveal()); !errors.Is(err, account.ErrNoSession) {
		t.Errorf("after a quarter of an hour: %v", err)
	}
}

func TestANewRecoveryCodeReplacesTheFormer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := w.create().Session
	fresh := draw(t, 20)
	if err := w.svc.SetRecovery(t.Context(), session, w.recovery(fresh)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.recover("192.0.2.1", w.secret); !errors.Is(err, account.ErrRecovery) {
		t.Errorf("the former code: %v", err)
	}
	opened, err := w.recover("192.0.2.1", fresh)
	if err != nil {
		t.Fatal(err)
	}
	r := w.state(opened.Session).Account.Recovery
	if _, err := vaulttest.UnwrapWithRecovery(fresh, r.Wrap.Salt, r.Wrap.Wrapped); err != nil {
		t.Errorf("its wrap: %v", err)
	}
	if err := w.svc.SetRecovery(t.Context(), session, account.NewRecovery{}); !errors.Is(err, account.ErrVault) {
		t.Errorf("nothing: %v", err)
	}
}

// TestWrongCodesSlowOnlyTheirSender: nobody can keep another person, or even
// themselves, out for more than a minute.
func TestWrongCodesSlowOnlyTheirSender(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create()
	for i := range 100 {
		_, err := w.recover("198.51.100.1", draw(t, 20))
		if i < 10 && !errors.Is(err, account.ErrRecovery) {
			t.Fatalf("try %d: %v", i, err)
		}
		if i >= 10 && !errors.Is(err, account.ErrLimited) {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	_, err := w.recover("198.51.100.1", w.secret)
	var limit *fair.Later
	if !errors.As(err, &limit) || limit.RetryAfter < time.Second || limit.RetryAfter > time.Minute {
		t.Errorf("err = %v", err)
	}
	if _, err := w.recover("203.0.113.1", w.secret); err != nil {
		t.Errorf("the person elsewhere: %v", err)
	}
	w.now = w.now.Add(limit.RetryAfter)
	if _, err := w.recover("198.51.100.1", w.secret); err != nil {
		t.Errorf("after the wait: %v", err)
	}
}

// TestAStolenCookieChangesNothing: an older session cannot touch the ways in,
// and an addition begun in one session is not finished in another.
func TestAStolenCookieChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	opened := w.create()
	first := w.state(opened.Session).Account.Passkeys[0].ID
	w.now = w.now.Add(5 * time.Minute)
	stolen, err := w.svc.Session(t.Context(), opened.Token.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	_, begun := w.svc.BeginAdd(t.Context(), stolen)
	for name, err := range map[string]error{"add": begun, "remove": w.svc.RemovePasskey(t.Context(), stolen, first),
		"new code": w.svc.SetRecovery(t.Context(), stolen, w.recovery(draw(t, 20))), "erase": w.svc.Erase(t.Context(), stolen)} {
		if !errors.Is(err, account.ErrNotFresh) {
			t.Errorf("%s: %v", name, err)
		}
	}
	fresh := w.mustLogin().Session
	w.auth = &authtest.Authenticator{Origin: origin, Rand: w.auth.Rand}
	options, err := w.svc.BeginAdd(t.Context(), fresh)
	if err != nil {
		t.Fatal(err)
	}
	n := w.passkey(options)
	if _, err := w.svc.AddPasskey(t.Context(), stolen, n); !errors.Is(err, account.ErrChallengeExpired) {
		t.Errorf("finished in another session: %v", err)
	}
	w.now = w.now.Add(time.Minute)
	added, err := w.svc.AddPasskey(t.Context(), fresh, n)
	if err != nil || !added.Token.IsZero() || !added.Session.AuthTime.Equal(fresh.AuthTime) {
		t.Errorf("auth time %v, %v", added.Session.AuthTime, err)
	}
}

func TestErasureNeedsTheFreshPasskeyAndLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	opened := w.create()
	w.now = w.now.Add(5 * time.Minute)
	session, err := w.svc.Session(t.Context(), opened.Token.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.svc.Erase(t.Context(), session); !errors.Is(err, account.ErrNotFresh) {
		t.Errorf("an old session: %v", err)
	}
	session = w.mustLogin().Session
	if err := w.svc.Erase(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	if _, err := w.svc.State(t.Context(), session); !errors.Is(err, account.ErrNoAccount) {
		t.Errorf("account: %v", err)
	}
	if items, err := w.store.Items(t.Context(), session.Account); err != nil || len(items) != 0 {
		t.Errorf("%d items, %v", len(items), err)
	}
	if _, err := w.svc.Session(t.Context(), opened.Token.Reveal()); !errors.Is(err, account.ErrNoSession) {
		t.Errorf("session: %v", err)
	}
	if _, err := w.recover("192.0.2.2", w.secret); !errors.Is(err, account.ErrRecovery) {
		t.Errorf("recovery: %v", err)
	}
	if _, err := w.login(""); !errors.Is(err, account.ErrUnknownPasskey) {
		t.Errorf("login: %v", err)
	}
	if err := w.svc.AppendJournal(t.Context(), session.Account, []byte("x")); !errors.Is(err, account.ErrNoAccount) {
		t.Errorf("journal: %v", err)
	}
}

func TestTheJournalKeepsItsOrderAndItsLength(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cfg := w.config()
	cfg.JournalKept = 3
	svc, err := account.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	session := w.create().Session
	suite, key, err := svc.Key(t.Context(), session.Account)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range []string{`1`, `2`, `3`, `4`, `5`} {
		sealed, err := w.vault.Seal(suite, key, vault.KindJournal, pii.NewBytes([]byte(entry)))
		if err != nil {
			t.Fatal(err)
		}
		if err := svc.AppendJournal(t.Context(), session.Account, sealed); err != nil {
			t.Fatal(err)
		}
	}
	items := w.state(session).Items
	if len(items) != 4 || items[0].Kind != "claims" {
		t.Fatalf("%d items", len(items))
	}
	for i, item := range items[1:] {
		plain, err := w.key.Open(vault.KindJournal, item.Sealed)
		if err != nil || string(bytes.TrimSpace(plain)) != string(rune('3'+i)) {
			t.Errorf("item %d: %q, %v", i, plain, err)
		}
	}
	for _, bad := range [][]byte{nil, make([]byte, 97<<10)} {
		if err := svc.AppendJournal(t.Context(), session.Account, bad); !errors.Is(err, account.ErrVault) {
			t.Errorf("%d bytes: %v", len(bad), err)
		}
	}
}
