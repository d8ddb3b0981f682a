package idp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/luikyv/go-oidc/pkg/goidc"
)

// maxBody and maxQuery bound a request, in bytes.
const (
	maxBody  = 64 << 10
	maxQuery = 16 << 10
)

// Handler serves every path of the provider (see the Path constants); mount it
// at "/oidc/", PathDiscovery and PathMetadata.
func (p *Provider) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+PathDiscovery, p.serveDiscovery)
	mux.HandleFunc("GET "+PathMetadata, p.serveDiscovery)
	mux.HandleFunc("GET "+PathJWKS, p.serveKeys)
	mux.HandleFunc("GET "+PathAuthorize, p.serveAuthorize)
	mux.HandleFunc("POST "+PathAuthorize, p.serveAuthorize)
	mux.HandleFunc("POST "+PathPAR, p.servePAR)
	mux.HandleFunc("POST "+PathToken, p.serveForm)
	mux.HandleFunc("GET "+PathUserInfo, p.serveForm)
	mux.HandleFunc("POST "+PathUserInfo, p.serveForm)
	mux.HandleFunc("GET "+PathLogout, p.serveLogout)
	mux.HandleFunc("POST "+PathLogout, p.serveLogout)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		if len(r.URL.RawQuery) > maxQuery {
			p.page(w, r, http.StatusRequestURITooLong, pageBadRequest, "the request is too long")
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		mux.ServeHTTP(w, r)
	})
}

func (p *Provider) serveDiscovery(w http.ResponseWriter, _ *http.Request) {
	serveDocument(w, p.current().discovery)
}

func (p *Provider) serveKeys(w http.ResponseWriter, r *http.Request) {
	g := p.current()
	doc := g.jwks.Load()
	if doc == nil {
		made, err := document(g.handler, PathJWKS)
		if err != nil {
			p.cfg.Logger.ErrorContext(r.Context(), "key set", slog.String("error", err.Error()))
			writeError(w, http.StatusInternalServerError, errorServer, "the key set could not be made; try again")
			return
		}
		doc = &made
		g.jwks.Store(doc)
	}
	serveDocument(w, *doc)
}

func serveDocument(w http.ResponseWriter, doc []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("Access-Control-Allow-Origin", "*") // public documents
	_, _ = w.Write(doc)
}

func (p *Provider) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		p.page(w, r, http.StatusBadRequest, pageBadRequest, "the request cannot be read")
		return
	}
	values := r.Form
	if r.Method == http.MethodPost {
		values = r.PostForm
	}
	values, svc, err := p.checkParams(values)
	if err != nil {
		p.page(w, r, http.StatusBadRequest, pageBadRequest, err.Error())
		return
	}
	st := &requestState{}
	st.pushed, st.err = p.extras(values, svc)
	clean := r.Clone(context.WithValue(r.Context(), requestKey{}, st))
	// go-oidc reads GET requests from the query and POST requests from the form.
	clean.Method, clean.Body = http.MethodGet, http.NoBody
	clean.URL = &url.URL{Path: PathAuthorize, RawQuery: values.Encode()}
	clean.Form, clean.PostForm = nil, nil
	p.serve(w, clean, st)
}

func (p *Provider) servePAR(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		writeError(w, http.StatusBadRequest, goidc.ErrorCodeInvalidRequest, "the request cannot be read")
		return
	}
	for name, list := range r.PostForm {
		if len(list) > 1 || (len(list[0]) > maxParam && name != "claims" && name != "client_assertion" && name != "id_token_hint") {
			writeError(w, http.StatusBadRequest, goidc.ErrorCodeInvalidRequest, "a parameter is given twice or too long: "+printable(name))
			return
		}
	}
	st := &requestState{}
	// The client is authenticated after this; extras only needs its name to compare.
	// RFC 9126, 2.1 has the name in the request even where an assertion carries it, too.
	id := clientIDOf(r)
	if id == "" && r.PostForm.Has("client_assertion") {
		writeError(w, http.StatusBadRequest, goidc.ErrorCodeInvalidRequest, "client_id is required")
		return
	}
	if svc := p.current().services[id]; svc != nil {
		var err error
		if st.pushed, err = p.extras(r.PostForm, svc); err != nil {
			refusal, _ := errors.AsType[goidc.Error](err)
			writeError(w, http.StatusBadRequest, refusal.Code, describe(err))
			return
		}
	}
	p.serve(w, r.WithContext(context.WithValue(r.Context(), requestKey{}, st)), st)
}

func clientIDOf(r *http.Request) string {
	if id, _, ok := r.BasicAuth(); ok {
		return id
	}
	return r.PostForm.Get("client_id")
}

func (p *Provider) serveForm(w http.ResponseWriter, r *http.Request) {
	st := &requestState{}
	p.serve(w, r.WithContext(context.WithValue(r.Context(), requestKey{}, st)), st)
}

// serve runs the library and makes its answers clear: it reports "invalid
// request" and keeps the reason to itself, so the reason is put in.
func (p *Provider) serve(w http.ResponseWriter, r *http.Request, st *requestState) {
	a := &answer{ResponseWriter: w, st: st, path: r.URL.Path}
	p.current().handler.ServeHTTP(a, r)
	a.finish()
}

