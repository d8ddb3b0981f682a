package idp

import (
	"context"
	"errors"
	"time"

	"github.com/luikyv/go-oidc/pkg/goidc"
)

// managers adapts the Store to go-oidc's manager interfaces. Records are sealed
// under the secret that names them (login id, request_uri, code, access token),
// and each secret is known to the browser or the service alone.
//
// The library reads a code and writes it back as used in two steps; here the
// reading itself is the single use, atomically, so that two redemptions of one
// code never both succeed.
type managers struct{ p *Provider }

// requestState carries what belongs to one HTTP request (or to one answer of a
// person) between the library's callbacks. It is used by one goroutine.
type requestState struct {
	err      error          // what the library reported, for a clear answer
	rec      *loginRecord   // the login being resumed
	decision *decision      // the person's answer to it
	grant    *goidc.Grant   // the grant behind the access token being checked
	pushed   map[string]any // what to remember with a pushed request
	saved    bool           // the login is kept already
}

type requestKey struct{}

func stateOf(ctx context.Context) *requestState {
	st, ok := ctx.Value(requestKey{}).(*requestState)
	if !ok {
		return &requestState{}
	}
	return st
}

// SaveSession implements goidc.AuthManager.
func (m managers) SaveSession(ctx context.Context, as *goidc.AuthnSession) error {
	switch {
	case as.Status != goidc.StatusPending:
		return nil // answered or failed: takeLogin and Take have erased it
	case as.PolicyID == "":
		return m.insert(ctx, kindPAR, as.PushedAuthReqID, nil, as, time.Unix(int64(as.ExpiresAt), 0))
	default:
		rec := stateOf(ctx).rec
		if stateOf(ctx).saved {
			return nil
		}
		if rec == nil {
			return errors.New("a login without its state")
		}
		rec.Session = as
		return m.insert(ctx, kindLogin, as.ID, nil, rec, time.Unix(rec.State.Expires, 0))
	}
}

func (m managers) insert(ctx context.Context, k kind, secret string, group []byte, v any, expires time.Time) error {
	sealed, err := k.seal(secret, v)
	if err != nil {
		return err
	}
	ok, err := m.p.cfg.Store.Insert(ctx, string(k), k.lookup(secret), group, sealed, expires)
	if err != nil {
		return storeFailure(err)
	}
	if !ok {
		return errRevoked
	}
	return nil
}

var errRevoked = errors.New("the grant was revoked")

// Session implements goidc.AuthManager: only a login that is being answered in
// this very call can be resumed.
func (m managers) Session(ctx context.Context, id string) (*goidc.AuthnSession, error) {
	st := stateOf(ctx)
	if st.rec == nil || st.decision == nil || st.rec.Session.ID != id {
		return nil, goidc.ErrNotFound
	}
	return st.rec.Session, nil
}

// SessionByPushedAuthReqID implements goidc.PARManager. A request_uri works
// once (RFC 9126, 7.3).
func (m managers) SessionByPushedAuthReqID(ctx context.Context, id string) (*goidc.AuthnSession, error) {
	now := m.p.now()
	sealed, _, found, err := m.p.cfg.Store.Take(ctx, string(kindPAR), kindPAR.lookup(id), now, now)
	if err != nil {
		return nil, storeFailure(err)
	}
	if !found || sealed == nil {
		return nil, goidc.ErrNotFound
	}
	as := &goidc.AuthnSession{}
	if err := kindPAR.open(id, sealed, as); err != nil {
		return nil, goidc.ErrNotFound
	}
	return as, nil
}

// codeRecord is a grant waiting for its code.
type codeRecord struct {
	Grant *goidc.Grant `json:"g"`
}

// SaveGrant implements goidc.GrantManager. A new grant is sealed under its
// code. A used one needs no writing. A revoked one takes its tokens with it.
func (m managers) SaveGrant(ctx context.Context, g *goidc.Grant) error {
	switch {
	case g.RevokedAt != 0:
		until := m.p.now().Add(m.p.cfg.CodeLifetime + m.p.cfg.TokenLifetime + time.Minute)
		return storeFailure(m.p.cfg.Store.Revoke(ctx, grantGroup(g.ID), until))
	case g.AuthCodeConsumedAt != 0:
		return nil
	case g.AuthCode == "":
		return errors.New("a grant without a code")
	}
	stored := *g
	stored.AuthCode = ""
	expires := m.p.now().Add(m.p.cfg.CodeLifetime)
	return m.insert(ctx, kindCode, g.AuthCode, grantGroup(g.ID), codeRecord{Grant: &stored}, expires)
}

