package cms

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"math/big"
	"slices"
	"testing"

	"ipse/mrtd/deviation"
	"ipse/mrtd/internal/ec"
	"ipse/mrtd/tlv"
)

// parts are the parts of a certificate, to be put together as issuers in the field do.
// Its signature is not one: parsing looks at the form alone.
type parts struct {
	version, serial, inner, issuer, notBefore, notAfter, subject, spki, outer []byte
	extensions                                                                [][]byte
	after                                                                     []byte // octets behind the certificate
}

func rdn(oid, value string) []byte {
	return tlv.Encode(tlv.Set, tlv.Encode(tlv.Sequence, tlv.EncodeOID(oid), tlv.Encode(tlv.PrintableString, []byte(value))))
}

func ext(oid string, critical bool, value []byte) []byte {
	mark := []byte(nil)
	if critical {
		mark = tlv.Encode(tlv.Boolean, []byte{0xFF})
	}
	return tlv.Encode(tlv.Sequence, tlv.EncodeOID(oid), mark, tlv.Encode(tlv.OctetString, value))
}

// goodParts are those of a CSCA as Doc 9303-12 asks, but for its named curve.
func goodParts(t *testing.T) parts {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	name := tlv.Encode(tlv.Sequence, rdn(oidCountry, "UT"), rdn("2.5.4.3", "Test"))
	return parts{version: tlv.Encode(tlv.ContextConstructed(0), tlv.EncodeInt(2)), serial: tlv.EncodeInt(77), inner: id("1.2.840.10045.4.3.2"),
		outer: id("1.2.840.10045.4.3.2"), issuer: name, subject: name, spki: spki,
		notBefore: tlv.Encode(tlv.UTCTime, []byte("260101000000Z")), notAfter: tlv.Encode(tlv.UTCTime, []byte("360101000000Z")),
		extensions: [][]byte{
			ext(oidSubjectKeyID, false, tlv.Encode(tlv.OctetString, []byte{1})),
			ext(oidAuthorityKeyID, false, tlv.Encode(tlv.Sequence, tlv.Encode(tlv.Context(0), []byte{1}))),
			ext(oidKeyUsage, true, tlv.Encode(tlv.BitString, []byte{1, 6})),
			ext(oidBasic, true, tlv.Encode(tlv.Sequence, tlv.Encode(tlv.Boolean, []byte{0xFF}), tlv.EncodeInt(0))),
		}}
}

func (p parts) build() []byte {
	var extensions []byte
	if p.extensions != nil {
		extensions = tlv.Encode(tlv.ContextConstructed(3), tlv.Encode(tlv.Sequence, p.extensions...))
	}
	tbs := tlv.Encode(tlv.Sequence, p.version, p.serial, p.inner, p.issuer, tlv.Encode(tlv.Sequence, p.notBefore, p.notAfter), p.subject, p.spki, extensions)
	return append(tlv.Encode(tlv.Sequence, tbs, p.outer, tlv.Encode(tlv.BitString, []byte{0, 1, 2})), p.after...)
}

// drop removes the extension with that identifier.
func (p *parts) drop(oid string) {
	p.extensions = slices.DeleteFunc(slices.Clone(p.extensions), func(e []byte) bool { return bytes.Contains(e, tlv.EncodeOID(oid)) })
}

