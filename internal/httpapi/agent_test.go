package httpapi_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"ipse/internal/app"
	"ipse/internal/counter"
	"ipse/internal/httpapi/apitest"
	"ipse/internal/pii"
)

// caseTable is counter.Cases with one case, OPEN-CASE.
type caseTable struct {
	mu       sync.Mutex
	open     bool
	portrait []byte // handed out last
	decided  []bool
}

func (c *caseTable) Open(_, code string) (counter.Case, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if code != "OPEN-CASE" {
		return counter.Case{}, counter.ErrNoCase
	}
	c.open = true
	return counter.Case{FamilyName: pii.NewText("ERIKSSON"), BirthDate: pii.NewText("1974-08-12"), DocumentKind: "passport", Portrait: true,
		ExpiresAt: time.Unix(1_800_000_000, 0)}, nil
}

func (c *caseTable) Portrait(string) (pii.Bytes, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.portrait = []byte("portrait of the specimen")
	return pii.NewBytes(c.portrait), nil
}

func (c *caseTable) Holds(string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open
}

func (c *caseTable) Release(string) error { return nil }

func (c *caseTable) Draft(_ string, approved bool) (json.RawMessage, error) {
	if approved {
		return json.RawMessage(`{"case":"c","outcome":"approved","receipt_sha256":"r"}`), nil
	}
	return json.RawMessage(`{"case":"c","outcome":"refused","receipt_sha256":"r"}`), nil
}

func (c *caseTable) Decide(_ context.Context, _ string, approved bool, _ []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.decided = append(c.decided, approved)
	return nil
}

// counterOf is a counter on the server's database.
func (s *server) counterOf() *counter.Service {
	return apitest.Must(counter.New(counter.Config{Staff: counter.Staff{Store: s.store, Now: s.clock, Rand: rand.Reader},
		Passkeys: apitest.Must(app.AgentKeys(s.url)), Cases: s.cases}))
}

// agent is an agent's browser, enrolled.
func (s *server) agent() *apitest.Agent {
	s.t.Helper()
	staff := counter.Staff{Store: s.store, Now: s.clock, Rand: rand.Reader}
	code := apitest.Must(staff.Add(s.t.Context(), "Zoé Agent")).Code.Reveal()
	a := &apitest.Agent{Browser: s.browser().Browser}
	r := a.OK("POST", "/api/agent/enrol", a.EnrolBody(code), nil)
	if cookie := r.Header.Get("Set-Cookie"); !strings.HasPrefix(cookie, "__Host-ipse_agent=") || !strings.HasSuffix(cookie, "; Path=/; HttpOnly; Secure; SameSite=Strict") {
		s.t.Errorf("cookie %s", cookie)
	}
	return a
}

func TestAnAgentsPathThroughTheAPI(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	a := s.agent()
	var session map[string]any
	a.OK("GET", "/api/agent/session", nil, &session)
	if session["name"] != "Zoé Agent" || session["idle_s"] != 600.0 || len(session["checklist"].([]any)) != 3 || len(session["reasons"].([]any)) != 5 {
		t.Errorf("%v", session)
	}
	a.Refused("GET", "/api/agent/case", "", 404, "case_unknown")
	c, portrait := a.Open("OPEN-CASE")
	a.OK("GET", "/api/agent/case", nil, nil)
	if c.FamilyName != "ERIKSSON" || c.ExpiresAt != "2027-01-15T08:00:00Z" || string(portrait) != "portrait of the specimen" {
		t.Errorf("%+v %q", c, portrait)
	}
	s.cases.mu.Lock()
	if strings.Trim(string(s.cases.portrait), "\x00") != "" {
		t.Error("the portrait is still in memory after it was shown")
	}
	s.cases.mu.Unlock()
	a.Decide(apitest.Refusal())
	a.Decide(apitest.Approval())
	if len(s.cases.decided) != 2 || s.cases.decided[0] || !s.cases.decided[1] {
		t.Errorf("decided %v", s.cases.decided)
	}
	if strings.Contains(s.log.String(), "ERIKSSON") || strings.Contains(s.log.String(), "OPEN-CASE") || strings.Contains(s.log.String(), "Zoé") {
		t.Errorf("the log names somebody: %s", s.log.String())
	}
}

func TestMalformedRequestsOfAgentsAreRefused(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	a := s.agent()
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/api/agent/enrol/options", `{"code":1}`}, {"POST", "/api/agent/enrol", `[]`}, {"POST", "/api/agent/session/options", `{"x":1}`},
		{"POST", "/api/agent/session", ``}, {"POST", "/api/agent/case", `{"code":"x"}{}`}, {"DELETE", "/api/agent/case", `null`},
		{"POST", "/api/agent/case/decision/options", `{"approved":"yes"}`}, {"POST", "/api/agent/case/decision/options", `{"approved":true,"checklist":[],"reason":""}`},
		{"POST", "/api/agent/case/decision", `{"statement":"?","credential":{}}`},
	} {
		a.Refused(c.method, c.path, c.body, 400, "invalid_request")
	}
	a.Refused("POST", "/api/agent/session", `{"credential":{}}`, 403, "agent_refused")
	a.Refused("POST", "/api/agent/case/decision", `{"statement":"e30","credential":{}}`, 403, "agent_refused")
	a.Refused("PUT", "/api/agent/case", `{}`, 404, "not_found")
	for range 4 {
		a.Refused("POST", "/api/agent/case", `{"code":"AAAA-AAAA"}`, 404, "case_unknown")
	}
	if r := a.Call("POST", "/api/agent/case", `{"code":"OPEN-CASE"}`); r.Status != 429 || r.Header.Get("Retry-After") != "60" {
		t.Errorf("after four wrong codes: %d %v", r.Status, r.Header)
	}
	a.Headers = http.Header{"Origin": {"https://evil.example"}}
	a.Refused("POST", "/api/agent/case", `{"code":"OPEN-CASE"}`, 403, "forbidden")
	a.Headers = http.Header{"Sec-Fetch-Site": {"cross-site"}}
	a.Refused("GET", "/api/agent/case/portrait", nil, 403, "forbidden")
}
