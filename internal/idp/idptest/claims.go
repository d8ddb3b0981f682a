package idptest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// Claims issues and verifies signed claims with selective disclosure (SD-JWT),
// as the vault does, so that logins are tested with real presentations.
type Claims struct{ key *ecdsa.PrivateKey }

// NewClaims makes an issuer with a fresh key.
func NewClaims() (*Claims, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("claims key: %w", err)
	}
	return &Claims{key: key}, nil
}

// Key returns the private key, for tests that play a thief.
func (c *Claims) Key() *ecdsa.PrivateKey { return c.key }

type payload struct {
	Subject string   `json:"sub"`
	Level   string   `json:"level"`
	Alg     string   `json:"_sd_alg"`
	SD      []string `json:"_sd"`
}

// Issue signs the attributes for the account and returns the token with every
// disclosure, each followed by a tilde.
func (c *Claims) Issue(account, level string, attributes map[string]any) (string, error) {
	p := payload{Subject: account, Level: level, Alg: "sha-256"}
	var disclosures strings.Builder
	for n, v := range attributes {
		salt := make([]byte, 16)
		rand.Read(salt)
		raw, err := json.Marshal([]any{base64.RawURLEncoding.EncodeToString(salt), n, v})
		if err != nil {
			return "", fmt.Errorf("encode a disclosure: %w", err)
		}
		d := base64.RawURLEncoding.EncodeToString(raw)
		p.SD = append(p.SD, digest(d))
		disclosures.WriteString(d + "~")
	}
	raw, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("encode the claims: %w", err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: c.key}, nil)
	if err != nil {
		return "", fmt.Errorf("claims signer: %w", err)
	}
	jws, err := signer.Sign(raw)
	if err != nil {
		return "", fmt.Errorf("sign the claims: %w", err)
	}
	token, err := jws.CompactSerialize()
	if err != nil {
		return "", fmt.Errorf("serialise the claims: %w", err)
	}
	return token + "~" + disclosures.String(), nil
}

// Choose keeps only the disclosures of the named attributes.
func Choose(combined string, names ...string) string {
	parts := strings.Split(strings.TrimSuffix(combined, "~"), "~")
	out := parts[0] + "~"
	for _, d := range parts[1:] {
		if n, _, err := open(d); err == nil && slices.Contains(names, n) {
			out += d + "~"
		}
	}
	return out
}

// Verify implements idp.Verifier.
func (c *Claims) Verify(_ context.Context, presentation, accountID string, allowed []string) (map[string]any, string, error) {
	parts := strings.Split(strings.TrimSuffix(presentation, "~"), "~")
	jws, err := jose.ParseSignedCompact(parts[0], []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return nil, "", errors.New("not a signed token")
	}
	raw, err := jws.Verify(&c.key.PublicKey)
	if err != nil {
		return nil, "", errors.New("the signature is not ours")
	}
	var p payload
	if err := json.Unmarshal(raw, &p); err != nil || p.Subject != accountID {
		return nil, "", errors.New("issued to another account")
	}
	out := map[string]any{}
	for _, d := range parts[1:] {
		n, v, err := open(d)
		if err != nil || !slices.Contains(p.SD, digest(d)) || !slices.Contains(allowed, n) {
			return nil, "", errors.New("a disclosure does not belong here")
		}
		out[n] = v
	}
	return out, p.Level, nil
}

func digest(d string) string {
	sum := sha256.Sum256([]byte(d))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func open(d string) (string, any, error) {
	raw, err := base64.RawURLEncoding.DecodeString(d)
	if err != nil {
		return "", nil, errors.New("not base64url")
	}
	var triple []any
	if err := json.Unmarshal(raw, &triple); err != nil || len(triple) != 3 {
		return "", nil, errors.New("not a disclosure")
	}
	n, ok := triple[1].(string)
	if !ok {
		return "", nil, errors.New("not a disclosure")
	}
	return n, triple[2], nil
}
