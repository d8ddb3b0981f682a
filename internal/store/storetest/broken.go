package storetest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ipse/internal/account"
)

// dump is everything the store tells of the samples: two stores that answer
// alike are alike.
func (b *bench) dump() (out []any) {
	b.t.Helper()
	ctx := b.t.Context()
	for n := range byte(4) {
		a, err := b.Account(ctx, sample(n).ID)
		out = append(out, a, errors.Is(err, account.ErrNoAccount))
		items, err := b.Items(ctx, sample(n).ID)
		must(b.t, err)
		s, err := b.SessionByToken(ctx, [32]byte{n, 7})
		out = append(out, items, s, errors.Is(err, account.ErrNoSession))
	}
	return out
}

// write is one write to break, on a store that holds account 1 with a session.
type write struct {
	name string
	do   func(ctx context.Context, s Store) error
	// again is what repeating it answers once it has persisted.
	again error
	// grows: repeating it adds another row, which is harmless.
	grows bool
}

func writes() []write {
	one := sample(1)
	second := samplePasskey(9)
	return []write{
		{name: "CreateAccount", do: func(ctx context.Context, s Store) error { return s.CreateAccount(ctx, sample(2), sampleItems()) }},
		{name: "EraseAccount", do: func(ctx context.Context, s Store) error { return s.EraseAccount(ctx, one.ID) }},
		{name: "AddPasskey", do: func(ctx context.Context, s Store) error { return s.AddPasskey(ctx, one.ID, second) }},
		{name: "UsePasskey", again: account.ErrSignCounter, do: func(ctx context.Context, s Store) error { return s.UsePasskey(ctx, one.Passkeys[0].ID, 8, true, false) }},
		{name: "RenamePasskey", do: func(ctx context.Context, s Store) error {
			return s.RenamePasskey(ctx, one.ID, one.Passkeys[0].ID, "new")
		}},
		{name: "RemovePasskey", again: account.ErrUnknownPasskey, do: func(ctx context.Context, s Store) error { return s.RemovePasskey(ctx, one.ID, one.Passkeys[0].ID) }},
		{name: "SetRecovery", do: func(ctx context.Context, s Store) error { return s.SetRecovery(ctx, one.ID, *sample(9).Recovery) }},
		{name: "PutSession", do: func(ctx context.Context, s Store) error { return s.PutSession(ctx, sampleSession(2, one.ID)) }},
		{name: "TouchSession", do: func(ctx context.Context, s Store) error { return s.TouchSession(ctx, [32]byte{1, 7}, at(99)) }},
		{name: "EndSession", do: func(ctx context.Context, s Store) error { return s.EndSession(ctx, [32]byte{1, 7}) }},
		{name: "EndSessions", do: func(ctx context.Context, s Store) error { return s.EndSessions(ctx, one.ID, [32]byte{}) }},
		{name: "SweepAccounts", do: func(ctx context.Context, s Store) error { _, err := s.SweepAccounts(ctx, at(1e6)); return err }},
		{name: "AppendItem", grows: true, do: func(ctx context.Context, s Store) error {
			return s.AppendItem(ctx, one.ID, account.Item{Kind: "journal", Sealed: []byte("x")}, 10)
		}},
		{name: "Atomically", do: func(ctx context.Context, s Store) error {
			return s.Atomically(ctx, func(ctx context.Context) error {
				if err := s.CreateAccount(ctx, sample(2), sampleItems()); err != nil {
					return err
				}
				return s.PutSession(ctx, sampleSession(2, sample(2).ID))
			})
		}},
	}
}

// testBrokenWrites breaks each write twice and looks at what remains, now and
// after a restart, and at what repeating it does.
func testBrokenWrites(t *testing.T, open Open) {
	for _, w := range writes() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			b, ctx := newBench(t, open), t.Context()
			a := b.created(1)
			must(t, b.PutSession(ctx, sampleSession(1, a.ID)))
			before := b.dump()

			b.next.Store(int32(failed))
			wantErr(t, "failed", w.do(ctx, b.Store), ErrBroken)
			b.restart()
			wantSame(t, "after a failed write", b.dump(), before)

			b.next.Store(int32(failedButPersisted))
			wantErr(t, "failed but persisted", w.do(ctx, b.Store), ErrBroken)
			after := b.dump()
			if reflect.DeepEqual(after, before) {
				t.Fatal("the write changes nothing that the suite sees")
			}
			b.restart()
			wantSame(t, "after a restart", b.dump(), after)
			wantErr(t, "repeated", w.do(ctx, b.Store), w.again)
			if !w.grows {
				wantSame(t, "after repeating", b.dump(), after)
			}
		})
	}
	t.Run("TakeCeremony", func(t *testing.T) {
		t.Parallel()
		b, ctx := newBench(t, open), t.Context()
		must(t, b.PutCeremony(ctx, account.Ceremony{Hash: [32]byte{1}, State: []byte{}, Expires: at(60)}))
		b.next.Store(int32(failed))
		_, err := b.TakeCeremony(ctx, [32]byte{1}, at(0))
		wantErr(t, "failed", err, ErrBroken)
		b.next.Store(int32(failedButPersisted))
		_, err = b.TakeCeremony(ctx, [32]byte{1}, at(0))
		wantErr(t, "failed but persisted", err, ErrBroken)
		_, err = b.TakeCeremony(ctx, [32]byte{1}, at(0))
		wantErr(t, "spent", err, account.ErrChallengeExpired)
	})
}

