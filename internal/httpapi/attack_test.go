package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"ipse/internal/httpapi"
	"ipse/internal/httpapi/apitest"
	"ipse/internal/proofing"
)

// routes reads the routes of the API from its source, so that a new one is tried, too.
func routes(t *testing.T) (out [][2]string) {
	t.Helper()
	source, err := os.ReadFile("api.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`\{"([A-Z]+) (/api/[^"]+)", \d+, a\.`).FindAllStringSubmatch(string(source), -1) {
		out = append(out, [2]string{m[1], strings.NewReplacer("{id}", "AAAA").Replace(m[2])})
	}
	if len(out) < 35 {
		t.Fatalf("%d routes: the source reads differently", len(out))
	}
	return out
}

// atAnyPace lets one address ask as much as it likes.
func atAnyPace(c *httpapi.Config) { c.Pace = 1000 }

// isProblem reports that an answer is a problem document of this API (RFC 9457), and
// no fault of the server.
func isProblem(r apitest.Reply) bool {
	var doc struct {
		Status int
		Code   string
	}
	return json.Unmarshal(r.Body, &doc) == nil && doc.Status == r.Status && doc.Code != "" && r.Status >= 400 && r.Status < 500
}

// TestOddBodiesChangeNothingAnywhere sends to each route that changes something, with
// every right that a browser can have, what no page sends: it is refused with a code,
// and check, account and session are as before.
func TestOddBodiesChangeNothingAnywhere(t *testing.T) {
	t.Parallel()
	s := newServer(t, atAnyPace)
	b := s.member()
	b.Start("camera")
	before := b.View()
	for _, r := range routes(t) {
		if r[0] == http.MethodGet {
			continue
		}
		for name, body := range map[string]string{"nothing": "", "blank": " ", "null": "null", "a list": "[]", "a word": `"{}"`, "cut": "{", "two": "{}{}",
			"an unknown member": `{"admin":true}`, "a member of another type": `{"credential":1,"code":1,"auth":1,"route":1,"statement":1,"approved":1,"presentation":1,"agreed":1,"consent_id":1,"mrz":1,"salt":1,"wrap":1}`} {
			if reply := b.Call(r[0], r[1], body); !isProblem(reply) {
				t.Errorf("%s %s, %s: %d %s", r[0], r[1], name, reply.Status, reply.Body)
			}
		}
	}
	if after := b.View(); after.State != before.State || after.Document.PairingCode != before.Document.PairingCode {
		t.Errorf("the check went from %+v to %+v", before, after)
	}
	var view struct{ Complete bool }
	if b.OK("GET", "/api/account", nil, &view); !view.Complete {
		t.Error("the account has changed")
	}
}

// TestStrangersGetNothingAnywhere: each route answers a browser without cookies, and
// one with invented ones, with a problem, or with what everybody may have.
func TestStrangersGetNothingAnywhere(t *testing.T) {
	t.Parallel()
	s := newServer(t, atAnyPace)
	s.member() // so that there is something to get
	public := []string{"GET /api/config", "POST /api/session/options", "POST /api/agent/session/options"}
	for name, cookies := range map[string]string{
		"none": "", "invented": "__Host-ipse_session=" + strings.Repeat("A", 43) + "; __Host-ipse_proofing=" + strings.Repeat("A", 43) + "; __Host-ipse_agent=" + strings.Repeat("A", 43),
		"empty": "__Host-ipse_session=; __Host-ipse_proofing=; __Host-ipse_agent=",
		"odd":   "__Host-ipse_session=%00; __Host-ipse_proofing=" + strings.Repeat("x", 4000) + "; __Host-ipse_agent=\xff",
	} {
		b := s.browser()
		if cookies != "" {
			b.Headers.Set("Cookie", cookies)
		}
		for _, r := range routes(t) {
			route := r[0] + " " + r[1]
			var body any
			if r[0] != http.MethodGet {
				body = apitest.None{}
			}
			reply := b.Call(r[0], r[1], body)
			switch {
			case contains(public, route) && reply.Status == http.StatusOK:
			case route == "DELETE /api/session" && reply.Status == http.StatusNoContent, route == "DELETE /api/agent/session" && reply.Status == http.StatusNoContent:
				// whoever is not signed in is signed out
			case strings.HasPrefix(r[1], "/api/login/") && strings.HasSuffix(r[1], "/refuse"):
				// the login's own cookie decides (package idp)
			case !isProblem(reply):
				t.Errorf("%s, cookies %s: %d %s", route, name, reply.Status, reply.Body)
			}
		}
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// TestAServiceLogsOutItsOwnPersonAlone: the session of a browser ends at a service's
// wish only if it is of the account that the service means.
func TestAServiceLogsOutItsOwnPersonAlone(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.member()
	end := func(theirs bool) *http.Response {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/oidc/logout", nil)
		r.AddCookie(&http.Cookie{Name: "__Host-ipse_session", Value: b.Cookie("ipse_session")})
		rec := httptest.NewRecorder()
		asked := ""
		s.api.EndSession(rec, r, func(account string) bool { asked = account; return theirs })
		if asked == "" {
			t.Error("nobody asked whose session it is")
		}
		return rec.Result()
	}
	if cookies := end(false).Cookies(); len(cookies) != 0 {
		t.Errorf("another person's cookie is taken: %v", cookies)
	}
	b.OK("GET", "/api/account", nil, nil)
	if cookies := end(true).Cookies(); len(cookies) != 1 || cookies[0].MaxAge >= 0 {
		t.Errorf("the cookie stays: %v", cookies)
	}
	b.Refused("GET", "/api/account", nil, 401, "signed_out")
	rec := httptest.NewRecorder()
	s.api.EndSession(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/oidc/logout", nil), func(string) bool {
		t.Error("there is no session to ask about")
		return true
	})
}

// TestOneCheckABrowser: a second start ends the first, so that what was read is not
// kept in memory for a check that nobody goes on with.
func TestOneCheckABrowser(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.browser()
	b.Start("camera")
	b.read()
	first := b.Cookie("ipse_proofing")
	b.Start("counter")
	other := s.browser()
	other.Headers.Set("Cookie", "__Host-ipse_proofing="+first)
	var view proofing.View
	if other.OK("GET", "/api/proofing", nil, &view); view.State != proofing.StateAbandoned {
		t.Errorf("the first check: %s", view.State)
	}
}
