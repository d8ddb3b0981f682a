package specimen

import (
	"cmp"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"

	"ipse/mrtd/cms"
	"ipse/mrtd/internal/ec"
	"ipse/mrtd/tlv"
)

// Algorithm names a key and signature algorithm of the specimen issuer:
//
//	rsa-2048-sha256      RSA PKCS#1 v1.5, modulus of 2048 bits
//	rsapss-3072-sha256   RSA PSS, salt as long as the hash
//	ecdsa-P-256-sha256   ECDSA; any curve of package ec: P-192 to P-521,
//	                     brainpoolP160r1 to brainpoolP512t1
type Algorithm string

// DefaultAlgorithm is the one most European documents use.
const DefaultAlgorithm Algorithm = "ecdsa-brainpoolP256r1-sha256"

// ErrAlgorithm reports an algorithm name that is not understood.
var ErrAlgorithm = errors.New("specimen: unknown algorithm")

// algorithm is an Algorithm taken apart.
type algorithm struct {
	scheme cms.Scheme
	bits   int
	curve  *ec.Curve
	hash   crypto.Hash
}

func (a Algorithm) parse() (algorithm, error) {
	kind, rest, _ := strings.Cut(string(a), "-")
	cut := strings.LastIndexByte(rest, '-')
	if cut < 0 {
		return algorithm{}, fmt.Errorf("%w: %q", ErrAlgorithm, string(a))
	}
	out := algorithm{hash: hashByName(rest[cut+1:])}
	switch kind {
	case "rsa", "rsapss":
		out.scheme = cms.RSAPKCS1
		if kind == "rsapss" {
			out.scheme = cms.RSAPSS
		}
		out.bits, _ = strconv.Atoi(rest[:cut])
	case "ecdsa":
		out.scheme = cms.ECDSA
		out.curve = ec.ByName(rest[:cut])
	}
	rsaOK := out.bits >= 1024 && out.bits <= 8192
	if out.hash == 0 || out.scheme == cms.SchemeUnknown || out.scheme != cms.ECDSA && !rsaOK || out.scheme == cms.ECDSA && out.curve == nil {
		return algorithm{}, fmt.Errorf("%w: %q", ErrAlgorithm, string(a))
	}
	return out, nil
}

func hashByName(name string) crypto.Hash {
	switch name {
	case "sha1":
		return crypto.SHA1
	case "sha224":
		return crypto.SHA224
	case "sha256":
		return crypto.SHA256
	case "sha384":
		return crypto.SHA384
	case "sha512":
		return crypto.SHA512
	}
	return 0
}

// signingKey is a private key with its algorithm.
type signingKey struct {
	algorithm
	explicit bool // writes its curve out
	salt     int  // of PSS, in octets; 0 for the length of the hash
	// Faults of the key's certificate: it announces another curve, has no NULL
	// parameters, or is for PSS alone.
	announced *ec.Curve
	noNull    bool
	pssKey    bool
	rsa       *rsa.PrivateKey
	ec        *ec.PrivateKey
}

func newSigningKey(name Algorithm, rand io.Reader) (*signingKey, error) {
	a, err := name.parse()
	if err != nil {
		return nil, err
	}
	k := &signingKey{algorithm: a}
	if a.curve != nil {
		k.ec, err = a.curve.GenerateKey(rand)
	} else {
		k.rsa, err = rsa.GenerateKey(rand, a.bits)
	}
	if err != nil {
		return nil, fmt.Errorf("specimen: generate key: %w", err)
	}
	return k, nil
}

func hashOf(h crypto.Hash, b []byte) []byte {
	d := h.New()
	d.Write(b)
	return d.Sum(nil)
}

