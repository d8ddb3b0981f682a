package idptest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"ipse/internal/idp"
)

// Login drives one login over HTTP, to the claims, at a service that asks for
// every attribute, and returns its secrets: login id, cookie, code, access token
// and ID token. It replaces the world's services.
func (w *World) Login(tb testing.TB) []string {
	tb.Helper()
	secret := rand.Text()
	sum := sha256.Sum256([]byte(secret))
	svc := idp.Service{
		ID: "everything", Name: idp.Text{EN: "Everything"}, Purpose: idp.Text{EN: "To test"}, SecretHash: hex.EncodeToString(sum[:]),
		RedirectURIs: []string{"https://everything.example/callback"},
	}
	for name := range Attributes() {
		svc.Attributes = append(svc.Attributes, idp.Attribute{Name: name})
	}
	if err := w.Provider.SetServices([]idp.Service{svc}); err != nil {
		tb.Fatal(err)
	}
	verifier := rand.Text() + rand.Text()
	sum = sha256.Sum256([]byte(verifier))
	b := w.NewBrowser(tb)
	id, _ := b.Begin(tb, w.Issuer+idp.PathAuthorize+"?"+url.Values{
		"client_id": {svc.ID}, "redirect_uri": svc.RedirectURIs, "response_type": {"code"}, "scope": {"openid profile identity age"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}.Encode())
	location, err := b.Agree(tb, id)
	if err != nil {
		tb.Fatal(err)
	}
	u, err := url.Parse(location)
	if err != nil {
		tb.Fatal(err)
	}
	code := u.Query().Get("code")
	var token struct {
		AccessToken string `json:"access_token"`
		IDToken     string `json:"id_token"`
	}
	w.ask(tb, idp.PathToken, url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": svc.RedirectURIs, "code_verifier": {verifier},
	}, func(r *http.Request) { r.SetBasicAuth(svc.ID, secret) }, &token)
	claims := map[string]any{}
	w.ask(tb, idp.PathUserInfo, nil, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token.AccessToken) }, &claims)
	if len(claims) != len(Attributes())+1 {
		tb.Fatalf("the login ends with %d claims", len(claims))
	}
	return slices.DeleteFunc([]string{id, b.Cookie(), code, token.AccessToken, token.IDToken}, func(s string) bool { return s == "" })
}

// ask posts a form and decodes the answer.
func (w *World) ask(tb testing.TB, path string, form url.Values, prepare func(*http.Request), out any) {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, w.Issuer+path, strings.NewReader(form.Encode()))
	if err != nil {
		tb.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	prepare(r)
	resp, err := w.Server.Client().Do(r)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		tb.Fatalf("%s answers %s", path, resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		tb.Fatal(err)
	}
}
