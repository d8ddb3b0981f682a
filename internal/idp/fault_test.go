package idp_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"ipse/internal/idp"
	"ipse/internal/idp/idptest"
	"ipse/internal/pii/piitest"
)

var errBroken = errors.New("broken on purpose, with the secret word xyzzy")

type brokenJournal struct{}

func (brokenJournal) Append(context.Context, string, idp.Entry) error { return errBroken }

// TestNothingIsReleasedWithoutAJournalEntry.
func TestNothingIsReleasedWithoutAJournalEntry(t *testing.T) {
	t.Parallel()
	p := worldWith(t, "high", func(c *idp.Config) { c.Journal = brokenJournal{} }, service("tax"))[0]
	l := p.begin(t)
	location, err := l.browser.Agree(t, l.id)
	if !errors.Is(err, errBroken) || location != "" {
		t.Errorf("Agree = %q, %v", location, err)
	}
	if n := p.w.Store.Count("code") + p.w.Store.Count("token"); n != 0 {
		t.Errorf("%d codes or tokens", n)
	}
	if _, err := l.browser.Agree(t, l.id); !errors.Is(err, idp.ErrLoginNotFound) {
		t.Errorf("the login goes on: %v", err)
	}
}

func TestLoginExpires(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	l := p.begin(t)
	p.w.Advance(14 * time.Minute)
	l.view(t)
	p.w.Advance(2 * time.Minute)
	if _, err := l.browser.Agree(t, l.id); !errors.Is(err, idp.ErrLoginNotFound) && !errors.Is(err, idp.ErrLoginExpired) {
		t.Errorf("err = %v", err)
	}
	if _, err := p.w.Provider.Refuse(t.Context(), l.id, l.browser.Cookie()); err == nil {
		t.Error("an expired login can be refused")
	}
}

// TestOnlyTheBrowserThatBeganAnswers: a login page sent to somebody else is of
// no use there, with their passkey or without.
func TestOnlyTheBrowserThatBeganAnswers(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	l, other := p.begin(t), p.begin(t)
	for name, cookie := range map[string]string{"none": "", "of another browser": other.browser.Cookie()} {
		if _, err := p.w.Provider.Login(t.Context(), l.id, cookie); !errors.Is(err, idp.ErrOtherBrowser) {
			t.Errorf("cookie %s, Login: %v", name, err)
		}
		if _, err := p.w.Provider.Refuse(t.Context(), l.id, cookie); !errors.Is(err, idp.ErrOtherBrowser) {
			t.Errorf("cookie %s, Refuse: %v", name, err)
		}
		_, err := p.w.Provider.Consent(t.Context(), l.id, cookie, idp.Person{Account: idptest.Account, AuthTime: p.w.Now()}, p.w.Wallet(), false)
		if !errors.Is(err, idp.ErrOtherBrowser) {
			t.Errorf("cookie %s, Consent: %v", name, err)
		}
	}
	if _, err := p.w.Provider.Login(t.Context(), rand(), l.browser.Cookie()); !errors.Is(err, idp.ErrLoginNotFound) {
		t.Errorf("invented login: %v", err)
	}
}

// TestLoginsInTwoTabsShareTheCookie: the second does not cut off the first.
func TestLoginsInTwoTabsShareTheCookie(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	first := p.begin(t)
	second := p.beginIn(t, first.browser)
	second.exchange(t, second.agree(t))
	first.exchange(t, first.agree(t))
}

