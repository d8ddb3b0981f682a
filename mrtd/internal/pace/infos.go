package pace

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"ipse/mrtd/cms"
	"ipse/mrtd/tlv"
)

// ErrInfos reports octets that are not SecurityInfos.
var ErrInfos = errors.New("pace: not a set of security infos")

// Info is one PACEInfo (9303-11 §9.2.1).
type Info struct {
	Protocol Protocol
	// ParameterID names the domain parameters, -1 where the info names none.
	ParameterID int
}

// CAInfo is one ChipAuthenticationInfo (9303-11 §9.2.5).
type CAInfo struct {
	Protocol Protocol
	Version  int
	KeyID    int // -1 where the info names none
}

// CAKey is one ChipAuthenticationPublicKeyInfo (9303-11 §9.2.6).
type CAKey struct {
	DH    bool
	KeyID int    // -1 where the info names none
	SPKI  []byte // SubjectPublicKeyInfo; see ParseKey
}

// Infos are the SecurityInfos this package knows, of EF.CardAccess, EF.CardSecurity
// or DG14, in their order. Unknown and malformed infos are passed over.
type Infos struct {
	PACE    []Info
	CA      []CAInfo
	Keys    []CAKey
	domains []domainInfo
	// Others counts infos that are of other protocols, or malformed.
	Others int
}

// domainInfo is one PACEDomainParameterInfo (9303-11 §9.2.2).
type domainInfo struct {
	arc       string // for example "0.4.0.127.0.7.2.2.4.2."
	algorithm tlv.Element
	id        int
}

// NotIn counts the infos of PACE, and of its domain parameters, that others lack.
func (i *Infos) NotIn(others *Infos) int {
	n := 0
	for _, p := range i.PACE {
		if !slices.Contains(others.PACE, p) {
			n++
		}
	}
	for _, d := range i.domains {
		if !slices.ContainsFunc(others.domains, func(o domainInfo) bool {
			return o.arc == d.arc && o.id == d.id && bytes.Equal(o.algorithm.Raw, d.algorithm.Raw)
		}) {
			n++
		}
	}
	return n
}

const maxInfos = 64

// ParseInfos reads a SET OF SecurityInfo. Octets after the set are ignored.
func ParseInfos(b []byte) (*Infos, error) {
	set, _, err := tlv.ParsePrefix(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInfos, err)
	}
	if set.Tag != tlv.Set {
		return nil, ErrInfos
	}
	all, err := set.Children()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInfos, err)
	}
	if len(all) > maxInfos {
		return nil, fmt.Errorf("%w: too many", ErrInfos)
	}
	out := &Infos{}
	for _, e := range all {
		if !out.add(e) {
			out.Others++
		}
	}
	return out, nil
}

// add reads SecurityInfo ::= SEQUENCE { protocol, requiredData, optionalData } (9303-11
// §9.1); false for one of another protocol, or malformed.
func (i *Infos) add(e tlv.Element) bool {
	fields, err := e.Children()
	if err != nil || e.Tag != tlv.Sequence || len(fields) < 2 || len(fields) > 3 || fields[0].Tag != tlv.OID {
		return false
	}
	oid, err := fields[0].ObjectIdentifier()
	if err != nil {
		return false
	}
	optional := -1
	if len(fields) == 3 && fields[2].Tag == tlv.Integer {
		if optional, err = fields[2].Int(); err != nil || optional < 0 {
			return false
		}
	}
	return i.addProtocol(oid, fields[1], optional) || i.addKey(oid, fields[1], optional)
}

// addProtocol adds a PACEInfo, of version 2, or a ChipAuthenticationInfo.
func (i *Infos) addProtocol(oid string, version tlv.Element, optional int) bool {
	n, err := version.Int()
	if err != nil || version.Tag != tlv.Integer {
		return false
	}
	if p, ok := ParsePACE(oid); ok && n == 2 {
		i.PACE = append(i.PACE, Info{Protocol: p, ParameterID: optional})
		return true
	}
	if p, ok := ParseCA(oid); ok {
		i.CA = append(i.CA, CAInfo{Protocol: p, Version: n, KeyID: optional})
		return true
	}
	return false
}

func (i *Infos) addKey(oid string, e tlv.Element, id int) bool {
	switch {
	case e.Tag != tlv.Sequence:
		return false
	case oid == arcPK+"1", oid == arcPK+"2":
		i.Keys = append(i.Keys, CAKey{DH: oid == arcPK+"1", KeyID: id, SPKI: e.Raw})
		return true
	case strings.HasPrefix(oid, arcPACE):
		i.domains = append(i.domains, domainInfo{arc: oid + ".", algorithm: e, id: id})
		return true
	}
	return false
}

// standardised bounds the identifiers of standardised parameters (9303-11 §9.5.1).
const standardised = 32

// Domain returns the domain parameters of a PACEInfo: standardised ones, or those
// written out in the infos, which must be of a known curve or a sound DH group.
// ErrParameters also where its mapping does not work in them.
func (i *Infos) Domain(p Info) (*Domain, error) {
	d, err := i.domain(p)
	if err == nil && (d.IsCurve() == p.Protocol.DH || !d.Maps(p.Protocol.Mapping)) {
		return nil, fmt.Errorf("%w: %s in %s", ErrParameters, p.Protocol.Name(), d.Name())
	}
	return d, err
}

