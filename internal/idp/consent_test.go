package idp_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"ipse/internal/idp"
	"ipse/internal/idp/idptest"
)

func (l *login) view(t testing.TB) idp.LoginView {
	t.Helper()
	v, err := l.p.w.Provider.Login(t.Context(), l.id, l.browser.Cookie())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestLoginPageShowsExactlyWhatIsAsked: who, why, by what right, which level,
// and each attribute with whether the service can do without it.
func TestLoginPageShowsExactlyWhatIsAsked(t *testing.T) {
	t.Parallel()
	p := world(t, "high", requireACR("eidas2"), func(s *idp.Service) { s.LogoPath, s.PolicyURL = "/logo.svg", "https://tax.example/privacy" })
	before := p.w.Now()
	v := p.begin(t).view(t)
	if !reflect.DeepEqual(v.Service, idp.ServiceView{ID: "tax", Name: p.svc.Name, LogoURL: "/logo.svg", PolicyURL: "https://tax.example/privacy"}) {
		t.Errorf("service = %+v", v.Service)
	}
	if v.Purpose != p.svc.Purpose || v.LegalBasis != p.svc.LegalBasis || v.ACR != "eidas2" || v.LevelRequired != "substantial" {
		t.Errorf("view = %+v", v)
	}
	if want := []idp.AttributeView{{Name: "family_name", Essential: true}, {Name: "given_name", Essential: true}, {Name: "birthdate"}}; !reflect.DeepEqual(v.Attributes, want) {
		t.Errorf("attributes = %v", v.Attributes)
	}
	if v.StartedAt.Before(before.Truncate(time.Microsecond)) || v.ExpiresAt.Sub(v.StartedAt).Round(time.Second) > 15*time.Minute {
		t.Errorf("from %v to %v", v.StartedAt, v.ExpiresAt)
	}
}

// TestRememberedAnswersHoldForTheSameTerms: same service, reason, level and
// attributes; and never where the service wants the person asked.
func TestRememberedAnswersHoldForTheSameTerms(t *testing.T) {
	t.Parallel()
	ps := worldWith(t, "high", nil, service("tax"), service("family"))
	p := ps[0]
	l := p.begin(t)
	terms := l.view(t).Terms
	if terms == "" || p.begin(t).view(t).Terms != terms {
		t.Error("the same request has other terms")
	}
	if _, err := p.w.Provider.Consent(t.Context(), l.id, l.browser.Cookie(), idp.Person{Account: idptest.Account, AuthTime: p.w.Now()}, idptest.Choose(p.w.Wallet(), "family_name", "given_name"), true); err != nil {
		t.Fatal(err)
	}
	if e := p.w.Journal()[0]; !e.Remembered || e.Terms != terms {
		t.Errorf("journal says %+v", e)
	}
	for name, other := range map[string]*login{
		"one attribute more":            p.begin(t, param("scope", "openid profile age")),
		"one that it cannot do without": p.begin(t, param("claims", `{"userinfo":{"birthdate":{"essential":true}}}`)),
		"another level":                 p.begin(t, param("acr_values", "eidas3")),
		"another service":               ps[1].begin(t), // of the same office, with the same words
		"another reason":                world(t, "high", func(s *idp.Service) { s.Purpose.EN = "Something else" }).begin(t),
	} {
		if got := other.view(t).Terms; got == terms || got == "" {
			t.Errorf("%s: terms %q", name, got)
		}
	}
	if got := p.begin(t, param("prompt", "consent")).view(t).Terms; got != "" {
		t.Errorf("prompt=consent: terms %q", got)
	}
}

// TestNothingBeyondTheRegistration: a service that asks for more than it is
// registered for gets no more, and people are not shown it.
func TestNothingBeyondTheRegistration(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	l := p.begin(t, param("scope", "openid profile identity age"),
		param("claims", `{"userinfo":{"document_number":{"essential":true},"portrait":null},"id_token":{"document_expiry":null}}`))
	var names []string
	for _, a := range l.view(t).Attributes {
		names = append(names, a.Name)
	}
	if !slices.Equal(names, []string{"family_name", "given_name", "birthdate", "nationalities", "age_over_18"}) {
		t.Errorf("shown: %v", names)
	}
	who := l.exchange(t, l.agree(t))
	if len(who.userinfo) != 6 || who.userinfo["document_number"] != nil || who.claims["document_expiry"] != nil {
		t.Errorf("got %v, %v", who.userinfo, who.claims)
	}
}

// TestEachAttributeCanBeWithheld unless the service cannot do without it.
func TestEachAttributeCanBeWithheld(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	l := p.begin(t, param("scope", "openid profile age"))
	if who := l.exchange(t, l.agree(t, "birthdate", "age_over_18")); len(who.userinfo) != 3 {
		t.Errorf("userinfo = %v", who.userinfo)
	}
	if got := p.w.Journal()[0].Attributes; !slices.Equal(got, []string{"family_name", "given_name"}) {
		t.Errorf("journal says %v", got)
	}
	l = p.begin(t)
	if _, err := l.browser.Agree(t, l.id, "family_name"); !errors.Is(err, idp.ErrEssentialMissing) {
		t.Errorf("err = %v", err)
	}
	// The login goes on: the person may change their mind.
	if who := l.exchange(t, l.agree(t)); who.userinfo["family_name"] != "ERIKSSON" {
		t.Errorf("userinfo = %v", who.userinfo)
	}
}

// TestOnlyWhatThePersonChoseIsReleased: disclosing more than was asked is
// refused, not silently passed on.
func TestOnlyWhatThePersonChoseIsReleased(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	l := p.begin(t)
	_, err := p.w.Provider.Consent(t.Context(), l.id, l.browser.Cookie(), idp.Person{Account: idptest.Account, AuthTime: p.w.Now()}, p.w.Wallet(), false)
	if !errors.Is(err, idp.ErrPresentation) {
		t.Errorf("err = %v", err)
	}
}

// TestForgedPresentationsReleaseNothing: what the browser hands in must carry
// this server's signature, for this account.
func TestForgedPresentationsReleaseNothing(t *testing.T) {
	t.Parallel()
	p := world(t, "low")
	thief, err := idptest.NewClaims()
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := thief.Issue(idptest.Account, "high", map[string]any{"family_name": "MALLORY", "given_name": "EVE"})
	if err != nil {
		t.Fatal(err)
	}
	own := idptest.Choose(p.w.Wallet(), "family_name", "given_name")
	l := p.begin(t)
	for name, c := range map[string]struct{ account, presentation string }{
		"another key": {idptest.Account, foreign}, "another account": {"account-other", own},
		"a stranger's disclosure": {idptest.Account, own + strings.SplitN(foreign, "~", 3)[1] + "~"},
		"empty":                   {idptest.Account, ""}, "noise": {idptest.Account, "a.b.c~d~"},
	} {
		_, err := p.w.Provider.Consent(t.Context(), l.id, l.browser.Cookie(), idp.Person{Account: c.account, AuthTime: p.w.Now()}, c.presentation, false)
		if !errors.Is(err, idp.ErrPresentation) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(p.w.Journal()) != 0 || p.w.Store.Count("code") != 0 {
		t.Error("something was released")
	}
}

// TestClaimsOfNoKnownLevelReleaseNothing: a level that this server does not know must
// not pass for one that suffices.
func TestClaimsOfNoKnownLevelReleaseNothing(t *testing.T) {
	t.Parallel()
	for _, level := range []string{"", "highest", "HIGH"} {
		p := world(t, level)
		l := p.begin(t)
		if _, err := l.browser.Agree(t, l.id); !errors.Is(err, idp.ErrPresentation) || len(p.w.Journal()) != 0 {
			t.Errorf("level %q: %v", level, err)
		}
	}
}

func TestPersonRefuses(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	l := p.begin(t)
	location, err := p.w.Provider.Refuse(t.Context(), l.id, l.browser.Cookie())
	if err != nil {
		t.Fatal(err)
	}
	if q := l.answer(t, location); q.Get("error") != "access_denied" || q.Has("code") {
		t.Errorf("answer = %v", q)
	}
	if _, err := l.browser.Agree(t, l.id); !errors.Is(err, idp.ErrLoginNotFound) {
		t.Errorf("a refused login answers %v", err)
	}
	if len(p.w.Journal()) != 0 {
		t.Error("a refusal is in the journal of releases")
	}
}

// TestLevelTooLow: the person is told first; the service learns the reason only
// when the person goes back.
func TestLevelTooLow(t *testing.T) {
	t.Parallel()
	p := world(t, "substantial", requireACR("eidas3"))
	l := p.begin(t)
	if _, err := l.browser.Agree(t, l.id); !errors.Is(err, idp.ErrLevelTooLow) {
		t.Fatalf("err = %v", err)
	}
	location, err := p.w.Provider.Refuse(t.Context(), l.id, l.browser.Cookie())
	if err != nil {
		t.Fatal(err)
	}
	if q := l.answer(t, location); q.Get("error") != "unmet_authentication_requirements" {
		t.Errorf("answer = %v", q)
	}
}

// TestACR: which level is a condition, which is a wish, and what comes back
// (Core 3.1.2.1 acr_values, 5.5.1.1; EAP ACR values for phr).
func TestACR(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		level, required, values, claims string
		acr                             string // of the answer; empty: level too low
	}{
		"nothing asked, low":             {level: "low", acr: "eidas1"},
		"nothing asked, substantial":     {level: "substantial", acr: "eidas2"},
		"nothing asked, high":            {level: "high", acr: "eidas3"},
		"wish met":                       {level: "high", values: "eidas2", acr: "eidas3"},
		"wish not met":                   {level: "low", values: "eidas3", acr: "eidas1"},
		"registration met":               {level: "substantial", required: "eidas2", acr: "eidas2"},
		"registration not met":           {level: "low", required: "eidas2"},
		"registration beats a wish":      {level: "low", required: "eidas2", values: "eidas1"},
		"essential claim met":            {level: "high", claims: `{"id_token":{"acr":{"essential":true,"values":["eidas2","eidas3"]}}}`, acr: "eidas3"},
		"essential claim not met":        {level: "low", claims: `{"id_token":{"acr":{"essential":true,"value":"eidas2"}}}`},
		"voluntary claim not met":        {level: "low", claims: `{"id_token":{"acr":{"value":"eidas2"}}}`, acr: "eidas1"},
		"essential claim with phr":       {level: "low", claims: `{"id_token":{"acr":{"essential":true,"values":["phr"]}}}`, acr: "phr"},
		"phr preferred":                  {level: "substantial", values: "phr eidas2", acr: "phr"},
		"phr does not waive the level":   {level: "low", required: "eidas3", values: "phr"},
		"phr second":                     {level: "substantial", values: "eidas2 phr", acr: "eidas2"},
		"lowest of several is what must": {level: "substantial", claims: `{"id_token":{"acr":{"essential":true,"values":["eidas3","eidas2"]}}}`, acr: "eidas2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := world(t, c.level, requireACR(c.required))
			l := p.begin(t, param("acr_values", c.values), param("claims", c.claims))
			location, err := l.browser.Agree(t, l.id)
			if c.acr == "" {
				if !errors.Is(err, idp.ErrLevelTooLow) {
					t.Errorf("err = %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if who := l.exchange(t, location); who.claims["acr"] != c.acr {
				t.Errorf("acr = %v, want %s", who.claims["acr"], c.acr)
			}
		})
	}
}

// TestClaimsParameter (Core 5.5): each claim comes where it was asked.
func TestClaimsParameter(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	p.config.Scopes = []string{"openid"}
	l := p.begin(t, param("claims", `{"userinfo":{"given_name":{"essential":true},"nickname":null},
		"id_token":{"birthdate":null,"age_over_18":{"essential":true},"acr":null}}`))
	for _, a := range l.view(t).Attributes {
		if want := a.Name == "given_name" || a.Name == "age_over_18"; a.Essential != want {
			t.Errorf("%s essential: %v", a.Name, a.Essential)
		}
	}
	who := l.exchange(t, l.agree(t))
	if who.userinfo["given_name"] != "ANNA MARIA" || len(who.userinfo) != 2 {
		t.Errorf("userinfo = %v", who.userinfo)
	}
	if who.claims["birthdate"] != "1974-08-12" || who.claims["age_over_18"] != true || who.claims["given_name"] != nil {
		t.Errorf("ID token = %v", who.claims)
	}
}

// TestVerifiedClaims (OpenID Identity Assurance): the framework and the level
// stand beside the claims; other frameworks are not pretended.
func TestVerifiedClaims(t *testing.T) {
	t.Parallel()
	p := world(t, "substantial")
	p.config.Scopes = []string{"openid"}
	who := p.whole(t, param("claims", `{"userinfo":{"verified_claims":[
		{"verification":{"trust_framework":{"value":"eidas"}},"claims":{"family_name":null}},
		{"verification":{"trust_framework":{"value":"us_aml"}},"claims":{"birthdate":null}}]},
		"id_token":{"verified_claims":{"verification":{"trust_framework":null},"claims":{"given_name":null}}}}`))
	verified := func(name, value string) map[string]any {
		return map[string]any{
			"verification": map[string]any{"trust_framework": "eidas", "assurance_level": "substantial"},
			"claims":       map[string]any{name: value},
		}
	}
	if !reflect.DeepEqual(who.userinfo["verified_claims"], verified("family_name", "ERIKSSON")) || len(who.userinfo) != 2 {
		t.Errorf("userinfo = %v", who.userinfo)
	}
	if !reflect.DeepEqual(who.claims["verified_claims"], verified("given_name", "ANNA MARIA")) {
		t.Errorf("ID token = %v", who.claims["verified_claims"])
	}
}

// TestRouteLeavesNoTrace: nothing that a service sees depends on how the person
// proved their identity. A presentation holds a level and attributes; two people
// of one level differ, for a service, in nothing but their values.
func TestRouteLeavesNoTrace(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	who := p.whole(t, param("scope", "openid profile identity age"))
	raw, err := json.Marshal([]any{who.claims, who.userinfo})
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ToLower(string(raw))
	for _, random := range []any{who.claims["nonce"], who.claims["sub"]} { // which may hold any short word
		text = strings.ReplaceAll(text, strings.ToLower(random.(string)), "random")
	}
	for _, word := range []string{"face", "camera", "selfie", "counter", "biometric", "route", "chip", "bio"} {
		if strings.Contains(text, word) {
			t.Errorf("a service is told about %q", word)
		}
	}
}

// TestPasskeyMustBeFresh: every login wants a use of the passkey after it
// began, so prompt=login and max_age always hold (Core 3.1.2.1).
func TestPasskeyMustBeFresh(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	l := p.begin(t, param("prompt", "login consent"), param("max_age", "0"))
	presentation := idptest.Choose(p.w.Wallet(), "family_name", "given_name")
	for name, at := range map[string]time.Time{
		"before the login": l.view(t).StartedAt.Add(-time.Millisecond), "never": {}, "in an hour": p.w.Now().Add(time.Hour),
	} {
		_, err := p.w.Provider.Consent(t.Context(), l.id, l.browser.Cookie(), idp.Person{Account: idptest.Account, AuthTime: at}, presentation, false)
		if !errors.Is(err, idp.ErrSignInAgain) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := p.w.Provider.Consent(t.Context(), l.id, l.browser.Cookie(), idp.Person{Account: "", AuthTime: p.w.Now()}, presentation, false); !errors.Is(err, idp.ErrSignInAgain) {
		t.Errorf("nobody signed in: %v", err)
	}
	who := l.exchange(t, l.agree(t))
	if at := int64(who.claims["auth_time"].(float64)); at < l.begun.Unix() {
		t.Errorf("auth_time %d is before the login", at)
	}
}

// TestPromptNoneCannotSucceed: nobody is logged in without a yes.
func TestPromptNoneCannotSucceed(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	if q := p.refused(t, param("prompt", "none")); q.Get("error") != "login_required" {
		t.Errorf("answer = %v", q)
	}
	if q := p.refused(t, param("prompt", "none login")); q.Get("error") != "invalid_request" {
		t.Errorf("answer = %v", q)
	}
}

// TestHintedPersonMustAnswer: a service that asks for the person of an earlier
// login gets that person or nobody (Core 3.1.2.1 id_token_hint, 5.5.1 sub).
func TestHintedPersonMustAnswer(t *testing.T) {
	t.Parallel()
	ps := worldWith(t, "high", nil, service("tax"), service("family"))
	p, other := ps[0], ps[1]
	who, theirs := p.whole(t), other.whole(t)
	again := p.whole(t, param("id_token_hint", who.raw), param("claims", `{"id_token":{"sub":{"value":"`+who.id.Subject+`"}}}`))
	if again.id.Subject != who.id.Subject {
		t.Error("another person answered")
	}
	l := p.begin(t, param("claims", `{"id_token":{"sub":{"value":"somebody-else"}}}`))
	if _, err := l.browser.Agree(t, l.id); !errors.Is(err, idp.ErrOtherPerson) {
		t.Errorf("err = %v", err)
	}
	for name, hint := range map[string]string{
		"of another service": theirs.raw, "noise": "a.b.c", "of another issuer": idpForeignToken(t, p),
		"altered": who.raw[:len(who.raw)-6] + "AAAAAA",
	} {
		if q := p.refused(t, param("id_token_hint", hint)); q.Get("error") != "invalid_request" {
			t.Errorf("hint %s: %v", name, q)
		}
	}
	if q := p.refused(t, param("id_token_hint", who.raw), param("claims", `{"id_token":{"sub":{"value":"x"}}}`)); q.Get("error") != "invalid_request" {
		t.Errorf("contradiction: %v", q)
	}
}

// idpForeignToken is an ID token for the same service from another provider.
func idpForeignToken(t *testing.T, p *party) string {
	t.Helper()
	return worldWith(t, "high", nil, p.svc)[0].whole(t).raw
}
