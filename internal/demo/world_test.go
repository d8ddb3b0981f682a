package demo

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"ipse/internal/idp"
	"ipse/internal/idp/idptest"
)

// town is the provider with its person, and both offices on ports of their own.
type town struct {
	*idptest.World
	tax, family *Service
	log         *idptest.Buffer
}

func newTown(t *testing.T, level string, configure func(*idp.Config)) *town {
	t.Helper()
	w := &town{World: idptest.New(t, level, configure), log: &idptest.Buffer{}}
	w.tax = w.open(t, Tax, w.Issuer)
	w.family = w.open(t, Family, w.Issuer)
	if err := w.Provider.SetServices(Services(w.tax, w.family)); err != nil {
		t.Fatal(err)
	}
	return w
}

// open starts an office on a port of its own.
func (w *town) open(t *testing.T, o Office, issuer string) *Service {
	t.Helper()
	var s *Service
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { s.ServeHTTP(rw, r) }))
	t.Cleanup(server.Close)
	s, err := New(Config{Office: o, Issuer: issuer, BaseURL: server.URL, HTTPClient: w.Server.Client(), Now: w.Now,
		Logger: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// visitPage gets an address and returns the answer and its body.
func visitPage(t *testing.T, b *idptest.Browser, address string) (*http.Response, string) {
	t.Helper()
	resp, err := b.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// logIn goes from an office's front page to its greeting.
func (w *town) logIn(t *testing.T, b *idptest.Browser, s *Service, withheld ...string) (*http.Response, string) {
	t.Helper()
	id, resp := b.Begin(t, s.cfg.BaseURL+"/login")
	if id == "" {
		t.Fatalf("no login page: %s %s", resp.Status, resp.Request.URL.Path)
	}
	location, err := b.Agree(t, id, withheld...)
	if err != nil {
		t.Fatal(err)
	}
	return visitPage(t, b, location)
}

func wantText(t *testing.T, body string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(body, text) {
			t.Errorf("the page does not say %q:\n%s", text, body)
		}
	}
}

func setQuery(t *testing.T, raw string, pairs ...string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	u.RawQuery = q.Encode()
	return u.String()
}
