package cms

import (
	"time"

	"ipse/mrtd/deviation"
	"ipse/mrtd/tlv"
)

// KeyUsage bits as RFC 5280 §4.2.1.3 numbers them, bit 0 highest.
type KeyUsage uint16

// The key usages of the eMRTD profiles.
const (
	UsageDigitalSignature KeyUsage = 1 << 15
	UsageCertSign         KeyUsage = 1 << 10
	UsageCRLSign          KeyUsage = 1 << 9
)

// Period is a private key usage period; a zero time is open.
type Period struct{ NotBefore, NotAfter time.Time }

// Contains reports whether t lies in the period, ends included.
func (p Period) Contains(t time.Time) bool {
	return (p.NotBefore.IsZero() || !t.Before(p.NotBefore)) && (p.NotAfter.IsZero() || !t.After(p.NotAfter))
}

// Extensions are the extensions of a certificate that the eMRTD profiles use.
type Extensions struct {
	HasBasicConstraints bool
	IsCA                bool
	MaxPathLen          int // -1 where not given
	HasKeyUsage         bool
	KeyUsage            KeyUsage
	ExtendedKeyUsage    []string
	SubjectKeyID        []byte
	AuthorityKeyID      []byte
	PrivateKeyUsage     *Period
	DocumentTypes       []string // ICAO 9303-12 §7.1.1.6, for example "P"
	UnknownCritical     []string // dotted object identifiers
}

// Extension object identifiers (RFC 5280 §4.2; ICAO 9303-12 §7.1.1).
const (
	oidSubjectKeyID    = "2.5.29.14"
	oidKeyUsage        = "2.5.29.15"
	oidPrivateKeyUsage = "2.5.29.16"
	oidSubjectAltName  = "2.5.29.17"
	oidIssuerAltName   = "2.5.29.18"
	oidBasic           = "2.5.29.19"
	oidCRLNumber       = "2.5.29.20"
	oidCRLPoints       = "2.5.29.31"
	oidPolicies        = "2.5.29.32"
	oidAuthorityKeyID  = "2.5.29.35"
	oidExtKeyUsage     = "2.5.29.37"
	oidNameChange      = "2.23.136.1.1.6.1"
	oidDocumentTypes   = "2.23.136.1.1.6.2"
)

// OIDs of extended key usages of list signers (ICAO 9303-12 §7.1.1).
const (
	OIDMasterListSigner    = "2.23.136.1.1.3"
	OIDDeviationListSigner = "2.23.136.1.1.8"

	arcSealSigner = "2.23.136.1.1.14." // visible digital seals, Doc 9303-13
)

const maxExtensions = 64

// extension is one parsed Extension.
type extension struct {
	oid      string
	critical bool
	value    span // contents of extnValue
	offset   int
}

// eachExtension reads Extensions from the explicit tag around them.
func eachExtension(wrapper tlv.Element, visit func(extension) error) error {
	list, err := wrapper.Reader().Expect(tlv.Sequence)
	if err != nil {
		return err
	}
	r := list.Reader()
	for n := 0; !r.Empty(); n++ {
		if n == maxExtensions {
			return list.Err(tlv.ErrCount)
		}
		e, err := r.Expect(tlv.Sequence)
		if err != nil {
			return err
		}
		x := extension{offset: e.Offset}
		fields := e.Reader()
		id, err := fields.Expect(tlv.OID)
		if err != nil {
			return err
		}
		if x.oid, err = id.ObjectIdentifier(); err != nil {
			return err
		}
		critical, ok, err := fields.Optional(tlv.Boolean)
		if err != nil {
			return err
		}
		if ok {
			if x.critical, err = critical.Bool(); err != nil {
				return err
			}
		}
		value, err := fields.Expect(tlv.OctetString)
		if err != nil {
			return err
		}
		x.value = contents(value)
		if err := visit(x); err != nil {
			return err
		}
	}
	return nil
}

func (c *Certificate) parseExtensions(wrapper tlv.Element) error {
	c.MaxPathLen = -1
	seen := make([]string, 0, 16)
	return eachExtension(wrapper, func(x extension) error {
		for _, s := range seen {
			if s == x.oid {
				c.deviate(deviation.CertDuplicate, x.offset)
				return nil // the first counts
			}
		}
		seen = append(seen, x.oid)
		known, err := c.parseExtension(x)
		switch {
		case err != nil && x.oid == oidBasic:
			c.deviate(deviation.CertBasicConstraints, x.offset)
		case err != nil && x.critical:
			return err
		case err != nil:
			c.deviate(deviation.CertExtension, x.offset)
		case !known && x.critical:
			c.UnknownCritical = append(c.UnknownCritical, x.oid)
			c.deviate(deviation.CertCritical, x.offset)
		}
		return nil
	})
}

