package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"ipse/internal/account"
	"ipse/internal/store"
)

func TestABackupOpensAsTheDatabaseItWas(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, err := store.Open(t.Context(), store.Config{Path: filepath.Join(dir, "ipse.db")})
	fatal(t, err)
	defer func() { fatal(t, db.Close()) }()
	a := account.Account{ID: "a", Handle: []byte("h"), Suite: "s", PublicKey: []byte{1}, Level: "low", CreatedOn: "2026-11-23"}
	fatal(t, db.CreateAccount(t.Context(), a, nil))
	path := filepath.Join(dir, "copy.db")
	fatal(t, db.Backup(t.Context(), path))
	fatal(t, db.EraseAccount(t.Context(), "a"))
	info, err := os.Stat(path)
	fatal(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	before, err := os.ReadFile(path)
	fatal(t, err)
	if err := db.Backup(t.Context(), path); err == nil {
		t.Error("an existing file was overwritten")
	}
	after, err := os.ReadFile(path)
	fatal(t, err)
	if string(before) != string(after) {
		t.Error("an existing file was changed")
	}
	restored, err := store.Open(t.Context(), store.Config{Path: path})
	fatal(t, err)
	defer func() { fatal(t, restored.Close()) }()
	if _, err := restored.Account(t.Context(), "a"); err != nil {
		t.Error(err)
	}
}

func BenchmarkOneRowWrite(b *testing.B) {
	db, err := store.Open(b.Context(), store.Config{Path: filepath.Join(b.TempDir(), "ipse.db")})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	a := account.Account{ID: "a", Handle: []byte("h"), Suite: "s", PublicKey: []byte{1}, Level: "low", CreatedOn: "2026-11-23"}
	if err := db.CreateAccount(b.Context(), a, nil); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := db.AppendItem(b.Context(), "a", account.Item{Kind: "journal", Sealed: make([]byte, 1700)}, 500); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		db, err := store.Open(b.Context(), store.Config{Path: filepath.Join(dir, "ipse.db")})
		if err != nil {
			b.Fatal(err)
		}
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
