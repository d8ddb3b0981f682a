package app_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ipse/internal/app"
	"ipse/internal/config"
	"ipse/internal/counter"
	"ipse/internal/httpapi/apitest"
	"ipse/internal/proofing"
)

func TestTheCounterDecidesByCodeAndSignature(t *testing.T) {
	t.Parallel()
	demo, _, _ := startDemo(t, "")
	agent := agentOf(t, demo)
	b, code := atCounter(t, demo)
	agent.Refused("POST", "/api/agent/case", map[string]string{"code": "AAAA-AAAA"}, 404, "case_unknown")
	agent.Refused("POST", "/api/agent/case/decision/options", apitest.Approval(), 404, "case_unknown")
	agent.Refused("GET", "/api/agent/case/portrait", nil, 404, "case_unknown")
	c, portrait := agent.Open(strings.ToLower(code))
	if c.FamilyName != "ERIKSSON" || c.BirthDate != "1974-08-12" || !c.Portrait || !bytes.HasPrefix(portrait, []byte{0xFF, 0xD8, 0xFF}) {
		t.Errorf("%+v, a portrait of %d bytes", c, len(portrait))
	}
	agent.Refused("GET", "/api/agent/case/portrait", nil, 404, "case_unknown") // shown once
	if v := b.View(); !v.Counter.Opened {
		t.Errorf("the person is not told that the case is open: %+v", v.Counter)
	}
	b.Refused("POST", "/api/proofing/counter", apitest.None{}, 409, "wrong_state")
	agent.Refused("POST", "/api/agent/case", map[string]string{"code": code}, 404, "case_unknown")
	other, otherCode := atCounter(t, demo)
	agent.Refused("POST", "/api/agent/case", map[string]string{"code": otherCode}, 409, "case_open")
	without := apitest.Approval()
	without["checklist"] = []string{"document_intact"}
	agent.Refused("POST", "/api/agent/case/decision/options", without, 400, "invalid_request")
	decision := agent.Signed(apitest.Approval())
	agent.OK("POST", "/api/agent/case/decision", decision, nil)
	agent.Refused("POST", "/api/agent/case/decision", decision, 404, "case_unknown") // replayed
	if v := b.View(); v.State != proofing.StateAccount {
		t.Errorf("%+v", v)
	}

	agent.Open(otherCode)
	agent.OK("DELETE", "/api/agent/case", apitest.None{}, nil)
	v := other.View()
	if v.Counter.Opened || v.Counter.CaseCode == otherCode || v.Counter.CaseCode == "" {
		t.Errorf("put down: %+v", v.Counter)
	}
	other.OK("POST", "/api/proofing/counter", apitest.None{}, &v)
	agent.Open(v.Counter.CaseCode)
	agent.Decide(apitest.Refusal())
	if v := other.View(); v.State != proofing.StateRefused || v.Result.Reason != proofing.ReasonCounterRefused {
		t.Errorf("%+v", v)
	}
}

// TestADecisionForAnotherCaseIsRefused: a signature made on one case is worth
// nothing on the next, and four of them put the case down.
func TestADecisionForAnotherCaseIsRefused(t *testing.T) {
	t.Parallel()
	demo, _, _ := startDemo(t, "")
	agent := agentOf(t, demo)
	_, code := atCounter(t, demo)
	agent.Open(code)
	early := agent.Signed(apitest.Approval())
	agent.OK("DELETE", "/api/agent/case", apitest.None{}, nil)
	b, code := atCounter(t, demo)
	agent.Open(code)
	for range 4 {
		agent.Refused("POST", "/api/agent/case/decision", early, 403, "agent_refused")
	}
	if v := b.View(); v.State != proofing.StateCounter || v.Counter.Opened || v.Counter.CaseCode == code {
		t.Errorf("%+v", v.Counter)
	}
	agent.Refused("POST", "/api/agent/case/decision", early, 404, "case_unknown")
}

