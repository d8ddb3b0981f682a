package cms

import (
	"bytes"
	"crypto"
	"fmt"
	"slices"
	"time"

	"ipse/mrtd/deviation"
	"ipse/mrtd/tlv"
)

const (
	oidSignedData    = "1.2.840.113549.1.7.2"
	oidContentType   = "1.2.840.113549.1.9.3"
	oidMessageDigest = "1.2.840.113549.1.9.4"
	oidSigningTime   = "1.2.840.113549.1.9.5"
)

// Limits of signed data, above what EF.SOD and master lists hold.
const (
	maxSigners      = 8
	maxCertificates = 4096
)

// SignedData is a CMS SignedData (RFC 5652 §5) with its parts as received.
type SignedData struct {
	Version     int
	ContentType string // dotted object identifier
	Content     []byte // the eContent octets, what the digest covers
	// ContentOffset is where Content begins in the file, or its first part where it was
	// sent in several.
	ContentOffset int
	Digests       []string
	Certificates  [][]byte // as encoded; parse with ParseCertificate
	CRLs          [][]byte
	Signers       []SignerInfo
	Deviations    []deviation.Deviation
}

// SignerInfo is one signature (RFC 5652 §5.3).
type SignerInfo struct {
	Version      int
	Issuer       *Name  // with Serial, or
	Serial       []byte // contents octets
	SubjectKeyID []byte // this
	Digest       string
	Algorithm    SignatureAlgorithm
	Signature    []byte
	// SigningTime is zero where the attribute is missing.
	SigningTime time.Time

	attrs         []byte // contents of signedAttrs in DER framing, nil without
	contentType   string
	messageDigest []byte
}

// ParseSignedData reads ContentInfo { signedData }. Trailing bytes are a
// deviation; indefinite lengths too.
func ParseSignedData(b []byte) (*SignedData, error) { return ParseSignedDataAt(b, 0) }

func refuseSigned(err error) error { return tlv.Refuse("signed data", "RFC 5652 5", err) }

// ParseSignedDataAt is ParseSignedData for octets that begin at offset of their file, so
// that every refusal and deviation names its place there.
func ParseSignedDataAt(b []byte, offset int) (*SignedData, error) {
	e, n, err := tlv.ParsePrefixAt(b, offset)
	if err != nil {
		return nil, refuseSigned(err)
	}
	sd := &SignedData{}
	if n != len(b) {
		sd.deviate(deviation.SODTrailing, offset+n)
	}
	if err := sd.parse(e); err != nil {
		return nil, refuseSigned(err)
	}
	return sd, nil
}

func (sd *SignedData) deviate(code deviation.Code, offset int) {
	sd.Deviations = append(sd.Deviations, deviation.Deviation{Code: code, Offset: offset})
}

func (sd *SignedData) parse(e tlv.Element) error {
	if e.Tag != tlv.Sequence {
		return e.Err(tlv.ErrUnwanted)
	}
	r := e.Reader()
	id, err := r.Expect(tlv.OID)
	if err != nil {
		return err
	}
	if oid, err := id.ObjectIdentifier(); err != nil || oid != oidSignedData {
		return id.Err(tlv.ErrUnwanted)
	}
	explicit, err := r.Expect(tlv.ContextConstructed(0))
	if err != nil {
		return err
	}
	body, err := explicit.Reader().Expect(tlv.Sequence)
	if err != nil {
		return err
	}
	if e.Indefinite || explicit.Indefinite || body.Indefinite || e.NonMinimal || body.NonMinimal {
		sd.deviate(deviation.SODIndefinite, e.Offset)
	}
	return sd.parseBody(body.Reader())
}

func (sd *SignedData) parseBody(r *tlv.Reader) error {
	version, err := r.Expect(tlv.Integer)
	if err != nil {
		return err
	}
	if sd.Version, err = version.Int(); err != nil {
		return err
	}
	if sd.Version != 3 { // RFC 5652 §5.1: the content is not id-data; Doc 9303 asks for 3
		sd.deviate(deviation.SODVersion, version.Offset)
	}
	digests, err := r.Expect(tlv.Set)
	if err != nil {
		return err
	}
	algorithms, err := digests.Children()
	if err != nil {
		return err
	}
	for _, a := range algorithms {
		oid, _, err := algorithmIdentifier(a)
		if err != nil {
			return err
		}
		sd.Digests = append(sd.Digests, oid)
	}
	content, err := r.Expect(tlv.Sequence)
	if err != nil {
		return err
	}
	if err := sd.parseContent(content); err != nil {
		return err
	}
	if sd.Certificates, err = optionalSet(r, tlv.ContextConstructed(0)); err != nil {
		return err
	}
	if sd.CRLs, err = optionalSet(r, tlv.ContextConstructed(1)); err != nil {
		return err
	}
	signers, err := r.Expect(tlv.Set)
	if err != nil {
		return err
	}
	return sd.parseSigners(signers)
}

