package idp

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/luikyv/go-oidc/pkg/goidc"
)

// LoginView is what the login page shows: who asks, why, and for what. It holds
// nothing about the person, who may not have signed in yet.
type LoginView struct {
	Service    ServiceView `json:"service"`
	Purpose    Text        `json:"purpose"`
	LegalBasis Text        `json:"legal_basis"`
	// ACR is the level the service asks for (eidas1..3), or empty.
	ACR string `json:"acr"`
	// LevelRequired is the level (low, substantial, high) without which the login
	// is refused, or empty.
	LevelRequired string          `json:"level_required"`
	Attributes    []AttributeView `json:"attributes"`
	// Terms stand for all of the above that a person agrees to. An answer that the
	// person had remembered holds for the same terms and no others. Empty when the
	// service wants the person asked (prompt=consent, OpenID Connect Core 3.1.2.1).
	Terms string `json:"terms"`
	// StartedAt: a passkey must be used after this moment.
	StartedAt time.Time `json:"started_at"`
	ExpiresAt time.Time `json:"expires_at"`
	// Language is the language that the service asked for ("en", "fr"), or empty.
	Language string `json:"language,omitempty"`
}

// ServiceView is a service as people see it.
type ServiceView struct {
	ID        string `json:"id"`
	Name      Text   `json:"name"`
	LogoURL   string `json:"logo_url,omitempty"`
	PolicyURL string `json:"policy_url,omitempty"`
}

// AttributeView is one attribute on the consent page.
type AttributeView struct {
	Name      string `json:"name"`
	Essential bool   `json:"essential"`
}

// Entry is a line of the journal that the person, and nobody else, can read.
type Entry struct {
	Time       time.Time `json:"time"`
	ServiceID  string    `json:"service_id"`
	Service    Text      `json:"service"`
	ACR        string    `json:"acr"`
	Attributes []string  `json:"attributes"`
	// Terms of the login (LoginView.Terms).
	Terms string `json:"terms,omitempty"`
	// Remembered: the person wants the same answer given to the same terms as soon as
	// they open their account. Only their own browser can read this and act on it.
	Remembered bool `json:"remembered,omitempty"`
}

// Verifier checks what a browser presents at login.
type Verifier interface {
	// Verify checks that the presentation carries this server's own signature, was
	// issued to the account, and discloses nothing but allowed names. It returns
	// the disclosed attributes by name and the level (low, substantial, high).
	// Its errors are shown to nobody and must not carry values.
	Verify(ctx context.Context, presentation, accountID string, allowed []string) (claims map[string]any, level string, err error)
}

// Journal seals an entry to the person's key and keeps it.
type Journal interface {
	// Append returns only when the entry is durable: without it nothing is released.
	Append(ctx context.Context, accountID string, entry Entry) error
}

// loginState is our part of a waiting authorization request.
type loginState struct {
	Browser  []byte `json:"b"` // SHA-256 of the browser's cookie
	Started  int64  `json:"t"` // Unix nanoseconds
	Expires  int64  `json:"x"` // Unix seconds
	Language string `json:"l,omitempty"`
	Wanted   wanted `json:"w"`
}

// loginRecord is what the store keeps, sealed under the login's id.
type loginRecord struct {
	Session *goidc.AuthnSession `json:"s"`
	State   loginState          `json:"l"`
}

// Login describes a waiting login. browser is what Browser returns. It answers ErrLoginNotFound, ErrLoginExpired or
// ErrOtherBrowser.
func (p *Provider) Login(ctx context.Context, id, browser string) (LoginView, error) {
	rec, svc, err := p.load(ctx, id, browser)
	if err != nil {
		return LoginView{}, err
	}
	w := rec.State.Wanted
	view := LoginView{
		Service: ServiceView{ID: svc.ID, Name: svc.Name, LogoURL: svc.LogoPath, PolicyURL: svc.PolicyURL},
		Purpose: svc.Purpose, LegalBasis: svc.LegalBasis,
		ACR: rankACR(w.Asked), LevelRequired: rankLevel(w.Floor),
		Attributes: []AttributeView{},
		Terms:      termsOf(rec, svc),
		StartedAt:  time.Unix(0, rec.State.Started).Truncate(time.Microsecond), // as exact as the times of sessions are kept
		ExpiresAt:  time.Unix(rec.State.Expires, 0),
		Language:   rec.State.Language,
	}
	for _, a := range w.Attributes {
		view.Attributes = append(view.Attributes, AttributeView{Name: a.Name, Essential: a.Essential})
	}
	return view, nil
}

