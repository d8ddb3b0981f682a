package idp

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/luikyv/go-oidc/pkg/goidc"

	"ipse/internal/pii"
)

// eventLogout is the event of a logout token (Back-Channel Logout 1.0, 2.4).
const eventLogout = "http://schemas.openid.net/event/backchannel-logout"

// Limits of back-channel logout.
const (
	maxSignIns    = 100_000         // sessions remembered
	maxNotices    = 4096            // notices waiting
	noticeWorkers = 8               // sent at once
	noticeWithin  = 5 * time.Second // for one answer
	noticeFor     = 2 * time.Minute // a logout token's life (2.4)
)

// Person is who answers a login.
type Person struct {
	// Account of the person.
	Account string
	// Session names the person's session at this server, the same as in SignedOut;
	// empty where there is none to be ended.
	Session string
	// AuthTime is when the account's passkey was last used.
	AuthTime time.Time
}

// signIns remembers which services a session has logged in to, for those that want
// to be told of its end, and for nothing else. It is in memory alone: where people
// log in is written nowhere, so that a restart forgets whom to tell.
type signIns struct {
	mu sync.Mutex // guards what follows
	by map[string]*signIn
}

// signIn is one session. root is the name by which services know it, through a
// secret hash: it stays when the session gets a new token.
type signIn struct {
	account, root string
	services      map[string]struct{}
	last          time.Time
}

// notice is one logout token to be sent.
type notice struct {
	service, sub, sid string
	attempt           int
}

// sessionID is the sid of a session for one service (Front-Channel Logout 1.0, 3):
// no two services can compare theirs.
func (p *Provider) sessionID(service, root string) string {
	mac := hmac.New(sha256.New, p.cfg.PairwiseKey)
	mac.Write([]byte("ipse/idp/sid/v1\x00" + service + "\x00" + root))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// rememberSignIn notes a login at a service that wants to be told of the session's
// end, and returns the sid for its ID token. Others are not noted and get none.
func (p *Provider) rememberSignIn(svc *Service, who Person) (sid string) {
	if svc.BackChannelLogoutURI == "" || who.Session == "" {
		return ""
	}
	s := &p.signIns
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.by[who.Session]
	switch {
	case in == nil && len(s.by) >= maxSignIns:
		p.cfg.Logger.Warn("too many sessions to tell services of their end")
		return p.sessionID(svc.ID, who.Session)
	case in == nil:
		in = &signIn{account: who.Account, root: who.Session, services: map[string]struct{}{}}
		s.by[who.Session] = in
	}
	in.services[svc.ID], in.last = struct{}{}, p.now()
	return p.sessionID(svc.ID, in.root)
}

// Moved says that a session has another name now: a new token after a new use of
// the passkey. Where it is another account's, the former person is signed out.
func (p *Provider) Moved(from, to, account string) {
	s := &p.signIns
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.by[from]
	if in == nil {
		return
	}
	delete(s.by, from)
	if in.account == account {
		in.last = p.now()
		s.by[to] = in
		return
	}
	p.tell(in)
}

// SignedOut says that a session has ended: the services that it had logged in to
// and that want to know are told, in the background.
func (p *Provider) SignedOut(session string) {
	s := &p.signIns
	s.mu.Lock()
	defer s.mu.Unlock()
	if in := s.by[session]; in != nil {
		delete(s.by, session)
		p.tell(in)
	}
}

// SignedOutAll says that every session of an account has ended but one (or none).
func (p *Provider) SignedOutAll(account, but string) {
	s := &p.signIns
	s.mu.Lock()
	defer s.mu.Unlock()
	for session, in := range s.by {
		if in.account == account && session != but {
			delete(s.by, session)
			p.tell(in)
		}
	}
}

// forgetSignIns drops the sessions that are over by themselves.
func (p *Provider) forgetSignIns() {
	s := &p.signIns
	s.mu.Lock()
	defer s.mu.Unlock()
	for session, in := range s.by {
		if p.now().Sub(in.last) >= p.cfg.SessionLifetime {
			delete(s.by, session)
		}
	}
}

// tell queues a notice for each service of a session.
func (p *Provider) tell(in *signIn) {
	for id := range in.services {
		if svc := p.current().services[id]; svc != nil && svc.BackChannelLogoutURI != "" {
			p.enqueue(notice{service: id, sub: p.subject(svc.SectorIdentifier, in.account), sid: p.sessionID(id, in.root)})
		}
	}
}

func (p *Provider) enqueue(n notice) {
	select {
	case p.notices <- n:
	default:
		p.cfg.Logger.Warn("too many logouts to be told: one is dropped", slog.String("service", n.service))
	}
}

// Run tells services of logouts until ctx ends. What waits then is not told.
func (p *Provider) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for range noticeWorkers {
		wg.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case n := <-p.notices:
					p.deliver(ctx, n)
				}
			}
		})
	}
	wg.Wait()
}

