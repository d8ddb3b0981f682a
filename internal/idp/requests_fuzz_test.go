package idp_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"ipse/internal/idp"
	"ipse/internal/idp/idptest"
)

// FuzzAuthorize: whatever a browser brings to the authorization endpoint, it is shown
// an error here, or sent to this server's login page, or back to the service's own
// address; never elsewhere, and never with a code, since nobody has agreed.
func FuzzAuthorize(f *testing.F) {
	w := idptest.New(f, "high", nil)
	if err := w.Provider.SetServices([]idp.Service{service("tax")}); err != nil {
		f.Fatal(err)
	}
	challenge := oauth2.S256ChallengeFromVerifier(rand())
	good := "client_id=tax&redirect_uri=https%3A%2F%2Ftax.example%2Fcallback&response_type=code&scope=openid&code_challenge_method=S256&code_challenge=" + challenge
	for _, more := range []string{
		"", "&state=x&nonce=y", "&prompt=login", "&prompt=none", "&claims=%7B%22id_token%22%3A%7B%22acr%22%3A%7B%22essential%22%3Atrue%2C%22values%22%3A%5B%22eidas3%22%5D%7D%7D%7D",
		"&request=a.b.c", "&response_mode=form_post", "&response_mode=fragment", "&max_age=0", "&dpop_jkt=x", "&resource=https%3A%2F%2Fevil.example",
		"&authorization_details=%5B%5D", "&id_token_hint=a.b.c", "&login_hint=somebody", "&registration=%7B%7D", "&scope=openid", "&state=%00%0d%0aLocation:%20https://evil.example",
	} {
		f.Add(good + more)
	}
	f.Add("client_id=tax&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Ax")
	f.Add("client_id=tax&request_uri=https%3A%2F%2Fevil.example%2Fr.jwt")
	f.Add("client_id=tax&redirect_uri=https%3A%2F%2Ftax.example%2Fcallback%2F..%2F&response_type=code")
	f.Fuzz(func(t *testing.T, query string) {
		if strings.ContainsFunc(query, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return // no browser sends that in an address
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.URL = &url.URL{Path: idp.PathAuthorize, RawQuery: query}
		rec := httptest.NewRecorder()
		w.Provider.Handler().ServeHTTP(rec, r)
		if rec.Code >= 500 {
			t.Fatalf("%d %s", rec.Code, rec.Body)
		}
		location := rec.Header().Get("Location")
		if location == "" {
			if rec.Code < 400 {
				t.Fatalf("%d without an address", rec.Code)
			}
			return
		}
		to, err := url.Parse(location)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(location, "/login/") {
			return
		}
		if to.Scheme != "https" || to.Host != "tax.example" || to.Path != "/callback" || to.Fragment != "" || to.Query().Has("code") || to.Query().Get("error") == "" {
			t.Fatalf("sent to %s", location)
		}
	})
}

// FuzzTokenRequests: whatever a service, or somebody who is none, posts where requests
// are pushed and codes redeemed, the answer is JSON with an error and no token, and
// only who has authenticated has a request kept.
func FuzzTokenRequests(f *testing.F) {
	w := idptest.New(f, "high", nil)
	if err := w.Provider.SetServices([]idp.Service{service("tax")}); err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		"grant_type=authorization_code&code=" + rand() + "&redirect_uri=https%3A%2F%2Ftax.example%2Fcallback&code_verifier=" + rand(),
		"client_id=tax&redirect_uri=https%3A%2F%2Ftax.example%2Fcallback&response_type=code&scope=openid&code_challenge_method=S256&code_challenge=" + oauth2.S256ChallengeFromVerifier(rand()),
		"client_id=tax&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJ0YXgifQ.AA",
		"grant_type=refresh_token&refresh_token=x", "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=a.b.c", "client_id=tax&client_secret=x", "%zz", "a=1&a=2",
	} {
		f.Add(seed, "Basic dGF4OnNlY3JldC1vZi10YXg=", "")
		f.Add(seed, "", "a.b.c")
		f.Add(seed, "Bearer x", "")
	}
	f.Fuzz(func(t *testing.T, form, authorization, proof string) {
		if strings.Contains(form, "tax") && strings.HasPrefix(authorization, "Basic dGF4OnNlY3JldC1vZi10YXg") {
			proof = "" // the service itself may push: that is not what this looks for
		}
		for _, path := range []string{idp.PathToken, idp.PathPAR, idp.PathUserInfo} {
			before := w.Store.Count("par")
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(form))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header["Authorization"] = []string{authorization}
			if proof != "" {
				r.Header["Dpop"] = []string{proof}
			}
			rec := httptest.NewRecorder()
			w.Provider.Handler().ServeHTTP(rec, r)
			doc := map[string]any{}
			if err := json.Unmarshal(rec.Body.Bytes(), &doc); err != nil || rec.Code >= 500 {
				t.Fatalf("%s: %d %q", path, rec.Code, rec.Body)
			}
			_, _, basic := r.BasicAuth()
			switch {
			case rec.Code == http.StatusCreated && path == idp.PathPAR && basic: // pushed by who knows the secret
			case rec.Code < 400 || doc["error"] == nil || doc["access_token"] != nil || doc["id_token"] != nil || w.Store.Count("par") != before:
				t.Fatalf("%s: %d %v", path, rec.Code, doc)
			}
		}
	})
}