func optionalSet(r *tlv.Reader, tag tlv.Tag) ([][]byte, error) {
	set, ok, err := r.Optional(tag)
	if err != nil || !ok {
		return nil, err
	}
	kids, err := set.Children()
	if err != nil {
		return nil, err
	}
	if len(kids) > maxCertificates {
		return nil, set.Err(tlv.ErrCount)
	}
	out := make([][]byte, len(kids))
	for i, k := range kids {
		out[i] = k.Raw
	}
	return out, nil
}

func (sd *SignedData) parseContent(e tlv.Element) error {
	r := e.Reader()
	id, err := r.Expect(tlv.OID)
	if err != nil {
		return err
	}
	if sd.ContentType, err = id.ObjectIdentifier(); err != nil {
		return err
	}
	explicit, err := r.Expect(tlv.ContextConstructed(0))
	if err != nil {
		return err
	}
	octets, err := explicit.Reader().Next()
	if err != nil {
		return err
	}
	if octets.Tag&^0x20 != tlv.OctetString {
		return octets.Err(tlv.ErrUnwanted)
	}
	if octets.Tag.Constructed() || octets.Indefinite {
		sd.deviate(deviation.SODIndefinite, octets.Offset)
	}
	sd.ContentOffset = octets.ValueOffset()
	sd.Content, err = octets.Octets()
	return err
}

func (sd *SignedData) parseSigners(set tlv.Element) error {
	kids, err := set.Children()
	if err != nil {
		return err
	}
	if len(kids) == 0 {
		return set.Err(tlv.ErrMissing)
	}
	if len(kids) > maxSigners {
		return set.Err(tlv.ErrCount)
	}
	if len(kids) > 1 {
		sd.deviate(deviation.SODManySigners, set.Offset)
	}
	for _, k := range kids {
		s, err := parseSigner(k)
		if err != nil {
			return err
		}
		if s.Version != 1 && s.Issuer != nil || s.Version != 3 && s.Issuer == nil { // RFC 5652 §5.3
			sd.deviate(deviation.SODVersion, k.Offset)
		}
		sd.Signers = append(sd.Signers, s)
	}
	return nil
}

func parseSigner(e tlv.Element) (SignerInfo, error) {
	var s SignerInfo
	if e.Tag != tlv.Sequence {
		return s, e.Err(tlv.ErrUnwanted)
	}
	r := e.Reader()
	version, err := r.Expect(tlv.Integer)
	if err != nil {
		return s, err
	}
	if s.Version, err = version.Int(); err != nil {
		return s, err
	}
	sid, err := r.Next()
	if err != nil {
		return s, err
	}
	if err := s.parseIdentifier(sid); err != nil {
		return s, err
	}
	digest, err := r.Expect(tlv.Sequence)
	if err != nil {
		return s, err
	}
	if s.Digest, _, err = algorithmIdentifier(digest); err != nil {
		return s, err
	}
	attrs, ok, err := r.Optional(tlv.ContextConstructed(0))
	if err != nil {
		return s, err
	}
	if ok {
		if err := s.parseAttributes(attrs); err != nil {
			return s, err
		}
	}
	algorithm, err := r.Expect(tlv.Sequence)
	if err != nil {
		return s, err
	}
	if s.Algorithm, err = parseSignatureAlgorithm(algorithm); err != nil {
		return s, err
	}
	signature, err := r.Next()
	if err != nil {
		return s, err
	}
	if signature.Tag&^0x20 != tlv.OctetString {
		return s, signature.Err(tlv.ErrUnwanted)
	}
	s.Signature, err = signature.Octets()
	return s, err
}

func (s *SignerInfo) parseIdentifier(e tlv.Element) error {
	switch e.Tag {
	case tlv.Sequence:
		r := e.Reader()
		issuer, err := r.Expect(tlv.Sequence)
		if err != nil {
			return err
		}
		name, err := parseName(issuer)
		if err != nil {
			return err
		}
		serial, err := r.Expect(tlv.Integer)
		if err != nil {
			return err
		}
		s.Issuer, s.Serial = &name, serial.Value
		return nil
	case tlv.Context(0):
		s.SubjectKeyID = e.Value
		return nil
	}
	return e.Err(tlv.ErrUnwanted)
}

// parseAttributes reads SignedAttributes. A repeated attribute is refused: which
// of two digests counts must not be a choice.
func (s *SignerInfo) parseAttributes(e tlv.Element) error {
	der, err := tlv.ToDER(e.Value)
	if err != nil {
		return err
	}
	s.attrs = der
	attrs, err := e.Children()
	if err != nil {
		return err
	}
	for _, a := range attrs {
		r := a.Reader()
		id, err := r.Expect(tlv.OID)
		if err != nil {
			return err
		}
		oid, err := id.ObjectIdentifier()
		if err != nil {
			return err
		}
		values, err := r.Expect(tlv.Set)
		if err != nil {
			return err
		}
		if err := s.attribute(oid, values); err != nil {
			return err
		}
	}
	if s.messageDigest == nil {
		return e.Err(fmt.Errorf("no message-digest attribute: %w", ErrMalformed))
	}
	return nil
}