// noteError keeps the library's error for answer and tells the operator about
// failures of the server's own.
func (p *Provider) noteError(ctx context.Context, err error) {
	stateOf(ctx).err = err
	_, fault := errors.AsType[*storeError](err)
	if _, known := errors.AsType[goidc.Error](err); fault || !known {
		p.cfg.Logger.ErrorContext(ctx, "identity provider", slog.String("error", err.Error()))
		return
	}
	p.cfg.Logger.DebugContext(ctx, "identity provider refused a request", slog.String("reason", describe(err)))
}

// describe says what is wrong in a sentence that may go to the service: the
// library's reason at the bottom of the chain, never the text of a failing store
// or signer.
func describe(err error) string {
	_, fault := errors.AsType[*storeError](err)
	top, known := errors.AsType[goidc.Error](err)
	if fault || !known {
		return "the server could not answer; try again"
	}
	text := top.Description
	for inner := errors.Unwrap(error(top)); inner != nil; inner = errors.Unwrap(inner) {
		if e, ok := errors.AsType[goidc.Error](inner); ok {
			text, inner = e.Description, e
			continue
		}
		if _, ours := inner.(*Error); !ours { //nolint:errorlint // the link itself, not the chain
			text = inner.Error()
		}
		break
	}
	return printable(text)
}

// errorDPoP is defined by RFC 9449, 5.
const errorDPoP goidc.ErrorCode = "invalid_dpop_proof"

// answer rewrites the library's error answers on their way out.
type answer struct {
	http.ResponseWriter
	st      *requestState
	path    string
	status  int
	swallow bool
}

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	h := a.Header()
	switch {
	case status >= 400 && strings.HasPrefix(h.Get("Content-Type"), "application/json"):
		a.status, a.swallow = status, true
		return
	case status >= 300 && status < 400 && a.st.err != nil:
		h.Set("Location", withDescription(h.Get("Location"), describe(a.st.err)))
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (a *answer) Write(b []byte) (int, error) {
	if a.swallow {
		return len(b), nil
	}
	return a.ResponseWriter.Write(b)
}

func (a *answer) finish() {
	if !a.swallow {
		return
	}
	code, text := goidc.ErrorCodeInvalidRequest, "the request was refused"
	if a.st.err != nil {
		code, text = goidc.ErrorCode(errorServer), describe(a.st.err)
		if e, ok := errors.AsType[goidc.Error](a.st.err); ok {
			code = e.Code
		}
		if _, ok := errors.AsType[*storeError](a.st.err); ok {
			code, a.status = errorServer, http.StatusInternalServerError
		}
		if strings.Contains(a.st.err.Error(), "DPoP proof") {
			code, a.status = errorDPoP, http.StatusBadRequest
		}
	}
	if a.path == PathUserInfo && a.status < 500 {
		a.status = http.StatusUnauthorized
		scheme := `DPoP algs="ES256 RS256 PS256", ` // RFC 9449, 7.1
		if code != errorDPoP {
			code, scheme = goidc.ErrorCodeInvalidToken, "Bearer " // RFC 6750, 3
		}
		a.Header().Set("WWW-Authenticate", scheme+`error="`+string(code)+`", error_description="`+text+`"`)
	} else if a.status == http.StatusUnauthorized { // RFC 6749, 5.2
		a.Header().Set("WWW-Authenticate", `Basic realm="services"`)
	}
	writeError(a.ResponseWriter, a.status, code, text)
}

func writeError(w http.ResponseWriter, status int, code goidc.ErrorCode, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": string(code), "error_description": text})
}

func withDescription(location, text string) string {
	u, err := url.Parse(location)
	if err != nil || !u.Query().Has("error") {
		return location
	}
	q := u.Query()
	q.Set("error_description", text)
	u.RawQuery = q.Encode()
	return u.String()
}

// capture is a ResponseWriter that keeps the answer, for calls of the library
// that do not come from the network.
type capture struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newCapture() *capture { return &capture{header: http.Header{}, status: http.StatusOK} }

func (c *capture) Header() http.Header         { return c.header }
func (c *capture) WriteHeader(status int)      { c.status = status }
func (c *capture) Write(b []byte) (int, error) { return c.body.Write(b) }

// resume hands a person's answer to the library and returns the address at the
// service that it redirects to.
func (p *Provider) resume(ctx context.Context, rec *loginRecord, d *decision) (string, error) {
	st := &requestState{rec: rec, decision: d}
	rec.Session.ExpiresAt = int(p.now().Unix()) + seconds(p.cfg.LoginLifetime) // load has checked the real one
	ctx = context.WithValue(ctx, requestKey{}, st)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.cfg.Issuer+PathAuthorize+"/"+url.PathEscape(rec.Session.ID), nil)
	if err != nil {
		return "", fmt.Errorf("resume a login: %w", err)
	}
	w := newCapture()
	p.serve(w, r, st)
	location := w.header.Get("Location")
	if w.status < 300 || w.status > 399 || location == "" {
		if st.err == nil {
			st.err = errors.New("no redirection")
		}
		return "", fmt.Errorf("resume a login: %w", st.err)
	}
	return location, nil
}
