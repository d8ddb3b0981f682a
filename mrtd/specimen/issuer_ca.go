package specimen

import (
	"fmt"
	"strconv"
	"strings"

	"ipse/mrtd/internal/ec"
	"ipse/mrtd/internal/pace"
	"ipse/mrtd/tlv"
)

// CAConfig asks for one chip authentication key.
type CAConfig struct {
	// Curve names a curve, for example "brainpoolP256r1", or one of the groups of
	// RFC 5114: "dh-0", "dh-1", "dh-2" (ICAO 9303-11 §9.5.1).
	Curve    string
	Protocol string // dotted; default AES-128 with the key's kind
	KeyID    int    // used in DG14 where there are several keys
}

// Object identifiers of chip authentication (ICAO 9303-11 §9.2.5, §9.2.6).
const (
	oidCADH3DES       = "0.4.0.127.0.7.2.2.3.1.1"
	oidCADHAES128     = "0.4.0.127.0.7.2.2.3.1.2"
	oidCAECDH3DES     = "0.4.0.127.0.7.2.2.3.2.1"
	oidCAECDHAES128   = "0.4.0.127.0.7.2.2.3.2.2"
	oidPKDH           = "0.4.0.127.0.7.2.2.1.1"
	oidPKECDH         = "0.4.0.127.0.7.2.2.1.2"
	oidDHPublicNumber = "1.2.840.10046.2.1"
	oidStandardised   = "0.4.0.127.0.7.1.2" // standardizedDomainParameters, BSI TR-03110-3 §A.2.1.1
)

// chipKey is a new key with its encodings.
type chipKey struct {
	pkcs8, spki    []byte
	oid            string // of its ChipAuthenticationPublicKeyInfo
	standard, tdes string // protocols
}

func (i *Issuer) newChipKey(name string) (*chipKey, error) {
	if id, ok := strings.CutPrefix(name, "dh-"); ok {
		return i.newDHKey(id)
	}
	curve := ec.ByName(name)
	if curve == nil {
		return nil, fmt.Errorf("%w: chip authentication on curve %q", ErrAlgorithm, name)
	}
	key, err := curve.GenerateKey(i.cfg.Rand)
	if err != nil {
		return nil, fmt.Errorf("specimen: chip authentication key: %w", err)
	}
	return &chipKey{ecPKCS8(curve, key), ecSPKI(curve, key), oidPKECDH, oidCAECDHAES128, oidCAECDH3DES}, nil
}

func (i *Issuer) newDHKey(number string) (*chipKey, error) {
	id, err := strconv.Atoi(number)
	if err != nil || id < 0 || id > 2 {
		return nil, fmt.Errorf("%w: chip authentication in group dh-%s", ErrAlgorithm, number)
	}
	domain, err := pace.StandardDomain(id)
	if err != nil {
		return nil, fmt.Errorf("specimen: chip authentication key: %w", err)
	}
	key, err := domain.GenerateKey(i.cfg.Rand)
	if err != nil {
		return nil, fmt.Errorf("specimen: chip authentication key: %w", err)
	}
	stored := tlv.Encode(tlv.Sequence, tlv.EncodeOID(oidStandardised), tlv.EncodeInt(id))
	algorithm := dhAlgorithm(domain)
	public := key.Public()
	if public[0]&0x80 != 0 {
		public = append([]byte{0}, public...)
	}
	return &chipKey{
		pkcs8: tlv.Encode(tlv.Sequence, tlv.EncodeInt(0), stored, tlv.Encode(tlv.OctetString, key.Private())),
		spki:  tlv.Encode(tlv.Sequence, algorithm, bitString(tlv.Encode(tlv.Integer, public))),
		oid:   oidPKDH, standard: oidCADHAES128, tdes: oidCADH3DES,
	}, nil
}

// dhAlgorithm writes a group out (RFC 3279 §2.3.3).
func dhAlgorithm(domain *pace.Domain) []byte {
	p, g, q := domain.Group()
	return tlv.Encode(tlv.Sequence, tlv.EncodeOID(oidDHPublicNumber),
		tlv.Encode(tlv.Sequence, tlv.EncodeInteger(p), tlv.EncodeInteger(g), tlv.EncodeInteger(q)))
}

