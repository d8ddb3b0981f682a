package idp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"

	"ipse/internal/idp"
)

// userInfo asks for the claims with a token and returns the status.
func (p *party) userInfo(t testing.TB, scheme, token, proof string) (*http.Response, map[string]any) {
	t.Helper()
	return p.post(t, idp.PathUserInfo, nil, func(r *http.Request) {
		r.Header.Set("Authorization", scheme+" "+token)
		if proof != "" {
			r.Header.Set("DPoP", proof)
		}
	})
}

func wantRefusal(t testing.TB, what string, resp *http.Response, doc map[string]any, status int, code string) {
	t.Helper()
	if resp.StatusCode != status || doc["error"] != code || doc["access_token"] != nil {
		t.Errorf("%s: %s %v, want %d %s", what, resp.Status, doc, status, code)
	}
	if s, _ := doc["error_description"].(string); s == "" || s == "invalid grant" || s == "invalid client" || s == "invalid request" {
		t.Errorf("%s: the description %q does not say what is wrong", what, s)
	}
}

// TestReplayedCodeRevokesItsTokens (OAuth 2.1 draft, 4.1.3).
func TestReplayedCodeRevokesItsTokens(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	l := p.begin(t)
	code := l.answer(t, l.agree(t)).Get("code")
	_, doc := p.post(t, idp.PathToken, l.tokenForm(code), p.basic)
	token, _ := doc["access_token"].(string)
	if resp, who := p.userInfo(t, "Bearer", token, ""); resp.StatusCode != http.StatusOK || who["family_name"] != "ERIKSSON" {
		t.Fatalf("userinfo: %s %v", resp.Status, who)
	}
	resp, doc := p.post(t, idp.PathToken, l.tokenForm(code), p.basic)
	wantRefusal(t, "replayed code", resp, doc, http.StatusBadRequest, "invalid_grant")
	resp, doc = p.userInfo(t, "Bearer", token, "")
	wantRefusal(t, "token of a replayed code", resp, doc, http.StatusUnauthorized, "invalid_token")
	if !strings.HasPrefix(resp.Header.Get("WWW-Authenticate"), `Bearer error="invalid_token"`) {
		t.Errorf("WWW-Authenticate: %s", resp.Header.Get("WWW-Authenticate"))
	}
}

// TestCodeIsRedeemedOnceWhoeverRaces: of many redemptions at once at most one
// gets a token, and when another came the token is dead.
func TestCodeIsRedeemedOnceWhoeverRaces(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	l := p.begin(t)
	code := l.answer(t, l.agree(t)).Get("code")
	var mu sync.Mutex
	var tokens []string
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			_, doc := p.post(t, idp.PathToken, l.tokenForm(code), p.basic)
			if token, ok := doc["access_token"].(string); ok {
				mu.Lock()
				defer mu.Unlock()
				tokens = append(tokens, token)
			}
		})
	}
	wg.Wait()
	if len(tokens) > 1 {
		t.Fatalf("%d tokens from one code", len(tokens))
	}
	for _, token := range tokens {
		if resp, _ := p.userInfo(t, "Bearer", token, ""); resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("a token of a contested code works: %s", resp.Status)
		}
	}
}

