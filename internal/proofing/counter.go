package proofing

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"time"

	"ipse/internal/consent"
	"ipse/internal/pii"
)

// counterCase is a session waiting for an agent. Guarded by the session's mu.
type counterCase struct {
	code    string // ABCD-EFGH
	expires time.Time
	agent   string // who opened it, or empty
	id      string // of this opening, random; what the agent signs names it
	shown   bool   // the portrait was handed out
	misses  int    // answers of the agent's passkey that did not verify
}

// heldCase is the one case that an agent has open.
type heldCase struct {
	live    *live
	expires time.Time
}

// maxMisses is how many answers that do not verify put a case down.
const maxMisses = 4

// caseAlphabet has no characters that are mistaken for one another when read
// aloud or written by hand (no 0 O, 1 I L, 5 S, 8 B, U V). 24 characters, 8 of
// them: 1.1e11 codes.
const caseAlphabet = "234679ACDEFGHJKMNPQRTWXY"

// Case is what the agent's screen shows of a person, but for the portrait.
type Case struct {
	Attributes Attributes
	// Portrait says that CounterPortrait will answer; without one the agent has
	// the picture printed in the document.
	Portrait  bool
	ExpiresAt time.Time
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

// CounterCase opens the case with this code for an agent. A code opens one case,
// once: ErrNoCase for any other. An agent has one case open at a time: ErrCaseOpen.
func (s *Service) CounterCase(agent, code string) (Case, error) {
	code = normaliseCode(code)
	s.mu.Lock()
	l := s.byCase[code]
	s.mu.Unlock()
	if l == nil || agent == "" {
		return Case{}, ErrNoCase
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.counter
	if c == nil || c.agent != "" || normaliseCode(c.code) != code {
		return Case{}, ErrNoCase
	}
	if err := s.openTo(l, c); err != nil {
		return Case{}, err
	}
	id, err := randomID(s.cfg.Rand)
	if err != nil {
		return Case{}, err
	}
	if !s.hold(agent, l, c.expires) {
		return Case{}, ErrCaseOpen
	}
	c.agent, c.id = agent, id
	s.publish(l)
	return Case{Attributes: l.material.attributes, Portrait: l.material.portrait.Len() > 0, ExpiresAt: c.expires}, nil
}

// CounterPortrait hands out a copy of the portrait of the agent's case, once, to
// be wiped by the caller. ErrNoCase when there is no case, no portrait, or when
// it was handed out.
func (s *Service) CounterPortrait(agent string) (pii.Bytes, error) {
	l, c, err := s.held(agent)
	if err != nil {
		return pii.Bytes{}, err
	}
	defer l.mu.Unlock()
	if c.shown || l.material.portrait.Len() == 0 {
		return pii.Bytes{}, ErrNoCase
	}
	c.shown = true
	return pii.NewBytes(bytes.Clone(l.material.portrait.Reveal())), nil
}

// CounterHolds reports whether the agent has a case open.
func (s *Service) CounterHolds(agent string) bool {
	l, _, err := s.held(agent)
	if err != nil {
		return false
	}
	l.mu.Unlock()
	return true
}

// CounterRelease puts the agent's case down undecided: the person gets a new
// code. Without a case it does nothing.
func (s *Service) CounterRelease(agent string) error {
	l, _, err := s.held(agent)
	if errors.Is(err, ErrNoCase) {
		return nil
	}
	if err != nil {
		return err
	}
	defer l.mu.Unlock()
	return s.putDown(l)
}

// CounterDraft returns the decision for the agent to sign: ASCII, deterministic,
// bound to this opening of the case and to the consent, naming nobody.
func (s *Service) CounterDraft(agent string, approved bool) ([]byte, error) {
	l, c, err := s.held(agent)
	if err != nil {
		return nil, err
	}
	defer l.mu.Unlock()
	return decisionBytes(c.id, l.sess.Receipt, approved)
}

// CounterDecide takes the agent's decision on their case: Agents must confirm
// signature as one of what CounterDraft returned, and what Agents writes persists
// with the decision or not at all. An approval ends in the same accepted state as
// the camera. After four answers that do not verify the case is put down.
func (s *Service) CounterDecide(ctx context.Context, agent string, approved bool, signature []byte) error {
	l, c, err := s.held(agent)
	if err != nil {
		return err
	}
	defer l.mu.Unlock()
	if s.cfg.Agents == nil {
		return fmt.Errorf("%w: no agents here", ErrAgent)
	}
	decision, err := decisionBytes(c.id, l.sess.Receipt, approved)
	if err != nil {
		return err
	}
	err = s.applyWith(ctx, l, Event{Kind: EventCounterDecided, Accepted: approved}, func(tx context.Context) error {
		return s.cfg.Agents.VerifyDecision(tx, agent, decision, signature)
	})
	if errors.Is(err, ErrAgent) {
		if c.misses++; c.misses >= maxMisses {
			return errors.Join(err, s.putDown(l))
		}
	}
	return err
}

// decisionBytes binds an outcome to one opening of a case and to the consent it
// rests on. All members are base64url or fixed words.
func decisionBytes(id, receipt string, approved bool) ([]byte, error) {
	outcome := "refused"
	if approved {
		outcome = "approved"
	}
	sum := sha256.Sum256([]byte(receipt))
	raw, err := json.Marshal(struct {
		Case    string `json:"case"`
		Outcome string `json:"outcome"`
		Receipt string `json:"receipt_sha256"`
	}{id, outcome, base64.RawURLEncoding.EncodeToString(sum[:])})
	if err != nil {
		return nil, fmt.Errorf("encode a decision: %w", err)
	}
	return raw, nil
}

// hold gives the agent the case, unless they hold another.
func (s *Service) hold(agent string, l *live, until time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h, ok := s.byAgent[agent]; ok && s.cfg.Now().Before(h.expires) {
		return false
	}
	s.byAgent[agent] = heldCase{l, until}
	return true
}

// held returns the session whose case the agent has open, locked.
func (s *Service) held(agent string) (*live, *counterCase, error) {
	s.mu.Lock()
	h, ok := s.byAgent[agent]
	s.mu.Unlock()
	if !ok {
		return nil, nil, ErrNoCase
	}
	h.live.mu.Lock()
	c := h.live.counter
	err := ErrNoCase
	if c != nil && c.agent == agent {
		err = s.openTo(h.live, c)
	}
	if err != nil {
		h.live.mu.Unlock()
		return nil, nil, err
	}
	return h.live, c, nil
}

// openTo reports whether agents may see and decide the case now. mu is held.
func (s *Service) openTo(l *live, c *counterCase) error {
	now := s.cfg.Now()
	if l.evicted || l.sess.Position.State != StateCounter || !now.Before(c.expires) || !now.Before(l.sess.Position.Expires) {
		return ErrNoCase
	}
	return s.permit(l, consent.CheckCounter)
}

// putDown takes the case from whoever has it open. mu is held.
func (s *Service) putDown(l *live) error {
	if err := s.openCase(l); err != nil {
		return err
	}
	s.publish(l)
	return nil
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

// dropCases forgets the session's code and who has its case open. mu is held.
func (s *Service) dropCases(l *live) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.byCase, func(_ string, owner *live) bool { return owner == l })
	maps.DeleteFunc(s.byAgent, func(_ string, h heldCase) bool { return h.live == l })
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
