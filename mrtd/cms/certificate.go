package cms

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"ipse/mrtd/deviation"
	"ipse/mrtd/tlv"
)

// MaxCertificate is the largest certificate read, in octets.
const MaxCertificate = 64 << 10

// Certificate is an X.509 certificate. Its slices point into the bytes it was
// parsed from, which must not change. A Certificate is immutable and safe for
// concurrent use.
type Certificate struct {
	Raw, RawTBS []byte
	RawKey      []byte // SubjectPublicKeyInfo as encoded
	Version     int    // 1 to 3
	Serial      []byte // contents octets as encoded
	Issuer      Name
	Subject     Name
	NotBefore   time.Time
	NotAfter    time.Time
	Key         *PublicKey
	Algorithm   SignatureAlgorithm
	Signature   []byte
	Extensions
	// Deviations are the departures met while reading, in order of appearance.
	Deviations []deviation.Deviation
}

// ParseCertificate reads one certificate. It fails where a signature's meaning
// would be in doubt; other departures are listed on the result.
func ParseCertificate(der []byte) (*Certificate, error) {
	if len(der) > MaxCertificate {
		return nil, refuseCertificate(fmt.Errorf("%d octets: %w", len(der), ErrUnsupported))
	}
	e, n, err := tlv.ParsePrefix(der)
	if err != nil {
		return nil, refuseCertificate(err)
	}
	c, err := parseCertificate(e)
	if err != nil {
		return nil, refuseCertificate(err)
	}
	if n != len(der) {
		c.deviate(deviation.CertTrailing, n)
	}
	return c, nil
}

func refuseCertificate(err error) error { return tlv.Refuse("certificate", "RFC 5280 4.1", err) }

func (c *Certificate) deviate(code deviation.Code, offset int) {
	c.Deviations = append(c.Deviations, deviation.Deviation{Code: code, Offset: offset})
}

func parseCertificate(e tlv.Element) (*Certificate, error) {
	if e.Tag != tlv.Sequence {
		return nil, e.Err(tlv.ErrUnwanted)
	}
	c := &Certificate{Raw: e.Raw, Version: 1}
	if e.Indefinite || e.NonMinimal {
		c.deviate(deviation.CertBER, e.Offset)
	}
	r := e.Reader()
	tbs, err := r.Expect(tlv.Sequence)
	if err != nil {
		return nil, err
	}
	c.RawTBS = tbs.Raw
	outer, err := r.Expect(tlv.Sequence)
	if err != nil {
		return nil, err
	}
	if c.Algorithm, err = parseSignatureAlgorithm(outer); err != nil {
		return nil, err
	}
	c.Deviations = append(c.Deviations, c.Algorithm.deviations...)
	bits, err := r.Expect(tlv.BitString)
	if err != nil {
		return nil, err
	}
	var unused int
	if c.Signature, unused, err = bits.Bits(); err != nil || unused != 0 {
		return nil, bits.Err(tlv.ErrValue)
	}
	if err := r.Done(); err != nil {
		return nil, err
	}
	if c.Algorithm.Hash == crypto.SHA1 {
		c.deviate(deviation.CertWeakHash, outer.Offset)
	}
	return c, c.parseTBS(tbs)
}

// parseTBS reads TBSCertificate (RFC 5280 §4.1).
func (c *Certificate) parseTBS(tbs tlv.Element) error {
	r := tbs.Reader()
	if err := c.parseVersionAndSerial(r); err != nil {
		return err
	}
	inner, err := r.Expect(tlv.Sequence)
	if err != nil {
		return err
	}
	if !bytes.Equal(inner.Raw, c.Algorithm.raw) {
		c.deviate(deviation.CertAlgorithmDiffers, inner.Offset)
	}
	issuer, err := r.Expect(tlv.Sequence)
	if err != nil {
		return err
	}
	if c.Issuer, err = parseName(issuer); err != nil {
		return err
	}
	if err := c.parseValidity(r); err != nil {
		return err
	}
	subject, err := r.Expect(tlv.Sequence)
	if err != nil {
		return err
	}
	c.Subject = c.Issuer
	if !bytes.Equal(subject.Raw, issuer.Raw) {
		if c.Subject, err = parseName(subject); err != nil {
			return err
		}
	}
	if err := c.parseKey(r); err != nil {
		return err
	}
	if err := c.parseRest(r); err != nil {
		return err
	}
	c.checkNames()
	return nil
}

func (c *Certificate) parseKey(r *tlv.Reader) error {
	spki, err := r.Expect(tlv.Sequence)
	if err != nil {
		return err
	}
	key, ds, err := parseSPKI(spki)
	if err != nil {
		return err
	}
	c.Key, c.RawKey = key, spki.Raw
	c.Deviations = append(c.Deviations, ds...)
	return nil
}

// parseRest reads the unique identifiers and the extensions.
func (c *Certificate) parseRest(r *tlv.Reader) error {
	for !r.Empty() {
		e, err := r.Next()
		if err != nil {
			return err
		}
		switch {
		case e.Tag == tlv.ContextConstructed(3):
			if err := c.parseExtensions(e); err != nil {
				return err
			}
		case e.Tag&^0x20 == tlv.Context(1), e.Tag&^0x20 == tlv.Context(2): // unique identifiers
		default:
			return e.Err(tlv.ErrUnwanted)
		}
	}
	return nil
}

