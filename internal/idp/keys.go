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
}

type keySet struct {
	set     goidc.JSONWebKeySet // public halves
	signers map[goidc.SignatureAlgorithm]namedSigner
}

type namedSigner struct {
	id     string
	signer crypto.Signer
}

func newKeySet(keys []SigningKey) (keySet, error) {
	ks := keySet{signers: map[goidc.SignatureAlgorithm]namedSigner{}}
	for i, k := range keys {
		if k.Signer == nil {
			return keySet{}, fmt.Errorf("signing key %d is nil", i+1)
		}
		signer := k.Signer
		switch pub := k.Signer.Public().(type) {
		case *ecdsa.PublicKey:
			if k.Algorithm != "ES256" || pub.Curve != elliptic.P256() {
				return keySet{}, fmt.Errorf("signing key %d: an EC key must be P-256 and sign ES256", i+1)
			}
			signer = rawECDSA{k.Signer}
		case *rsa.PublicKey:
			if k.Algorithm != "RS256" || pub.N.BitLen() < 2048 {
				return keySet{}, fmt.Errorf("signing key %d: an RSA key must have 2048 bits and sign RS256", i+1)
			}
		default:
			return keySet{}, fmt.Errorf("signing key %d: unknown kind of key", i+1)
		}
		jwk := goidc.JSONWebKey{Key: k.Signer.Public(), KeyID: k.ID, Algorithm: k.Algorithm, Use: "sig"}
		if jwk.KeyID == "" {
			sum, err := jwk.Thumbprint(crypto.SHA256)
			if err != nil {
				return keySet{}, fmt.Errorf("signing key %d: %w", i+1, err)
			}
			jwk.KeyID = base64.RawURLEncoding.EncodeToString(sum)
		}
		ks.set.Keys = append(ks.set.Keys, jwk)
		alg := goidc.SignatureAlgorithm(k.Algorithm)
		if _, ok := ks.signers[alg]; !ok {
			ks.signers[alg] = namedSigner{id: jwk.KeyID, signer: signer}
		}
	}
	if len(ks.signers) != 2 {
		return keySet{}, errors.New("one ES256 and one RS256 signing key are needed")
	}
	return ks, nil
}

func (ks keySet) public(context.Context) (goidc.JSONWebKeySet, error) { return ks.set, nil }

func (ks keySet) signer(_ context.Context, alg goidc.SignatureAlgorithm) (string, crypto.Signer, error) {
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
	key, err := p.keys.set.Key(token.Headers[0].KeyID)
	var claims jwt.Claims
	if err != nil || key.Algorithm != token.Headers[0].Algorithm || token.Claims(key.Key, &claims) != nil {
		return hint{}, errors.New("id_token_hint is not signed by this provider")
	}
	if claims.Issuer != p.cfg.Issuer || len(claims.Audience) != 1 || claims.Subject == "" {
		return hint{}, errors.New("id_token_hint is not an ID token of this provider")
	}
	return hint{Subject: claims.Subject, ClientID: claims.Audience[0]}, nil
}
