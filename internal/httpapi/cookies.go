package httpapi

import "net/http"

// The cookies: what they hold is random and opens one session each. They end
// with the browser's own session. Over https they carry the prefix __Host- (RFC
// 6265bis §4.1.3.2): no other host of the domain can set them.
const (
	cookieProofing = "ipse_proofing"
	cookieSession  = "ipse_session"
	cookieAgent    = "ipse_agent"
)

func (a *API) cookieName(name string) string {
	if a.secure {
		return "__Host-" + name
	}
	return name
}

func (a *API) cookie(r *http.Request, name string) string {
	c, err := r.Cookie(a.cookieName(name))
	if err != nil {
		return ""
	}
	return c.Value
}

// setCookie sets a cookie, or removes it when value is empty. The session's is
// Lax, since a service's logout begins with a navigation from another site; no
// GET request changes anything. The proofing's and the agent's are Strict.
func (a *API) setCookie(w http.ResponseWriter, name, value string) {
	c := &http.Cookie{Name: a.cookieName(name), Value: value, Path: "/", HttpOnly: true, Secure: a.secure, SameSite: http.SameSiteStrictMode}
	if name == cookieSession {
		c.SameSite = http.SameSiteLaxMode
	}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// EndSession ends the session of the browser that a service logs out, if it is of the
// account that the service means (idp.Config.EndSession).
func (a *API) EndSession(w http.ResponseWriter, r *http.Request, theirs func(account string) bool) {
	session, err := a.session(r)
	if err == nil && !theirs(session.Account) {
		return
	}
	token := a.cookie(r, cookieSession)
	a.setCookie(w, cookieSession, "")
	if token == "" {
		return
	}
	if err := a.signOut(r.Context(), token); err != nil {
		a.cfg.Log.ErrorContext(r.Context(), "end a session", "error", err)
	}
}
