package cms

import (
	"crypto"
	_ "crypto/sha1"   // registers SHA-1, which old documents use
	_ "crypto/sha256" // registers SHA-224 and SHA-256
	_ "crypto/sha512" // registers SHA-384 and SHA-512
	"fmt"

	"ipse/mrtd/deviation"
	"ipse/mrtd/tlv"
)

// Scheme is a family of signature algorithms.
type Scheme int

// The schemes met in travel documents (ICAO 9303-12 §4.1.6). DSA is recognised
// in order to be refused by name.
const (
	SchemeUnknown Scheme = iota
	RSAPKCS1             // RSASSA-PKCS1-v1_5
	RSAPSS               // RSASSA-PSS
	ECDSA                // signature is SEQUENCE { r, s }
	ECDSAPlain           // BSI TR-03111 plain format r||s
	DSA                  // refused
	GenericRSA           // rsaEncryption as a signature algorithm: PKCS#1 with the signer's digest
	GenericECDSA         // id-ecPublicKey as a signature algorithm
)

// String names the scheme as a verdict shows it.
func (s Scheme) String() string {
	switch s {
	case RSAPKCS1, GenericRSA:
		return "RSA PKCS#1 v1.5"
	case RSAPSS:
		return "RSA PSS"
	case ECDSA, GenericECDSA:
		return "ECDSA"
	case ECDSAPlain:
		return "ECDSA (plain)"
	case DSA:
		return "DSA"
	case SchemeUnknown:
	}
	return "unknown"
}

// SignatureAlgorithm is an AlgorithmIdentifier of a signature, understood.
type SignatureAlgorithm struct {
	OID    string
	Scheme Scheme
	// Hash is zero where the identifier names none (generic identifiers).
	Hash crypto.Hash
	// MGFHash and SaltLength (octets) are those of PSS.
	MGFHash    crypto.Hash
	SaltLength int

	raw        []byte // the identifier as encoded, for comparison
	deviations []deviation.Deviation
}

// String formats the algorithm, for example "RSA PSS with SHA-256".
func (a SignatureAlgorithm) String() string {
	if a.Hash == 0 {
		return a.Scheme.String()
	}
	return a.Scheme.String() + " with " + a.Hash.String()
}

// Object identifiers (RFC 3279, 4055, 5758; BSI TR-03111 §5.2.1).
const (
	oidRSA         = "1.2.840.113549.1.1.1"
	oidMGF1        = "1.2.840.113549.1.1.8"
	oidPSS         = "1.2.840.113549.1.1.10"
	oidEC          = "1.2.840.10045.2.1"
	oidPrimeField  = "1.2.840.10045.1.1"
	oidECSpecified = "1.2.840.10045.4.3"
	oidDSA         = "1.2.840.10040.4.1"
)

// HashByOID returns the hash function of a digest algorithm, or 0. SHA-1 to
// SHA-512 (RFC 5754); MD5 is not among them.
func HashByOID(oid string) crypto.Hash {
	switch oid {
	case "1.3.14.3.2.26":
		return crypto.SHA1
	case "2.16.840.1.101.3.4.2.4":
		return crypto.SHA224
	case "2.16.840.1.101.3.4.2.1":
		return crypto.SHA256
	case "2.16.840.1.101.3.4.2.2":
		return crypto.SHA384
	case "2.16.840.1.101.3.4.2.3":
		return crypto.SHA512
	}
	return 0
}

// HashOID is the inverse of HashByOID, "" for other functions.
func HashOID(h crypto.Hash) string {
	switch h { //nolint:exhaustive // Doc 9303 knows no others
	case crypto.SHA1:
		return "1.3.14.3.2.26"
	case crypto.SHA224:
		return "2.16.840.1.101.3.4.2.4"
	case crypto.SHA256:
		return "2.16.840.1.101.3.4.2.1"
	case crypto.SHA384:
		return "2.16.840.1.101.3.4.2.2"
	case crypto.SHA512:
		return "2.16.840.1.101.3.4.2.3"
	}
	return ""
}

// signatureByOID matches whole identifiers: matching a suffix is how verifiers
// came to accept the wrong algorithm.
func signatureByOID(oid string) (Scheme, crypto.Hash) {
	switch oid {
	case oidRSA:
		return GenericRSA, 0
	case "1.2.840.113549.1.1.5", "1.3.14.3.2.29":
		return RSAPKCS1, crypto.SHA1
	case "1.2.840.113549.1.1.14":
		return RSAPKCS1, crypto.SHA224
	case "1.2.840.113549.1.1.11":
		return RSAPKCS1, crypto.SHA256
	case "1.2.840.113549.1.1.12":
		return RSAPKCS1, crypto.SHA384
	case "1.2.840.113549.1.1.13":
		return RSAPKCS1, crypto.SHA512
	case oidPSS:
		return RSAPSS, 0
	case "1.2.840.10045.4.1":
		return ECDSA, crypto.SHA1
	case "1.2.840.10045.4.3.1":
		return ECDSA, crypto.SHA224
	case "1.2.840.10045.4.3.2":
		return ECDSA, crypto.SHA256
	case "1.2.840.10045.4.3.3":
		return ECDSA, crypto.SHA384
	case "1.2.840.10045.4.3.4":
		return ECDSA, crypto.SHA512
	case "0.4.0.127.0.7.1.1.4.1.1":
		return ECDSAPlain, crypto.SHA1
	case "0.4.0.127.0.7.1.1.4.1.2":
		return ECDSAPlain, crypto.SHA224
	case "0.4.0.127.0.7.1.1.4.1.3":
		return ECDSAPlain, crypto.SHA256
	case "0.4.0.127.0.7.1.1.4.1.4":
		return ECDSAPlain, crypto.SHA384
	case "0.4.0.127.0.7.1.1.4.1.5":
		return ECDSAPlain, crypto.SHA512
	case oidEC:
		return GenericECDSA, 0
	case oidDSA, "1.2.840.10040.4.3", "2.16.840.1.101.3.4.3.1", "2.16.840.1.101.3.4.3.2":
		return DSA, 0
	}
	return SchemeUnknown, 0
}

