package specimen

import (
	"bytes"
	"crypto"
	"io"
	"slices"
	"time"

	"ipse/mrtd/cms"
	"ipse/mrtd/tlv"
)

// Content types of signed data.
const (
	oidData           = "1.2.840.113549.1.7.1"
	oidSignedData     = "1.2.840.113549.1.7.2"
	oidSecurityObject = "2.23.136.1.1.1"
	oidCardSecurity   = "0.4.0.127.0.7.3.2.1" // id-SecurityObject
	oidMasterList     = "2.23.136.1.1.2"
	oidContentType    = "1.2.840.113549.1.9.3"
	oidMessageDigest  = "1.2.840.113549.1.9.4"
	oidSigningTime    = "1.2.840.113549.1.9.5"
)

// signSpec is what a SignedData says.
type signSpec struct {
	contentType  string
	content      []byte
	at           time.Time
	certificates [][]byte
	// Faults: the signer identifier names another serial number; there are no
	// signed attributes; the digest is another function than the signature's.
	wrongID, noAttributes bool
	digest                crypto.Hash // 0 for the signature's
	plain                 bool        // an ECDSA signature as r||s
	byKey                 bool        // the signer is identified by its key, not by name and number
	before                *authority  // another signer, whose signature comes first
}

// signedPart returns the octets that the signature covers and, where there are
// some, the signed attributes.
func signedPart(spec signSpec) (covered, attributes []byte) {
	if spec.noAttributes {
		return spec.content, nil
	}
	list := [][]byte{
		attribute(oidContentType, tlv.EncodeOID(spec.contentType)),
		attribute(oidSigningTime, tlv.EncodeTime(spec.at)),
		attribute(oidMessageDigest, tlv.Encode(tlv.OctetString, hashOf(spec.digest, spec.content))),
	}
	slices.SortFunc(list, bytes.Compare)
	return tlv.Encode(tlv.Set, list...), tlv.Encode(tlv.ContextConstructed(0), list...)
}

// signData makes a CMS SignedData with signed attributes (RFC 5652 §5).
func signData(rand io.Reader, signer *authority, spec signSpec) ([]byte, error) {
	if spec.digest == 0 {
		spec.digest = signer.key.hash
	}
	infos, err := signerInfo(rand, signer, spec)
	if err != nil {
		return nil, err
	}
	if other := spec.before; other != nil {
		more, err := signerInfo(rand, other, spec)
		if err != nil {
			return nil, err
		}
		infos = append(more, infos...)
		spec.certificates = append(spec.certificates, other.cert)
	}
	parts := [][]byte{tlv.EncodeInt(3), tlv.Encode(tlv.Set, digestIdentifier(spec.digest)),
		tlv.Encode(tlv.Sequence, tlv.EncodeOID(spec.contentType),
			tlv.Encode(tlv.ContextConstructed(0), tlv.Encode(tlv.OctetString, spec.content)))}
	if len(spec.certificates) > 0 {
		parts = append(parts, tlv.Encode(tlv.ContextConstructed(0), spec.certificates...))
	}
	parts = append(parts, tlv.Encode(tlv.Set, infos))
	return tlv.Encode(tlv.Sequence, tlv.EncodeOID(oidSignedData),
		tlv.Encode(tlv.ContextConstructed(0), tlv.Encode(tlv.Sequence, parts...))), nil
}

// signerInfo makes one signature and says whose it is (RFC 5652 §5.3).
func signerInfo(rand io.Reader, signer *authority, spec signSpec) ([]byte, error) {
	covered, attributes := signedPart(spec)
	sig, err := signer.key.sign(rand, covered)
	if err != nil {
		return nil, err
	}
	if spec.plain {
		sig = plainSignature(sig, signer.key.curve)
	}
	c, err := cms.ParseCertificate(signer.cert)
	if err != nil {
		return nil, err
	}
	serial := bytes.Clone(c.Serial)
	if spec.wrongID {
		serial[len(serial)-1] ^= 1
	}
	version, id := 1, tlv.Encode(tlv.Sequence, c.Issuer.Raw, tlv.Encode(tlv.Integer, serial))
	if spec.byKey {
		version, id = 3, tlv.Encode(tlv.Context(0), c.SubjectKeyID)
	}
	return tlv.Encode(tlv.Sequence, tlv.EncodeInt(version), id, digestIdentifier(spec.digest), attributes,
		signer.key.identifier(), tlv.Encode(tlv.OctetString, sig)), nil
}

func attribute(oid string, value []byte) []byte {
	return tlv.Encode(tlv.Sequence, tlv.EncodeOID(oid), tlv.Encode(tlv.Set, value))
}

func digestIdentifier(h crypto.Hash) []byte {
	return tlv.Encode(tlv.Sequence, tlv.EncodeOID(cms.HashOID(h)))
}

// masterList makes a CscaMasterList (ICAO 9303-12 §9).
func masterList(rand io.Reader, signer *authority, authorities [][]byte, at time.Time) ([]byte, error) {
	sorted := slices.Clone(authorities)
	slices.SortFunc(sorted, bytes.Compare)
	content := tlv.Encode(tlv.Sequence, tlv.EncodeInt(0), tlv.Encode(tlv.Set, sorted...))
	return signData(rand, signer, signSpec{contentType: oidMasterList, content: content, at: at,
		certificates: append([][]byte{signer.cert}, authorities...)})
}

// indefinite rewrites the outermost constructed elements of DER with indefinite
// lengths, as New Zealand's documents have them.
func indefinite(der []byte, depth int) []byte {
	e, err := tlv.Parse(der)
	if err != nil || depth == 0 || !e.Tag.Constructed() {
		return der
	}
	kids, err := e.Children()
	if err != nil {
		return der
	}
	out := []byte{byte(e.Tag), 0x80}
	for _, k := range kids {
		out = append(out, indefinite(k.Raw, depth-1)...)
	}
	return append(out, 0, 0)
}
