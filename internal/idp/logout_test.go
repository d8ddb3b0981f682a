package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"ipse/internal/idp"
)

func (p *party) logout(t testing.TB, q url.Values, post bool) *http.Response {
	t.Helper()
	b := p.w.NewBrowser(t)
	var resp *http.Response
	var err error
	if post {
		resp, err = b.Post(p.w.Issuer+idp.PathLogout, "application/x-www-form-urlencoded", strings.NewReader(q.Encode()))
	} else {
		resp, err = b.Get(p.w.Issuer + idp.PathLogout + "?" + q.Encode())
	}
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp
}

// TestServiceLogsThePersonOut (RP-Initiated Logout 1.0), by GET and by POST.
func TestServiceLogsThePersonOut(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	who := p.whole(t)
	for i, post := range []bool{false, true} {
		resp := p.logout(t, url.Values{"id_token_hint": {who.raw}, "post_logout_redirect_uri": {"https://tax.example/bye"}, "state": {"a b&c"}}, post)
		if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "https://tax.example/bye?state=a+b%26c" {
			t.Errorf("%s %s", resp.Status, resp.Header.Get("Location"))
		}
		if p.w.Ended() != i+1 {
			t.Errorf("%d sessions ended", p.w.Ended())
		}
	}
	if resp := p.logout(t, url.Values{"id_token_hint": {who.raw}}, false); resp.StatusCode != http.StatusOK {
		t.Errorf("without an address: %s", resp.Status)
	}
}

// TestSomebodyElsesTokenEndsNoSession: whoever logs in at a service finds their own ID
// token in the address of its logout. In another person's browser it ends nothing.
func TestSomebodyElsesTokenEndsNoSession(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	mine := p.whole(t).raw
	p.w.SignedIn = "another account"
	resp := p.logout(t, url.Values{"id_token_hint": {mine}, "post_logout_redirect_uri": {"https://tax.example/bye"}}, false)
	if resp.StatusCode != http.StatusSeeOther || p.w.Ended() != 0 {
		t.Errorf("%s, %d sessions ended", resp.Status, p.w.Ended())
	}
}

// TestAnybodyElseEndsNoSession: a link on some page must not sign people out,
// nor send them anywhere.
func TestAnybodyElseEndsNoSession(t *testing.T) {
	t.Parallel()
	ps := worldWith(t, "high", nil, service("tax"), service("family"))
	p, theirs := ps[0], ps[1].whole(t)
	who := p.whole(t)
	for name, q := range map[string]url.Values{
		"an address and no service":    {"post_logout_redirect_uri": {"https://tax.example/bye"}},
		"another address":              {"id_token_hint": {who.raw}, "post_logout_redirect_uri": {"https://evil.example/"}},
		"another service's address":    {"id_token_hint": {theirs.raw}, "post_logout_redirect_uri": {"https://tax.example/bye"}},
		"another service's token":      {"id_token_hint": {theirs.raw}, "client_id": {"tax"}},
		"an unknown service":           {"client_id": {"nobody"}},
		"a token of another provider":  {"id_token_hint": {idpForeignToken(t, p)}},
		"a token that is none":         {"id_token_hint": {"eyJhbGciOiJub25lIn0.e30."}},
		"a parameter twice":            {"client_id": {"tax", "tax"}},
		"a request that does not read": nil,
	} {
		resp := p.logout(t, q, false)
		if q == nil {
			r, err := p.w.NewBrowser(t).Get(p.w.Issuer + idp.PathLogout + "?%zz")
			if err != nil {
				t.Fatal(err)
			}
			r.Body.Close()
			resp = r
		}
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %s %s", name, resp.Status, resp.Header.Get("Location"))
		}
	}
	resp := p.logout(t, url.Values{"client_id": {"tax"}, "post_logout_redirect_uri": {"https://tax.example/bye"}}, false)
	if resp.StatusCode != http.StatusSeeOther {
		t.Errorf("a registered address: %s", resp.Status)
	}
	if p.w.Ended() != 0 {
		t.Error("a session was ended without the service's token")
	}
}
