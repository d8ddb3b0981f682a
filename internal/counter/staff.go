package counter

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"ipse/internal/pii"
)

// EnrolFor is how long an enrolment code is valid.
const EnrolFor = 24 * time.Hour

// maxAgentName is the length of an agent's name, in characters.
const maxAgentName = 80

// Staff manages the list of agents, for the operator's command line. Every member
// is required.
type Staff struct {
	Store Store
	// Now is the clock, Rand a cryptographic source.
	Now  func() time.Time
	Rand io.Reader
}

// Invited is an agent just added, with the code to hand to them. The code exists
// nowhere else.
type Invited struct {
	Agent   Agent
	Code    pii.Text
	Expires time.Time
}

// Add adds an agent: ErrName.
func (s Staff) Add(ctx context.Context, name string) (Invited, error) {
	name = strings.TrimSpace(name)
	if name == "" || !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxAgentName ||
		strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return Invited{}, ErrName
	}
	id, err := draw(s.Rand, 16)
	if err != nil {
		return Invited{}, err
	}
	handle, err := draw(s.Rand, 32)
	if err != nil {
		return Invited{}, err
	}
	code, err := draw(s.Rand, 20)
	if err != nil {
		return Invited{}, err
	}
	text, now := encode(code), s.Now()
	out := Invited{Agent: Agent{ID: hex.EncodeToString(id), Name: name, AddedOn: day(now), Handle: handle}, Code: pii.NewText(text), Expires: now.Add(EnrolFor).Truncate(time.Second)}
	if err := s.Store.AddAgent(ctx, out.Agent, Enrolment{Hash: hashOf(text), Expires: out.Expires}); err != nil {
		return Invited{}, err
	}
	return out, nil
}

// List lists the agents, also those removed of whom a decision is kept.
func (s Staff) List(ctx context.Context) ([]Agent, error) { return s.Store.Agents(ctx) }

// Remove ends an agent's sessions at once and forgets their passkey: ErrNoAgent.
// What they signed stays.
func (s Staff) Remove(ctx context.Context, id string) error {
	return s.Store.RemoveAgent(ctx, id, day(s.Now()))
}

// Decisions calls f with the evidence of every decision that is kept, oldest first.
func (s Staff) Decisions(ctx context.Context, f func(Decision) error) error {
	return s.Store.Decisions(ctx, f)
}

func (s Staff) check() error {
	if s.Store == nil || s.Now == nil || s.Rand == nil {
		return errors.New("counter: no store, no clock or no random source")
	}
	return nil
}

func draw(rand io.Reader, size int) ([]byte, error) {
	out := make([]byte, size)
	if _, err := io.ReadFull(rand, out); err != nil {
		return nil, fmt.Errorf("counter: draw random bytes: %w", err)
	}
	return out, nil
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
