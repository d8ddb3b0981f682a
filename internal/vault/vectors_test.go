package vault_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"ipse/internal/pii"
	"ipse/internal/vault"
	"ipse/internal/vault/vaulttest"
)

// update writes the vectors anew: go test ./internal/vault -run TestVectors -update
var update = flag.Bool("update", false, "write testdata/vectors.json")

// b64 is base64url without padding in JSON.
type b64 []byte

func (b b64) MarshalText() ([]byte, error) {
	return []byte(base64.RawURLEncoding.EncodeToString(b)), nil
}

func (b *b64) UnmarshalText(text []byte) (err error) {
	*b, err = base64.RawURLEncoding.DecodeString(string(text))
	return err
}

// vectors is testdata/vectors.json, which the tests of the pages read too: what
// Go seals the browser opens, and the reverse by the same formulas.
type vectors struct {
	Comment   string        `json:"comment"`
	Suite     string        `json:"suite"`
	Seed      b64           `json:"seed"`
	PublicKey b64           `json:"public_key"`
	PRFInput  b64           `json:"prf_input"`
	Passkey   passkeyWrap   `json:"passkey"`
	Recovery  recoveryWrap  `json:"recovery"`
	Items     []vectorItem  `json:"items"`
	Claims    claimsVectors `json:"claims"`
}

type passkeyWrap struct {
	CredentialID b64 `json:"credential_id"`
	PRFOutput    b64 `json:"prf_output"`
	Salt         b64 `json:"salt"`
	Wrapped      b64 `json:"wrapped"`
}

type recoveryWrap struct {
	Secret  b64    `json:"secret"`
	Code    string `json:"code"`
	Auth    b64    `json:"auth"`
	Salt    b64    `json:"salt"`
	Wrapped b64    `json:"wrapped"`
}

type vectorItem struct {
	Kind      vault.Kind `json:"kind"`
	Plaintext string     `json:"plaintext"`
	Sealed    b64        `json:"sealed"`
}

type claimsVectors struct {
	Issuer       string          `json:"issuer"`
	Key          json.RawMessage `json:"key"`
	Account      string          `json:"account"`
	Level        vault.Level     `json:"level"`
	Combined     string          `json:"combined"`
	Chosen       []string        `json:"chosen"`
	Presentation string          `json:"presentation"`
	Values       map[string]any  `json:"values"`
}

func vectorsFile() string { return filepath.Join("testdata", "vectors.json") }

func TestVectorsHold(t *testing.T) {
	t.Parallel()
	if *update {
		writeVectors(t)
	}
	raw, err := os.ReadFile(vectorsFile())
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	person, err := vaulttest.KeyOfSeed(v.Seed)
	if err != nil || !bytes.Equal(person.Public, v.PublicKey) || v.Suite != vault.Suite || !bytes.Equal(v.PRFInput, vaulttest.PRFInput()) {
		t.Fatalf("key: %v", err)
	}
	byPasskey, err := vaulttest.UnwrapWithPasskey(v.Passkey.PRFOutput, v.Passkey.Salt, v.Passkey.Wrapped, v.Passkey.CredentialID)
	if err != nil || !bytes.Equal(byPasskey.Seed, v.Seed) {
		t.Errorf("passkey wrap: %v", err)
	}
	byRecovery, err := vaulttest.UnwrapWithRecovery(v.Recovery.Secret, v.Recovery.Salt, v.Recovery.Wrapped)
	if err != nil || !bytes.Equal(byRecovery.Seed, v.Seed) {
		t.Errorf("recovery wrap: %v", err)
	}
	auth, err := vaulttest.RecoveryAuth(v.Recovery.Secret)
	if err != nil || !bytes.Equal(auth, v.Recovery.Auth) || vaulttest.RecoveryCode(v.Recovery.Secret) != v.Recovery.Code {
		t.Errorf("recovery code: %v", err)
	}
	for _, item := range v.Items {
		if plain, err := person.Open(item.Kind, item.Sealed); err != nil || string(plain) != item.Plaintext {
			t.Errorf("item %s: %v", item.Kind, err)
		}
	}
	checkClaimsVectors(t, v.Claims)
}