func (c *Certificate) parseExtension(x extension) (known bool, err error) {
	switch x.oid {
	case oidSubjectAltName, oidIssuerAltName, oidPolicies, oidCRLPoints, oidNameChange:
		return true, nil // nothing here depends on what they say
	}
	e, err := x.value.parse()
	if err != nil {
		return true, err
	}
	switch x.oid {
	case oidBasic:
		err = c.parseBasic(e)
	case oidKeyUsage:
		err = c.parseKeyUsage(e)
	case oidSubjectKeyID:
		c.SubjectKeyID, err = expectOctets(e, tlv.OctetString)
	case oidAuthorityKeyID:
		c.AuthorityKeyID, err = authorityKeyID(e)
	case oidPrivateKeyUsage:
		c.PrivateKeyUsage, err = privateKeyUsage(e)
	case oidExtKeyUsage:
		c.ExtendedKeyUsage, err = oidList(e)
	case oidDocumentTypes:
		c.DocumentTypes, err = documentTypes(e)
	default:
		return false, nil
	}
	return true, err
}

func expectOctets(e tlv.Element, tag tlv.Tag) ([]byte, error) {
	if e.Tag != tag {
		return nil, e.Err(tlv.ErrUnwanted)
	}
	return e.Value, nil
}

func (c *Certificate) parseBasic(e tlv.Element) error {
	if e.Tag != tlv.Sequence {
		return e.Err(tlv.ErrUnwanted)
	}
	c.HasBasicConstraints = true
	r := e.Reader()
	ca, ok, err := r.Optional(tlv.Boolean)
	if err != nil {
		return err
	}
	if ok {
		if c.IsCA, err = ca.Bool(); err != nil {
			return err
		}
	}
	pathLen, ok, err := r.Optional(tlv.Integer)
	if err != nil {
		return err
	}
	if ok {
		if c.MaxPathLen, err = pathLen.Int(); err != nil {
			return err
		}
		if c.MaxPathLen < 0 || !c.IsCA {
			return pathLen.Err(tlv.ErrValue)
		}
	}
	return r.Done()
}

func (c *Certificate) parseKeyUsage(e tlv.Element) error {
	if e.Tag != tlv.BitString {
		return e.Err(tlv.ErrUnwanted)
	}
	bits, _, err := e.Bits()
	if err != nil {
		return err
	}
	c.HasKeyUsage = true
	for i, b := range bits {
		if i < 2 {
			c.KeyUsage |= KeyUsage(b) << (8 * (1 - i))
		}
	}
	return nil
}

func authorityKeyID(e tlv.Element) ([]byte, error) {
	if e.Tag != tlv.Sequence {
		return nil, e.Err(tlv.ErrUnwanted)
	}
	id, ok, err := e.Reader().Optional(tlv.Context(0))
	if err != nil || !ok {
		return nil, err
	}
	return id.Value, nil
}

func privateKeyUsage(e tlv.Element) (*Period, error) {
	p := &Period{}
	for fields := e.Reader(); !fields.Empty(); {
		f, err := fields.Next()
		if err != nil {
			return nil, err
		}
		at, err := tlv.Element{Tag: tlv.GeneralizedTime, Value: f.Value, Offset: f.Offset}.Time()
		if err != nil {
			return nil, err
		}
		switch f.Tag {
		case tlv.Context(0):
			p.NotBefore = at
		case tlv.Context(1):
			p.NotAfter = at
		default:
			return nil, f.Err(tlv.ErrUnwanted)
		}
	}
	return p, nil
}

func oidList(e tlv.Element) ([]string, error) {
	kids, err := e.Children()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, k := range kids {
		oid, err := k.ObjectIdentifier()
		if err != nil {
			return nil, err
		}
		out = append(out, oid)
	}
	return out, nil
}

// documentTypes reads DocumentTypeList ::= SEQUENCE { version, docTypeList SET OF }.
func documentTypes(e tlv.Element) ([]string, error) {
	var out []string
	err := tlv.WalkAt(e.Raw, e.Offset, func(x tlv.Element, _ int) error {
		if (x.Tag == tlv.PrintableString || x.Tag == tlv.UTF8String) && len(out) < 16 {
			out = append(out, printable(decodeText(x)))
		}
		return nil
	})
	return out, err
}
