package app_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"

	"ipse/internal/config"
	"ipse/internal/httpapi/apitest"
	"ipse/internal/idp"
)

// The witness is a service that asks for everything and notes every byte it gets.
const (
	witnessID       = "witness"
	witnessSecret   = "a-secret-of-the-witness-with-enough-characters"
	witnessCallback = "http://localhost/callback"
	witnessVerifier = "witness-verifier-of-the-length-that-RFC-7636-asks-for"
)

func witnessAttributes() []string {
	return []string{"family_name", "given_name", "birthdate", "nationalities", "document_type", "document_issuer", "document_number", "document_expiry"}
}

func witness() config.Service {
	sum := sha256.Sum256([]byte(witnessSecret))
	return config.Service{ID: witnessID, NameEN: "Witness", NameFR: "Témoin", PurposeEN: "see everything", PurposeFR: "tout voir",
		RedirectURIs: []string{witnessCallback}, Essential: witnessAttributes(), SecretSHA256: hex.EncodeToString(sum[:])}
}

// serviceSees logs in at the witness and returns all that it receives: the
// parameters of the redirect, both answers whole with their headers, the ID
// token's header and claims. Left out is what no two logins have in common:
// times, the subject, and the random code, state, nonce and tokens, of which
// the lengths are kept.
func serviceSees(t testing.TB, b *apitest.Browser) string {
	t.Helper()
	var all strings.Builder
	back := consentAtWitness(t, b)
	code := back.Get("code")
	back.Set("code", fmt.Sprint(len(code)))
	fmt.Fprintln(&all, "redirect:", back.Encode())

	header, body := witnessCall(t, b, http.MethodPost, idp.PathToken, url.Values{"grant_type": {"authorization_code"}, "code": {code},
		"redirect_uri": {witnessCallback}, "code_verifier": {witnessVerifier}}, "")
	var tokens map[string]any
	if err := json.Unmarshal(body, &tokens); err != nil {
		t.Fatal(err)
	}
	access, _ := tokens["access_token"].(string)
	id, _ := tokens["id_token"].(string)
	tokens["access_token"], tokens["id_token"] = len(access), len(id)
	fmt.Fprintln(&all, "token:", header, string(apitest.Must(json.Marshal(tokens))), len(body))
	for i, part := range strings.Split(id, ".")[:2] {
		raw := apitest.Must(base64.RawURLEncoding.DecodeString(part))
		if i == 1 {
			raw = without(t, raw, "iat", "exp", "auth_time", "nonce", "sub", "at_hash", "jti")
		}
		fmt.Fprintln(&all, "ID token:", string(raw))
	}

	header, body = witnessCall(t, b, http.MethodGet, idp.PathUserInfo, nil, access)
	fmt.Fprintln(&all, "userinfo:", header, string(without(t, body, "sub")), len(body))
	return all.String()
}

// without removes members from a JSON object.
func without(t testing.TB, raw []byte, members ...string) []byte {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal(raw, &object); err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		delete(object, m)
	}
	return apitest.Must(json.Marshal(object))
}

// consentAtWitness goes from the witness's request to what the redirect brings it.
func consentAtWitness(t testing.TB, b *apitest.Browser) url.Values {
	t.Helper()
	challenge := sha256.Sum256([]byte(witnessVerifier))
	query := url.Values{"client_id": {witnessID}, "redirect_uri": {witnessCallback}, "response_type": {"code"}, "scope": {"openid"}, "state": {"s"}, "nonce": {"n"},
		"claims":         {`{"userinfo":{"` + strings.Join(witnessAttributes(), `":{"essential":true},"`) + `":{"essential":true}}}`},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"}}
	page := get(t, b, b.URL+idp.PathAuthorize+"?"+query.Encode())
	if !strings.HasPrefix(page.Request.URL.Path, "/login/") {
		t.Fatalf("the request leads to %s, %d", page.Request.URL, page.StatusCode)
	}
	if r := b.SignIn(); r.Status != http.StatusNoContent {
		t.Fatalf("sign in: %d %s", r.Status, r.Body)
	}
	_, claims, _ := b.Open()
	var to struct {
		RedirectTo string `json:"redirect_to"`
	}
	b.OK("POST", "/api/login/"+path.Base(page.Request.URL.Path)+"/consent",
		map[string]string{"presentation": apitest.Present(claims, witnessAttributes()...)}, &to)
	back, err := url.Parse(to.RedirectTo)
	if err != nil || !strings.HasPrefix(to.RedirectTo, witnessCallback) {
		t.Fatalf("back to %s, %v", to.RedirectTo, err)
	}
	values := back.Query()
	values.Set("iss", strings.Replace(values.Get("iss"), b.URL, "THE-ISSUER", 1))
	return values
}

// witnessCall is one request of the service itself, without the person's browser.
func witnessCall(t testing.TB, b *apitest.Browser, method, address string, form url.Values, token string) (header string, body []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, b.URL+address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(witnessID, witnessSecret)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if body, err = io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s, %v", address, res.StatusCode, body, err)
	}
	res.Header.Del("Date")
	var lines bytes.Buffer
	if err := res.Header.Write(&lines); err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(lines.String(), "\r\n", " | "), body
}