func TestOnlyAgentsReachTheCounter(t *testing.T) {
	t.Parallel()
	demo, _, _ := startDemo(t, "")
	agent := agentOf(t, demo)
	b, code := atCounter(t, demo)
	for _, stranger := range []*apitest.Browser{apitest.New(t, demo.URL(), &http.Transport{}), b} {
		stranger.Refused("GET", "/api/agent/session", nil, 401, "signed_out")
		stranger.Refused("POST", "/api/agent/case", map[string]string{"code": code}, 401, "signed_out")
		stranger.Refused("GET", "/api/agent/case/portrait", nil, 401, "signed_out")
		stranger.Refused("DELETE", "/api/agent/case", apitest.None{}, 401, "signed_out")
		stranger.Refused("POST", "/api/agent/case/decision/options", apitest.Approval(), 401, "signed_out")
		stranger.Refused("POST", "/api/agent/case/decision", map[string]any{"statement": "", "credential": apitest.None{}}, 401, "signed_out")
		stranger.Refused("POST", "/api/agent/enrol/options", map[string]string{"code": "guessed"}, 404, "enrolment_unknown")
	}
	// A person's passkey is no agent's, and an agent's opens no account.
	if r := agent.Browser.SignIn(); r.Status != 401 || r.Code() != "passkey_refused" {
		t.Errorf("an agent's passkey at the person's door: %d %s", r.Status, r.Body)
	}
	if r := agent.SignIn(); r.Status != 204 || !strings.Contains(r.Header.Get("Set-Cookie"), "HttpOnly; SameSite=Strict") {
		t.Errorf("sign in: %d %v", r.Status, r.Header)
	}
	var session struct {
		Name     string `json:"name"`
		IdleS    int    `json:"idle_s"`
		CaseOpen bool   `json:"case_open"`
	}
	agent.OK("GET", "/api/agent/session", nil, &session)
	if session.Name != "Demo agent" || session.IdleS < 500 || session.CaseOpen {
		t.Errorf("%+v", session)
	}
	agent.Open(code)
	if agent.OK("GET", "/api/agent/session", nil, &session); !session.CaseOpen {
		t.Error("a page that is reloaded does not learn of its case")
	}
	agent.OK("DELETE", "/api/agent/session", apitest.None{}, nil)
	agent.Refused("GET", "/api/agent/session", nil, 401, "signed_out")
	if v := b.View(); v.Counter.Opened {
		t.Error("the case stays with an agent who signed out")
	}
}

// TestNothingOfAPersonStaysOfTheCounter drives persons past an agent, to a yes, a
// no, a case put down and one that the server's stop ends, and searches disk, log
// and evidence for the portrait and the names that the agent saw.
func TestNothingOfAPersonStaysOfTheCounter(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	demo, log, stop := startDemo(t, data)
	agent := agentOf(t, demo)
	var seen []byte
	see := func(code string) {
		r := agent.Call("POST", "/api/agent/case", map[string]string{"code": code})
		if r.Status != 200 || r.Header.Get("Cache-Control") != "no-store" || !strings.Contains(string(r.Body), "ERIKSSON") {
			t.Fatalf("%d %v", r.Status, r.Header)
		}
		r = agent.Call("GET", "/api/agent/case/portrait", nil)
		if r.Status != 200 || r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Content-Type") != "image/jpeg" {
			t.Fatalf("%d %v", r.Status, r.Header)
		}
		seen = r.Body
	}
	_, code := atCounter(t, demo)
	see(code)
	agent.Decide(apitest.Approval())
	_, code = atCounter(t, demo)
	see(code)
	agent.Decide(apitest.Refusal())
	_, code = atCounter(t, demo)
	see(code)
	agent.OK("DELETE", "/api/agent/case", apitest.None{}, nil)
	_, code = atCounter(t, demo)
	see(code)
	look := func(when string) {
		written := log.String() + filesOf(t, data)
		secrets := ofDocument(t)
		secrets["the family name"], secrets["the number"], secrets["the birth date"] = "ERIKSSON", "L898902C3", "1974-08-12"
		secrets["the case code"], secrets["the agent's session"] = code, agent.Cookie("ipse_agent")
		for at := 700; at+24 < len(seen); at += 1000 {
			secrets["what the agent saw"] = string(seen[at : at+24])
			if strings.Contains(written, secrets["what the agent saw"]) {
				t.Errorf("%s: the portrait that the agent saw is written somewhere", when)
			}
		}
		for what, secret := range secrets {
			if secret == "" || strings.Contains(written, secret) {
				t.Errorf("%s: %s is written somewhere", when, what)
			}
		}
		if !strings.Contains(written, "document_intact") {
			t.Errorf("%s: the evidence is not where the test looks", when)
		}
	}
	look("while it runs")
	if err := stop(); err != nil {
		t.Error(err)
	}
	look("after the stop")
}

// desk runs a server as an operator does, with its list of agents opened beside it.
type desk struct {
	cfg   config.Config
	url   string
	staff *app.Staff
	ahead atomic.Int64 // the server's clock runs ahead so much
}

