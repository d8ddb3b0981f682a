package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"ipse/internal/account"
	"ipse/internal/httpapi"
	"ipse/internal/idp"
	"ipse/internal/pii"
	"ipse/internal/vault"
)

// logins is the provider as the API sees it.
type logins struct{ provider *idp.Provider }

// Login implements httpapi.Logins.
func (l logins) Login(r *http.Request, id string) (httpapi.Login, error) {
	v, err := l.provider.Login(r.Context(), id, l.provider.Browser(r))
	if err != nil {
		return httpapi.Login{}, err
	}
	out := httpapi.Login{Service: httpapi.LoginService{ID: v.Service.ID, Name: httpapi.Text(v.Service.Name), LogoURL: v.Service.LogoURL,
		PolicyURL: v.Service.PolicyURL}, Purpose: httpapi.Text(v.Purpose), LegalBasis: httpapi.Text(v.LegalBasis), ACR: v.ACR,
		LevelRequired: v.LevelRequired, Terms: v.Terms, ExpiresAt: v.ExpiresAt.UTC(), StartedAt: v.StartedAt, Language: v.Language}
	for _, a := range v.Attributes {
		out.Attributes = append(out.Attributes, httpapi.LoginAttribute(a))
	}
	return out, nil
}

// Consent implements httpapi.Logins.
func (l logins) Consent(r *http.Request, id string, s account.Session, answer httpapi.LoginAnswer) (string, error) {
	who := idp.Person{Account: s.Account, Session: httpapi.SessionName(s.TokenHash), AuthTime: s.AuthTime}
	return l.provider.Consent(r.Context(), id, l.provider.Browser(r), who, answer.Presentation, answer.Remember)
}

// Refuse implements httpapi.Logins.
func (l logins) Refuse(r *http.Request, id string) (string, error) {
	return l.provider.Refuse(r.Context(), id, l.provider.Browser(r))
}

// claimsVerifier implements idp.Verifier over the vault's own signature.
type claimsVerifier struct{ vault *vault.Vault }

// Verify implements idp.Verifier.
func (v claimsVerifier) Verify(_ context.Context, presentation, accountID string, allowed []string) (map[string]any, string, error) {
	disclosed, err := v.vault.Verify(presentation, accountID, allowed)
	if err != nil {
		return nil, "", err
	}
	return disclosed.Reveal(), string(disclosed.Level), nil
}

// journal implements idp.Journal: each line is sealed to the person before it is kept.
type journal struct {
	vault    *vault.Vault
	accounts *account.Service
}

// Append implements idp.Journal.
func (j journal) Append(ctx context.Context, accountID string, entry idp.Entry) error {
	suite, key, err := j.accounts.Key(ctx, accountID)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	raw, err := json.Marshal(entry)
	if err != nil {
		return fmt.Errorf("journal: encode: %w", err)
	}
	line := pii.NewBytes(raw)
	defer line.Wipe()
	sealed, err := j.vault.Seal(suite, key, vault.KindJournal, line)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return j.accounts.AppendJournal(ctx, accountID, sealed)
}
