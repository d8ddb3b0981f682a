package httpapi

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"ipse/internal/account"
	"ipse/internal/counter"
	"ipse/internal/fair"
	"ipse/internal/problem"
	"ipse/internal/proofing"
	"ipse/internal/relay"
	"ipse/internal/vault"
)

// Site is what the pages may know of the installation, in its JSON shape.
type Site struct {
	Name      string   `json:"name"`
	Operator  Operator `json:"operator"`
	Demo      bool     `json:"demo"`
	Counter   Counter  `json:"counter"`
	Languages []string `json:"languages"`
	Version   string   `json:"version"`
	// Light is the rule for colours in the live check: off, when_available, required.
	Light string `json:"light"`
}

// Operator is who runs the installation.
type Operator struct {
	Name             string `json:"name"`
	Contact          string `json:"contact"`
	PrivacyURL       string `json:"privacy_url"`
	AccessibilityURL string `json:"accessibility_url"`
}

// Counter lists the places where people are served without a camera.
type Counter struct {
	Places []string `json:"places"`
}

// Text is a text in the languages of the pages.
type Text struct {
	EN string `json:"en"`
	FR string `json:"fr"`
}

// Login is what the login page shows. See docs/api.md.
type Login struct {
	Service       LoginService     `json:"service"`
	Purpose       Text             `json:"purpose"`
	LegalBasis    Text             `json:"legal_basis"`
	ACR           string           `json:"acr"`
	LevelRequired string           `json:"level_required"`
	Attributes    []LoginAttribute `json:"attributes"`
	// Terms name what is agreed to: a remembered answer holds for the same terms.
	Terms     string    `json:"terms"`
	ExpiresAt time.Time `json:"expires_at"`
	Language  string    `json:"language,omitempty"`
	// SignedIn says that this browser's session used its passkey after the login
	// began. The API fills it in.
	SignedIn bool `json:"signed_in"`
	// StartedAt: a passkey must be used after it.
	StartedAt time.Time `json:"-"`
}

// LoginAnswer is the person's yes.
type LoginAnswer struct {
	// Presentation is the account's claims with the chosen disclosures.
	Presentation string `json:"presentation"`
	// Remember that the same answer is to be given to the same terms. It is kept in
	// the journal that only the person can open.
	Remember bool `json:"remember"`
}

// LoginService is the service that asks.
type LoginService struct {
	ID        string `json:"id"`
	Name      Text   `json:"name"`
	LogoURL   string `json:"logo_url"`
	PolicyURL string `json:"policy_url"`
}

// LoginAttribute is one attribute that the service asks for.
type LoginAttribute struct {
	Name      string `json:"name"`
	Essential bool   `json:"essential"`
}

// Logins are the logins at services that wait for an answer (package idp). The
// request tells which browser asks. Errors name their code for the problem table.
type Logins interface {
	// Login describes a waiting login.
	Login(r *http.Request, id string) (Login, error)
	// Consent ends it with the person's agreement and returns where to go next.
	Consent(r *http.Request, id string, session account.Session, answer LoginAnswer) (redirect string, err error)
	// Refuse ends it without, and returns where to go next.
	Refuse(r *http.Request, id string) (redirect string, err error)
}

// SignOuts hears of the ends of sessions, to tell services that want to know
// (package idp). Sessions go by SessionName. It returns at once.
type SignOuts interface {
	// Moved: a session of an account has another name.
	Moved(from, to, account string)
	// SignedOut: a session has ended.
	SignedOut(session string)
	// SignedOutAll: every session of an account has ended but one, which may be empty.
	SignedOutAll(account, but string)
}

