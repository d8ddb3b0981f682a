package counter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"ipse/internal/fair"
	"ipse/internal/pii"
)

// Passkeys makes and verifies ceremonies. It keeps nothing. Refusals are ErrPasskey.
type Passkeys interface {
	// BeginCreate answers {"publicKey": PublicKeyCredentialCreationOptionsJSON}.
	BeginCreate(challenge, handle []byte, name string) (json.RawMessage, error)
	// Create verifies the answer to BeginCreate with the same challenge and handle.
	Create(challenge, handle, answer []byte) (Key, error)
	// BeginSign answers {"publicKey": PublicKeyCredentialRequestOptionsJSON} for the
	// passkey with this identifier or, when it is nil, for any.
	BeginSign(challenge, id []byte) (json.RawMessage, error)
	// Signed verifies the answer to BeginSign with the same challenge. It returns the
	// key as it is now, and the answer reduced to what another verifier needs. handle
	// is nil where it is not known any more: the answer must then have none.
	Signed(challenge, handle []byte, k Key, answer []byte) (now Key, evidence []byte, err error)
	// Answered tells which credential answers which challenge, by its own word.
	Answered(answer []byte) (id, challenge []byte, err error)
}

// Case is what the agent's page shows of a person, but for the portrait.
type Case struct {
	FamilyName, GivenName, BirthDate pii.Text
	DocumentKind, DocumentIssuer     string
	DocumentNumber, DocumentExpiry   pii.Text
	// Portrait says that there is one to show.
	Portrait  bool
	ExpiresAt time.Time
}

// Cases are the proofing sessions that wait for an agent. An agent has one case
// open at a time. ErrNoCase where there is none.
type Cases interface {
	// Open opens the case with this code, which opens nothing after that.
	Open(agent, code string) (Case, error)
	// Portrait hands out a copy of the portrait, once; the caller wipes it.
	Portrait(agent string) (pii.Bytes, error)
	// Holds reports whether the agent has a case open.
	Holds(agent string) bool
	// Release puts the agent's case down undecided; without one it does nothing.
	Release(agent string) error
	// Draft returns what a decision on the agent's case is: JSON to be signed.
	Draft(agent string, approved bool) (decision json.RawMessage, err error)
	// Decide takes a decision: signature reaches VerifyDecision, inside the
	// transaction that ends the case.
	Decide(ctx context.Context, agent string, approved bool, signature []byte) error
}

// Config makes a Service. Members without a default are required.
type Config struct {
	Staff
	Passkeys Passkeys
	Cases    Cases
	// SessionIdle ends a session that is not used; default 10 minutes.
	SessionIdle time.Duration
	// SessionMax ends a session however it is used; default 8 hours.
	SessionMax time.Duration
	// Kept is how long the evidence of decisions is kept; default two years.
	Kept time.Duration
}

// Service is what the agents' pages reach. It is safe for concurrent use.
type Service struct {
	cfg        Config
	challenges *challenges
	limit      limiter
}

// maxAnswer bounds an authenticator's answer, in bytes.
const maxAnswer = 64 << 10

// New checks the configuration and fills its defaults.
func New(cfg Config) (*Service, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Passkeys == nil || cfg.Cases == nil {
		return nil, errors.New("counter: no passkeys or no cases")
	}
	for _, d := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{{&cfg.SessionIdle, 10 * time.Minute}, {&cfg.SessionMax, 8 * time.Hour}, {&cfg.Kept, 2 * 365 * 24 * time.Hour}} {
		if *d.value < 0 {
			return nil, errors.New("counter: negative duration")
		}
		if *d.value == 0 {
			*d.value = d.fallback
		}
	}
	c, err := newChallenges(cfg.Rand)
	if err != nil {
		return nil, err
	}
	return &Service{cfg: cfg, challenges: c, limit: limiter{back: map[string]time.Time{}}}, nil
}

// Sweep removes what is over. Call it every few minutes.
func (s *Service) Sweep(ctx context.Context) (removed int, err error) {
	now := s.cfg.Now()
	return s.cfg.Store.SweepCounter(ctx, now, now.Add(-s.cfg.Kept))
}

