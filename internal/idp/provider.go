// Package idp is the OpenID Connect provider: services ask through it who a
// person is, and receive only what that person agreed to, after this server has
// checked its own signature on it.
//
// The protocol is spoken by github.com/luikyv/go-oidc; this package decides who
// may ask for what, keeps what must be kept for some minutes sealed under
// secrets that only the browser or the service holds, and turns a person's
// answer into an authorization code. It knows nothing of passkeys, of the vault
// or of SQL: app connects those through Verifier, Journal and Store.
package idp

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/luikyv/go-oidc/pkg/goidc"
	"github.com/luikyv/go-oidc/pkg/provider"
)

// Paths of the provider, below the issuer.
const (
	PathAuthorize = "/oidc/authorize"
	PathToken     = "/oidc/token"
	PathUserInfo  = "/oidc/userinfo"
	PathJWKS      = "/oidc/jwks"
	PathPAR       = "/oidc/par"
	PathLogout    = "/oidc/logout"
	PathDiscovery = "/.well-known/openid-configuration"
	// PathMetadata is where RFC 8414 looks for the same document.
	PathMetadata = "/.well-known/oauth-authorization-server"
)

// Config is what a Provider needs.
type Config struct {
	// Issuer is the public address without trailing slash: https, or http on loopback.
	Issuer string
	// Name is the installation's name, for the error pages.
	Name string
	// Keys sign ID tokens: at least one ES256 and one RS256 key. The first of an
	// algorithm signs; the others stay published so that older tokens verify.
	Keys []SigningKey
	// PairwiseKey derives subjects; at least 32 bytes. Changing it makes every
	// person a stranger to every service.
	PairwiseKey []byte
	// Services are the registrations at start; see SetServices.
	Services []Service
	// Store, Verifier and Journal are required.
	Store    Store
	Verifier Verifier
	Journal  Journal
	// EndSession ends the browser's own session when a service logs the person out,
	// if it is of an account for which theirs is true. Optional.
	EndSession func(w http.ResponseWriter, r *http.Request, theirs func(account string) bool)
	// Admit spends of the allowance of a browser that begins a login, or says how long
	// it must wait; the service is told temporarily_unavailable then. Optional.
	Admit func(*http.Request) (wait time.Duration)
	// LoginPath is the page of a login, without its id. Default "/login/".
	LoginPath string
	// LoginLifetime: how long a login waits for its answer. Default 15 minutes.
	LoginLifetime time.Duration
	// CodeLifetime, default 60 s; TokenLifetime, default 10 minutes; IDTokenLifetime, default 10 minutes.
	CodeLifetime, TokenLifetime, IDTokenLifetime time.Duration
	// SessionLifetime is how long a person's session lasts at most, for which services
	// are remembered that want to be told of its end. Default 12 hours.
	SessionLifetime time.Duration
	// LogoutRetries are the pauses before a logout token is sent again. Default 2 s,
	// 10 s and 60 s.
	LogoutRetries []time.Duration
	// HTTPClient sends logout tokens; it must follow no redirection. Optional.
	HTTPClient *http.Client
	// MaxPending bounds the records waiting at once, logins and pushed requests
	// together. Default 100,000 (about 200 MB).
	MaxPending int
	// Now and Rand default to time.Now and crypto/rand.
	Now  func() time.Time
	Rand io.Reader
	// Logger receives codes and causes, never values. Required.
	Logger *slog.Logger
}

// Provider is the OpenID Connect provider. It is safe for concurrent use.
type Provider struct {
	cfg     Config
	keys    *keySet
	serving atomic.Pointer[generation]
	signIns signIns
	notices chan notice
	pending atomic.Int64 // records waiting, as of the last sweep plus those since
}

// generation is one set of services with the library's provider built for it.
// It is replaced as a whole and never changed, but for jwks.
type generation struct {
	services  map[string]*Service
	handler   http.Handler
	discovery []byte
	jwks      atomic.Pointer[[]byte] // nil until asked for: a key may still have to be made
}

// New checks the configuration and builds the provider.
func New(cfg Config) (*Provider, error) {
	if err := cfg.complete(); err != nil {
		return nil, fmt.Errorf("idp: %w", err)
	}
	keys, err := newKeySet(cfg.Keys)
	if err != nil {
		return nil, fmt.Errorf("idp: %w", err)
	}
	p := &Provider{cfg: cfg, keys: keys, signIns: signIns{by: map[string]*signIn{}}, notices: make(chan notice, maxNotices)}
	if err := p.SetServices(cfg.Services); err != nil {
		return nil, err
	}
	return p, nil
}

