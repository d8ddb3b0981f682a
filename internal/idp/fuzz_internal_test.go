package idp

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"
)

// FuzzClaimsParam: whatever the claims parameter holds, only known claims come
// out, errors repeat nothing of it, and a request resolved from it never goes
// beyond the registration.
func FuzzClaimsParam(f *testing.F) {
	for _, seed := range []string{
		// OpenID Connect Core 1.0, 5.5 (example of the specification).
		`{"userinfo":{"given_name":{"essential":true},"nickname":null,"email":{"essential":true},"email_verified":{"essential":true},"picture":null,"http://example.info/claims/groups":null},"id_token":{"auth_time":{"essential":true},"acr":{"values":["urn:mace:incommon:iap:silver"]}}}`,
		// OpenID Identity Assurance 1.0, 5.1.
		`{"userinfo":{"verified_claims":{"verification":{"trust_framework":null},"claims":{"given_name":null,"family_name":null,"birthdate":null}}}}`,
		`{"userinfo":{"verified_claims":[{"verification":{"trust_framework":{"value":"eidas"}},"claims":{"birthdate":null}},{"verification":{"trust_framework":{"value":"us_aml"}},"claims":{"given_name":null}}]}}`,
		`{"id_token":{"acr":{"essential":true,"values":["eidas2",7,null]},"sub":{"value":"x"}}}`,
		`null`, `{}`, `[]`, `{"userinfo":null}`, `{"userinfo":{"birthdate":7}}`, `{"id_token":{"verified_claims":{"claims":{"verified_claims":{}}}}}`, "", "{", "\xff",
	} {
		f.Add(seed)
	}
	svc := &Service{Attributes: []Attribute{{Name: "family_name", Essential: true}, {Name: "birthdate"}}, RequiredACR: "eidas2"}
	f.Fuzz(func(t *testing.T, raw string) {
		c, err := parseClaimsParam(raw)
		if err != nil {
			if len(raw) > 12 && strings.Contains(err.Error(), raw) {
				t.Fatalf("the error repeats the input: %v", err)
			}
			if printable(err.Error()) == "" || !utf8.ValidString(err.Error()) {
				t.Fatalf("error %q", err)
			}
			return
		}
		for _, m := range []map[string]claimAsked{c.UserInfo, c.IDToken, c.VerifiedUserInfo, c.VerifiedIDToken} {
			for name := range m {
				if !slices.Contains(append(attributeNames(), "acr", "sub", "auth_time"), name) {
					t.Fatalf("unknown claim %q", name)
				}
			}
		}
		w := want(svc, "openid profile", "", c)
		if w.Floor < 2 || w.Floor > 3 || w.Asked < w.Floor {
			t.Fatalf("floor %d, asked %d: below the registration", w.Floor, w.Asked)
		}
		for _, a := range w.Attributes {
			if a.Name != "family_name" && a.Name != "birthdate" {
				t.Fatalf("%s is not registered", a.Name)
			}
		}
		again, err := json.Marshal(w)
		if err != nil || len(again) > 10*maxClaimsParam {
			t.Fatalf("%v, %d bytes", err, len(again))
		}
	})
}

// FuzzHint: only ID tokens of this provider are hints, and what fails says so
// without repeating the token.
func FuzzHint(f *testing.F) {
	p := &Provider{cfg: Config{Issuer: "https://ipse.example"}}
	key, err := newTestKey()
	if err != nil {
		f.Fatal(err)
	}
	p.keys = &keySet{}
	p.keys.set.Keys = []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "k", Algorithm: "ES256", Use: "sig"}}
	good, err := signTest(key, map[string]any{"iss": "https://ipse.example", "aud": "tax", "sub": "someone"})
	if err != nil {
		f.Fatal(err)
	}
	h, err := p.readHint(good)
	if err != nil || h != (hint{Subject: "someone", ClientID: "tax"}) {
		f.Fatalf("%+v, %v", h, err)
	}
	for _, claims := range []map[string]any{
		{"iss": "https://other.example", "aud": "tax", "sub": "someone"},
		{"iss": "https://ipse.example", "aud": []string{"tax", "family"}, "sub": "someone"},
		{"iss": "https://ipse.example", "aud": "tax"}, {},
	} {
		token, err := signTest(key, claims)
		if err != nil {
			f.Fatal(err)
		}
		if _, err := p.readHint(token); err == nil {
			f.Errorf("accepted %v", claims)
		}
		f.Add(token)
	}
	f.Add("eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2lwc2UuZXhhbXBsZSJ9.")
	f.Add("a.b.c")
	f.Add("")
	f.Fuzz(func(t *testing.T, raw string) {
		h, err := p.readHint(raw)
		if err == nil && (h.Subject == "" || h.ClientID == "") {
			t.Fatalf("an empty hint is accepted")
		}
		if err != nil && len(raw) > 20 && strings.Contains(err.Error(), raw) {
			t.Fatal("the error repeats the token")
		}
	})
}

// FuzzAuthorizeParams: the parameters of a request are refused, or reduced to
// ones that the library may see; no hint of a person stays among them.
func FuzzAuthorizeParams(f *testing.F) {
	svc := &Service{ID: "tax", RedirectURIs: []string{"https://tax.example/callback"}}
	p := &Provider{cfg: Config{Issuer: "https://ipse.example"}}
	p.serving.Store(&generation{services: map[string]*Service{"tax": svc}})
	base := "client_id=tax&redirect_uri=https%3A%2F%2Ftax.example%2Fcallback&"
	for _, seed := range []string{
		"", "scope=openid", "login_hint=a&id_token_hint=b", "scope=openid+email&acr_values=phr+x&display=page", "response_type=token&response_mode=fragment",
		"request_uri=urn:x", "a=1&a=2", "%zz", "client_id=other",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		values, err := url.ParseQuery(base + query)
		if err != nil {
			return
		}
		reduced, s, err := p.checkParams(values)
		if err != nil {
			if s != nil || printable(err.Error()) == "" {
				t.Fatalf("refused with a service, or without a word")
			}
			return
		}
		if s != svc {
			t.Fatal("another service")
		}
		if reduced.Has("request_uri") {
			if len(reduced) != 2 {
				t.Fatal("parameters beside a pushed request")
			}
			return
		}
		if reduced.Get("redirect_uri") != svc.RedirectURIs[0] {
			t.Fatal("another address")
		}
		_, fault := p.extras(reduced, s)
		for _, name := range []string{"login_hint", "id_token_hint", "claims", "display", "login_hint_token"} {
			if reduced.Has(name) {
				t.Fatalf("%s stays", name)
			}
		}
		if fault != nil && describe(fault) == "" {
			t.Fatal("a fault without a word")
		}
	})
}
