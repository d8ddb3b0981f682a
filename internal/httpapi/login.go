package httpapi

import (
	"net/http"

	"ipse/internal/account"
)

// login shows who asks, why and for what. signed_in tells the page whether a
// passkey must still be used for this very login.
func (a *API) login(w http.ResponseWriter, r *http.Request) error {
	view, err := a.cfg.Logins.Login(r, r.PathValue("id"))
	if err != nil {
		return err
	}
	if session, err := a.session(r); err == nil {
		view.SignedIn = session.Scope == account.ScopeFull && !session.AuthTime.Before(view.StartedAt)
	}
	if view.Attributes == nil {
		view.Attributes = []LoginAttribute{}
	}
	return writeJSON(w, view)
}

type redirectView struct {
	RedirectTo string `json:"redirect_to"`
}

func (a *API) loginConsent(w http.ResponseWriter, r *http.Request) error {
	session, err := a.session(r)
	if err != nil {
		return err
	}
	if session.Scope != account.ScopeFull {
		return account.ErrScope
	}
	var body LoginAnswer
	if err := readJSON(r, &body); err != nil {
		return err
	}
	to, err := a.cfg.Logins.Consent(r, r.PathValue("id"), session, body)
	if err != nil {
		return err
	}
	return writeJSON(w, redirectView{to})
}

func (a *API) loginRefuse(w http.ResponseWriter, r *http.Request) error {
	if err := readJSON(r, &nothing{}); err != nil {
		return err
	}
	to, err := a.cfg.Logins.Refuse(r, r.PathValue("id"))
	if err != nil {
		return err
	}
	return writeJSON(w, redirectView{to})
}
