package storetest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ipse/internal/account"
)

func testAccounts(t *testing.T, open Open) {
	b := newBench(t, open)
	want := b.created(1)
	other := b.created(2)
	b.restart()
	wantSame(t, "account", b.account(want.ID), want)
	wantSame(t, "other account", b.account(other.ID), other)
	got, err := b.AccountByPasskey(t.Context(), want.Passkeys[0].ID)
	must(t, err)
	wantSame(t, "by passkey", got, want)
	got, err = b.AccountByRecovery(t.Context(), want.Recovery.AuthHash)
	must(t, err)
	wantSame(t, "by recovery", got, want)

	bare := account.Account{ID: "bare", Handle: []byte("bare"), Suite: "s", PublicKey: []byte{1}, Level: "low", CreatedOn: "2026-01-01"}
	must(t, b.CreateAccount(t.Context(), bare, nil))
	wantSame(t, "account without ways in", b.account("bare"), bare)

	_, err = b.Account(t.Context(), "unknown")
	wantErr(t, "unknown account", err, account.ErrNoAccount)
	_, err = b.AccountByPasskey(t.Context(), []byte("unknown"))
	wantErr(t, "unknown passkey", err, account.ErrUnknownPasskey)
	_, err = b.AccountByRecovery(t.Context(), [32]byte{})
	wantErr(t, "unknown code", err, account.ErrRecovery)

	clash := sample(3)
	clash.Passkeys = want.Passkeys
	wantErr(t, "passkey of another", b.CreateAccount(t.Context(), clash, nil), account.ErrPasskeyExists)
	_, err = b.Account(t.Context(), clash.ID)
	wantErr(t, "half an account", err, account.ErrNoAccount)
	clash = sample(3)
	clash.ID = want.ID
	if err := b.CreateAccount(t.Context(), clash, nil); err == nil {
		t.Error("another account took the identifier")
	}
	wantSame(t, "after the clash", b.account(want.ID), want)
}

func testPasskeys(t *testing.T, open Open) {
	b, ctx := newBench(t, open), t.Context()
	a := b.created(1)
	second := samplePasskey(9)
	second.Transports = nil
	must(t, b.AddPasskey(ctx, a.ID, second))
	a.Passkeys = append(a.Passkeys, second)
	wantSame(t, "after adding", b.account(a.ID), a)

	for _, c := range []struct {
		count   uint32
		anyway  bool
		want    error
		becomes uint32
	}{
		{7, false, account.ErrSignCounter, 7}, {6, false, account.ErrSignCounter, 7}, {0, false, account.ErrSignCounter, 7},
		{8, false, nil, 8}, {1 << 31, false, nil, 1 << 31}, {3, true, nil, 1 << 31}, {1<<32 - 1, false, nil, 1<<32 - 1},
	} {
		wantErr(t, "use", b.UsePasskey(ctx, second.ID, c.count, c.anyway, c.anyway), c.want)
		if got := b.account(a.ID).Passkeys[1].SignCount; got != c.becomes {
			t.Errorf("count %d became %d, want %d", c.count, got, c.becomes)
		}
	}
	zero := samplePasskey(10)
	zero.SignCount = 0
	must(t, b.AddPasskey(ctx, a.ID, zero))
	for range 2 {
		must(t, b.UsePasskey(ctx, zero.ID, 0, true, false))
	}
	if !b.account(a.ID).Passkeys[2].BackupState {
		t.Error("backup state not recorded")
	}
	other := b.created(2)
	wantErr(t, "use of none", b.UsePasskey(ctx, []byte("x"), 1, false, false), account.ErrUnknownPasskey)
	wantErr(t, "rename another's", b.RenamePasskey(ctx, other.ID, second.ID, "n"), account.ErrUnknownPasskey)
	wantErr(t, "remove another's", b.RemovePasskey(ctx, other.ID, second.ID), account.ErrUnknownPasskey)
	wantErr(t, "add another's", b.AddPasskey(ctx, other.ID, second), account.ErrPasskeyExists)
	must(t, b.RenamePasskey(ctx, a.ID, second.ID, "renamed"))
	must(t, b.RemovePasskey(ctx, a.ID, zero.ID))
	got := b.account(a.ID).Passkeys
	if len(got) != 2 || got[1].Name != "renamed" || got[0].Name == "renamed" {
		t.Errorf("%d passkeys", len(got))
	}
}

func testRecovery(t *testing.T, open Open) {
	b, ctx := newBench(t, open), t.Context()
	a, other := b.created(1), b.created(2)
	former := a.Recovery.AuthHash
	a.Recovery = &account.Recovery{AuthHash: [32]byte{99}, Wrap: account.Wrap{Salt: []byte{8}, Wrapped: []byte{9}}, CreatedOn: "2026-11-24"}
	must(t, b.SetRecovery(ctx, a.ID, *a.Recovery))
	wantSame(t, "after setting", b.account(a.ID), a)
	_, err := b.AccountByRecovery(ctx, former)
	wantErr(t, "the former code", err, account.ErrRecovery)
	wantErr(t, "another's hash", b.SetRecovery(ctx, other.ID, *a.Recovery), account.ErrVault)
	wantSame(t, "the other account", b.account(other.ID), other)
}

