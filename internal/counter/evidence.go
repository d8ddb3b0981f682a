package counter

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// record is a decision as a line of JSON, for auditors. Bytes are base64url
// without padding; statement and answer stand as they were signed and sent.
type record struct {
	Case           string          `json:"case"`
	Agent          string          `json:"agent"`
	At             time.Time       `json:"at"`
	Statement      string          `json:"statement"`
	KeyID          string          `json:"key_id"`
	PublicKey      string          `json:"public_key"` // COSE
	BackupEligible bool            `json:"backup_eligible"`
	Answer         json.RawMessage `json:"answer"` // AuthenticationResponseJSON
}

// maxRecord bounds a line, in bytes.
const maxRecord = 16 << 10

// MarshalJSON implements json.Marshaler: the form that an auditor gets.
func (d Decision) MarshalJSON() ([]byte, error) {
	return json.Marshal(record{d.Case, d.Agent, d.At.UTC(), string(d.Statement), encode(d.KeyID), encode(d.PublicKey), d.BackupEligible, d.Answer})
}

// UnmarshalJSON implements json.Unmarshaler. ErrEvidence for what is no decision.
func (d *Decision) UnmarshalJSON(raw []byte) error {
	var r record
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if len(raw) > maxRecord || dec.Decode(&r) != nil {
		return fmt.Errorf("%w: not a decision", ErrEvidence)
	}
	id, err := base64.RawURLEncoding.Strict().DecodeString(r.KeyID)
	key, err2 := base64.RawURLEncoding.Strict().DecodeString(r.PublicKey)
	if errors.Join(err, err2) != nil {
		return fmt.Errorf("%w: not base64url", ErrEvidence)
	}
	*d = Decision{r.Case, r.Agent, r.At, []byte(r.Statement), id, key, r.BackupEligible, r.Answer}
	return nil
}
