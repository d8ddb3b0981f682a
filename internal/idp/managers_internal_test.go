package idp

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/luikyv/go-oidc/pkg/goidc"
)

// shelf is a store that answers with the same value whatever it is asked for, as one
// that was spoiled, or tampered with, could.
type shelf struct {
	value    []byte
	err      error
	inserted bool
	revoked  int
}

func (s *shelf) Insert(context.Context, string, []byte, []byte, []byte, time.Time) (bool, error) {
	return s.inserted, s.err
}

func (s *shelf) Get(context.Context, string, []byte, time.Time) ([]byte, bool, error) {
	return s.value, s.value != nil, s.err
}

func (s *shelf) Take(context.Context, string, []byte, time.Time, time.Time) ([]byte, []byte, bool, error) {
	return s.value, []byte("group"), s.value != nil, s.err
}

func (s *shelf) Revoke(context.Context, []byte, time.Time) error { s.revoked++; return s.err }

func (s *shelf) Sweep(context.Context, time.Time) (int, int, error) { return 0, 0, s.err }

func providerOn(s *shelf) *Provider {
	p := &Provider{cfg: Config{Issuer: "https://ipse.example", Store: s, Now: func() time.Time { return time.Unix(1e9, 0) }, CodeLifetime: time.Minute,
		TokenLifetime: time.Minute, LoginLifetime: time.Minute, Logger: slog.New(slog.DiscardHandler)}}
	p.serving.Store(&generation{services: map[string]*Service{"tax": {ID: "tax"}}})
	return p
}

// TestASpoiledStoreOpensNothing: what stands in the store under the right key, but was
// not sealed under the secret, is as good as nothing, and no fault.
func TestASpoiledStoreOpensNothing(t *testing.T) {
	t.Parallel()
	other, err := kindLogin.seal("another secret", map[string]any{"s": map[string]any{}})
	if err != nil {
		t.Fatal(err)
	}
	empty, err := kindCode.seal("secret", map[string]any{})
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string][]byte{"noise": []byte(strings.Repeat("x", 200)), "short": {1}, "another's": other, "of another kind": empty} {
		m := managers{providerOn(&shelf{value: value})}
		ctx := context.WithValue(t.Context(), requestKey{}, &requestState{})
		if as, err := m.SessionByPushedAuthReqID(ctx, "secret"); !errors.Is(err, goidc.ErrNotFound) || as != nil {
			t.Errorf("%s as a pushed request: %v", name, err)
		}
		if g, err := m.GrantByAuthCode(ctx, "secret"); !errors.Is(err, goidc.ErrNotFound) || g != nil {
			t.Errorf("%s as a code: %v", name, err)
		}
		if token, err := m.Token(ctx, "secret"); !errors.Is(err, goidc.ErrNotFound) || token != nil {
			t.Errorf("%s as a token: %v", name, err)
		}
		if _, err := m.p.Login(ctx, "secret", "browser"); !errors.Is(err, ErrLoginNotFound) {
			t.Errorf("%s as a login: %v", name, err)
		}
	}
}

// TestAFaultOfTheStoreIsNoRefusal: what cannot be looked up is neither found nor said
// not to exist, and its words stay inside.
func TestAFaultOfTheStoreIsNoRefusal(t *testing.T) {
	t.Parallel()
	fault := errors.New("disk at /var/lib/ipse")
	s := &shelf{err: fault, value: []byte("v")}
	m := managers{providerOn(s)}
	ctx := context.WithValue(t.Context(), requestKey{}, &requestState{})
	for name, call := range map[string]func() error{
		"pushed request": func() error { _, err := m.SessionByPushedAuthReqID(ctx, "x"); return err },
		"code":           func() error { _, err := m.GrantByAuthCode(ctx, "x"); return err },
		"token":          func() error { _, err := m.Token(ctx, "x"); return err },
		"jti":            func() error { return m.consumeJTI(ctx, "x") },
		"revocation":     func() error { return m.SaveGrant(ctx, &goidc.Grant{ID: "g", RevokedAt: 1}) },
		"grant":          func() error { return m.SaveGrant(ctx, &goidc.Grant{ID: "g", AuthCode: "c"}) },
		"sweep":          func() error { return m.p.Sweep(ctx) },
		"login":          func() error { _, err := m.p.Login(ctx, "x", "b"); return err },
		"taking":         func() error { return m.p.takeLogin(ctx, "x") },
	} {
		err := call()
		if !errors.Is(err, fault) || errors.Is(err, goidc.ErrNotFound) || strings.Contains(describe(err), "disk") {
			t.Errorf("%s: %v, told as %q", name, err, describe(err))
		}
	}
	s.err, s.value, s.inserted = nil, nil, false
	if err := m.SaveGrant(ctx, &goidc.Grant{ID: "g", AuthCode: "c"}); !errors.Is(err, errRevoked) {
		t.Errorf("a grant of a revoked group: %v", err)
	}
	if err := m.handleToken(ctx, &goidc.Token{ID: "t"}, &goidc.Grant{ID: "g"}); err == nil || !strings.Contains(describe(err), "used before") {
		t.Errorf("a token of a revoked grant: %v", err)
	}
	if err := m.consumeJTI(ctx, "x"); err == nil {
		t.Error("a proof passes twice")
	}
}

