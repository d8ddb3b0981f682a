package proofing

import (
	"encoding/json"
	"fmt"
	"time"

	"ipse/internal/pii"
)

// Attributes are what a document says of its holder, as verified.
type Attributes struct {
	FamilyName     pii.Text
	GivenName      pii.Text
	BirthDate      pii.Text // YYYY-MM-DD
	Sex            pii.Text // "F", "M" or "X"
	Nationality    pii.Text // ICAO three-letter code
	DocumentKind   string   // "passport", "id_card"...
	DocumentIssuer string   // ICAO three-letter code of the issuing state
	DocumentNumber pii.Text
	DocumentExpiry pii.Text // YYYY-MM-DD
}

// Summary is the little of a document that a view shows.
type Summary struct {
	Kind         string `json:"kind"`
	IssuingState string `json:"issuing_state"`
}

// Accepted is a person whose identity is verified, for the account to be made
// of. It says nothing of the route.
type Accepted struct {
	// SessionID is the random identifier of the proofing session.
	SessionID string
	// Level reached.
	Level Level
	// Attributes verified.
	Attributes Attributes
	// VerifiedOn is the day of acceptance, YYYY-MM-DD in UTC.
	VerifiedOn string
	// Receipt is the signed consent, for the person's own keeping.
	Receipt string
}

// expiredOn reports whether the document's expiry date lies before the day of
// now. A document without a readable expiry date counts as expired.
func (a Attributes) expiredOn(now time.Time) bool {
	expiry, err := time.Parse(time.DateOnly, a.DocumentExpiry.Reveal())
	return err != nil || now.UTC().Truncate(24*time.Hour).After(expiry)
}

func (a Attributes) summary() Summary {
	return Summary{Kind: a.DocumentKind, IssuingState: a.DocumentIssuer}
}

// sealedContent is the plain text of Session.Sealed.
type sealedContent struct {
	Level      Level             `json:"level,omitempty"`
	VerifiedOn string            `json:"verified_on,omitempty"`
	Receipt    string            `json:"receipt"`
	Attributes *sealedAttributes `json:"attributes,omitempty"`
	Summary    Summary           `json:"summary"`
}

type sealedAttributes struct {
	FamilyName     string `json:"family_name"`
	GivenName      string `json:"given_name"`
	BirthDate      string `json:"birth_date"`
	Sex            string `json:"sex"`
	Nationality    string `json:"nationality"`
	DocumentKind   string `json:"document_kind"`
	DocumentIssuer string `json:"document_issuer"`
	DocumentNumber string `json:"document_number"`
	DocumentExpiry string `json:"document_expiry"`
}

func (a Attributes) reveal() *sealedAttributes {
	return &sealedAttributes{
		FamilyName: a.FamilyName.Reveal(), GivenName: a.GivenName.Reveal(), BirthDate: a.BirthDate.Reveal(),
		Sex: a.Sex.Reveal(), Nationality: a.Nationality.Reveal(), DocumentKind: a.DocumentKind,
		DocumentIssuer: a.DocumentIssuer, DocumentNumber: a.DocumentNumber.Reveal(), DocumentExpiry: a.DocumentExpiry.Reveal()}
}

func (s *sealedAttributes) hide() Attributes {
	return Attributes{
		FamilyName: pii.NewText(s.FamilyName), GivenName: pii.NewText(s.GivenName), BirthDate: pii.NewText(s.BirthDate),
		Sex: pii.NewText(s.Sex), Nationality: pii.NewText(s.Nationality), DocumentKind: s.DocumentKind,
		DocumentIssuer: s.DocumentIssuer, DocumentNumber: pii.NewText(s.DocumentNumber), DocumentExpiry: pii.NewText(s.DocumentExpiry)}
}

func (c sealedContent) encode() (pii.Bytes, error) {
	raw, err := json.Marshal(c)
	if err != nil {
		return pii.Bytes{}, fmt.Errorf("encode accepted attributes: %w", err)
	}
	return pii.NewBytes(raw), nil
}

func decodeSealed(plain pii.Bytes) (sealedContent, error) {
	var c sealedContent
	if err := json.Unmarshal(plain.Reveal(), &c); err != nil {
		return sealedContent{}, fmt.Errorf("%w: unreadable sealed content", ErrInternal)
	}
	return c, nil
}
