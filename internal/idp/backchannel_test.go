package idp_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"ipse/internal/idp"
	"ipse/internal/idp/idptest"
)

// receiver is a service's back-channel logout endpoint on loopback.
type receiver struct {
	*httptest.Server
	answers chan int // statuses to answer with; 200 when empty

	mu     sync.Mutex
	tokens []string
	read   int // tokens that next returned
	seen   chan struct{}
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{answers: make(chan int, 8), seen: make(chan struct{}, 64)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method != http.MethodPost || req.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || req.ParseForm() != nil || len(req.PostForm) != 1 {
			t.Errorf("%s %s with %d parameters", req.Method, req.Header.Get("Content-Type"), len(req.PostForm))
		}
		r.mu.Lock()
		r.tokens = append(r.tokens, req.PostForm.Get("logout_token"))
		r.mu.Unlock()
		select {
		case status := <-r.answers:
			if status == http.StatusFound {
				w.Header().Set("Location", "/elsewhere")
			}
			w.WriteHeader(status)
		default:
		}
		r.seen <- struct{}{}
	}))
	t.Cleanup(r.Close)
	return r
}

// next waits for the next token.
func (r *receiver) next(t *testing.T) string {
	t.Helper()
	select {
	case <-r.seen:
	case <-time.After(time.Minute):
		t.Fatal("no logout token came")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.read++
	return r.tokens[r.read-1]
}

func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.tokens)
}

// telling is a world whose provider sends logout tokens, with services that each
// want to be told.
func telling(t *testing.T, configure func(*idp.Config), ids ...string) ([]*party, []*receiver) {
	t.Helper()
	var services []idp.Service
	var receivers []*receiver
	for _, id := range ids {
		r := newReceiver(t)
		receivers = append(receivers, r)
		services = append(services, service(id, func(s *idp.Service) { s.BackChannelLogoutURI = r.URL + "/out" }))
	}
	ps := worldWith(t, "high", func(c *idp.Config) {
		c.LogoutRetries = []time.Duration{time.Millisecond, time.Millisecond}
		if configure != nil {
			configure(c)
		}
	}, services...)
	done := make(chan struct{})
	go func() { defer close(done); ps[0].w.Provider.Run(t.Context()) }()
	t.Cleanup(func() { <-done })
	return ps, receivers
}

// in logs a session in at a service and returns what the service learned.
func (p *party) in(t *testing.T, session string) identity {
	t.Helper()
	b := p.w.NewBrowser(t)
	b.Session = session
	l := p.beginIn(t, b)
	return l.exchange(t, l.agree(t))
}

