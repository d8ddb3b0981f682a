package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"ipse/internal/account"
	"ipse/internal/consent"
	"ipse/internal/pii"
	"ipse/internal/problem"
	"ipse/internal/proofing"
	"ipse/internal/vault"
)

// token returns the request's proofing token.
func (a *API) token(r *http.Request) (string, error) {
	if token := a.cookie(r, cookieProofing); token != "" {
		return token, nil
	}
	return "", proofing.ErrNoSession
}

// answer writes a view, or passes the error on.
func answer(w http.ResponseWriter, view proofing.View, err error) error {
	if err != nil {
		return err
	}
	return writeJSON(w, view)
}

// step is a route whose whole request is the session: a method of the service
// that returns the new view.
func (a *API) step(w http.ResponseWriter, r *http.Request, do func(context.Context, string) (proofing.View, error)) error {
	token, err := a.token(r)
	if err != nil {
		return err
	}
	if err := readJSON(r, &nothing{}); err != nil {
		return err
	}
	view, err := do(r.Context(), token)
	return answer(w, view, err)
}

func (a *API) startProofing(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Route    consent.Route    `json:"route"`
		Language consent.Language `json:"language"`
	}
	if err := readJSON(r, &body); err != nil {
		return err
	}
	if body.Route != proofing.RouteCamera && body.Route != proofing.RouteCounter {
		return consent.ErrUnknownRoute
	}
	if body.Language != consent.English && body.Language != consent.French {
		return consent.ErrUnknownLanguage
	}
	if earlier, err := a.token(r); err == nil {
		// One check a browser: the earlier one's memory is wiped now, not at its end.
		if _, err := a.cfg.Proofing.Abandon(r.Context(), earlier); err != nil && !errors.Is(err, proofing.ErrNoSession) {
			a.cfg.Log.InfoContext(r.Context(), "abandon an earlier check", "error", err)
		}
	}
	token, view, err := a.cfg.Proofing.Start(r.Context(), proofing.StartRequest{Route: body.Route, Language: body.Language})
	if err != nil {
		return err
	}
	if body.Route == proofing.RouteCamera && a.cfg.OnCamera != nil {
		a.cfg.OnCamera()
	}
	a.setCookie(w, cookieProofing, token)
	return writeJSON(w, view)
}

func (a *API) proofing(w http.ResponseWriter, r *http.Request) error {
	token, err := a.token(r)
	if err != nil {
		return err
	}
	view, err := a.cfg.Proofing.Get(r.Context(), token)
	return answer(w, view, err)
}

func (a *API) agree(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		ConsentID string `json:"consent_id"`
		Agreed    bool   `json:"agreed"`
	}
	token, err := a.token(r)
	if err != nil {
		return err
	}
	if err := readJSON(r, &body); err != nil {
		return err
	}
	if !body.Agreed {
		return problem.New(problem.ConsentRequired, errors.New("not agreed"))
	}
	view, err := a.cfg.Proofing.AgreeConsent(r.Context(), token, body.ConsentID)
	return answer(w, view, err)
}

// receipt answers with the signed receipt, to be kept as a file.
func (a *API) receipt(w http.ResponseWriter, r *http.Request) error {
	token, err := a.token(r)
	if err != nil {
		return err
	}
	signed, err := a.cfg.Proofing.Receipt(r.Context(), token)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/jose+json")
	w.Header().Set("Content-Disposition", `attachment; filename="ipse-consent-receipt.json"`)
	_, _ = w.Write([]byte(signed)) // the client is gone: nothing left to tell it
	return nil
}

func (a *API) newReader(w http.ResponseWriter, r *http.Request) error {
	return a.step(w, r, a.cfg.Proofing.NewPairing)
}

func (a *API) newCounterCode(w http.ResponseWriter, r *http.Request) error {
	return a.step(w, r, a.cfg.Proofing.NewCounterCode)
}

func (a *API) abandon(w http.ResponseWriter, r *http.Request) error {
	return a.step(w, r, a.cfg.Proofing.Abandon)
}

func (a *API) readDocument(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		MRZ *struct {
			DocumentNumber string `json:"document_number"`
			BirthDate      string `json:"birth_date"`
			ExpiryDate     string `json:"expiry_date"`
		} `json:"mrz"`
		CAN string `json:"can"`
	}
	token, err := a.token(r)
	if err != nil {
		return err
	}
	if err := readJSON(r, &body); err != nil {
		return err
	}
	if (body.MRZ == nil) == (body.CAN == "") {
		return problem.New(problem.InvalidRequest, errors.New("either mrz or can is needed"))
	}
	access := proofing.Access{CAN: pii.NewText(body.CAN)}
	if m := body.MRZ; m != nil {
		access = proofing.Access{DocumentNumber: pii.NewText(m.DocumentNumber),
			BirthDate: pii.NewText(m.BirthDate), ExpiryDate: pii.NewText(m.ExpiryDate)}
	}
	view, err := a.cfg.Proofing.ReadDocument(r.Context(), token, access)
	return answer(w, view, err)
}