// Config makes an API. Every member is required unless it says otherwise.
type Config struct {
	// PublicURL is the address of the pages, without a trailing slash. Requests
	// that change something must come from it.
	PublicURL string
	Site      Site
	Proofing  *proofing.Service
	Accounts  *account.Service
	Vault     *vault.Vault
	// Counter serves the agents.
	Counter  *counter.Service
	Logins   Logins
	SignOuts SignOuts
	// OIDC serves the OpenID provider's own paths, Relay the readers, Pages the rest.
	OIDC, Relay, Pages http.Handler
	// Demo is what the demonstration adds under /demo/; nil, as everywhere else,
	// means that there is no such thing.
	Demo Demo
	// OnCamera, if set, is called when somebody begins a check with the camera: the
	// time to load models.
	OnCamera func()
	// Ready reports why the server cannot serve, or nil.
	Ready func(ctx context.Context) error
	// Client finds the client of a request (see the function Client).
	Client func(*http.Request) fair.Client
	// Now is the clock; Rand keys the table of clients.
	Now  func() time.Time
	Rand io.Reader
	Log  *slog.Logger
	// Observe, if set, is called after each request, to be counted: with the class of
	// its route (see classOf), its status and how long it took.
	Observe func(class string, status int, took time.Duration)
	// Logos are the services' pictures, by service. May be nil.
	Logos map[string]Logo
	// Pace multiplies the allowance of clients; zero means 1.
	Pace int
}

// API is the handler of everything that the server serves. Close it before the
// server is shut down: it ends the streams.
type API struct {
	cfg    Config
	origin string // scheme://host of PublicURL
	secure bool   // PublicURL is https
	points *fair.Points
	routes http.Handler
	base   context.Context
	stop   context.CancelFunc
}

// New checks the configuration and builds the routes.
func New(cfg Config) (*API, error) {
	u, err := url.Parse(cfg.PublicURL)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, errors.New("httpapi: the public address is not a URL")
	}
	missing := []bool{cfg.Proofing == nil, cfg.Accounts == nil, cfg.Vault == nil, cfg.Counter == nil, cfg.Logins == nil, cfg.SignOuts == nil, cfg.OIDC == nil,
		cfg.Relay == nil, cfg.Pages == nil, cfg.Ready == nil, cfg.Client == nil, cfg.Now == nil, cfg.Rand == nil, cfg.Log == nil}
	if slices.Contains(missing, true) {
		return nil, errors.New("httpapi: incomplete configuration")
	}
	pace := max(1, cfg.Pace)
	points, err := fair.NewPoints(fair.PointsConfig{Rand: cfg.Rand, Burst: allowance * pace,
		Every: time.Second / time.Duration(pointsPerSecond*pace), Remember: maxNetworks})
	if err != nil {
		return nil, err
	}
	if cfg.Site.Counter.Places == nil {
		cfg.Site.Counter.Places = []string{}
	}
	base, stop := context.WithCancel(context.Background())
	a := &API{cfg: cfg, origin: u.Scheme + "://" + u.Host, secure: u.Scheme == "https", points: points, base: base, stop: stop}
	a.routes = a.guard(a.mux())
	return a, nil
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.routes.ServeHTTP(w, r) }

// Close ends every stream and WebSocket.
func (a *API) Close() { a.stop() }

// handler answers a request or returns an error, which becomes a problem.
type handler func(w http.ResponseWriter, r *http.Request) error

// route is a pattern with its handler and what one request takes from its client's
// allowance; zero is free.
type route struct {
	pattern string
	cost    int
	serve   handler
}

// api lists the routes of this package.
func (a *API) api() []route {
	return []route{
		{"GET /api/config", 0, a.config},
		{"GET /api/service/{id}/logo", 0, a.logo},

		{"POST /api/proofing", 10, a.startProofing},
		{"GET /api/proofing", 1, a.proofing},
		{"GET /api/proofing/events", 1, a.events},
		{"POST /api/proofing/consent", 1, a.agree},
		{"GET /api/proofing/receipt", 1, a.receipt},
		{"POST /api/proofing/reader", 2, a.newReader},
		{"POST /api/proofing/document", 5, a.readDocument},
		{"GET /api/proofing/attributes", 1, a.attributes},
		{"GET /api/proofing/face", 5, a.face},
		{"POST /api/proofing/account/options", 2, a.accountOptions},
		{"POST /api/proofing/account", 5, a.createAccount},
		{"POST /api/proofing/counter", 2, a.newCounterCode},
		{"POST /api/proofing/abandon", 1, a.abandon},

		{"POST /api/session/options", 2, a.sessionOptions},
		{"POST /api/session", 2, a.openSession},
		{"DELETE /api/session", 1, a.closeSession},
		{"DELETE /api/sessions", 1, a.closeSessions},
		{"POST /api/recovery", 10, a.recover},

		{"GET /api/account", 1, a.account},
		{"DELETE /api/account", 1, a.eraseAccount},
		{"PUT /api/account/recovery", 1, a.setRecovery},
		{"POST /api/account/passkeys/options", 2, a.passkeyOptions},
		{"POST /api/account/passkeys", 2, a.addPasskey},
		{"DELETE /api/account/passkeys/{id}", 1, a.removePasskey},

		{"GET /api/login/{id}", 1, a.login},
		{"POST /api/login/{id}/consent", 2, a.loginConsent},
		{"POST /api/login/{id}/refuse", 1, a.loginRefuse},

		{"POST /api/agent/enrol/options", 10, a.enrolOptions},
		{"POST /api/agent/enrol", 10, a.enrol},
		{"POST /api/agent/session/options", 2, a.agentOptions},
		{"POST /api/agent/session", 2, a.agentSignIn},
		{"GET /api/agent/session", 0, a.agentSession},
		{"DELETE /api/agent/session", 0, a.agentSignOut},
		{"POST /api/agent/case", 2, a.openCase},
		{"GET /api/agent/case", 0, a.caseStillOpen},
		{"GET /api/agent/case/portrait", 1, a.casePortrait},
		{"DELETE /api/agent/case", 1, a.releaseCase},
		{"POST /api/agent/case/decision/options", 2, a.decisionOptions},
		{"POST /api/agent/case/decision", 2, a.decide},

		{"/api/", 0, notFound},
		{"/demo/", 0, notFound},
	}
}