// TestBrowserReadsOnlyItsOwnCookie: over https only the cookie that no other
// host can have set; over http on loopback one that every browser keeps.
func TestBrowserReadsOnlyItsOwnCookie(t *testing.T) {
	t.Parallel()
	w := idptest.New(t, "high", nil)
	for issuer, name := range map[string]string{w.Issuer: "__Host-ipse_login", "http://localhost:8443": "ipse_login"} {
		w.Restart(t, func(c *idp.Config) { c.Issuer = issuer })
		for _, c := range []struct {
			name, value string
			want        bool
		}{{name, rand(), true}, {name, "", false}, {name, "short", false}, {name, strings.Repeat("=", 43), false}, {"x" + name, rand(), false}, {strings.TrimPrefix(name, "__Host-") + "2", rand(), false}} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.AddCookie(&http.Cookie{Name: c.name, Value: c.value})
			if got := w.Provider.Browser(r); (got == c.value && got != "") != c.want {
				t.Errorf("%s: Browser = %q for %s=%q", issuer, got, c.name, c.value)
			}
		}
		if err := w.Provider.SetServices([]idp.Service{service("tax")}); err != nil {
			t.Fatal(err)
		}
		rec := httptest.NewRecorder()
		challenge := oauth2.S256ChallengeFromVerifier(rand())
		w.Provider.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, idp.PathAuthorize+"?"+url.Values{
			"client_id": {"tax"}, "redirect_uri": {"https://tax.example/callback"}, "response_type": {"code"}, "scope": {"openid"},
			"code_challenge": {challenge}, "code_challenge_method": {"S256"},
		}.Encode(), nil))
		cookies := rec.Result().Cookies()
		if len(cookies) != 1 || cookies[0].Name != name || !cookies[0].HttpOnly || cookies[0].Secure != strings.HasPrefix(issuer, "https:") ||
			cookies[0].SameSite != http.SameSiteLaxMode || cookies[0].Path != "/" || cookies[0].Domain != "" {
			t.Errorf("%s: cookies %v", issuer, cookies)
		}
	}
}

// TestLoginIsAnsweredOnce, whoever races.
func TestLoginIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	l := p.begin(t)
	var won atomic.Int32
	done := make(chan error, 8)
	for range cap(done) {
		go func() {
			_, err := l.browser.Agree(t, l.id)
			if err == nil {
				won.Add(1)
			} else if errors.Is(err, idp.ErrLoginNotFound) {
				err = nil
			}
			done <- err
		}()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if won.Load() != 1 || len(p.w.Journal()) != 1 {
		t.Errorf("%d answers, %d journal entries", won.Load(), len(p.w.Journal()))
	}
}

// TestRestartInMidLogin: nothing of a login lives in memory. The server may
// restart after each step.
func TestRestartInMidLogin(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	form, l := p.pushForm(t)
	_, doc := p.post(t, idp.PathPAR, form, p.basic)
	uri, _ := doc["request_uri"].(string)
	p.w.Restart(t, nil)
	if id, _ := l.open(t, uri, nil); id == "" {
		t.Fatal("the pushed request is lost")
	}
	p.w.Restart(t, nil)
	location := l.agree(t)
	p.w.Restart(t, nil)
	_, doc = p.post(t, idp.PathToken, l.tokenForm(l.answer(t, location).Get("code")), p.basic)
	token, _ := doc["access_token"].(string)
	p.w.Restart(t, nil)
	if resp, who := p.userInfo(t, "Bearer", token, ""); resp.StatusCode != http.StatusOK || who["family_name"] != "ERIKSSON" {
		t.Errorf("%s %v", resp.Status, who)
	}
}

// TestServiceGoneInMidLogin: its logins end, its tokens too.
func TestServiceGoneInMidLogin(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	who, l := p.whole(t), p.begin(t)
	if err := p.w.Provider.SetServices([]idp.Service{service("family")}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.browser.Agree(t, l.id); !errors.Is(err, idp.ErrLoginNotFound) {
		t.Errorf("err = %v", err)
	}
	if resp, _ := p.userInfo(t, "Bearer", who.token.AccessToken, ""); resp.StatusCode == http.StatusOK {
		t.Error("its token works")
	}
}

// TestEachFailureOfTheStoreIsAnswered: as a fault of the server, without the
// store's words, releasing nothing, and the next attempt works.
func TestEachFailureOfTheStoreIsAnswered(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"insert login", "get login", "take login", "get note", "insert code", "take code", "insert token", "get token"} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			p := world(t, "high")
			var broken atomic.Bool
			broken.Store(true)
			p.w.Store.SetFail(func(op string) error {
				if op == operation && broken.Swap(false) {
					return errBroken
				}
				return nil
			})
			told, released := attempt(t, p)
			if broken.Load() {
				t.Fatal("nothing was broken")
			}
			if strings.Contains(told, "xyzzy") {
				t.Errorf("the store's words are told: %s", told)
			}
			if released {
				t.Error("claims came out of a failed login")
			}
			if who := p.whole(t); who.userinfo["family_name"] != "ERIKSSON" {
				t.Error("no login afterwards")
			}
		})
	}
}

