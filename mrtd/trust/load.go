package trust

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ipse/mrtd/cms"
	"ipse/mrtd/deviation"
	"ipse/mrtd/tlv"
)

// Source is one trust source: the bytes of a master list, an LDIF, a PEM or DER
// file, under a name for reports.
type Source struct {
	Name string
	Data []byte // kept by the store: it must not change
}

// Options say how sources are loaded.
type Options struct {
	// Roots verify the signers of master lists and deviation lists. Without
	// them a list's signature is checked against the certificates it encloses,
	// and the report says that nobody vouches for its signer.
	Roots []*cms.Certificate
	// Policy decides which deviations an authority's certificate may show.
	Policy deviation.Policy
	// RequireSignedLists refuses lists whose signer no root vouches for.
	RequireSignedLists bool
	// SkipBadSources reports a source that cannot be loaded, with the reason, and goes
	// on instead of failing: for saying what is wrong with which. What of it was loaded
	// before the fault stays.
	SkipBadSources bool
}

// Reasons a source or a part of it is refused.
var (
	ErrUnknownForm = errors.New("trust: not a master list, LDIF, PEM or DER certificate or revocation list")
	ErrListSigner  = errors.New("trust: list signer is not certified by a given root")
	// ErrListSignerUsage: the signer is not certified for lists of that kind.
	ErrListSignerUsage = errors.New("trust: list signer is not certified to sign such lists")
	// ErrListSignerRevoked: a revocation list of the store names the signer.
	ErrListSignerRevoked = errors.New("trust: list signer is revoked")
	ErrListContent       = errors.New("trust: not a CSCA master list or deviation list")
	ErrPolicy            = errors.New("trust: deviations not tolerated")
)

// Report says what one source held and what became of it.
type Report struct {
	Name         string    `json:"name"`
	Form         string    `json:"form"` // "master list", "deviation list", "LDIF", "PEM", "DER"
	SHA256       string    `json:"sha256"`
	Certificates int       `json:"certificates"` // found, refused ones included
	Loaded       int       `json:"loaded"`
	Duplicates   int       `json:"duplicates"`
	CRLs         int       `json:"crls"`
	Refused      []Refusal `json:"refused,omitempty"`
	// Error is why the source was given up, "" where it was not (SkipBadSources).
	Error string `json:"error,omitempty"`
	// KnownDeviations counts what a deviation list announces.
	KnownDeviations int `json:"known_deviations,omitempty"`
	// Signature says how a list's signature was verified, "" for other forms.
	Signature string `json:"signature,omitempty"`
	// Deviations counts the departures of the loaded certificates by code.
	Deviations map[deviation.Code]int `json:"deviations,omitempty"`
}

// Refusal is one part of a source that was not loaded, and why.
type Refusal struct {
	Index  int    `json:"index"` // from 0, in the source
	What   string `json:"what"`  // "certificate", "CRL", "deviation list"
	Reason string `json:"reason"`
	// Subject names the certificate or the list's issuer, where that can be read.
	Subject string `json:"subject,omitempty"`
}

// Load builds a store from sources. It fails only where a source cannot be read
// at all or a list's signature is wrong; single refused certificates are
// reported and left out.
func Load(sources []Source, opts Options) (*Store, []Report, error) {
	l := &loader{opts: opts, judge: deviation.NewJudge(opts.Policy), seen: map[[32]byte]bool{}}
	reports := make([]Report, 0, len(sources))
	for i, s := range sources {
		l.reportIndex = i
		l.report = &Report{Name: s.Name, Deviations: map[deviation.Code]int{}}
		digest := sha256.Sum256(s.Data)
		l.report.SHA256 = hex.EncodeToString(digest[:])
		if err := l.source(s.Data); err != nil {
			err = fmt.Errorf("trust: %w", tlv.Refuse(s.Name, l.clause(), err))
			if !opts.SkipBadSources {
				return nil, append(reports, *l.report), err
			}
			l.report.Error = err.Error()
		}
		reports = append(reports, *l.report)
	}
	store := newStore(l.authorities, l.signers, l.crls)
	store.settle(l.pending, reports)
	return store, reports, nil
}

type loader struct {
	opts                 Options
	judge                deviation.Judge
	seen                 map[[32]byte]bool
	report               *Report
	reportIndex          int
	pending              []deviationList
	authorities, signers []*Entry
	crls                 []*cms.CRL
	index                int
}

// clause returns the clause that describes the form of the source at hand.
func (l *loader) clause() string {
	switch l.report.Form {
	case "master list":
		return "9303-12 9"
	case "deviation list":
		return "9303-12 10"
	case "LDIF":
		return "RFC 2849"
	case "PEM":
		return "RFC 7468"
	}
	return "9303-12 7"
}

