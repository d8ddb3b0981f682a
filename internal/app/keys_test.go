package app_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/iotest"

	"ipse/internal/app"
)

func TestKeysAreMadeOnceAndStayTheSame(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "keys")
	first, err := app.LoadKeys(dir, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	firstRSA, err := first.TokenRSA.Signer()
	if err != nil {
		t.Fatal(err)
	}
	second, err := app.LoadKeys(dir, failing{})
	if err != nil {
		t.Fatalf("a second start made keys again: %v", err)
	}
	if !first.Claims.Equal(second.Claims) || !first.Receipts.Equal(second.Receipts) ||
		!first.TokenEC.Equal(second.TokenEC) || !bytes.Equal(first.Pairwise, second.Pairwise) {
		t.Error("a key changed between two starts")
	}
	if secondRSA, err := second.TokenRSA.Signer(); err != nil || !firstRSA.Public().(*rsa.PublicKey).Equal(secondRSA.Public()) {
		t.Errorf("the RSA key changed between two starts: %v", err)
	}
	if first.Claims.Equal(first.Receipts) || first.Claims.Equal(first.TokenEC) {
		t.Error("two purposes share a key")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 5 {
		t.Errorf("the folder holds %d files, want 5", len(entries))
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o, want 600", e.Name(), info.Mode().Perm())
		}
	}
}

func TestABrokenKeyFileIsNeverReplaced(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"claims.pem": "", "receipts.pem": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"token-rs256.pem": "junk", "pairwise.key": "short",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := filepath.Join(dir, name)
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := app.LoadKeys(dir, rand.Reader); err == nil {
				t.Error("accepted")
			}
			if got, _ := os.ReadFile(file); string(got) != content {
				t.Error("the file was changed")
			}
		})
	}
}

func TestAKeyOfAnotherKindIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keys, err := app.LoadKeys(dir, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.TokenRSA.Signer(); err != nil {
		t.Fatal(err)
	}
	rsaKey, err := os.ReadFile(filepath.Join(dir, "token-rs256.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "claims.pem"), rsaKey, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := app.LoadKeys(dir, rand.Reader); err == nil {
		t.Error("an RSA key was accepted for signing claims")
	}
}

func TestFailingRandomnessLeavesNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	// pairwise.key is the only secret that takes its bytes from the reader directly.
	if _, err := app.LoadKeys(dir, io.MultiReader(rand.Reader)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "pairwise.key")); err != nil {
		t.Fatal(err)
	}
	if _, err := app.LoadKeys(dir, iotest.ErrReader(errors.New("no entropy"))); err == nil {
		t.Error("accepted a secret without randomness")
	}
	if _, err := os.Stat(filepath.Join(dir, "pairwise.key")); !errors.Is(err, os.ErrNotExist) {
		t.Error("a secret file was left behind")
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("no randomness expected") }

// TestTheSlowKeyIsMadeOnceWhoeverAsksFirst: and a start does not wait for it.
func TestTheSlowKeyIsMadeOnceWhoeverAsksFirst(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keys, err := app.LoadKeys(dir, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "token-rs256.pem")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the start has made it: %v", err)
	}
	var group sync.WaitGroup
	var got [4]crypto.Signer
	for i := range got {
		group.Go(func() { got[i], _ = keys.TokenRSA.Signer() })
	}
	group.Wait()
	for _, k := range got {
		if k == nil || k != got[0] {
			t.Fatal("two keys were made")
		}
	}
}
