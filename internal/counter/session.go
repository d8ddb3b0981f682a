package counter

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"ipse/internal/pii"
)

// SignedIn is an agent with a live session.
type SignedIn struct {
	Agent   Agent
	Session Session
}

// Opened is a session just opened. Token goes into the cookie and nowhere else.
type Opened struct {
	Token pii.Text
	SignedIn
}

const purposeSignIn = "sign in"

func purposeEnrol(hash [32]byte) string { return "enrol " + encode(hash[:]) }

// BeginEnrol answers the options of a new passkey for whoever holds an enrolment
// code: ErrEnrolment.
func (s *Service) BeginEnrol(ctx context.Context, code string) (json.RawMessage, error) {
	hash := hashOf(code)
	agent, err := s.cfg.Store.AgentByEnrolment(ctx, hash, s.cfg.Now())
	if err != nil {
		return nil, err
	}
	challenge, err := s.challenges.issue(s.cfg.Rand, purposeEnrol(hash), s.cfg.Now())
	if err != nil {
		return nil, err
	}
	return s.cfg.Passkeys.BeginCreate(challenge, agent.Handle, agent.Name)
}

// Enrol verifies the new passkey, spends the code and signs the agent in, in one
// transaction. Errors: ErrEnrolment, ErrPasskey.
func (s *Service) Enrol(ctx context.Context, code string, answer []byte) (Opened, error) {
	hash, now := hashOf(code), s.cfg.Now()
	challenge, _, err := s.answered(answer, purposeEnrol(hash))
	if err != nil {
		return Opened{}, err
	}
	var opened Opened
	err = s.cfg.Store.Atomically(ctx, func(ctx context.Context) error {
		agent, err := s.cfg.Store.AgentByEnrolment(ctx, hash, now)
		if err != nil {
			return err
		}
		key, err := s.cfg.Passkeys.Create(challenge, agent.Handle, answer)
		if err != nil {
			return err
		}
		if err := s.cfg.Store.EnrolAgent(ctx, hash, now, key); err != nil {
			return err
		}
		agent.Key = &key
		opened, err = s.open(ctx, agent)
		return err
	})
	if err != nil {
		return Opened{}, err
	}
	return opened, nil
}

// BeginSignIn answers the options by which any agent signs in.
func (s *Service) BeginSignIn() (json.RawMessage, error) {
	challenge, err := s.challenges.issue(s.cfg.Rand, purposeSignIn, s.cfg.Now())
	if err != nil {
		return nil, err
	}
	return s.cfg.Passkeys.BeginSign(challenge, nil)
}

// SignIn verifies a passkey's answer, which serves once, and opens a session in
// place of every other of the agent; a case that they had open is put down. ErrPasskey.
func (s *Service) SignIn(ctx context.Context, answer []byte) (Opened, error) {
	challenge, id, err := s.answered(answer, purposeSignIn)
	if err != nil {
		return Opened{}, err
	}
	agent, err := s.cfg.Store.AgentByKey(ctx, id)
	if err != nil {
		return Opened{}, err
	}
	used, _, err := s.cfg.Passkeys.Signed(challenge, agent.Handle, *agent.Key, answer)
	if err != nil {
		return Opened{}, err
	}
	if !s.challenges.spend(challenge, s.cfg.Now()) {
		return Opened{}, fmt.Errorf("%w: replayed", ErrPasskey)
	}
	var opened Opened
	err = s.cfg.Store.Atomically(ctx, func(ctx context.Context) error {
		if err := s.cfg.Store.UseKey(ctx, used.ID, used.SignCount, used.BackupState); err != nil {
			return err
		}
		opened, err = s.open(ctx, agent)
		return err
	})
	if err != nil {
		return Opened{}, err
	}
	return opened, s.cfg.Cases.Release(agent.ID)
}

// answered tells which credential answers, and that its challenge is a valid one of
// this purpose.
func (s *Service) answered(answer []byte, purpose string) (challenge, id []byte, err error) {
	if len(answer) > maxAnswer {
		return nil, nil, fmt.Errorf("%w: too long", ErrPasskey)
	}
	id, challenge, err = s.cfg.Passkeys.Answered(answer)
	if err != nil {
		return nil, nil, err
	}
	if !s.challenges.valid(challenge, purpose, s.cfg.Now()) {
		return nil, nil, fmt.Errorf("%w: challenge unknown, used or expired", ErrPasskey)
	}
	return challenge, id, nil
}

func (s *Service) open(ctx context.Context, agent Agent) (Opened, error) {
	raw, err := draw(s.cfg.Rand, 32)
	if err != nil {
		return Opened{}, err
	}
	token, now := encode(raw), s.cfg.Now().Truncate(time.Second)
	session := Session{TokenHash: hashOf(token), Agent: agent.ID, Ends: now.Add(s.cfg.SessionMax)}
	session.IdleUntil = s.idleUntil(session, now)
	if err := s.cfg.Store.PutAgentSession(ctx, session); err != nil {
		return Opened{}, err
	}
	return Opened{Token: pii.NewText(token), SignedIn: SignedIn{agent, session}}, nil
}

func (s *Service) idleUntil(session Session, now time.Time) time.Time {
	idle := now.Add(s.cfg.SessionIdle).Truncate(time.Second)
	if idle.After(session.Ends) {
		return session.Ends
	}
	return idle
}

// Session finds the agent who is signed in with a token, or ErrNoSession, and
// prolongs the session. Whoever was removed is signed in no more.
func (s *Service) Session(ctx context.Context, token string) (SignedIn, error) {
	on, err := s.find(ctx, token)
	if err != nil {
		return SignedIn{}, err
	}
	// Written at most four times in an idle period, not at each request.
	if until := s.idleUntil(on.Session, s.cfg.Now()); until.Sub(on.Session.IdleUntil) > s.cfg.SessionIdle/4 {
		on.Session.IdleUntil = until
		if err := s.cfg.Store.TouchAgentSession(ctx, on.Session.TokenHash, until); err != nil {
			return SignedIn{}, err
		}
	}
	return on, nil
}

// StillOpen reports with nil that the agent of a token has a case open. It is
// asked by the page and not by the agent, so it prolongs nothing. Errors:
// ErrNoSession; ErrNoCase when the person ended the check, its time is over or it
// is decided.
func (s *Service) StillOpen(ctx context.Context, token string) error {
	on, err := s.find(ctx, token)
	if err != nil {
		return err
	}
	if !s.cfg.Cases.Holds(on.Agent.ID) {
		return ErrNoCase
	}
	return nil
}

// find finds the live session of a token.
func (s *Service) find(ctx context.Context, token string) (SignedIn, error) {
	if token == "" {
		return SignedIn{}, ErrNoSession
	}
	session, agent, err := s.cfg.Store.AgentSession(ctx, hashOf(token))
	if err != nil {
		return SignedIn{}, err
	}
	if now := s.cfg.Now(); !now.Before(session.IdleUntil) || !now.Before(session.Ends) {
		return SignedIn{}, ErrNoSession
	}
	return SignedIn{agent, session}, nil
}

// SignOut ends the session of a token, if there is one, and puts the agent's case down.
func (s *Service) SignOut(ctx context.Context, token string) error {
	on, err := s.Session(ctx, token)
	if err != nil {
		return s.cfg.Store.EndAgentSession(ctx, hashOf(token))
	}
	if err := s.cfg.Store.EndAgentSession(ctx, hashOf(token)); err != nil {
		return err
	}
	return s.cfg.Cases.Release(on.Agent.ID)
}
