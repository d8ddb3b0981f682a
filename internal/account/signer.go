package account

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// SignersConfig makes Signers. Every member is required.
type SignersConfig struct {
	// RPID, RPName and Origins as in Config.
	RPID, RPName string
	Origins      []string
}

// Signers verifies passkeys that open no account: those of the agents at the
// counter, who sign in and sign decisions with them. User verification is
// required, PRF is not. It keeps nothing: challenges and keys are the caller's.
type Signers struct{ web *webauthn.WebAuthn }

// Signer is such a passkey (WebAuthn Level 3 §4, credential record).
type Signer struct {
	// ID is the credential's, Handle the random user handle that it was made for.
	ID, Handle []byte
	// PublicKey is a COSE key.
	PublicKey []byte
	SignCount uint32
	// BackupEligible and BackupState say whether the passkey may be, and is, synced.
	BackupEligible, BackupState bool
}

// NewSigners checks the configuration.
func NewSigners(cfg SignersConfig) (*Signers, error) {
	if cfg.RPID == "" || cfg.RPName == "" || len(cfg.Origins) == 0 {
		return nil, errors.New("account: signers: no relying party identifier, name or origin")
	}
	web, err := relyingParty(cfg.RPID, cfg.RPName, cfg.Origins, signFor)
	if err != nil {
		return nil, err
	}
	return &Signers{web}, nil
}

// signFor is how long the browser may ask for; the caller's own limit counts.
const signFor = 5 * time.Minute

// BeginCreate answers {"publicKey": PublicKeyCredentialCreationOptionsJSON} for a
// new passkey over the caller's challenge. The authenticator lists it under name.
func (s *Signers) BeginCreate(challenge, handle []byte, name string) (json.RawMessage, error) {
	creation, _, err := s.web.BeginRegistration(user{handle: handle, label: name},
		webauthn.WithCredentialParameters(webauthn.CredentialParametersRecommendedL3()),
		webauthn.WithExtensions(webauthn.WithExtensionCredProps()))
	if err != nil {
		return nil, fmt.Errorf("account: begin registration: %w", err)
	}
	creation.Response.Challenge = challenge
	options, err := json.Marshal(creation)
	if err != nil {
		return nil, fmt.Errorf("account: encode options: %w", err)
	}
	return options, nil
}

// Create verifies the answer (RegistrationResponseJSON, WebAuthn Level 3 §7.1) to
// BeginCreate with the same challenge and handle: ErrCredential.
func (s *Signers) Create(challenge, handle, answer []byte) (Signer, error) {
	if len(answer) > maxCredential {
		return Signer{}, fmt.Errorf("%w: too long", ErrCredential)
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return Signer{}, fmt.Errorf("%w: not a registration response", ErrCredential)
	}
	// Which extensions were asked for is part of the library's record of a ceremony.
	_, state, err := s.web.BeginRegistration(user{handle: handle, label: "-"},
		webauthn.WithCredentialParameters(webauthn.CredentialParametersRecommendedL3()),
		webauthn.WithExtensions(webauthn.WithExtensionCredProps()))
	if err != nil {
		return Signer{}, fmt.Errorf("account: registration: %w", err)
	}
	state.Challenge = encode(challenge)
	made, err := s.web.CreateCredential(user{handle: handle}, *state, parsed)
	if err != nil {
		return Signer{}, fmt.Errorf("%w: %w", ErrCredential, cause(err))
	}
	if props := parsed.ClientExtensionResults.CredProps; props != nil && props.RK != nil && !*props.RK {
		return Signer{}, fmt.Errorf("%w: not discoverable", ErrCredential)
	}
	return Signer{ID: made.ID, Handle: handle, PublicKey: made.PublicKey, SignCount: made.Authenticator.SignCount,
		BackupEligible: made.Flags.BackupEligible, BackupState: made.Flags.BackupState}, nil
}

