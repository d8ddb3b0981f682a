package idp

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/url"
	"strings"

	"github.com/luikyv/go-oidc/pkg/goidc"
)

// clientSector is where a library client carries its sector.
const clientSector = "ipse_sector"

// client is the registration in the library's words.
func (s *Service) client() *goidc.Client {
	method := goidc.AuthnMethodSecretBasic
	if s.JWKS != nil {
		method = goidc.AuthnMethodPrivateKeyJWT
	}
	c := &goidc.Client{ID: s.ID, Secret: s.SecretHash}
	c.Name = s.Name.In("en")
	c.RedirectURIs = s.RedirectURIs
	c.GrantTypes = []goidc.GrantType{goidc.GrantAuthorizationCode}
	c.ResponseTypes = []goidc.ResponseType{goidc.ResponseTypeCode}
	if s.JWKS != nil {
		c.JWKS = &goidc.JSONWebKeySet{Keys: s.JWKS.Keys}
	}
	c.ScopeIDs = strings.Join(knownScopes(), " ")
	c.SubIdentifierType = goidc.SubIdentifierPairwise
	c.IDTokenSigAlg = goidc.SignatureAlgorithm(s.IDTokenAlg)
	c.TokenAuthnMethod = method
	c.PARIsRequired = s.RequirePAR
	c.DPoPTokenBindingIsRequired = s.RequireDPoP
	c.CustomAttributes = map[string]any{clientSector: s.SectorIdentifier}
	return c
}

// verifySecret compares a presented secret with the stored SHA-256. RFC 6749,
// 2.3.1 form-encodes the secret inside the Basic header; some clients do and
// some do not, so both readings are tried.
func verifySecret(_ context.Context, stored, presented string) error {
	want, err := hex.DecodeString(stored)
	if err != nil || len(want) != sha256.Size {
		return errors.New("the service has no client secret")
	}
	candidates := []string{presented}
	if decoded, err := url.QueryUnescape(presented); err == nil && decoded != presented {
		candidates = append(candidates, decoded)
	}
	for _, c := range candidates {
		sum := sha256.Sum256([]byte(c))
		if subtle.ConstantTimeCompare(sum[:], want) == 1 {
			return nil
		}
	}
	return errors.New("the client secret is wrong")
}
