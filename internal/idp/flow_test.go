package idp_test

import (
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"ipse/internal/idp"
	"ipse/internal/idp/idptest"
)

// TestServiceLearnsWhoAPersonIs drives the authorization code flow with PKCE
// through the client libraries, for both signature algorithms.
func TestServiceLearnsWhoAPersonIs(t *testing.T) {
	t.Parallel()
	for _, alg := range []string{"ES256", "RS256"} {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			p := world(t, "high", func(s *idp.Service) { s.IDTokenAlg = alg })
			who := p.whole(t)
			want := map[string]any{"sub": who.id.Subject, "family_name": "ERIKSSON", "given_name": "ANNA MARIA", "birthdate": "1974-08-12"}
			if !reflect.DeepEqual(who.userinfo, want) {
				t.Errorf("userinfo = %v", who.userinfo)
			}
			if who.claims["acr"] != "eidas3" || !reflect.DeepEqual(who.claims["amr"], []any{"pop", "user", "mfa"}) {
				t.Errorf("acr, amr = %v, %v", who.claims["acr"], who.claims["amr"])
			}
			if at := time.Unix(int64(who.claims["auth_time"].(float64)), 0); time.Since(at) > time.Minute {
				t.Errorf("auth_time = %v", at)
			}
			for name := range idptest.Attributes() {
				if _, ok := who.claims[name]; ok {
					t.Errorf("the ID token holds %s, which was asked at userinfo", name)
				}
			}
			entries := p.w.Journal()
			if len(entries) != 1 || entries[0].ServiceID != "tax" || entries[0].ACR != "eidas3" ||
				!slices.Equal(entries[0].Attributes, []string{"family_name", "given_name", "birthdate"}) {
				t.Errorf("journal = %+v", entries)
			}
		})
	}
}

// TestSubjectsArePairwise: two services cannot tell that they see one person
// (Core 8.1), unless the operator put them in one sector.
func TestSubjectsArePairwise(t *testing.T) {
	t.Parallel()
	sector := func(s *idp.Service) { s.SectorIdentifier = "ministry" }
	ps := worldWith(t, "high", nil, service("tax"), service("family"), service("one", sector), service("two", sector))
	sub := map[string]string{}
	for _, p := range ps {
		first, again := p.whole(t), p.whole(t)
		if first.id.Subject != again.id.Subject {
			t.Errorf("%s sees the same person under two names", p.svc.ID)
		}
		sub[p.svc.ID] = first.id.Subject
		if strings.Contains(first.id.Subject, idptest.Account) {
			t.Error("the subject names the account")
		}
		if s, ok := p.w.Provider.Subject(p.svc.ID, idptest.Account); !ok || s != first.id.Subject {
			t.Errorf("Subject(%s) = %q, %v", p.svc.ID, s, ok)
		}
	}
	if sub["tax"] == sub["family"] {
		t.Error("two services see the same subject")
	}
	if sub["one"] != sub["two"] {
		t.Error("services of one sector see different subjects")
	}
	if _, ok := ps[0].w.Provider.Subject("nobody", idptest.Account); ok {
		t.Error("an unknown service has a subject")
	}
}

func get(t *testing.T, w *idptest.World, path string) (*http.Response, string) {
	t.Helper()
	resp, err := w.Server.Client().Get(w.Issuer + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(raw)
}

func TestDiscoverySaysWhatIsOffered(t *testing.T) {
	t.Parallel()
	w := idptest.New(t, "high", nil)
	resp, body := get(t, w, idp.PathDiscovery)
	var doc map[string]any
	if err := json.Unmarshal([]byte(body), &doc); err != nil || resp.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%v: %s", err, body)
	}
	for name, want := range map[string]any{
		"issuer":                 w.Issuer,
		"authorization_endpoint": w.Issuer + idp.PathAuthorize, "token_endpoint": w.Issuer + idp.PathToken,
		"userinfo_endpoint": w.Issuer + idp.PathUserInfo, "jwks_uri": w.Issuer + idp.PathJWKS,
		"pushed_authorization_request_endpoint":          w.Issuer + idp.PathPAR,
		"end_session_endpoint":                           w.Issuer + idp.PathLogout,
		"response_types_supported":                       []any{"code"},
		"subject_types_supported":                        []any{"pairwise"},
		"code_challenge_methods_supported":               []any{"S256"},
		"id_token_signing_alg_values_supported":          []any{"ES256", "RS256"},
		"acr_values_supported":                           []any{"eidas1", "eidas2", "eidas3", "phr"},
		"token_endpoint_auth_methods_supported":          []any{"client_secret_basic", "private_key_jwt"},
		"authorization_response_iss_parameter_supported": true,
		"claims_parameter_supported":                     true,
		"request_parameter_supported":                    false,
		"request_uri_parameter_supported":                false,
		"verified_claims_supported":                      true,
	} {
		if !reflect.DeepEqual(doc[name], want) {
			t.Errorf("%s = %v, want %v", name, doc[name], want)
		}
	}
	for _, absent := range []string{"registration_endpoint", "introspection_endpoint", "revocation_endpoint"} {
		if _, ok := doc[absent]; ok {
			t.Errorf("%s is advertised", absent)
		}
	}
	if _, other := get(t, w, idp.PathMetadata); other != body {
		t.Error("RFC 8414 metadata differ from the discovery document")
	}
}

