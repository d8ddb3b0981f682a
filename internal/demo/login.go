package demo

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// attempt is what the browser keeps between the way out and the way back. It is
// no secret from its own browser.
type attempt struct {
	State    string `json:"s"`
	Nonce    string `json:"n"`
	Verifier string `json:"v"` // RFC 7636, 4.1
}

// attemptLifetime exceeds what the provider lets a login wait.
const attemptLifetime = 20 * time.Minute

// loggedOutState comes back from the provider after a logout.
const loggedOutState = "logged-out"

// discover asks for the provider's metadata, once it answers: it may start
// after the service.
func (s *Service) discover(ctx context.Context) (*oidc.Provider, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.provider != nil {
		return s.provider, nil
	}
	// The provider outlives the request that found it.
	p, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), s.cfg.HTTPClient), s.cfg.Issuer)
	if err != nil {
		return nil, fmt.Errorf("discover the provider: %w", err)
	}
	s.provider = p
	return p, nil
}

// login sends the browser to the provider (OpenID Connect Core 3.1.2.1).
func (s *Service) login(w http.ResponseWriter, r *http.Request) {
	p, err := s.discover(r.Context())
	if err != nil {
		s.fail(w, r, http.StatusBadGateway, "unreachable", err)
		return
	}
	a, err := s.newAttempt()
	if err != nil {
		s.fail(w, r, http.StatusInternalServerError, "fault", err)
		return
	}
	raw, err := json.Marshal(a)
	if err != nil {
		s.fail(w, r, http.StatusInternalServerError, "fault", err)
		return
	}
	s.setCookie(w, "login", base64.RawURLEncoding.EncodeToString(raw), attemptLifetime)
	claims, err := s.claimsParameter()
	if err != nil {
		s.fail(w, r, http.StatusInternalServerError, "fault", err)
		return
	}
	http.Redirect(w, r, s.oauth(p).AuthCodeURL(a.State,
		oauth2.S256ChallengeOption(a.Verifier), oidc.Nonce(a.Nonce),
		oauth2.SetAuthURLParam("claims", claims),
		oauth2.SetAuthURLParam("acr_values", s.office.acr),
		oauth2.SetAuthURLParam("ui_locales", s.language(r)),
	), http.StatusSeeOther)
}

// claimsParameter asks for exactly what the office needs (Core 5.5), at the
// userinfo endpoint: nothing of it travels in the ID token.
func (s *Service) claimsParameter() (string, error) {
	asked := map[string]any{}
	for _, w := range s.office.wishes {
		asked[w.name] = map[string]bool{"essential": w.essential}
	}
	raw, err := json.Marshal(map[string]any{"userinfo": asked})
	return string(raw), err
}

func (s *Service) newAttempt() (a attempt, err error) {
	for _, field := range []*string{&a.State, &a.Nonce, &a.Verifier} {
		if *field, err = s.random(); err != nil {
			return attempt{}, err
		}
	}
	return a, nil
}

// pending is the attempt of this browser.
func (s *Service) pending(r *http.Request) (a attempt, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(s.cookie(r, "login"))
	if err != nil || json.Unmarshal(raw, &a) != nil {
		return attempt{}, false
	}
	return a, a.State != "" && a.Nonce != "" && a.Verifier != ""
}

// callback receives the answer (Core 3.1.2.5).
func (s *Service) callback(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	a, ok := s.pending(r)
	if !ok || subtle.ConstantTimeCompare([]byte(a.State), []byte(q.Get("state"))) != 1 {
		s.fail(w, r, http.StatusBadRequest, "stale", nil)
		return
	}
	if q.Get("iss") != s.cfg.Issuer { // RFC 9207, 2.4: an answer of another provider
		s.fail(w, r, http.StatusBadRequest, "stale", nil)
		return
	}
	s.setCookie(w, "login", "", 0)
	if code := q.Get("error"); code != "" {
		s.refused(w, r, code)
		return
	}
	v, err := s.redeem(r.Context(), q.Get("code"), a)
	if err != nil {
		s.fail(w, r, http.StatusBadGateway, "failed", err)
		return
	}
	token, err := s.random()
	if err != nil {
		s.fail(w, r, http.StatusInternalServerError, "fault", err)
		return
	}
	v.ends = s.cfg.Now().Add(sessionLifetime)
	s.sessions.put(token, v, s.cfg.Now())
	s.setCookie(w, "session", token, sessionLifetime)
	http.Redirect(w, r, s.cfg.BaseURL+"/", http.StatusSeeOther)
}

