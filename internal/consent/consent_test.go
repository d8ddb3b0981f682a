package consent_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"ipse/internal/consent"
)

func newIssuer(t *testing.T) *consent.Issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := consent.NewIssuer(consent.Config{
		Operator: consent.Operator{Name: "Example City", Contact: "dpo@city.example", PrivacyURL: "https://city.example/privacy"},
		Key:      key, KeyID: "receipt-1"})
	if err != nil {
		t.Fatal(err)
	}
	return issuer
}

func start() time.Time { return time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC) }

func offerFor(t *testing.T, issuer *consent.Issuer, route consent.Route) consent.Offer {
	t.Helper()
	offer, err := issuer.Offer(consent.OfferRequest{SessionID: "s-1", Route: route, Language: consent.English, Ends: start().Add(30 * time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	return offer
}

func issue(t *testing.T, issuer *consent.Issuer, route consent.Route) (string, consent.Receipt) {
	t.Helper()
	signed, err := issuer.Issue(offerFor(t, issuer, route), start())
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := consent.Verify(signed, issuer.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	return signed, receipt
}

func TestReceiptPermitsOnlyWhatWasAgreed(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t)
	_, camera := issue(t, issuer, consent.RouteCamera)
	_, counter := issue(t, issuer, consent.RouteCounter)
	tests := []struct {
		name    string
		receipt consent.Receipt
		session string
		check   consent.Check
		at      time.Time
		want    bool
	}{
		{"document by camera", camera, "s-1", consent.CheckDocument, start(), true},
		{"face by camera", camera, "s-1", consent.CheckFace, start(), true},
		{"counter with a camera receipt", camera, "s-1", consent.CheckCounter, start(), false},
		{"document at the counter", counter, "s-1", consent.CheckDocument, start(), true},
		{"counter at the counter", counter, "s-1", consent.CheckCounter, start(), true},
		{"face with a counter receipt", counter, "s-1", consent.CheckFace, start(), false},
		{"another session", camera, "s-2", consent.CheckDocument, start(), false},
		{"no session", camera, "", consent.CheckDocument, start(), false},
		{"last second", camera, "s-1", consent.CheckFace, start().Add(30*time.Minute - time.Second), true},
		{"at its end", camera, "s-1", consent.CheckFace, start().Add(30 * time.Minute), false},
		{"before it was given", camera, "s-1", consent.CheckFace, start().Add(-time.Second), false},
		{"no receipt at all", consent.Receipt{}, "s-1", consent.CheckDocument, start(), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.receipt.Permits(tt.session, tt.check, tt.at)
			if (err == nil) != tt.want || (err != nil && !errors.Is(err, consent.ErrNotPermitted)) {
				t.Errorf("Permits = %v, want permitted %v", err, tt.want)
			}
		})
	}
}

// TestAReceiptOfAnotherKindPermitsNothing: what was refused, or written under another
// schema, or without readable times, is no consent, even rightly signed.
func TestAReceiptOfAnotherKindPermitsNothing(t *testing.T) {
	t.Parallel()
	_, good := issue(t, newIssuer(t), consent.RouteCamera)
	if err := good.Permits("s-1", consent.CheckDocument, start()); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*consent.Receipt){
		"another schema": func(r *consent.Receipt) { r.SchemaVersion += "x" }, "refused": func(r *consent.Receipt) { r.Event.State = "refused" },
		"no state": func(r *consent.Receipt) { r.Event.State = "" }, "no end": func(r *consent.Receipt) { r.Event.Ends = "" },
		"an end that is none": func(r *consent.Receipt) { r.Event.Ends = "for ever" }, "no beginning": func(r *consent.Receipt) { r.Event.Issued = "" },
		"no purposes": func(r *consent.Receipt) { r.Purposes = nil },
	} {
		r := good
		change(&r)
		if err := r.Permits("s-1", consent.CheckDocument, start()); !errors.Is(err, consent.ErrNotPermitted) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReceiptIsDeterministicAndComplete(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t)
	first, receipt := issue(t, issuer, consent.RouteCamera)
	second, _ := issue(t, issuer, consent.RouteCamera)
	if payload(t, first) != payload(t, second) {
		t.Error("the same consent gives two different receipts")
	}
	const head = `{"schema_version":"urn:ipse:consent-receipt:1","record_id":"`
	const tail = `"route":"camera","routes_offered":["camera","counter"],"withdrawal":"stop_any_time",` +
		`"rights":["access","erasure","portability","complaint"],"event":{"state":"given","type":"explicitly_expressed",` +
		`"issued":"2026-11-23T10:00:00Z","ends":"2026-11-23T10:30:00Z"}}`
	if p := payload(t, first); !strings.HasPrefix(p, head) || !strings.HasSuffix(p, tail) {
		t.Errorf("receipt is %s", p)
	}
	if !receipt.MatchesText() {
		t.Error("the receipt does not match the text in force")
	}
	receipt.Notice.TextSHA256 = strings.Repeat("0", 64)
	if receipt.MatchesText() {
		t.Error("a receipt for another text matches")
	}
	basis := map[consent.Check]consent.LegalBasis{}
	for _, p := range receipt.Purposes {
		basis[p.Check] = p.LegalBasis
	}
	if basis[consent.CheckDocument] != "gdpr_6_1_a" || basis[consent.CheckFace] != "gdpr_9_2_a" {
		t.Errorf("legal bases are %v", basis)
	}
}

func payload(t *testing.T, signed string) string {
	t.Helper()
	var parts struct{ Payload string }
	if err := json.Unmarshal([]byte(signed), &parts); err != nil {
		t.Fatal(err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts.Payload)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestVerifyRefusesWhatTheKeyDidNotSign(t *testing.T) {
	t.Parallel()
	issuer, other := newIssuer(t), newIssuer(t)
	signed, _ := issue(t, issuer, consent.RouteCamera)
	var parts map[string]string
	if err := json.Unmarshal([]byte(signed), &parts); err != nil {
		t.Fatal(err)
	}
	with := func(member, value string) string {
		changed := map[string]string{}
		for k, v := range parts {
			changed[k] = v
		}
		changed[member] = value
		raw, err := json.Marshal(changed)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	forged := base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(payload(t, signed), "s-1", "s-2", 1)))
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"ipse-consent-receipt+jws"}`))
	for name, receipt := range map[string]string{
		"empty": "", "not JSON": "{", "another session": with("payload", forged), "alg none": with("protected", none),
		"no signature": with("signature", ""), "too long": signed + strings.Repeat(" ", 20000),
		"another type": retyped(t), "compact garbage": "a.b.c",
	} {
		if _, err := consent.Verify(receipt, issuer.PublicKey()); !errors.Is(err, consent.ErrSignature) {
			t.Errorf("%s: err = %v", name, err)
		}
	}
	if _, err := consent.Verify(signed, other.PublicKey()); !errors.Is(err, consent.ErrSignature) {
		t.Errorf("another operator's key: err = %v", err)
	}
	if _, err := consent.Verify(signed, nil); !errors.Is(err, consent.ErrSignature) {
		t.Errorf("no key: err = %v", err)
	}
}

// retyped signs receipt-like content with a P-256 key but as another type.
func retyped(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(`{"schema_version":"urn:ipse:consent-receipt:1"}`))
	if err != nil {
		t.Fatal(err)
	}
	raw := signed.FullSerialize()
	if _, err := consent.Verify(raw, &key.PublicKey); !errors.Is(err, consent.ErrSignature) {
		t.Errorf("a JWT of the same key passes for a receipt: %v", err)
	}
	return raw
}

func TestOfferChangesWithWhatItIsFor(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t)
	base := consent.OfferRequest{SessionID: "s-1", Route: consent.RouteCamera, Language: consent.English, Ends: start()}
	seen := map[string]string{}
	for name, change := range map[string]func(*consent.OfferRequest){
		"base": func(*consent.OfferRequest) {}, "route": func(r *consent.OfferRequest) { r.Route = consent.RouteCounter },
		"language": func(r *consent.OfferRequest) { r.Language = consent.French },
		"session":  func(r *consent.OfferRequest) { r.SessionID = "s-2" },
		"end":      func(r *consent.OfferRequest) { r.Ends = r.Ends.Add(time.Hour) },
	} {
		req := base
		change(&req)
		offer, err := issuer.Offer(req)
		if err != nil {
			t.Fatal(err)
		}
		if before, twice := seen[offer.ID]; twice {
			t.Errorf("%s and %s have the same offer", name, before)
		}
		seen[offer.ID] = name
	}
	for name, req := range map[string]consent.OfferRequest{
		"no session": {Route: consent.RouteCamera, Language: consent.English, Ends: start()},
		"no end":     {SessionID: "s", Route: consent.RouteCamera, Language: consent.English},
		"language":   {SessionID: "s", Route: consent.RouteCamera, Language: "../en", Ends: start()},
		"route":      {SessionID: "s", Route: "post", Language: consent.English, Ends: start()},
	} {
		if _, err := issuer.Offer(req); err == nil {
			t.Errorf("%s: offered", name)
		}
	}
}

func TestTextsAreEquals(t *testing.T) {
	t.Parallel()
	for _, route := range []consent.Route{consent.RouteCamera, consent.RouteCounter} {
		en, err := consent.RenderText(consent.English, route, "Example City")
		if err != nil {
			t.Fatal(err)
		}
		fr, err := consent.RenderText(consent.French, route, "Example City")
		if err != nil {
			t.Fatal(err)
		}
		if en.Version != fr.Version || len(en.Paragraphs) != len(fr.Paragraphs) {
			t.Errorf("%s: English and French differ in version or length", route)
		}
		for _, text := range []consent.Text{en, fr} {
			all := text.Title + strings.Join(text.Paragraphs, "\n")
			if strings.ContainsAny(all, "{}<>") || !strings.Contains(all, "Example City") {
				t.Errorf("%s %s: a placeholder or markup is left, or the operator is missing", route, text.Language)
			}
		}
		if strings.Contains(strings.Join(fr.Paragraphs, ""), " :") {
			t.Errorf("%s: a breaking space before a colon", route)
		}
	}
}

func TestNewIssuerRefusesIncompleteConfiguration(t *testing.T) {
	t.Parallel()
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	operator := consent.Operator{Name: "n", Contact: "c"}
	for name, cfg := range map[string]consent.Config{
		"empty": {}, "no key": {Operator: operator, KeyID: "k"}, "wrong curve": {Operator: operator, Key: p384, KeyID: "k"},
		"no key id": {Operator: operator, Key: p256}, "no contact": {Operator: consent.Operator{Name: "n"}, Key: p256, KeyID: "k"},
	} {
		if _, err := consent.NewIssuer(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzVerify(f *testing.F) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	issuer, err := consent.NewIssuer(consent.Config{Operator: consent.Operator{Name: "n", Contact: "c"}, Key: key, KeyID: "k"})
	if err != nil {
		f.Fatal(err)
	}
	offer, err := issuer.Offer(consent.OfferRequest{SessionID: "s", Route: consent.RouteCamera, Language: consent.French, Ends: start()})
	if err != nil {
		f.Fatal(err)
	}
	genuine, err := issuer.Issue(offer, start())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(genuine)
	f.Add("{}")
	f.Add("a.b.c")
	// Invariant: whatever verifies says what the genuine receipt says.
	f.Fuzz(func(t *testing.T, raw string) {
		if r, err := consent.Verify(raw, issuer.PublicKey()); err == nil && r.SessionID != "s" {
			t.Errorf("a forged receipt verifies for session %q", r.SessionID)
		}
	})
}