// termsOf is a hash of what a person agrees to: whose request it is, why, on which
// basis, at which level, and for what.
func termsOf(rec *loginRecord, svc *Service) string {
	if slices.Contains(strings.Fields(string(rec.Session.Prompt)), "consent") {
		return ""
	}
	w := rec.State.Wanted
	raw, err := json.Marshal([]any{"ipse/idp/terms/v1", svc.ID, svc.Purpose, svc.LegalBasis, w.Asked, w.Floor, w.Attributes})
	if err != nil {
		return "" // then the person is asked
	}
	sum := sha256.Sum256(raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Consent ends a login with the person's agreement and returns the address at
// the service to send the browser to. presentation is the signed claims with
// only the chosen disclosures; remember goes into the person's journal with the
// terms. Nothing is stored, and the login goes on, when it answers
// ErrSignInAgain, ErrPresentation, ErrEssentialMissing, ErrLevelTooLow or
// ErrOtherPerson. A login ends once: a second answer gets ErrLoginNotFound.
func (p *Provider) Consent(ctx context.Context, id, browser string, who Person, presentation string, remember bool) (string, error) {
	accountID, authTime := who.Account, who.AuthTime
	rec, svc, err := p.load(ctx, id, browser)
	if err != nil {
		return "", err
	}
	if accountID == "" || authTime.UnixMicro() < time.Unix(0, rec.State.Started).UnixMicro() || authTime.After(p.now().Add(time.Minute)) {
		return "", ErrSignInAgain
	}
	w := rec.State.Wanted
	if w.Subject != "" && subtle.ConstantTimeCompare([]byte(w.Subject), []byte(p.subject(svc.SectorIdentifier, accountID))) != 1 {
		return "", ErrOtherPerson
	}
	claims, level, err := p.cfg.Verifier.Verify(ctx, presentation, accountID, w.names())
	if err != nil {
		return "", ErrPresentation.because(err)
	}
	rank := levelRank(level)
	if rank == 0 {
		return "", ErrPresentation.because(errors.New("the claims carry no known level"))
	}
	if rank < w.Floor {
		p.noteUnmet(ctx, id, rec)
		return "", ErrLevelTooLow
	}
	out, missing := w.release(claims, rank)
	if len(missing) > 0 {
		return "", ErrEssentialMissing.because(fmt.Errorf("%d attributes", len(missing)))
	}
	out.AuthTime = authTime.Unix()
	if err := p.takeLogin(ctx, id); err != nil {
		return "", err
	}
	entry := Entry{Time: p.now(), ServiceID: svc.ID, Service: svc.Name, ACR: rankACR(rank), Attributes: []string{},
		Terms: termsOf(rec, svc), Remembered: remember}
	for _, a := range w.Attributes {
		if _, ok := claims[a.Name]; ok {
			entry.Attributes = append(entry.Attributes, a.Name)
		}
	}
	if err := p.cfg.Journal.Append(ctx, accountID, entry); err != nil {
		return "", fmt.Errorf("journal of the login: %w", err)
	}
	out.SID = p.rememberSignIn(svc, who)
	return p.resume(ctx, rec, &decision{accountID: accountID, released: &out})
}

// Refuse ends a login without agreement and returns the address at the service
// to send the browser to, with access_denied, or with
// unmet_authentication_requirements when the account's level was too low.
func (p *Provider) Refuse(ctx context.Context, id, browser string) (string, error) {
	rec, _, err := p.load(ctx, id, browser)
	if err != nil {
		return "", err
	}
	_, unmet, err := p.cfg.Store.Get(ctx, string(kindNote), kindNote.lookup(id), p.now())
	if err != nil {
		return "", storeFailure(err)
	}
	if err := p.takeLogin(ctx, id); err != nil {
		return "", err
	}
	return p.resume(ctx, rec, &decision{unmet: unmet})
}

// load finds a waiting login and checks that this browser began it.
func (p *Provider) load(ctx context.Context, id, browser string) (*loginRecord, *Service, error) {
	sealed, found, err := p.cfg.Store.Get(ctx, string(kindLogin), kindLogin.lookup(id), p.now())
	if err != nil {
		return nil, nil, storeFailure(err)
	}
	if !found {
		return nil, nil, ErrLoginNotFound
	}
	var rec loginRecord
	if err := kindLogin.open(id, sealed, &rec); err != nil || rec.Session == nil {
		return nil, nil, ErrLoginNotFound.because(errors.Join(err, errors.New("open the login")))
	}
	sum := sha256.Sum256([]byte(browser))
	if subtle.ConstantTimeCompare(sum[:], rec.State.Browser) != 1 {
		return nil, nil, ErrOtherBrowser
	}
	if p.now().Unix() >= rec.State.Expires {
		return nil, nil, ErrLoginExpired
	}
	svc := p.current().services[rec.Session.ClientID]
	if svc == nil {
		return nil, nil, ErrLoginNotFound.because(errors.New("the service is no longer registered"))
	}
	return &rec, svc, nil
}

func (p *Provider) takeLogin(ctx context.Context, id string) error {
	now := p.now()
	value, _, found, err := p.cfg.Store.Take(ctx, string(kindLogin), kindLogin.lookup(id), now, now.Add(p.cfg.LoginLifetime))
	if err != nil {
		return storeFailure(err)
	}
	if !found || value == nil {
		return ErrLoginNotFound
	}
	return nil
}

// noteUnmet remembers that the level was too low, so that the service is told
// the true reason if the person goes back to it.
func (p *Provider) noteUnmet(ctx context.Context, id string, rec *loginRecord) {
	_, err := p.cfg.Store.Insert(ctx, string(kindNote), kindNote.lookup(id), nil, []byte{1}, time.Unix(rec.State.Expires, 0))
	if err != nil {
		p.cfg.Logger.WarnContext(ctx, "note of an unmet level", slog.String("error", err.Error()))
	}
}

// decision is the person's answer, in memory only, on its way to the policy.
type decision struct {
	accountID string
	released  *released
	unmet     bool
}

// apply is the second half of the policy: it completes the session with the
// person's answer. What was released goes into the grant, in memory; the grant
// manager seals it under the authorization code.
func (d *decision) apply(as *goidc.AuthnSession) (goidc.Status, error) {
	if d.released == nil {
		if d.unmet {
			return goidc.StatusFailure, goidc.NewError(errorUnmet, "the account's level of assurance is below the one required")
		}
		return goidc.StatusFailure, goidc.NewError(goidc.ErrorCodeAccessDenied, "the person refused")
	}
	raw, err := json.Marshal(d.released)
	if err != nil {
		return goidc.StatusFailure, fmt.Errorf("encode what is released: %w", err)
	}
	as.Subject = d.accountID
	as.GrantedScopes = grantedScopes(as.Scopes)
	as.Store = map[string]any{storeReleased: string(raw)}
	return goidc.StatusSuccess, nil
}

// storeReleased is the key of the released attributes in a grant's store.
const storeReleased = "ipse_released"

// errorUnmet is defined by OpenID Connect Core Error Code
// unmet_authentication_requirements 1.0.
const errorUnmet goidc.ErrorCode = "unmet_authentication_requirements"

func releasedOf(g *goidc.Grant) (released, bool) {
	raw, ok := g.Store[storeReleased].(string)
	if !ok {
		return released{}, false
	}
	var out released
	if err := json.Unmarshal([]byte(raw), &out); err != nil {
		return released{}, false
	}
	return out, true
}
