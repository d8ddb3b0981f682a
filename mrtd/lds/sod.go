package lds

import (
	"crypto"
	"fmt"
	"slices"

	"ipse/mrtd/cms"
	"ipse/mrtd/deviation"
	"ipse/mrtd/tlv"
)

// Content types of the LDS security object: ICAO's, and those that documents in
// circulation carry instead.
const (
	oidSecurityObject = "2.23.136.1.1.1"
	oidData           = "1.2.840.113549.1.7.1"  // China
	oidOldICAO        = "1.3.27.1.1.1"          // early Belgian and French documents
	oidSdu            = "1.2.528.1.1006.1.20.1" // early Dutch documents
)

// DocumentSecurity is EF.SOD (Doc 9303-10 §4.6.2): the signed data and the
// security object inside it. The content is to be believed only once the
// signature is verified.
type DocumentSecurity struct {
	Signed *cms.SignedData
	SecurityObject
	Deviations []deviation.Deviation
}

// SecurityObject is LDSSecurityObject (Doc 9303-10 §4.6.2.2): which data groups
// the document has and their hashes.
type SecurityObject struct {
	Version    int
	Hash       crypto.Hash
	Groups     []GroupHash // by ascending number
	LDSVersion string      // "" in version 0
}

// GroupHash is the signed hash of one data group.
type GroupHash struct {
	Number int
	Hash   []byte
}

// Lists reports whether the security object lists the data group.
func (o *SecurityObject) Lists(id FileID) bool {
	n, ok := id.Number()
	return ok && o.HashOf(n) != nil
}

// HashOf returns the signed hash of data group n, or nil.
func (o *SecurityObject) HashOf(n int) []byte {
	for _, g := range o.Groups {
		if g.Number == n {
			return g.Hash
		}
	}
	return nil
}

// ParseSOD reads EF.SOD. It verifies nothing.
func ParseSOD(b []byte) (*DocumentSecurity, error) {
	e, ds, err := content(SOD, b)
	if err != nil {
		return nil, err
	}
	signed, err := cms.ParseSignedDataAt(e.Value, e.ValueOffset())
	if err != nil {
		return nil, fail(SOD, err)
	}
	object, err := parseSecurityObject(signed.Content, signed.ContentOffset)
	if err != nil {
		return nil, fail(SOD, err)
	}
	ds = append(ds, deviation.At(string(SOD), signed.Deviations)...)
	switch signed.ContentType {
	case oidSecurityObject:
	case oidData, oidOldICAO, oidSdu:
		ds = append(ds, at(SOD, deviation.SODContentType, 0))
	default:
		ds = append(ds, at(SOD, deviation.SODContentTypeAlien, 0))
	}
	if len(signed.Certificates) > 1 {
		ds = append(ds, at(SOD, deviation.SODManyCertificates, 0))
	}
	return &DocumentSecurity{Signed: signed, SecurityObject: *object, Deviations: ds}, nil
}

func parseSecurityObject(b []byte, offset int) (*SecurityObject, error) {
	e, err := tlv.ParseAt(b, offset)
	if err != nil {
		return nil, err
	}
	if e.Tag != tlv.Sequence {
		return nil, e.Err(tlv.ErrUnwanted)
	}
	r := e.Reader()
	o := &SecurityObject{}
	version, err := r.Expect(tlv.Integer)
	if err != nil {
		return nil, err
	}
	if o.Version, err = version.Int(); err != nil {
		return nil, err
	}
	algorithm, err := r.Expect(tlv.Sequence)
	if err != nil {
		return nil, err
	}
	id, err := algorithm.Reader().Expect(tlv.OID)
	if err != nil {
		return nil, err
	}
	oid, err := id.ObjectIdentifier()
	if err != nil {
		return nil, err
	}
	if o.Hash = cms.HashByOID(oid); o.Hash == 0 {
		return nil, id.Err(fmt.Errorf("data group hash algorithm %s: %w", oid, ErrUnsupported))
	}
	list, err := r.Expect(tlv.Sequence)
	if err != nil {
		return nil, err
	}
	if err := o.parseGroups(list); err != nil {
		return nil, err
	}
	return o, o.parseVersionInfo(r)
}

func (o *SecurityObject) parseGroups(list tlv.Element) error {
	for r := list.Reader(); !r.Empty(); {
		e, err := r.Expect(tlv.Sequence)
		if err != nil {
			return err
		}
		fields := e.Reader()
		number, err := fields.Expect(tlv.Integer)
		if err != nil {
			return err
		}
		n, err := number.Int()
		if err != nil {
			return err
		}
		hash, err := fields.Expect(tlv.OctetString)
		if err != nil {
			return err
		}
		if n < 1 || n > 16 || o.HashOf(n) != nil || len(hash.Value) != o.Hash.Size() {
			return e.Err(tlv.ErrValue)
		}
		o.Groups = append(o.Groups, GroupHash{n, hash.Value})
	}
	if len(o.Groups) == 0 {
		return list.Err(tlv.ErrMissing)
	}
	slices.SortFunc(o.Groups, func(a, b GroupHash) int { return a.Number - b.Number })
	return nil
}

func (o *SecurityObject) parseVersionInfo(r *tlv.Reader) error {
	info, ok, err := r.Optional(tlv.Sequence)
	if err != nil || !ok {
		return err
	}
	version, err := info.Reader().Next()
	if err != nil {
		return err
	}
	o.LDSVersion = asciiDigits(version.Value)
	return nil
}