// TestCodeIsBound to the service, the address and the verifier; a wrong attempt
// burns it.
func TestCodeIsBound(t *testing.T) {
	t.Parallel()
	ps := worldWith(t, "high", nil, service("tax", func(s *idp.Service) {
		s.RedirectURIs = append(s.RedirectURIs, "https://tax.example/other")
	}), service("family"))
	p, other := ps[0], ps[1]
	for name, c := range map[string]struct {
		change func(url.Values)
		as     *party
		code   string
		free   bool // the code is still good afterwards
	}{
		"another address":         {change: func(f url.Values) { f.Set("redirect_uri", "https://tax.example/other") }},
		"no address":              {change: func(f url.Values) { f.Del("redirect_uri") }},
		"another verifier":        {change: func(f url.Values) { f.Set("code_verifier", oauth2.GenerateVerifier()) }},
		"no verifier":             {change: func(f url.Values) { f.Del("code_verifier") }},
		"the challenge as is":     {change: func(f url.Values) { f.Set("code_verifier", oauth2.S256ChallengeFromVerifier(f.Get("code_verifier"))) }},
		"another service":         {as: other},
		"another code":            {change: func(f url.Values) { f.Set("code", rand()) }, free: true},
		"no code":                 {change: func(f url.Values) { f.Del("code") }, code: "invalid_request", free: true},
		"an unknown grant type":   {change: func(f url.Values) { f.Set("grant_type", "password") }, code: "unsupported_grant_type", free: true},
		"a refresh that is none":  {change: func(f url.Values) { f.Set("grant_type", "refresh_token"); f.Set("refresh_token", "x") }, code: "unsupported_grant_type", free: true},
		"the client's own rights": {change: func(f url.Values) { f.Set("grant_type", "client_credentials") }, code: "unsupported_grant_type", free: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := p.begin(t)
			code := l.answer(t, l.agree(t)).Get("code")
			form, as, want := l.tokenForm(code), p, "invalid_grant"
			if c.change != nil {
				c.change(form)
			}
			if c.as != nil {
				as = c.as
			}
			if c.code != "" {
				want = c.code
			}
			resp, doc := as.post(t, idp.PathToken, form, as.basic)
			wantRefusal(t, name, resp, doc, http.StatusBadRequest, want)
			resp, _ = p.post(t, idp.PathToken, l.tokenForm(code), p.basic)
			if ok := resp.StatusCode == http.StatusOK; ok != c.free {
				t.Errorf("afterwards the code answers %s", resp.Status)
			}
		})
	}
}

// TestCodesAndTokensExpire after a minute and ten.
func TestCodesAndTokensExpire(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	l := p.begin(t)
	code := l.answer(t, l.agree(t)).Get("code")
	who := p.whole(t)
	p.w.Advance(61 * time.Second)
	resp, doc := p.post(t, idp.PathToken, l.tokenForm(code), p.basic)
	wantRefusal(t, "late code", resp, doc, http.StatusBadRequest, "invalid_grant")
	if resp, _ := p.userInfo(t, "Bearer", who.token.AccessToken, ""); resp.StatusCode != http.StatusOK {
		t.Errorf("a token of a minute: %s", resp.Status)
	}
	p.w.Advance(9 * time.Minute)
	resp, doc = p.userInfo(t, "Bearer", who.token.AccessToken, "")
	wantRefusal(t, "late token", resp, doc, http.StatusUnauthorized, "invalid_token")
	if err := p.w.Provider.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.w.Advance(time.Hour)
	if err := p.w.Provider.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if dump := p.w.Store.Dump(); len(dump) != 0 {
		t.Errorf("%d bytes stay", len(dump))
	}
}

// TestServiceMustAuthenticate at the token endpoint and where requests are pushed.
func TestServiceMustAuthenticate(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	l := p.begin(t)
	code := l.answer(t, l.agree(t)).Get("code")
	for name, prepare := range map[string]func(*http.Request){
		"wrong secret":    func(r *http.Request) { r.SetBasicAuth("tax", "guess") },
		"empty secret":    func(r *http.Request) { r.SetBasicAuth("tax", "") },
		"the hash itself": func(r *http.Request) { r.SetBasicAuth("tax", p.svc.SecretHash) },
		"unknown service": func(r *http.Request) { r.SetBasicAuth("nobody", p.secret) },
		"nothing":         nil,
	} {
		for _, path := range []string{idp.PathToken, idp.PathPAR} {
			resp, doc := p.post(t, path, l.tokenForm(code), prepare)
			wantRefusal(t, name, resp, doc, http.StatusUnauthorized, "invalid_client")
			if resp.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s: no WWW-Authenticate (RFC 6749, 5.2)", name)
			}
		}
	}
	// client_secret_post is not offered: secrets do not belong in bodies.
	form := l.tokenForm(code)
	form.Set("client_id", "tax")
	form.Set("client_secret", p.secret)
	resp, doc := p.post(t, idp.PathToken, form, nil)
	wantRefusal(t, "secret in the body", resp, doc, http.StatusUnauthorized, "invalid_client")
	// Nobody but the service could burn the code.
	if resp, doc := p.post(t, idp.PathToken, l.tokenForm(code), p.basic); resp.StatusCode != http.StatusOK {
		t.Errorf("the service itself: %s %v", resp.Status, doc)
	}
}