func (l *loader) source(data []byte) error {
	switch {
	case bytes.Contains(data[:min(len(data), 64<<10)], []byte("-----BEGIN ")):
		l.report.Form = "PEM"
		return l.pem(data)
	case looksLikeLDIF(data):
		l.report.Form = "LDIF"
		return l.ldif(data)
	}
	l.report.Form = "DER"
	return l.der(data)
}

func (l *loader) pem(data []byte) error {
	found := false
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		found = true
		if err := l.der(block.Bytes); err != nil && !errors.Is(err, ErrUnknownForm) {
			return err
		}
	}
	if !found {
		return ErrUnknownForm
	}
	return nil
}

// der tells a CMS list, a certificate and a revocation list apart by their shape.
func (l *loader) der(data []byte) error {
	switch shape(data) {
	case "cms":
		if l.report.Form == "DER" {
			l.report.Form = "master list"
		}
		return l.masterList(data)
	case "certificate":
		p := parsed{raw: data}
		p.parse()
		l.certificate(&p)
		return nil
	case "crl":
		l.crl(data)
		return nil
	}
	return ErrUnknownForm
}

func shape(data []byte) string {
	outer, _, err := tlv.ParsePrefix(data)
	if err != nil || outer.Tag != tlv.Sequence {
		return ""
	}
	first, err := outer.Reader().Next()
	if err != nil {
		return ""
	}
	if first.Tag == tlv.OID {
		return "cms"
	}
	if first.Tag != tlv.Sequence {
		return ""
	}
	// TBSCertificate: [0]? INTEGER SEQUENCE SEQUENCE SEQUENCE(validity) ...
	// TBSCertList: INTEGER? SEQUENCE SEQUENCE Time ...
	kids, err := first.Children()
	if err != nil {
		return ""
	}
	for i, k := range kids {
		if k.Tag == tlv.UTCTime || k.Tag == tlv.GeneralizedTime {
			return "crl"
		}
		if i > 4 {
			break
		}
	}
	return "certificate"
}

func (l *loader) refuse(what string, err error) {
	l.report.Refused = append(l.report.Refused, Refusal{Index: l.index, What: what, Reason: err.Error()})
}

// certificate adds a certificate that was parsed.
func (l *loader) certificate(p *parsed) {
	defer func() { l.index++ }()
	l.report.Certificates++
	if p.err != nil {
		l.refuse("certificate", p.err)
		return
	}
	l.add(p.cert, p.sum)
}

func (l *loader) add(c *cms.Certificate, f [32]byte) {
	if l.seen[f] {
		l.report.Duplicates++
		return
	}
	l.seen[f] = true
	entry := &Entry{Cert: c, Source: l.report.Name, SourceSHA256: l.report.SHA256, Kind: kindOf(c), sum: f}
	ds := c.Deviations
	if entry.Kind != Signer {
		ds = slices.Concat(ds, c.AuthorityProfile())
	}
	if refused := l.judge.Refused(ds); len(refused) > 0 {
		l.refuse("certificate", fmt.Errorf("%w under policy %s: %s", ErrPolicy, l.opts.Policy, explain(refused)))
		l.report.Refused[len(l.report.Refused)-1].Subject = c.Subject.String()
		return
	}
	for _, d := range ds {
		l.report.Deviations[d.Code]++
	}
	l.report.Loaded++
	if entry.Kind == Signer {
		l.signers = append(l.signers, entry)
		return
	}
	l.authorities = append(l.authorities, entry)
}

// explain names deviations with their place, their meaning and their clause.
func explain(ds []deviation.Deviation) string {
	parts := make([]string, len(ds))
	for i, d := range ds {
		info, _ := deviation.Lookup(d.Code)
		parts[i] = fmt.Sprintf("%s at offset %d: %s (%s)", d.Code, d.Offset, info.Text, info.Clause)
	}
	return strings.Join(parts, "; ")
}

// kindOf tells authorities from signers by basic constraints and key usage, and
// links from anchors by the key identifiers: a link certificate binds one CSCA
// key to the one before it (9303-12 §4.1.3).
func kindOf(c *cms.Certificate) Kind {
	authority := c.IsCA || c.HasKeyUsage && c.KeyUsage&cms.UsageCertSign != 0 || !c.HasKeyUsage && c.SelfIssued()
	switch {
	case !authority:
		return Signer
	case !c.SelfIssued():
		return Link
	case c.AuthorityKeyID != nil && c.SubjectKeyID != nil && !bytes.Equal(c.AuthorityKeyID, c.SubjectKeyID):
		return Link
	}
	return Anchor
}

func (l *loader) crl(der []byte) {
	defer func() { l.index++ }()
	list, err := cms.ParseCRL(der)
	if err != nil {
		l.refuse("CRL", err)
		return
	}
	l.report.CRLs++
	l.crls = append(l.crls, list)
}
