package store_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ipse/internal/account"
	"ipse/internal/account/authtest"
	"ipse/internal/pii"
	"ipse/internal/store"
	"ipse/internal/vault"
	"ipse/internal/vault/vaulttest"
)

// forms are how a text could lie in a file: in clear, lower case, UTF-16,
// hexadecimal, and base64 at each of the three alignments.
func forms(text string) map[string][]byte {
	out := map[string][]byte{"clear": []byte(text), "lower case": []byte(strings.ToLower(text)),
		"hex": []byte(hex.EncodeToString([]byte(text))), "HEX": []byte(strings.ToUpper(hex.EncodeToString([]byte(text))))}
	var wide []byte
	for _, b := range []byte(text) {
		wide = append(wide, b, 0)
	}
	out["UTF-16"] = wide
	for shift := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), text...))
		// The first and last characters depend on the neighbours.
		out["base64 at "+string(rune('0'+shift))] = []byte(encoded[4 : len(encoded)-2])
	}
	return out
}

func traces(t *testing.T, dir string, canaries ...string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, canary := range canaries {
			for form, needle := range forms(canary) {
				if bytes.Contains(raw, needle) {
					found = append(found, filepath.Base(path)+": "+canary+" in "+form)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// resident is a person with an account in a real file.
type resident struct {
	dir    string
	db     *store.DB
	vault  *vault.Vault
	svc    *account.Service
	opened account.Opened
	code   []byte
}

const (
	sealedFamily = "QUETZALCOATLINA"
	sealedNumber = "X9CANARY77"
)

func settle(t *testing.T) *resident {
	t.Helper()
	r := &resident{dir: t.TempDir(), code: bytes.Repeat([]byte{0xA7}, 20)}
	claimsKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	fatal(t, err)
	now := func() time.Time { return time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC) }
	r.vault, err = vault.New(vault.Config{ClaimsKey: claimsKey, Issuer: "https://ipse.example", Now: now, Rand: rand.Reader})
	fatal(t, err)
	r.db, err = store.Open(t.Context(), store.Config{Path: filepath.Join(r.dir, "ipse.db")})
	fatal(t, err)
	t.Cleanup(func() { _ = r.db.Close() })
	r.svc, err = account.New(account.Config{Store: r.db, Vault: r.vault, RPID: "ipse.example", RPName: "Ipse",
		Origins: []string{"https://ipse.example"}, Now: now, Rand: rand.Reader})
	fatal(t, err)

	key, err := vaulttest.NewKey(rand.Reader)
	fatal(t, err)
	options, err := r.svc.BeginCreate(t.Context(), "p")
	fatal(t, err)
	answer, err := (&authtest.Authenticator{Origin: "https://ipse.example", Rand: rand.Reader}).Create(options)
	fatal(t, err)
	salt, nonce := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 12)
	byPasskey, err := key.WrapForPasskey(answer.PRF, salt, nonce, answer.CredentialID)
	fatal(t, err)
	byCode, err := key.WrapForRecovery(r.code, salt, nonce)
	fatal(t, err)
	auth, err := vaulttest.RecoveryAuth(r.code)
	fatal(t, err)
	attributes := vault.Attributes{FamilyName: pii.NewText(sealedFamily), DocumentNumber: pii.NewText(sealedNumber), BirthDate: pii.NewText("1974-08-12")}
	r.opened, err = r.svc.Create(t.Context(), "p", account.NewAccount{
		Passkey:  account.NewPasskey{Credential: answer.JSON, Name: "Phone", WrapFor: answer.CredentialID, Wrap: account.Wrap{Salt: salt, Wrapped: byPasskey}},
		Recovery: account.NewRecovery{Wrap: account.Wrap{Salt: salt, Wrapped: byCode}, Auth: pii.NewBytes(auth)},
		Suite:    vault.Suite, PublicKey: key.Public, Level: "high",
		Seal: func(id string) ([]byte, error) {
			return r.vault.SealClaims(vault.Suite, key.Public, id, vault.High, attributes)
		}})
	fatal(t, err)
	sealed, err := r.vault.Seal(vault.Suite, key.Public, vault.KindJournal, pii.NewBytes([]byte(`{"service":"CANARYSERVICE-TAX"}`)))
	fatal(t, err)
	fatal(t, r.svc.AppendJournal(t.Context(), r.opened.Session.Account, sealed))

	// What must not be found beside the attributes: what opens them.
	for _, secret := range [][]byte{answer.PRF, key.Seed, r.code, auth, []byte(r.opened.Token.Reveal())} {
		if found := traces(t, r.dir, string(secret)); len(found) > 0 {
			t.Errorf("a secret lies in the files: %d traces", len(found))
		}
	}
	return r
}

func fatal(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestADumpOfTheDatabaseNamesNobody reads every byte that the database left on
// the disk, open and closed, and looks for what it knows of the person.
func TestADumpOfTheDatabaseNamesNobody(t *testing.T) {
	t.Parallel()
	r := settle(t)
	check := func(when string) {
		for _, found := range traces(t, r.dir, sealedFamily, sealedNumber, "1974-08-12", "CANARYSERVICE-TAX") {
			t.Errorf("%s: %s", when, found)
		}
	}
	check("open")
	fatal(t, r.db.Close())
	check("closed")
	// The search itself must be able to find.
	fatal(t, os.WriteFile(filepath.Join(r.dir, "note"), []byte(base64.StdEncoding.EncodeToString([]byte("so: "+sealedFamily+"."))), 0o600))
	if len(traces(t, r.dir, sealedFamily)) == 0 {
		t.Error("the search finds nothing, even what is there")
	}
}

// TestErasureLeavesNoByteOfTheAccount looks for the account's public values,
// which are in clear while it exists.
func TestErasureLeavesNoByteOfTheAccount(t *testing.T) {
	t.Parallel()
	r := settle(t)
	state, err := r.svc.State(t.Context(), r.opened.Session)
	fatal(t, err)
	a := state.Account
	public := [][]byte{a.Handle, a.PublicKey[:64], a.Passkeys[0].ID, a.Passkeys[0].PublicKey, a.Passkeys[0].Wrap.Wrapped, a.Recovery.Wrap.Wrapped,
		a.Recovery.AuthHash[:], state.Items[0].Sealed[:64], state.Items[1].Sealed[:64], []byte(a.ID), r.opened.Session.TokenHash[:]}
	for i, value := range public {
		if !inFiles(t, r.dir, value) {
			t.Errorf("value %d is not in the files before: the test sees nothing", i)
		}
	}
	fatal(t, r.svc.Erase(t.Context(), r.opened.Session))
	for i, value := range public {
		if inFiles(t, r.dir, value) {
			t.Errorf("value %d is in the files after erasure", i)
		}
	}
	if _, err := r.db.Account(t.Context(), a.ID); !errors.Is(err, account.ErrNoAccount) {
		t.Error(err)
	}
}

func inFiles(t *testing.T, dir string, value []byte) (found bool) {
	t.Helper()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		raw, err := os.ReadFile(filepath.Join(dir, "ipse.db"+suffix))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		found = found || bytes.Contains(raw, value)
	}
	return found
}
