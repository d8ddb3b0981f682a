package vault_test

import (
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ipse/internal/pii"
	"ipse/internal/pii/piitest"
	"ipse/internal/vault"
)

// choose keeps the disclosures of the names given, as the browser does.
func choose(t *testing.T, combined string, names ...string) string {
	t.Helper()
	parts := strings.Split(combined, "~")
	out := parts[0] + "~"
	for _, encoded := range parts[1 : len(parts)-1] {
		raw, err := base64.RawURLEncoding.DecodeString(encoded)
		if err != nil {
			t.Fatal(err)
		}
		var d []any
		if err := json.Unmarshal(raw, &d); err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if d[1] == name {
				out += encoded + "~"
			}
		}
	}
	return out
}

func TestEverySignedAttributeComesBack(t *testing.T) {
	t.Parallel()
	v := newVault(t, nil)
	got, err := v.Verify(sign(t, v, "acc-1", specimen()), "acc-1", vault.Names())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"family_name": "ERIKSSON", "given_name": "ANNA MARIA", "birthdate": "1974-08-12", "nationalities": []string{"UTO"},
		"age_over_18": true, "document_type": "passport", "document_issuer": "UTO", "document_number": "L898902C3",
		"document_expiry": "2032-04-15", "verified_on": "2026-11-23",
	}
	if got.Level != vault.High || !reflect.DeepEqual(got.Reveal(), want) || len(got.Names()) != len(want) {
		t.Errorf("got %s %v", got.Level, got.Reveal())
	}
}

func TestOnlyChosenAttributesAreDisclosed(t *testing.T) {
	t.Parallel()
	v := newVault(t, nil)
	combined := sign(t, v, "acc-1", specimen())
	got, err := v.Verify(choose(t, combined, "age_over_18"), "acc-1", []string{"age_over_18", "family_name"})
	if err != nil || !reflect.DeepEqual(got.Reveal(), map[string]any{"age_over_18": true}) {
		t.Errorf("got %v, %v", got.Reveal(), err)
	}
	got, err = v.Verify(choose(t, combined), "acc-1", nil)
	if err != nil || len(got.Names()) != 0 || got.Level != vault.High {
		t.Errorf("nothing chosen: %v, %v", got.Names(), err)
	}
}

func TestTheSignedPartNamesNobody(t *testing.T) {
	t.Parallel()
	v := newVault(t, nil)
	token, _, _ := strings.Cut(sign(t, v, "acc-1", specimen()), "~")
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"ERIKSSON", "ANNA", "1974", "L898902C3", "camera", "counter", "route"} {
		if piitest.Shows(string(raw), value) {
			t.Errorf("the signed part holds %q", value)
		}
	}
	var p struct {
		IssuedAt int64    `json:"iat"`
		Digests  []string `json:"_sd"`
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		t.Fatal(err)
	}
	if p.IssuedAt%86400 != 0 {
		t.Error("iat is finer than a day")
	}
}

