package vault_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/go-jose/go-jose/v4"
	"pgregory.net/rapid"

	"ipse/internal/pii"
	"ipse/internal/vault"
)

// signedAs is a presentation signed by the claims key, whatever it says: what a fault
// of an earlier version, or of another program with the same key, could have left.
func signedAs(t *testing.T, key *ecdsa.PrivateKey, typ, payload string, disclosures ...string) string {
	t.Helper()
	sum, err := (&jose.JSONWebKey{Key: &key.PublicKey}).Thumbprint(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: base64.RawURLEncoding.EncodeToString(sum)}},
		(&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token + "~" + strings.Join(append(disclosures, ""), "~")
}

// claims is a payload of the vault's own form with the digests of disclosures.
func claims(more string, disclosures ...string) string {
	digests := ""
	for i, d := range disclosures {
		sum := sha256.Sum256([]byte(d))
		if i > 0 {
			digests += ","
		}
		digests += fmt.Sprintf("%q", base64.RawURLEncoding.EncodeToString(sum[:]))
	}
	return `{"iss":"` + issuer + `","sub":"acc-1","iat":1763856000,"vct":"urn:ipse:claims:1","level":"high","_sd_alg":"sha-256","_sd":[` + digests + `]` + more + `}`
}

// TestAGoodSignatureIsNotEnough: what our own key signed is still read strictly.
func TestAGoodSignatureIsNotEnough(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	v := newVault(t, func(c *vault.Config) { c.ClaimsKey = key })
	const typ = "ipse-claims+sd-jwt"
	disclosed := func(json string) string { return base64.RawURLEncoding.EncodeToString([]byte(json)) }
	name := disclosed(`["c2FsdA","family_name","ERIKSSON"]`)
	if got, err := v.Verify(signedAs(t, key, typ, claims("", name), name), "acc-1", vault.Names()); err != nil || got.Reveal()["family_name"] != "ERIKSSON" {
		t.Fatalf("the form itself: %v", err)
	}
	for what, c := range map[string]struct {
		typ, payload string
		disclosures  []string
		want         error
	}{
		"another type":         {"JWT", claims("", name), []string{name}, vault.ErrSignature},
		"no type":              {"", claims("", name), []string{name}, vault.ErrSignature},
		"another vct":          {typ, strings.Replace(claims("", name), "claims:1", "claims:2", 1), []string{name}, vault.ErrSignature},
		"an unknown level":     {typ, strings.Replace(claims("", name), `"high"`, `"highest"`, 1), []string{name}, vault.ErrSignature},
		"another hash":         {typ, strings.Replace(claims("", name), "sha-256", "sha-512", 1), []string{name}, vault.ErrSignature},
		"an unknown member":    {typ, claims(`,"family_name":"OTHER"`, name), []string{name}, vault.ErrMalformed},
		"two values":           {typ, claims("", name) + "{}", []string{name}, vault.ErrMalformed},
		"no JSON":              {typ, "claims", []string{name}, vault.ErrMalformed},
		"of tomorrow's morrow": {typ, strings.Replace(claims("", name), "1763856000", "4102444800", 1), []string{name}, vault.ErrExpired},
	} {
		if got, err := v.Verify(signedAs(t, key, c.typ, c.payload, c.disclosures...), "acc-1", vault.Names()); !errors.Is(err, c.want) || len(got.Names()) != 0 {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
	}
	for what, d := range map[string]string{
		"two parts":                     disclosed(`["c2FsdA","family_name"]`),
		"four parts":                    disclosed(`["c2FsdA","family_name","A","B"]`),
		"an object":                     disclosed(`{"family_name":"A"}`),
		"a name that is a number":       disclosed(`["c2FsdA",1,"A"]`),
		"an attribute that is none":     disclosed(`["c2FsdA","is_admin","true"]`),
		"a number for a text":           disclosed(`["c2FsdA","family_name",1]`),
		"a list for a text":             disclosed(`["c2FsdA","family_name",["A"]]`),
		"a text for a list":             disclosed(`["c2FsdA","nationalities","UTO"]`),
		"numbers in a list":             disclosed(`["c2FsdA","nationalities",[1]]`),
		"not over 18":                   disclosed(`["c2FsdA","age_over_18",false]`),
		"a text for over 18":            disclosed(`["c2FsdA","age_over_18","true"]`),
		"true for a text":               disclosed(`["c2FsdA","family_name",true]`),
		"null":                          disclosed(`["c2FsdA","family_name",null]`),
		"an object for a text":          disclosed(`["c2FsdA","family_name",{"a":1}]`),
		"two values":                    disclosed(`["c2FsdA","family_name","A"][]`),
		"padding":                       name + "=",
		"another alphabet":              "+" + name[1:],
		"bits that belong to no letter": disclosed(`["c2FsdA","family_name","ERIKSSONS"]`)[:47] + "B",
	} {
		if got, err := v.Verify(signedAs(t, key, typ, claims("", d), d), "acc-1", vault.Names()); !errors.Is(err, vault.ErrMalformed) || len(got.Names()) != 0 {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestWhatIsSealedOpensForItsPersonAndKindAlone, whatever it is.
func TestWhatIsSealedOpensForItsPersonAndKindAlone(t *testing.T) {
	t.Parallel()
	v, mine, theirs := newVault(t, nil), newPerson(t), newPerson(t)
	rapid.Check(t, func(rt *rapid.T) {
		plain := rapid.SliceOfN(rapid.Byte(), 1, 4000).Draw(rt, "plain")
		kind := rapid.SampledFrom([]vault.Kind{vault.KindClaims, vault.KindJournal}).Draw(rt, "kind")
		sealed, err := v.Seal(vault.Suite, mine.Public, kind, pii.NewBytes(bytes.Clone(plain)))
		if err != nil {
			rt.Fatal(err)
		}
		opened, err := mine.Open(kind, sealed)
		if err != nil || !bytes.Equal(bytes.TrimRight(opened, " "), bytes.TrimRight(plain, " ")) || !bytes.HasPrefix(opened, plain) {
			rt.Fatalf("%d bytes come back as %d: %v", len(plain), len(opened), err)
		}
		if kind == vault.KindJournal && len(opened)%512 != 0 {
			rt.Fatalf("a journal entry of %d bytes", len(opened))
		}
		if _, err := theirs.Open(kind, sealed); err == nil {
			rt.Fatal("another person opens it")
		}
		other := map[vault.Kind]vault.Kind{vault.KindClaims: vault.KindJournal, vault.KindJournal: vault.KindClaims}[kind]
		if _, err := mine.Open(other, sealed); err == nil {
			rt.Fatal("it opens as another kind")
		}
		at := rapid.IntRange(0, len(sealed)-1).Draw(rt, "at")
		sealed[at] ^= 1 << rapid.IntRange(0, 7).Draw(rt, "bit")
		if _, err := mine.Open(kind, sealed); err == nil {
			rt.Fatalf("it opens with bit flipped at %d", at)
		}
	})
}

// TestASourceThatRunsDrySignsNothing: claims with a salt that everybody knows could be
// guessed from their digests.
func TestASourceThatRunsDrySignsNothing(t *testing.T) {
	t.Parallel()
	for have := int64(0); ; have += 8 {
		v := newVault(t, func(c *vault.Config) {
			c.Rand = io.MultiReader(io.LimitReader(rand.Reader, have), iotest.ErrReader(errors.New("dry")))
		})
		combined, err := v.Sign("acc-1", vault.High, specimen())
		if err == nil {
			if have < 9*16 {
				t.Errorf("%d random bytes for nine salts and two decoys", have)
			}
			return
		}
		if combined.Len() != 0 || have > 1<<16 {
			t.Fatalf("%d bytes of claims with the error %v", combined.Len(), err)
		}
	}
}
