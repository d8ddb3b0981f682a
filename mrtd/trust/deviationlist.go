package trust

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ipse/mrtd/cms"
	"ipse/mrtd/tlv"
)

const oidDeviationList = "2.23.136.1.1.7" // id-icao-DeviationList

// Kinds of deviations that a state announces (ICAO 9303-12 §10.2).
const (
	DSSignature   = oidDeviationList + ".1.1" // the signer's certificate is wrongly signed
	DSEncoding    = oidDeviationList + ".1.2" // the signer's certificate is wrongly encoded
	CSCAEncoding  = oidDeviationList + ".1.3" // the authority's certificate is wrongly encoded
	AACompromised = oidDeviationList + ".1.4" // the key of active authentication is compromised
	DGMalformed   = oidDeviationList + ".2.1" // a data group is wrongly encoded
	DGHashWrong   = oidDeviationList + ".2.2" // a data group does not have the signed hash
	SODSignature  = oidDeviationList + ".2.3" // the signature of EF.SOD is wrong
	COMDiffers    = oidDeviationList + ".2.4" // EF.COM and EF.SOD disagree
	MRZData       = oidDeviationList + ".3.1" // the machine-readable zone holds wrong data
	MRZCheckDigit = oidDeviationList + ".3.2" // the machine-readable zone has a wrong check digit
)

// Limits of a deviation list: Italy's of 2018 names 346,275 document numbers.
const (
	maxKnownDeviations = 4096
	maxDocumentNumbers = 2 << 20
)

// KnownDeviation is what a state says of some of its documents (ICAO 9303-12
// §10): a defect made at issuance.
type KnownDeviation struct {
	Kind        string `json:"kind"`                  // dotted object identifier
	Description string `json:"description,omitempty"` // the state's words, made printable
	// Group is the data group concerned, 0 where none is named; 20 is EF.SOD, 21 EF.COM.
	Group   int    `json:"group,omitempty"`
	Country string `json:"country"`
	Source  string `json:"source"`

	documents affected
}

// affected says which documents are meant; what is empty does not restrict.
type affected struct {
	kind           string // document code
	issuer, serial []byte // of the signer's certificate, encoded name and contents octets
	keyID          []byte
	digest         []byte
	digestHash     string // object identifier of the list's hash
	numbers        map[string]bool
	period         bool // a period of issue is stated
	from, to       time.Time
}

// Document is what is known of a document when deviations are looked up.
type Document struct {
	Signer *cms.Certificate
	Code   string    // document code of the zone
	Number string    // document number; it is compared and not kept
	Signed time.Time // when EF.SOD was signed, for the period of issue; zero if not known
}

// deviationList is a list before its signer was looked for in the store.
type deviationList struct {
	sd     *cms.SignedData
	known  []*KnownDeviation
	report int // its source's
}

// deviations reads a deviation list. Its signature is checked when the store is
// complete, since the state's authority may be in a later source.
func (l *loader) deviations(sd *cms.SignedData) error {
	l.report.Form = "deviation list"
	known, err := parseDeviationList(sd.Content, sd.ContentOffset)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrListContent, err)
	}
	for _, k := range known {
		k.Source = l.report.Name
	}
	l.pending = append(l.pending, deviationList{sd: sd, known: known, report: l.reportIndex})
	return nil
}

// parseDeviationList reads DeviationList ::= SEQUENCE { version, digestAlg OPTIONAL,
// deviations SET OF Deviation } (ICAO 9303-12 §10.2).
func parseDeviationList(content []byte, offset int) ([]*KnownDeviation, error) {
	list, err := tlv.ParseAt(content, offset)
	if err != nil {
		return nil, err
	}
	r := list.Reader()
	if _, err := r.Expect(tlv.Integer); err != nil {
		return nil, err
	}
	hash := ""
	if algorithm, ok, err := r.Optional(tlv.Sequence); err != nil {
		return nil, err
	} else if ok {
		if id, err := algorithm.Reader().Expect(tlv.OID); err == nil {
			hash, _ = id.ObjectIdentifier()
		}
	}
	set, err := r.Expect(tlv.Set)
	if err != nil {
		return nil, err
	}
	var out []*KnownDeviation
	for entries := set.Reader(); !entries.Empty(); {
		e, err := entries.Next()
		if err != nil {
			return nil, err
		}
		known, err := parseDeviation(e, hash)
		if err != nil {
			return nil, err
		}
		if out = append(out, known...); len(out) > maxKnownDeviations {
			return nil, e.Err(tlv.ErrCount)
		}
	}
	return out, nil
}

