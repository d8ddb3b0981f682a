package idp

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
)

// serveLogout is the end-session endpoint (OpenID Connect RP-Initiated Logout
// 1.0). The library's own refuses an ID token that has expired, which is the
// usual state of one at logout; the specification asks to accept it.
//
// The browser's session here ends only when a valid id_token_hint shows that a
// service really asked, for the very person who is signed in: neither a link on some
// page nor somebody else's ID token, which its owner can read, must sign people out.
func (p *Provider) serveLogout(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		p.page(w, r, http.StatusBadRequest, pageBadRequest, "the request cannot be read")
		return
	}
	svc, hinted, err := p.logoutService(r.Form)
	if err != nil {
		p.page(w, r, http.StatusBadRequest, pageBadRequest, err.Error())
		return
	}
	target := r.Form.Get("post_logout_redirect_uri")
	if target != "" && (svc == nil || !slices.Contains(svc.PostLogoutRedirectURIs, target)) {
		p.page(w, r, http.StatusBadRequest, pageBadRequest, "post_logout_redirect_uri is not registered for the service (it is compared exactly)")
		return
	}
	if hinted != "" && p.cfg.EndSession != nil {
		p.cfg.EndSession(w, r, func(account string) bool { return p.subject(svc.SectorIdentifier, account) == hinted })
	}
	if target == "" {
		p.page(w, r, http.StatusOK, pageLoggedOut, "")
		return
	}
	if state := r.Form.Get("state"); state != "" {
		u, err := url.Parse(target) // registered, so it parses
		if err != nil {
			p.page(w, r, http.StatusBadRequest, pageBadRequest, "post_logout_redirect_uri does not parse")
			return
		}
		q := u.Query()
		q.Set("state", state)
		u.RawQuery = q.Encode()
		target = u.String()
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
}

// logoutService finds the service that asks, by its ID token or its client_id, and the
// subject of that token, empty without one.
func (p *Provider) logoutService(form url.Values) (svc *Service, hinted string, err error) {
	for _, list := range form {
		if len(list) > 1 {
			return nil, "", errors.New("a parameter is given twice")
		}
	}
	id := form.Get("client_id")
	if raw := form.Get("id_token_hint"); raw != "" {
		h, err := p.readHint(raw)
		if err != nil {
			return nil, "", err
		}
		if id != "" && id != h.ClientID {
			return nil, "", errors.New("id_token_hint was issued to another service")
		}
		id, hinted = h.ClientID, h.Subject
	}
	if id == "" {
		return nil, "", nil
	}
	if svc = p.current().services[id]; svc == nil {
		return nil, "", errors.New("client_id names no registered service")
	}
	return svc, hinted, nil
}