func TestEveryDepartureOfACertificateIsNamed(t *testing.T) {
	t.Parallel()
	rsaSPKI := func(bits int) []byte {
		n := new(big.Int).SetBit(big.NewInt(1), bits-1, 1)
		return tlv.Encode(tlv.Sequence, id(oidRSA, tlv.Encode(tlv.Null)), tlv.Encode(tlv.BitString, []byte{0}, tlv.Encode(tlv.Sequence, tlv.EncodeInteger(n), tlv.EncodeInt(65537))))
	}
	for name, c := range map[string]struct {
		change func(*parts)
		want   deviation.Code
	}{
		"as it should be":            {func(*parts) {}, ""},
		"octets behind it":           {func(p *parts) { p.after = []byte{0, 0} }, deviation.CertTrailing},
		"version 1":                  {func(p *parts) { p.version = nil }, deviation.CertVersion},
		"negative serial number":     {func(p *parts) { p.serial = tlv.EncodeInt(-5) }, deviation.CertSerialNegative},
		"serial number zero":         {func(p *parts) { p.serial = tlv.EncodeInt(0) }, deviation.CertSerialNegative},
		"serial number of 21 octets": {func(p *parts) { p.serial = tlv.Encode(tlv.Integer, bytes.Repeat([]byte{1}, 21)) }, deviation.CertSerialLong},
		"padded serial number":       {func(p *parts) { p.serial = tlv.Encode(tlv.Integer, []byte{0, 1}) }, deviation.CertSerialLong},
		"algorithms differ":          {func(p *parts) { p.inner = id("1.2.840.10045.4.3.3") }, deviation.CertAlgorithmDiffers},
		"SHA-1":                      {func(p *parts) { p.inner, p.outer = id("1.2.840.10045.4.1"), id("1.2.840.10045.4.1") }, deviation.CertWeakHash},
		"signature without NULL":     {func(p *parts) { p.inner, p.outer = id("1.2.840.113549.1.1.11"), id("1.2.840.113549.1.1.11") }, deviation.CertRSANoNull},
		"RSA of 1024 bits":           {func(p *parts) { p.spki = rsaSPKI(1024) }, deviation.CertWeakKey},
		"no country": {func(p *parts) {
			p.subject = tlv.Encode(tlv.Sequence, rdn("2.5.4.3", "Test"))
			p.issuer = p.subject
		}, deviation.CertNoCountry},
		"lower-case country":            {func(p *parts) { p.subject = tlv.Encode(tlv.Sequence, rdn(oidCountry, "ut")) }, deviation.CertCountryCase},
		"UTC time without seconds":      {func(p *parts) { p.notBefore = tlv.Encode(tlv.UTCTime, []byte("2601010000Z")) }, deviation.CertTime},
		"year 2026 as generalized time": {func(p *parts) { p.notBefore = tlv.Encode(tlv.GeneralizedTime, []byte("20260101000000Z")) }, deviation.CertTime},
		"no basic constraints":          {func(p *parts) { p.drop(oidBasic) }, deviation.CertNoBasic},
		"no authority": {func(p *parts) {
			p.drop(oidBasic)
			p.extensions = append(p.extensions, ext(oidBasic, true, tlv.Encode(tlv.Sequence)))
		}, deviation.CertBasicConstraints},
		"no subject key identifier": {func(p *parts) { p.drop(oidSubjectKeyID) }, deviation.CertNoSubjectKeyID},
		"no key usage":              {func(p *parts) { p.drop(oidKeyUsage) }, deviation.CertNoKeyUsage},
		"key usage of a signer": {func(p *parts) {
			p.drop(oidKeyUsage)
			p.extensions = append(p.extensions, ext(oidKeyUsage, true, tlv.Encode(tlv.BitString, []byte{7, 0x80})))
		}, deviation.CertKeyUsage},
		"unknown critical extension": {func(p *parts) { p.extensions = append(p.extensions, ext("1.2.3.4", true, []byte{5, 0})) }, deviation.CertCritical},
		"extension twice":            {func(p *parts) { p.extensions = append(p.extensions, p.extensions[0]) }, deviation.CertDuplicate},
		"malformed extension":        {func(p *parts) { p.extensions = append(p.extensions, ext(oidPrivateKeyUsage, false, []byte{0x30})) }, deviation.CertExtension},
		"curve without cofactor":     {func(p *parts) { p.spki = withoutCofactor() }, deviation.CertNoCofactor},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := goodParts(t)
			c.change(&p)
			got, err := ParseCertificate(p.build())
			if err != nil {
				t.Fatal(err)
			}
			ds := slices.Concat(got.Deviations, got.AuthorityProfile())
			if c.want != "" && !has(ds, c.want) {
				t.Errorf("%v, want %s", ds, c.want)
			}
			if c.want == "" && slices.ContainsFunc(ds, func(d deviation.Deviation) bool { return d.Code != deviation.CertNamedCurve }) {
				t.Errorf("%v", ds)
			}
		})
	}
	// Lengths in another form than DER's.
	der := goodParts(t).build()
	long := append([]byte{0x30, 0x83, 0}, der[2:]...) // 30 82 LL LL becomes 30 83 00 LL LL
	if c, err := ParseCertificate(long); err != nil || !has(c.Deviations, deviation.CertBER) {
		t.Errorf("needless length octet: %v", err)
	}
}