// refused explains an error answer (Core 3.1.2.6).
func (s *Service) refused(w http.ResponseWriter, r *http.Request, code string) {
	switch code {
	case "access_denied", "unmet_authentication_requirements":
		s.show(w, r, http.StatusOK, view{Page: "problem", Problem: code})
	case "temporarily_unavailable", "server_error":
		s.show(w, r, http.StatusBadGateway, view{Page: "problem", Problem: "unreachable"})
	default:
		// Our own mistake, then. The code is one of a registered list, not a value.
		s.fail(w, r, http.StatusBadGateway, "failed", errors.New("the provider refuses the request"))
	}
}

// redeem exchanges the code and checks everything that comes back.
func (s *Service) redeem(ctx context.Context, code string, a attempt) (visit, error) {
	p, err := s.discover(ctx)
	if err != nil {
		return visit{}, err
	}
	ctx = oidc.ClientContext(ctx, s.cfg.HTTPClient)
	token, err := s.oauth(p).Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return visit{}, errors.New("the code is not accepted") // the cause may repeat it
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := p.VerifierContext(ctx, &oidc.Config{ClientID: s.cfg.ClientID, SupportedSigningAlgs: []string{s.office.alg}}).Verify(ctx, raw)
	if err != nil {
		return visit{}, errors.New("the ID token does not verify")
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(a.Nonce)) != 1 {
		return visit{}, errors.New("the ID token answers another request")
	}
	var level struct {
		ACR string `json:"acr"`
	}
	if err := id.Claims(&level); err != nil || !sufficient(level.ACR, s.office.acr) {
		return visit{}, errors.New("the level is not the one asked for")
	}
	info, err := p.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return visit{}, errors.New("the claims do not arrive")
	}
	if info.Subject != id.Subject { // Core 5.3.2
		return visit{}, errors.New("the claims are about somebody else")
	}
	v := visit{Subject: id.Subject, ACR: level.ACR, Claims: map[string]any{}, idToken: raw}
	all := map[string]any{}
	if err := info.Claims(&all); err != nil {
		return visit{}, errors.New("the claims cannot be read")
	}
	for _, wish := range s.office.wishes {
		value, ok := all[wish.name]
		if !ok && wish.essential {
			return visit{}, errors.New("an essential claim is missing")
		}
		if ok {
			v.Claims[wish.name] = value
		}
	}
	return v, nil
}

// sufficient reports whether a level reaches another; their names sort.
func sufficient(got, wanted string) bool {
	known := map[string]bool{"eidas1": true, "eidas2": true, "eidas3": true}
	return known[got] && known[wanted] && got >= wanted
}

// logout ends the session here, then at the provider (RP-Initiated Logout 1.0).
// The ID token holds a level and a subject that means something to this service alone.
func (s *Service) logout(w http.ResponseWriter, r *http.Request) {
	v, ok := s.session(r)
	s.sessions.end(s.cookie(r, "session"))
	s.setCookie(w, "session", "", 0)
	target := s.cfg.BaseURL + "/"
	p, err := s.discover(r.Context())
	var metadata struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if ok && err == nil && p.Claims(&metadata) == nil && metadata.EndSession != "" {
		target = metadata.EndSession + "?" + url.Values{
			"id_token_hint": {v.idToken}, "post_logout_redirect_uri": {target}, "state": {loggedOutState},
		}.Encode()
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
}

// fail shows a problem page and tells the operator the cause.
func (s *Service) fail(w http.ResponseWriter, r *http.Request, status int, problem string, cause error) {
	if cause != nil {
		s.cfg.Logger.WarnContext(r.Context(), "demo service", slog.String("office", string(s.cfg.Office)),
			slog.String("problem", problem), slog.String("error", cause.Error()))
	}
	s.show(w, r, status, view{Page: "problem", Problem: problem})
}
