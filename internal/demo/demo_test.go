package demo

import (
	"bytes"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ipse/internal/idp"
	"ipse/internal/idp/idptest"
	"ipse/internal/pii/piitest"
)

// TestPersonIsGreetedAtBothOffices: each learns what it asked for, at the level
// reached, and neither can recognise the other's person.
func TestPersonIsGreetedAtBothOffices(t *testing.T) {
	t.Parallel()
	w := newTown(t, "high", nil)
	b := w.NewBrowser(t)
	resp, body := w.logIn(t, b, w.tax)
	if resp.Request.URL.String() != w.tax.cfg.BaseURL+"/" {
		t.Errorf("the person ends at %s", resp.Request.URL)
	}
	wantText(t, body, "<h1>Good day, ANNA MARIA ERIKSSON</h1>", "12 August 1974", "Utopia", "L898902C3", "High",
		"it was made sure that the document is yours", "To find your file.")
	_, body = w.logIn(t, b, w.family)
	wantText(t, body, "<h1>Good day, ANNA MARIA</h1>", "18 or older", "Yes", "Only adults can ask")
	for _, secret := range []string{"ERIKSSON", "1974", "L898902C3"} {
		if piitest.Shows(body, secret) {
			t.Errorf("the family fund knows %s", secret)
		}
	}
	tax, _ := w.Provider.Subject("utopia-revenue", idptest.Account)
	family, _ := w.Provider.Subject("utopia-family", idptest.Account)
	if tax == family {
		t.Error("both offices on one host see one subject")
	}
	if _, body := visitPage(t, b, w.tax.cfg.BaseURL+"/"); !strings.Contains(body, reference(tax)) {
		t.Error("the file reference is not the subject's")
	}
	if entries := w.Journal(); len(entries) != 2 || entries[0].Service.EN != "Utopia Revenue Service" {
		t.Errorf("journal %v", entries)
	}
}

func TestOptionalAttributesMayBeWithheld(t *testing.T) {
	t.Parallel()
	w := newTown(t, "substantial", nil)
	_, body := w.logIn(t, w.NewBrowser(t), w.tax, "document_number", "nationalities")
	wantText(t, body, "Good day, ANNA MARIA ERIKSSON", "You kept this to yourself", "Substantial")
	if strings.Contains(body, "L898902C3") {
		t.Error("what was withheld is shown")
	}
}

// TestLogoutEndsBothSessions, and only by the person's own click.
func TestLogoutEndsBothSessions(t *testing.T) {
	t.Parallel()
	w := newTown(t, "high", nil)
	b := w.NewBrowser(t)
	w.logIn(t, b, w.tax)
	post := func(site string) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.tax.cfg.BaseURL+"/logout", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Sec-Fetch-Site", site)
		resp, err := b.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp
	}
	if resp := post("cross-site"); resp.StatusCode != http.StatusForbidden || w.Ended() != 0 {
		t.Errorf("another site logs out: %s", resp.Status)
	}
	resp := post("same-origin")
	if resp.StatusCode != http.StatusOK || resp.Request.URL.Path != "/" || w.Ended() != 1 {
		t.Errorf("%s at %s, %d sessions ended", resp.Status, resp.Request.URL.Path, w.Ended())
	}
	_, body := visitPage(t, b, resp.Request.URL.String())
	wantText(t, body, "You are logged out", "Log in with Ipse")
	if resp := post("same-origin"); resp.StatusCode != http.StatusOK || w.Ended() != 1 {
		t.Errorf("logging out twice: %s", resp.Status)
	}
}

func TestSessionEnds(t *testing.T) {
	t.Parallel()
	w := newTown(t, "high", nil)
	b := w.NewBrowser(t)
	w.logIn(t, b, w.tax)
	w.Advance(31 * time.Minute)
	_, body := visitPage(t, b, w.tax.cfg.BaseURL+"/")
	wantText(t, body, "Log in with Ipse")
}

// TestRefusalsAreExplained in plain words, with two ways on.
func TestRefusalsAreExplained(t *testing.T) {
	t.Parallel()
	w := newTown(t, "low", nil)
	b := w.NewBrowser(t)
	id, _ := b.Begin(t, w.tax.cfg.BaseURL+"/login")
	if _, err := b.Agree(t, id); err == nil {
		t.Fatal("a low level suffices for the tax office")
	}
	location, err := w.Provider.Refuse(t.Context(), id, b.Cookie())
	if err != nil {
		t.Fatal(err)
	}
	resp, body := visitPage(t, b, location)
	wantText(t, body, "<h1>We need a higher level</h1>", "Try again", "Back to the start")
	if resp.StatusCode != http.StatusOK {
		t.Error(resp.Status)
	}
	id, _ = b.Begin(t, w.family.cfg.BaseURL+"/login")
	if location, err = w.Provider.Refuse(t.Context(), id, b.Cookie()); err != nil {
		t.Fatal(err)
	}
	_, body = visitPage(t, b, location)
	wantText(t, body, "<h1>You chose not to log in</h1>", "Try again")
}

