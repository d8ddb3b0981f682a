package proofing

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"ipse/internal/consent"
	"ipse/internal/pii"
)

// counterCase is a session waiting for an agent. Guarded by the session's mu.
type counterCase struct {
	code    string // ABCD-EFGH
	expires time.Time
	agent   string   // who opened it, or empty
	nonce   [32]byte // binds the decision to this opening
}

// caseAlphabet has no characters that are mistaken for one another when read
// aloud or written by hand (no 0 O, 1 I L, 5 S, 8 B, U V). 24 characters, 8 of
// them: 1.1e11 codes.
const caseAlphabet = "234679ACDEFGHJKMNPQRTWXY"

// Case is what the agent's screen shows. Wipe it when the screen closes.
type Case struct {
	Attributes Attributes
	Portrait   pii.Bytes // the case's own copy
	ExpiresAt  time.Time
	// Nonce is part of what the agent signs: see DecisionBytes.
	Nonce [32]byte
}

// Wipe clears the case.
func (c *Case) Wipe() {
	c.Portrait.Wipe()
	*c = Case{}
}

// NewCounterCode replaces the code of a session at the counter, for instance
// when it has expired. ErrRunning when an agent has opened the case.
func (s *Service) NewCounterCode(ctx context.Context, token string) (View, error) {
	l, _, err := s.acquire(ctx, token)
	if err != nil {
		return View{}, err
	}
	defer l.mu.Unlock()
	switch {
	case l.sess.Position.State != StateCounter:
		return View{}, fmt.Errorf("%w: counter code", ErrState)
	case l.counter != nil && l.counter.agent != "" && s.cfg.Now().Before(l.counter.expires):
		return View{}, ErrRunning
	}
	if err := s.openCase(l); err != nil {
		return View{}, err
	}
	s.publish(l)
	return s.view(l)
}

// CounterCase opens the case with this code for an agent. A code serves one
// agent once: the same agent may open it again (a reloaded page), another may not.
func (s *Service) CounterCase(agent, code string) (*Case, error) {
	l, c, err := s.findCase(agent, code)
	if err != nil {
		return nil, err
	}
	defer l.mu.Unlock()
	if c.agent == "" {
		if _, err := io.ReadFull(s.cfg.Rand, c.nonce[:]); err != nil {
			return nil, fmt.Errorf("draw case nonce: %w", err)
		}
		c.agent = agent
		s.publish(l)
	}
	return &Case{Attributes: l.material.attributes, Portrait: pii.NewBytes(bytes.Clone(l.material.portrait.Reveal())),
		ExpiresAt: c.expires, Nonce: c.nonce}, nil
}

// CounterDecision is an agent's decision on a case.
type CounterDecision struct {
	Agent     string
	Code      string
	Approved  bool
	Signature []byte // of DecisionBytes by the agent
}

// DecisionBytes is what the agent signs: a hash of the decision, bound to the
// case by its nonce, so that a signature serves once. It names nobody.
func DecisionBytes(nonce [32]byte, approved bool) []byte {
	word := "refused"
	if approved {
		word = "approved"
	}
	sum := sha256.Sum256(append([]byte("ipse/counter/decision/v1\x00"+word+"\x00"), nonce[:]...))
	return sum[:]
}

// CounterDecide takes the decision of the agent who opened the case. An
// approval ends in the same accepted state as the camera.
func (s *Service) CounterDecide(ctx context.Context, d CounterDecision) error {
	l, c, err := s.findCase(d.Agent, d.Code)
	if err != nil {
		return err
	}
	defer l.mu.Unlock()
	if c.agent != d.Agent {
		return ErrNoCase // decided without having been opened
	}
	if s.cfg.Agents == nil {
		return fmt.Errorf("%w: no agents here", ErrAgent)
	}
	if err := s.cfg.Agents.VerifyDecision(ctx, d.Agent, DecisionBytes(c.nonce, d.Approved), d.Signature); err != nil {
		return fmt.Errorf("%w: %w", ErrAgent, err)
	}
	s.dropCases(l) // single use, whatever follows
	return s.apply(ctx, l, Event{Kind: EventCounterDecided, Accepted: d.Approved})
}

// findCase returns the session with this open case, locked.
func (s *Service) findCase(agent, code string) (*live, *counterCase, error) {
	code = normaliseCode(code)
	s.mu.Lock()
	l := s.byCase[code]
	s.mu.Unlock()
	if l == nil || agent == "" {
		return nil, nil, ErrNoCase
	}
	l.mu.Lock()
	c := l.counter
	err := func() error {
		switch {
		case l.evicted || c == nil || normaliseCode(c.code) != code || l.sess.Position.State != StateCounter ||
			!s.cfg.Now().Before(c.expires) || !s.cfg.Now().Before(l.sess.Position.Expires):
			return ErrNoCase
		case c.agent != "" && c.agent != agent:
			return ErrCaseTaken
		}
		return s.permit(l, consent.CheckCounter)
	}()
	if err != nil {
		l.mu.Unlock()
		return nil, nil, err
	}
	return l, c, nil
}

// openCase issues a case code. mu is held.
func (s *Service) openCase(l *live) error {
	s.dropCases(l)
	for range 8 {
		code, err := caseCode(s.cfg.Rand)
		if err != nil {
			return err
		}
		if !s.claimCase(normaliseCode(code), l) {
			continue
		}
		l.counter = &counterCase{code: code, expires: s.cfg.Now().Add(s.cfg.Policy.CaseFor)}
		return nil
	}
	return errors.New("proofing: no free case code")
}

func (s *Service) claimCase(code string, l *live) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.byCase[code]; taken {
		return false
	}
	s.byCase[code] = l
	return true
}

// dropCases forgets the session's code. mu is held.
func (s *Service) dropCases(l *live) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for code, owner := range s.byCase {
		if owner == l {
			delete(s.byCase, code)
		}
	}
	l.counter = nil
}

func caseCode(rand io.Reader) (string, error) {
	const limit = 256 / len(caseAlphabet) * len(caseAlphabet) // reject above it: no bias
	var out strings.Builder
	var b [1]byte
	for out.Len() < 9 {
		if out.Len() == 4 {
			out.WriteByte('-')
		}
		if _, err := io.ReadFull(rand, b[:]); err != nil {
			return "", fmt.Errorf("draw case code: %w", err)
		}
		if int(b[0]) < limit {
			out.WriteByte(caseAlphabet[int(b[0])%len(caseAlphabet)])
		}
	}
	return out.String(), nil
}

// normaliseCode reads a code as people type it.
func normaliseCode(code string) string {
	return strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(code))
}
