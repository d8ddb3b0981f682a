package vault_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"
	"time"

	"ipse/internal/pii"
	"ipse/internal/vault"
	"ipse/internal/vault/vaulttest"
)

const issuer = "https://ipse.example"

func day() time.Time { return time.Date(2026, 11, 23, 15, 4, 5, 0, time.UTC) }

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newVault(t *testing.T, change func(*vault.Config)) *vault.Vault {
	t.Helper()
	cfg := vault.Config{ClaimsKey: newKey(t), Issuer: issuer, Now: day, Rand: rand.Reader}
	if change != nil {
		change(&cfg)
	}
	v, err := vault.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func newPerson(t *testing.T) *vaulttest.Key {
	t.Helper()
	key, err := vaulttest.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// specimen are the attributes of the specimen document of ICAO Doc 9303-4, appendix A.
func specimen() vault.Attributes {
	return vault.Attributes{
		FamilyName: pii.NewText("ERIKSSON"), GivenName: pii.NewText("ANNA MARIA"), BirthDate: pii.NewText("1974-08-12"),
		Nationalities: []pii.Text{pii.NewText("UTO")}, DocumentType: "passport", DocumentIssuer: "UTO",
		DocumentNumber: pii.NewText("L898902C3"), DocumentExpiry: pii.NewText("2032-04-15"), VerifiedOn: "2026-11-23",
	}
}

func sign(t *testing.T, v *vault.Vault, account string, a vault.Attributes) string {
	t.Helper()
	combined, err := v.Sign(account, vault.High, a)
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.Clone(combined.Reveal()))
}
