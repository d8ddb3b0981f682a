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
	oidSignedData     = "1.2.840.113549.1.7.2"
	oidSecurityObject = "2.23.136.1.1.1"
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
	wrongID      bool // fault: the signer identifier names another serial number
}

// signData makes a CMS SignedData with signed attributes (RFC 5652 §5).
func signData(rand io.Reader, signer *authority, spec signSpec) ([]byte, error) {
	h := signer.key.hash
	attributes := [][]byte{
		attribute(oidContentType, tlv.EncodeOID(spec.contentType)),
		attribute(oidSigningTime, tlv.EncodeTime(spec.at)),
		attribute(oidMessageDigest, tlv.Encode(tlv.OctetString, hashOf(h, spec.content))),
	}
	slices.SortFunc(attributes, bytes.Compare)
	sig, err := signer.key.sign(rand, tlv.Encode(tlv.Set, attributes...))
	if err != nil {
		return nil, err
	}
	c, err := cms.ParseCertificate(signer.cert)
	if err != nil {
		return nil, err
	}
	serial := bytes.Clone(c.Serial)
	if spec.wrongID {
		serial[len(serial)-1] ^= 1
	}
	info := tlv.Encode(tlv.Sequence, tlv.EncodeInt(1),
		tlv.Encode(tlv.Sequence, c.Issuer.Raw, tlv.Encode(tlv.Integer, serial)),
		digestIdentifier(h), tlv.Encode(tlv.ContextConstructed(0), attributes...),
		signer.key.identifier(), tlv.Encode(tlv.OctetString, sig))
	parts := [][]byte{tlv.EncodeInt(3), tlv.Encode(tlv.Set, digestIdentifier(h)),
		tlv.Encode(tlv.Sequence, tlv.EncodeOID(spec.contentType),
			tlv.Encode(tlv.ContextConstructed(0), tlv.Encode(tlv.OctetString, spec.content)))}
	if len(spec.certificates) > 0 {
		parts = append(parts, tlv.Encode(tlv.ContextConstructed(0), spec.certificates...))
	}
	parts = append(parts, tlv.Encode(tlv.Set, info))
	return tlv.Encode(tlv.Sequence, tlv.EncodeOID(oidSignedData),
		tlv.Encode(tlv.ContextConstructed(0), tlv.Encode(tlv.Sequence, parts...))), nil
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
