package idp_test

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"

	"ipse/internal/idp"
)

// pushForm is an authorization request to push, and the login it belongs to.
func (p *party) pushForm(t testing.TB, opts ...oauth2.AuthCodeOption) (url.Values, *login) {
	t.Helper()
	address, l := p.address(opts...)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query(), l
}

// open takes a browser to the login page with a pushed request.
func (l *login) open(t testing.TB, requestURI string, more url.Values) (id string, resp *http.Response) {
	t.Helper()
	q := url.Values{"client_id": {l.p.svc.ID}, "request_uri": {requestURI}}
	for name, values := range more {
		q[name] = values
	}
	l.browser = l.p.w.NewBrowser(t)
	l.id, resp = l.browser.Begin(t, l.p.w.Issuer+idp.PathAuthorize+"?"+q.Encode())
	return l.id, resp
}

// TestPushedRequest (RFC 9126): nothing of the request passes through the
// browser, and nothing that the browser adds counts.
func TestPushedRequest(t *testing.T) {
	t.Parallel()
	p := world(t, "high", func(s *idp.Service) { s.RequirePAR = true })
	form, l := p.pushForm(t, param("claims", `{"userinfo":{"nationalities":null}}`), param("ui_locales", "fr"))
	resp, doc := p.post(t, idp.PathPAR, form, p.basic)
	uri, _ := doc["request_uri"].(string)
	if resp.StatusCode != http.StatusCreated || !strings.HasPrefix(uri, "urn:ietf:params:oauth:request_uri:") || doc["expires_in"] == nil {
		t.Fatalf("%s %v", resp.Status, doc)
	}
	id, _ := l.open(t, uri, url.Values{
		"redirect_uri": {"https://evil.example/"}, "scope": {"openid identity age"}, "state": {"another"}, "claims": {`{"userinfo":{"age_over_18":null}}`},
	})
	if id == "" {
		t.Fatal("no login page")
	}
	view := l.view(t)
	var names []string
	for _, a := range view.Attributes {
		names = append(names, a.Name)
	}
	if !slices.Equal(names, []string{"family_name", "given_name", "birthdate", "nationalities"}) || view.Language != "fr" {
		t.Errorf("asked: %v, language %q", names, view.Language)
	}
	if who := l.exchange(t, l.agree(t)); who.userinfo["nationalities"] == nil {
		t.Errorf("userinfo = %v", who.userinfo)
	}
}

func TestPushedRequestWorksOnceForItsServiceInTime(t *testing.T) {
	t.Parallel()
	ps := worldWith(t, "high", nil, service("tax"), service("family"))
	p, other := ps[0], ps[1]
	push := func() (string, *login) {
		form, l := p.pushForm(t)
		_, doc := p.post(t, idp.PathPAR, form, p.basic)
		uri, _ := doc["request_uri"].(string)
		return uri, l
	}
	uri, l := push()
	if id, _ := l.open(t, uri, nil); id == "" {
		t.Fatal("no login page")
	}
	if id, resp := l.open(t, uri, nil); id != "" || resp.StatusCode != http.StatusBadRequest {
		t.Errorf("used twice: %s", resp.Status)
	}
	uri, _ = push()
	theirs := &login{p: other}
	if id, resp := theirs.open(t, uri, nil); id != "" || resp.StatusCode < 400 {
		t.Errorf("used by another service: %s", resp.Status)
	}
	uri, l = push()
	p.w.Advance(2 * time.Minute)
	if id, resp := l.open(t, uri, nil); id != "" || resp.StatusCode != http.StatusBadRequest {
		t.Errorf("used late: %s", resp.Status)
	}
	if id, resp := l.open(t, "urn:ietf:params:oauth:request_uri:invented", nil); id != "" || resp.StatusCode != http.StatusBadRequest {
		t.Errorf("invented: %s", resp.Status)
	}
	if id, resp := l.open(t, "https://tax.example/request.jwt", nil); id != "" || resp.StatusCode != http.StatusBadRequest {
		t.Errorf("an address instead: %s", resp.Status)
	}
}

func TestServiceThatMustPushCannotDoWithout(t *testing.T) {
	t.Parallel()
	p := world(t, "high", func(s *idp.Service) { s.RequirePAR = true })
	address, _ := p.address()
	id, resp := p.w.NewBrowser(t).Begin(t, address)
	if id != "" || resp.StatusCode != http.StatusBadRequest {
		t.Errorf("%s", resp.Status)
	}
}

