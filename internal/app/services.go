package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"ipse/internal/config"
	"ipse/internal/httpapi"
	"ipse/internal/idp"
)

// maxLogo bounds the file of a logo, in bytes.
const maxLogo = 256 << 10

// logosOf reads the logos of the services that have one.
func logosOf(list []config.Service) (map[string]httpapi.Logo, error) {
	logos := map[string]httpapi.Logo{}
	for _, s := range list {
		if s.LogoFile == "" {
			continue
		}
		logo, err := readLogo(s.LogoFile)
		if err != nil {
			return nil, fmt.Errorf("service %s: %w", s.ID, err)
		}
		logos[s.ID] = logo
	}
	return logos, nil
}

func readLogo(name string) (httpapi.Logo, error) {
	kinds := map[string]string{".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".svg": "image/svg+xml"}
	kind, known := kinds[strings.ToLower(filepath.Ext(name))]
	if !known {
		return httpapi.Logo{}, fmt.Errorf("logo %s: must be a .png, .jpg, .webp or .svg file", name)
	}
	info, err := os.Stat(name)
	if err != nil {
		return httpapi.Logo{}, fmt.Errorf("logo: %w", err)
	}
	if info.Size() > maxLogo {
		return httpapi.Logo{}, fmt.Errorf("logo %s: has %d bytes, at most %d are read", name, info.Size(), maxLogo)
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		return httpapi.Logo{}, fmt.Errorf("logo: %w", err)
	}
	if kind != "image/svg+xml" && http.DetectContentType(raw) != kind {
		return httpapi.Logo{}, fmt.Errorf("logo %s: is not what its name says", name)
	}
	return httpapi.Logo{Type: kind, Data: raw}, nil
}

// servicesOf translates the configuration's [[service]] tables.
func servicesOf(list []config.Service) ([]idp.Service, error) {
	out := make([]idp.Service, 0, len(list))
	for _, c := range list {
		s := idp.Service{ID: c.ID, Name: idp.Text{EN: c.NameEN, FR: c.NameFR}, PolicyURL: c.PolicyURL,
			RedirectURIs: c.RedirectURIs, PostLogoutRedirectURIs: c.PostLogoutRedirectURIs,
			Purpose: idp.Text{EN: c.PurposeEN, FR: c.PurposeFR}, LegalBasis: idp.Text{EN: c.LegalBasisEN, FR: c.LegalBasisFR},
			RequiredACR: c.RequiredACR, SecretHash: c.SecretSHA256, SectorIdentifier: c.Sector, IDTokenAlg: c.IDTokenAlg,
			RequirePAR: c.RequirePAR, RequireDPoP: c.RequireDPoP, BackChannelLogoutURI: c.BackChannelLogoutURI}
		if c.LogoFile != "" {
			s.LogoPath = httpapi.LogoPath(c.ID)
		}
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
