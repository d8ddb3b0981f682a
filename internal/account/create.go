package account

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"ipse/internal/pii"
)

// NewRecovery is a recovery code as the browser made it.
type NewRecovery struct {
	Wrap Wrap
	// Auth is the code's authentication value, 32 bytes; only its hash is kept.
	Auth pii.Bytes
}

// NewPasskey is a passkey as the browser made it.
type NewPasskey struct {
	// Credential is the RegistrationResponseJSON (WebAuthn Level 3 §5.5).
	Credential []byte
	// Name by which the person tells their passkeys apart.
	Name string
	// WrapFor is the credential identifier that the wrap was made for.
	WrapFor []byte
	Wrap    Wrap
}

// NewAccount is everything that an account begins with.
type NewAccount struct {
	Passkey  NewPasskey
	Recovery NewRecovery
	// Suite and PublicKey are the person's HPKE key.
	Suite     string
	PublicKey []byte
	// Level of the proofing: low, substantial or high.
	Level string
	// Seal signs the verified attributes for the account and seals them to
	// PublicKey. It is called once, when all else is checked.
	Seal func(accountID string) ([]byte, error)
}

// Opened is a session just opened. Token goes into the cookie and nowhere else.
type Opened struct {
	Token   pii.Text
	Session Session
}

// BeginCreate answers {"publicKey": PublicKeyCredentialCreationOptionsJSON} for
// the first passkey of a new account. binding ties the ceremony to the proofing
// session: Create must be given the same.
func (s *Service) BeginCreate(ctx context.Context, binding string) (json.RawMessage, error) {
	handle, err := s.random(handleSize)
	if err != nil {
		return nil, err
	}
	return s.beginRegistration(ctx, kindCreate, binding, s.userOf(handle, nil))
}

// Create makes the account and opens its first session, in one transaction: that
// of ctx (Store.Atomically) if it carries one, so that the proofing session ends
// with it or not at all. Nothing persists on error. Errors: ErrChallengeExpired,
// ErrCredential, ErrNoPRF, ErrSecretSent, ErrPasskeyExists, ErrName, ErrVault.
func (s *Service) Create(ctx context.Context, binding string, n NewAccount) (Opened, error) {
	if n.Seal == nil || n.Level == "" {
		return Opened{}, fmt.Errorf("%w: nothing to seal", ErrVault)
	}
	recovery, err := s.checkRecovery(n.Recovery)
	if err != nil {
		return Opened{}, err
	}
	if err := s.cfg.Vault.CheckKey(n.Suite, n.PublicKey); err != nil {
		return Opened{}, fmt.Errorf("%w: %w", ErrVault, err)
	}
	id, err := s.random(16)
	if err != nil {
		return Opened{}, err
	}
	a := Account{ID: encode(id), Suite: n.Suite, PublicKey: bytes.Clone(n.PublicKey), Level: n.Level, CreatedOn: s.today(), Recovery: &recovery}
	var opened Opened
	err = s.cfg.Store.Atomically(ctx, func(ctx context.Context) error {
		p, handle, err := s.finishRegistration(ctx, kindCreate, binding, n.Passkey.Credential)
		if err != nil {
			return err
		}
		if p, err = s.complete(p, n.Passkey); err != nil {
			return err
		}
		sealed, err := n.Seal(a.ID)
		if err != nil {
			return fmt.Errorf("account: seal the claims: %w", err)
		}
		a.Handle, a.Passkeys = handle, []Passkey{p}
		if err := s.cfg.Store.CreateAccount(ctx, a, []Item{{Seq: 1, Kind: "claims", Sealed: sealed}}); err != nil {
			return err
		}
		opened, err = s.open(ctx, a.ID, ScopeFull)
		return err
	})
	if err != nil {
		return Opened{}, err
	}
	return opened, nil
}

// complete checks and adds to a verified passkey what the browser chose.
func (s *Service) complete(p Passkey, n NewPasskey) (Passkey, error) {
	name, err := cleanName(n.Name)
	if err != nil {
		return Passkey{}, err
	}
	if !bytes.Equal(n.WrapFor, p.ID) {
		return Passkey{}, fmt.Errorf("%w: wrap for another passkey", ErrVault)
	}
	if err := s.cfg.Vault.CheckWrap(n.Wrap.Salt, n.Wrap.Wrapped); err != nil {
		return Passkey{}, fmt.Errorf("%w: %w", ErrVault, err)
	}
	p.Name, p.Wrap = name, n.Wrap
	return p, nil
}

func (s *Service) checkRecovery(n NewRecovery) (Recovery, error) {
	if err := s.cfg.Vault.CheckWrap(n.Wrap.Salt, n.Wrap.Wrapped); err != nil {
		return Recovery{}, fmt.Errorf("%w: %w", ErrVault, err)
	}
	if n.Auth.Len() != sha256.Size || slices.Max(n.Auth.Reveal()) == 0 {
		return Recovery{}, fmt.Errorf("%w: recovery authentication value", ErrVault)
	}
	return Recovery{AuthHash: sha256.Sum256(n.Auth.Reveal()), Wrap: n.Wrap, CreatedOn: s.today()}, nil
}

// cleanName trims a name and refuses what cannot be shown.
func cleanName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxName ||
		strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return "", ErrName
	}
	return name, nil
}