// deliver sends a notice, and again a little later when the service is out of reach.
func (p *Provider) deliver(ctx context.Context, n notice) {
	defer pii.Contain(ctx, p.cfg.Logger, "logout notice")
	status, err := p.notify(ctx, n)
	switch {
	case err == nil && status/100 == 2: // 2.8 says 200; frameworks turn that into others
		return
	case err == nil && status >= 300 && status < 500 && status != http.StatusTooManyRequests && status != http.StatusRequestTimeout:
		p.cfg.Logger.WarnContext(ctx, "a service refuses a logout token", slog.String("service", n.service), slog.Int("status", status))
		return // 2.8: it will not think otherwise of the same token later
	case ctx.Err() != nil:
		return
	}
	if n.attempt >= len(p.cfg.LogoutRetries) {
		p.cfg.Logger.WarnContext(ctx, "a service was not told of a logout", slog.String("service", n.service), slog.Int("status", status))
		return
	}
	wait := p.cfg.LogoutRetries[n.attempt]
	n.attempt++
	time.AfterFunc(wait, func() { p.enqueue(n) })
}

// notify sends one logout token (2.5). The answer's status is all that is read; the
// client's error is not passed on, since it repeats addresses.
func (p *Provider) notify(ctx context.Context, n notice) (status int, err error) {
	svc := p.current().services[n.service]
	if svc == nil || svc.BackChannelLogoutURI == "" {
		return http.StatusNoContent, nil // no longer registered
	}
	token, err := p.logoutToken(ctx, svc, n)
	if err != nil {
		p.cfg.Logger.ErrorContext(ctx, "sign a logout token", slog.String("error", err.Error()))
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, noticeWithin)
	defer cancel()
	body := strings.NewReader(url.Values{"logout_token": {token}}.Encode())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, svc.BackChannelLogoutURI, body)
	if err != nil {
		return 0, errors.New("build the request")
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := p.cfg.HTTPClient.Do(r)
	if err != nil {
		return 0, errors.New("the service cannot be reached")
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10) // so that the connection can be used again
	return resp.StatusCode, nil
}

// logoutToken is signed as the service's ID tokens are (2.4). It names nobody: the
// service's own subject, and its own name of the session.
func (p *Provider) logoutToken(ctx context.Context, svc *Service, n notice) (string, error) {
	id, signer, err := p.keys.signer(ctx, goidc.SignatureAlgorithm(svc.IDTokenAlg))
	if err != nil {
		return "", err
	}
	header, err := json.Marshal(map[string]string{"alg": svc.IDTokenAlg, "kid": id, "typ": "logout+jwt"})
	if err != nil {
		return "", fmt.Errorf("encode the header: %w", err)
	}
	now := p.now()
	payload, err := json.Marshal(map[string]any{"iss": p.cfg.Issuer, "aud": svc.ID, "sub": n.sub, "sid": n.sid, "jti": newSecret(p.cfg.Rand),
		"iat": now.Unix(), "exp": now.Add(noticeFor).Unix(), "events": map[string]any{eventLogout: map[string]any{}}})
	if err != nil {
		return "", fmt.Errorf("encode the token: %w", err)
	}
	signed := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(payload)
	digest := sha256.Sum256([]byte(signed))
	signature, err := signer.Sign(p.cfg.Rand, digest[:], crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// defaultHTTPClient speaks to services: briefly, and following no redirection, which
// could lead to an address that nobody registered.
func defaultHTTPClient() *http.Client {
	return &http.Client{Timeout: 2 * noticeWithin,
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConns: 64, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: noticeWithin},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}