// attempt drives a login as far as it goes and returns all that browser and
// service are told.
func attempt(t *testing.T, p *party) (told string, released bool) {
	t.Helper()
	address, l := p.address()
	l.browser = p.w.NewBrowser(t)
	id, resp := l.browser.Begin(t, address)
	if id == "" {
		if !strings.Contains(resp.Header.Get("Location"), "error=server_error") {
			t.Errorf("the service is not told: %s %s", resp.Status, resp.Header.Get("Location"))
		}
		return resp.Header.Get("Location"), false
	}
	// A second login is refused, which reads the note.
	second := p.beginIn(t, l.browser)
	if _, err := p.w.Provider.Refuse(t.Context(), second.id, l.browser.Cookie()); err != nil {
		return "", false
	}
	l.id = id
	location, err := l.browser.Agree(t, id)
	if err != nil {
		return "", false
	}
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	resp, doc := p.post(t, idp.PathToken, l.tokenForm(u.Query().Get("code")), p.basic)
	if resp.StatusCode != http.StatusOK {
		if resp.StatusCode != http.StatusInternalServerError || doc["error"] != "server_error" {
			t.Errorf("token: %s %v", resp.Status, doc)
		}
		raw, _ := json.Marshal(doc)
		return string(raw), doc["id_token"] != nil
	}
	token, _ := doc["access_token"].(string)
	resp, doc = p.userInfo(t, "Bearer", token, "")
	raw, _ := json.Marshal(doc)
	return string(raw), resp.StatusCode == http.StatusOK
}

// TestNoPersonalDataInAddressesLogsOrStore: everything that a browser's history,
// the server's log or a stolen store would show is searched for the person.
func TestNoPersonalDataInAddressesLogsOrStore(t *testing.T) {
	t.Parallel()
	var store strings.Builder
	p := world(t, "high", func(s *idp.Service) {
		s.Attributes = nil
		for name := range idptest.Attributes() {
			s.Attributes = append(s.Attributes, idp.Attribute{Name: name})
		}
	})
	p.config.Scopes = []string{"openid", "profile", "identity", "age"}
	l := p.begin(t)
	steps := []string{l.id, string(p.w.Store.Dump())}
	location := l.agree(t)
	steps = append(steps, location, string(p.w.Store.Dump()))
	who := l.exchange(t, location)
	steps = append(steps, string(p.w.Store.Dump()), who.token.AccessToken)
	resp, _ := p.post(t, idp.PathToken, l.tokenForm("x"), p.basic) // errors as well
	_, err := p.w.Provider.Consent(t.Context(), l.id, l.browser.Cookie(), idp.Person{Account: idptest.Account, AuthTime: p.w.Now()}, p.w.Wallet(), false)
	again := p.begin(t)
	_, refusal := p.w.Provider.Consent(t.Context(), again.id, again.browser.Cookie(), idp.Person{Account: idptest.Account, AuthTime: p.w.Now()}, "a.b.c~"+p.w.Wallet(), false)
	for _, s := range append(steps, p.w.Log.String(), err.Error(), refusal.Error(), resp.Header.Get("Location")) {
		store.WriteString(s + "\n")
	}
	all := store.String()
	if len(who.userinfo) != len(idptest.Attributes())+1 {
		t.Fatalf("userinfo = %v", who.userinfo)
	}
	secrets := []string{idptest.Account, "ERIKSSON", "ANNA", "1974-08-12", "L898902C3", "2032-04-15", `"UTO"`, "%22UTO%22", "family_name"}
	if !strings.Contains(p.w.Log.String(), "level=DEBUG") {
		t.Error("nothing was logged: the search proves nothing")
	}
	for _, secret := range secrets {
		if piitest.Shows(all, secret) {
			t.Errorf("%q is in an address, a log or the store", secret)
		}
	}
}