// parseSignatureAlgorithm reads an AlgorithmIdentifier. An unknown one is not an
// error here: whoever verifies with it is refused.
func parseSignatureAlgorithm(e tlv.Element) (SignatureAlgorithm, error) {
	oid, params, err := algorithmIdentifier(e)
	if err != nil {
		return SignatureAlgorithm{}, err
	}
	a := SignatureAlgorithm{OID: oid, raw: e.Raw}
	a.Scheme, a.Hash = signatureByOID(oid)
	switch {
	case a.Scheme == RSAPSS:
		err = a.parsePSS(params)
	case oid == oidECSpecified && len(params.b) > 0: // RFC 5480 appendix: hash in the parameters
		a.Scheme = ECDSA
		a.Hash, err = hashIdentifier(params)
	case a.Scheme == RSAPKCS1 && len(params.b) == 0:
		a.deviations = append(a.deviations, deviation.Deviation{Code: deviation.CertRSANoNull, Offset: e.Offset})
	}
	return a, err
}

// span is octets of the input whose place is known.
type span struct {
	b  []byte
	at int // offset in the outermost input
}

func contents(e tlv.Element) span { return span{e.Value, e.ValueOffset()} }

func (s span) parse() (tlv.Element, error) { return tlv.ParseAt(s.b, s.at) }

// algorithmIdentifier splits SEQUENCE { algorithm OID, parameters ANY OPTIONAL }.
func algorithmIdentifier(e tlv.Element) (oid string, params span, err error) {
	if e.Tag != tlv.Sequence {
		return "", span{}, e.Err(tlv.ErrUnwanted)
	}
	r := e.Reader()
	id, err := r.Expect(tlv.OID)
	if err != nil {
		return "", span{}, err
	}
	oid, err = id.ObjectIdentifier()
	return oid, span{r.Rest(), r.Offset()}, err
}

func hashIdentifier(der span) (crypto.Hash, error) {
	e, _, err := tlv.ParsePrefixAt(der.b, der.at)
	if err != nil {
		return 0, err
	}
	oid, _, err := algorithmIdentifier(e)
	if err != nil {
		return 0, err
	}
	h := HashByOID(oid)
	if h == 0 {
		return 0, e.Err(fmt.Errorf("hash %s: %w", oid, ErrUnsupported))
	}
	return h, nil
}

// parsePSS reads RSASSA-PSS-params (RFC 4055 §3.1) with their defaults: SHA-1,
// MGF1 with SHA-1, 20 octets of salt, trailer 1.
func (a *SignatureAlgorithm) parsePSS(params span) error {
	a.Hash, a.MGFHash, a.SaltLength = crypto.SHA1, crypto.SHA1, 20
	if len(params.b) == 0 {
		return nil
	}
	e, err := params.parse()
	if err != nil {
		return err
	}
	if e.Tag == tlv.Null {
		return nil
	}
	fields, err := e.Children()
	if err != nil {
		return err
	}
	for _, f := range fields {
		switch f.Tag {
		case tlv.ContextConstructed(0):
			a.Hash, err = hashIdentifier(contents(f))
		case tlv.ContextConstructed(1):
			a.MGFHash, err = mgfHash(contents(f))
		case tlv.ContextConstructed(2):
			a.SaltLength, err = innerInt(f)
		case tlv.ContextConstructed(3):
			var trailer int
			if trailer, err = innerInt(f); err == nil && trailer != 1 {
				err = f.Err(fmt.Errorf("PSS trailer: %w", ErrUnsupported))
			}
		default:
			err = f.Err(tlv.ErrUnwanted)
		}
		if err != nil {
			return err
		}
	}
	if a.SaltLength < 0 || a.SaltLength > 512 {
		return e.Err(fmt.Errorf("PSS salt length: %w", ErrMalformed))
	}
	return nil
}

func mgfHash(der span) (crypto.Hash, error) {
	e, err := der.parse()
	if err != nil {
		return 0, err
	}
	oid, params, err := algorithmIdentifier(e)
	if err != nil {
		return 0, err
	}
	if oid != oidMGF1 {
		return 0, e.Err(fmt.Errorf("mask generation function %s: %w", oid, ErrUnsupported))
	}
	return hashIdentifier(params)
}

func innerInt(e tlv.Element) (int, error) {
	n, err := e.Reader().Expect(tlv.Integer)
	if err != nil {
		return 0, err
	}
	return n.Int()
}

func sum(h crypto.Hash, parts ...[]byte) []byte {
	d := h.New()
	for _, p := range parts {
		d.Write(p)
	}
	return d.Sum(nil)
}
