package idp_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"ipse/internal/idp"
	"ipse/internal/idp/idptest"
	"ipse/internal/store"
)

// BenchmarkCodeExchange measures one redemption of a code, over TLS on
// loopback: client authentication, PKCE, the ID token's signature, the access
// token kept.
func BenchmarkCodeExchange(b *testing.B) {
	for _, c := range []struct{ alg, store string }{{"ES256", "memory"}, {"RS256", "memory"}, {"ES256", "sqlite"}} {
		b.Run(c.alg+"/"+c.store, func(b *testing.B) {
			p := worldWith(b, "high", benchStore(b, c.store), service("tax", func(s *idp.Service) { s.IDTokenAlg = c.alg }))[0]
			h := p.w.Provider.Handler()
			forms := make([]string, b.N)
			for i := range forms {
				l := p.benchLogin(b, h)
				forms[i] = l.tokenForm(l.answer(b, l.agree(b)).Get("code")).Encode()
			}
			b.ResetTimer()
			for _, form := range forms {
				r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, p.w.Issuer+idp.PathToken, strings.NewReader(form))
				if err != nil {
					b.Fatal(err)
				}
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				p.basic(r)
				resp, err := p.w.Server.Client().Do(r)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					b.Fatal(resp.Status)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "exchanges/s")
		})
	}
}

// benchLogin opens a login without the network.
func (p *party) benchLogin(b *testing.B, h http.Handler) *login {
	b.Helper()
	address, l := p.address()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(b.Context(), http.MethodGet, address, nil))
	l.id = strings.TrimPrefix(w.Header().Get("Location"), "/login/")
	l.browser = p.w.NewBrowser(b)
	u, err := url.Parse(p.w.Issuer)
	if err != nil {
		b.Fatal(err)
	}
	l.browser.Jar.SetCookies(u, w.Result().Cookies())
	return l
}

// BenchmarkLogin measures a whole login without passkey and pages: request,
// consent (signature of the claims verified), code, token, userinfo.
func BenchmarkLogin(b *testing.B) {
	for _, kind := range []string{"memory", "sqlite"} {
		b.Run(kind, func(b *testing.B) { benchmarkLogin(b, worldWith(b, "high", benchStore(b, kind), service("tax"))[0]) })
	}
}

// benchStore has the provider keep its records in the database, durably.
func benchStore(b *testing.B, kind string) func(*idp.Config) {
	b.Helper()
	if kind != "sqlite" {
		return nil
	}
	db, err := store.Open(b.Context(), store.Config{Path: filepath.Join(b.TempDir(), "ipse.db")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	return func(c *idp.Config) { c.Store = db.Records() }
}

func benchmarkLogin(b *testing.B, p *party) {
	b.Helper()
	h := p.w.Provider.Handler()
	presentation := idptest.Choose(p.w.Wallet(), "family_name", "given_name", "birthdate")
	b.ReportAllocs()
	for b.Loop() {
		l := p.benchLogin(b, h)
		location, err := p.w.Provider.Consent(b.Context(), l.id, l.browser.Cookie(), idp.Person{Account: idptest.Account, AuthTime: p.w.Now()}, presentation, false)
		if err != nil {
			b.Fatal(err)
		}
		token, err := p.config.Exchange(p.ctx, l.answer(b, location).Get("code"), oauth2.VerifierOption(l.verifier))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := p.provider.UserInfo(p.ctx, oauth2.StaticTokenSource(token)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "logins/s")
}
