package account

import (
	"context"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// The kinds of ceremonies.
const (
	kindCreate = "create" // first passkey, of an account to be
	kindAdd    = "add"    // further passkey
	kindLogin  = "login"
)

// prfInput is what every credential's PRF is evaluated on: the SHA-256 of
// "ipse/vault/prf/v1". One input for all makes a login possible before the
// server knows whose it is.
func prfInput() protocol.PRFValues {
	sum := hashOf("ipse/vault/prf/v1")
	return protocol.PRFValues{First: sum[:]}
}

// user is webauthn.User for an account, which has no name to show: the
// authenticator lists accounts by a short code made of the user handle.
type user struct {
	handle   []byte
	label    string
	passkeys []Passkey
}

func (s *Service) userOf(handle []byte, passkeys []Passkey) user {
	code := base32.StdEncoding.EncodeToString(hashSlice(handle))[:4]
	return user{handle: handle, label: s.cfg.RPName + " " + code, passkeys: passkeys}
}

func hashSlice(b []byte) []byte {
	sum := hashOf(string(b))
	return sum[:]
}

// WebAuthnID implements webauthn.User.
func (u user) WebAuthnID() []byte { return u.handle }

// WebAuthnName implements webauthn.User.
func (u user) WebAuthnName() string { return u.label }

// WebAuthnDisplayName implements webauthn.User.
func (u user) WebAuthnDisplayName() string { return u.label }

// WebAuthnCredentials implements webauthn.User.
func (u user) WebAuthnCredentials() []webauthn.Credential {
	out := make([]webauthn.Credential, 0, len(u.passkeys))
	for _, p := range u.passkeys {
		c := webauthn.Credential{
			ID: p.ID, PublicKey: p.PublicKey, AttestationType: "none", AttestationFormat: "none",
			Flags:         webauthn.CredentialFlags{UserPresent: true, UserVerified: true, BackupEligible: p.BackupEligible, BackupState: p.BackupState},
			Authenticator: webauthn.Authenticator{AAGUID: p.AAGUID, SignCount: p.SignCount},
		}
		for _, t := range p.Transports {
			c.Transport = append(c.Transport, protocol.AuthenticatorTransport(t))
		}
		out = append(out, c)
	}
	return out
}

// beginRegistration makes the options of a new passkey and keeps the ceremony.
func (s *Service) beginRegistration(ctx context.Context, kind, binding string, u user) (json.RawMessage, error) {
	creation, state, err := s.web.BeginRegistration(u,
		webauthn.WithExclusions(webauthn.Credentials(u.WebAuthnCredentials()).CredentialDescriptors()),
		webauthn.WithCredentialParameters(webauthn.CredentialParametersRecommendedL3()),
		webauthn.WithExtensions(webauthn.WithExtensionPRF(prfInput()), webauthn.WithExtensionCredProps()))
	if err != nil {
		return nil, fmt.Errorf("account: begin registration: %w", err)
	}
	if err := s.keep(ctx, kind, binding, state); err != nil {
		return nil, err
	}
	options, err := json.Marshal(creation)
	if err != nil {
		return nil, fmt.Errorf("account: encode options: %w", err)
	}
	return options, nil
}

func (s *Service) keep(ctx context.Context, kind, binding string, state *webauthn.SessionData) error {
	raw, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("account: encode ceremony: %w", err)
	}
	return s.cfg.Store.PutCeremony(ctx, Ceremony{Hash: hashOf(state.Challenge), Kind: kind, Binding: binding, State: raw,
		Expires: s.cfg.Now().Add(s.cfg.ChallengeFor)})
}

// take spends the ceremony of a challenge, if it is of this kind and binding.
func (s *Service) take(ctx context.Context, kind, binding, challenge string) (webauthn.SessionData, error) {
	c, err := s.cfg.Store.TakeCeremony(ctx, hashOf(challenge), s.cfg.Now())
	if err != nil {
		return webauthn.SessionData{}, err
	}
	if c.Kind != kind || c.Binding != binding {
		return webauthn.SessionData{}, ErrChallengeExpired
	}
	var state webauthn.SessionData
	if err := json.Unmarshal(c.State, &state); err != nil {
		return webauthn.SessionData{}, fmt.Errorf("account: decode ceremony: %w", err)
	}
	return state, nil
}

// finishRegistration verifies a new passkey (WebAuthn Level 3 §7.1) and spends
// its ceremony. The handle returned is the one that the options offered.
func (s *Service) finishRegistration(ctx context.Context, kind, binding string, credential []byte) (p Passkey, handle []byte, err error) {
	if len(credential) > maxCredential {
		return Passkey{}, nil, fmt.Errorf("%w: too long", ErrCredential)
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(credential)
	if err != nil {
		return Passkey{}, nil, fmt.Errorf("%w: not a registration response", ErrCredential)
	}
	state, err := s.take(ctx, kind, binding, parsed.Response.CollectedClientData.Challenge)
	if err != nil {
		return Passkey{}, nil, err
	}
	made, err := s.web.CreateCredential(s.userOf(state.UserID, nil), state, parsed)
	if err != nil {
		return Passkey{}, nil, fmt.Errorf("%w: %w", ErrCredential, cause(err))
	}
	if err := checkExtensions(parsed.ClientExtensionResults, true); err != nil {
		return Passkey{}, nil, err
	}
	p = Passkey{ID: made.ID, PublicKey: made.PublicKey, AAGUID: made.Authenticator.AAGUID, SignCount: made.Authenticator.SignCount,
		BackupEligible: made.Flags.BackupEligible, BackupState: made.Flags.BackupState, CreatedOn: s.today()}
	for _, t := range made.Transport {
		if len(p.Transports) < 8 && len(t) <= 32 {
			p.Transports = append(p.Transports, string(t))
		}
	}
	return p, state.UserID, nil
}

// checkExtensions refuses a passkey without PRF or that is not discoverable, and
// any answer that carries the PRF's output.
func checkExtensions(results protocol.AuthenticationExtensionsClientOutputs, creating bool) error {
	if results.PRF != nil && results.PRF.Results != nil {
		return ErrSecretSent
	}
	if !creating {
		return nil
	}
	if results.PRF == nil || results.PRF.Enabled == nil || !*results.PRF.Enabled {
		return ErrNoPRF
	}
	if results.CredProps != nil && results.CredProps.RK != nil && !*results.CredProps.RK {
		return fmt.Errorf("%w: not discoverable", ErrCredential)
	}
	return nil
}

// cause keeps of the library's error its class, which is for the operator; its
// details may quote what the browser sent.
func cause(err error) error {
	var known *protocol.Error
	if errors.As(err, &known) {
		return errors.New(known.Type)
	}
	return errors.New("refused")
}
