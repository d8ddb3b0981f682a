package idp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
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

// TestASlowKeyIsPublishedBeforeItSigns: nobody waits for it but who needs it, a
// failure is no end, and the set that is published holds it from then on.
func TestASlowKeyIsPublishedBeforeItSigns(t *testing.T) {
	t.Parallel()
	ec, err := newTestKey()
	if err != nil {
		t.Fatal(err)
	}
	slow, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	made := 0
	ks, err := newKeySet([]SigningKey{{Algorithm: "ES256", Signer: ec}, {Algorithm: "RS256", Make: func() (crypto.Signer, error) {
		if made++; made == 1 {
			return nil, errors.New("disk full")
		}
		return slow, nil
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := ks.signer(t.Context(), "ES256"); err != nil || made != 0 {
		t.Errorf("ES256 waited for the other key: %d, %v", made, err)
	}
	if _, err := ks.public(t.Context()); err == nil {
		t.Error("half a key set was published")
	}
	id, _, err := ks.signer(t.Context(), "RS256")
	if err != nil {
		t.Fatal(err)
	}
	set, err := ks.public(t.Context())
	if _, known := set.Key(id); err != nil || known != nil || len(set.Keys) != 2 || made != 2 {
		t.Errorf("%d keys, made %d times, %v %v", len(set.Keys), made, err, known)
	}
	if _, err := newKeySet([]SigningKey{{Algorithm: "ES256", Signer: ec}, {Algorithm: "RS256"}}); err == nil {
		t.Error("a key that cannot be made was accepted")
	}
	wrong, err := newKeySet([]SigningKey{{Algorithm: "ES256", Signer: ec}, {Algorithm: "RS256", Make: func() (crypto.Signer, error) { return ec, nil }}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wrong.public(t.Context()); err == nil {
		t.Error("a key of another kind was published")
	}
}
