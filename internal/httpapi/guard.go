package httpapi

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"ipse/internal/pii"
	"ipse/internal/problem"
	"ipse/internal/relay"
)

// guard stands around everything: it turns panics into problems and writes the
// request log.
func (a *API) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := a.cfg.Now()
		watched := &watchedWriter{ResponseWriter: w}
		if a.secure {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		defer func() {
			fault := recover()
			if fault == http.ErrAbortHandler { //nolint:errorlint // a sentinel that is thrown
				panic(fault)
			}
			if fault != nil {
				a.cfg.Log.ErrorContext(r.Context(), "panic", "route", r.Pattern, "fault", pii.Fault(fault))
				if !watched.begun() {
					problem.Write(watched, fmt.Errorf("panic in %s", r.Pattern))
				}
			}
			a.logRequest(r, watched, a.cfg.Now().Sub(began))
		}()
		next.ServeHTTP(watched, r)
	})
}

// logRequest leaves no path, no query and no address.
func (a *API) logRequest(r *http.Request, w *watchedWriter, took time.Duration) {
	if a.cfg.Observe != nil {
		a.cfg.Observe(classOf(r.Pattern), w.status, took)
	}
	if r.Pattern == "GET /healthz" || r.Pattern == "GET /readyz" {
		return
	}
	level := slog.LevelInfo
	if r.Pattern == "/" {
		level = slog.LevelDebug // pages and their assets
	}
	a.cfg.Log.Log(r.Context(), level, "request", "method", method(r), "route", r.Pattern, "status", w.status, "ms", took.Milliseconds())
}

// classOf sorts the routes for counting. "stream" is what stays open.
func classOf(pattern string) string {
	if _, path, ok := strings.Cut(pattern, " "); ok {
		pattern = path
	}
	for _, c := range []struct{ prefix, class string }{
		{"/api/proofing/events", "stream"}, {"/api/proofing/face", "stream"}, {relay.Path, "stream"},
		{"/api/proofing", "check"}, {"/api/session", "sign_in"}, {"/api/recovery", "sign_in"}, {"/api/account", "account"},
		{"/api/login", "login"}, {"/oidc/", "oidc"}, {"/.well-known/", "oidc"}, {"/healthz", "health"}, {"/readyz", "health"},
		{"/demo/", "demo"}, {"/api/", "api"}, {"/", "page"},
	} {
		if strings.HasPrefix(pattern, c.prefix) {
			return c.class
		}
	}
	return "other"
}

// method returns the method, or "other": it is the client's text.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodPatch:
		return r.Method
	}
	return "other"
}

// setHeaders sets what every answer of the API carries.
func (a *API) setHeaders(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
}

// sameSite refuses what another site's page makes a browser send. A request
// that changes something must name this site as its origin: every browser that
// has passkeys sends Origin with such requests. Reading is refused only where
// the browser says that another site asks (Fetch Metadata §2.3).
func (a *API) sameSite(r *http.Request) error {
	site := r.Header.Get("Sec-Fetch-Site")
	if site != "" && site != "same-origin" && site != "none" {
		return problem.New(problem.Forbidden, fmt.Errorf("asked by another site"))
	}
	origin := r.Header.Get("Origin")
	upgrade := r.Header.Get("Upgrade") != ""
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		if !upgrade && origin == "" {
			return nil
		}
	default:
	}
	if origin != a.origin {
		return problem.New(problem.Forbidden, fmt.Errorf("the Origin is not this site's"))
	}
	return nil
}

// watchedWriter notes the status that was sent.
type watchedWriter struct {
	http.ResponseWriter
	status int // 0 while nothing was sent
}

// WriteHeader implements http.ResponseWriter.
func (w *watchedWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *watchedWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *watchedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *watchedWriter) begun() bool { return w.status != 0 }