// TestAnswersThatAreNotForThisBrowserAreRefused: another state, another
// provider, an answer twice, another code.
func TestAnswersThatAreNotForThisBrowserAreRefused(t *testing.T) {
	t.Parallel()
	w := newTown(t, "high", nil)
	answer := func(b *idptest.Browser) string {
		id, _ := b.Begin(t, w.tax.cfg.BaseURL+"/login")
		location, err := b.Agree(t, id)
		if err != nil {
			t.Fatal(err)
		}
		return location
	}
	for name, c := range map[string]struct {
		change func(string) string
		status int
		title  string
	}{
		"another state":    {func(s string) string { return setQuery(t, s, "state", "x") }, http.StatusBadRequest, "This login is over"},
		"another provider": {func(s string) string { return setQuery(t, s, "iss", "https://evil.example") }, http.StatusBadRequest, "This login is over"},
		"another code":     {func(s string) string { return setQuery(t, s, "code", "x") }, http.StatusBadGateway, "We could not complete your login"},
		"an unknown error": {func(s string) string { return setQuery(t, s, "error", "invalid_scope") }, http.StatusBadGateway, "We could not complete your login"},
		"a busy provider":  {func(s string) string { return setQuery(t, s, "error", "temporarily_unavailable") }, http.StatusBadGateway, "Ipse does not answer just now"},
	} {
		b := w.NewBrowser(t)
		resp, body := visitPage(t, b, c.change(answer(b)))
		if resp.StatusCode != c.status {
			t.Errorf("%s: %s", name, resp.Status)
		}
		wantText(t, body, "<h1>"+c.title+"</h1>")
		if _, body := visitPage(t, b, w.tax.cfg.BaseURL+"/"); strings.Contains(body, "Good day") {
			t.Errorf("%s: logged in", name)
		}
	}
	b := w.NewBrowser(t)
	location := answer(b)
	if resp, _ := visitPage(t, w.NewBrowser(t), location); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("another browser: %s", resp.Status)
	}
	visitPage(t, b, location)
	resp, body := visitPage(t, b, location)
	wantText(t, body, "This login is over")
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("the same answer twice: %s", resp.Status)
	}
}

// TestProviderMayStartLater: the office opens first and says so meanwhile.
func TestProviderMayStartLater(t *testing.T) {
	t.Parallel()
	w := newTown(t, "high", nil)
	late := httptest.NewUnstartedServer(nil)
	late.StartTLS()
	address := late.URL
	late.Close()
	s := w.open(t, Tax, address)
	resp, body := visitPage(t, w.NewBrowser(t), s.cfg.BaseURL+"/login")
	wantText(t, body, "<h1>Ipse does not answer just now</h1>")
	if resp.StatusCode != http.StatusBadGateway {
		t.Error(resp.Status)
	}
	s.cfg.Issuer = w.Issuer // it starts
	if _, body := visitPage(t, w.NewBrowser(t), s.cfg.BaseURL+"/login"); !strings.Contains(body, "login") {
		t.Error(body)
	}
}

// TestPagesSpeakBothLanguages: by choice, else by the browser's preference.
func TestPagesSpeakBothLanguages(t *testing.T) {
	t.Parallel()
	w := newTown(t, "high", nil)
	b := w.NewBrowser(t)
	_, body := visitPage(t, b, w.tax.cfg.BaseURL+"/?lang=fr")
	wantText(t, body, `<html lang="fr">`, "Se connecter avec Ipse")
	_, body = w.logIn(t, b, w.tax)
	wantText(t, body, "Bonjour, ANNA MARIA ERIKSSON", "12 août 1974", "Utopie", "Élevé")
	for header, want := range map[string]string{"fr-CA,en;q=0.5": "fr", "de,en;q=0.5": "en", "": "en", "FR": "fr", "x,,;": "en"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("Accept-Language", header)
		rec := httptest.NewRecorder()
		w.family.ServeHTTP(rec, r)
		if rec.Header().Get("Content-Language") != want {
			t.Errorf("%q: %s", header, rec.Header().Get("Content-Language"))
		}
	}
	if got := (page{Lang: "fr"}).date(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)); got != "1er mars 2026" {
		t.Error(got)
	}
}

// TestTextsExistInBothLanguages, typeset as each language wants.
func TestTextsExistInBothLanguages(t *testing.T) {
	t.Parallel()
	for _, o := range []Office{Tax, Family} {
		p, err := loadPages(o)
		if err != nil {
			t.Fatal(err)
		}
		en, fr := slices.Sorted(maps.Keys(p.text["en"])), slices.Sorted(maps.Keys(p.text["fr"]))
		if !slices.Equal(en, fr) {
			t.Errorf("%s: the languages have different texts", o)
		}
		for key, text := range p.text["fr"] {
			if regexp.MustCompile(`[^ \x{00a0}\x{202f}][?!;:»]|« | [?!;:»]`).MatchString(text) {
				t.Errorf("%s: %s: French wants a non-breaking space", o, key)
			}
			if strings.Contains(text+p.text["en"][key], "'") {
				t.Errorf("%s: %s: a typewriter's apostrophe", o, key)
			}
		}
	}
}

