package vault

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"ipse/internal/pii"
)

// vct is the type of the claims (SD-JWT VC §3.2.2.1).
const vct = "urn:ipse:claims:1"

// Limits and shape of signed claims.
const (
	// digestCount is the number of digests in every token: one for each attribute
	// that the person has, and decoys (RFC 9901 §4.2.7) for the rest.
	digestCount = 12
	// combinedBlock: the combined form is padded to a multiple of it, in bytes.
	combinedBlock = 1024
	// maxText bounds one attribute, in bytes.
	maxText = 512
	// saltSize of a disclosure: 128 bits (RFC 9901 §9.3).
	saltSize = 16
)

// Names returns the names of the attributes, in the order in which people see them.
func Names() []string {
	return []string{"family_name", "given_name", "birthdate", "nationalities", "age_over_18",
		"document_type", "document_issuer", "document_number", "document_expiry", "verified_on"}
}

// Attributes are what the server verified. What is empty is left out.
type Attributes struct {
	FamilyName, GivenName pii.Text
	// BirthDate is YYYY-MM-DD. Documents may leave out day or month: those are
	// 00, or absent, and only the year is signed then.
	BirthDate pii.Text
	// Nationalities are ICAO three-letter codes.
	Nationalities []pii.Text
	// DocumentType as in the MRZ: passport, id_card...
	DocumentType string
	// DocumentIssuer is the issuing state's ICAO three-letter code.
	DocumentIssuer string
	DocumentNumber pii.Text
	DocumentExpiry pii.Text // YYYY-MM-DD
	VerifiedOn     string   // YYYY-MM-DD
}

// payload is what is signed. It names no route, and no time finer than a day.
type payload struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	IssuedAt int64    `json:"iat"`
	Expires  int64    `json:"exp,omitempty"`
	Type     string   `json:"vct"`
	Level    Level    `json:"level"`
	Alg      string   `json:"_sd_alg"`
	Digests  []string `json:"_sd"`
}

// disclosure is one attribute with its salt (RFC 9901 §4.2.1).
type disclosure struct {
	salt, name string
	value      any
}