// sign signs message; ECDSA signatures are SEQUENCE { r, s }.
func (k *signingKey) sign(rand io.Reader, message []byte) ([]byte, error) {
	digest := hashOf(k.hash, message)
	switch {
	case k.ec != nil:
		r, s, err := k.ec.Sign(rand, digest)
		if err != nil {
			return nil, fmt.Errorf("specimen: sign: %w", err)
		}
		return tlv.Encode(tlv.Sequence, tlv.EncodeInteger(new(big.Int).SetBytes(r)), tlv.EncodeInteger(new(big.Int).SetBytes(s))), nil
	case k.scheme == cms.RSAPSS:
		return rsa.SignPSS(rand, k.rsa, k.hash, digest, &rsa.PSSOptions{SaltLength: cmp.Or(k.salt, k.hash.Size())})
	}
	return rsa.SignPKCS1v15(rand, k.rsa, k.hash, digest)
}

// Object identifiers of keys.
const (
	oidRSA = "1.2.840.113549.1.1.1"
	oidPSS = "1.2.840.113549.1.1.10"
	oidMGF = "1.2.840.113549.1.1.8"
	oidEC  = "1.2.840.10045.2.1"
)

func null() []byte { return tlv.Encode(tlv.Null) }

func hashIdentifier(h crypto.Hash) []byte {
	return tlv.Encode(tlv.Sequence, tlv.EncodeOID(cms.HashOID(h)), null())
}

// identifier returns the AlgorithmIdentifier of the key's signatures.
func (k *signingKey) identifier() []byte {
	switch k.scheme { //nolint:exhaustive // parse makes no others
	case cms.ECDSA:
		return tlv.Encode(tlv.Sequence, tlv.EncodeOID(ecdsaOID(k.hash)))
	case cms.RSAPSS:
		mgf := tlv.Encode(tlv.Sequence, tlv.EncodeOID(oidMGF), hashIdentifier(k.hash))
		return tlv.Encode(tlv.Sequence, tlv.EncodeOID(oidPSS), tlv.Encode(tlv.Sequence,
			tlv.Encode(tlv.ContextConstructed(0), hashIdentifier(k.hash)),
			tlv.Encode(tlv.ContextConstructed(1), mgf),
			tlv.Encode(tlv.ContextConstructed(2), tlv.EncodeInt(k.hash.Size()))))
	}
	return tlv.Encode(tlv.Sequence, tlv.EncodeOID(rsaOID(k.hash)), null())
}

func ecdsaOID(h crypto.Hash) string {
	switch h { //nolint:exhaustive // hashByName makes no others
	case crypto.SHA1:
		return "1.2.840.10045.4.1"
	case crypto.SHA224:
		return "1.2.840.10045.4.3.1"
	case crypto.SHA384:
		return "1.2.840.10045.4.3.3"
	case crypto.SHA512:
		return "1.2.840.10045.4.3.4"
	}
	return "1.2.840.10045.4.3.2"
}

func rsaOID(h crypto.Hash) string {
	switch h { //nolint:exhaustive // hashByName makes no others
	case crypto.SHA1:
		return "1.2.840.113549.1.1.5"
	case crypto.SHA224:
		return "1.2.840.113549.1.1.14"
	case crypto.SHA384:
		return "1.2.840.113549.1.1.12"
	case crypto.SHA512:
		return "1.2.840.113549.1.1.13"
	}
	return "1.2.840.113549.1.1.11"
}

// spki returns the SubjectPublicKeyInfo.
func (k *signingKey) spki() []byte {
	switch {
	case k.ec != nil && k.explicit:
		return tlv.Encode(tlv.Sequence, tlv.Encode(tlv.Sequence, tlv.EncodeOID(oidEC), explicitCurve(k.curve)), bitString(k.publicOctets()))
	case k.ec != nil:
		return ecSPKI(cmp.Or(k.announced, k.curve), k.ec)
	}
	id, parameters := oidRSA, null()
	if k.noNull || k.pssKey {
		parameters = nil
	}
	if k.pssKey {
		id = oidPSS
	}
	return tlv.Encode(tlv.Sequence, tlv.Encode(tlv.Sequence, tlv.EncodeOID(id), parameters), bitString(k.publicOctets()))
}

func (k *signingKey) publicOctets() []byte {
	if k.ec != nil {
		return k.ec.Public().Bytes()
	}
	return tlv.Encode(tlv.Sequence, tlv.EncodeInteger(k.rsa.N), tlv.EncodeInt(k.rsa.E))
}