// TestNoPersonalDataInAddressesOrLog follows a login and a logout through every
// address and everything logged.
func TestNoPersonalDataInAddressesOrLog(t *testing.T) {
	t.Parallel()
	w := newTown(t, "high", nil)
	b := w.NewBrowser(t)
	var seen bytes.Buffer
	inner := b.CheckRedirect
	b.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		seen.WriteString(r.URL.String() + "\n")
		return inner(r, via)
	}
	w.logIn(t, b, w.tax)
	resp, err := b.Post(w.tax.cfg.BaseURL+"/logout", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	visitPage(t, b, w.tax.cfg.BaseURL+"/callback?code=x&state=y")
	if strings.Count(seen.String(), "\n") < 4 {
		t.Fatalf("followed only %s", seen.String())
	}
	for _, secret := range []string{"ERIKSSON", "ANNA", "1974", "L898902C3", idptest.Account} {
		if piitest.Shows(seen.String()+w.log.String(), secret) {
			t.Errorf("%s is in an address or in the log", secret)
		}
	}
}

// TestPagesAreStrict: no script, no foreign origin, nothing inline.
func TestPagesAreStrict(t *testing.T) {
	t.Parallel()
	w := newTown(t, "high", nil)
	for _, s := range []*Service{w.tax, w.family} {
		b := w.NewBrowser(t)
		_, hello := w.logIn(t, b, s)
		for _, path := range []string{"/?lang=en", "/privacy", "/nowhere", "/style.css", "/icon.svg"} {
			resp, body := visitPage(t, w.NewBrowser(t), s.cfg.BaseURL+path)
			csp := resp.Header.Get("Content-Security-Policy")
			if !strings.HasPrefix(csp, "default-src 'none';") || strings.Contains(csp, "unsafe") || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: %v", path, resp.Header)
			}
			for _, page := range []string{body, hello} {
				if path != "/icon.svg" && regexp.MustCompile(`(?i)<script|<style| style=|javascript:| on[a-z]+=|(src|href)="http`).MatchString(page) {
					t.Errorf("%s: something inline or foreign", path)
				}
			}
			if strings.HasSuffix(path, "/nowhere") && resp.StatusCode != http.StatusNotFound {
				t.Errorf("%s: %s", path, resp.Status)
			}
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/login", nil)
	rec := httptest.NewRecorder()
	w.tax.ServeHTTP(rec, r)
	for _, c := range rec.Result().Cookies() {
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
			t.Errorf("cookie %v", c)
		}
	}
}

func TestFaultyConfigurationsAreRefused(t *testing.T) {
	t.Parallel()
	good := Config{Office: Tax, Issuer: "https://ipse.example", BaseURL: "http://localhost:8444", Logger: slog.New(slog.DiscardHandler)}
	s, err := New(good)
	if err != nil {
		t.Fatal(err)
	}
	if s.Name("fr") != "Service des impôts d’Utopie" || s.Registration().SecretHash == "" {
		t.Error("not an office")
	}
	for name, change := range map[string]func(*Config){
		"office": func(c *Config) { c.Office = "town hall" }, "issuer": func(c *Config) { c.Issuer = "ipse" },
		"base": func(c *Config) { c.BaseURL = "http://localhost:8444/" }, "logger": func(c *Config) { c.Logger = nil },
		"randomness": func(c *Config) { c.Rand = strings.NewReader("short") },
	} {
		cfg := good
		change(&cfg)
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestRegistrationsAskForNoMore than the pages say, and the provider accepts them.
func TestRegistrationsAskForNoMore(t *testing.T) {
	t.Parallel()
	w := newTown(t, "high", nil)
	want := map[string][]string{
		"utopia-revenue": {"family_name!", "given_name!", "birthdate!", "nationalities", "document_number"},
		"utopia-family":  {"given_name!", "age_over_18!", "nationalities"},
	}
	for _, s := range Services(w.tax, w.family) {
		var got []string
		for _, a := range s.Attributes {
			mark := map[bool]string{true: "!"}[a.Essential]
			got = append(got, a.Name+mark)
		}
		if !slices.Equal(got, want[s.ID]) || s.PolicyURL == "" || s.LegalBasis == (idp.Text{}) {
			t.Errorf("%s asks %v", s.ID, got)
		}
	}
}

func TestSessionsAreBounded(t *testing.T) {
	t.Parallel()
	var s sessions
	now := time.Now()
	for i := range maxSessions + 50 {
		s.put(string(rune('a'+i)), visit{ends: now.Add(time.Hour)}, now)
	}
	if len(s.byID) > maxSessions {
		t.Errorf("%d sessions", len(s.byID))
	}
	s.put("last", visit{ends: now.Add(3 * time.Hour)}, now.Add(2*time.Hour))
	if len(s.byID) != 1 {
		t.Errorf("%d sessions that are over stay", len(s.byID)-1)
	}
}
