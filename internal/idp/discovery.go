package idp

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// document asks the library for one of its public documents, once; they change
// only with the configuration.
func document(h http.Handler, path string) ([]byte, error) {
	ctx := context.WithValue(context.Background(), requestKey{}, &requestState{})
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, fmt.Errorf("ask for %s: %w", path, err)
	}
	w := newCapture()
	h.ServeHTTP(w, r)
	if w.status != http.StatusOK {
		return nil, fmt.Errorf("ask for %s: status %d", path, w.status)
	}
	return w.body.Bytes(), nil
}

// discovery completes the library's document (OpenID Connect Discovery 1.0, 3)
// with what this package adds or narrows.
func (p *Provider) discovery(h http.Handler) ([]byte, error) {
	raw, err := document(h, PathDiscovery)
	if err != nil {
		return nil, err
	}
	doc := map[string]any{}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	for name, value := range map[string]any{
		"end_session_endpoint":                  p.cfg.Issuer + PathLogout,
		"backchannel_logout_supported":          true, // Back-Channel Logout 1.0, 2.1
		"backchannel_logout_session_supported":  true,
		"scopes_supported":                      knownScopes(),
		"response_modes_supported":              []string{"query"},
		"ui_locales_supported":                  []string{"en", "fr"},
		"prompt_values_supported":               []string{"login", "consent", "select_account"},
		"request_parameter_supported":           false,
		"request_uri_parameter_supported":       false,
		"claims_parameter_supported":            true,
		"verified_claims_supported":             true, // OpenID Identity Assurance 1.0, 9
		"trust_frameworks_supported":            []string{trustFramework},
		"claims_in_verified_claims_supported":   attributeNames(),
		"dpop_signing_alg_values_supported":     []string{"ES256", "RS256", "PS256"},
		"userinfo_signing_alg_values_supported": []string{"none"},
	} {
		doc[name] = value
	}
	return json.Marshal(doc)
}
