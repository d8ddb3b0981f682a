package httpapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"ipse/internal/account"
	"ipse/internal/pii"
	"ipse/internal/problem"
)

// session returns the request's session.
func (a *API) session(r *http.Request) (account.Session, error) {
	return a.cfg.Accounts.Session(r.Context(), a.cookie(r, cookieSession))
}

// SessionName is what a session goes by outside of package account: it opens nothing.
func SessionName(hash [32]byte) string { return base64.RawURLEncoding.EncodeToString(hash[:]) }

// signOut ends the session of a token, and the services hear of it.
func (a *API) signOut(ctx context.Context, token string) error {
	if err := a.cfg.Accounts.Logout(ctx, token); err != nil {
		return err
	}
	a.cfg.SignOuts.SignedOut(SessionName(account.TokenHash(token)))
	return nil
}

func (a *API) sessionOptions(w http.ResponseWriter, r *http.Request) error {
	if err := readJSON(r, &nothing{}); err != nil {
		return err
	}
	options, err := a.cfg.Accounts.BeginLogin(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, options)
}

func (a *API) openSession(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Credential json.RawMessage `json:"credential"`
	}
	if err := readJSON(r, &body); err != nil {
		return err
	}
	former := a.cookie(r, cookieSession)
	opened, err := a.cfg.Accounts.Login(r.Context(), body.Credential, former)
	if err != nil {
		return err
	}
	if former != "" {
		a.cfg.SignOuts.Moved(SessionName(account.TokenHash(former)), SessionName(opened.Session.TokenHash), opened.Session.Account)
	}
	a.setCookie(w, cookieSession, opened.Token.Reveal())
	return noContent(w)
}

func (a *API) closeSession(w http.ResponseWriter, r *http.Request) error {
	if err := readJSON(r, &nothing{}); err != nil {
		return err
	}
	if token := a.cookie(r, cookieSession); token != "" {
		if err := a.signOut(r.Context(), token); err != nil {
			return err
		}
	}
	a.setCookie(w, cookieSession, "")
	return noContent(w)
}

// closeSessions signs the person out on every device.
func (a *API) closeSessions(w http.ResponseWriter, r *http.Request) error {
	session, err := a.session(r)
	if err != nil {
		return err
	}
	if err := readJSON(r, &nothing{}); err != nil {
		return err
	}
	if err := a.cfg.Accounts.LogoutAll(r.Context(), session); err != nil {
		return err
	}
	a.cfg.SignOuts.SignedOutAll(session.Account, "")
	a.setCookie(w, cookieSession, "")
	return noContent(w)
}

func (a *API) recover(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Auth b64 `json:"auth"`
	}
	if err := readJSON(r, &body); err != nil {
		return err
	}
	auth := pii.NewBytes(body.Auth)
	defer auth.Wipe()
	opened, err := a.cfg.Accounts.Recover(r.Context(), a.cfg.Client(r), auth)
	if err != nil {
		return err
	}
	a.replaceSession(w, r, opened)
	return noContent(w)
}

// replaceSession gives the browser a session that was just opened and ends the
// one it had, whose cookie is overwritten: nobody could end that any more.
func (a *API) replaceSession(w http.ResponseWriter, r *http.Request, opened account.Opened) {
	if former := a.cookie(r, cookieSession); former != "" {
		if err := a.signOut(r.Context(), former); err != nil {
			a.cfg.Log.ErrorContext(r.Context(), "end the former session", "error", err)
		}
	}
	a.setCookie(w, cookieSession, opened.Token.Reveal())
}

type accountView struct {
	Vault    vaultView     `json:"vault"`
	Items    []itemView    `json:"items"`
	Passkeys []passkeyView `json:"passkeys"`
	Recovery *recoveryView `json:"recovery"`
	Level    string        `json:"level"`
	Complete bool          `json:"complete"`
}

type vaultView struct {
	Suite     string     `json:"suite"`
	PublicKey b64        `json:"public_key"`
	Wraps     []wrapBody `json:"wraps"`
}

type itemView struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"`
	Sealed b64    `json:"sealed"`
}

type passkeyView struct {
	ID        b64    `json:"id"`
	Name      string `json:"name"`
	CreatedOn string `json:"created_on"`
}

type recoveryView struct {
	CreatedOn string `json:"created_on"`
}