func runDesk(t *testing.T) *desk {
	t.Helper()
	l := listen(t)
	opts, _ := options(t, filepath.Join(t.TempDir(), "data"), l)
	d := &desk{cfg: opts.Config, url: opts.Config.Server.PublicURL}
	if _, err := app.OpenStaff(t.Context(), d.cfg, time.Now, rand.Reader); err == nil {
		t.Error("a database is made by whoever lists agents")
	}
	opts.Now = func() time.Time { return time.Now().Add(time.Duration(d.ahead.Load())) }
	serve(t, opts, l)
	d.staff = apitest.Must(app.OpenStaff(t.Context(), d.cfg, opts.Now, rand.Reader))
	t.Cleanup(func() {
		if err := d.staff.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// TestAgentsAreAddedAndRemovedWhileTheServerRuns: the command line writes to the
// database of a running server, which follows at the next request.
func TestAgentsAreAddedAndRemovedWhileTheServerRuns(t *testing.T) {
	t.Parallel()
	d, ctx := runDesk(t), t.Context()
	invited := apitest.Must(d.staff.Add(ctx, "Zoé Agent"))
	if url := app.EnrolURL(d.url, invited.Code); url != d.url+"/agent/enrol#"+invited.Code.Reveal() {
		t.Error(url)
	}
	agent := apitest.NewAgent(t, d.url, invited.Code.Reveal(), &http.Transport{})
	agent.Refused("POST", "/api/agent/enrol/options", map[string]string{"code": invited.Code.Reveal()}, 404, "enrolment_unknown")
	agent.OK("GET", "/api/agent/session", nil, nil)
	if list := apitest.Must(d.staff.List(ctx)); len(list) != 1 || list[0].Key == nil {
		t.Errorf("%+v", list)
	}
	d.ahead.Add(int64(11 * time.Minute))
	agent.Refused("GET", "/api/agent/session", nil, 401, "signed_out")
	if r := agent.SignIn(); r.Status != 204 {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	if err := d.staff.Remove(ctx, invited.Agent.ID); err != nil {
		t.Fatal(err)
	}
	agent.Refused("GET", "/api/agent/session", nil, 401, "signed_out")
	if r := agent.SignIn(); r.Status != 403 || r.Code() != "agent_refused" {
		t.Errorf("a removed agent signs in: %d %s", r.Status, r.Body)
	}
	if err := d.staff.Remove(ctx, invited.Agent.ID); !errors.Is(err, counter.ErrNoAgent) {
		t.Error(err)
	}
}

// TestAnAuditorVerifiesADecisionAgainstTheReceipt takes the evidence out of a
// server's database, verifies it with nothing but the public address, and finds by
// it the receipt that the person holds, and no other.
func TestAnAuditorVerifiesADecisionAgainstTheReceipt(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	demo, _, stop := startDemo(t, data)
	agent := agentOf(t, demo)
	b, code := atCounter(t, demo)
	agent.Open(code)
	agent.Decide(apitest.Approval())
	receipt := b.OK("GET", "/api/proofing/receipt", nil, nil).Body
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.Server.Data = data
	staff := apitest.Must(app.OpenStaff(t.Context(), cfg, time.Now, rand.Reader))
	defer func() { _ = staff.Close() }()
	keys := apitest.Must(app.AgentKeys(demo.URL()))
	elsewhere := apitest.Must(app.AgentKeys("https://elsewhere.example"))
	n := 0
	if err := staff.Decisions(context.Background(), func(d counter.Decision) error {
		n++
		found, err := counter.Check(keys, d)
		if err != nil || !found.Approved || len(found.Checklist) != 3 || time.Since(found.At) > 10*time.Minute {
			t.Errorf("%+v, %v", found, err)
		}
		if want := base64.RawURLEncoding.EncodeToString(sum(receipt)); found.ReceiptSHA256 != want {
			t.Errorf("the receipt's hash is %s, the decision rests on %s", want, found.ReceiptSHA256)
		}
		if _, err := counter.Check(elsewhere, d); !errors.Is(err, counter.ErrEvidence) {
			t.Errorf("verified for another server: %v", err)
		}
		return nil
	}); err != nil || n != 1 {
		t.Errorf("%d decisions, %v", n, err)
	}
}

// TestTheDemonstrationKnowsItsAgentAgain: with a data folder, the second run asks
// for the passkey that the first made.
func TestTheDemonstrationKnowsItsAgentAgain(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	demo, _, stop := startDemo(t, data)
	first := demo.AgentURL()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	demo, _, stop = startDemo(t, data)
	if demo.AgentURL() == first || !strings.Contains(demo.AgentURL(), "/agent/enrol#") {
		t.Errorf("not enrolled: %s", demo.AgentURL())
	}
	agentOf(t, demo)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	demo, _, _ = startDemo(t, data)
	if demo.AgentURL() != demo.URL()+"/agent" {
		t.Errorf("enrolled: %s", demo.AgentURL())
	}
}

func sum(b []byte) []byte {
	s := sha256.Sum256(b)
	return s[:]
}