func (s *SignerInfo) attribute(oid string, values tlv.Element) error {
	if oid != oidContentType && oid != oidMessageDigest && oid != oidSigningTime {
		return nil
	}
	kids, err := values.Children()
	if err != nil {
		return err
	}
	if len(kids) != 1 {
		return values.Err(tlv.ErrCount)
	}
	v := kids[0]
	switch {
	case oid == oidContentType && s.contentType == "":
		s.contentType, err = v.ObjectIdentifier()
	case oid == oidMessageDigest && s.messageDigest == nil && v.Tag&^0x20 == tlv.OctetString:
		if s.messageDigest, err = v.Octets(); err == nil && len(s.messageDigest) == 0 {
			err = v.Err(tlv.ErrValue)
		}
	case oid == oidSigningTime && s.SigningTime.IsZero():
		s.SigningTime, err = v.Time()
	default:
		err = v.Err(tlv.ErrUnwanted)
	}
	return err
}

// Matches reports whether the signer identifier names c.
func (s *SignerInfo) Matches(c *Certificate) bool {
	if s.Issuer == nil {
		return len(s.SubjectKeyID) > 0 && bytes.Equal(s.SubjectKeyID, c.SubjectKeyID)
	}
	return bytes.Equal(trimZeros(s.Serial), trimZeros(c.Serial)) && s.Issuer.Equal(c.Issuer)
}

// Verify checks that the holder of c's key signed the content: the message
// digest over the content, and the signature over the signed attributes (RFC
// 5652 §5.4). Deviations of the outcome are those met in this signature.
func (sd *SignedData) Verify(s *SignerInfo, c *Certificate) (Outcome, error) {
	digest := HashByOID(s.Digest)
	if digest == 0 {
		return Outcome{}, refuseSigned(fmt.Errorf("digest algorithm %s: %w", s.Digest, ErrUnsupported))
	}
	out := Outcome{}
	var found []deviation.Deviation
	add := func(code deviation.Code) { found = append(found, deviation.Deviation{Code: code}) }
	if !slices.Contains(sd.Digests, s.Digest) {
		add(deviation.SODDigestNotListed)
	}
	var err error
	if s.attrs == nil {
		add(deviation.SODNoSignedAttrs)
		// Signed attributes start with 0x31: content that does could be a replay
		// of somebody's attributes (RFC 5652 §5.4 attack, Vaudenay et al.).
		if len(sd.Content) > 0 && sd.Content[0] == byte(tlv.Set) {
			return out, refuseSigned(&tlv.Error{Offset: sd.ContentOffset, Reason: fmt.Errorf("content without attributes starts like attributes: %w", ErrMalformed)})
		}
		out, err = c.Key.Verify(s.Algorithm, digest, sd.Content, s.Signature)
	} else {
		if !bytes.Equal(sum(digest, sd.Content), s.messageDigest) {
			return out, refuseSigned(&tlv.Error{Offset: sd.ContentOffset, Reason: ErrDigest})
		}
		if s.contentType != sd.ContentType {
			add(deviation.SODAttrType)
		}
		out, err = s.verifyAttributes(c.Key, digest, add)
	}
	if err != nil {
		return out, err
	}
	if s.Algorithm.Hash == 0 {
		add(deviation.SODGenericAlgorithm)
	}
	if s.Algorithm.Hash != 0 && s.Algorithm.Hash != digest && !slices.ContainsFunc(out.Deviations, isDigestDiffers) {
		add(deviation.SODDigestDiffers)
	}
	if out.Hash == crypto.SHA1 || digest == crypto.SHA1 {
		add(deviation.SODWeakHash)
	}
	out.Deviations = append(found, out.Deviations...)
	return out, nil
}

func isDigestDiffers(d deviation.Deviation) bool { return d.Code == deviation.SODDigestDiffers }

// verifyAttributes tries the attributes in the order sent, then in DER's order
// of a SET OF, which is what RFC 5652 §5.4 wants hashed.
func (s *SignerInfo) verifyAttributes(key *PublicKey, digest crypto.Hash, add func(deviation.Code)) (Outcome, error) {
	out, err := key.Verify(s.Algorithm, digest, tlv.Encode(tlv.Set, s.attrs), s.Signature)
	if err == nil {
		return out, nil
	}
	kids, kidsErr := tlv.Element{Tag: tlv.Set, Value: s.attrs, Raw: s.attrs}.Children()
	if kidsErr != nil {
		return out, err
	}
	parts := make([][]byte, len(kids))
	for i, k := range kids {
		parts[i] = k.Raw
	}
	if slices.IsSortedFunc(parts, bytes.Compare) {
		return out, err
	}
	slices.SortFunc(parts, bytes.Compare)
	sorted, sortedErr := key.Verify(s.Algorithm, digest, tlv.Encode(tlv.Set, parts...), s.Signature)
	if sortedErr != nil {
		return out, err
	}
	add(deviation.SODAttrsOrder)
	return sorted, nil
}