// all returns every PACEInfo to offer, in order.
func (a AccessConfig) all() []PACEConfig {
	if a.PACE == nil {
		return a.FurtherPACE
	}
	return append([]PACEConfig{*a.PACE}, a.FurtherPACE...)
}

// infos are the security infos that offer p: a PACEInfo and, where the parameters are
// written out, a PACEDomainParameterInfo (ICAO 9303-11 §9.2.1, §9.2.2).
func (p PACEConfig) infos() [][]byte {
	out := [][]byte{tlv.Encode(tlv.Sequence, tlv.EncodeOID(p.Protocol), tlv.EncodeInt(2), tlv.EncodeInt(p.id()))}
	domain, err := pace.StandardDomain(p.ParameterID)
	if err != nil || !p.Explicit {
		return out // allCA refuses what is not standardised
	}
	var algorithm []byte
	if domain.IsCurve() {
		algorithm = tlv.Encode(tlv.Sequence, tlv.EncodeOID(oidEC), explicitCurve(domain.Curve()))
	} else {
		algorithm = dhAlgorithm(domain)
	}
	arc := p.Protocol[:strings.LastIndexByte(p.Protocol, '.')]
	return append(out, tlv.Encode(tlv.Sequence, tlv.EncodeOID(arc), algorithm, tlv.EncodeInt(p.id())))
}

// chipAuthenticationKey makes a key and its security infos.
func (i *Issuer) chipAuthenticationKey(doc *Document, c CAConfig, withID bool) ([][]byte, error) {
	key, err := i.newChipKey(c.Curve)
	if err != nil {
		return nil, err
	}
	switch {
	case doc.Faults[FaultNoCAInfo]:
		c.Protocol = key.tdes
	case c.Protocol == "":
		c.Protocol = key.standard
	}
	if p, ok := pace.ParseCA(c.Protocol); !ok || p.DH != (key.oid == oidPKDH) {
		return nil, fmt.Errorf("%w: chip authentication protocol %s", ErrAlgorithm, c.Protocol)
	}
	stored := CAKey{KeyID: -1, Protocol: c.Protocol, PKCS8: key.pkcs8}
	var id []byte
	if withID {
		stored.KeyID = c.KeyID
		id = tlv.EncodeInt(c.KeyID)
	}
	doc.CAKeys = append(doc.CAKeys, stored)
	public := tlv.Encode(tlv.Sequence, tlv.EncodeOID(key.oid), key.spki, id)
	if doc.Faults[FaultNoCAInfo] {
		return [][]byte{public}, nil
	}
	return [][]byte{tlv.Encode(tlv.Sequence, tlv.EncodeOID(c.Protocol), tlv.EncodeInt(1), id), public}, nil
}

// otherKeys gives the chip keys of the right kind that are not the signed ones.
func (i *Issuer) otherKeys(doc *Document, cfg DocumentConfig) error {
	if doc.AAKey != nil {
		key, err := newSigningKey(cfg.AA, i.cfg.Rand)
		if err != nil {
			return err
		}
		if doc.AAKey, err = key.pkcs8(); err != nil {
			return err
		}
	}
	all, err := cfg.allCA()
	if err != nil {
		return err
	}
	for n := range doc.CAKeys {
		key, err := i.newChipKey(all[n].Curve)
		if err != nil {
			return err
		}
		doc.CAKeys[n].PKCS8 = key.pkcs8
	}
	return nil
}

// keyPair reads the stored private key.
func (k CAKey) keyPair() (*pace.KeyPair, error) {
	if key, err := ParseECKey(k.PKCS8); err == nil {
		defer key.Wipe()
		d := key.Bytes()
		defer clear(d)
		return pace.CurveDomain(key.Curve()).NewKeyPair(d)
	}
	outer, err := tlv.Parse(k.PKCS8)
	if err != nil {
		return nil, errKey
	}
	fields, err := outer.Children()
	if err != nil || len(fields) != 3 {
		return nil, errKey
	}
	parameters, err := fields[1].Children()
	if err != nil || len(parameters) != 2 {
		return nil, errKey
	}
	id, err := parameters[1].Int()
	if err != nil {
		return nil, errKey
	}
	domain, err := pace.StandardDomain(id)
	if err != nil {
		return nil, errKey
	}
	return domain.NewKeyPair(fields[2].Value)
}
