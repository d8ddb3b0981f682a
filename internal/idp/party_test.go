package idp_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"ipse/internal/idp"
	"ipse/internal/idp/idptest"
)

// party is a relying party built with the client libraries that services use.
type party struct {
	w        *idptest.World
	svc      idp.Service
	secret   string
	ctx      context.Context
	provider *oidc.Provider
	config   oauth2.Config
}

// service is a registration of a tax office; tests change what they are about.
func service(id string, change ...func(*idp.Service)) idp.Service {
	sum := sha256.Sum256([]byte("secret-of-" + id))
	s := idp.Service{
		ID: id, Name: idp.Text{EN: "Tax office", FR: "Service des impôts"},
		RedirectURIs:           []string{"https://" + id + ".example/callback"},
		PostLogoutRedirectURIs: []string{"https://" + id + ".example/bye"},
		Purpose:                idp.Text{EN: "To find your tax file", FR: "Retrouver votre dossier fiscal"},
		LegalBasis:             idp.Text{EN: "Utopia Tax Act, article 12", FR: "Loi fiscale d’Utopie, article 12"},
		Attributes: []idp.Attribute{
			{Name: "family_name", Essential: true}, {Name: "given_name", Essential: true},
			{Name: "birthdate"}, {Name: "nationalities"}, {Name: "age_over_18"},
		},
		SecretHash: hex.EncodeToString(sum[:]),
	}
	for _, f := range change {
		f(&s)
	}
	return s
}

func requireACR(acr string) func(*idp.Service) { return func(s *idp.Service) { s.RequiredACR = acr } }

// world starts a world with one service and returns its relying party.
func world(t testing.TB, level string, change ...func(*idp.Service)) *party {
	t.Helper()
	return worldWith(t, level, nil, service("tax", change...))[0]
}

func worldWith(t testing.TB, level string, configure func(*idp.Config), services ...idp.Service) []*party {
	t.Helper()
	w := idptest.New(t, level, configure)
	return join(t, w, services...)
}

