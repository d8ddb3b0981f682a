package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"ipse/internal/fair"
	"ipse/internal/pii"
)

// BeginLogin answers {"publicKey": PublicKeyCredentialRequestOptionsJSON} for
// any passkey of this server: the person need not say who they are.
func (s *Service) BeginLogin(ctx context.Context) (json.RawMessage, error) {
	assertion, state, err := s.web.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired),
		webauthn.WithAssertionExtensions(webauthn.WithExtensionPRF(prfInput())))
	if err != nil {
		return nil, fmt.Errorf("account: begin login: %w", err)
	}
	if err := s.keep(ctx, kindLogin, "", state); err != nil {
		return nil, err
	}
	options, err := json.Marshal(assertion)
	if err != nil {
		return nil, fmt.Errorf("account: encode options: %w", err)
	}
	return options, nil
}

// Login verifies a passkey's answer (AuthenticationResponseJSON, WebAuthn Level 3
// §7.2), spends its challenge whatever comes of it, and opens a session in place
// of the one that previous is the token of, if any. Errors: ErrChallengeExpired,
// ErrUnknownPasskey, ErrCredential, ErrSignCounter, ErrSecretSent.
func (s *Service) Login(ctx context.Context, credential []byte, previous string) (Opened, error) {
	if len(credential) > maxCredential {
		return Opened{}, fmt.Errorf("%w: too long", ErrCredential)
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(credential)
	if err != nil {
		return Opened{}, fmt.Errorf("%w: not an authentication response", ErrCredential)
	}
	state, err := s.take(ctx, kindLogin, "", parsed.Response.CollectedClientData.Challenge)
	if err != nil {
		return Opened{}, err
	}
	account, used, err := s.verifyAssertion(ctx, state, parsed)
	if err != nil {
		return Opened{}, err
	}
	var opened Opened
	err = s.cfg.Store.Atomically(ctx, func(ctx context.Context) error {
		// A passkey that is synced between devices need not keep one counter
		// (WebAuthn Level 3 §6.1.1): only a device-bound one is held to it.
		if err := s.cfg.Store.UsePasskey(ctx, used.ID, parsed.Response.AuthenticatorData.Counter, used.Flags.BackupState, used.Flags.BackupEligible); err != nil {
			return err
		}
		if previous != "" {
			if err := s.cfg.Store.EndSession(ctx, hashOf(previous)); err != nil {
				return err
			}
		}
		opened, err = s.open(ctx, account, ScopeFull)
		return err
	})
	if err != nil {
		return Opened{}, err
	}
	return opened, nil
}

func (s *Service) verifyAssertion(ctx context.Context, state webauthn.SessionData, parsed *protocol.ParsedCredentialAssertionData) (account string, used *webauthn.Credential, err error) {
	a, err := s.cfg.Store.AccountByPasskey(ctx, parsed.RawID)
	if err != nil {
		return "", nil, err
	}
	find := func(_, _ []byte) (webauthn.User, error) { return s.userOf(a.Handle, a.Passkeys), nil }
	_, used, err = s.web.ValidatePasskeyLogin(find, state, parsed)
	if err != nil {
		return "", nil, fmt.Errorf("%w: %w", ErrCredential, cause(err))
	}
	if err := checkExtensions(parsed.ClientExtensionResults, false); err != nil {
		return "", nil, err
	}
	return a.ID, used, nil
}

// open makes a session. Only with full scope does it count as use of a passkey.
func (s *Service) open(ctx context.Context, account string, scope Scope) (Opened, error) {
	raw, err := s.random(32)
	if err != nil {
		return Opened{}, err
	}
	token, now := encode(raw), s.cfg.Now().Truncate(time.Microsecond)
	session := Session{TokenHash: hashOf(token), Account: account, Scope: scope, Ends: now.Add(s.cfg.RecoveryFor)}
	if scope == ScopeFull {
		session.AuthTime, session.Ends = now, now.Add(s.cfg.SessionMax)
	}
	session.IdleUntil = s.idleUntil(session, now)
	if err := s.cfg.Store.PutSession(ctx, session); err != nil {
		return Opened{}, err
	}
	return Opened{Token: pii.NewText(token), Session: session}, nil
}

func (s *Service) idleUntil(session Session, now time.Time) time.Time {
	idle := now.Add(s.cfg.SessionIdle)
	if idle.After(session.Ends) {
		return session.Ends
	}
	return idle
}

// Session finds the live session of a token, or ErrNoSession, and prolongs it.
func (s *Service) Session(ctx context.Context, token string) (Session, error) {
	if token == "" {
		return Session{}, ErrNoSession
	}
	session, err := s.cfg.Store.SessionByToken(ctx, hashOf(token))
	if err != nil {
		return Session{}, err
	}
	now := s.cfg.Now()
	if !now.Before(session.IdleUntil) || !now.Before(session.Ends) {
		return Session{}, ErrNoSession
	}
	// Written at most four times in an idle period, not at each request.
	if until := s.idleUntil(session, now); until.Sub(session.IdleUntil) > s.cfg.SessionIdle/4 {
		session.IdleUntil = until
		if err := s.cfg.Store.TouchSession(ctx, session.TokenHash, until); err != nil {
			return Session{}, err
		}
	}
	return session, nil
}

// TokenHash is what a session's token is stored as.
func TokenHash(token string) [32]byte { return hashOf(token) }

// LogoutAll ends every session of the session's account.
func (s *Service) LogoutAll(ctx context.Context, session Session) error {
	return s.cfg.Store.EndSessions(ctx, session.Account, [32]byte{})
}

// Logout ends the session of a token, if there is one.
func (s *Service) Logout(ctx context.Context, token string) error {
	return s.cfg.Store.EndSession(ctx, hashOf(token))
}

// Recover opens a session with a recovery code's authentication value: for
// Config.RecoveryFor it may read the account and add one passkey. client is the caller,
// for the limit on wrong tries.
// Errors: ErrRecovery, ErrLimited.
func (s *Service) Recover(ctx context.Context, client fair.Client, auth pii.Bytes) (Opened, error) {
	if wait := s.wrong.Wait(client, 1, s.cfg.Now()); wait > 0 {
		return Opened{}, fair.After(ErrLimited, wait)
	}
	a, err := s.cfg.Store.AccountByRecovery(ctx, hashOf(string(auth.Reveal())))
	if errors.Is(err, ErrRecovery) {
		s.wrong.Take(client, 1, s.cfg.Now())
	}
	if err != nil {
		return Opened{}, err
	}
	return s.open(ctx, a.ID, ScopeRecovery)
}