// account shows the account to its owner's browser, which opens what is sealed.
// The wrap of the recovery code is shown to a session opened with it, and to no
// other: a stolen cookie must not collect material to guess at.
func (a *API) account(w http.ResponseWriter, r *http.Request) error {
	session, err := a.session(r)
	if err != nil {
		return err
	}
	state, err := a.cfg.Accounts.State(r.Context(), session)
	if err != nil {
		return err
	}
	own := state.Account
	view := accountView{Vault: vaultView{Suite: own.Suite, PublicKey: own.PublicKey, Wraps: []wrapBody{}},
		Items: []itemView{}, Passkeys: []passkeyView{}, Level: own.Level, Complete: state.Complete}
	for _, p := range own.Passkeys {
		view.Vault.Wraps = append(view.Vault.Wraps, wrapBody{Kind: "passkey", CredentialID: p.ID, Salt: p.Wrap.Salt, Wrapped: p.Wrap.Wrapped})
		view.Passkeys = append(view.Passkeys, passkeyView{ID: p.ID, Name: p.Name, CreatedOn: p.CreatedOn})
	}
	if rec := own.Recovery; rec != nil {
		view.Recovery = &recoveryView{CreatedOn: rec.CreatedOn}
		if session.Scope == account.ScopeRecovery {
			view.Vault.Wraps = append(view.Vault.Wraps, wrapBody{Kind: "recovery", Salt: rec.Wrap.Salt, Wrapped: rec.Wrap.Wrapped})
		}
	}
	for _, item := range state.Items {
		view.Items = append(view.Items, itemView{ID: fmt.Sprint(item.Seq), Kind: item.Kind, Sealed: item.Sealed})
	}
	return writeJSON(w, view)
}

func (a *API) eraseAccount(w http.ResponseWriter, r *http.Request) error {
	session, err := a.session(r)
	if err != nil {
		return err
	}
	if err := readJSON(r, &nothing{}); err != nil {
		return err
	}
	if err := a.cfg.Accounts.Erase(r.Context(), session); err != nil {
		return err
	}
	a.cfg.SignOuts.SignedOutAll(session.Account, "")
	a.setCookie(w, cookieSession, "")
	return noContent(w)
}

func (a *API) setRecovery(w http.ResponseWriter, r *http.Request) error {
	session, err := a.session(r)
	if err != nil {
		return err
	}
	var body recoveryBody
	if err := readJSON(r, &body); err != nil {
		return err
	}
	recovery := body.recovery()
	defer recovery.Auth.Wipe()
	if err := a.cfg.Accounts.SetRecovery(r.Context(), session, recovery); err != nil {
		return err
	}
	return noContent(w)
}

func (a *API) passkeyOptions(w http.ResponseWriter, r *http.Request) error {
	session, err := a.session(r)
	if err != nil {
		return err
	}
	if err := readJSON(r, &nothing{}); err != nil {
		return err
	}
	options, err := a.cfg.Accounts.BeginAdd(r.Context(), session)
	if err != nil {
		return err
	}
	return writeJSON(w, options)
}

func (a *API) addPasskey(w http.ResponseWriter, r *http.Request) error {
	session, err := a.session(r)
	if err != nil {
		return err
	}
	var body struct {
		Credential  json.RawMessage `json:"credential"`
		Wrap        wrapBody        `json:"wrap"`
		PasskeyName string          `json:"passkey_name"`
	}
	if err := readJSON(r, &body); err != nil {
		return err
	}
	if body.Wrap.Kind != "passkey" {
		return problem.New(problem.InvalidRequest, errors.New("a wrap for the passkey is needed"))
	}
	opened, err := a.cfg.Accounts.AddPasskey(r.Context(), session, account.NewPasskey{Credential: body.Credential,
		Name: body.PasskeyName, WrapFor: body.Wrap.CredentialID, Wrap: body.Wrap.wrap()})
	if err != nil {
		return err
	}
	if !opened.Token.IsZero() {
		a.setCookie(w, cookieSession, opened.Token.Reveal())
	}
	return noContent(w)
}

func (a *API) removePasskey(w http.ResponseWriter, r *http.Request) error {
	session, err := a.session(r)
	if err != nil {
		return err
	}
	if err := readJSON(r, &nothing{}); err != nil {
		return err
	}
	id, err := base64.RawURLEncoding.Strict().DecodeString(r.PathValue("id"))
	if err != nil {
		return problem.New(problem.NotFound, errors.New("not a credential's identifier"))
	}
	if err := a.cfg.Accounts.RemovePasskey(r.Context(), session, id); err != nil {
		return err
	}
	a.cfg.SignOuts.SignedOutAll(session.Account, SessionName(session.TokenHash))
	return noContent(w)
}