// complete checks the configuration and fills its defaults.
func (c *Config) complete() error {
	if err := checkIssuer(c.Issuer); err != nil {
		return err
	}
	if len(c.PairwiseKey) < 32 {
		return errors.New("the pairwise key must have at least 32 bytes")
	}
	if c.Store == nil || c.Verifier == nil || c.Journal == nil || c.Logger == nil {
		return errors.New("store, verifier, journal and logger are required")
	}
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{{&c.LoginLifetime, 15 * time.Minute}, {&c.CodeLifetime, time.Minute}, {&c.TokenLifetime, 10 * time.Minute}, {&c.IDTokenLifetime, 10 * time.Minute}} {
		*d.value = cmp.Or(*d.value, d.standard)
		if *d.value < time.Second || *d.value > time.Hour {
			return errors.New("a lifetime must be between a second and an hour")
		}
	}
	c.LoginPath = cmp.Or(c.LoginPath, "/login/")
	c.SessionLifetime = cmp.Or(c.SessionLifetime, 12*time.Hour)
	c.HTTPClient = cmp.Or(c.HTTPClient, defaultHTTPClient())
	if c.LogoutRetries == nil {
		c.LogoutRetries = []time.Duration{2 * time.Second, 10 * time.Second, time.Minute}
	}
	if c.MaxPending <= 0 {
		c.MaxPending = 100_000
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	return nil
}

// checkIssuer wants what every token and every metadata document will name as its
// origin (OpenID Connect Discovery 1.0, 3): plain http would let anybody speak as it.
func checkIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	if err == nil && u.Host != "" && u.Path == "" && u.RawQuery == "" && u.Fragment == "" && !strings.HasSuffix(issuer, "/") &&
		(u.Scheme == "https" || (u.Scheme == "http" && isLoopback(u.Hostname()))) {
		return nil
	}
	return errors.New("the issuer must be an https address (http on loopback) without path or trailing slash")
}

func (p *Provider) now() time.Time       { return p.cfg.Now() }
func (p *Provider) current() *generation { return p.serving.Load() }

// SetServices replaces the registrations, all or none: the error names the
// first faulty field. Logins under way of a service that is gone end with
// ErrLoginNotFound.
func (p *Provider) SetServices(services []Service) error {
	g := &generation{services: map[string]*Service{}}
	var clients []*goidc.Client
	for _, s := range services {
		s, err := s.normalise()
		if err != nil {
			return fmt.Errorf("idp: %w", err)
		}
		if g.services[s.ID] != nil {
			return fmt.Errorf("idp: service %s is registered twice", s.ID)
		}
		g.services[s.ID] = &s
		clients = append(clients, s.client())
	}
	op, err := provider.New(p.cfg.Issuer, managers{p}, p.keys.public, p.options(clients)...)
	if err != nil {
		return fmt.Errorf("idp: %w", err)
	}
	g.handler = op.Handler()
	if g.discovery, err = p.discovery(g.handler); err != nil {
		return fmt.Errorf("idp: discovery document: %w", err)
	}
	p.serving.Store(g)
	return nil
}

// Services returns the registrations in force, in no particular order.
func (p *Provider) Services() []Service {
	var out []Service
	for _, s := range p.current().services {
		out = append(out, *s)
	}
	return out
}

// Sweep removes what has expired. Call it every minute or so.
func (p *Provider) Sweep(ctx context.Context) error {
	p.forgetSignIns()
	_, remaining, err := p.cfg.Store.Sweep(ctx, p.now())
	if err != nil {
		return storeFailure(err)
	}
	p.pending.Store(int64(remaining))
	return nil
}

// Load is how much waits at a moment.
type Load struct {
	// Pending logins and pushed requests, as of the last sweep and those since;
	// logout notices that were not sent yet.
	Pending, Notices int
}

// Load returns the present load.
func (p *Provider) Load() Load {
	return Load{Pending: int(p.pending.Load()), Notices: len(p.notices)}
}

// Subject returns the pairwise subject that a service sees for an account
// (OpenID Connect Core 8.1), for the person's own overview.
func (p *Provider) Subject(serviceID, accountID string) (string, bool) {
	s := p.current().services[serviceID]
	if s == nil {
		return "", false
	}
	return p.subject(s.SectorIdentifier, accountID), true
}

