package apitest

import (
	"encoding/json"
	"net/http"
	"testing"
)

// Agent is an agent's browser at the counter.
type Agent struct{ *Browser }

// NewAgent makes a browser and enrols with a code.
func NewAgent(t testing.TB, address, code string, transport *http.Transport) *Agent {
	t.Helper()
	a := &Agent{New(t, address, transport)}
	a.OK("POST", "/api/agent/enrol", a.EnrolBody(code), nil)
	return a
}

// EnrolBody begins an enrolment and returns the body that ends it.
func (a *Agent) EnrolBody(code string) map[string]any {
	a.T.Helper()
	answer := a.Passkey(a.OK("POST", "/api/agent/enrol/options", map[string]string{"code": code}, nil))
	return map[string]any{"code": code, "credential": json.RawMessage(answer.JSON)}
}

// SignIn uses the agent's passkey.
func (a *Agent) SignIn() Reply {
	a.T.Helper()
	answer := Must(a.Auth.Get(a.OK("POST", "/api/agent/session/options", None{}, nil).Body))
	return a.Call("POST", "/api/agent/session", map[string]any{"credential": json.RawMessage(answer.JSON)})
}

// Case is the part of a case that tests look at.
type Case struct {
	FamilyName string `json:"family_name"`
	BirthDate  string `json:"birthdate"`
	Portrait   bool   `json:"portrait"`
	ExpiresAt  string `json:"expires_at"`
}

// Open opens a case and fetches its portrait.
func (a *Agent) Open(code string) (c Case, portrait []byte) {
	a.T.Helper()
	a.OK("POST", "/api/agent/case", map[string]string{"code": code}, &c)
	return c, a.OK("GET", "/api/agent/case/portrait", nil, nil).Body
}

// Approval and Refusal are what an agent decides.
func Approval() map[string]any {
	return map[string]any{"approved": true, "reason": "", "checklist": []string{"portrait_matches", "document_intact", "holder_present"}}
}

// Refusal is a decision against the person.
func Refusal() map[string]any {
	return map[string]any{"approved": false, "reason": "in_doubt", "checklist": []string{}}
}

// Signed has the agent's passkey sign a decision, and returns the body that sends it.
func (a *Agent) Signed(draft map[string]any) map[string]any {
	a.T.Helper()
	var begun struct {
		Statement B64             `json:"statement"`
		Options   json.RawMessage `json:"options"`
	}
	a.OK("POST", "/api/agent/case/decision/options", draft, &begun)
	return map[string]any{"statement": begun.Statement, "credential": json.RawMessage(Must(a.Auth.Get(begun.Options)).JSON)}
}

// Decide signs and sends a decision.
func (a *Agent) Decide(draft map[string]any) {
	a.T.Helper()
	a.OK("POST", "/api/agent/case/decision", a.Signed(draft), nil)
}