// BeginSign answers {"publicKey": PublicKeyCredentialRequestOptionsJSON} over the
// caller's challenge, for one passkey or, when id is nil, for any.
func (s *Signers) BeginSign(challenge, id []byte) (json.RawMessage, error) {
	opts := []webauthn.LoginOption{webauthn.WithChallenge(challenge), webauthn.WithUserVerification(protocol.VerificationRequired)}
	if id != nil {
		opts = append(opts, webauthn.WithAllowedCredentials([]protocol.CredentialDescriptor{{Type: protocol.PublicKeyCredentialType, CredentialID: id}}))
	}
	assertion, _, err := s.web.BeginDiscoverableLogin(opts...)
	if err != nil {
		return nil, fmt.Errorf("account: begin signature: %w", err)
	}
	options, err := json.Marshal(assertion)
	if err != nil {
		return nil, fmt.Errorf("account: encode options: %w", err)
	}
	return options, nil
}

// Signed verifies the answer (AuthenticationResponseJSON, WebAuthn Level 3 §7.2) to
// BeginSign with the same challenge. It returns the signer with its counter and
// backup state as they are now, and the answer reduced to what another verifier
// needs, in the same JSON form. Counters are the caller's to compare. ErrCredential.
func (s *Signers) Signed(challenge []byte, by Signer, answer []byte) (now Signer, evidence []byte, err error) {
	if len(answer) > maxCredential {
		return Signer{}, nil, fmt.Errorf("%w: too long", ErrCredential)
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return Signer{}, nil, fmt.Errorf("%w: not an authentication response", ErrCredential)
	}
	who := user{handle: by.Handle, passkeys: []Passkey{{ID: by.ID, PublicKey: by.PublicKey, SignCount: by.SignCount,
		BackupEligible: by.BackupEligible, BackupState: by.BackupState}}}
	used, err := s.web.ValidateLogin(who, webauthn.SessionData{Challenge: encode(challenge), UserID: by.Handle,
		AllowedCredentialIDs: [][]byte{by.ID}, UserVerification: protocol.VerificationRequired}, parsed)
	if err != nil {
		return Signer{}, nil, fmt.Errorf("%w: %w", ErrCredential, cause(err))
	}
	now = by
	now.SignCount, now.BackupState = parsed.Response.AuthenticatorData.Counter, used.Flags.BackupState
	evidence, err = reduced(parsed.Raw)
	return now, evidence, err
}

// reduced keeps of an answer what was signed, its signature and the credential.
func reduced(raw protocol.CredentialAssertionResponse) ([]byte, error) {
	type response struct {
		ClientData        protocol.URLEncodedBase64 `json:"clientDataJSON"`
		AuthenticatorData protocol.URLEncodedBase64 `json:"authenticatorData"`
		Signature         protocol.URLEncodedBase64 `json:"signature"`
	}
	out, err := json.Marshal(struct {
		ID         string                    `json:"id"`
		RawID      protocol.URLEncodedBase64 `json:"rawId"`
		Type       string                    `json:"type"`
		Response   response                  `json:"response"`
		Extensions struct{}                  `json:"clientExtensionResults"`
	}{ID: raw.ID, RawID: raw.RawID, Type: raw.Type, Response: response{raw.AssertionResponse.ClientDataJSON,
		raw.AssertionResponse.AuthenticatorData, raw.AssertionResponse.Signature}})
	if err != nil {
		return nil, fmt.Errorf("account: encode the evidence: %w", err)
	}
	return out, nil
}

// Answered tells which credential answers which challenge, by its own word: for
// the caller to look both up before it verifies. ErrCredential.
func (s *Signers) Answered(answer []byte) (id, challenge []byte, err error) {
	var outer struct {
		RawID    string `json:"rawId"`
		Response struct {
			ClientData string `json:"clientDataJSON"`
		} `json:"response"`
	}
	var client struct {
		Challenge string `json:"challenge"`
	}
	bad := fmt.Errorf("%w: not an authenticator's answer", ErrCredential)
	if len(answer) > maxCredential || json.Unmarshal(answer, &outer) != nil {
		return nil, nil, bad
	}
	raw, err := base64.RawURLEncoding.DecodeString(outer.Response.ClientData)
	if err != nil || json.Unmarshal(raw, &client) != nil {
		return nil, nil, bad
	}
	id, err = base64.RawURLEncoding.DecodeString(outer.RawID)
	if err != nil || len(id) == 0 {
		return nil, nil, bad
	}
	if challenge, err = base64.RawURLEncoding.DecodeString(client.Challenge); err != nil || len(challenge) == 0 {
		return nil, nil, bad
	}
	return id, challenge, nil
}
