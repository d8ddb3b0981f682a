package account

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// State is what the person's own page shows of an account.
type State struct {
	Account Account
	Items   []Item
	// Complete: there are at least two ways in.
	Complete bool
}

// State reads the account of a session and its sealed items.
func (s *Service) State(ctx context.Context, session Session) (State, error) {
	a, err := s.cfg.Store.Account(ctx, session.Account)
	if err != nil {
		return State{}, err
	}
	items, err := s.cfg.Store.Items(ctx, session.Account)
	if err != nil {
		return State{}, err
	}
	return State{Account: a, Items: items, Complete: a.ways() >= 2}, nil
}

// Key returns the public key that items for the account are sealed to, or ErrNoAccount.
func (s *Service) Key(ctx context.Context, account string) (suite string, publicKey []byte, err error) {
	a, err := s.cfg.Store.Account(ctx, account)
	return a.Suite, a.PublicKey, err
}

// AppendJournal keeps a sealed journal item, and drops the oldest beyond
// Config.JournalKept. It is durable on return. Errors: ErrVault, ErrNoAccount.
func (s *Service) AppendJournal(ctx context.Context, account string, sealed []byte) error {
	if len(sealed) == 0 || len(sealed) > maxSealed {
		return fmt.Errorf("%w: sealed item of %d bytes", ErrVault, len(sealed))
	}
	return s.cfg.Store.AppendItem(ctx, account, Item{Kind: "journal", Sealed: sealed}, s.cfg.JournalKept)
}

// BeginAdd answers {"publicKey": PublicKeyCredentialCreationOptionsJSON} for a
// further passkey of the session's account. A stolen cookie must not lead to a
// passkey of the thief's: this needs a fresh use of a passkey (ErrNotFresh) or a
// session just opened with the recovery code. Also ErrTooManyPasskeys.
func (s *Service) BeginAdd(ctx context.Context, session Session) (json.RawMessage, error) {
	if session.Scope != ScopeRecovery {
		if err := s.Fresh(session); err != nil {
			return nil, err
		}
	}
	a, err := s.cfg.Store.Account(ctx, session.Account)
	if err != nil {
		return nil, err
	}
	if len(a.Passkeys) >= maxPasskeys {
		return nil, ErrTooManyPasskeys
	}
	return s.beginRegistration(ctx, kindAdd, addBinding(session), s.userOf(a.Handle, a.Passkeys))
}

// addBinding lets only the session that began an addition finish it.
func addBinding(session Session) string { return session.Account + "." + encode(session.TokenHash[:]) }

// AddPasskey verifies and keeps a further passkey, in the session that began it.
// A session opened with the recovery code ends with it and a full one is opened in
// its place, since a passkey has just been used: whoever had seen the former token
// has nothing of the new rights, and one code leads to one passkey. Opened.Token is
// empty when the session stays. Errors as Create's, ErrNoSession when the session
// has ended meanwhile, and ErrTooManyPasskeys.
func (s *Service) AddPasskey(ctx context.Context, session Session, n NewPasskey) (Opened, error) {
	opened := Opened{Session: session}
	err := s.cfg.Store.Atomically(ctx, func(ctx context.Context) error {
		if _, err := s.cfg.Store.SessionByToken(ctx, session.TokenHash); err != nil {
			return err // of two additions at once, the first has ended it
		}
		a, err := s.cfg.Store.Account(ctx, session.Account)
		if err != nil {
			return err
		}
		if len(a.Passkeys) >= maxPasskeys {
			return ErrTooManyPasskeys
		}
		p, _, err := s.finishRegistration(ctx, kindAdd, addBinding(session), n.Credential)
		if err != nil {
			return err
		}
		if p, err = s.complete(p, n); err != nil {
			return err
		}
		if err := s.cfg.Store.AddPasskey(ctx, a.ID, p); err != nil {
			return err
		}
		if session.Scope == ScopeFull {
			return nil // what it adds does not make an older use of a passkey fresher
		}
		if err := s.cfg.Store.EndSession(ctx, session.TokenHash); err != nil {
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

// RenamePasskey gives a passkey another name: ErrScope, ErrName, ErrUnknownPasskey.
func (s *Service) RenamePasskey(ctx context.Context, session Session, credentialID []byte, name string) error {
	if session.Scope != ScopeFull {
		return ErrScope
	}
	name, err := cleanName(name)
	if err != nil {
		return err
	}
	return s.cfg.Store.RenamePasskey(ctx, session.Account, credentialID, name)
}

// RemovePasskey removes a passkey and ends the account's other sessions, which
// the lost device may hold. It needs a fresh use of a passkey. Errors: ErrScope,
// ErrNotFresh, ErrUnknownPasskey, ErrLastWayIn.
func (s *Service) RemovePasskey(ctx context.Context, session Session, credentialID []byte) error {
	if err := s.Fresh(session); err != nil {
		return err
	}
	return s.cfg.Store.Atomically(ctx, func(ctx context.Context) error {
		a, err := s.cfg.Store.Account(ctx, session.Account)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(a.Passkeys, func(p Passkey) bool { return bytes.Equal(p.ID, credentialID) }) {
			return ErrUnknownPasskey
		}
		if a.ways() <= 2 {
			return ErrLastWayIn
		}
		if err := s.cfg.Store.RemovePasskey(ctx, a.ID, credentialID); err != nil {
			return err
		}
		return s.cfg.Store.EndSessions(ctx, a.ID, session.TokenHash)
	})
}

// SetRecovery replaces the recovery code; the former one opens nothing any more.
// It needs a fresh use of a passkey. Errors: ErrScope, ErrNotFresh, ErrVault, ErrNoAccount.
func (s *Service) SetRecovery(ctx context.Context, session Session, n NewRecovery) error {
	if err := s.Fresh(session); err != nil {
		return err
	}
	recovery, err := s.checkRecovery(n)
	if err != nil {
		return err
	}
	return s.cfg.Store.SetRecovery(ctx, session.Account, recovery)
}

// Fresh reports with ErrNotFresh, or ErrScope, that the session's passkey was not
// used within Config.FreshFor.
func (s *Service) Fresh(session Session) error {
	if session.Scope != ScopeFull {
		return ErrScope
	}
	if s.cfg.Now().Sub(session.AuthTime) >= s.cfg.FreshFor {
		return ErrNotFresh
	}
	return nil
}

// Erase removes the account and everything of it in one transaction: passkeys,
// wraps, recovery code, sealed items, sessions. It needs a fresh use of the
// passkey: ErrNotFresh, ErrScope.
func (s *Service) Erase(ctx context.Context, session Session) error {
	if err := s.Fresh(session); err != nil {
		return err
	}
	return s.cfg.Store.EraseAccount(ctx, session.Account)
}
