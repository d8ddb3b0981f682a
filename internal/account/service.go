package account

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"ipse/internal/fair"
)

// Vault checks what browsers send for the vault (package vault does).
type Vault interface {
	// CheckKey refuses what is not a usable public key of the suite.
	CheckKey(suite string, publicKey []byte) error
	// CheckWrap refuses what does not have the form of a wrapped private key.
	CheckWrap(salt, wrapped []byte) error
}

// Config makes a Service. Members without a default are required.
type Config struct {
	Store Store
	Vault Vault
	// RPID is the WebAuthn relying party identifier: the server's host name.
	// Passkeys are bound to it for ever.
	RPID string
	// RPName is shown by the authenticator.
	RPName string
	// Origins are the addresses of the pages, e.g. https://ipse.example; at least one.
	Origins []string
	// ChallengeFor is how long a ceremony may take; default 5 minutes.
	ChallengeFor time.Duration
	// SessionIdle ends a session that is not used; default 30 minutes.
	SessionIdle time.Duration
	// SessionMax ends a session however it is used; default 12 hours.
	SessionMax time.Duration
	// RecoveryFor is how long a session opened with a recovery code lives, however
	// it is used; default 15 minutes.
	RecoveryFor time.Duration
	// FreshFor is how long a use of the passkey permits to change the ways in and to
	// erase the account; default 5 minutes.
	FreshFor time.Duration
	// JournalKept is how many journal items an account keeps; default 500.
	JournalKept int
	// Now is the clock.
	Now func() time.Time
	// Rand is a cryptographic source, for tokens and identifiers. Challenges come
	// from crypto/rand, in the WebAuthn library.
	Rand io.Reader
}

// Service manages accounts. It is safe for concurrent use.
type Service struct {
	cfg   Config
	web   *webauthn.WebAuthn
	wrong *fair.Points // recovery codes that no account has
}

// Tries of recovery codes, for each client: a burst, then one a minute. A code
// has 160 random bits, so the limit is there to bound work and not to keep
// guessers out. It counts wrong codes by client only, never by account, and one
// try comes back every minute: nobody can lock a person out, least of all for ever.
const (
	wrongCodes     = 10
	wrongCodeEvery = time.Minute
)

// Limits of an account.
const (
	maxPasskeys   = 20
	maxName       = 64       // characters of a passkey's name
	maxCredential = 64 << 10 // bytes of an authenticator's answer
	maxSealed     = 96 << 10 // bytes of a sealed item
	handleSize    = 32       // bytes of a user handle (WebAuthn Level 3 §14.6.1: at most 64, random)
)

// New checks the configuration and fills its defaults.
func New(cfg Config) (*Service, error) {
	switch {
	case cfg.Store == nil || cfg.Vault == nil:
		return nil, errors.New("account: no store or no vault")
	case cfg.RPID == "" || cfg.RPName == "" || len(cfg.Origins) == 0:
		return nil, errors.New("account: no relying party identifier, name or origin")
	case cfg.Now == nil || cfg.Rand == nil:
		return nil, errors.New("account: no clock or no random source")
	}
	for _, d := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{{&cfg.ChallengeFor, 5 * time.Minute}, {&cfg.SessionIdle, 30 * time.Minute}, {&cfg.SessionMax, 12 * time.Hour},
		{&cfg.RecoveryFor, 15 * time.Minute}, {&cfg.FreshFor, 5 * time.Minute}} {
		if *d.value < 0 {
			return nil, errors.New("account: negative duration")
		}
		if *d.value == 0 {
			*d.value = d.fallback
		}
	}
	if cfg.JournalKept == 0 {
		cfg.JournalKept = 500
	}
	if cfg.JournalKept < 1 {
		return nil, errors.New("account: negative number of journal items")
	}
	web, err := relyingParty(cfg.RPID, cfg.RPName, cfg.Origins, cfg.ChallengeFor)
	if err != nil {
		return nil, err
	}
	wrong, err := fair.NewPoints(fair.PointsConfig{Rand: cfg.Rand, Burst: wrongCodes, Every: wrongCodeEvery, Remember: 1 << 14})
	if err != nil {
		return nil, fmt.Errorf("account: %w", err)
	}
	return &Service{cfg: cfg, web: web, wrong: wrong}, nil
}

// relyingParty configures the WebAuthn library. The timeout is for the browser:
// the end of a ceremony is enforced elsewhere, by our clock.
func relyingParty(id, name string, origins []string, timeout time.Duration) (*webauthn.WebAuthn, error) {
	web, err := webauthn.New(&webauthn.Config{
		RPID: id, RPDisplayName: name, RPOrigins: origins,
		AttestationPreference:  protocol.PreferNoAttestation,
		AuthenticatorSelection: selection(),
		Timeouts: webauthn.TimeoutsConfig{
			Login:        webauthn.TimeoutConfig{Timeout: timeout, TimeoutUVD: timeout},
			Registration: webauthn.TimeoutConfig{Timeout: timeout, TimeoutUVD: timeout},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("account: configure WebAuthn: %w", err)
	}
	return web, nil
}

// selection asks for a discoverable credential with user verification: two
// factors in one, and a login that names nobody before it succeeds.
func selection() protocol.AuthenticatorSelection {
	return protocol.AuthenticatorSelection{
		RequireResidentKey: protocol.ResidentKeyRequired(),
		ResidentKey:        protocol.ResidentKeyRequirementRequired,
		UserVerification:   protocol.VerificationRequired,
	}
}

func (s *Service) random(size int) ([]byte, error) {
	out := make([]byte, size)
	if _, err := io.ReadFull(s.cfg.Rand, out); err != nil {
		return nil, fmt.Errorf("account: draw random bytes: %w", err)
	}
	return out, nil
}

// today is the finest date that an account keeps.
func (s *Service) today() string { return s.cfg.Now().UTC().Format(time.DateOnly) }

// Sweep removes sessions and ceremonies that are over. Call it every few minutes.
func (s *Service) Sweep(ctx context.Context) (removed int, err error) {
	return s.cfg.Store.SweepAccounts(ctx, s.cfg.Now())
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func hashOf(text string) [32]byte { return sha256.Sum256([]byte(text)) }
