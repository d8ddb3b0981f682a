package cms

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"ipse/mrtd/deviation"
	"ipse/mrtd/tlv"
)

// MaxCRL is the largest revocation list read, in octets.
const MaxCRL = 8 << 20

// CRL is a certificate revocation list (RFC 5280 §5; ICAO 9303-12 §7.1.4).
type CRL struct {
	Raw, RawTBS    []byte
	Issuer         Name
	ThisUpdate     time.Time
	NextUpdate     time.Time // zero where not given
	AuthorityKeyID []byte
	Algorithm      SignatureAlgorithm
	Signature      []byte
	Deviations     []deviation.Deviation

	revoked []revocation // sorted by serial
}

type revocation struct {
	serial []byte
	at     time.Time
}

// ParseCRL reads one revocation list.
func ParseCRL(der []byte) (*CRL, error) {
	if len(der) > MaxCRL {
		return nil, refuseCRL(fmt.Errorf("%d octets: %w", len(der), ErrUnsupported))
	}
	e, err := tlv.Parse(der)
	if err != nil {
		return nil, refuseCRL(err)
	}
	l := &CRL{Raw: der}
	if err := l.parse(e); err != nil {
		return nil, refuseCRL(err)
	}
	return l, nil
}

func refuseCRL(err error) error { return tlv.Refuse("revocation list", "RFC 5280 5.1", err) }

func (l *CRL) parse(e tlv.Element) error {
	r := e.Reader()
	tbs, err := r.Expect(tlv.Sequence)
	if err != nil {
		return err
	}
	l.RawTBS = tbs.Raw
	algorithm, err := r.Expect(tlv.Sequence)
	if err != nil {
		return err
	}
	if l.Algorithm, err = parseSignatureAlgorithm(algorithm); err != nil {
		return err
	}
	l.Deviations = append(l.Deviations, l.Algorithm.deviations...)
	bits, err := r.Expect(tlv.BitString)
	if err != nil {
		return err
	}
	if l.Signature, _, err = bits.Bits(); err != nil {
		return err
	}
	return l.parseTBS(tbs.Reader())
}

func (l *CRL) parseTBS(r *tlv.Reader) error {
	if _, _, err := r.Optional(tlv.Integer); err != nil { // version
		return err
	}
	inner, err := r.Expect(tlv.Sequence)
	if err != nil {
		return err
	}
	if !bytes.Equal(inner.Raw, l.Algorithm.raw) {
		l.Deviations = append(l.Deviations, deviation.Deviation{Code: deviation.CertAlgorithmDiffers, Offset: inner.Offset})
	}
	issuer, err := r.Expect(tlv.Sequence)
	if err != nil {
		return err
	}
	if l.Issuer, err = parseName(issuer); err != nil {
		return err
	}
	this, err := r.Next()
	if err != nil {
		return err
	}
	if l.ThisUpdate, err = this.Time(); err != nil {
		return err
	}
	if tag := r.PeekTag(); tag == tlv.UTCTime || tag == tlv.GeneralizedTime {
		next, err := r.Next()
		if err != nil {
			return err
		}
		if l.NextUpdate, err = next.Time(); err != nil {
			return err
		}
	}
	list, ok, err := r.Optional(tlv.Sequence)
	if err != nil {
		return err
	}
	if ok {
		if err := l.parseRevoked(list); err != nil {
			return err
		}
	}
	extensions, ok, err := r.Optional(tlv.ContextConstructed(0))
	if err != nil || !ok {
		return err
	}
	return eachExtension(extensions, l.extension)
}

// extension refuses critical extensions that change what the list means (delta
// lists, partitioned lists): to ignore them would be to miss revocations.
func (l *CRL) extension(x extension) error {
	switch x.oid {
	case oidAuthorityKeyID:
		e, err := x.value.parse()
		if err != nil {
			return err
		}
		l.AuthorityKeyID, err = authorityKeyID(e)
		return err
	case oidCRLNumber, oidIssuerAltName:
		return nil
	}
	if x.critical {
		return &tlv.Error{Offset: x.offset, Reason: fmt.Errorf("critical extension %s: %w", x.oid, ErrUnsupported)}
	}
	return nil
}

func (l *CRL) parseRevoked(list tlv.Element) error {
	for r := list.Reader(); !r.Empty(); {
		entry, err := r.Expect(tlv.Sequence)
		if err != nil {
			return err
		}
		fields := entry.Reader()
		serial, err := fields.Expect(tlv.Integer)
		if err != nil {
			return err
		}
		at, err := fields.Next()
		if err != nil {
			return err
		}
		t, err := at.Time()
		if err != nil {
			return err
		}
		l.revoked = append(l.revoked, revocation{trimZeros(serial.Value), t})
	}
	slices.SortFunc(l.revoked, func(a, b revocation) int { return bytes.Compare(a.serial, b.serial) })
	return nil
}

// Len returns how many certificates are revoked.
func (l *CRL) Len() int { return len(l.revoked) }

// Revoked reports whether, and since when, the certificate with that serial
// number (contents octets) is revoked.
func (l *CRL) Revoked(serial []byte) (at time.Time, revoked bool) {
	i, ok := slices.BinarySearchFunc(l.revoked, trimZeros(serial), func(r revocation, s []byte) int { return bytes.Compare(r.serial, s) })
	if !ok {
		return time.Time{}, false
	}
	return l.revoked[i].at, true
}

// CheckSignedBy verifies the list's signature.
func (l *CRL) CheckSignedBy(issuer *PublicKey) (Outcome, error) {
	return issuer.Verify(l.Algorithm, 0, l.RawTBS, l.Signature)
}
