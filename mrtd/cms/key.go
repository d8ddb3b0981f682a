package cms

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"math/big"

	"ipse/mrtd/deviation"
	"ipse/mrtd/internal/ec"
	"ipse/mrtd/tlv"
)

// KeyKind is the kind of a public key.
type KeyKind int

// Kinds of public keys.
const (
	KeyUnknown KeyKind = iota
	KeyRSA             // rsaEncryption
	KeyRSAPSS          // id-RSASSA-PSS: meant for PSS alone
	KeyEC
	KeyDSA // recognised and refused
)

// PublicKey is a subject public key, checked to be well formed: an RSA modulus
// and exponent in range, or a point on a known curve.
type PublicKey struct {
	Kind KeyKind
	// Bits is the size of the modulus or of the field.
	Bits int
	// Curve names the curve of an EC key, "" otherwise.
	Curve string

	rsa   *rsa.PublicKey
	nist  *ecdsa.PublicKey // the four curves the standard library has in assembly
	curve *ec.Curve
	point []byte // uncompressed, on curve: checked
	other *ec.PublicKey
}

// String describes the key, for example "RSA 4096" or "EC brainpoolP256r1".
func (k *PublicKey) String() string {
	switch k.Kind {
	case KeyRSA, KeyRSAPSS:
		return fmt.Sprintf("RSA %d", k.Bits)
	case KeyEC:
		return "EC " + k.Curve
	case KeyDSA:
		return "DSA"
	case KeyUnknown:
	}
	return "unknown"
}

// Strength is the estimated security in bits (NIST SP 800-57-1 table 2).
func (k *PublicKey) Strength() int {
	if k.Kind == KeyEC {
		return k.Bits / 2
	}
	switch {
	case k.Bits >= 15360:
		return 256
	case k.Bits >= 7680:
		return 192
	case k.Bits >= 3072:
		return 128
	case k.Bits >= 2048:
		return 112
	case k.Bits >= 1024:
		return 80
	}
	return 0
}

// RSA returns the RSA key, or nil.
func (k *PublicKey) RSA() *rsa.PublicKey { return k.rsa }

// EC returns the key's curve and uncompressed point, or nil.
func (k *PublicKey) EC() (*ec.Curve, []byte) { return k.curve, k.point }

// Limits of RSA keys: 1024 bits is the least any document used, above 16384 a
// verification would be a way to keep a server busy.
const (
	minRSABits = 1024
	maxRSABits = 16384
)

// ParsePublicKey reads a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7). Explicit curve
// parameters are accepted when equal to a known curve's, never otherwise.
func ParsePublicKey(der []byte) (*PublicKey, []deviation.Deviation, error) {
	e, err := tlv.Parse(der)
	if err != nil {
		return nil, nil, tlv.Refuse("public key", "RFC 5280 4.1.2.7", err)
	}
	return ReadPublicKey(e)
}

// ReadPublicKey is ParsePublicKey for an element of a file, whose place its refusals name.
func ReadPublicKey(e tlv.Element) (*PublicKey, []deviation.Deviation, error) {
	key, ds, err := parseSPKI(e)
	if err != nil {
		return nil, nil, tlv.Refuse("public key", "RFC 5280 4.1.2.7", err)
	}
	return key, ds, nil
}

func parseSPKI(e tlv.Element) (*PublicKey, []deviation.Deviation, error) {
	r := e.Reader()
	algorithm, err := r.Expect(tlv.Sequence)
	if err != nil {
		return nil, nil, err
	}
	oid, params, err := algorithmIdentifier(algorithm)
	if err != nil {
		return nil, nil, err
	}
	bits, err := r.Expect(tlv.BitString)
	if err != nil {
		return nil, nil, err
	}
	octets, unused, err := bits.Bits()
	if err != nil || unused != 0 {
		return nil, nil, bits.Err(tlv.ErrValue)
	}
	switch oid {
	case oidRSA, oidPSS:
		return rsaKey(algorithm, oid, params, span{octets, bits.ValueOffset() + 1})
	case oidEC:
		return ecKey(algorithm, params, bits, octets)
	case oidDSA:
		return &PublicKey{Kind: KeyDSA}, nil, nil
	}
	return nil, nil, algorithm.Err(fmt.Errorf("key algorithm %s: %w", oid, ErrUnsupported))
}