func (i *Infos) domain(p Info) (*Domain, error) {
	if p.ParameterID >= 0 && p.ParameterID < standardised {
		return StandardDomain(p.ParameterID)
	}
	for _, d := range i.domains {
		if strings.HasPrefix(p.Protocol.OID, d.arc) && (d.id == p.ParameterID || p.ParameterID < 0 || d.id < 0) {
			return parseDomain(d.algorithm)
		}
	}
	return nil, fmt.Errorf("%w: identifier %d", ErrParameters, p.ParameterID)
}

// Object identifiers of keys and parameters.
const (
	oidEC       = "1.2.840.10045.2.1"
	oidDH       = "1.2.840.10046.2.1"    // dhpublicnumber, RFC 3279 §2.3.3
	oidPKCS3    = "1.2.840.113549.1.3.1" // dhKeyAgreement, PKCS #3
	oidStandard = "0.4.0.127.0.7.1.2"    // standardizedDomainParameters, BSI TR-03110-3 §A.2.1.1
)

// parseDomain reads an AlgorithmIdentifier with domain parameters.
func parseDomain(algorithm tlv.Element) (*Domain, error) {
	fields, err := algorithm.Children()
	if err != nil || len(fields) != 2 || fields[0].Tag != tlv.OID {
		return nil, fmt.Errorf("%w: algorithm identifier", ErrParameters)
	}
	oid, err := fields[0].ObjectIdentifier()
	if err != nil {
		return nil, fmt.Errorf("%w: algorithm identifier", ErrParameters)
	}
	switch oid {
	case oidStandard:
		id, err := fields[1].Int()
		if err != nil {
			return nil, fmt.Errorf("%w: identifier", ErrParameters)
		}
		return StandardDomain(id)
	case oidEC:
		c, _, err := cms.ParseCurve(fields[1].Raw)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrParameters, err)
		}
		return CurveDomain(c), nil
	case oidDH, oidPKCS3:
		return dhDomain(fields[1], oid == oidDH)
	}
	return nil, fmt.Errorf("%w: algorithm %s", ErrParameters, oid)
}

// dhDomain reads p, g and, in the form of RFC 3279, q. The standardised groups are
// recognised and not checked again.
func dhDomain(e tlv.Element, named bool) (*Domain, error) {
	fields, err := e.Children()
	if err != nil || len(fields) < 2 || named && len(fields) < 3 {
		return nil, fmt.Errorf("%w: DH group", ErrParameters)
	}
	var n [3]*big.Int
	for i := range n {
		if i == 2 && !named {
			break
		}
		if n[i], err = fields[i].UnsignedInt(); err != nil || fields[i].Tag != tlv.Integer || n[i].BitLen() > maxPrime {
			return nil, fmt.Errorf("%w: DH group", ErrParameters)
		}
	}
	for _, f := range standardFields() {
		if new(big.Int).SetBytes(f.pBytes).Cmp(n[0]) == 0 && new(big.Int).SetBytes(f.g.Bytes(f.p)).Cmp(n[1]) == 0 &&
			(n[2] == nil || new(big.Int).SetBytes(f.qBytes).Cmp(n[2]) == 0) {
			return &Domain{field: f}, nil
		}
	}
	f, err := newField(n[0], n[1], n[2])
	if err != nil {
		return nil, err
	}
	return &Domain{field: f}, nil
}

// ParseKey reads the static key of a chip and returns its domain and its octets as
// protocols carry them. Curves may be named, standardised or written out.
func (k CAKey) ParseKey() (*Domain, []byte, error) {
	spki, err := tlv.Parse(k.SPKI)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrPublicKey, err)
	}
	fields, err := spki.Children()
	if err != nil || len(fields) != 2 || fields[1].Tag != tlv.BitString {
		return nil, nil, fmt.Errorf("%w: key info", ErrPublicKey)
	}
	octets, unused, err := fields[1].Bits()
	if err != nil || unused != 0 {
		return nil, nil, fmt.Errorf("%w: key info", ErrPublicKey)
	}
	if key, _, err := cms.ParsePublicKey(k.SPKI); err == nil && key.Kind == cms.KeyEC && !k.DH {
		curve, point := key.EC() // also where the curve announced is another
		return CurveDomain(curve), point, nil
	}
	d, err := parseDomain(fields[0])
	if err != nil {
		return nil, nil, err
	}
	if d.IsCurve() == k.DH {
		return nil, nil, fmt.Errorf("%w: key of the other kind", ErrPublicKey)
	}
	if !d.IsCurve() {
		if octets, err = d.field.integer(octets); err != nil {
			return nil, nil, err
		}
	}
	return d, octets, d.CheckPublic(octets)
}

// integer reads the INTEGER inside the BIT STRING of a DH key and pads it to the
// length of the prime.
func (f *field) integer(octets []byte) ([]byte, error) {
	e, err := tlv.Parse(octets)
	if err != nil || e.Tag != tlv.Integer {
		return nil, fmt.Errorf("%w: DH key", ErrPublicKey)
	}
	y, err := e.UnsignedInt()
	if err != nil || (y.BitLen()+7)/8 > f.size {
		return nil, fmt.Errorf("%w: DH key", ErrPublicKey)
	}
	return y.FillBytes(make([]byte, f.size)), nil
}

// KeyFor returns the key that a CAInfo uses: the one with its identifier, or the
// only one of its kind; false when there is none.
func (i *Infos) KeyFor(info CAInfo) (CAKey, bool) {
	var found CAKey
	n := 0
	for _, k := range i.Keys {
		if k.DH != info.Protocol.DH {
			continue
		}
		if info.KeyID >= 0 && k.KeyID == info.KeyID {
			return k, true
		}
		found = k
		n++
	}
	return found, n == 1
}
