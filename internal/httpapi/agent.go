package httpapi

import (
	"encoding/json"
	"net/http"
	"time"

	"ipse/internal/counter"
)

// agent returns the agent who is signed in with the request's cookie.
func (a *API) agent(r *http.Request) (counter.SignedIn, error) {
	return a.cfg.Counter.Session(r.Context(), a.cookie(r, cookieAgent))
}

// agentBody reads the body of a request that an agent makes.
func (a *API) agentBody(r *http.Request, into any) (counter.SignedIn, error) {
	on, err := a.agent(r)
	if err != nil {
		return counter.SignedIn{}, err
	}
	return on, readJSON(r, into)
}

func (a *API) enrolOptions(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Code string `json:"code"`
	}
	if err := readJSON(r, &body); err != nil {
		return err
	}
	options, err := a.cfg.Counter.BeginEnrol(r.Context(), body.Code)
	if err != nil {
		return err
	}
	return writeJSON(w, options)
}

func (a *API) enrol(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Code       string          `json:"code"`
		Credential json.RawMessage `json:"credential"`
	}
	if err := readJSON(r, &body); err != nil {
		return err
	}
	opened, err := a.cfg.Counter.Enrol(r.Context(), body.Code, body.Credential)
	if err != nil {
		return err
	}
	a.setCookie(w, cookieAgent, opened.Token.Reveal())
	return noContent(w)
}

func (a *API) agentOptions(w http.ResponseWriter, r *http.Request) error {
	if err := readJSON(r, &nothing{}); err != nil {
		return err
	}
	options, err := a.cfg.Counter.BeginSignIn()
	if err != nil {
		return err
	}
	return writeJSON(w, options)
}

func (a *API) agentSignIn(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Credential json.RawMessage `json:"credential"`
	}
	if err := readJSON(r, &body); err != nil {
		return err
	}
	opened, err := a.cfg.Counter.SignIn(r.Context(), body.Credential)
	if err != nil {
		return err
	}
	a.setCookie(w, cookieAgent, opened.Token.Reveal())
	return noContent(w)
}

// agentSession tells the page who is signed in and how long it may wait before it
// clears its screen.
func (a *API) agentSession(w http.ResponseWriter, r *http.Request) error {
	on, err := a.agent(r)
	if err != nil {
		return err
	}
	return writeJSON(w, map[string]any{"name": on.Agent.Name, "idle_s": int(on.Session.IdleUntil.Sub(a.cfg.Now()).Seconds()),
		"case_open": a.cfg.Counter.Holds(on), "checklist": counter.Checklist(), "reasons": counter.Reasons()})
}

func (a *API) agentSignOut(w http.ResponseWriter, r *http.Request) error {
	if err := readJSON(r, &nothing{}); err != nil {
		return err
	}
	if token := a.cookie(r, cookieAgent); token != "" {
		if err := a.cfg.Counter.SignOut(r.Context(), token); err != nil {
			return err
		}
	}
	a.setCookie(w, cookieAgent, "")
	return noContent(w)
}

// caseView is what an agent sees of a person, but for the portrait.
type caseView struct {
	FamilyName     string `json:"family_name"`
	GivenName      string `json:"given_name"`
	BirthDate      string `json:"birthdate"`
	DocumentType   string `json:"document_type"`
	DocumentIssuer string `json:"document_issuer"`
	DocumentNumber string `json:"document_number"`
	DocumentExpiry string `json:"document_expiry"`
	Portrait       bool   `json:"portrait"`
	ExpiresAt      string `json:"expires_at"`
}

func (a *API) openCase(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Code string `json:"code"`
	}
	on, err := a.agentBody(r, &body)
	if err != nil {
		return err
	}
	c, err := a.cfg.Counter.Open(on, body.Code)
	if err != nil {
		return err
	}
	return writeJSON(w, caseView{FamilyName: c.FamilyName.Reveal(), GivenName: c.GivenName.Reveal(), BirthDate: c.BirthDate.Reveal(),
		DocumentType: c.DocumentKind, DocumentIssuer: c.DocumentIssuer, DocumentNumber: c.DocumentNumber.Reveal(),
		DocumentExpiry: c.DocumentExpiry.Reveal(), Portrait: c.Portrait, ExpiresAt: c.ExpiresAt.UTC().Format(time.RFC3339)})
}

// caseStillOpen tells the agent's page whether its case is still there, so that it
// can clear its screen. It does not count as the agent doing something.
func (a *API) caseStillOpen(w http.ResponseWriter, r *http.Request) error {
	if err := a.cfg.Counter.StillOpen(r.Context(), a.cookie(r, cookieAgent)); err != nil {
		return err
	}
	return noContent(w)
}

// casePortrait hands out the portrait once, from memory to the connection.
func (a *API) casePortrait(w http.ResponseWriter, r *http.Request) error {
	on, err := a.agent(r)
	if err != nil {
		return err
	}
	portrait, err := a.cfg.Counter.Portrait(on)
	if err != nil {
		return err
	}
	defer portrait.Wipe()
	w.Header().Set("Content-Type", "image/jpeg") // the chip reader makes JPEG of whatever the chip holds
	_, _ = w.Write(portrait.Reveal())            // the client is gone: nothing left to tell it
	return nil
}

func (a *API) releaseCase(w http.ResponseWriter, r *http.Request) error {
	on, err := a.agentBody(r, &nothing{})
	if err != nil {
		return err
	}
	if err := a.cfg.Counter.Release(on); err != nil {
		return err
	}
	return noContent(w)
}

func (a *API) decisionOptions(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Approved  bool     `json:"approved"`
		Checklist []string `json:"checklist"`
		Reason    string   `json:"reason"`
	}
	on, err := a.agentBody(r, &body)
	if err != nil {
		return err
	}
	statement, options, err := a.cfg.Counter.BeginDecide(on, counter.Draft(body))
	if err != nil {
		return err
	}
	return writeJSON(w, struct {
		Statement b64             `json:"statement"`
		Options   json.RawMessage `json:"options"`
	}{statement, options})
}

func (a *API) decide(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Statement  b64             `json:"statement"`
		Credential json.RawMessage `json:"credential"`
	}
	on, err := a.agentBody(r, &body)
	if err != nil {
		return err
	}
	if err := a.cfg.Counter.Decide(r.Context(), on, body.Statement, body.Credential); err != nil {
		return err
	}
	return noContent(w)
}