func (p *Provider) subject(sector, accountID string) string {
	mac := hmac.New(sha256.New, p.cfg.PairwiseKey)
	mac.Write([]byte("ipse/idp/pairwise/v1\x00" + sector + "\x00" + accountID))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (p *Provider) options(clients []*goidc.Client) []provider.Option {
	m := managers{p}
	random := func(context.Context) string { return newSecret(p.cfg.Rand) }
	algs := []goidc.SignatureAlgorithm{goidc.ES256, goidc.RS256, goidc.PS256}
	opts := []provider.Option{
		provider.WithSigner(p.keys.signer),
		provider.WithIDTokenSignatureAlgs(goidc.ES256, goidc.RS256),
		provider.WithIDTokenLifetime(seconds(p.cfg.IDTokenLifetime)),
		provider.WithAuthCodeGrant(m, goidc.ResponseTypeCode),
		provider.WithAuthCodeFunc(random),
		provider.WithAuthCodeLifetime(seconds(p.cfg.CodeLifetime)),
		provider.WithAuthSessionLifetime(seconds(p.cfg.LoginLifetime)),
		provider.WithAuthnSessionIDFunc(random),
		provider.WithGrantIDFunc(random),
		provider.WithOpaqueTokens(m),
		provider.WithOpaqueTokenFunc(func(context.Context, *goidc.Grant) string { return newSecret(p.cfg.Rand) }),
		provider.WithTokenOptions(func(context.Context, *goidc.Grant, *goidc.Client) goidc.TokenOptions {
			return goidc.NewOpaqueTokenOptions(seconds(p.cfg.TokenLifetime))
		}),
		provider.WithTokenHandler(m.handleToken),
		provider.WithPKCERequired(goidc.CodeChallengeMethodSHA256),
		provider.WithPAR(m),
		provider.WithPARIDFunc(random),
		provider.WithPARSessionHandler(p.pushed),
		provider.WithDPoP(goidc.ES256, goidc.RS256, goidc.PS256),
		provider.WithJTIConsumer(m.consumeJTI),
		provider.WithSecretBasicAuthn(),
		provider.WithPrivateKeyJWTAuthn(algs[0], algs...),
		provider.WithClientSecretVerifier(verifySecret),
		provider.WithSubIdentifierTypes(goidc.SubIdentifierPairwise),
		provider.WithPairwiseSubject(func(_ context.Context, account string, c *goidc.Client) string {
			sector, _ := c.CustomAttributes[clientSector].(string)
			return p.subject(sector, account)
		}),
		provider.WithIssuerResponseParameter(),
		provider.WithOpenIDScopeRequired(),
		provider.WithClaimsParameter(),
		provider.WithClaims("sub", append([]string{"acr", "amr", "auth_time"}, attributeNames()...)...),
		provider.WithACRs("eidas1", "eidas2", "eidas3", acrPasskey),
		provider.WithScopes(goidc.ScopeOpenID, goidc.ScopeProfile, goidc.NewScope("identity"), goidc.NewScope("age")),
		provider.WithPolicies(goidc.NewPolicy("consent",
			func(*http.Request, *goidc.AuthnSession, *goidc.Client) bool { return true }, p.authenticate)),
		provider.WithIDTokenClaims(idTokenClaims),
		provider.WithUserInfoClaims(userInfoClaims),
		provider.WithErrorRenderer(p.renderError),
		provider.WithErrorHandler(p.noteError),
		provider.WithAuthorizeEndpoint(PathAuthorize),
		provider.WithTokenEndpoint(PathToken),
		provider.WithUserInfoEndpoint(PathUserInfo),
		provider.WithJWKSEndpoint(PathJWKS),
		provider.WithPAREndpoint(PathPAR),
	}
	if len(clients) > 0 {
		opts = append(opts, provider.WithStaticClients(clients[0], clients[1:]...))
	}
	return opts
}

func seconds(d time.Duration) int { return int(d / time.Second) }

// amr says how the person signed in (RFC 8176): a key was proved, the person
// was present and verified to the authenticator. Nothing here tells how the
// identity was proved once: camera and counter look the same.
func amr() []string { return []string{"pop", "user", "mfa"} }

func idTokenClaims(_ context.Context, g *goidc.Grant) map[string]any {
	rel, ok := releasedOf(g)
	if !ok {
		return nil
	}
	claims := map[string]any{goidc.ClaimACR: rel.ACR, goidc.ClaimAMR: amr(), goidc.ClaimAuthTime: rel.AuthTime}
	if rel.SID != "" {
		claims["sid"] = rel.SID
	}
	for name, value := range rel.IDToken {
		claims[name] = value
	}
	return claims
}

func userInfoClaims(_ context.Context, g *goidc.Grant) map[string]any {
	rel, ok := releasedOf(g)
	if !ok {
		return nil
	}
	return rel.UserInfo
}
