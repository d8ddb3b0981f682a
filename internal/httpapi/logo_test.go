package httpapi_test

import (
	"strings"
	"testing"

	"ipse/internal/httpapi"
)

// TestLogosComeFromThisServer and run nothing where they are opened by themselves.
func TestLogosComeFromThisServer(t *testing.T) {
	t.Parallel()
	drawing := []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`)
	s := newServer(t, func(cfg *httpapi.Config) {
		cfg.Logos = map[string]httpapi.Logo{"tax": {Type: "image/svg+xml", Data: drawing}}
	})
	b := s.browser()
	r := b.OK("GET", httpapi.LogoPath("tax"), nil, nil)
	if string(r.Body) != string(drawing) || r.Header.Get("Content-Type") != "image/svg+xml" || r.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%v %s", r.Header, r.Body)
	}
	if policy := r.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("policy %q", policy)
	}
	b.Refused("GET", httpapi.LogoPath("other"), nil, 404, "not_found")
}
