package consent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// SchemaVersion identifies the receipt's structure; it changes whenever a
// member changes its meaning.
const SchemaVersion = "urn:ipse:consent-receipt:1"

// Errors of this package, to be told apart with errors.Is.
var (
	// ErrUnknownLanguage: no consent text exists in that language.
	ErrUnknownLanguage = errors.New("consent: no text in that language")
	// ErrUnknownRoute: neither camera nor counter.
	ErrUnknownRoute = errors.New("consent: unknown route")
	// ErrSignature: the receipt is not signed by the key it is checked with,
	// or is not a receipt at all.
	ErrSignature = errors.New("consent: receipt not signed by this key")
	// ErrNotPermitted: a valid receipt that does not cover this check, this
	// session or this moment.
	ErrNotPermitted = errors.New("consent: receipt does not permit this check")
)

// Check is an act on a person's data that needs their agreement.
type Check string

// The checks of a proofing session.
const (
	// CheckDocument reads and verifies the chip of the document.
	CheckDocument Check = "document"
	// CheckFace compares live pictures with the portrait of the same chip.
	CheckFace Check = "face"
	// CheckCounter shows the portrait to an agent who sees the person.
	CheckCounter Check = "counter"
)

// Data is a category of data, as a code that the pages translate.
type Data string

// The categories of data a check may touch.
const (
	DataDocumentIdentity   Data = "document_identity"   // names, birth date, nationality, sex, number, expiry
	DataDocumentSignatures Data = "document_signatures" // what proves the chip genuine
	DataDocumentPortrait   Data = "document_portrait"   // the portrait stored in the chip (DG2)
	DataLiveFrames         Data = "live_frames"         // pictures of the camera during the check
)

// LegalBasis is an article of the GDPR, as a code.
type LegalBasis string

// The legal bases in use: consent, and explicit consent for biometric data.
const (
	BasisConsent         LegalBasis = "gdpr_6_1_a"
	BasisExplicitConsent LegalBasis = "gdpr_9_2_a"
)

// Retention says how long data stays, as a code.
type Retention string

// The retention rules in force.
const (
	// RetentionSession: in memory during the check, erased when it ends,
	// whatever its outcome; never written.
	RetentionSession Retention = "session_memory_only"
	// RetentionSealed: kept sealed to the person's own key until they erase it.
	RetentionSealed Retention = "sealed_to_person"
)

// WithdrawAnyTime is the withdrawal rule in force: stop at any moment from the
// page, and everything read so far is erased.
const WithdrawAnyTime = "stop_any_time"

// Operator is the data controller, as configured.
type Operator struct {
	// Name as people know the organisation.
	Name string `json:"name"`
	// Contact of the data protection officer: an address or a URL.
	Contact string `json:"contact"`
	// PrivacyURL of the full notice; may be empty.
	PrivacyURL string `json:"privacy_url"`
}

// Purpose is one check with the data it touches and the rules it is under
// (TS 27560 "PII processing").
type Purpose struct {
	Purpose    string     `json:"purpose"`     // code: "identity_proofing" or "same_person"
	Check      Check      `json:"check"`       // the check agreed to
	Data       []Data     `json:"data"`        // categories of data it touches
	LegalBasis LegalBasis `json:"legal_basis"` // article relied on
	Retention  Retention  `json:"retention"`   // how long the data stays
	Recipients []string   `json:"recipients"`  // who sees the data: "operator_system", "counter_agent"
}

// Notice names the exact text the person saw.
type Notice struct {
	Version    string   `json:"version"`     // Text.Version
	Language   Language `json:"language"`    // language it was shown in
	TextSHA256 string   `json:"text_sha256"` // Text.SHA256
}

// Event is the act of agreeing.
type Event struct {
	State  string `json:"state"`  // always "given": a refusal leaves no receipt
	Type   string `json:"type"`   // always "explicitly_expressed"
	Issued string `json:"issued"` // RFC 3339, UTC, seconds
	Ends   string `json:"ends"`   // RFC 3339, UTC, seconds; no check after it
}

// Receipt is what is signed. It holds no personal data: SessionID is random
// and means nothing outside the proofing session.
type Receipt struct {
	SchemaVersion string    `json:"schema_version"`
	ID            string    `json:"record_id"`
	SessionID     string    `json:"session_id"`
	Controller    Operator  `json:"controller"`
	Notice        Notice    `json:"notice"`
	Purposes      []Purpose `json:"purposes"`
	Route         Route     `json:"route"`
	RoutesOffered []Route   `json:"routes_offered"`
	Withdrawal    string    `json:"withdrawal"`
	Rights        []string  `json:"rights"`
	Event         Event     `json:"event"`
}

// Permits reports with nil that the receipt covers the check for that session
// at that moment; otherwise ErrNotPermitted.
func (r Receipt) Permits(sessionID string, check Check, now time.Time) error {
	issued, err := time.Parse(time.RFC3339, r.Event.Issued)
	if err != nil {
		return fmt.Errorf("%w: unreadable issue time", ErrNotPermitted)
	}
	ends, err := time.Parse(time.RFC3339, r.Event.Ends)
	if err != nil {
		return fmt.Errorf("%w: unreadable end", ErrNotPermitted)
	}
	switch {
	case r.SchemaVersion != SchemaVersion || r.Event.State != "given":
		return fmt.Errorf("%w: not a given consent of this version", ErrNotPermitted)
	case sessionID == "" || r.SessionID != sessionID:
		return fmt.Errorf("%w: another session", ErrNotPermitted)
	case now.Before(issued):
		return fmt.Errorf("%w: not yet given", ErrNotPermitted)
	case !now.Before(ends):
		return fmt.Errorf("%w: ended", ErrNotPermitted)
	case !slices.ContainsFunc(r.Purposes, func(p Purpose) bool { return p.Check == check }):
		return fmt.Errorf("%w: another check", ErrNotPermitted)
	}
	return nil
}

// MatchesText reports whether the text in force, rendered for this receipt's
// operator, language and route, is the one it was given for.
func (r Receipt) MatchesText() bool {
	text, err := RenderText(r.Notice.Language, r.Route, r.Controller.Name)
	if err != nil {
		return false
	}
	sum, err := text.SHA256()
	return err == nil && sum == r.Notice.TextSHA256 && text.Version == r.Notice.Version
}

// canonical is the deterministic JSON of a struct: members in the order of
// declaration, no white space, no HTML escaping, no trailing line end.
func canonical(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