func testItems(t *testing.T, open Open) {
	b, ctx := newBench(t, open), t.Context()
	a, other := b.created(1), b.created(2)
	for i := range byte(5) {
		must(t, b.AppendItem(ctx, a.ID, account.Item{Kind: "journal", Sealed: []byte{i}}, 3))
		must(t, b.AppendItem(ctx, other.ID, account.Item{Kind: "journal", Sealed: []byte{i}}, 100))
	}
	b.restart()
	got, err := b.Items(ctx, a.ID)
	must(t, err)
	wantSame(t, "items", got, append(sampleItems(), account.Item{Seq: 4, Kind: "journal", Sealed: []byte{2}},
		account.Item{Seq: 5, Kind: "journal", Sealed: []byte{3}}, account.Item{Seq: 6, Kind: "journal", Sealed: []byte{4}}))
	got, err = b.Items(ctx, other.ID)
	must(t, err)
	if len(got) != 6 {
		t.Errorf("the other account has %d items", len(got))
	}
	got, err = b.Items(ctx, "unknown")
	if err != nil || len(got) != 0 {
		t.Errorf("unknown account: %d items, %v", len(got), err)
	}
}

func testSessions(t *testing.T, open Open) {
	b, ctx := newBench(t, open), t.Context()
	a := b.created(1)
	want := sampleSession(1, a.ID)
	must(t, b.PutSession(ctx, want))
	b.restart()
	got, err := b.SessionByToken(ctx, want.TokenHash)
	must(t, err)
	wantSame(t, "session", got, want)

	limited := sampleSession(2, a.ID)
	limited.Scope, limited.AuthTime = account.ScopeRecovery, time.Time{}
	must(t, b.PutSession(ctx, limited))
	got, err = b.SessionByToken(ctx, limited.TokenHash)
	must(t, err)
	wantSame(t, "session without a passkey", got, limited)
	must(t, b.TouchSession(ctx, limited.TokenHash, at(90)))
	limited.IdleUntil = at(90)
	got, err = b.SessionByToken(ctx, limited.TokenHash)
	must(t, err)
	wantSame(t, "session used again", got, limited)

	must(t, b.PutSession(ctx, sampleSession(3, b.created(2).ID)))
	must(t, b.EndSessions(ctx, a.ID, want.TokenHash))
	for n, wantErrs := range map[byte]error{1: nil, 2: account.ErrNoSession, 3: nil} {
		_, err := b.SessionByToken(ctx, [32]byte{n, 7})
		wantErr(t, "after ending the others", err, wantErrs)
	}
	must(t, b.EndSession(ctx, want.TokenHash))
	wantErr(t, "touch an ended session", b.TouchSession(ctx, want.TokenHash, at(100)), account.ErrNoSession)
	_, err = b.SessionByToken(ctx, want.TokenHash)
	wantErr(t, "ended", err, account.ErrNoSession)
}

func testCeremonies(t *testing.T, open Open) {
	b, ctx := newBench(t, open), t.Context()
	want := account.Ceremony{Hash: [32]byte{1}, Kind: "login", Binding: "who", State: []byte("state"), Expires: at(60)}
	must(t, b.PutCeremony(ctx, want))
	b.restart()
	got, err := b.TakeCeremony(ctx, want.Hash, at(59))
	must(t, err)
	wantSame(t, "ceremony", got, want)
	_, err = b.TakeCeremony(ctx, want.Hash, at(59))
	wantErr(t, "taken twice", err, account.ErrChallengeExpired)
	must(t, b.PutCeremony(ctx, want))
	_, err = b.TakeCeremony(ctx, want.Hash, at(60))
	wantErr(t, "late", err, account.ErrChallengeExpired)
	_, err = b.TakeCeremony(ctx, want.Hash, at(0))
	wantErr(t, "after being late", err, account.ErrChallengeExpired)
}

func testSweep(t *testing.T, open Open) {
	b, ctx := newBench(t, open), t.Context()
	a := b.created(1)
	idle, over, live := sampleSession(1, a.ID), sampleSession(2, a.ID), sampleSession(3, a.ID)
	idle.IdleUntil, over.IdleUntil, over.Ends, live.IdleUntil = at(10), at(10), at(10), at(11)
	for _, s := range []account.Session{idle, over, live} {
		must(t, b.PutSession(ctx, s))
	}
	must(t, b.PutCeremony(ctx, account.Ceremony{Hash: [32]byte{1}, State: []byte{}, Expires: at(10)}))
	must(t, b.PutCeremony(ctx, account.Ceremony{Hash: [32]byte{2}, State: []byte{}, Expires: at(11)}))
	removed, err := b.SweepAccounts(ctx, at(10))
	if err != nil || removed != 3 {
		t.Errorf("removed %d, %v", removed, err)
	}
	if _, err := b.SessionByToken(ctx, live.TokenHash); err != nil {
		t.Error(err)
	}
	if _, err := b.TakeCeremony(ctx, [32]byte{2}, at(10)); err != nil {
		t.Error(err)
	}
}