// parseDeviation reads Deviation ::= SEQUENCE { documents, descriptions }.
func parseDeviation(e tlv.Element, hash string) ([]*KnownDeviation, error) {
	r := e.Reader()
	documents, err := r.Expect(tlv.Sequence)
	if err != nil {
		return nil, err
	}
	scope, err := parseAffected(documents, hash)
	if err != nil {
		return nil, err
	}
	set, err := r.Expect(tlv.Set)
	if err != nil {
		return nil, err
	}
	descriptions, err := set.Children()
	if err != nil {
		return nil, err
	}
	out := make([]*KnownDeviation, 0, len(descriptions))
	for _, d := range descriptions {
		k, err := parseDescription(d)
		if err != nil {
			return nil, err
		}
		k.documents = scope
		out = append(out, k)
	}
	return out, nil
}

func parseDescription(e tlv.Element) (*KnownDeviation, error) {
	k := &KnownDeviation{}
	fields, err := e.Children()
	if err != nil {
		return nil, err
	}
	for _, f := range fields {
		switch f.Tag {
		case tlv.PrintableString, tlv.UTF8String:
			k.Description = printable(f.Value)
		case tlv.OID:
			if k.Kind, err = f.ObjectIdentifier(); err != nil {
				return nil, err
			}
		case tlv.ContextConstructed(0), tlv.Context(0):
			k.Group = groupOf(f)
		}
	}
	if k.Kind == "" {
		return nil, e.Err(tlv.ErrMissing)
	}
	return k, nil
}

// groupOf reads a Datagroup parameter, explicitly or implicitly tagged.
func groupOf(f tlv.Element) int {
	value := tlv.Element{Tag: tlv.Integer, Value: f.Value}
	if f.Tag.Constructed() {
		inner, err := f.Reader().Expect(tlv.Integer)
		if err != nil {
			return 0
		}
		value = inner
	}
	n, err := value.Int()
	if err != nil || n < 0 || n > 21 {
		return 0
	}
	return n
}

func printable(b []byte) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7F {
			return '?'
		}
		return r
	}, string(b[:min(len(b), 1024)]))
}

// parseAffected reads DeviationDocuments, whose tags are implicit.
func parseAffected(e tlv.Element, hash string) (a affected, err error) {
	fields, err := e.Children()
	if err != nil {
		return a, err
	}
	a.digestHash = hash
	for _, f := range fields {
		switch f.Tag {
		case tlv.Context(0):
			a.kind = strings.TrimRight(printable(f.Value), "< ")
		case tlv.ContextConstructed(1):
			r := f.Reader()
			issuer, err1 := r.Expect(tlv.Sequence)
			serial, err2 := r.Expect(tlv.Integer)
			if err := errors.Join(err1, err2); err != nil {
				return a, err
			}
			a.issuer, a.serial = issuer.Raw, serial.Value
		case tlv.Context(2):
			a.keyID = f.Value
		case tlv.Context(3):
			a.digest = f.Value
		case tlv.ContextConstructed(4):
			if err := a.parsePeriod(f); err != nil {
				return a, err
			}
		case tlv.ContextConstructed(5):
			if err := a.parseNumbers(f); err != nil {
				return a, err
			}
		default:
			return a, f.Err(tlv.ErrUnwanted)
		}
	}
	return a, nil
}

func (a *affected) parsePeriod(f tlv.Element) error {
	times, err := f.Children()
	if err != nil || len(times) != 2 {
		return f.Err(tlv.ErrMissing)
	}
	var err1, err2 error
	a.from, err1 = times[0].Time()
	a.to, err2 = times[1].Time()
	a.period = true
	return errors.Join(err1, err2)
}