func checkClaimsVectors(t *testing.T, c claimsVectors) {
	t.Helper()
	var jwk jose.JSONWebKey
	if err := json.Unmarshal(c.Key, &jwk); err != nil {
		t.Fatal(err)
	}
	public, ok := jwk.Key.(*ecdsa.PublicKey)
	if !ok {
		t.Fatal("claims key is not an EC key")
	}
	checker := newVault(t, func(cfg *vault.Config) { cfg.FormerKeys, cfg.Issuer = []*ecdsa.PublicKey{public}, c.Issuer })
	got, err := checker.Verify(c.Presentation, c.Account, c.Chosen)
	if err != nil || got.Level != c.Level {
		t.Fatalf("presentation: %v", err)
	}
	a, _ := json.Marshal(got.Reveal())
	b, _ := json.Marshal(c.Values)
	if !bytes.Equal(a, b) {
		t.Errorf("values %s, want %s", a, b)
	}
	if choose(t, c.Combined, c.Chosen...) != c.Presentation {
		t.Error("the presentation is not the choice from the combined form")
	}
}

func writeVectors(t *testing.T) {
	t.Helper()
	source := rand.NewChaCha8([32]byte([]byte("ipse/vault test vectors, seed 1.")))
	draw := func(n int) []byte {
		out := make([]byte, n)
		_, _ = source.Read(out)
		return out
	}
	must := func(b []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), draw(32))
	if err != nil {
		t.Fatal(err)
	}
	signer := newVault(t, func(c *vault.Config) { c.ClaimsKey, c.Rand = key, source })
	person, err := vaulttest.KeyOfSeed(draw(32))
	if err != nil {
		t.Fatal(err)
	}
	v := vectors{
		Comment: "Specimen data (ICAO Doc 9303-4, appendix A). Written by go test ./internal/vault -run TestVectors -update; bytes are base64url without padding.",
		Suite:   vault.Suite, Seed: person.Seed, PublicKey: person.Public, PRFInput: vaulttest.PRFInput(),
		Passkey:  passkeyWrap{CredentialID: draw(32), PRFOutput: draw(32), Salt: draw(32)},
		Recovery: recoveryWrap{Secret: draw(20), Salt: draw(32)},
		Claims:   claimsVectors{Issuer: issuer, Account: "dGVzdC1hY2NvdW50LTE", Level: vault.High, Chosen: []string{"given_name", "nationalities", "age_over_18"}},
	}
	v.Passkey.Wrapped = must(person.WrapForPasskey(v.Passkey.PRFOutput, v.Passkey.Salt, draw(12), v.Passkey.CredentialID))
	v.Recovery.Wrapped = must(person.WrapForRecovery(v.Recovery.Secret, v.Recovery.Salt, draw(12)))
	v.Recovery.Auth, v.Recovery.Code = must(vaulttest.RecoveryAuth(v.Recovery.Secret)), vaulttest.RecoveryCode(v.Recovery.Secret)
	v.Claims.Key = must(json.Marshal(jose.JSONWebKey{Key: &key.PublicKey, Algorithm: "ES256", Use: "sig"}))
	a := specimen()
	a.GivenName = pii.NewText("ANNA MARÍA") // beyond ASCII
	v.Claims.Combined = sign(t, signer, v.Claims.Account, a)
	v.Claims.Presentation = choose(t, v.Claims.Combined, v.Claims.Chosen...)
	got, err := signer.Verify(v.Claims.Presentation, v.Claims.Account, v.Claims.Chosen)
	if err != nil {
		t.Fatal(err)
	}
	v.Claims.Values = got.Reveal()
	for kind, text := range map[vault.Kind]string{vault.KindClaims: v.Claims.Combined, vault.KindJournal: `{"at":"2026-11-23T15:04:05Z","service":{"id":"tax","name":"Tax office"},"attributes":["given_name"]}`} {
		sealed := must(signer.Seal(vault.Suite, person.Public, kind, pii.NewBytes([]byte(text))))
		v.Items = append(v.Items, vectorItem{Kind: kind, Plaintext: string(must(person.Open(kind, sealed))), Sealed: sealed})
	}
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(vectorsFile(), append(raw, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
}