// TestSecretsMayBeFormEncoded as RFC 6749, 2.3.1 has it, and need not be.
func TestSecretsMayBeFormEncoded(t *testing.T) {
	t.Parallel()
	secret := "a+b/c=%7E d"
	sum := sha256.Sum256([]byte(secret))
	p := world(t, "high", func(s *idp.Service) { s.SecretHash = hexString(sum[:]) })
	for _, presented := range []string{secret, url.QueryEscape(secret)} {
		l := p.begin(t)
		code := l.answer(t, l.agree(t)).Get("code")
		resp, doc := p.post(t, idp.PathToken, l.tokenForm(code), func(r *http.Request) { r.SetBasicAuth("tax", presented) })
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %v", resp.Status, doc)
		}
	}
}

// key is a service's key pair.
type key struct{ private *ecdsa.PrivateKey }

func newKey(t testing.TB) key {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key{k}
}

func (k key) sign(t testing.TB, opts *jose.SignerOptions, claims any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: k.private}, opts)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// keyed turns a registration into one with private_key_jwt.
func (k key) keyed(s *idp.Service) {
	s.SecretHash = ""
	s.JWKS = &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &k.private.PublicKey, KeyID: "k1", Algorithm: "ES256", Use: "sig"}}}
}

// assertion is the claims of a client assertion (RFC 7523, 3).
func (p *party) assertion() map[string]any {
	now := time.Now().Unix()
	return map[string]any{"iss": p.svc.ID, "sub": p.svc.ID, "aud": p.w.Issuer, "jti": rand(), "iat": now, "exp": now + 60}
}

func withAssertion(form url.Values, assertion string) url.Values {
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", assertion)
	return form
}

// TestPrivateKeyJWT (Core 9, RFC 7523).
func TestPrivateKeyJWT(t *testing.T) {
	t.Parallel()
	k := newKey(t)
	p := world(t, "high", k.keyed)
	kid := (&jose.SignerOptions{}).WithHeader("kid", "k1")
	l := p.begin(t)
	code := l.answer(t, l.agree(t)).Get("code")
	for name, c := range map[string]struct {
		key    key
		change func(map[string]any)
	}{
		"another key":       {newKey(t), func(map[string]any) {}},
		"another audience":  {k, func(c map[string]any) { c["aud"] = "https://other.example" }},
		"another subject":   {k, func(c map[string]any) { c["sub"] = "family" }},
		"expired":           {k, func(c map[string]any) { c["exp"] = time.Now().Unix() - 3600; c["iat"] = time.Now().Unix() - 7200 }},
		"valid for a month": {k, func(c map[string]any) { c["exp"] = time.Now().Unix() + 30*86400 }},
		"no jti":            {k, func(c map[string]any) { delete(c, "jti") }},
		"no expiry":         {k, func(c map[string]any) { delete(c, "exp") }},
	} {
		claims := p.assertion()
		c.change(claims)
		resp, doc := p.post(t, idp.PathToken, withAssertion(l.tokenForm(code), c.key.sign(t, kid, claims)), nil)
		wantRefusal(t, name, resp, doc, http.StatusUnauthorized, "invalid_client")
	}
	resp, doc := p.post(t, idp.PathToken, l.tokenForm(code), func(r *http.Request) { r.SetBasicAuth("tax", "secret-of-tax") })
	wantRefusal(t, "a secret instead", resp, doc, http.StatusUnauthorized, "invalid_client")
	for _, audience := range []string{p.w.Issuer, p.w.Issuer + idp.PathToken} {
		l := p.begin(t)
		code := l.answer(t, l.agree(t)).Get("code")
		claims := p.assertion()
		claims["aud"] = audience
		used := k.sign(t, kid, claims)
		if resp, doc := p.post(t, idp.PathToken, withAssertion(l.tokenForm(code), used), nil); resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s %v", audience, resp.Status, doc)
		}
		resp, doc := p.post(t, idp.PathToken, withAssertion(l.tokenForm(code), used), nil)
		wantRefusal(t, "the same assertion again", resp, doc, http.StatusUnauthorized, "invalid_client")
	}
}