func (a *affected) parseNumbers(f tlv.Element) error {
	a.numbers = map[string]bool{}
	for r := f.Reader(); !r.Empty(); {
		n, err := r.Next()
		if err != nil {
			return err
		}
		if len(a.numbers) >= maxDocumentNumbers {
			return n.Err(tlv.ErrCount)
		}
		a.numbers[strings.TrimRight(string(n.Value), "< ")] = true
	}
	return nil
}

// matches reports whether the document is among those meant. A list that names no
// document at all concerns every one of the country.
func (a *affected) matches(d Document) bool {
	switch {
	case a.kind != "" && a.kind != strings.TrimRight(d.Code, "< "):
		return false
	case a.issuer != nil && (d.Signer == nil || !bytes.Equal(a.issuer, d.Signer.Issuer.Raw) || !bytes.Equal(a.serial, d.Signer.Serial)):
		return false
	case a.keyID != nil && (d.Signer == nil || !bytes.Equal(a.keyID, d.Signer.SubjectKeyID)):
		return false
	case a.digest != nil && !a.digestOf(d.Signer):
		return false
	case a.numbers != nil && !a.numbers[strings.TrimRight(d.Number, "< ")]:
		return false
	case a.period && (d.Signed.IsZero() || d.Signed.Before(a.from) || d.Signed.After(a.to.AddDate(0, 0, 1))):
		return false
	}
	return true
}

func (a *affected) digestOf(c *cms.Certificate) bool {
	h := cms.HashByOID(a.digestHash)
	if h == 0 || c == nil {
		return false
	}
	d := h.New()
	d.Write(c.Raw)
	return bytes.Equal(d.Sum(nil), a.digest)
}

// settle checks the signatures of the deviation lists against the authorities of
// the complete store: a list counts only for the country whose authority certified
// its signer.
func (s *Store) settle(pending []deviationList, reports []Report) {
	var sums [][]byte
	for _, p := range pending {
		country, err := s.listCountry(p.sd)
		if err != nil {
			reports[p.report].Refused = append(reports[p.report].Refused, Refusal{What: "deviation list", Reason: tlv.Refuse("deviation list", "9303-12 10", err).Error()})
			continue
		}
		reports[p.report].Signature = "verified: signer of " + country + " certified by a trusted authority"
		reports[p.report].KnownDeviations += len(p.known)
		for _, k := range p.known {
			k.Country = country
			s.known = append(s.known, k)
		}
		sum := sha256.Sum256(p.sd.Content)
		sums = append(sums, sum[:])
	}
	if len(sums) > 0 {
		slices.SortFunc(sums, bytes.Compare)
		s.digest = sha256.Sum256(bytes.Join(append(sums, s.digest[:]), nil))
	}
}

// listCountry returns the country that vouches for a list.
func (s *Store) listCountry(sd *cms.SignedData) (string, error) {
	last := cms.ErrNoSigner
	for i := range sd.Signers {
		for _, raw := range sd.Certificates {
			c, err := cms.ParseCertificate(raw)
			if err != nil || !sd.Signers[i].Matches(c) {
				continue
			}
			if _, err := sd.Verify(&sd.Signers[i], c); err != nil {
				last = err
				continue
			}
			if !slices.Contains(c.ExtendedKeyUsage, cms.OIDDeviationListSigner) {
				last = ErrListSignerUsage
				continue
			}
			path, err := s.Path(c)
			if err != nil {
				last = err
				continue
			}
			if path.ledAbroad() {
				last = ErrNotCertified
				continue
			}
			if s.Status(c).Revoked {
				last = ErrListSignerRevoked
				continue
			}
			return path.Issuer().Cert.Country(), nil
		}
	}
	return "", fmt.Errorf("list signature: %w", last)
}

// KnownDeviations returns what the issuing state itself announces about a
// document, in order of loading.
func (s *Store) KnownDeviations(d Document) []KnownDeviation {
	if d.Signer == nil {
		return nil
	}
	var out []KnownDeviation
	for _, k := range s.known {
		if k.Country == d.Signer.Issuer.Country() && k.documents.matches(d) {
			out = append(out, *k)
		}
	}
	return out
}
