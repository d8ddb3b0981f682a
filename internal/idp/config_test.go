package idp_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"ipse/internal/idp"
	"ipse/internal/idp/idptest"
)

// TestFaultyRegistrationsAreRefused: the operator is told which field, and the
// registrations in force stay.
func TestFaultyRegistrationsAreRefused(t *testing.T) {
	t.Parallel()
	p := world(t, "high")
	k := newKey(t)
	for field, change := range map[string]func(*idp.Service){
		"service id":              func(s *idp.Service) { s.ID = "tax office" },
		"name is missing":         func(s *idp.Service) { s.Name = idp.Text{} },
		"redirect_uris":           func(s *idp.Service) { s.RedirectURIs = nil },
		"must use https":          func(s *idp.Service) { s.RedirectURIs = []string{"http://tax.example/callback"} },
		"fragment":                func(s *idp.Service) { s.RedirectURIs = []string{"https://tax.example/callback#x"} },
		"no wildcards":            func(s *idp.Service) { s.RedirectURIs = []string{"https://*.tax.example/callback"} },
		"user name":               func(s *idp.Service) { s.RedirectURIs = []string{"https://tax@tax.example/"} },
		"absolute web address":    func(s *idp.Service) { s.PostLogoutRedirectURIs = []string{"/bye"} },
		"several hosts":           func(s *idp.Service) { s.RedirectURIs = append(s.RedirectURIs, "https://other.example/") },
		"the logo":                func(s *idp.Service) { s.LogoPath = "https://tax.example/logo.svg" },
		"the policy":              func(s *idp.Service) { s.PolicyURL = "javascript:alert(1)" },
		"backchannel_logout_uri":  func(s *idp.Service) { s.BackChannelLogoutURI = "http://tax.example/out" },
		"does not exist":          func(s *idp.Service) { s.Attributes = []idp.Attribute{{Name: "portrait"}} },
		"listed twice":            func(s *idp.Service) { s.Attributes = append(s.Attributes, idp.Attribute{Name: "birthdate"}) },
		"purpose":                 func(s *idp.Service) { s.Purpose = idp.Text{} },
		"required_acr":            func(s *idp.Service) { s.RequiredACR = "loa3" },
		"exactly one of a secret": func(s *idp.Service) { k.keyed(s); s.SecretHash = strings.Repeat("0", 64) },
		"and a key set":           func(s *idp.Service) { s.SecretHash = "" },
		"SHA-256 in hexadecimal":  func(s *idp.Service) { s.SecretHash = "secret" },
		"key set is empty":        func(s *idp.Service) { s.SecretHash, s.JWKS = "", &jose.JSONWebKeySet{} },
		"not a valid public key":  func(s *idp.Service) { k.keyed(s); s.JWKS.Keys[0].Key = k.private },
		"alg must be":             func(s *idp.Service) { k.keyed(s); s.JWKS.Keys[0].Algorithm = "HS256" },
		"id_token_alg":            func(s *idp.Service) { s.IDTokenAlg = "none" },
	} {
		if err := p.w.Provider.SetServices([]idp.Service{service("family"), service("tax", change)}); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if err := p.w.Provider.SetServices([]idp.Service{p.svc, p.svc}); err == nil || !strings.Contains(err.Error(), "registered twice") {
		t.Errorf("twice: %v", err)
	}
	if s := p.w.Provider.Services(); len(s) != 1 || s[0].ID != "tax" || s[0].IDTokenAlg != "ES256" || s[0].SectorIdentifier != "tax.example" {
		t.Errorf("in force: %+v", s)
	}
	loopback := service("local", func(s *idp.Service) { s.RedirectURIs = []string{"http://localhost:8444/callback"} })
	if err := p.w.Provider.SetServices([]idp.Service{loopback}); err != nil {
		t.Error(err)
	}
	if err := p.w.Provider.SetServices(nil); err != nil {
		t.Errorf("no service: %v", err)
	}
}

// TestFaultyConfigurationsAreRefused when the provider starts.
func TestFaultyConfigurationsAreRefused(t *testing.T) {
	t.Parallel()
	w := idptest.New(t, "high", nil)
	good := idp.Config{
		Issuer: "https://ipse.example", Keys: w.Keys, PairwiseKey: w.Pairwise, Store: w.Store, Verifier: w.Claims, Journal: w,
		Logger: slog.New(slog.DiscardHandler),
	}
	if _, err := idp.New(good); err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), crand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, ok := w.Keys[1].Signer.(*rsa.PrivateKey)
	if !ok {
		t.Fatal("the second key is not RSA")
	}
	for what, change := range map[string]func(*idp.Config){
		"issuer":               func(c *idp.Config) { c.Issuer = "https://ipse.example/" },
		"issuer must be":       func(c *idp.Config) { c.Issuer = "http://ipse.example" },
		"pairwise key":         func(c *idp.Config) { c.PairwiseKey = make([]byte, 16) },
		"store, verifier":      func(c *idp.Config) { c.Store = nil },
		"journal and logger":   func(c *idp.Config) { c.Journal = nil },
		"lifetime":             func(c *idp.Config) { c.CodeLifetime = 2 * time.Hour },
		"one ES256 and one":    func(c *idp.Config) { c.Keys = c.Keys[:1] },
		"signing key 1":        func(c *idp.Config) { c.Keys = []idp.SigningKey{{Algorithm: "ES256", Signer: p384}} },
		"sign RS256":           func(c *idp.Config) { c.Keys = []idp.SigningKey{{Algorithm: "ES256", Signer: rsaKey}} },
		"signing key 1 is nil": func(c *idp.Config) { c.Keys = []idp.SigningKey{{Algorithm: "ES256"}} },
		"kind of key":          func(c *idp.Config) { c.Keys = []idp.SigningKey{{Algorithm: "ES256", Signer: oddKey{}}} },
		"service tax: purpose": func(c *idp.Config) {
			c.Services = []idp.Service{service("tax", func(s *idp.Service) { s.Purpose = idp.Text{} })}
		},
		"an https address (http": func(c *idp.Config) { c.Issuer = "ipse" },
	} {
		cfg := good
		change(&cfg)
		if _, err := idp.New(cfg); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

type oddKey struct{}

func (oddKey) Public() crypto.PublicKey { return "odd" }
func (oddKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("odd")
}

// brokenSigner is a hardware module that answers noise.
type brokenSigner struct {
	crypto.Signer
	answer []byte
}

func (s brokenSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	if s.answer == nil {
		return nil, errBroken
	}
	return s.answer, nil
}

// TestFailingSignerReleasesNothing: the service is told of a fault, without details.
func TestFailingSignerReleasesNothing(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string][]byte{"fails": nil, "answers noise": []byte("noise"), "answers zeros": {0x30, 6, 2, 1, 0, 2, 1, 0}} {
		p := worldWith(t, "high", func(c *idp.Config) {
			c.Keys[0].Signer = brokenSigner{c.Keys[0].Signer, answer}
		}, service("tax"))[0]
		l := p.begin(t)
		resp, doc := p.post(t, idp.PathToken, l.tokenForm(l.answer(t, l.agree(t)).Get("code")), p.basic)
		text, _ := doc["error_description"].(string)
		if resp.StatusCode != 500 || doc["error"] != "server_error" || doc["id_token"] != nil || doc["access_token"] != nil || strings.Contains(text, "xyzzy") {
			t.Errorf("%s: %s %v", name, resp.Status, doc)
		}
	}
}

func TestTextIsInTheLanguageThatExists(t *testing.T) {
	t.Parallel()
	both := idp.Text{EN: "Tax", FR: "Impôts"}
	if both.In("fr") != "Impôts" || both.In("en") != "Tax" || both.In("de") != "Tax" {
		t.Error("wrong language")
	}
	if (idp.Text{FR: "Impôts"}).In("en") != "Impôts" || (idp.Text{EN: "Tax"}).In("fr") != "Tax" {
		t.Error("no text although there is one")
	}
}

// TestErrorsHaveStableCodes for the mapper above.
func TestErrorsHaveStableCodes(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, e := range []*idp.Error{idp.ErrLoginNotFound, idp.ErrLoginExpired, idp.ErrOtherBrowser, idp.ErrSignInAgain, idp.ErrOtherPerson,
		idp.ErrPresentation, idp.ErrEssentialMissing, idp.ErrLevelTooLow, idp.ErrBusy} {
		if !strings.HasPrefix(e.Code(), "login_") || seen[e.Code()] || e.Error() != "idp: "+e.Code() || errors.Unwrap(e) != nil {
			t.Errorf("%v", e)
		}
		seen[e.Code()] = true
	}
}
