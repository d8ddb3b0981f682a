package vault_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"ipse/internal/pii"
	"ipse/internal/vault"
	"ipse/internal/vault/vaulttest"
)

func TestSealedClaimsOpenWithThePersonsKeyOnly(t *testing.T) {
	t.Parallel()
	v, person, other := newVault(t, nil), newPerson(t), newPerson(t)
	item, err := v.SealClaims(vault.Suite, person.Public, "acc-1", vault.Substantial, specimen())
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(item, []byte("ERIKSSON")) {
		t.Error("the item is in clear")
	}
	if _, err := other.Open(vault.KindClaims, item); err == nil {
		t.Error("another key opens it")
	}
	if _, err := person.Open(vault.KindJournal, item); err == nil {
		t.Error("it opens as another kind")
	}
	plain, err := person.Open(vault.KindClaims, item)
	if err != nil {
		t.Fatal(err)
	}
	got, err := v.Verify(string(plain), "acc-1", vault.Names())
	if err != nil || got.Level != vault.Substantial || got.Reveal()["family_name"] != "ERIKSSON" {
		t.Errorf("%v, %v", got.Level, err)
	}
}

func TestJournalEntriesHaveOneLength(t *testing.T) {
	t.Parallel()
	v, person := newVault(t, nil), newPerson(t)
	lengths := map[int]bool{}
	for _, entry := range []string{`{}`, `{"service":"tax office"}`, `{"service":"` + strings.Repeat("x", 300) + `"}`} {
		item, err := v.Seal(vault.Suite, person.Public, vault.KindJournal, pii.NewBytes([]byte(entry)))
		if err != nil {
			t.Fatal(err)
		}
		lengths[len(item)] = true
		plain, err := person.Open(vault.KindJournal, item)
		if err != nil || strings.TrimRight(string(plain), " ") != entry {
			t.Errorf("opens as %q, %v", plain, err)
		}
	}
	if len(lengths) != 1 {
		t.Errorf("lengths %v", lengths)
	}
}

func TestSealRefuses(t *testing.T) {
	t.Parallel()
	v, person := newVault(t, nil), newPerson(t)
	text := pii.NewBytes([]byte("{}"))
	lowOrder := append(bytes.Clone(person.Public[:1184]), make([]byte, 32)...) // X25519 share zero
	outOfRange := bytes.Repeat([]byte{0xff}, vault.PublicKeySize)              // coefficients >= q (FIPS 203 §7.2)
	for name, c := range map[string]struct {
		suite string
		key   []byte
		kind  vault.Kind
		plain pii.Bytes
		want  error
	}{
		"another suite":    {"X25519", person.Public, vault.KindClaims, text, vault.ErrKey},
		"a short key":      {vault.Suite, person.Public[1:], vault.KindClaims, text, vault.ErrKey},
		"no key":           {vault.Suite, nil, vault.KindClaims, text, vault.ErrKey},
		"a key off scheme": {vault.Suite, outOfRange, vault.KindClaims, text, vault.ErrKey},
		"low order share":  {vault.Suite, lowOrder, vault.KindClaims, text, vault.ErrKey},
		"unknown kind":     {vault.Suite, person.Public, "photo", text, nil},
		"nothing":          {vault.Suite, person.Public, vault.KindClaims, pii.Bytes{}, nil},
		"too much":         {vault.Suite, person.Public, vault.KindClaims, pii.NewBytes(make([]byte, vault.MaxPlaintext+1)), nil},
	} {
		item, err := v.Seal(c.suite, c.key, c.kind, c.plain)
		if err == nil || item != nil || (c.want != nil && !errors.Is(err, c.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := v.CheckKey(vault.Suite, person.Public); err != nil {
		t.Error(err)
	}
	if err := v.CheckKey(vault.Suite, outOfRange); !errors.Is(err, vault.ErrKey) {
		t.Error(err)
	}
}

func TestWrapsOpenOnlyWithTheirSecretAndCredential(t *testing.T) {
	t.Parallel()
	v, person := newVault(t, nil), newPerson(t)
	draw := func(n int) []byte {
		out := make([]byte, n)
		_, _ = rand.Read(out)
		return out
	}
	prf, secret, salt, id := draw(32), draw(20), draw(vault.SaltSize), draw(16)
	wrapped, err := person.WrapForPasskey(prf, salt, draw(12), id)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.CheckWrap(salt, wrapped); err != nil {
		t.Error(err)
	}
	if got, err := vaulttest.UnwrapWithPasskey(prf, salt, wrapped, id); err != nil || !bytes.Equal(got.Public, person.Public) {
		t.Errorf("does not open: %v", err)
	}
	if _, err := vaulttest.UnwrapWithPasskey(draw(32), salt, wrapped, id); err == nil {
		t.Error("opens with another PRF output")
	}
	if _, err := vaulttest.UnwrapWithPasskey(prf, salt, wrapped, draw(16)); err == nil {
		t.Error("opens for another credential")
	}
	recovery, err := person.WrapForRecovery(secret, salt, draw(12))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := vaulttest.UnwrapWithRecovery(secret, salt, recovery); err != nil || !bytes.Equal(got.Public, person.Public) {
		t.Errorf("does not open: %v", err)
	}
	for _, bad := range [][2][]byte{{salt[1:], wrapped}, {salt, wrapped[1:]}, {nil, nil}, {salt, append(wrapped, 0)}} {
		if err := v.CheckWrap(bad[0], bad[1]); !errors.Is(err, vault.ErrWrap) {
			t.Errorf("err = %v", err)
		}
	}
}

func TestLevelsMapToACRAndBack(t *testing.T) {
	t.Parallel()
	for level, acr := range map[vault.Level]string{vault.Low: "eidas1", vault.Substantial: "eidas2", vault.High: "eidas3"} {
		if back, ok := vault.LevelOfACR(acr); level.ACR() != acr || !ok || back != level || !level.Valid() {
			t.Errorf("%s: %s, %s", level, level.ACR(), back)
		}
	}
	if _, ok := vault.LevelOfACR(""); ok || vault.Level("x").ACR() != "" || vault.Level("").Valid() {
		t.Error("something that is no level passes for one")
	}
	if !vault.High.AtLeast(vault.Low) || vault.Low.AtLeast(vault.Substantial) || vault.Level("x").AtLeast("x") || vault.High.AtLeast("") {
		t.Error("AtLeast")
	}
}

func BenchmarkSealClaims(b *testing.B) {
	v, person := newVault(&testing.T{}, nil), newPerson(&testing.T{})
	for b.Loop() {
		if _, err := v.SealClaims(vault.Suite, person.Public, "acc-1", vault.High, specimen()); err != nil {
			b.Fatal(err)
		}
	}
}