func testErasure(t *testing.T, open Open) {
	b, ctx := newBench(t, open), t.Context()
	a, other := b.created(1), b.created(2)
	must(t, b.PutSession(ctx, sampleSession(1, a.ID)))
	must(t, b.PutSession(ctx, sampleSession(2, other.ID)))
	for range 2 { // the second time does nothing
		must(t, b.EraseAccount(ctx, a.ID))
	}
	b.restart()
	_, err := b.Account(ctx, a.ID)
	wantErr(t, "account", err, account.ErrNoAccount)
	_, err = b.AccountByPasskey(ctx, a.Passkeys[0].ID)
	wantErr(t, "passkey", err, account.ErrUnknownPasskey)
	_, err = b.AccountByRecovery(ctx, a.Recovery.AuthHash)
	wantErr(t, "recovery", err, account.ErrRecovery)
	_, err = b.SessionByToken(ctx, [32]byte{1, 7})
	wantErr(t, "session", err, account.ErrNoSession)
	if items, err := b.Items(ctx, a.ID); err != nil || len(items) != 0 {
		t.Errorf("%d items, %v", len(items), err)
	}
	wantSame(t, "the other account", b.account(other.ID), other)
	if _, err := b.SessionByToken(ctx, [32]byte{2, 7}); err != nil {
		t.Errorf("the other session: %v", err)
	}
}

func testOwnership(t *testing.T, open Open) {
	b, ctx := newBench(t, open), t.Context()
	for what, err := range map[string]error{
		"passkey": b.AddPasskey(ctx, "none", samplePasskey(1)), "recovery": b.SetRecovery(ctx, "none", *sample(1).Recovery),
		"session": b.PutSession(ctx, sampleSession(1, "none")), "item": b.AppendItem(ctx, "none", account.Item{Kind: "journal", Sealed: []byte{1}}, 9),
	} {
		wantErr(t, what, err, account.ErrNoAccount)
	}
}

func testTransactions(t *testing.T, open Open) {
	b := newBench(t, open)
	stop := errors.New("stop")
	err := b.Atomically(t.Context(), func(ctx context.Context) error {
		must(t, b.CreateAccount(ctx, sample(1), sampleItems()))
		must(t, b.PutSession(ctx, sampleSession(1, sample(1).ID)))
		if _, err := b.Account(ctx, sample(1).ID); err != nil {
			t.Errorf("inside: %v", err)
		}
		if _, err := b.Account(t.Context(), sample(1).ID); !errors.Is(err, account.ErrNoAccount) {
			t.Errorf("outside: %v", err)
		}
		return stop
	})
	wantErr(t, "the function's error", err, stop)
	_, err = b.Account(t.Context(), sample(1).ID)
	wantErr(t, "after rolling back", err, account.ErrNoAccount)
	must(t, b.Atomically(t.Context(), func(ctx context.Context) error {
		must(t, b.CreateAccount(ctx, sample(1), sampleItems()))
		return b.EraseAccount(ctx, sample(1).ID)
	}))
	_, err = b.Account(t.Context(), sample(1).ID)
	wantErr(t, "created and erased", err, account.ErrNoAccount)
}

func testConcurrency(t *testing.T, open Open) {
	b, ctx := newBench(t, open), t.Context()
	a := b.created(1)
	must(t, b.PutCeremony(ctx, account.Ceremony{Hash: [32]byte{1}, State: []byte{}, Expires: at(60)}))
	var group sync.WaitGroup
	var taken, used atomic.Int32
	for i := range 8 {
		group.Go(func() {
			if _, err := b.TakeCeremony(ctx, [32]byte{1}, at(0)); err == nil {
				taken.Add(1)
			}
			if err := b.UsePasskey(ctx, a.Passkeys[0].ID, 8, false, false); err == nil {
				used.Add(1)
			}
			if err := b.AppendItem(ctx, a.ID, account.Item{Kind: "journal", Sealed: []byte{byte(i)}}, 100); err != nil {
				t.Error(err)
			}
			if _, err := b.Account(ctx, a.ID); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if taken.Load() != 1 || used.Load() != 1 {
		t.Errorf("one challenge taken %d times, one counter value used %d times", taken.Load(), used.Load())
	}
	items, err := b.Items(ctx, a.ID)
	must(t, err)
	for i, item := range items {
		if item.Seq != int64(i+1) {
			t.Errorf("item %d has number %d", i, item.Seq)
		}
	}
	if len(items) != 9 {
		t.Errorf("%d items", len(items))
	}
}
