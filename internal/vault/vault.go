package vault

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Config makes a Vault.
type Config struct {
	// ClaimsKey signs claims; on P-256.
	ClaimsKey *ecdsa.PrivateKey
	// FormerKeys are the public keys of earlier claims keys whose claims are still
	// accepted.
	FormerKeys []*ecdsa.PublicKey
	// Issuer is this server's address; claims of another are refused.
	Issuer string
	// Validity of claims from the day they are signed; zero means unlimited: the
	// document's own expiry is among the attributes.
	Validity time.Duration
	// Now is the clock.
	Now func() time.Time
	// Rand is a cryptographic source; salts and decoys come from it.
	Rand io.Reader
}

// Vault signs, checks and seals. It is safe for concurrent use and keeps nothing
// of a person.
type Vault struct {
	signer   jose.Signer
	keys     map[string]*ecdsa.PublicKey // by key id
	issuer   string
	validity time.Duration
	now      func() time.Time
	rand     io.Reader
}

// tokenType is the protected `typ` header (RFC 8725 §3.11, RFC 9901 §9.11): no other
// signature of the same key passes for claims.
const tokenType = "ipse-claims+sd-jwt"

// New checks the configuration.
func New(cfg Config) (*Vault, error) {
	switch {
	case cfg.ClaimsKey == nil || cfg.ClaimsKey.Curve != elliptic.P256():
		return nil, errors.New("vault: claims key must be on P-256")
	case cfg.Issuer == "":
		return nil, errors.New("vault: no issuer")
	case cfg.Validity < 0:
		return nil, errors.New("vault: negative validity")
	case cfg.Now == nil || cfg.Rand == nil:
		return nil, errors.New("vault: no clock or no random source")
	}
	keys := map[string]*ecdsa.PublicKey{}
	for _, key := range append([]*ecdsa.PublicKey{&cfg.ClaimsKey.PublicKey}, cfg.FormerKeys...) {
		if key == nil || key.Curve != elliptic.P256() {
			return nil, errors.New("vault: former claims key must be on P-256")
		}
		id, err := keyID(key)
		if err != nil {
			return nil, err
		}
		keys[id] = key
	}
	id, err := keyID(&cfg.ClaimsKey.PublicKey)
	if err != nil {
		return nil, err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: cfg.ClaimsKey, KeyID: id}},
		(&jose.SignerOptions{}).WithType(tokenType))
	if err != nil {
		return nil, fmt.Errorf("vault: make the signer: %w", err)
	}
	return &Vault{signer: signer, keys: keys, issuer: cfg.Issuer, validity: cfg.Validity, now: cfg.Now, rand: cfg.Rand}, nil
}

// keyID is the key's JWK thumbprint (RFC 7638).
func keyID(key *ecdsa.PublicKey) (string, error) {
	sum, err := (&jose.JSONWebKey{Key: key}).Thumbprint(crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("vault: name the claims key: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}