func rsaKey(algorithm tlv.Element, oid string, params, octets span) (*PublicKey, []deviation.Deviation, error) {
	seq, err := octets.parse()
	if err != nil {
		return nil, nil, err
	}
	r := seq.Reader()
	nInt, err := r.Expect(tlv.Integer)
	if err != nil {
		return nil, nil, err
	}
	eInt, err := r.Expect(tlv.Integer)
	if err != nil {
		return nil, nil, err
	}
	n, err := nInt.UnsignedInt()
	if err != nil {
		return nil, nil, err
	}
	e, err := eInt.UnsignedInt()
	if err != nil {
		return nil, nil, err
	}
	if n.BitLen() < minRSABits || n.BitLen() > maxRSABits || n.Bit(0) == 0 || !e.IsInt64() || e.Int64() < 3 || e.Int64() > 1<<31-1 || e.Bit(0) == 0 {
		return nil, nil, seq.Err(fmt.Errorf("RSA modulus or exponent out of range: %w", ErrKey))
	}
	key := &PublicKey{Kind: KeyRSA, Bits: n.BitLen(), rsa: &rsa.PublicKey{N: n, E: int(e.Int64())}}
	var ds []deviation.Deviation
	if oid == oidPSS {
		key.Kind = KeyRSAPSS
	} else if len(params.b) == 0 {
		ds = append(ds, deviation.Deviation{Code: deviation.CertRSANoNull, Offset: algorithm.Offset})
	}
	if key.Bits < 2048 {
		ds = append(ds, deviation.Deviation{Code: deviation.CertWeakKey, Offset: algorithm.Offset})
	}
	return key, ds, nil
}

func ecKey(algorithm tlv.Element, params span, bits tlv.Element, point []byte) (*PublicKey, []deviation.Deviation, error) {
	curve, ds, err := parseCurve(algorithm, params)
	if err != nil {
		return nil, nil, err
	}
	key, err := ecKeyOn(curve, point)
	if err != nil {
		if key = otherCurve(curve, point); key == nil {
			return nil, nil, bits.Err(err)
		}
		ds = append(ds, deviation.Deviation{Code: deviation.CertCurveMislabelled, Offset: algorithm.Offset})
	}
	if key.Bits < 224 {
		ds = append(ds, deviation.Deviation{Code: deviation.CertWeakKey, Offset: algorithm.Offset})
	}
	return key, ds, nil
}

func ecKeyOn(curve *ec.Curve, point []byte) (*PublicKey, error) {
	key := &PublicKey{Kind: KeyEC, Bits: curve.BitSize(), Curve: curve.Name(), curve: curve, point: point}
	if std := stdCurve(curve.Name()); std != nil {
		pub, err := ecdsa.ParseUncompressedPublicKey(std, point)
		if err != nil {
			return nil, fmt.Errorf("point not on %s: %w", curve.Name(), ErrKey)
		}
		key.nist = pub
		return key, nil
	}
	pub, err := curve.ParsePublicKey(point)
	if err != nil {
		return nil, fmt.Errorf("point not on %s: %w", curve.Name(), ErrKey)
	}
	key.other = pub
	return key, nil
}

// otherCurve looks for the one known curve of the same field size that the
// point lies on: some signers announce one curve and use another.
func otherCurve(announced *ec.Curve, point []byte) *PublicKey {
	var found *PublicKey
	for _, oid := range curveOIDs() {
		c := ec.ByOID(oid)
		if c == nil || c == announced || (c.BitSize()+7)/8 != (announced.BitSize()+7)/8 {
			continue
		}
		if key, err := ecKeyOn(c, point); err == nil {
			if found != nil {
				return nil
			}
			found = key
		}
	}
	return found
}

func curveOIDs() []string {
	oids := []string{"1.2.840.10045.3.1.1", "1.3.132.0.33", "1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35"}
	for i := 1; i <= 14; i++ { // RFC 5639 §4.1
		oids = append(oids, fmt.Sprintf("1.3.36.3.3.2.8.1.1.%d", i))
	}
	return oids
}

func stdCurve(name string) elliptic.Curve {
	switch name {
	case "P-224":
		return elliptic.P224()
	case "P-256":
		return elliptic.P256()
	case "P-384":
		return elliptic.P384()
	case "P-521":
		return elliptic.P521()
	}
	return nil
}

