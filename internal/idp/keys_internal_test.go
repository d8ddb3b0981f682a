package idp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

func newTestKey() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

func signTest(key *ecdsa.PrivateKey, claims map[string]any) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "k"}}, nil)
	if err != nil {
		return "", err
	}
	return jwt.Signed(signer).Claims(claims).Serialize()
}

// TestRecordsOpenWithTheirSecretOnly: a record of one kind is not a record of
// another, and a stolen store without the secrets opens nothing.
func TestRecordsOpenWithTheirSecretOnly(t *testing.T) {
	t.Parallel()
	sealed, err := kindCode.seal("secret", map[string]string{"a": "b"})
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]string
	if err := kindCode.open("secret", sealed, &out); err != nil || out["a"] != "b" {
		t.Fatalf("%v, %v", out, err)
	}
	altered := append([]byte{}, sealed...)
	altered[len(altered)-1] ^= 1
	for name, err := range map[string]error{
		"another secret": kindCode.open("other", sealed, &out), "another kind": kindToken.open("secret", sealed, &out),
		"altered": kindCode.open("secret", altered, &out), "cut": kindCode.open("secret", sealed[:5], &out),
		"no secret": kindCode.open("", sealed, &out), "its lookup value": kindCode.open(string(kindCode.lookup("secret")), sealed, &out),
	} {
		if err == nil {
			t.Errorf("%s: opened", name)
		}
	}
	if string(kindCode.lookup("x")) == string(kindToken.lookup("x")) {
		t.Error("kinds share lookup values")
	}
	if _, err := kindCode.seal("secret", make(chan int)); err == nil {
		t.Error("something that does not encode is sealed")
	}
}

type noRandomness struct{}

func (noRandomness) Read([]byte) (int, error) { return 0, errors.New("empty") }

// TestSecretsAreNeverWeak, even when the injected source fails.
func TestSecretsAreNeverWeak(t *testing.T) {
	t.Parallel()
	a, b := newSecret(noRandomness{}), newSecret(strings.NewReader("short"))
	if a == b || !isSecret(a) || !isSecret(b) || strings.HasSuffix(b, "AAAAAAAA") {
		t.Errorf("weak secrets")
	}
	first, again := newSecret(strings.NewReader(strings.Repeat("x", 32))), newSecret(strings.NewReader(strings.Repeat("x", 32)))
	if first != again {
		t.Error("the injected source is not used")
	}
}