// logoutClaims verifies a logout token with the published keys, as a service does
// (Back-Channel Logout 1.0, 2.6).
func (p *party) logoutClaims(t *testing.T, raw string) map[string]any {
	t.Helper()
	resp, err := p.w.Server.Client().Get(p.w.Issuer + idp.PathJWKS)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var keys jose.JSONWebKeySet
	if err := json.NewDecoder(resp.Body).Decode(&keys); err != nil {
		t.Fatal(err)
	}
	alg := jose.ES256
	if p.svc.IDTokenAlg == "RS256" {
		alg = jose.RS256
	}
	token, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{alg})
	if err != nil {
		t.Fatal(err)
	}
	if token.Headers[0].ExtraHeaders[jose.HeaderType] != "logout+jwt" {
		t.Errorf("typ %v", token.Headers[0].ExtraHeaders[jose.HeaderType])
	}
	claims := map[string]any{}
	if err := token.Claims(keys.Key(token.Headers[0].KeyID)[0], &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// TestServicesAreToldThatAPersonSignedOut: each that asked for it, with a token of
// its own that verifies with the published keys and names nobody.
func TestServicesAreToldThatAPersonSignedOut(t *testing.T) {
	t.Parallel()
	ps, rs := telling(t, nil, "tax", "family")
	for _, alg := range []string{"ES256", "RS256"} {
		ps[1].svc.IDTokenAlg = alg
		if err := ps[0].w.Provider.SetServices([]idp.Service{ps[0].svc, ps[1].svc}); err != nil {
			t.Fatal(err)
		}
		who := []identity{ps[0].in(t, "session-"+alg), ps[1].in(t, "session-"+alg)}
		ps[0].w.Provider.SignedOut("session-" + alg)
		var sids []any
		for i, p := range ps {
			raw := rs[i].next(t)
			claims := p.logoutClaims(t, raw)
			sids = append(sids, claims["sid"])
			if claims["iss"] != p.w.Issuer || claims["aud"] != p.svc.ID || claims["sub"] != who[i].id.Subject || claims["sid"] != who[i].claims["sid"] ||
				claims["sid"] == "" || claims["jti"] == "" || claims["nonce"] != nil {
				t.Errorf("%v for %v", claims, who[i].claims)
			}
			events, _ := claims["events"].(map[string]any)
			if _, ok := events["http://schemas.openid.net/event/backchannel-logout"]; !ok || len(claims) != 8 {
				t.Errorf("claims %v", claims)
			}
			if life := claims["exp"].(float64) - claims["iat"].(float64); life <= 0 || life > 120 {
				t.Errorf("valid for %v s", life)
			}
			if strings.Contains(raw, idptest.Account) {
				t.Error("the account is in the token")
			}
		}
		if sids[0] == sids[1] {
			t.Error("two services can compare their session identifiers")
		}
		ps[0].w.Provider.SignedOut("session-" + alg) // once is enough
	}
	if rs[0].count() != 2 || rs[1].count() != 2 {
		t.Errorf("%d and %d tokens", rs[0].count(), rs[1].count())
	}
}

// TestASessionIsFollowedThroughItsTokens: a new use of the passkey gives the session
// another token and the services know it as before; another person's use is the
// former one's end; and all sessions of an account end at once, but one.
func TestASessionIsFollowedThroughItsTokens(t *testing.T) {
	t.Parallel()
	ps, rs := telling(t, nil, "tax")
	p, r, provider := ps[0], rs[0], ps[0].w.Provider
	first := p.in(t, "a")
	provider.Moved("a", "b", idptest.Account)
	again := p.in(t, "b")
	if first.claims["sid"] != again.claims["sid"] {
		t.Error("the session has another name for the service")
	}
	provider.SignedOut("a") // a former token is nobody's
	provider.Moved("b", "c", "another account")
	if claims := p.logoutClaims(t, r.next(t)); claims["sid"] != first.claims["sid"] {
		t.Errorf("claims %v", claims)
	}
	one, two := p.in(t, "one"), p.in(t, "two")
	if one.claims["sid"] == two.claims["sid"] || one.claims["sid"] == first.claims["sid"] {
		t.Error("two sessions have one name")
	}
	provider.SignedOutAll("another account", "")
	provider.SignedOutAll(idptest.Account, "two")
	if claims := p.logoutClaims(t, r.next(t)); claims["sid"] != one.claims["sid"] {
		t.Errorf("claims %v", claims)
	}
	provider.SignedOutAll(idptest.Account, "")
	if claims := p.logoutClaims(t, r.next(t)); claims["sid"] != two.claims["sid"] {
		t.Errorf("claims %v", claims)
	}
	p.in(t, "old")
	p.w.Advance(13 * time.Hour)
	if err := provider.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	provider.SignedOut("old")
	p.in(t, "last")
	provider.SignedOut("last")
	r.next(t)
	if r.count() != 4 {
		t.Errorf("%d tokens", r.count())
	}
}

// TestAServiceOutOfReachIsToldAgainAFewTimes, and one that refuses is not, nor is
// one followed to another address.
func TestAServiceOutOfReachIsToldAgainAFewTimes(t *testing.T) {
	t.Parallel()
	ps, rs := telling(t, nil, "tax", "family", "town")
	for i, statuses := range [][]int{{503, 429, 200}, {400}, {302}} {
		for _, s := range statuses {
			rs[i].answers <- s
		}
		ps[i].in(t, "session")
	}
	ps[0].w.Provider.SignedOut("session")
	var tokens []string
	for range 3 {
		tokens = append(tokens, rs[0].next(t))
	}
	slices.Sort(tokens)
	if len(slices.Compact(tokens)) != 3 {
		t.Error("a token was sent twice")
	}
	rs[1].next(t)
	rs[2].next(t)
	ps[0].in(t, "end")
	for range 3 {
		rs[0].answers <- 500
	}
	ps[0].w.Provider.SignedOut("end")
	for range 3 {
		rs[0].next(t)
	}
	for deadline := time.Now().Add(time.Minute); strings.Count(ps[0].w.Log.String(), "was not told") == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the operator is not told that it was given up")
		}
	}
	if rs[0].count() != 6 || rs[1].count() != 1 || rs[2].count() != 1 {
		t.Errorf("%d, %d and %d tokens", rs[0].count(), rs[1].count(), rs[2].count())
	}
	if log := ps[0].w.Log.String(); strings.Contains(log, "127.0.0.1") || strings.Contains(log, "eyJ") {
		t.Errorf("an address or a token is in the log: %s", log)
	}
}

// TestWhoDidNotAskIsNotRemembered: without a registered address there is no sid and
// nobody to tell; discovery says what is offered.
func TestWhoDidNotAskIsNotRemembered(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	if who := p.in(t, "session"); who.claims["sid"] != nil {
		t.Errorf("sid %v", who.claims["sid"])
	}
	p.w.Provider.SignedOut("session")
	resp, err := p.w.Server.Client().Get(p.w.Issuer + idp.PathDiscovery)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var doc map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&doc); err != nil || doc["backchannel_logout_supported"] != true || doc["backchannel_logout_session_supported"] != true {
		t.Errorf("%v, %v", doc, err)
	}
}
