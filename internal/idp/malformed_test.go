package idp_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"ipse/internal/idp"
)

// TestMalformedRequestsAreAnsweredAtTheService where the address is sure.
func TestMalformedRequestsAreAnsweredAtTheService(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	for name, c := range map[string]struct {
		opts []oauth2.AuthCodeOption
		code string
	}{
		"no challenge":               {[]oauth2.AuthCodeOption{param("code_challenge", ""), param("code_challenge_method", "")}, "invalid_request"},
		"plain challenge":            {[]oauth2.AuthCodeOption{param("code_challenge_method", "plain")}, "invalid_request"},
		"challenge without a method": {[]oauth2.AuthCodeOption{param("code_challenge_method", "")}, "invalid_request"},
		"short challenge":            {[]oauth2.AuthCodeOption{param("code_challenge", "abc")}, "invalid_request"},
		"no openid":                  {[]oauth2.AuthCodeOption{param("scope", "profile")}, "invalid_request"},
		"no scope":                   {[]oauth2.AuthCodeOption{param("scope", "")}, "invalid_request"},
		"no response type":           {[]oauth2.AuthCodeOption{param("response_type", "")}, "invalid_request"},
		"implicit":                   {[]oauth2.AuthCodeOption{param("response_type", "id_token token")}, "unsupported_response_type"},
		"hybrid":                     {[]oauth2.AuthCodeOption{param("response_type", "code id_token")}, "unsupported_response_type"},
		"fragment":                   {[]oauth2.AuthCodeOption{param("response_mode", "fragment")}, "invalid_request"},
		"form post":                  {[]oauth2.AuthCodeOption{param("response_mode", "form_post")}, "invalid_request"},
		"a request object":           {[]oauth2.AuthCodeOption{param("request", "a.b.c")}, "request_not_supported"},
		"claims that are no JSON":    {[]oauth2.AuthCodeOption{param("claims", "family_name")}, "invalid_request"},
		"claims of a wrong shape":    {[]oauth2.AuthCodeOption{param("claims", `{"userinfo":{"birthdate":7}}`)}, "invalid_request"},
		"endless claims":             {[]oauth2.AuthCodeOption{param("claims", `{"userinfo":{`+strings.Repeat(" ", 9000)+`}}`)}, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if q := p.refused(t, c.opts...); q.Get("error") != c.code {
				t.Errorf("answer = %v, want %s", q, c.code)
			}
		})
	}
}

// TestMalformedRequestsAreShownWhereTheyCannotBeAnswered: a page that says
// what happened, never a redirection to an address that is not sure.
func TestMalformedRequestsAreShownWhereTheyCannotBeAnswered(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	for name, c := range map[string]struct {
		change func(url.Values)
		reason string
	}{
		"no service":               {func(q url.Values) { q.Del("client_id") }, "client_id"},
		"unknown service":          {func(q url.Values) { q.Set("client_id", "nobody") }, "client_id"},
		"no address":               {func(q url.Values) { q.Del("redirect_uri") }, "redirect_uri"},
		"another address":          {func(q url.Values) { q.Set("redirect_uri", "https://evil.example/") }, "redirect_uri"},
		"an address with a suffix": {func(q url.Values) { q.Set("redirect_uri", "https://tax.example/callback/x") }, "redirect_uri"},
		"an address with a query":  {func(q url.Values) { q.Set("redirect_uri", "https://tax.example/callback?x=1") }, "redirect_uri"},
		"a script":                 {func(q url.Values) { q.Set("redirect_uri", "javascript:alert(1)") }, "redirect_uri"},
		"a parameter twice":        {func(q url.Values) { q.Add("scope", "openid") }, "given twice: scope"},
		"an endless parameter":     {func(q url.Values) { q.Set("state", strings.Repeat("x", 3000)) }, "too long: state"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, _ := p.address()
			u, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			q := u.Query()
			c.change(q)
			u.RawQuery = q.Encode()
			wantPage(t, p, u.String(), "", http.StatusBadRequest, "This login cannot begin", c.reason)
		})
	}
	huge := p.w.Issuer + idp.PathAuthorize + "?x=" + strings.Repeat("y", 20_000)
	wantPage(t, p, huge, "", http.StatusRequestURITooLong, "This login cannot begin", "too long")
	wantPage(t, p, p.w.Issuer+idp.PathAuthorize+"?%zz=1", "", http.StatusBadRequest, "This login cannot begin", "cannot be read")
	wantPage(t, p, p.w.Issuer+idp.PathAuthorize, "fr-FR,fr;q=0.9,en;q=0.5", http.StatusBadRequest, "Cette connexion ne peut pas commencer", "client_id")
}

// wantPage asks for an address and expects one of the pages.
func wantPage(t *testing.T, p *party, address, language string, status int, title, reason string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Language", language)
	resp, err := p.w.NewBrowser(t).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != status || !strings.Contains(string(body), "<h1>"+title+"</h1>") || !strings.Contains(string(body), reason) {
		t.Errorf("%s %s", resp.Status, body)
	}
	h := resp.Header
	if !strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("X-Content-Type-Options") != "nosniff" ||
		h.Get("Referrer-Policy") != "no-referrer" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", h)
	}
}

// TestPagesRepeatNothing: what came in the request is not shown as markup, nor
// at all unless it is a plain name.
func TestPagesRepeatNothing(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	q := url.Values{"client_id": {"tax"}, `<script>alert("x")</script>é`: {"1", "2"}}
	resp, body := get(t, p.w, idp.PathAuthorize+"?"+q.Encode())
	if resp.StatusCode != http.StatusBadRequest || strings.Contains(body, "<script>") || strings.Contains(body, "é") {
		t.Errorf("%s %s", resp.Status, body)
	}
}

// TestBodiesAreBounded: a large body is refused, not read.
func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	resp, doc := p.post(t, idp.PathPAR, url.Values{"state": {strings.Repeat("x", 100_000)}}, p.basic)
	if resp.StatusCode != http.StatusBadRequest || doc["error"] != "invalid_request" {
		t.Errorf("%s %v", resp.Status, doc)
	}
	resp, doc = p.post(t, idp.PathToken, url.Values{"code": {strings.Repeat("x", 100_000)}}, p.basic)
	if resp.StatusCode < 400 || resp.StatusCode > 401 || doc["error"] == nil {
		t.Errorf("%s %v", resp.Status, doc)
	}
}

// TestOtherMethodsAndPathsAreRefused.
func TestOtherMethodsAndPathsAreRefused(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	for _, c := range [][2]string{
		{http.MethodGet, idp.PathToken}, {http.MethodGet, idp.PathPAR}, {http.MethodPut, idp.PathAuthorize}, {http.MethodDelete, idp.PathUserInfo},
		{http.MethodPost, idp.PathJWKS}, {http.MethodGet, idp.PathAuthorize + "/some-login"}, {http.MethodPost, "/oidc/register"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c[0], p.w.Issuer+c[1], nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := p.w.Server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusMethodNotAllowed && resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s %s: %s", c[0], c[1], resp.Status)
		}
	}
}