func (c *Certificate) parseVersionAndSerial(r *tlv.Reader) error {
	version, ok, err := r.Optional(tlv.ContextConstructed(0))
	if err != nil {
		return err
	}
	if ok {
		v, err := innerInt(version)
		if err != nil {
			return err
		}
		c.Version = v + 1
	}
	if c.Version != 3 {
		c.deviate(deviation.CertVersion, r.Offset())
	}
	serial, err := r.Expect(tlv.Integer)
	if err != nil {
		return err
	}
	c.Serial = serial.Value
	n, err := serial.BigInt()
	if err != nil {
		return err
	}
	if n.Sign() <= 0 {
		c.deviate(deviation.CertSerialNegative, serial.Offset)
	}
	if len(c.Serial) > 20 && (len(c.Serial) != 21 || c.Serial[0] != 0) ||
		len(c.Serial) > 1 && c.Serial[0] == 0 && c.Serial[1] < 0x80 {
		c.deviate(deviation.CertSerialLong, serial.Offset)
	}
	return nil
}

func (c *Certificate) parseValidity(r *tlv.Reader) error {
	validity, err := r.Expect(tlv.Sequence)
	if err != nil {
		return err
	}
	times := validity.Reader()
	for _, dst := range [...]*time.Time{&c.NotBefore, &c.NotAfter} {
		e, err := times.Next()
		if err != nil {
			return err
		}
		if *dst, err = e.Time(); err != nil {
			return err
		}
		// RFC 5280 §4.1.2.5: UTCTime with seconds through 2049, then GeneralizedTime.
		if (e.Tag == tlv.UTCTime) != (dst.Year() < 2050) || len(e.Value) != 13 && e.Tag == tlv.UTCTime {
			c.deviate(deviation.CertTime, e.Offset)
		}
	}
	return times.Done()
}

func (c *Certificate) checkNames() {
	country := c.Subject.Get(oidCountry)
	if country == "" {
		c.deviate(deviation.CertNoCountry, 0)
		return
	}
	if country != c.Subject.Country() || c.Issuer.Get(oidCountry) != c.Issuer.Country() {
		c.deviate(deviation.CertCountryCase, 0)
	}
}

// Country returns the subject's country in upper case, or the issuer's.
func (c *Certificate) Country() string {
	if s := c.Subject.Country(); s != "" {
		return s
	}
	return c.Issuer.Country()
}

// SelfIssued reports whether subject and issuer are the same name.
func (c *Certificate) SelfIssued() bool { return c.Subject.Equal(c.Issuer) }

// SerialNumber returns the serial number.
func (c *Certificate) SerialNumber() *big.Int {
	n, err := tlv.Element{Tag: tlv.Integer, Value: c.Serial}.BigInt()
	if err != nil {
		return new(big.Int)
	}
	return n
}

// ValidAt reports whether t lies in the certificate's validity, ends included.
func (c *Certificate) ValidAt(t time.Time) bool {
	return !t.Before(c.NotBefore) && !t.After(c.NotAfter)
}

// Fingerprint is the SHA-256 of the certificate.
func (c *Certificate) Fingerprint() [32]byte { return sha256.Sum256(c.Raw) }

// CheckSignedBy verifies the certificate's signature with the issuer's key. It
// looks at neither names nor dates nor usages.
func (c *Certificate) CheckSignedBy(issuer *PublicKey) (Outcome, error) {
	if issuer == nil {
		return Outcome{}, errors.New("cms: no issuer key")
	}
	out, err := issuer.Verify(c.Algorithm, 0, c.RawTBS, c.Signature)
	if err != nil {
		return out, err
	}
	for i, d := range out.Deviations {
		if d.Code == deviation.SODPSSParameters {
			out.Deviations[i].Code = deviation.CertPSSParameters
		}
	}
	return out, nil
}

// AuthorityProfile lists how c departs from the profile of a CSCA
// (ICAO 9303-12 §7.1.1).
func (c *Certificate) AuthorityProfile() []deviation.Deviation {
	var ds []deviation.Deviation
	add := func(code deviation.Code) { ds = append(ds, deviation.Deviation{Code: code}) }
	switch {
	case !c.HasBasicConstraints:
		add(deviation.CertNoBasic)
	case !c.IsCA || c.MaxPathLen != 0:
		add(deviation.CertBasicConstraints)
	}
	switch {
	case !c.HasKeyUsage:
		add(deviation.CertNoKeyUsage)
	case c.KeyUsage&UsageCertSign == 0:
		add(deviation.CertKeyUsage)
	}
	if c.SubjectKeyID == nil {
		add(deviation.CertNoSubjectKeyID)
	}
	return ds
}

// SignerProfile lists how c departs from the profile of a document signer
// (ICAO 9303-12 §7.1.1).
func (c *Certificate) SignerProfile() []deviation.Deviation {
	var ds []deviation.Deviation
	add := func(code deviation.Code) { ds = append(ds, deviation.Deviation{Code: code}) }
	if c.IsCA {
		add(deviation.CertBasicConstraints)
	}
	switch {
	case !c.HasKeyUsage:
		add(deviation.CertNoKeyUsage)
	case c.KeyUsage&UsageDigitalSignature == 0 || c.signsOtherThings():
		add(deviation.CertKeyUsage)
	}
	if c.AuthorityKeyID == nil {
		add(deviation.CertNoAuthorityKeyID)
	}
	return ds
}

// signsOtherThings reports a certificate of the same authority whose key is for
// something else than documents: master lists, deviation lists, visible seals.
func (c *Certificate) signsOtherThings() bool {
	return slices.ContainsFunc(c.ExtendedKeyUsage, func(usage string) bool {
		return usage == OIDMasterListSigner || usage == OIDDeviationListSigner || strings.HasPrefix(usage, arcSealSigner)
	})
}