func bitString(b []byte) []byte { return tlv.Encode(tlv.BitString, []byte{0}, b) }

// explicitCurve writes the parameters out, as ICAO 9303-12 §4.1.6.3 asks
// (ECParameters of RFC 3279 §2.3.5).
func explicitCurve(c *ec.Curve) []byte {
	size := c.Size()
	octets := func(n *big.Int) []byte { return n.FillBytes(make([]byte, size)) }
	a, b := c.Coefficients()
	x, y := c.Generator()
	return tlv.Encode(tlv.Sequence, tlv.EncodeInt(1),
		tlv.Encode(tlv.Sequence, tlv.EncodeOID("1.2.840.10045.1.1"), tlv.EncodeInteger(c.Prime())),
		tlv.Encode(tlv.Sequence, tlv.Encode(tlv.OctetString, octets(a)), tlv.Encode(tlv.OctetString, octets(b))),
		tlv.Encode(tlv.OctetString, append(append([]byte{4}, octets(x)...), octets(y)...)),
		tlv.EncodeInteger(c.Order()), tlv.EncodeInt(1))
}

func ecSPKI(c *ec.Curve, k *ec.PrivateKey) []byte {
	return tlv.Encode(tlv.Sequence,
		tlv.Encode(tlv.Sequence, tlv.EncodeOID(oidEC), tlv.EncodeOID(c.OID())), bitString(k.Public().Bytes()))
}

// pkcs8 returns the private key as PKCS#8 DER (RFC 5208; EC as in RFC 5915).
func (k *signingKey) pkcs8() ([]byte, error) {
	if k.ec != nil {
		return ecPKCS8(k.curve, k.ec), nil
	}
	return x509.MarshalPKCS8PrivateKey(k.rsa)
}

func ecPKCS8(c *ec.Curve, k *ec.PrivateKey) []byte {
	private := tlv.Encode(tlv.Sequence, tlv.EncodeInt(1), tlv.Encode(tlv.OctetString, k.Bytes()),
		tlv.Encode(tlv.ContextConstructed(1), bitString(k.Public().Bytes())))
	return tlv.Encode(tlv.Sequence, tlv.EncodeInt(0),
		tlv.Encode(tlv.Sequence, tlv.EncodeOID(oidEC), tlv.EncodeOID(c.OID())), tlv.Encode(tlv.OctetString, private))
}

// errKey reports stored key material that cannot be used.
var errKey = errors.New("specimen: not a private key")

// ParseECKey reads an EC private key in PKCS#8 with a named curve.
func ParseECKey(pkcs8 []byte) (*ec.PrivateKey, error) {
	outer, err := tlv.Parse(pkcs8)
	if err != nil {
		return nil, errKey
	}
	fields, err := outer.Children()
	if err != nil || len(fields) < 3 {
		return nil, errKey
	}
	ids, err := fields[1].Children()
	if err != nil || len(ids) != 2 {
		return nil, errKey
	}
	algorithm, err1 := ids[0].ObjectIdentifier()
	curveOID, err2 := ids[1].ObjectIdentifier()
	curve := ec.ByOID(curveOID)
	if err1 != nil || err2 != nil || algorithm != oidEC || curve == nil {
		return nil, errKey
	}
	inner, err := tlv.Parse(fields[2].Value)
	if err != nil {
		return nil, errKey
	}
	parts, err := inner.Children()
	if err != nil || len(parts) < 2 {
		return nil, errKey
	}
	key, err := curve.NewPrivateKey(parts[1].Value)
	if err != nil {
		return nil, fmt.Errorf("specimen: %w", err)
	}
	return key, nil
}

func loadSigningKey(name Algorithm, pkcs8 []byte) (*signingKey, error) {
	a, err := name.parse()
	if err != nil {
		return nil, err
	}
	k := &signingKey{algorithm: a}
	if a.curve != nil {
		k.ec, err = ParseECKey(pkcs8)
		return k, err
	}
	key, err := x509.ParsePKCS8PrivateKey(pkcs8)
	if err != nil {
		return nil, errKey
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, errKey
	}
	k.rsa = private
	return k, nil
}