// TestClaimsOfAllPeopleLookAlike: same number of digests, a length in coarse
// steps, whatever the person's age, names or missing attributes.
func TestClaimsOfAllPeopleLookAlike(t *testing.T) {
	t.Parallel()
	v := newVault(t, nil)
	rapid.Check(t, func(rt *rapid.T) {
		a := specimen()
		a.FamilyName = pii.NewText(rapid.StringN(0, 60, 200).Draw(rt, "family"))
		a.GivenName = pii.NewText(rapid.StringN(0, 60, 200).Draw(rt, "given"))
		a.BirthDate = pii.NewText(fmt.Sprintf("%04d-01-02", rapid.IntRange(1900, 2026).Draw(rt, "year")))
		combined, err := v.Sign("acc-1", vault.High, a)
		if err != nil {
			rt.Fatal(err)
		}
		text := string(combined.Reveal())
		if len(text)%1024 != 0 {
			rt.Errorf("%d bytes", len(text))
		}
		token, _, _ := strings.Cut(text, "~")
		raw, _ := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
		var p struct {
			Digests []string `json:"_sd"`
		}
		if err := json.Unmarshal(raw, &p); err != nil || len(p.Digests) != 12 {
			rt.Errorf("%d digests, %v", len(p.Digests), err)
		}
		got, err := v.Verify(text, "acc-1", vault.Names())
		if err != nil || got.Reveal()["birthdate"] != a.BirthDate.Reveal() {
			rt.Errorf("does not verify: %v", err)
		}
	})
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	mine := func(c *vault.Config) { c.ClaimsKey = key }
	v := newVault(t, mine)
	combined := sign(t, v, "acc-1", specimen())
	token, rest, _ := strings.Cut(combined, "~")
	first, _, _ := strings.Cut(rest, "~")
	forged := base64.RawURLEncoding.EncodeToString([]byte(`["c2FsdHNhbHRzYWx0c2FsdA","family_name","OTHER"]`))
	other := sign(t, newVault(t, nil), "acc-1", specimen())
	otherIssuer := sign(t, newVault(t, func(c *vault.Config) { c.ClaimsKey, c.Issuer = key, "https://other.example" }), "acc-1", specimen())
	at := strings.LastIndex(token, ".") + 1 // the first octets: the last letter holds bits of none
	flipped := token[:at] + map[bool]string{true: "BB", false: "AA"}[token[at:at+2] == "AA"] + token[at+2:]
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + strings.Split(token, ".")[1] + "."
	for name, c := range map[string]struct {
		presentation, account string
		allowed               []string
		want                  error
	}{
		"nothing":                    {"", "acc-1", nil, vault.ErrMalformed},
		"no tilde":                   {token, "acc-1", nil, vault.ErrMalformed},
		"a key binding token":        {combined + token, "acc-1", vault.Names(), vault.ErrMalformed},
		"unsigned":                   {none + "~", "acc-1", nil, vault.ErrMalformed},
		"too long":                   {combined + strings.Repeat("x", 64<<10) + "~", "acc-1", nil, vault.ErrMalformed},
		"too many":                   {combined + rest, "acc-1", vault.Names(), vault.ErrMalformed},
		"altered signature":          {flipped + "~", "acc-1", nil, vault.ErrSignature},
		"another server's key":       {other, "acc-1", vault.Names(), vault.ErrSignature},
		"another issuer":             {otherIssuer, "acc-1", vault.Names(), vault.ErrSignature},
		"another account":            {combined, "acc-2", vault.Names(), vault.ErrNotTheirs},
		"no account":                 {combined, "", vault.Names(), vault.ErrNotTheirs},
		"a forged disclosure":        {token + "~" + forged + "~", "acc-1", vault.Names(), vault.ErrNotSigned},
		"an empty disclosure":        {token + "~~", "acc-1", vault.Names(), vault.ErrNotSigned},
		"a disclosure twice":         {token + "~" + first + "~" + first + "~", "acc-1", vault.Names(), vault.ErrMalformed},
		"more than was asked for":    {combined, "acc-1", []string{"family_name"}, vault.ErrNotAllowed},
		"something, nothing allowed": {token + "~" + first + "~", "acc-1", nil, vault.ErrNotAllowed},
	} {
		got, err := v.Verify(c.presentation, c.account, c.allowed)
		if !errors.Is(err, c.want) || len(got.Names()) != 0 {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "ERIKSSON") {
			t.Errorf("%s: the error holds a value", name)
		}
	}
}

func TestClaimsOfAFormerKeyStayValidWhileItIsListed(t *testing.T) {
	t.Parallel()
	old := newKey(t)
	combined := sign(t, newVault(t, func(c *vault.Config) { c.ClaimsKey = old }), "acc-1", specimen())
	with := newVault(t, func(c *vault.Config) { c.FormerKeys = []*ecdsa.PublicKey{&old.PublicKey} })
	if _, err := with.Verify(combined, "acc-1", vault.Names()); err != nil {
		t.Error(err)
	}
	if _, err := newVault(t, nil).Verify(combined, "acc-1", vault.Names()); !errors.Is(err, vault.ErrSignature) {
		t.Errorf("err = %v", err)
	}
}

func TestClaimsExpireAfterTheirValidity(t *testing.T) {
	t.Parallel()
	now := day()
	v := newVault(t, func(c *vault.Config) { c.Validity, c.Now = 48*time.Hour, func() time.Time { return now } })
	combined := sign(t, v, "acc-1", specimen())
	for after, want := range map[time.Duration]error{0: nil, 24 * time.Hour: nil, 72 * time.Hour: vault.ErrExpired, -72 * time.Hour: vault.ErrExpired} {
		now = day().Add(after)
		if _, err := v.Verify(combined, "acc-1", vault.Names()); !errors.Is(err, want) {
			t.Errorf("after %v: %v, want %v", after, err, want)
		}
	}
}