// grantGroup is the store's name for a grant: the id is random and appears
// nowhere else.
func grantGroup(id string) []byte { return kind("grant").lookup(id) }

// GrantByAuthCode implements goidc.AuthManager. Taking the code is its single
// use. When it comes back, every token issued from it is revoked first (OAuth
// 2.1, 4.1.3).
func (m managers) GrantByAuthCode(ctx context.Context, code string) (*goidc.Grant, error) {
	now := m.p.now()
	keep := now.Add(m.p.cfg.TokenLifetime + time.Minute)
	sealed, group, found, err := m.p.cfg.Store.Take(ctx, string(kindCode), kindCode.lookup(code), now, keep)
	if err != nil {
		return nil, storeFailure(err)
	}
	if !found {
		return nil, errCodeUnknown
	}
	if sealed == nil {
		if err := m.p.cfg.Store.Revoke(ctx, group, keep); err != nil {
			return nil, storeFailure(err)
		}
		return nil, errCodeUsed
	}
	var rec codeRecord
	if err := kindCode.open(code, sealed, &rec); err != nil || rec.Grant == nil {
		return nil, errCodeUnknown
	}
	rec.Grant.AuthCode = code
	return rec.Grant, nil
}

// Both wrap goidc.ErrNotFound, so that the library answers invalid_grant.
var (
	errCodeUnknown error = notFound("the authorization code is unknown or has expired")
	errCodeUsed    error = notFound("the authorization code was used before; its tokens are revoked")
)

type notFound string

func (n notFound) Error() string        { return string(n) }
func (n notFound) Is(target error) bool { return target == goidc.ErrNotFound }

// tokenRecord is what stands behind an access token.
type tokenRecord struct {
	Token *goidc.Token `json:"t"`
	Grant *goidc.Grant `json:"g"`
}

// handleToken seals the grant under the new access token. It runs where the
// library has both in hand; SaveToken then has nothing left to do.
func (m managers) handleToken(ctx context.Context, t *goidc.Token, g *goidc.Grant) error {
	grant := *g
	grant.AuthCode = ""
	grant.AuthParams = goidc.AuthorizationParameters{}
	token := *t
	value := token.ID
	token.ID = ""
	err := m.insert(ctx, kindToken, value, grantGroup(g.ID), tokenRecord{Token: &token, Grant: &grant}, m.p.now().Add(m.p.cfg.TokenLifetime))
	if errors.Is(err, errRevoked) {
		return goidc.WrapError(goidc.ErrorCodeInvalidGrant, "invalid grant", errCodeUsed)
	}
	return err
}

// SaveToken implements goidc.OpaqueTokenManager; see handleToken.
func (m managers) SaveToken(_ context.Context, t *goidc.Token) error {
	if t.RevokedAt != 0 {
		return errors.New("revocation of a single token is not offered")
	}
	return nil
}

// Token implements goidc.OpaqueTokenManager.
func (m managers) Token(ctx context.Context, value string) (*goidc.Token, error) {
	sealed, found, err := m.p.cfg.Store.Get(ctx, string(kindToken), kindToken.lookup(value), m.p.now())
	if err != nil {
		return nil, storeFailure(err)
	}
	if !found {
		return nil, goidc.ErrNotFound
	}
	var rec tokenRecord
	if err := kindToken.open(value, sealed, &rec); err != nil || rec.Token == nil || rec.Grant == nil {
		return nil, goidc.ErrNotFound
	}
	rec.Token.ID = value
	stateOf(ctx).grant = rec.Grant
	return rec.Token, nil
}

// Grant implements goidc.GrantManager: a grant is reached through its access
// token only, which Token has just opened.
func (m managers) Grant(ctx context.Context, id string) (*goidc.Grant, error) {
	if g := stateOf(ctx).grant; g != nil && g.ID == id {
		return g, nil
	}
	return nil, goidc.ErrNotFound
}

// consumeJTI lets each client assertion and each DPoP proof pass once.
func (m managers) consumeJTI(ctx context.Context, jti string) error {
	ok, err := m.p.cfg.Store.Insert(ctx, string(kindJTI), kindJTI.lookup(jti), nil, []byte{1}, m.p.now().Add(jtiLifetime))
	if err != nil {
		return storeFailure(err)
	}
	if !ok {
		return errors.New("the jti was used before")
	}
	return nil
}

// jtiLifetime exceeds the longest life of an assertion or proof (10 minutes).
const jtiLifetime = 12 * time.Minute