// TestOnlyWhatIsBeingAnsweredIsFound: no request of the network reaches a login or a
// grant by its identifier alone.
func TestOnlyWhatIsBeingAnsweredIsFound(t *testing.T) {
	t.Parallel()
	m := managers{providerOn(&shelf{})}
	mine := &requestState{rec: &loginRecord{Session: &goidc.AuthnSession{ID: "one"}}, grant: &goidc.Grant{ID: "g"}}
	ctx := context.WithValue(t.Context(), requestKey{}, mine)
	if _, err := m.Session(ctx, "one"); !errors.Is(err, goidc.ErrNotFound) {
		t.Errorf("without an answer: %v", err)
	}
	mine.decision = &decision{}
	if as, err := m.Session(ctx, "one"); err != nil || as.ID != "one" {
		t.Errorf("being answered: %v", err)
	}
	if g, err := m.Grant(ctx, "g"); err != nil || g.ID != "g" {
		t.Errorf("of the token: %v", err)
	}
	for name, ctx := range map[string]context.Context{"another": ctx, "no request": t.Context()} {
		if _, err := m.Session(ctx, "two"); !errors.Is(err, goidc.ErrNotFound) {
			t.Errorf("%s, login: %v", name, err)
		}
		if _, err := m.Grant(ctx, "h"); !errors.Is(err, goidc.ErrNotFound) {
			t.Errorf("%s, grant: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"a grant without a code":   m.SaveGrant(ctx, &goidc.Grant{ID: "g"}),
		"a login without a state":  m.SaveSession(t.Context(), &goidc.AuthnSession{ID: "one", PolicyID: "consent", Status: goidc.StatusPending}),
		"a single token's revoked": m.SaveToken(ctx, &goidc.Token{RevokedAt: 1}),
	} {
		if err == nil {
			t.Errorf("%s is kept", name)
		}
	}
	for name, err := range map[string]error{
		"a used grant":      m.SaveGrant(ctx, &goidc.Grant{ID: "g", AuthCode: "c", AuthCodeConsumedAt: 1}),
		"an answered login": m.SaveSession(ctx, &goidc.AuthnSession{ID: "one", Status: goidc.StatusSuccess}),
		"a new token":       m.SaveToken(ctx, &goidc.Token{}),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestALoginEndsByItsOwnClockToo, whatever the store says, and when its service is gone.
func TestALoginEndsByItsOwnClockToo(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256([]byte("browser"))
	for name, c := range map[string]struct {
		expires int64
		service string
		want    error
	}{
		"in time": {1e9 + 1, "tax", nil}, "over": {1e9, "tax", ErrLoginExpired}, "of a service that is gone": {1e9 + 1, "gone", ErrLoginNotFound},
	} {
		sealed, err := kindLogin.seal("one", loginRecord{Session: &goidc.AuthnSession{ID: "one", ClientID: c.service}, State: loginState{Browser: sum[:], Expires: c.expires}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := providerOn(&shelf{value: sealed}).Login(t.Context(), "one", "browser"); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if err := providerOn(&shelf{}).takeLogin(t.Context(), "one"); !errors.Is(err, ErrLoginNotFound) {
		t.Errorf("answered by somebody else meanwhile: %v", err)
	}
}

// TestWhatIsReleasedIsReadOrNothing: a grant without it, or with something else in its
// place, gives a token that says nothing of the person.
func TestWhatIsReleasedIsReadOrNothing(t *testing.T) {
	t.Parallel()
	for name, store := range map[string]map[string]any{"nothing": nil, "no text": {storeReleased: 7}, "no JSON": {storeReleased: "{"}, "a list": {storeReleased: "[]"}} {
		g := &goidc.Grant{Store: store}
		if id, info := idTokenClaims(t.Context(), g), userInfoClaims(t.Context(), g); len(id)+len(info) != 0 {
			t.Errorf("%s: %v, %v", name, id, info)
		}
	}
	g := &goidc.Grant{Store: map[string]any{storeReleased: `{"acr":"eidas2","auth_time":7,"userinfo":{"family_name":"E"},"id_token":{"given_name":"A"}}`}}
	if id, info := idTokenClaims(t.Context(), g), userInfoClaims(t.Context(), g); id["acr"] != "eidas2" || id["given_name"] != "A" || id["sid"] != nil || info["family_name"] != "E" {
		t.Errorf("%v, %v", id, info)
	}
}

// TestSecretsOfServices: only the secret whose hash is registered passes, written
// plainly or form-encoded (RFC 6749, 2.3.1).
func TestSecretsOfServices(t *testing.T) {
	t.Parallel()
	const secret = "a secret/of+more than%40128 bits"
	sum := sha256.Sum256([]byte(secret))
	stored := strings.ToLower(hexOf(sum[:]))
	for presented, want := range map[string]bool{secret: true, url.QueryEscape(secret): true, "": false, stored: false, secret + " ": false, "%zz": false} {
		if got := verifySecret(t.Context(), stored, presented) == nil; got != want {
			t.Errorf("%q: %v", presented, got)
		}
	}
	for _, hash := range []string{"", "00", "zz", stored[:62]} {
		if verifySecret(t.Context(), hash, secret) == nil || verifySecret(t.Context(), hash, "") == nil {
			t.Errorf("a service without a secret, %q, lets somebody in", hash)
		}
	}
}

func hexOf(b []byte) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, 2*len(b))
	for _, x := range b {
		out = append(out, digits[x>>4], digits[x&15])
	}
	return string(out)
}

// TestPrintableIsWhatARefusalMayHold (RFC 6749, 4.1.2.1), whatever came in.
func TestPrintableIsWhatARefusalMayHold(t *testing.T) {
	t.Parallel()
	got := printable(strings.Repeat("é\"\\\n\x00a", 100))
	if len(got) > 200 || strings.ContainsFunc(got, func(r rune) bool { return r < 0x20 || r > 0x7E || r == '"' || r == '\\' }) {
		t.Errorf("%d: %q", len(got), got)
	}
}
