package mrtd

import (
	"time"

	"ipse/internal/pii"
	"ipse/mrtd/deviation"
	"ipse/mrtd/lds"
	"ipse/mrtd/trust"
)

// Result is the outcome of one check.
type Result string

// Outcomes.
const (
	Passed     Result = "passed"
	Failed     Result = "failed"
	NotOffered Result = "not_offered" // the document or the trust store does not provide for it
	Skipped    Result = "skipped"     // could not be done because an earlier check failed, or was not asked for
)

// Freshness says what rules out that a chip's proof is a replay.
type Freshness string

// Kinds of freshness.
const (
	OwnChallenge     Freshness = "own_challenge" // active authentication over the verifier's challenge
	OwnSession       Freshness = "own_session"   // chip authentication in a session of the verifier
	FreshnessUnknown Freshness = "unknown"       // a transcript or challenge of somebody else
)

// Check is one named step of a verification.
type Check struct {
	// ID is stable; docs/verdict.md lists them all.
	ID     string `json:"id"`
	Result Result `json:"result"`
	// Detail says what was found, in a sentence; never anything personal.
	Detail string `json:"detail,omitempty"`
	// Clause is the standard's.
	Clause string `json:"clause,omitempty"`
}

// Verdict is the result of Verify. Fields about the document's holder are set
// only when passive authentication passed; they do not print.
type Verdict struct {
	// Genuine says that every check that is owed passed: the data are signed by
	// the state that issued the document and unchanged, the chip is the one they
	// were signed for wherever that can be proved, and the document is in force.
	Genuine bool `json:"genuine"`
	// PassiveAuthentication says that signature, hashes and chain passed.
	PassiveAuthentication bool `json:"passive_authentication"`
	// ChipAuthentic says that active or chip authentication proved the chip.
	ChipAuthentic bool `json:"chip_authentic"`
	// Freshness says what rules out that the chip's proof is old; empty without one.
	Freshness Freshness `json:"freshness,omitempty"`
	// Expired says that the document's own date of expiry has passed.
	Expired bool `json:"expired"`

	Policy     string                `json:"policy"`
	VerifiedAt time.Time             `json:"verified_at"`
	ReadAt     time.Time             `json:"read_at"`
	Access     string                `json:"access,omitempty"`
	Checks     []Check               `json:"checks"`
	Deviations []deviation.Deviation `json:"deviations,omitempty"`
	// KnownDeviations is what the issuing state announces about such documents.
	KnownDeviations []trust.KnownDeviation `json:"known_deviations,omitempty"`
	Signature       *SignatureInfo         `json:"signature,omitempty"`
	Chain           []CertificateInfo      `json:"chain,omitempty"` // signer first, anchor last
	Revocation      *RevocationInfo        `json:"revocation,omitempty"`
	// TrustDigest identifies the trust store's content.
	TrustDigest string `json:"trust_digest"`
	// Files lists what was read, with the SHA-256 of each (hidden: the hash of
	// DG1 can be searched for).
	Files []FileInfo `json:"files"`

	Document *Document            `json:"document,omitempty"`
	Portrait *Portrait            `json:"portrait,omitempty"`
	Details  *lds.PersonDetails   `json:"-"`
	Issue    *lds.DocumentDetails `json:"-"`
}

// SignatureInfo describes the signature of EF.SOD.
type SignatureInfo struct {
	Algorithm   string     `json:"algorithm"` // for example "ECDSA with SHA-256"
	Key         string     `json:"key"`       // for example "EC brainpoolP256r1"
	Strength    int        `json:"strength"`  // bits, NIST SP 800-57
	DataHash    string     `json:"data_hash"` // of the data groups
	SigningTime *time.Time `json:"signing_time,omitempty"`
	LDSVersion  string     `json:"lds_version,omitempty"`
	Listed      []int      `json:"listed"` // data groups in the security object
}

// CertificateInfo describes one certificate of the chain.
type CertificateInfo struct {
	Role      string    `json:"role"` // "document signer", "link", "anchor"
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	Serial    string    `json:"serial"`
	Country   string    `json:"country"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	Key       string    `json:"key"`
	Strength  int       `json:"strength"`
	Algorithm string    `json:"algorithm"`
	SHA256    string    `json:"sha256"`
	// Source is the trust list it came from, SourceSHA256 that list's SHA-256.
	Source       string `json:"source,omitempty"`
	SourceSHA256 string `json:"source_sha256,omitempty"`
}

// RevocationInfo says what the revocation lists knew.
type RevocationInfo struct {
	ListFrom   time.Time  `json:"list_from"`
	ListNext   *time.Time `json:"list_next,omitempty"`
	ListSHA256 string     `json:"list_sha256"` // of the newest list
	Fresh      bool       `json:"fresh"`
	Revoked    bool       `json:"revoked"`
}

// FileInfo describes one elementary file.
type FileInfo struct {
	File   lds.FileID `json:"file"`
	Size   int        `json:"size"`
	SHA256 pii.Text   `json:"sha256"`
}

// Document is what DG1 says, resolved to whole dates.
type Document struct {
	// Kind is "passport", "id_card", "residence_permit", "visa" or "travel_document".
	Kind         string   `json:"kind"`
	Code         string   `json:"code"`          // the document code of the MRZ
	IssuingState string   `json:"issuing_state"` // as in the MRZ
	Number       pii.Text `json:"number"`
	FamilyName   pii.Text `json:"family_name"`
	GivenName    pii.Text `json:"given_name"`
	Nationality  pii.Text `json:"nationality"` // three letters as in the MRZ
	Sex          pii.Text `json:"sex"`
	BirthDate    pii.Text `json:"birth_date"`  // YYYY-MM-DD, or YYYY-MM or YYYY where unknown
	ExpiryDate   pii.Text `json:"expiry_date"` // YYYY-MM-DD
	Optional     pii.Text `json:"optional"`
	// NameTruncated says that the MRZ had no room for the whole name.
	NameTruncated bool `json:"name_truncated,omitempty"`
}

// Portrait is the image of DG2, encoded. It shares the evidence's buffer.
type Portrait struct {
	Format   string `json:"format"`   // "jpeg", "jp2" or "j2k"
	Standard string `json:"standard"` // of the facial record: "19794-5" or "39794-5"
	Width    int    `json:"width"`    // pixels as the record states them, 0 where it does not
	Height   int    `json:"height"`
	// CapturedOn is when the picture was taken, as the record states it; may be empty.
	CapturedOn pii.Text  `json:"captured_on,omitzero"`
	Image      pii.Bytes `json:"-"`
}

// Find returns the check with that ID, or nil.
func (v *Verdict) Find(id string) *Check {
	for i := range v.Checks {
		if v.Checks[i].ID == id {
			return &v.Checks[i]
		}
	}
	return nil
}