func join(t testing.TB, w *idptest.World, services ...idp.Service) []*party {
	t.Helper()
	if err := w.Provider.SetServices(services); err != nil {
		t.Fatal(err)
	}
	ctx := oidc.ClientContext(t.Context(), w.Server.Client())
	provider, err := oidc.NewProvider(ctx, w.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	var out []*party
	for _, s := range services {
		out = append(out, &party{
			w: w, svc: s, secret: "secret-of-" + s.ID, ctx: ctx, provider: provider,
			config: oauth2.Config{
				ClientID: s.ID, ClientSecret: "secret-of-" + s.ID, Endpoint: provider.Endpoint(),
				RedirectURL: s.RedirectURIs[0], Scopes: []string{"openid", "profile"},
			},
		})
	}
	return out
}

// login is one login at a relying party, in one browser.
type login struct {
	p                      *party
	browser                *idptest.Browser
	id                     string
	state, nonce, verifier string
	begun                  time.Time
}

func param(name, value string) oauth2.AuthCodeOption { return oauth2.SetAuthURLParam(name, value) }

func (p *party) address(opts ...oauth2.AuthCodeOption) (string, *login) {
	l := &login{p: p, state: rand(), nonce: rand(), verifier: oauth2.GenerateVerifier()}
	opts = append([]oauth2.AuthCodeOption{oauth2.S256ChallengeOption(l.verifier), oidc.Nonce(l.nonce)}, opts...)
	return p.config.AuthCodeURL(l.state, opts...), l
}

func rand() string { return oauth2.GenerateVerifier() }

// begin takes a new browser to the login page.
func (p *party) begin(t testing.TB, opts ...oauth2.AuthCodeOption) *login {
	t.Helper()
	return p.beginIn(t, p.w.NewBrowser(t), opts...)
}

func (p *party) beginIn(t testing.TB, b *idptest.Browser, opts ...oauth2.AuthCodeOption) *login {
	t.Helper()
	address, l := p.address(opts...)
	var resp *http.Response
	l.browser, l.begun = b, p.w.Now()
	if l.id, resp = b.Begin(t, address); l.id == "" {
		t.Fatalf("no login page: %s %s", resp.Status, resp.Header.Get("Location"))
	}
	return l
}

// agree answers the login and returns where the browser is sent.
func (l *login) agree(t testing.TB, withheld ...string) string {
	t.Helper()
	location, err := l.browser.Agree(t, l.id, withheld...)
	if err != nil {
		t.Fatal(err)
	}
	return location
}

// answer checks that an answer came back to the service as it must, and returns its parameters.
func (l *login) answer(t testing.TB, location string) url.Values {
	t.Helper()
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	u.RawQuery = ""
	if u.String() != l.p.svc.RedirectURIs[0] {
		t.Errorf("answered at %s", u)
	}
	if q.Get("state") != l.state {
		t.Error("the state does not come back")
	}
	if q.Get("iss") != l.p.w.Issuer { // RFC 9207, 2
		t.Errorf("iss = %q", q.Get("iss"))
	}
	return q
}

// identity is what a service learns.
type identity struct {
	token    *oauth2.Token
	raw      string
	id       *oidc.IDToken
	claims   map[string]any
	userinfo map[string]any
}

// exchange redeems the code and asks for the claims.
func (l *login) exchange(t testing.TB, location string) identity {
	t.Helper()
	code := l.answer(t, location).Get("code")
	if code == "" {
		t.Fatalf("no code in %s", location)
	}
	token, err := l.p.config.Exchange(l.p.ctx, code, oauth2.VerifierOption(l.verifier))
	if err != nil {
		t.Fatal(err)
	}
	return l.p.read(t, l, token)
}

func (p *party) read(t testing.TB, l *login, token *oauth2.Token) identity {
	t.Helper()
	out := identity{token: token}
	out.raw, _ = token.Extra("id_token").(string)
	alg := p.svc.IDTokenAlg
	if alg == "" {
		alg = "ES256"
	}
	var err error
	out.id, err = p.provider.VerifierContext(p.ctx, &oidc.Config{ClientID: p.svc.ID, SupportedSigningAlgs: []string{alg}}).Verify(p.ctx, out.raw)
	if err != nil {
		t.Fatal(err)
	}
	if out.id.Nonce != l.nonce {
		t.Error("the nonce does not come back")
	}
	info, err := p.provider.UserInfo(p.ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		t.Fatal(err)
	}
	for v, read := range map[*map[string]any]func(any) error{&out.claims: out.id.Claims, &out.userinfo: info.Claims} {
		if err := read(v); err != nil {
			t.Fatal(err)
		}
	}
	if info.Subject != out.id.Subject {
		t.Error("userinfo is about another subject than the ID token") // Core 5.3.2
	}
	return out
}

// whole drives a login from the address to the claims.
func (p *party) whole(t testing.TB, opts ...oauth2.AuthCodeOption) identity {
	t.Helper()
	l := p.begin(t, opts...)
	return l.exchange(t, l.agree(t))
}

// refused begins a login that must not reach the login page, and returns the
// error that the service gets.
func (p *party) refused(t testing.TB, opts ...oauth2.AuthCodeOption) url.Values {
	t.Helper()
	address, l := p.address(opts...)
	l.browser = p.w.NewBrowser(t)
	id, resp := l.browser.Begin(t, address)
	if id != "" || resp.StatusCode != http.StatusSeeOther && resp.StatusCode != http.StatusFound {
		t.Fatalf("not refused: %s %q", resp.Status, id)
	}
	q := l.answer(t, resp.Header.Get("Location"))
	if q.Has("code") || q.Get("error_description") == "" {
		t.Errorf("not a clear refusal: %v", q)
	}
	return q
}

// post sends a form and returns the status and the JSON answer.
func (p *party) post(t testing.TB, path string, form url.Values, prepare func(*http.Request)) (*http.Response, map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.w.Issuer+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if prepare != nil {
		prepare(r)
	}
	resp, err := p.w.Server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	doc := map[string]any{}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatalf("%s answers %s %q", path, resp.Status, raw)
	}
	return resp, doc
}

func (p *party) basic(r *http.Request) { r.SetBasicAuth(p.svc.ID, p.secret) }

// tokenForm is a token request for a code.
func (l *login) tokenForm(code string) url.Values {
	return url.Values{
		"grant_type": {"authorization_code"}, "code": {code},
		"redirect_uri": {l.p.svc.RedirectURIs[0]}, "code_verifier": {l.verifier},
	}
}

func hexString(b []byte) string { return hex.EncodeToString(b) }
