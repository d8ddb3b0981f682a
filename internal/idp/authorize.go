package idp

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/luikyv/go-oidc/pkg/goidc"
)

// The cookie that binds a login to the browser that began it holds 256 random
// bits and nothing else, and is shared by the logins that one browser has open.
// Over http, which is for loopback only, it cannot carry the prefix and Secure:
// not every browser keeps such cookies there.
const (
	browserCookie         = "__Host-ipse_login"
	browserCookieLoopback = "ipse_login"
)

// BrowserCookie is the name of the cookie that binds a login to the browser that
// began it.
func (p *Provider) BrowserCookie() string {
	if p.secure() {
		return browserCookie
	}
	return browserCookieLoopback
}

func (p *Provider) secure() bool { return strings.HasPrefix(p.cfg.Issuer, "https:") }

// Browser returns what Login, Consent and Refuse call browser, or "".
func (p *Provider) Browser(r *http.Request) string {
	c, err := r.Cookie(p.BrowserCookie())
	if err != nil || !isSecret(c.Value) {
		return ""
	}
	return c.Value
}

// isSecret reports whether s has the form of newSecret's result.
func isSecret(s string) bool {
	return len(s) == 43 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

const (
	errorRequestNotSupported goidc.ErrorCode = "request_not_supported"
	errorResponseType        goidc.ErrorCode = "unsupported_response_type"
	errorServer              goidc.ErrorCode = "server_error"
	errorBusy                goidc.ErrorCode = "temporarily_unavailable"
	pushedClaims                             = "claims"
	pushedLocales                            = "ui_locales"
	pushedHint                               = "hint"
)

// maxParam bounds each parameter of an authorization request but claims, bytes.
const maxParam = 2048

// checkParams refuses what no answer to the service may follow from: the
// parameters are not even readable as one request. It returns the parameters
// without those that the library must not see.
func (p *Provider) checkParams(values url.Values) (url.Values, *Service, error) {
	for name, list := range values {
		if len(list) > 1 {
			return nil, nil, fmt.Errorf("a parameter is given twice: %s", printable(name))
		}
		if len(list[0]) > maxParam && name != "claims" {
			return nil, nil, fmt.Errorf("a parameter is too long: %s", printable(name))
		}
	}
	svc := p.current().services[values.Get("client_id")]
	if svc == nil {
		return nil, nil, errors.New("client_id is missing or names no registered service")
	}
	if values.Has("request_uri") {
		// RFC 9126, 4: everything was pushed. What else the browser brings is dropped,
		// so that nobody can add to a request that the service has authenticated.
		return url.Values{"client_id": {svc.ID}, "request_uri": {values.Get("request_uri")}}, svc, nil
	}
	if redirect := values.Get("redirect_uri"); !slices.Contains(svc.RedirectURIs, redirect) {
		return nil, nil, errors.New("redirect_uri is missing or not registered for this service (it is compared exactly)")
	}
	return values, svc, nil
}

// extras takes out of the parameters what is handled here and must not be
// stored as it came: login_hint may name a person, id_token_hint carries claims.
// Its error is a goidc.Error, safe to send to the service.
func (p *Provider) extras(values url.Values, svc *Service) (map[string]any, error) {
	out := map[string]any{}
	if raw := values.Get("claims"); raw != "" {
		out[pushedClaims] = raw
	}
	if raw := values.Get("ui_locales"); raw != "" {
		out[pushedLocales] = raw
	}
	var fault error
	if raw := values.Get("id_token_hint"); raw != "" {
		h, err := p.readHint(raw)
		if err == nil && h.ClientID != svc.ID {
			err = errors.New("id_token_hint was issued to another service")
		}
		if err != nil {
			fault = goidc.NewError(goidc.ErrorCodeInvalidRequest, err.Error())
		}
		out[pushedHint] = h.Subject
	}
	if kind := values.Get("response_type"); kind != "" && kind != "code" {
		// The library would call it an invalid request (RFC 6749, 4.1.2.1).
		fault = goidc.NewError(errorResponseType, "response_type must be code")
		values.Set("response_type", "code")
	}
	if mode := values.Get("response_mode"); mode != "" && mode != "query" {
		// The library would answer in the mode that it refuses.
		fault = goidc.NewError(goidc.ErrorCodeInvalidRequest, "response_mode must be query")
		values.Del("response_mode")
	}
	for _, name := range []string{"claims", "id_token_hint", "login_hint", "login_hint_token", "display"} {
		values.Del(name)
	}
	// What is not understood is passed over, not refused (OpenID Connect Core
	// 3.1.2.1, scope, acr_values, display); the library would refuse.
	keepKnown(values, "scope", func(s string) bool { return slices.Contains(knownScopes(), s) })
	keepKnown(values, "acr_values", func(s string) bool { return s == acrPasskey || acrRank(s) > 0 })
	return out, fault
}

// keepKnown drops the unknown words of a space-separated parameter.
func keepKnown(values url.Values, name string, known func(string) bool) {
	if !values.Has(name) {
		return
	}
	words := slices.DeleteFunc(strings.Fields(values.Get(name)), func(s string) bool { return !known(s) })
	if len(words) == 0 {
		values.Del(name)
		return
	}
	values.Set(name, strings.Join(words, " "))
}

// pushed runs when a request is pushed (RFC 9126): what is wrong is said to the
// service at once rather than to the person later.
func (p *Provider) pushed(ctx context.Context, as *goidc.AuthnSession, c *goidc.Client) error {
	svc := p.current().services[c.ID]
	if svc == nil {
		return goidc.NewError(goidc.ErrorCodeInvalidClient, "the service is no longer registered")
	}
	if as.RedirectURI == "" || !slices.Contains(svc.RedirectURIs, as.RedirectURI) {
		return goidc.NewError(goidc.ErrorCodeInvalidRequest, "redirect_uri is missing or not registered for this service")
	}
	if stateOf(ctx).pushed == nil {
		// What extras takes out and keeps would be lost: an essential level among it.
		return goidc.NewError(goidc.ErrorCodeInvalidRequest, "client_id must name the service that authenticates")
	}
	if as.ResponseType == "" || as.Scopes == "" {
		return goidc.NewError(goidc.ErrorCodeInvalidRequest, "response_type=code and scope are required")
	}
	as.Store = stateOf(ctx).pushed
	if _, err := p.understand(as, svc); err != nil {
		return err
	}
	return p.reserve()
}

// authenticate is the library's policy. It runs twice: at the authorization
// endpoint, where it opens a login and sends the browser to its page, and when
// the person has answered.
func (p *Provider) authenticate(w http.ResponseWriter, r *http.Request, as *goidc.AuthnSession, c *goidc.Client) (goidc.Status, error) {
	st := stateOf(r.Context())
	if st.decision != nil {
		return st.decision.apply(as)
	}
	svc := p.current().services[c.ID]
	if svc == nil {
		return goidc.StatusFailure, goidc.NewError(goidc.ErrorCodeUnauthorizedClient, "the service is no longer registered")
	}
	if as.PushedAuthReqID == "" {
		as.Store = st.pushed
	}
	if st.err != nil {
		return goidc.StatusFailure, st.err
	}
	w0, err := p.understand(as, svc)
	if err != nil {
		return goidc.StatusFailure, err
	}
	if p.cfg.Admit != nil && p.cfg.Admit(r) > 0 {
		return goidc.StatusFailure, goidc.WrapError(errorBusy, "too many logins were begun from this address; try again in a minute", ErrBusy)
	}
	if err := p.reserve(); err != nil {
		return goidc.StatusFailure, err
	}
	browser := p.Browser(r)
	if browser == "" {
		browser = newSecret(p.cfg.Rand)
	}
	sum := sha256.Sum256([]byte(browser))
	now := p.now()
	st.rec = &loginRecord{State: loginState{
		Browser: sum[:], Started: now.UnixNano(), Expires: now.Add(p.cfg.LoginLifetime).Unix(), Wanted: w0,
	}}
	if locales, ok := as.Store[pushedLocales].(string); ok {
		st.rec.State.Language = firstLanguage(locales)
	}
	as.Store, as.PushedAuthReqID = nil, ""
	// Saved here, before the answer is written: a browser must never be sent to a
	// login that could not be kept.
	if err := (managers{p}).SaveSession(r.Context(), as); err != nil {
		p.cfg.Logger.ErrorContext(r.Context(), "keep a login", slog.String("error", err.Error()))
		return goidc.StatusFailure, goidc.NewError(errorServer, "the login could not be kept; try again")
	}
	st.saved = true
	p.setBrowser(w, browser)
	http.Redirect(w, r, p.cfg.LoginPath+as.ID, http.StatusSeeOther)
	return goidc.StatusPending, nil
}

// understand checks what the library leaves to its user and resolves what is
// asked for. Its errors are goidc.Error, safe to send to the service.
func (p *Provider) understand(as *goidc.AuthnSession, svc *Service) (wanted, error) {
	fail := func(code goidc.ErrorCode, text string) (wanted, error) { return wanted{}, goidc.NewError(code, text) }
	if as.RequestObject != "" {
		return fail(errorRequestNotSupported, "request objects are not supported; push the request instead (RFC 9126)")
	}
	if as.CodeChallengeMethod != goidc.CodeChallengeMethodSHA256 {
		return fail(goidc.ErrorCodeInvalidRequest, "code_challenge_method=S256 is required")
	}
	if !isSecret(as.CodeChallenge) {
		return fail(goidc.ErrorCodeInvalidRequest, "code_challenge must be the base64url form of a SHA-256 (43 characters)")
	}
	prompts := strings.Fields(string(as.Prompt))
	if slices.Contains(prompts, "none") {
		if len(prompts) > 1 {
			return fail(goidc.ErrorCodeInvalidRequest, "prompt=none excludes every other value")
		}
		return fail(goidc.ErrorCodeLoginRequired, "the person always signs in and agrees, so prompt=none cannot succeed")
	}
	raw, _ := as.Store[pushedClaims].(string)
	claims, err := parseClaimsParam(raw)
	if err != nil {
		return fail(goidc.ErrorCodeInvalidRequest, err.Error())
	}
	w := want(svc, as.Scopes, as.ACRValues, claims)
	if hinted, _ := as.Store[pushedHint].(string); hinted != "" {
		if w.Subject != "" && w.Subject != hinted {
			return fail(goidc.ErrorCodeInvalidRequest, "id_token_hint and the sub claim name different subjects")
		}
		w.Subject = hinted
	}
	return w, nil
}

// reserve counts a record about to be kept and refuses when too many wait: a
// flood of requests must not fill the disk.
func (p *Provider) reserve() error {
	if p.pending.Add(1) > int64(p.cfg.MaxPending) {
		p.pending.Add(-1)
		return goidc.WrapError(errorBusy, "too many logins are under way; try again in a minute", ErrBusy)
	}
	return nil
}

// setBrowser keeps the cookie alive for as long as a login may wait. Lax, not
// Strict: the next login begins with a navigation from another site and must
// find the cookie, or it would cut off the logins open in other tabs.
func (p *Provider) setBrowser(w http.ResponseWriter, value string) {
	http.SetCookie(w, &http.Cookie{
		Name: p.BrowserCookie(), Value: value, Path: "/", MaxAge: int(p.cfg.LoginLifetime / time.Second),
		Secure: p.secure(), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

var unprintable = regexp.MustCompile(`[^\x20-\x21\x23-\x5B\x5D-\x7E]`)

// printable keeps the characters that error_description may hold (RFC 6749,
// 4.1.2.1), at most 200 of them.
func printable(s string) string {
	s = unprintable.ReplaceAllString(s, "'")
	if len(s) > 200 {
		s = s[:200]
	}
	return s
}

// firstLanguage returns the first language of a list that the pages speak.
func firstLanguage(list string) string {
	for tag := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ' ' || r == ',' }) {
		tag, _, _ = strings.Cut(strings.ToLower(tag), ";")
		base, _, _ := strings.Cut(tag, "-")
		if base == "en" || base == "fr" {
			return base
		}
	}
	return ""
}