// withoutCofactor writes P-256 out and leaves the cofactor away.
func withoutCofactor() []byte {
	c := ec.ByName("P-256")
	a, b := c.Coefficients()
	x, y := c.Generator()
	octets := func(n *big.Int) []byte { return n.FillBytes(make([]byte, 32)) }
	params := tlv.Encode(tlv.Sequence, tlv.EncodeInt(1), id(oidPrimeField, tlv.EncodeInteger(c.Prime())),
		tlv.Encode(tlv.Sequence, tlv.Encode(tlv.OctetString, octets(a)), tlv.Encode(tlv.OctetString, octets(b))),
		tlv.Encode(tlv.OctetString, slices.Concat([]byte{4}, octets(x), octets(y))), tlv.EncodeInteger(c.Order()))
	return tlv.Encode(tlv.Sequence, id(oidEC, params), tlv.Encode(tlv.BitString, slices.Concat([]byte{0, 4}, octets(x), octets(y))))
}

// Explicit parameters that are changed in any number are those of no known curve.
func TestChangedExplicitParametersAreRefused(t *testing.T) {
	t.Parallel()
	good := withoutCofactor()
	if _, _, err := ParsePublicKey(good); err != nil {
		t.Fatal(err)
	}
	for at := 20; at < len(good)-66; at += 7 {
		b := bytes.Clone(good)
		b[at] ^= 1
		if _, _, err := ParsePublicKey(b); err == nil {
			t.Errorf("accepted with octet %d changed", at)
		}
	}
}

// DSA is recognised, in keys and in signatures, and refused by name.
func TestDSAIsRecognisedAndRefused(t *testing.T) {
	t.Parallel()
	p := goodParts(t)
	p.spki = tlv.Encode(tlv.Sequence, id(oidDSA, tlv.Encode(tlv.Sequence, tlv.EncodeInt(23), tlv.EncodeInt(11), tlv.EncodeInt(4))), tlv.Encode(tlv.BitString, []byte{0, 2, 1, 8}))
	p.inner, p.outer = id("1.2.840.10040.4.3"), id("1.2.840.10040.4.3")
	c, err := ParseCertificate(p.build())
	if err != nil || c.Key.Kind != KeyDSA || c.Algorithm.Scheme != DSA {
		t.Fatalf("%v %v", c, err)
	}
	if _, err := c.CheckSignedBy(c.Key); !errors.Is(err, ErrUnsupported) || !bytes.Contains([]byte(err.Error()), []byte("DSA")) {
		t.Error(err)
	}
}

// A certificate whose PSS signature has another salt than declared is named as one.
func TestCertificateWithOtherPSSParametersIsNamed(t *testing.T) {
	t.Parallel()
	key := rsaKeyFor(t)
	der := selfSigned(t, key, x509.SHA256WithRSAPSS)
	changed := *der
	changed.Algorithm.SaltLength = 20
	out, err := changed.CheckSignedBy(der.Key)
	if err != nil || !has(out.Deviations, deviation.CertPSSParameters) {
		t.Errorf("%v %v", out.Deviations, err)
	}
}

func TestEveryDepartureOfSignedDataIsNamed(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := selfSigned(t, key, x509.ECDSAWithSHA256)
	base := recipe{key: key, cert: cert, digest: crypto.SHA256, algorithm: id("1.2.840.10045.4.3.2")}
	for name, c := range map[string]struct {
		change func(*recipe)
		want   deviation.Code
	}{
		"octets behind it":          {func(r *recipe) { r.after = []byte{0} }, deviation.SODTrailing},
		"version 1":                 {func(r *recipe) { r.version = 1 }, deviation.SODVersion},
		"two signers":               {func(r *recipe) { r.signers = 2 }, deviation.SODManySigners},
		"digest that is not listed": {func(r *recipe) { r.listed = crypto.SHA512 }, deviation.SODDigestNotListed},
	} {
		r := base
		c.change(&r)
		sd := r.build(t)
		out, err := sd.Verify(&sd.Signers[0], cert)
		if err != nil || !has(slices.Concat(sd.Deviations, out.Deviations), c.want) {
			t.Errorf("%s: %v %v %v", name, sd.Deviations, out.Deviations, err)
		}
	}
	if sd := base.build(t); len(sd.Deviations) != 0 {
		t.Errorf("as it should be: %v", sd.Deviations)
	}
}