// TestMalformedPushedRequests are refused to the service, before any person
// sees them.
func TestMalformedPushedRequests(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	for name, c := range map[string]struct {
		change func(url.Values)
		code   string
	}{
		"another address":        {func(f url.Values) { f.Set("redirect_uri", "https://evil.example/") }, "invalid_request"},
		"no address":             {func(f url.Values) { f.Del("redirect_uri") }, "invalid_request"},
		"no challenge":           {func(f url.Values) { f.Del("code_challenge") }, "invalid_request"},
		"plain challenge":        {func(f url.Values) { f.Set("code_challenge_method", "plain") }, "invalid_request"},
		"no scope":               {func(f url.Values) { f.Del("scope") }, "invalid_request"},
		"no openid":              {func(f url.Values) { f.Set("scope", "profile") }, "invalid_request"},
		"no response type":       {func(f url.Values) { f.Del("response_type") }, "invalid_request"},
		"implicit":               {func(f url.Values) { f.Set("response_type", "id_token") }, "unsupported_response_type"},
		"prompt none":            {func(f url.Values) { f.Set("prompt", "none") }, "login_required"},
		"broken claims":          {func(f url.Values) { f.Set("claims", "{") }, "invalid_request"},
		"a foreign hint":         {func(f url.Values) { f.Set("id_token_hint", "a.b.c") }, "invalid_request"},
		"a request object":       {func(f url.Values) { f.Set("request", "a.b.c") }, "request_not_supported"},
		"a pushed pushed":        {func(f url.Values) { f.Set("request_uri", "urn:x") }, "invalid_request"},
		"a parameter twice":      {func(f url.Values) { f.Add("state", "again") }, "invalid_request"},
		"an endless parameter":   {func(f url.Values) { f.Set("state", strings.Repeat("x", 3000)) }, "invalid_request"},
		"another service's name": {func(f url.Values) { f.Set("client_id", "family") }, "invalid_client"},
	} {
		form, _ := p.pushForm(t)
		c.change(form)
		resp, doc := p.post(t, idp.PathPAR, form, p.basic)
		if doc["error"] != c.code || resp.StatusCode < 400 || resp.StatusCode > 401 || doc["request_uri"] != nil || doc["error_description"] == "" {
			t.Errorf("%s: %s %v, want %s", name, resp.Status, doc, c.code)
		}
	}
	if n := p.w.Store.Count("par"); n != 0 {
		t.Errorf("%d refused requests are kept", n)
	}
}

// TestAPushedRequestNamesItsService: where an assertion alone says who pushes, nothing
// would be known of the request in time, and what it makes a condition would be lost.
func TestAPushedRequestNamesItsService(t *testing.T) {
	t.Parallel()
	k := newKey(t)
	p := world(t, "substantial", k.keyed)
	kid := (&jose.SignerOptions{}).WithHeader("kid", "k1")
	condition := param("claims", `{"id_token":{"acr":{"essential":true,"values":["eidas3"]}}}`)
	form, _ := p.pushForm(t, condition)
	form.Del("client_id")
	resp, doc := p.post(t, idp.PathPAR, withAssertion(form, k.sign(t, kid, p.assertion())), nil)
	if resp.StatusCode != http.StatusBadRequest || doc["error"] != "invalid_request" || doc["request_uri"] != nil || p.w.Store.Count("par") != 0 {
		t.Errorf("%s %v", resp.Status, doc)
	}
	form, l := p.pushForm(t, condition)
	_, doc = p.post(t, idp.PathPAR, withAssertion(form, k.sign(t, kid, p.assertion())), nil)
	uri, _ := doc["request_uri"].(string)
	if id, _ := l.open(t, uri, nil); id == "" {
		t.Fatalf("no login page: %v", doc)
	}
	if _, err := l.browser.Agree(t, l.id); !errors.Is(err, idp.ErrLevelTooLow) {
		t.Errorf("the level that the service cannot do without: %v", err)
	}
}

// TestPushedRequestBoundToAKey: with dpop_jkt or a proof at PAR only that key
// redeems the code (RFC 9449, 10).
func TestPushedRequestBoundToAKey(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	k := newKey(t)
	form, l := p.pushForm(t)
	_, doc := p.post(t, idp.PathPAR, form, func(r *http.Request) {
		p.basic(r)
		r.Header.Set("DPoP", k.proof(t, http.MethodPost, p.w.Issuer+idp.PathPAR, ""))
	})
	uri, _ := doc["request_uri"].(string)
	if id, _ := l.open(t, uri, nil); id == "" {
		t.Fatalf("no login page: %v", doc)
	}
	code := l.answer(t, l.agree(t)).Get("code")
	resp, doc := p.post(t, idp.PathToken, l.tokenForm(code), func(r *http.Request) {
		p.basic(r)
		r.Header.Set("DPoP", newKey(t).proof(t, http.MethodPost, p.w.Issuer+idp.PathToken, ""))
	})
	wantRefusal(t, "another key", resp, doc, http.StatusBadRequest, "invalid_dpop_proof")
}

// TestTooManyWaitingLogins: a flood fills neither disk nor memory.
func TestTooManyWaitingLogins(t *testing.T) {
	t.Parallel()
	p := worldWith(t, "high", func(c *idp.Config) { c.MaxPending = 2 }, service("tax"))[0]
	first, _ := p.begin(t), p.begin(t)
	if q := p.refused(t); q.Get("error") != "temporarily_unavailable" {
		t.Errorf("answer = %v", q)
	}
	form, _ := p.pushForm(t)
	if resp, doc := p.post(t, idp.PathPAR, form, p.basic); doc["error"] != "temporarily_unavailable" {
		t.Errorf("pushed: %s %v", resp.Status, doc)
	}
	first.exchange(t, first.agree(t))
	p.w.Advance(20 * time.Minute)
	if err := p.w.Provider.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if who := p.whole(t); who.id.Subject == "" {
		t.Error("no login after the flood")
	}
}

// TestABrowserThatBeginsTooManyLoginsIsToldSo through the service, and the service's
// own pushed requests are not its browsers'.
func TestABrowserThatBeginsTooManyLoginsIsToldSo(t *testing.T) {
	t.Parallel()
	left := 1
	p := worldWith(t, "high", func(c *idp.Config) {
		c.Admit = func(*http.Request) time.Duration {
			if left--; left < 0 {
				return time.Minute
			}
			return 0
		}
	}, service("tax"))[0]
	first := p.begin(t)
	if q := p.refused(t); q.Get("error") != "temporarily_unavailable" {
		t.Errorf("answer = %v", q)
	}
	first.exchange(t, first.agree(t))
}
