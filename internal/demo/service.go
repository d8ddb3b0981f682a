package demo

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Config makes a Service.
type Config struct {
	// Office says which of the two services. Required.
	Office Office
	// Issuer is the provider's address. It may start later than the service.
	Issuer string
	// BaseURL is the service's own address, without trailing slash.
	BaseURL string
	// ClientID and ClientSecret as registered at the provider. Empty: the office's
	// own id, and a secret drawn now (see Service.Registration).
	ClientID, ClientSecret string
	// HTTPClient reaches the provider. Default: a client with a timeout of 10 s.
	HTTPClient *http.Client
	// Now and Rand default to time.Now and crypto/rand.
	Now  func() time.Time
	Rand io.Reader
	// Logger receives what went wrong, without values. Required.
	Logger *slog.Logger
}

// Service is one of the demo services, an http.Handler. It is safe for
// concurrent use.
type Service struct {
	cfg      Config
	office   office
	pages    *pages
	handler  http.Handler
	sessions sessions

	mu       sync.Mutex
	provider *oidc.Provider // guarded by mu; nil until discovery succeeds
}

// New checks the configuration. It does not call the provider.
func New(cfg Config) (*Service, error) {
	o, ok := offices(cfg.Office)
	if !ok {
		return nil, errors.New("demo: no such office")
	}
	for _, raw := range []string{cfg.Issuer, cfg.BaseURL} {
		if u, err := url.Parse(raw); err != nil || u.Host == "" || strings.HasSuffix(raw, "/") {
			return nil, errors.New("demo: issuer and base address must be web addresses without trailing slash")
		}
	}
	if cfg.Logger == nil {
		return nil, errors.New("demo: no logger")
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.HTTPClient == nil {
		cfg.HTTPClient = &http.Client{Timeout: 10 * time.Second}
	}
	if cfg.ClientID == "" {
		cfg.ClientID = o.clientID
	}
	s := &Service{cfg: cfg, office: o}
	if cfg.ClientSecret == "" {
		secret, err := s.random()
		if err != nil {
			return nil, fmt.Errorf("demo: %w", err)
		}
		s.cfg.ClientSecret = secret
	}
	var err error
	if s.pages, err = loadPages(cfg.Office); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	s.handler = s.routes()
	return s, nil
}

// Name is what people know the service as, in "en" or "fr".
func (s *Service) Name(language string) string { return s.office.name.In(language) }

// ServeHTTP implements http.Handler.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

func (s *Service) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("GET /privacy", func(w http.ResponseWriter, r *http.Request) { s.show(w, r, http.StatusOK, view{Page: "privacy"}) })
	mux.HandleFunc("GET /login", s.login)
	mux.HandleFunc("GET /callback", s.callback)
	mux.HandleFunc("POST /logout", s.logout)
	mux.HandleFunc("GET /style.css", s.asset("text/css; charset=utf-8", s.pages.style))
	mux.HandleFunc("GET /icon.svg", s.asset("image/svg+xml", s.pages.icon))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.show(w, r, http.StatusNotFound, view{Page: "problem", Problem: "not_found"})
	})
	// A form on another site must not log people out.
	protected := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "+
			"form-action 'self' "+s.cfg.Issuer) // logging out goes on to the provider
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		protected.ServeHTTP(w, r)
	})
}

func (s *Service) asset(kind string, content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Cache-Control", "public, max-age=300")
		_, _ = w.Write(content)
	}
}

// home is the front page, or the greeting of who is logged in.
func (s *Service) home(w http.ResponseWriter, r *http.Request) {
	if v, ok := s.session(r); ok {
		s.show(w, r, http.StatusOK, view{Page: "hello", Visit: &v})
		return
	}
	s.show(w, r, http.StatusOK, view{Page: "home", LoggedOut: r.URL.Query().Get("state") == loggedOutState})
}

// random returns 256 random bits as base64url.
func (s *Service) random() (string, error) {
	var b [32]byte
	if _, err := io.ReadFull(s.cfg.Rand, b[:]); err != nil {
		return "", fmt.Errorf("random value: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// oauth is the client, once the provider is known.
func (s *Service) oauth(p *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: s.cfg.ClientID, ClientSecret: s.cfg.ClientSecret, Endpoint: p.Endpoint(),
		RedirectURL: s.cfg.BaseURL + "/callback", Scopes: []string{oidc.ScopeOpenID},
	}
}
