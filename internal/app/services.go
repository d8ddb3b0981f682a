package app

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/go-jose/go-jose/v4"

	"ipse/internal/config"
	"ipse/internal/idp"
)

// servicesOf translates the configuration's [[service]] tables.
func servicesOf(list []config.Service) ([]idp.Service, error) {
	out := make([]idp.Service, 0, len(list))
	for _, c := range list {
		s := idp.Service{ID: c.ID, Name: idp.Text{EN: c.NameEN, FR: c.NameFR}, LogoURL: c.LogoURL, PolicyURL: c.PolicyURL,
			RedirectURIs: c.RedirectURIs, PostLogoutRedirectURIs: c.PostLogoutRedirectURIs,
			Purpose: idp.Text{EN: c.PurposeEN, FR: c.PurposeFR}, LegalBasis: idp.Text{EN: c.LegalBasisEN, FR: c.LegalBasisFR},
			RequiredACR: c.RequiredACR, SecretHash: c.SecretSHA256, SectorIdentifier: c.Sector, IDTokenAlg: c.IDTokenAlg}
		for _, name := range c.Essential {
			s.Attributes = append(s.Attributes, idp.Attribute{Name: name, Essential: true})
		}
		for _, name := range c.Optional {
			s.Attributes = append(s.Attributes, idp.Attribute{Name: name})
		}
		if c.JWKSFile != "" {
			keys, err := readKeySet(c.JWKSFile)
			if err != nil {
				return nil, fmt.Errorf("service %s: %w", c.ID, err)
			}
			s.JWKS = keys
		}
		out = append(out, s)
	}
	return out, nil
}

func readKeySet(name string) (*jose.JSONWebKeySet, error) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("key set: %w", err)
	}
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal(raw, &keys); err != nil {
		return nil, fmt.Errorf("key set %s: not a JWK Set", name)
	}
	return &keys, nil
}