func (d disclosure) encode() (string, error) {
	raw, err := json.Marshal([]any{d.salt, d.name, d.value})
	if err != nil {
		return "", fmt.Errorf("vault: encode a disclosure: %w", err)
	}
	defer pii.Wipe(raw)
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// digest of an encoded disclosure (RFC 9901 §4.2.3).
func digest(encoded string) string {
	sum := sha256.Sum256([]byte(encoded))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Sign makes the claims of an account in their combined form, jwt~disclosure~...~
// Errors are ErrAttributes for attributes or a level that cannot be signed.
func (v *Vault) Sign(account string, level Level, a Attributes) (pii.Bytes, error) {
	if account == "" || !level.Valid() {
		return pii.Bytes{}, fmt.Errorf("%w: no account or no level", ErrAttributes)
	}
	now := v.now().UTC()
	values, err := a.values(now)
	if err != nil {
		return pii.Bytes{}, err
	}
	list := make([]disclosure, 0, len(values))
	for _, name := range Names() {
		if value, ok := values[name]; ok {
			salt, err := v.random(saltSize)
			if err != nil {
				return pii.Bytes{}, err
			}
			list = append(list, disclosure{salt: salt, name: name, value: value})
		}
	}
	encoded, err := v.pad(list, v.tokenLength(account, level))
	if err != nil {
		return pii.Bytes{}, err
	}
	token, err := v.signDigests(account, level, now, encoded)
	if err != nil {
		return pii.Bytes{}, err
	}
	return pii.NewBytes([]byte(token + "~" + strings.Join(encoded, "~") + "~")), nil
}

// SealClaims signs the claims of an account and seals them to its key.
func (v *Vault) SealClaims(suite string, publicKey []byte, account string, level Level, a Attributes) ([]byte, error) {
	combined, err := v.Sign(account, level, a)
	if err != nil {
		return nil, err
	}
	defer combined.Wipe()
	return v.Seal(suite, publicKey, KindClaims, combined)
}

func (v *Vault) signDigests(account string, level Level, now time.Time, encoded []string) (string, error) {
	p := payload{Issuer: v.issuer, Subject: account, IssuedAt: now.Truncate(24 * time.Hour).Unix(), Type: vct, Level: level, Alg: "sha-256"}
	if v.validity > 0 {
		p.Expires = now.Add(v.validity).Truncate(24 * time.Hour).Unix()
	}
	for _, d := range encoded {
		p.Digests = append(p.Digests, digest(d))
	}
	for len(p.Digests) < digestCount {
		decoy, err := v.random(sha256.Size)
		if err != nil {
			return "", err
		}
		p.Digests = append(p.Digests, decoy)
	}
	slices.Sort(p.Digests) // no order tells which digest is which attribute
	raw, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("vault: encode the claims: %w", err)
	}
	signed, err := v.signer.Sign(raw)
	if err != nil {
		return "", fmt.Errorf("vault: sign the claims: %w", err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		return "", fmt.Errorf("vault: encode the claims: %w", err)
	}
	return token, nil
}

func (v *Vault) random(size int) (string, error) {
	raw := make([]byte, size)
	if _, err := io.ReadFull(v.rand, raw); err != nil {
		return "", fmt.Errorf("vault: draw a salt: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// values lists the attributes by name, checked.
func (a Attributes) values(now time.Time) (map[string]any, error) {
	out := map[string]any{}
	for name, text := range map[string]string{
		"family_name": a.FamilyName.Reveal(), "given_name": a.GivenName.Reveal(), "document_type": a.DocumentType,
		"document_issuer": a.DocumentIssuer, "document_number": a.DocumentNumber.Reveal(),
		"document_expiry": a.DocumentExpiry.Reveal(), "verified_on": a.VerifiedOn,
	} {
		if len(text) > maxText || !utf8.ValidString(text) {
			return nil, fmt.Errorf("%w: %s", ErrAttributes, name)
		}
		if text != "" {
			out[name] = text
		}
	}
	for _, name := range []string{"document_expiry", "verified_on"} {
		if text, ok := out[name].(string); ok {
			if _, err := time.Parse(time.DateOnly, text); err != nil {
				return nil, fmt.Errorf("%w: %s", ErrAttributes, name)
			}
		}
	}
	if err := addNationalities(out, a.Nationalities); err != nil {
		return nil, err
	}
	if !a.BirthDate.IsZero() {
		birth, adult, ok := birthdate(a.BirthDate.Reveal(), now)
		if !ok {
			return nil, fmt.Errorf("%w: birthdate", ErrAttributes)
		}
		out["birthdate"] = birth
		if adult {
			out["age_over_18"] = true
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: none", ErrAttributes)
	}
	return out, nil
}

func addNationalities(out map[string]any, list []pii.Text) error {
	if len(list) > 8 {
		return fmt.Errorf("%w: nationalities", ErrAttributes)
	}
	codes := make([]string, 0, len(list))
	for _, n := range list {
		code := n.Reveal()
		if code == "" || len(code) > 3 || !utf8.ValidString(code) {
			return fmt.Errorf("%w: nationalities", ErrAttributes)
		}
		codes = append(codes, code)
	}
	if len(codes) > 0 {
		out["nationalities"] = codes
	}
	return nil
}

// birthdate returns the date as OpenID Connect Core §5.1 writes it, YYYY-MM-DD
// or YYYY alone, and whether the person is 18 for certain: with day or month
// unknown, the latest possible day counts; a 29 February counts as 1 March.
func birthdate(text string, now time.Time) (value string, adult, ok bool) {
	m := regexp.MustCompile(`^(\d{4})(?:-(\d{2}|XX))?(?:-(\d{2}|XX))?$`).FindStringSubmatch(text)
	if m == nil {
		return "", false, false
	}
	unknown := func(s string) bool { return s == "" || s == "00" || s == "XX" }
	if unknown(m[2]) || unknown(m[3]) {
		latest, err := time.Parse(time.DateOnly, m[1]+"-12-31")
		return m[1], err == nil && !latest.AddDate(18, 0, 0).After(now), err == nil
	}
	born, err := time.Parse(time.DateOnly, text)
	return text, err == nil && !born.AddDate(18, 0, 0).After(now), err == nil
}

// Claims returns the attributes by the names and in the form in which Sign signs
// them: string, []string (nationalities) or true (age_over_18). For the person's
// own eyes. The error is ErrAttributes.
func (a Attributes) Claims(now time.Time) (map[string]any, error) { return a.values(now.UTC()) }