// testRandomSequences runs random writes, broken at random, with restarts,
// against a model that is updated only when the write persisted.
func testRandomSequences(t *testing.T, open Open) {
	rapid.Check(t, func(rt *rapid.T) {
		path := t.TempDir() + "/store"
		b := &bench{t: t, open: open, path: path}
		b.Store = open(t, path, b.commit)
		defer func() { must(t, b.Close()) }()
		m := model{}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			if rapid.IntRange(0, 9).Draw(rt, "restart") == 0 {
				b.restart()
			}
			n, broken := byte(rapid.IntRange(0, 3).Draw(rt, "account")), fault(rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(rt, "fault"))
			b.next.Store(int32(broken))
			m.step(rt, b, n, broken)
			b.next.Store(int32(none))
			for n := range byte(4) {
				m.compare(rt, b, n)
			}
		}
	})
}

// model holds what the store should hold.
type model map[byte]*modelAccount

type modelAccount struct {
	account.Account
	items []account.Item
}

// step applies a random write to the store and, if it persisted, to the model.
func (m model) step(rt *rapid.T, b *bench, n byte, broken fault) {
	ctx, id, has := b.t.Context(), sample(n).ID, m[n]
	var err error
	apply := func() {}
	switch rapid.SampledFrom([]string{"create", "erase", "add", "remove", "append", "recovery"}).Draw(rt, "write") {
	case "create":
		err = b.CreateAccount(ctx, sample(n), sampleItems())
		if has == nil {
			apply = func() { m[n] = &modelAccount{sample(n), sampleItems()} }
		}
	case "erase":
		err, apply = b.EraseAccount(ctx, id), func() { delete(m, n) }
	case "add":
		p := samplePasskey(n + 100)
		err = b.AddPasskey(ctx, id, p)
		if has != nil && len(has.Passkeys) < 2 {
			apply = func() { has.Passkeys = append(has.Passkeys, p) }
		}
	case "remove":
		err = b.RemovePasskey(ctx, id, samplePasskey(n+100).ID)
		if has != nil {
			apply = func() {
				has.Passkeys = slices.DeleteFunc(has.Passkeys, func(p account.Passkey) bool { return p.ID[0] == n+100 })
			}
		}
	case "append":
		item := account.Item{Kind: "journal", Sealed: []byte{n}}
		err = b.AppendItem(ctx, id, item, 100)
		if has != nil {
			apply = func() {
				item.Seq = has.items[len(has.items)-1].Seq + 1
				has.items = append(has.items, item)
			}
		}
	case "recovery":
		r := *sample(n + 50).Recovery
		err = b.SetRecovery(ctx, id, r)
		if has != nil {
			apply = func() { has.Recovery = &r }
		}
	}
	if errors.Is(err, ErrBroken) && broken == failedButPersisted || err == nil {
		apply()
	}
}

func (m model) compare(rt *rapid.T, b *bench, n byte) {
	got, err := b.Account(b.t.Context(), sample(n).ID)
	want := m[n]
	if want == nil {
		if !errors.Is(err, account.ErrNoAccount) {
			rt.Fatalf("account %d: %v, want none", n, err)
		}
		return
	}
	if err != nil || !reflect.DeepEqual(got, want.Account) {
		rt.Fatalf("account %d: %+v, %v; want %+v", n, got, err, want.Account)
	}
	items, err := b.Items(b.t.Context(), want.ID)
	if err != nil || !reflect.DeepEqual(items, want.items) {
		rt.Fatalf("items of %d: %v, %v; want %v", n, items, err, want.items)
	}
}
