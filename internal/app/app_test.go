package app_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ipse/internal/app"
	"ipse/internal/config"
	"ipse/internal/httpapi/apitest"
	"ipse/internal/idp"
	"ipse/internal/pii"
	"ipse/internal/pii/piitest"
	"ipse/internal/problem"
)

// listen takes a free port of loopback.
func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// options are those of a server for http://localhost:PORT.
func options(t testing.TB, data string, l net.Listener) (app.Options, *piitest.Log) {
	t.Helper()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.Server.PublicURL = "http://localhost:" + port
	cfg.Server.Data = data
	cfg.Server.ShutdownTimeout = config.Duration(time.Minute)
	cfg.Operator = config.Operator{Name: "Example Town", Contact: "privacy@example.org"}
	log := &piitest.Log{}
	return app.Options{Config: cfg, Version: "test", Log: slog.New(pii.NewHandler(slog.NewJSONHandler(log, nil))), Now: time.Now, Rand: rand.Reader}, log
}

// serve runs a server until stop is called, which returns what Serve returned.
func serve(t testing.TB, opts app.Options, l net.Listener) (stop func() error) {
	t.Helper()
	a, err := app.New(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	ready := make(chan struct{})
	go func() { ended <- a.ServeOn(ctx, l, func(net.Addr) { close(ready) }) }()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatalf("the server ended: %v", err)
	}
	stop = sync.OnceValue(func() error {
		cancel()
		return errors.Join(<-ended, a.Close(context.Background()))
	})
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return stop
}

func TestTheServerServesStopsAndStartsAgain(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	port, release, err := apitest.Ports(1) // to be had again after the stop
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	opts, log := options(t, data, l)
	opts.Config.Server.ShutdownTimeout = config.Duration(5 * time.Minute) // what a stop that waits would take
	stop := serve(t, opts, l)
	b := apitest.New(t, opts.Config.Server.PublicURL, &http.Transport{})
	b.OK("GET", "/readyz", nil, nil)
	var site struct {
		Name, Version string
		Demo          bool
	}
	b.OK("GET", "/api/config", nil, &site)
	if site.Name != "Ipse" || site.Version != "test" || site.Demo {
		t.Errorf("%+v", site)
	}
	if r := b.Call("GET", "/.well-known/openid-configuration", nil); r.Status != 200 || !strings.Contains(string(r.Body), opts.Config.Server.PublicURL) {
		t.Errorf("discovery: %d", r.Status)
	}
	if r := b.Call("GET", "/", nil); r.Header.Get("Content-Security-Policy") == "" {
		t.Errorf("pages: %d %v", r.Status, r.Header)
	}
	b.Start("counter")
	// A stream under way must not hold up the stop.
	req, err := http.NewRequestWithContext(t.Context(), "GET", b.URL+"/api/proofing/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := b.Client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	began := time.Now()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("the stop took %s", took)
	}
	if l, err = net.Listen("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	serve(t, opts, l)
	if v := b.View(); v.State != "document" {
		t.Errorf("after the restart: %+v", v)
	}
	if strings.Contains(log.String(), b.Cookie("ipse_proofing")) || strings.Contains(log.String(), "127.0.0.1") {
		t.Errorf("the log names a token or an address: %s", log.String())
	}
}

func TestAServerHasNoDemoRoutes(t *testing.T) {
	t.Parallel()
	l := listen(t)
	opts, _ := options(t, t.TempDir(), l)
	serve(t, opts, l)
	b := apitest.New(t, opts.Config.Server.PublicURL, &http.Transport{})
	b.Start("camera")
	b.Refused("POST", "/demo/api/passport", map[string]string{"person": "p02"}, 404, "not_found")
	b.Refused("GET", "/demo/people/p02/live/truth.json", nil, 404, "not_found")
}

func TestAFailedStartLeavesNothingOpen(t *testing.T) {
	t.Parallel()
	l := listen(t)
	defer func() { _ = l.Close() }()
	for name, breakIt := range map[string]func(*app.Options){
		"a trust source that is not there": func(o *app.Options) { o.Config.Trust.Sources = []string{"/nonexistent.ml"} },
		"a trust source of another kind":   func(o *app.Options) { o.Config.Trust.Sources = []string{"app_test.go"} },
		"a service without attributes' purpose": func(o *app.Options) {
			o.Config.Service = []config.Service{{ID: "tax", NameEN: "Tax", RedirectURIs: []string{"https://tax.example/"}, Essential: []string{"birthdate"}}}
		},
		"a key file that is no key": func(o *app.Options) {
			if err := os.MkdirAll(filepath.Join(o.Config.Server.Data, "keys"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(o.Config.Server.Data, "keys", "claims.pem"), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		data := t.TempDir()
		opts, _ := options(t, data, l)
		breakIt(&opts)
		if a, err := app.New(t.Context(), opts); err == nil {
			t.Errorf("%s: started", name)
			_ = a.Close(t.Context())
		}
		if _, err := os.Stat(filepath.Join(data, "ipse.db-wal")); err == nil {
			t.Errorf("%s: the database is still open", name)
		}
	}
}

// TestEveryRefusalOfTheProviderHasASentence holds the provider's own codes
// against the problem table.
func TestEveryRefusalOfTheProviderHasASentence(t *testing.T) {
	t.Parallel()
	for _, e := range []*idp.Error{idp.ErrLoginNotFound, idp.ErrLoginExpired, idp.ErrOtherBrowser, idp.ErrSignInAgain, idp.ErrOtherPerson,
		idp.ErrPresentation, idp.ErrEssentialMissing, idp.ErrLevelTooLow, idp.ErrBusy} {
		if p := problem.Of(e); p.Code == problem.Internal {
			t.Errorf("%s has no row in the problem table", e.Code())
		}
	}
	source, err := os.ReadFile("../idp/errors.go")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), "&Error{code: \""); n != 9 {
		t.Errorf("the provider has %d refusals, this test knows 9", n)
	}
}

func TestLogLinesAreJSON(t *testing.T) {
	t.Parallel()
	l := listen(t)
	opts, log := options(t, t.TempDir(), l)
	stop := serve(t, opts, l)
	apitest.New(t, opts.Config.Server.PublicURL, &http.Transport{}).OK("GET", "/api/config", nil, nil)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	lines := 0
	for line := range strings.Lines(log.String()) {
		lines++
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
	if lines < 2 {
		t.Errorf("%d lines", lines)
	}
}

// TestOneServerAFolder: a second one is refused, and the folder is free again when
// the first is closed.
func TestOneServerAFolder(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	first, second := listen(t), listen(t)
	defer first.Close()
	defer second.Close()
	opts, _ := options(t, data, first)
	a, err := app.New(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := options(t, data, second)
	if _, err := app.New(t.Context(), other); err == nil || !strings.Contains(err.Error(), "in use by another server") {
		t.Errorf("a second server on the folder: %v", err)
	}
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	again, err := app.New(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