// proof is a DPoP proof (RFC 9449, 4.2).
func (k key) proof(t testing.TB, method, address, token string, change ...func(map[string]any)) string {
	t.Helper()
	claims := map[string]any{"jti": rand(), "htm": method, "htu": address, "iat": time.Now().Unix()}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	for _, f := range change {
		f(claims)
	}
	return k.sign(t, (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt"), claims)
}

// TestDPoP binds the token to the service's key (RFC 9449).
func TestDPoP(t *testing.T) {
	t.Parallel()
	p := world(t, "high", func(s *idp.Service) { s.RequireDPoP = true })
	k := newKey(t)
	redeem := func(proof string) (*http.Response, map[string]any) {
		l := p.begin(t)
		code := l.answer(t, l.agree(t)).Get("code")
		return p.post(t, idp.PathToken, l.tokenForm(code), func(r *http.Request) {
			p.basic(r)
			if proof != "" {
				r.Header.Set("DPoP", proof)
			}
		})
	}
	resp, doc := redeem("")
	wantRefusal(t, "no proof", resp, doc, http.StatusBadRequest, "invalid_dpop_proof")
	endpoint := p.w.Issuer + idp.PathToken
	for name, proof := range map[string]string{
		"noise":            "a.b.c",
		"another method":   k.proof(t, http.MethodGet, endpoint, ""),
		"another endpoint": k.proof(t, http.MethodPost, "https://other.example/token", ""),
		"an old one":       k.proof(t, http.MethodPost, endpoint, "", func(c map[string]any) { c["iat"] = time.Now().Unix() - 7200 }),
		"no jti":           k.proof(t, http.MethodPost, endpoint, "", func(c map[string]any) { delete(c, "jti") }),
		"no key inside":    k.sign(t, (&jose.SignerOptions{}).WithType("dpop+jwt"), map[string]any{"jti": rand(), "htm": "POST", "htu": endpoint, "iat": time.Now().Unix()}),
		"another type":     k.sign(t, (&jose.SignerOptions{EmbedJWK: true}).WithType("jwt"), map[string]any{"jti": rand(), "htm": "POST", "htu": endpoint, "iat": time.Now().Unix()}),
	} {
		resp, doc := redeem(proof)
		wantRefusal(t, name, resp, doc, http.StatusBadRequest, "invalid_dpop_proof")
	}
	used := k.proof(t, http.MethodPost, endpoint, "")
	if resp, doc = redeem(used); resp.StatusCode != http.StatusOK || doc["token_type"] != "DPoP" {
		t.Fatalf("%s %v", resp.Status, doc)
	}
	token, _ := doc["access_token"].(string)
	resp, doc = redeem(used)
	wantRefusal(t, "the same proof again", resp, doc, http.StatusBadRequest, "invalid_dpop_proof")

	info := p.w.Issuer + idp.PathUserInfo
	resp, doc = p.userInfo(t, "Bearer", token, "")
	wantRefusal(t, "stolen token", resp, doc, http.StatusUnauthorized, "invalid_dpop_proof")
	resp, doc = p.userInfo(t, "DPoP", token, newKey(t).proof(t, http.MethodPost, info, token))
	wantRefusal(t, "stolen token, thief's key", resp, doc, http.StatusUnauthorized, "invalid_dpop_proof")
	resp, doc = p.userInfo(t, "DPoP", token, k.proof(t, http.MethodPost, info, "another token"))
	wantRefusal(t, "proof for another token", resp, doc, http.StatusUnauthorized, "invalid_dpop_proof")
	if resp, doc = p.userInfo(t, "DPoP", token, k.proof(t, http.MethodPost, info, token)); resp.StatusCode != http.StatusOK || doc["family_name"] != "ERIKSSON" {
		t.Errorf("userinfo: %s %v", resp.Status, doc)
	}
}

func TestUserInfoWantsAToken(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	for name, header := range map[string]string{"nothing": "", "noise": "Bearer ~~~", "unknown": "Bearer " + rand(), "basic": "Basic dGF4OnNlY3JldA=="} {
		resp, doc := p.post(t, idp.PathUserInfo, nil, func(r *http.Request) {
			if header != "" {
				r.Header.Set("Authorization", header)
			}
		})
		wantRefusal(t, name, resp, doc, http.StatusUnauthorized, "invalid_token")
	}
}