func TestKeySetHoldsPublicHalvesOnly(t *testing.T) {
	t.Parallel()
	w := idptest.New(t, "high", nil)
	_, body := get(t, w, idp.PathJWKS)
	var doc struct{ Keys []map[string]any }
	if err := json.Unmarshal([]byte(body), &doc); err != nil || len(doc.Keys) != 2 {
		t.Fatalf("%v: %s", err, body)
	}
	for _, k := range doc.Keys {
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
			if _, ok := k[private]; ok {
				t.Errorf("member %s is published", private)
			}
		}
		if k["use"] != "sig" || k["kid"] == "" || (k["alg"] != "ES256" && k["alg"] != "RS256") {
			t.Errorf("key %v", k)
		}
	}
}

// TestOlderKeysStayPublished: the first key of an algorithm signs, tokens of
// the others still verify.
func TestOlderKeysStayPublished(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	before := p.whole(t)
	fresh := idptest.New(t, "high", nil).Keys
	p.w.Restart(t, func(cfg *idp.Config) { cfg.Keys = append(slices.Clone(fresh), cfg.Keys...) })
	after := join(t, p.w, p.svc)[0].whole(t)
	keys := oidc.NewRemoteKeySet(p.ctx, p.w.Issuer+idp.PathJWKS)
	for _, raw := range []string{before.raw, after.raw} {
		if _, err := keys.VerifySignature(p.ctx, raw); err != nil {
			t.Error(err)
		}
	}
	if strings.Split(before.raw, ".")[0] == strings.Split(after.raw, ".")[0] {
		t.Error("the old key still signs")
	}
}

// TestAnswersAreNotCached: what belongs to one person is never stored on the way.
func TestAnswersAreNotCached(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	l := p.begin(t)
	code := l.answer(t, l.agree(t)).Get("code")
	resp, doc := p.post(t, idp.PathToken, l.tokenForm(code), p.basic)
	if resp.StatusCode != http.StatusOK || !strings.Contains(resp.Header.Get("Cache-Control"), "no-store") {
		t.Errorf("token: %s, %q", resp.Status, resp.Header.Get("Cache-Control"))
	}
	if doc["token_type"] != "Bearer" || doc["refresh_token"] != nil || doc["expires_in"] != float64(600) {
		t.Errorf("token answer has %v, %v, %v", doc["token_type"], doc["refresh_token"], doc["expires_in"])
	}
}

// TestHabitsOfClientLibrariesAreAccepted: scopes, display values and classes
// that mean nothing here are passed over (Core 3.1.2.1), hints are not kept.
func TestHabitsOfClientLibrariesAreAccepted(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	who := p.whole(t, param("scope", "openid profile email phone offline_access groups"), param("display", "popup"),
		param("acr_values", "urn:mace:incommon:iap:silver"), param("login_hint", "anna@example.org"), param("ui_locales", "de fr-CA en"))
	if who.userinfo["family_name"] != "ERIKSSON" || who.claims["acr"] != "eidas3" {
		t.Errorf("got %v, %v", who.userinfo, who.claims)
	}
	l := p.begin(t, param("ui_locales", "de fr-CA en"))
	view, err := p.w.Provider.Login(t.Context(), l.id, l.browser.Cookie())
	if err != nil || view.Language != "fr" {
		t.Errorf("language %q, %v", view.Language, err)
	}
	if dump := string(p.w.Store.Dump()) + p.w.Log.String(); strings.Contains(dump, "anna@") {
		t.Error("a login_hint was kept")
	}
}

// TestAuthorizationRequestMayBePosted (Core 3.1.2.1).
func TestAuthorizationRequestMayBePosted(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	address, l := p.address()
	path, query, _ := strings.Cut(address, "?")
	l.browser = p.w.NewBrowser(t)
	resp, err := l.browser.Post(path, "application/x-www-form-urlencoded", strings.NewReader(query))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	l.id = strings.TrimPrefix(resp.Request.URL.Path, "/login/")
	if who := l.exchange(t, l.agree(t)); who.userinfo["given_name"] != "ANNA MARIA" {
		t.Errorf("userinfo = %v", who.userinfo)
	}
}
