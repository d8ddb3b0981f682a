package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"ipse/internal/account"
	"ipse/internal/config"
	"ipse/internal/counter"
	"ipse/internal/pii"
	"ipse/internal/proofing"
	"ipse/internal/store"
)

// AgentKeys verifies the passkeys of agents at a server's public address. It
// needs no server: an auditor checks decisions with it (counter.Check).
func AgentKeys(publicURL string) (counter.Passkeys, error) {
	id, origin, err := relyingParty(publicURL)
	if err != nil {
		return nil, err
	}
	signers, err := account.NewSigners(account.SignersConfig{RPID: id, RPName: "Ipse", Origins: []string{origin}})
	if err != nil {
		return nil, err
	}
	return agentKeys{signers}, nil
}

// relyingParty is what passkeys are bound to: the host name, and the pages' origin.
func relyingParty(publicURL string) (id, origin string, err error) {
	u, err := url.Parse(publicURL)
	if err != nil || u.Host == "" {
		return "", "", errors.New("the public address is not a URL")
	}
	return u.Hostname(), u.Scheme + "://" + u.Host, nil
}

// agentKeys is account.Signers as the counter sees it.
type agentKeys struct{ *account.Signers }

// refusedKey turns a refusal into the counter's.
func refusedKey(err error) error {
	if errors.Is(err, account.ErrCredential) {
		return fmt.Errorf("%w: %w", counter.ErrPasskey, err)
	}
	return err
}

// Create implements counter.Passkeys.
func (k agentKeys) Create(challenge, handle, answer []byte) (counter.Key, error) {
	made, err := k.Signers.Create(challenge, handle, answer)
	return keyOf(made), refusedKey(err)
}

// Signed implements counter.Passkeys.
func (k agentKeys) Signed(challenge, handle []byte, key counter.Key, answer []byte) (counter.Key, []byte, error) {
	now, evidence, err := k.Signers.Signed(challenge, account.Signer{ID: key.ID, Handle: handle, PublicKey: key.PublicKey, SignCount: key.SignCount,
		BackupEligible: key.BackupEligible, BackupState: key.BackupState}, answer)
	return keyOf(now), evidence, refusedKey(err)
}

// Answered implements counter.Passkeys.
func (k agentKeys) Answered(answer []byte) (id, challenge []byte, err error) {
	id, challenge, err = k.Signers.Answered(answer)
	return id, challenge, refusedKey(err)
}

func keyOf(s account.Signer) counter.Key {
	return counter.Key{ID: s.ID, PublicKey: s.PublicKey, SignCount: s.SignCount, BackupEligible: s.BackupEligible, BackupState: s.BackupState}
}

// cases are the proofing sessions as the counter sees them.
type cases struct{ proofing *proofing.Service }

// noCase turns proofing's word for it into the counter's.
func noCase(err error) error {
	if errors.Is(err, proofing.ErrNoCase) {
		return fmt.Errorf("%w: %w", counter.ErrNoCase, err)
	}
	return err
}

// Open implements counter.Cases.
func (c cases) Open(agent, code string) (counter.Case, error) {
	opened, err := c.proofing.CounterCase(agent, code)
	a := opened.Attributes
	return counter.Case{FamilyName: a.FamilyName, GivenName: a.GivenName, BirthDate: a.BirthDate, DocumentKind: a.DocumentKind, DocumentIssuer: a.DocumentIssuer,
		DocumentNumber: a.DocumentNumber, DocumentExpiry: a.DocumentExpiry, Portrait: opened.Portrait, ExpiresAt: opened.ExpiresAt}, noCase(err)
}

// Portrait implements counter.Cases.
func (c cases) Portrait(agent string) (pii.Bytes, error) {
	portrait, err := c.proofing.CounterPortrait(agent)
	return portrait, noCase(err)
}

// Holds implements counter.Cases.
func (c cases) Holds(agent string) bool { return c.proofing.CounterHolds(agent) }

// Release implements counter.Cases.
func (c cases) Release(agent string) error { return c.proofing.CounterRelease(agent) }

// Draft implements counter.Cases.
func (c cases) Draft(agent string, approved bool) (json.RawMessage, error) {
	decision, err := c.proofing.CounterDraft(agent, approved)
	return decision, noCase(err)
}

// Decide implements counter.Cases.
func (c cases) Decide(ctx context.Context, agent string, approved bool, signature []byte) error {
	return noCase(c.proofing.CounterDecide(ctx, agent, approved, signature))
}

// agents is the counter as the proofing sessions see it. The counter is built after
// them: it needs them too.
type agents struct{ app *App }

// VerifyDecision implements proofing.Agents.
func (a agents) VerifyDecision(ctx context.Context, agent string, decision, signature []byte) error {
	err := a.app.counter.VerifyDecision(ctx, agent, decision, signature)
	if errors.Is(err, counter.ErrPasskey) {
		return fmt.Errorf("%w: %w", proofing.ErrAgent, err)
	}
	return err
}

func (a *App) buildCounter(context.Context) error {
	keys, err := AgentKeys(a.opts.Config.Server.PublicURL)
	if err != nil {
		return err
	}
	c := a.opts.Config.Counter
	a.counter, err = counter.New(counter.Config{Staff: a.staff(), Passkeys: keys, Cases: cases{a.proofing},
		SessionIdle: time.Duration(c.SessionIdle), Kept: time.Duration(c.DecisionsKeptDays) * 24 * time.Hour})
	return err
}

func (a *App) staff() counter.Staff {
	return counter.Staff{Store: a.store, Now: a.opts.Now, Rand: a.opts.Rand}
}

// Staff is the list of agents of an installation, opened for the command line
// beside a running server or without one. Close it.
type Staff struct {
	counter.Staff
	db *store.DB
}

// OpenStaff opens the database of a configuration. The server must have been
// started once: the file would belong to whoever runs the command.
func OpenStaff(ctx context.Context, cfg config.Config, now func() time.Time, rand io.Reader) (*Staff, error) {
	path := filepath.Join(cfg.Server.Data, databaseName)
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open the database: %w (start the server once)", err)
	}
	db, err := store.Open(ctx, store.Config{Path: path, Readers: 1})
	if err != nil {
		return nil, err
	}
	return &Staff{counter.Staff{Store: db, Now: now, Rand: rand}, db}, nil
}

// Close closes the database.
func (s *Staff) Close() error { return s.db.Close() }

// EnrolURL is the page on which an agent uses a code. The code stands behind the
// #, which browsers do not send.
func EnrolURL(publicURL string, code pii.Text) string {
	return publicURL + "/agent/enrol#" + code.Reveal()
}
