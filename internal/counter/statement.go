package counter

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// The checklist: what an agent confirms before they approve.
const (
	// ItemPortrait: the portrait looks like the person.
	ItemPortrait = "portrait_matches"
	// ItemDocument: the document is in the agent's hand and is not altered.
	ItemDocument = "document_intact"
	// ItemHolder: the document is the person's.
	ItemHolder = "holder_present"
)

// Checklist lists the items in the order in which pages show them.
func Checklist() []string { return []string{ItemPortrait, ItemDocument, ItemHolder} }

// Reasons lists why an agent may refuse. The person is not told which.
func Reasons() []string {
	return []string{"portrait_differs", "document_altered", "not_the_holder", "person_withdrew", "in_doubt"}
}

// Draft is a decision as the agent makes it.
type Draft struct {
	Approved bool
	// Checklist holds the items that the agent confirms.
	Checklist []string
	// Reason of a refusal, one of Reasons.
	Reason string
}

// check refuses what does not fit together.
func (d Draft) check() error {
	for i, item := range d.Checklist {
		if !slices.Contains(Checklist(), item) || slices.Contains(d.Checklist[:i], item) {
			return ErrChecklist
		}
	}
	if d.Approved && (len(d.Checklist) != len(Checklist()) || d.Reason != "") {
		return ErrChecklist
	}
	if !d.Approved && !slices.Contains(Reasons(), d.Reason) {
		return ErrChecklist
	}
	return nil
}

// statement is what an agent signs. Its JSON is canonical: members in this order,
// no white space. It is ASCII and names nobody but the agent, by a random number.
type statement struct {
	Kind      string          `json:"statement"` // statementKind
	Agent     string          `json:"agent"`
	At        string          `json:"at"`       // RFC 3339, UTC, whole minutes
	Decision  json.RawMessage `json:"decision"` // of the proofing session
	Checklist []string        `json:"checklist"`
	Reason    string          `json:"reason"`
}

const (
	statementKind = "ipse/counter/1"
	maxStatement  = 2 << 10
	// statementFor bounds the time from the statement to the decision; the
	// statement's own minute may have begun up to a minute before it.
	statementFor = challengeFor + time.Minute
)

// decision is the part of a decision that this package reads.
type decision struct {
	Case    string `json:"case"`
	Outcome string `json:"outcome"`
	Receipt string `json:"receipt_sha256"`
}

func statementOf(agent string, decision []byte, d Draft, now time.Time) statement {
	items := slices.Clone(d.Checklist)
	slices.Sort(items)
	if items == nil {
		items = []string{}
	}
	return statement{Kind: statementKind, Agent: agent, At: now.UTC().Truncate(time.Minute).Format(time.RFC3339),
		Decision: decision, Checklist: items, Reason: d.Reason}
}

func (st statement) encode() ([]byte, error) {
	raw, err := json.Marshal(st)
	if err != nil {
		return nil, fmt.Errorf("counter: encode a statement: %w", err)
	}
	return raw, nil
}

// parseStatement reads a statement, which must be canonical and fit together.
func parseStatement(raw []byte) (statement, error) {
	var st statement
	if len(raw) > maxStatement || json.Unmarshal(raw, &st) != nil || st.Kind != statementKind {
		return statement{}, errors.New("not a statement")
	}
	again, err := st.encode()
	if err != nil || !bytes.Equal(again, raw) {
		return statement{}, errors.New("not a canonical statement")
	}
	d := st.decision()
	if d.Case == "" || d.Receipt == "" || (d.Outcome != "approved" && d.Outcome != "refused") {
		return statement{}, errors.New("a statement without a decision")
	}
	if err := (Draft{Approved: st.approved(), Checklist: st.Checklist, Reason: st.Reason}).check(); err != nil {
		return statement{}, err
	}
	return st, nil
}

func (st statement) decision() (d decision) {
	if json.Unmarshal(st.Decision, &d) != nil {
		return decision{}
	}
	return d
}

func (st statement) approved() bool { return st.decision().Outcome == "approved" }

func (st statement) caseID() string { return st.decision().Case }

// fits reports that the statement is this agent's, on this very decision, of the
// last minutes, and returns its minute.
func (st statement) fits(agent string, decision []byte, now time.Time) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, st.At)
	switch {
	case st.Agent != agent:
		return at, errors.New("another agent's statement")
	case !bytes.Equal(st.Decision, decision):
		return at, errors.New("a statement on another decision")
	case err != nil || now.Before(at) || now.Sub(at) > statementFor:
		return at, errors.New("a statement of another time")
	}
	return at, nil
}

func challengeOf(statement []byte) []byte {
	sum := sha256.Sum256(statement)
	return sum[:]
}

// Finding is what a verified decision says.
type Finding struct {
	// Case is the random number of the opening, Agent an Agent.ID.
	Case, Agent string
	// At is the minute, in UTC.
	At       time.Time
	Approved bool
	// Checklist holds the confirmed items, Reason that of a refusal.
	Checklist []string
	Reason    string
	// ReceiptSHA256 is the hash of the person's consent receipt, in base64url:
	// who is shown the receipt can tell that the decision rests on it.
	ReceiptSHA256 string
}

// Check verifies the evidence of a decision with nothing but itself and passkeys
// for the server's address: the statement is canonical, is of the case and agent
// that the evidence says, and its SHA-256 is the challenge that the passkey signed
// with its user verified. ErrEvidence.
func Check(passkeys Passkeys, d Decision) (Finding, error) {
	st, err := parseStatement(d.Statement)
	if err != nil {
		return Finding{}, fmt.Errorf("%w: %w", ErrEvidence, err)
	}
	at, err := time.Parse(time.RFC3339, st.At)
	if err != nil || st.Agent != d.Agent || st.caseID() != d.Case || !at.Equal(d.At) {
		return Finding{}, fmt.Errorf("%w: the statement says otherwise", ErrEvidence)
	}
	key := Key{ID: d.KeyID, PublicKey: d.PublicKey, BackupEligible: d.BackupEligible}
	if _, _, err := passkeys.Signed(challengeOf(d.Statement), nil, key, d.Answer); err != nil {
		return Finding{}, fmt.Errorf("%w: %w", ErrEvidence, err)
	}
	return Finding{Case: d.Case, Agent: d.Agent, At: at, Approved: st.approved(), Checklist: st.Checklist, Reason: st.Reason,
		ReceiptSHA256: st.decision().Receipt}, nil
}