func TestAgeOver18OnlyWhenCertain(t *testing.T) {
	t.Parallel()
	v := newVault(t, nil) // 2026-11-23
	for birth, want := range map[string]struct {
		value string
		adult bool
	}{
		"2008-11-23": {"2008-11-23", true}, "2008-11-24": {"2008-11-24", false}, "2008-02-29": {"2008-02-29", true},
		"2020-01-01": {"2020-01-01", false}, "2008-00-00": {"2008", false}, "2007-XX-XX": {"2007", true}, "2007": {"2007", true}, "2008-05": {"2008", false},
	} {
		a := specimen()
		a.BirthDate = pii.NewText(birth)
		got, err := v.Verify(sign(t, v, "a", a), "a", vault.Names())
		_, adult := got.Reveal()["age_over_18"]
		if err != nil || adult != want.adult || got.Reveal()["birthdate"] != want.value {
			t.Errorf("%s: %v %v (%v)", birth, got.Reveal()["birthdate"], adult, err)
		}
	}
}

func TestSignRefusesWhatIsNotAnAttribute(t *testing.T) {
	t.Parallel()
	v := newVault(t, nil)
	for name, change := range map[string]func(*vault.Attributes){
		"none":            func(a *vault.Attributes) { *a = vault.Attributes{} },
		"birth date":      func(a *vault.Attributes) { a.BirthDate = pii.NewText("12.08.1974") },
		"impossible date": func(a *vault.Attributes) { a.BirthDate = pii.NewText("1974-13-12") },
		"expiry":          func(a *vault.Attributes) { a.DocumentExpiry = pii.NewText("2032") },
		"verified on":     func(a *vault.Attributes) { a.VerifiedOn = "today" },
		"long name":       func(a *vault.Attributes) { a.FamilyName = pii.NewText(strings.Repeat("X", 513)) },
		"not UTF-8":       func(a *vault.Attributes) { a.GivenName = pii.NewText("\xff") },
		"nationality":     func(a *vault.Attributes) { a.Nationalities = []pii.Text{pii.NewText("UTOPIA")} },
		"nationalities":   func(a *vault.Attributes) { a.Nationalities = make([]pii.Text, 9) },
	} {
		a := specimen()
		change(&a)
		if _, err := v.Sign("a", vault.High, a); !errors.Is(err, vault.ErrAttributes) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := v.Sign("", vault.High, specimen()); !errors.Is(err, vault.ErrAttributes) {
		t.Errorf("no account: %v", err)
	}
	if _, err := v.Sign("a", "gold", specimen()); !errors.Is(err, vault.ErrAttributes) {
		t.Errorf("no level: %v", err)
	}
}

func TestDisclosedValuesNeverPrint(t *testing.T) {
	t.Parallel()
	v := newVault(t, nil)
	got, err := v.Verify(sign(t, v, "a", specimen()), "a", vault.Names())
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(map[string]any{"d": got})
	if err != nil {
		t.Fatal(err)
	}
	if out := fmt.Sprintf("%v %+v %#v %s", got, got, got, encoded); strings.Contains(out, "ERIKSSON") || !strings.Contains(out, pii.Redacted) {
		t.Error("values are printed")
	}
}

func TestNewRefusesHalfAConfiguration(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*vault.Config){
		"key": func(c *vault.Config) { c.ClaimsKey = nil }, "issuer": func(c *vault.Config) { c.Issuer = "" },
		"clock": func(c *vault.Config) { c.Now = nil }, "random": func(c *vault.Config) { c.Rand = nil },
		"validity": func(c *vault.Config) { c.Validity = -1 }, "former": func(c *vault.Config) { c.FormerKeys = []*ecdsa.PublicKey{nil} },
	} {
		cfg := vault.Config{ClaimsKey: newKey(t), Issuer: issuer, Now: day, Rand: strings.NewReader("")}
		change(&cfg)
		if _, err := vault.New(cfg); err == nil {
			t.Errorf("%s missing: accepted", name)
		}
	}
	v := newVault(t, func(c *vault.Config) { c.Rand = strings.NewReader("short") })
	if _, err := v.Sign("a", vault.High, specimen()); err == nil {
		t.Error("signed without randomness")
	}
}

func FuzzVerifyDisclosesOnlySignedValues(f *testing.F) {
	t := &testing.T{}
	v := newVault(t, nil)
	combined := sign(t, v, "a", specimen())
	signed, err := v.Verify(combined, "a", vault.Names())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(combined)
	f.Add("~")
	f.Add(combined[:len(combined)/2] + "~")
	f.Fuzz(func(t *testing.T, presentation string) {
		got, err := v.Verify(presentation, "a", vault.Names())
		if err != nil {
			return
		}
		for name, value := range got.Reveal() {
			if !reflect.DeepEqual(value, signed.Reveal()[name]) {
				t.Errorf("%s was not signed with this value", name)
			}
		}
	})
}