// mux joins them with what others serve.
func (a *API) mux() *http.ServeMux {
	mux := http.NewServeMux()
	for _, r := range a.api() {
		mux.Handle(r.pattern, a.own(r.cost, r.serve))
	}
	if a.cfg.Demo != nil {
		mux.Handle("POST /demo/api/passport", a.own(5, a.demoPassport))
		mux.Handle("GET /demo/people/{person}/live/{file}", a.own(0, a.demoFile))
	}
	mux.Handle(relay.Path, a.cfg.Relay)
	mux.Handle("/oidc/", a.cfg.OIDC)
	mux.Handle("/.well-known/openid-configuration", a.cfg.OIDC)
	mux.Handle("/.well-known/oauth-authorization-server", a.cfg.OIDC)
	mux.Handle("GET /healthz", a.own(0, a.healthy))
	mux.Handle("GET /readyz", a.own(0, a.ready))
	mux.Handle("/", a.cfg.Pages)
	return mux
}

// own wraps a route of this package: security headers, origin, allowance, and
// errors as problems.
func (a *API) own(cost int, serve handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.setHeaders(w.Header())
		err := a.admit(r, cost)
		if err == nil {
			err = serve(w, r.WithContext(fair.With(r.Context(), a.cfg.Client(r))))
		}
		if err != nil {
			a.fail(w, r, err)
		}
	})
}

// admit refuses requests of other sites and of clients that ask too much.
func (a *API) admit(r *http.Request, cost int) error {
	if err := a.sameSite(r); err != nil {
		return err
	}
	if cost == 0 {
		return nil
	}
	if wait := a.Spend(r, cost); wait > 0 {
		return &problem.Error{Code: problem.RateLimited, RetryAfter: wait}
	}
	return nil
}

// fail answers with the problem and tells the operator the cause.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problem.Write(w, err)
	level := slog.LevelInfo
	if p.Status >= http.StatusInternalServerError && p.Code != problem.Busy {
		level = slog.LevelError
	}
	a.cfg.Log.Log(r.Context(), level, "request refused", "route", r.Pattern, "code", string(p.Code), "error", err)
}

func notFound(http.ResponseWriter, *http.Request) error { return problem.New(problem.NotFound, nil) }

func (a *API) config(w http.ResponseWriter, _ *http.Request) error { return writeJSON(w, a.cfg.Site) }

// healthy says that the process lives.
func (a *API) healthy(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, map[string]string{"status": "ok"})
}

// ready says that the server can do its work.
func (a *API) ready(w http.ResponseWriter, r *http.Request) error {
	if err := a.cfg.Ready(r.Context()); err != nil {
		return problem.New(problem.Unavailable, err)
	}
	return writeJSON(w, map[string]string{"status": "ready"})
}

// stream bounds the context of a long answer by the API's own life.
func (a *API) stream(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	detach := context.AfterFunc(a.base, cancel)
	return ctx, func() {
		detach()
		cancel()
	}
}