// attributes shows a document to its holder, by the names used everywhere else.
func (a *API) attributes(w http.ResponseWriter, r *http.Request) error {
	token, err := a.token(r)
	if err != nil {
		return err
	}
	read, err := a.cfg.Proofing.Attributes(r.Context(), token)
	if err != nil {
		return err
	}
	claims, err := attributesOf(read, "").Claims(a.cfg.Now())
	if err != nil {
		return fmt.Errorf("show the attributes: %w", err)
	}
	return writeJSON(w, map[string]any{"attributes": claims})
}

// attributesOf translates between the services, which do not know each other.
func attributesOf(p proofing.Attributes, verifiedOn string) vault.Attributes {
	out := vault.Attributes{FamilyName: p.FamilyName, GivenName: p.GivenName, BirthDate: p.BirthDate,
		DocumentType: p.DocumentKind, DocumentIssuer: p.DocumentIssuer, DocumentNumber: p.DocumentNumber,
		DocumentExpiry: p.DocumentExpiry, VerifiedOn: verifiedOn}
	if !p.Nationality.IsZero() {
		out.Nationalities = []pii.Text{p.Nationality}
	}
	return out
}

func (a *API) accountOptions(w http.ResponseWriter, r *http.Request) error {
	token, err := a.token(r)
	if err != nil {
		return err
	}
	if err := readJSON(r, &nothing{}); err != nil {
		return err
	}
	person, err := a.cfg.Proofing.Accepted(r.Context(), token)
	if err != nil {
		return err
	}
	options, err := a.cfg.Accounts.BeginCreate(r.Context(), person.SessionID)
	if err != nil {
		return err
	}
	return writeJSON(w, options)
}

// wrapBody is the person's private key, wrapped for one way in.
type wrapBody struct {
	Kind         string `json:"kind"`
	CredentialID b64    `json:"credential_id"`
	Salt         b64    `json:"salt"`
	Wrapped      b64    `json:"wrapped"`
}

func (b wrapBody) wrap() account.Wrap { return account.Wrap{Salt: b.Salt, Wrapped: b.Wrapped} }

// recoveryBody is a recovery code as the browser made it.
type recoveryBody struct {
	Salt    b64 `json:"salt"`
	Wrapped b64 `json:"wrapped"`
	Auth    b64 `json:"auth"`
}

func (b recoveryBody) recovery() account.NewRecovery {
	return account.NewRecovery{Wrap: account.Wrap{Salt: b.Salt, Wrapped: b.Wrapped}, Auth: pii.NewBytes(b.Auth)}
}

type createBody struct {
	Credential json.RawMessage `json:"credential"`
	Vault      struct {
		Suite     string       `json:"suite"`
		PublicKey b64          `json:"public_key"`
		Wraps     []wrapBody   `json:"wraps"`
		Recovery  recoveryBody `json:"recovery"`
	} `json:"vault"`
	PasskeyName string `json:"passkey_name"`
}

// createAccount ends the check: account, sealed attributes, session and the
// check's own end are one transaction.
func (a *API) createAccount(w http.ResponseWriter, r *http.Request) error {
	token, err := a.token(r)
	if err != nil {
		return err
	}
	var body createBody
	if err := readJSON(r, &body); err != nil {
		return err
	}
	if len(body.Vault.Wraps) != 1 || body.Vault.Wraps[0].Kind != "passkey" {
		return problem.New(problem.InvalidRequest, errors.New("exactly one wrap, for the passkey, is needed"))
	}
	wrap := body.Vault.Wraps[0]
	recovery := body.Vault.Recovery.recovery()
	defer recovery.Auth.Wipe()
	var opened account.Opened
	view, err := a.cfg.Proofing.Complete(r.Context(), token, func(ctx context.Context, p proofing.Accepted) error {
		var err error
		opened, err = a.cfg.Accounts.Create(ctx, p.SessionID, account.NewAccount{
			Passkey: account.NewPasskey{Credential: body.Credential, Name: body.PasskeyName, WrapFor: wrap.CredentialID, Wrap: wrap.wrap()},
			Suite:   body.Vault.Suite, PublicKey: body.Vault.PublicKey, Recovery: recovery, Level: string(p.Level),
			Seal: func(id string) ([]byte, error) {
				return a.cfg.Vault.SealClaims(body.Vault.Suite, body.Vault.PublicKey, id, vault.Level(p.Level), attributesOf(p.Attributes, p.VerifiedOn))
			},
		})
		return err
	})
	if err != nil {
		return err
	}
	a.replaceSession(w, r, opened)
	return writeJSON(w, view)
}
