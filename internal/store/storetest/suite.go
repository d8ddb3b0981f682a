// Package storetest is the one conformance suite for every implementation of
// the stores: what a method promises, that it keeps the promise when its write
// fails or is believed to have failed, and that it survives a restart.
//
// Each write is broken twice: once so that nothing persists, once so that it
// persists and an error is reported all the same. Callers cannot tell the two
// apart, so repeating the write must be right in both.
package storetest

import (
	"bytes"
	"errors"
	"path/filepath"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"ipse/internal/account"
)

// Store is what the suite drives.
type Store interface {
	account.Store
	Close() error
}

// Commit stands around the commit of a write, as store.Config.Commit does.
type Commit func(op string, commit func() error) error

// Open opens the store at a path, empty at first. The suite closes it.
type Open func(t *testing.T, path string, commit Commit) Store

// ErrBroken is what a broken write reports.
var ErrBroken = errors.New("storetest: broken on purpose")

// fault breaks the next commit.
type fault int32

const (
	none fault = iota
	failed
	failedButPersisted
)

// bench is a store with a switch to break it.
type bench struct {
	t    *testing.T
	open Open
	path string
	next atomic.Int32 // a fault
	Store
}

func newBench(t *testing.T, open Open) *bench {
	t.Helper()
	b := &bench{t: t, open: open, path: filepath.Join(t.TempDir(), "store")}
	b.Store = open(t, b.path, b.commit)
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *bench) commit(_ string, commit func() error) error {
	switch fault(b.next.Swap(int32(none))) {
	case failed:
		return ErrBroken
	case failedButPersisted:
		return errors.Join(commit(), ErrBroken)
	case none:
	}
	return commit()
}

// restart closes and reopens the store.
func (b *bench) restart() {
	b.t.Helper()
	if err := b.Close(); err != nil {
		b.t.Fatal(err)
	}
	b.Store = b.open(b.t, b.path, b.commit)
}

// Run drives a store through the whole suite.
func Run(t *testing.T, open Open) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Open){
		"accounts":            testAccounts,
		"passkeys":            testPasskeys,
		"recovery":            testRecovery,
		"items":               testItems,
		"sessions":            testSessions,
		"ceremonies":          testCeremonies,
		"sweep":               testSweep,
		"erasure":             testErasure,
		"transactions":        testTransactions,
		"concurrency":         testConcurrency,
		"broken writes":       testBrokenWrites,
		"random sequences":    testRandomSequences,
		"no account, no rows": testOwnership,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}

func at(seconds int64) time.Time { return time.Unix(1_800_000_000+seconds, 0).UTC() }

// sample makes an account whose every field is set and differs by n.
func sample(n byte) account.Account {
	return account.Account{ID: "account-" + string(rune('a'+n)), Handle: bytes.Repeat([]byte{n}, 32), Suite: "suite", PublicKey: []byte{1, n}, Level: "high",
		CreatedOn: "2026-11-23", Passkeys: []account.Passkey{samplePasskey(n)}, Recovery: &account.Recovery{AuthHash: [32]byte{n, 1}, Wrap: account.Wrap{Salt: []byte{n, 2}, Wrapped: []byte{n, 3}}, CreatedOn: "2026-11-23"}}
}

func samplePasskey(n byte) account.Passkey {
	return account.Passkey{ID: []byte{n, 0xff}, PublicKey: []byte{n, 4}, AAGUID: bytes.Repeat([]byte{n}, 16), SignCount: 7, Transports: []string{"internal", "hybrid"},
		BackupEligible: true, Name: "Téléphone", CreatedOn: "2026-11-23", Wrap: account.Wrap{Salt: []byte{n, 5}, Wrapped: []byte{n, 6}}}
}

func sampleSession(n byte, owner string) account.Session {
	return account.Session{TokenHash: [32]byte{n, 7}, Account: owner, Scope: account.ScopeFull, AuthTime: at(0).Add(123456 * time.Microsecond), IdleUntil: at(60), Ends: at(600)}
}

func sampleItems() []account.Item {
	return []account.Item{{Seq: 1, Kind: "claims", Sealed: []byte("sealed claims")}}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func wantSame[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

// created adds the sample account n with its items.
func (b *bench) created(n byte) account.Account {
	b.t.Helper()
	a := sample(n)
	must(b.t, b.CreateAccount(b.t.Context(), a, sampleItems()))
	return a
}

func (b *bench) account(id string) account.Account {
	b.t.Helper()
	a, err := b.Account(b.t.Context(), id)
	must(b.t, err)
	return a
}