// parseCurve reads ECParameters (RFC 3279 §2.3.5): a named curve or the
// parameters written out.
func parseCurve(algorithm tlv.Element, params span) (*ec.Curve, []deviation.Deviation, error) {
	e, err := params.parse()
	if err != nil {
		return nil, nil, err
	}
	switch e.Tag {
	case tlv.OID:
		oid, err := e.ObjectIdentifier()
		if err != nil {
			return nil, nil, err
		}
		c := ec.ByOID(oid)
		if c == nil {
			return nil, nil, e.Err(fmt.Errorf("curve %s: %w", oid, ErrUnsupported))
		}
		return c, []deviation.Deviation{{Code: deviation.CertNamedCurve, Offset: algorithm.Offset}}, nil
	case tlv.Sequence:
		return explicitCurve(algorithm, e)
	}
	return nil, nil, e.Err(tlv.ErrUnwanted)
}

// explicitCurve reads SpecifiedECDomain (SEC 1 §C.2): version, field, curve,
// base point, order, cofactor.
func explicitCurve(algorithm, e tlv.Element) (*ec.Curve, []deviation.Deviation, error) {
	fields, err := e.Children()
	if err != nil {
		return nil, nil, err
	}
	if len(fields) < 5 {
		return nil, nil, e.Err(tlv.ErrMissing)
	}
	p, err := primeField(fields[1])
	if err != nil {
		return nil, nil, err
	}
	ab, err := fields[2].Children()
	if err != nil {
		return nil, nil, err
	}
	if len(ab) < 2 || ab[0].Tag != tlv.OctetString || ab[1].Tag != tlv.OctetString {
		return nil, nil, fields[2].Err(tlv.ErrMissing)
	}
	base := fields[3].Value
	if fields[3].Tag != tlv.OctetString || len(base) < 3 || base[0] != 4 && base[0] != 2 && base[0] != 3 {
		return nil, nil, fields[3].Err(tlv.ErrValue)
	}
	n, err := fields[4].UnsignedInt()
	if err != nil {
		return nil, nil, err
	}
	cofactor := 1
	var ds []deviation.Deviation
	if len(fields) > 5 && fields[5].Tag == tlv.Integer {
		if cofactor, err = fields[5].Int(); err != nil {
			return nil, nil, err
		}
	} else {
		ds = append(ds, deviation.Deviation{Code: deviation.CertNoCofactor, Offset: algorithm.Offset})
	}
	if base[0] != 4 || len(base)%2 != 1 {
		return nil, nil, fields[3].Err(fmt.Errorf("compressed base point: %w", ErrUnsupported))
	}
	half := len(base) / 2
	c := ec.Match(p, new(big.Int).SetBytes(ab[0].Value), new(big.Int).SetBytes(ab[1].Value),
		new(big.Int).SetBytes(base[1:1+half]), new(big.Int).SetBytes(base[1+half:]), n, cofactor)
	if c == nil {
		return nil, nil, e.Err(fmt.Errorf("explicit parameters are those of no known curve: %w", ErrKey))
	}
	return c, ds, nil
}

func primeField(e tlv.Element) (*big.Int, error) {
	oid, params, err := algorithmIdentifier(e)
	if err != nil {
		return nil, err
	}
	if oid != oidPrimeField {
		return nil, e.Err(fmt.Errorf("field %s: %w", oid, ErrUnsupported))
	}
	p, err := params.parse()
	if err != nil {
		return nil, err
	}
	return p.UnsignedInt()
}

// Outcome is how a signature verified: the algorithm that did, and the
// departures met on the way.
type Outcome struct {
	Scheme     Scheme
	Hash       crypto.Hash
	Deviations []deviation.Deviation
}

// Verify checks sig over message under a. fallback is the hash to use where a
// names none, and to try where a's own does not fit; zero for none. A signature
// that fails under every reading is ErrSignature.
func (k *PublicKey) Verify(a SignatureAlgorithm, fallback crypto.Hash, message, sig []byte) (Outcome, error) {
	switch a.Scheme {
	case RSAPKCS1, GenericRSA, RSAPSS:
		if k.rsa == nil {
			return Outcome{}, refuseSignature(fmt.Errorf("%s with a key of another kind: %w", a.Scheme, ErrUnsupported))
		}
		return k.verifyRSA(a, fallback, message, sig)
	case ECDSA, ECDSAPlain, GenericECDSA:
		if k.Kind != KeyEC {
			return Outcome{}, refuseSignature(fmt.Errorf("%s with a key of another kind: %w", a.Scheme, ErrUnsupported))
		}
		return k.verifyECDSA(a, fallback, message, sig)
	case DSA:
		return Outcome{}, refuseSignature(fmt.Errorf("DSA: %w", ErrUnsupported))
	case SchemeUnknown:
	}
	return Outcome{}, refuseSignature(fmt.Errorf("algorithm %s: %w", a.OID, ErrUnsupported))
}