// Open opens the case with this code for a signed-in agent. After four wrong codes
// one try comes back every minute. Errors: ErrNoCase, ErrLimited, those of Cases.
func (s *Service) Open(on SignedIn, code string) (Case, error) {
	if wait := s.limit.wait(on.Agent.ID, s.cfg.Now()); wait > 0 {
		return Case{}, fair.After(ErrLimited, wait)
	}
	c, err := s.cfg.Cases.Open(on.Agent.ID, code)
	if errors.Is(err, ErrNoCase) {
		s.limit.fail(on.Agent.ID, s.cfg.Now())
	}
	return c, err
}

// Portrait hands out the portrait of the agent's case, once. The caller wipes it.
func (s *Service) Portrait(on SignedIn) (pii.Bytes, error) { return s.cfg.Cases.Portrait(on.Agent.ID) }

// Holds reports whether the agent has a case open: a page that was reloaded.
func (s *Service) Holds(on SignedIn) bool { return s.cfg.Cases.Holds(on.Agent.ID) }

// Release puts the agent's case down undecided.
func (s *Service) Release(on SignedIn) error { return s.cfg.Cases.Release(on.Agent.ID) }

// BeginDecide returns the statement of a decision and the options by which the
// agent's passkey signs it. Errors: ErrChecklist, ErrNoCase.
func (s *Service) BeginDecide(on SignedIn, d Draft) (statement []byte, options json.RawMessage, err error) {
	if err := d.check(); err != nil {
		return nil, nil, err
	}
	if on.Agent.Key == nil {
		return nil, nil, ErrPasskey
	}
	decision, err := s.cfg.Cases.Draft(on.Agent.ID, d.Approved)
	if err != nil {
		return nil, nil, err
	}
	statement, err = statementOf(on.Agent.ID, decision, d, s.cfg.Now()).encode()
	if err != nil {
		return nil, nil, err
	}
	options, err = s.cfg.Passkeys.BeginSign(challengeOf(statement), on.Agent.Key.ID)
	return statement, options, err
}

// Decide sends a signed statement. Errors: ErrPasskey (also as the cause of what
// Cases reports), ErrNoCase.
func (s *Service) Decide(ctx context.Context, on SignedIn, statement, answer []byte) error {
	st, err := parseStatement(statement)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPasskey, err)
	}
	envelope, err := json.Marshal(signed{statement, answer})
	if err != nil {
		return fmt.Errorf("counter: encode a decision: %w", err)
	}
	return s.cfg.Cases.Decide(ctx, on.Agent.ID, st.approved(), envelope)
}

// signed is how a decision travels through Cases, which does not look inside.
type signed struct {
	Statement []byte `json:"statement"`
	Answer    []byte `json:"answer"`
}

// VerifyDecision reports with nil that the agent, who is one still, signed the
// decision within the last minutes, and keeps the evidence in the transaction that
// ctx carries. signature is what Decide sent. ErrPasskey when it is not so.
func (s *Service) VerifyDecision(ctx context.Context, agentID string, decision, signature []byte) error {
	var in signed
	if err := json.Unmarshal(signature, &in); err != nil {
		return fmt.Errorf("%w: not of this package", ErrPasskey)
	}
	st, err := parseStatement(in.Statement)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPasskey, err)
	}
	at, err := st.fits(agentID, decision, s.cfg.Now())
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPasskey, err)
	}
	id, _, err := s.cfg.Passkeys.Answered(in.Answer)
	if err != nil {
		return err
	}
	agent, err := s.cfg.Store.AgentByKey(ctx, id)
	if err != nil {
		return err
	}
	if agent.ID != agentID {
		return fmt.Errorf("%w: another agent's passkey", ErrPasskey)
	}
	now, evidence, err := s.cfg.Passkeys.Signed(challengeOf(in.Statement), agent.Handle, *agent.Key, in.Answer)
	if err != nil {
		return err
	}
	if err := s.cfg.Store.UseKey(ctx, now.ID, now.SignCount, now.BackupState); err != nil {
		return err
	}
	return s.cfg.Store.KeepDecision(ctx, Decision{Case: st.caseID(), Agent: agentID, At: at, Statement: in.Statement,
		KeyID: now.ID, PublicKey: now.PublicKey, BackupEligible: now.BackupEligible, Answer: evidence})
}
