package idp

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"sync"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/luikyv/go-oidc/pkg/goidc"
)

// SigningKey signs ID tokens. Signer may live in a hardware module.
type SigningKey struct {
	// ID is the published key id; empty: the key's thumbprint (RFC 7638).
	ID string
	// Algorithm is ES256 (P-256) or RS256 (at least 2048 bits).
	Algorithm string
	// Signer holds the private key.
	Signer crypto.Signer
	// Make stands in for Signer where the key is slow to make: it is called when the
	// key set is first asked for or the key must first sign, and again after an error.
	Make func() (crypto.Signer, error)
}

// keySet is the published keys and those that sign. A key is published before it
// signs: both come about in the same moment.
type keySet struct {
	mu      sync.Mutex          // guards what follows; held while a key is made
	set     goidc.JSONWebKeySet // public halves
	signers map[goidc.SignatureAlgorithm]namedSigner
	later   []SigningKey // not made yet
}

type namedSigner struct {
	id     string
	signer crypto.Signer
}

func newKeySet(keys []SigningKey) (*keySet, error) {
	ks := &keySet{signers: map[goidc.SignatureAlgorithm]namedSigner{}}
	algorithms := map[string]bool{}
	for i, k := range keys {
		algorithms[k.Algorithm] = true
		switch {
		case k.Signer != nil:
			if err := ks.add(k); err != nil {
				return nil, fmt.Errorf("signing key %d: %w", i+1, err)
			}
		case k.Make != nil:
			ks.later = append(ks.later, k)
		default:
			return nil, fmt.Errorf("signing key %d is nil", i+1)
		}
	}
	if !algorithms["ES256"] || !algorithms["RS256"] || len(algorithms) != 2 {
		return nil, errors.New("one ES256 and one RS256 signing key are needed")
	}
	return ks, nil
}

// add publishes a key. mu is held, or nobody else has the set yet.
func (ks *keySet) add(k SigningKey) error {
	signer := k.Signer
	switch pub := k.Signer.Public().(type) {
	case *ecdsa.PublicKey:
		if k.Algorithm != "ES256" || pub.Curve != elliptic.P256() {
			return errors.New("an EC key must be P-256 and sign ES256")
		}
		signer = rawECDSA{k.Signer}
	case *rsa.PublicKey:
		if k.Algorithm != "RS256" || pub.N.BitLen() < 2048 {
			return errors.New("an RSA key must have 2048 bits and sign RS256")
		}
	default:
		return errors.New("unknown kind of key")
	}
	jwk := goidc.JSONWebKey{Key: k.Signer.Public(), KeyID: k.ID, Algorithm: k.Algorithm, Use: "sig"}
	if jwk.KeyID == "" {
		sum, err := jwk.Thumbprint(crypto.SHA256)
		if err != nil {
			return fmt.Errorf("name the key: %w", err)
		}
		jwk.KeyID = base64.RawURLEncoding.EncodeToString(sum)
	}
	ks.set.Keys = append(ks.set.Keys, jwk)
	alg := goidc.SignatureAlgorithm(k.Algorithm)
	if _, ok := ks.signers[alg]; !ok {
		ks.signers[alg] = namedSigner{id: jwk.KeyID, signer: signer}
	}
	return nil
}

// complete makes the keys that are not there yet. mu is held.
func (ks *keySet) complete() error {
	for len(ks.later) > 0 {
		k := ks.later[0]
		var err error
		if k.Signer, err = k.Make(); err != nil {
			return fmt.Errorf("make the %s key: %w", k.Algorithm, err)
		}
		if err := ks.add(k); err != nil {
			return err
		}
		ks.later = ks.later[1:]
	}
	return nil
}

// public returns all keys, made ones too.
func (ks *keySet) public(context.Context) (goidc.JSONWebKeySet, error) {
	ks.mu.Lock()
	defer ks.mu.Unlock()
	if err := ks.complete(); err != nil {
		return goidc.JSONWebKeySet{}, err
	}
	return goidc.JSONWebKeySet{Keys: slices.Clone(ks.set.Keys)}, nil
}

func (ks *keySet) signer(_ context.Context, alg goidc.SignatureAlgorithm) (string, crypto.Signer, error) {
	ks.mu.Lock()
	defer ks.mu.Unlock()
	if _, ok := ks.signers[alg]; !ok {
		if err := ks.complete(); err != nil {
			return "", nil, err
		}
	}
	s, ok := ks.signers[alg]
	if !ok {
		return "", nil, fmt.Errorf("no key signs %s", alg)
	}
	return s.id, s.signer, nil
}

// rawECDSA turns the ASN.1 signature of a crypto.Signer into the two 32-byte
// numbers that JWS wants (RFC 7518, 3.4): go-oidc passes on whatever the signer
// returns.
type rawECDSA struct{ crypto.Signer }

// Sign implements crypto.Signer.
func (s rawECDSA) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	der, err := s.Signer.Sign(random, digest, opts)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	var sig struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &sig); err != nil || len(rest) > 0 || sig.R.Sign() <= 0 || sig.S.Sign() <= 0 ||
		sig.R.BitLen() > 256 || sig.S.BitLen() > 256 {
		return nil, errors.New("the signer returned something that is not an ECDSA signature")
	}
	out := make([]byte, 64)
	sig.R.FillBytes(out[:32])
	sig.S.FillBytes(out[32:])
	return out, nil
}

// hint is what an id_token_hint says, its signature checked. It may have
// expired: a hint names an earlier login, it does not authorise anything.
type hint struct{ Subject, ClientID string }

func (p *Provider) readHint(raw string) (hint, error) {
	token, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.ES256, jose.RS256})
	if err != nil || len(token.Headers) != 1 {
		return hint{}, errors.New("id_token_hint is not an ID token of this provider")
	}
	keys, err := p.keys.public(context.Background())
	if err != nil {
		return hint{}, err
	}
	key, err := keys.Key(token.Headers[0].KeyID)
	var claims jwt.Claims
	if err != nil || key.Algorithm != token.Headers[0].Algorithm || token.Claims(key.Key, &claims) != nil {
		return hint{}, errors.New("id_token_hint is not signed by this provider")
	}
	if claims.Issuer != p.cfg.Issuer || len(claims.Audience) != 1 || claims.Subject == "" {
		return hint{}, errors.New("id_token_hint is not an ID token of this provider")
	}
	return hint{Subject: claims.Subject, ClientID: claims.Audience[0]}, nil
}
