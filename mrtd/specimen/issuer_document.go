package specimen

import (
	"bytes"
	"crypto"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"ipse/mrtd/cms"
	"ipse/mrtd/internal/pace"
	"ipse/mrtd/lds"
	"ipse/mrtd/mrz"
	"ipse/mrtd/tlv"
)

// DocumentConfig says what a specimen document holds.
type DocumentConfig struct {
	// Zone is what the machine-readable zone says. Empty fields take those of
	// the specimen of ICAO 9303-4 appendix B; the dates of expiry and birth are
	// YYMMDD.
	Zone mrz.Fields
	// Portrait is the encoded image of DG2 (JPEG or JPEG 2000); required.
	Portrait      []byte
	Width, Height int // pixels, as DG2 states them
	// ISO39794 writes DG2 in ISO/IEC 39794-5 instead of 19794-5, as taken a month
	// before the signing.
	ISO39794 bool
	// Hash protects the data groups. Default SHA-256.
	Hash crypto.Hash
	// At is the signing time; zero takes the issuer's start.
	At time.Time
	// AA is the active authentication key: "" for none, or an Algorithm whose
	// hash is the one announced (for example "rsa-2048-sha256").
	AA Algorithm
	// CA are the chip authentication keys.
	CA []CAConfig
	// Access says how the chip is opened. The zero value means BAC.
	Access AccessConfig
	// CAN is the card access number for PACE.
	CAN string
	// Person and Issue, when given, become DG11 and DG12.
	Person, Issue []lds.TaggedText
	// Signature, when given, is the encoded image of DG7 (JPEG or JPEG 2000).
	Signature []byte
	// Optional, when given, is the content of DG13, which means what the issuer likes.
	Optional []byte
	// Contacts, when given, are the persons to notify, DG16.
	Contacts []Contact
	// Faults by name; see the Fault constants. Others are left to the chip.
	Faults map[string]bool
}

const oidAAProtocol = "2.23.136.1.1.5"

func (cfg *DocumentConfig) fill(issuer IssuerConfig) error {
	if len(cfg.Portrait) == 0 || lds.ImageFormat(cfg.Portrait) == "" {
		return fmt.Errorf("%w: a portrait in JPEG or JPEG 2000 is required", ErrConfig)
	}
	if cfg.Hash == 0 {
		cfg.Hash = crypto.SHA256
	}
	if cfg.At.IsZero() {
		cfg.At = issuer.Now
	}
	if !cfg.Access.BAC && cfg.Access.PACE == nil {
		cfg.Access.BAC = true
	}
	z := &cfg.Zone
	if z.Format == 0 {
		z.Format = mrz.TD3
	}
	for _, d := range []struct {
		field *string
		value string
	}{{&z.IssuingState, "UTO"}, {&z.Nationality, "UTO"}, {&z.FamilyName, "ERIKSSON"}, {&z.GivenNames, "ANNA MARIA"},
		{&z.Number, "L898902C3"}, {&z.BirthDate, "740812"}, {&z.Sex, "F"}, {&z.ExpiryDate, cfg.At.AddDate(10, 0, -1).Format("060102")}} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	if z.DocumentCode == "" {
		z.DocumentCode = "I"
		if z.Format == mrz.TD3 {
			z.DocumentCode = "P"
		}
	}
	if cfg.Faults[FaultExpired] {
		z.ExpiryDate = cfg.At.AddDate(0, 0, -30).Format("060102")
	}
	return nil
}

// Issue makes a document: its data groups, the security object signed by the
// document signer, and the chip's private keys.
func (i *Issuer) Issue(cfg DocumentConfig) (*Document, error) {
	cfg.Faults = maps.Clone(cfg.Faults)
	if err := cfg.fill(i.cfg); err != nil {
		return nil, err
	}
	zone, err := mrz.Compose(cfg.Zone)
	if err != nil {
		return nil, fmt.Errorf("specimen: zone: %w", err)
	}
	doc := &Document{Files: map[lds.FileID][]byte{}, MRZ: zone, CAN: cfg.CAN, Access: cfg.Access, Faults: cfg.Faults}
	doc.Files[lds.DG1] = lds.EncodeDG1(zone)
	doc.Files[lds.DG2] = lds.EncodeDG2(cfg.Portrait, cfg.Width, cfg.Height)
	if cfg.ISO39794 {
		doc.Files[lds.DG2] = lds.EncodeDG2ISO39794(cfg.Portrait, cfg.Width, cfg.Height, cfg.At.AddDate(0, -1, 0))
	}
	if at := bytes.Index(doc.Files[lds.DG2], []byte("FAC\x00")); cfg.Faults[FaultDG2Length] && at >= 0 {
		doc.Files[lds.DG2][at+11] ^= 0x08 // the last octet of the record's length, ISO/IEC 19794-5 §5.4
	}
	if cfg.Person != nil {
		doc.Files[lds.DG11] = spoilDG11(lds.EncodeDG11(cfg.Person), cfg.Faults)
	}
	if cfg.Issue != nil {
		doc.Files[lds.DG12] = lds.EncodeDG12(cfg.Issue)
	}
	if err := furtherGroups(doc, cfg); err != nil {
		return nil, err
	}
	if err := i.chipKeys(doc, cfg); err != nil {
		return nil, err
	}
	signer, err := i.signerFor(cfg)
	if err != nil {
		return nil, err
	}
	if err := i.securityObject(doc, cfg, signer); err != nil {
		return nil, err
	}
	if err := i.cardSecurity(doc, cfg, signer); err != nil {
		return nil, err
	}
	doc.Files[lds.COM] = commonData(doc)
	return doc, i.spoil(doc, cfg)
}

// chipKeys makes the keys of AA and CA, DG15, DG14 and EF.CardAccess.
func (i *Issuer) chipKeys(doc *Document, cfg DocumentConfig) error {
	var infos [][]byte
	for _, p := range cfg.Access.all() {
		infos = append(infos, p.infos()...)
	}
	if len(infos) > 0 {
		doc.Files[lds.CardAccess] = tlv.Encode(tlv.Set, infos...)
	}
	if cfg.Faults[FaultDIR6982] {
		doc.Files[lds.DIR] = tlv.Encode(0x61, tlv.Encode(0x4F, aid())) // 9303-10 §3.11.2
	}
	if cfg.AA != "" {
		key, err := newSigningKey(cfg.AA, i.cfg.Rand)
		if err != nil {
			return fmt.Errorf("specimen: active authentication key: %w", err)
		}
		if doc.AAKey, err = key.pkcs8(); err != nil {
			return fmt.Errorf("specimen: active authentication key: %w", err)
		}
		doc.AAHash = cms.HashOID(key.hash)
		doc.Files[lds.DG15] = tlv.Encode(tlv.Tag(lds.DG15.Tag()), key.spki())
		if key.ec != nil {
			infos = append(infos, tlv.Encode(tlv.Sequence, tlv.EncodeOID(oidAAProtocol), tlv.EncodeInt(1), tlv.EncodeOID(plainOID(key.hash))))
		}
	}
	cas, err := cfg.allCA()
	if err != nil {
		return err
	}
	for _, c := range cas {
		more, err := i.chipAuthenticationKey(doc, c, len(cas) > 1 || cfg.Faults[FaultCAKeyID])
		if err != nil {
			return err
		}
		if cfg.Faults[FaultCAMKeyApart] && cfg.maps(c.Curve) {
			doc.apart = append(doc.apart, more...)
			continue
		}
		infos = append(infos, more...)
	}
	if len(infos) > 0 {
		doc.Files[lds.DG14] = tlv.Encode(tlv.Tag(lds.DG14.Tag()), tlv.Encode(tlv.Set, infos...))
		if cfg.Faults[FaultTrailingDG14] {
			doc.Files[lds.DG14] = append(doc.Files[lds.DG14], 0x90, 0x00)
		}
	}
	return nil
}

// allCA returns the chip authentication keys asked for and, where PACE-CAM is
// offered and none of them is on its curve, one more for that.
func (cfg *DocumentConfig) allCA() ([]CAConfig, error) {
	out := slices.Clone(cfg.CA)
	for _, p := range cfg.Access.all() {
		protocol, ok := pace.ParsePACE(p.Protocol)
		if !ok {
			return nil, fmt.Errorf("%w: PACE protocol %s", ErrAlgorithm, p.Protocol)
		}
		domain, err := pace.StandardDomain(p.ParameterID)
		if err != nil || domain.IsCurve() == protocol.DH || !domain.Maps(protocol.Mapping) {
			return nil, fmt.Errorf("%w: PACE protocol %s with parameters %d", ErrAlgorithm, p.Protocol, p.ParameterID)
		}
		if protocol.Mapping != pace.ChipAuth || slices.ContainsFunc(out, func(c CAConfig) bool { return c.Curve == domain.Name() }) {
			continue
		}
		out = append(out, CAConfig{Curve: domain.Name(), KeyID: len(out) + 1})
	}
	return out, nil
}

// maps reports whether PACE-CAM is offered on a curve.
func (cfg *DocumentConfig) maps(curve string) bool {
	return slices.ContainsFunc(cfg.Access.all(), func(p PACEConfig) bool {
		protocol, _ := pace.ParsePACE(p.Protocol)
		domain, err := pace.StandardDomain(p.ParameterID)
		return err == nil && protocol.Mapping == pace.ChipAuth && domain.Name() == curve
	})
}

func plainOID(h crypto.Hash) string {
	n := map[crypto.Hash]int{crypto.SHA1: 1, crypto.SHA224: 2, crypto.SHA256: 3, crypto.SHA384: 4, crypto.SHA512: 5}[h]
	return fmt.Sprintf("0.4.0.127.0.7.1.1.4.1.%d", n)
}

// signerFor returns the issuer's document signer, or one made for a fault.
func (i *Issuer) signerFor(cfg DocumentConfig) (*authority, error) {
	start := cfg.At.AddDate(0, 0, -1)
	switch {
	case cfg.Faults[FaultForeignCSCA]:
		return i.foreignSigner(start)
	case cfg.Faults[FaultListSigner]:
		return i.list, nil
	case cfg.Faults[FaultExpiredDS]:
		return newSigner(i.cfg, i.csca, signerSpec{common: "Specimen Document Signer 2", notBefore: cfg.At.AddDate(0, 0, -20), notAfter: cfg.At.AddDate(0, 0, -10)})
	case cfg.Faults[FaultRevokedDS]:
		s, err := newSigner(i.cfg, i.csca, signerSpec{common: "Specimen Document Signer 3", notBefore: start})
		if err != nil {
			return nil, err
		}
		return s, i.Revoke(s.cert)
	case changesSigner(cfg.Faults):
		return newSigner(i.cfg, i.csca, signerSpec{common: "Specimen Document Signer 4", notBefore: start, faults: cfg.Faults})
	}
	return i.ds, nil
}

// foreignSigner makes a signer under an authority of the same name that is on no list.
func (i *Issuer) foreignSigner(start time.Time) (*authority, error) {
	foreign, err := newAuthority(i.cfg, i.authorityName())
	if err != nil {
		return nil, fmt.Errorf("specimen: foreign CSCA: %w", err)
	}
	return newSigner(i.cfg, foreign, signerSpec{common: "Specimen Document Signer 1", notBefore: start})
}

func (i *Issuer) securityObject(doc *Document, cfg DocumentConfig, signer *authority) error {
	var hashes [][]byte
	for n := 1; n <= 16; n++ {
		if b, ok := doc.Files[lds.DataGroup(n)]; ok {
			hashes = append(hashes, tlv.Encode(tlv.Sequence, tlv.EncodeInt(n), tlv.Encode(tlv.OctetString, hashOf(cfg.Hash, b))))
		}
	}
	content := tlv.Encode(tlv.Sequence, tlv.EncodeInt(1), hashIdentifier(cfg.Hash), tlv.Encode(tlv.Sequence, hashes...),
		tlv.Encode(tlv.Sequence, tlv.Encode(tlv.PrintableString, []byte("0108")), tlv.Encode(tlv.PrintableString, []byte("040000"))))
	spec := signSpec{contentType: oidSecurityObject, content: content, at: cfg.At, certificates: [][]byte{signer.cert}, wrongID: cfg.Faults[FaultWrongIssuerID]}
	spec.noAttributes = cfg.Faults[FaultNoSignedAttrs]
	spec.contentType = contentTypeFor(cfg.Faults)
	spec.plain, spec.byKey = cfg.Faults[FaultPlainECDSA], cfg.Faults[FaultSignerByKey]
	if cfg.Faults[FaultTwoSigners] {
		other, err := i.foreignSigner(cfg.At.AddDate(0, 0, -1))
		if err != nil {
			return err
		}
		spec.before = other
	}
	signer = signerOfSOD(signer, cfg.Faults)
	if cfg.Faults[FaultDigestDiffers] {
		spec.digest = crypto.SHA512
	}
	if cfg.Faults[FaultManyCertificates] {
		spec.certificates = append(spec.certificates, i.csca.cert)
	}
	if cfg.Faults[FaultNoDSInSOD] {
		spec.certificates = nil
	}
	sod, err := signData(i.cfg.Rand, signer, spec)
	if err != nil {
		return fmt.Errorf("specimen: security object: %w", err)
	}
	if cfg.Faults[FaultIndefinite] {
		sod = indefinite(sod, 4)
	}
	doc.Files[lds.SOD] = tlv.Encode(tlv.Tag(lds.SOD.Tag()), sod)
	return nil
}

// cardSecurity makes EF.CardSecurity where PACE-CAM is offered: the security infos
// of the master file, signed (ICAO 9303-10 §3.11.3, 9303-11 §9.2.10).
func (i *Issuer) cardSecurity(doc *Document, cfg DocumentConfig, signer *authority) error {
	if !slices.ContainsFunc(cfg.Access.all(), func(p PACEConfig) bool {
		protocol, _ := pace.ParsePACE(p.Protocol)
		return protocol.Mapping == pace.ChipAuth
	}) {
		return nil
	}
	infos, _, err := lds.Content(lds.DG14, doc.Files[lds.DG14])
	if err != nil {
		return err
	}
	if len(doc.apart) > 0 {
		set, err := tlv.Parse(infos)
		if err != nil {
			return err
		}
		infos = tlv.Encode(tlv.Set, append([][]byte{set.Value}, doc.apart...)...)
	}
	signed, err := signData(i.cfg.Rand, signer, signSpec{contentType: oidCardSecurity, content: infos, at: cfg.At, certificates: [][]byte{signer.cert}})
	if err != nil {
		return fmt.Errorf("specimen: EF.CardSecurity: %w", err)
	}
	doc.Files[lds.CardSecurity] = signed
	return nil
}

// commonData makes EF.COM, which lists the groups that doc holds but without.
func commonData(doc *Document, without ...lds.FileID) []byte {
	var tags []byte
	for n := 1; n <= 16; n++ {
		if id := lds.DataGroup(n); doc.Files[id] != nil && !slices.Contains(without, id) {
			tags = append(tags, id.Tag())
		}
	}
	return tlv.Encode(0x60, tlv.Encode(0x5F01, []byte("0108")), tlv.Encode(0x5F36, []byte("040000")), tlv.Encode(0x5C, tags))
}

// spoil commits the faults that come after the signing.
func (i *Issuer) spoil(doc *Document, cfg DocumentConfig) error {
	f := doc.Faults
	if f[FaultTamperedDG1] {
		doc.Files[lds.DG1] = bytes.Replace(doc.Files[lds.DG1], []byte(strings.ToUpper(cfg.Zone.Sex)+cfg.Zone.ExpiryDate), []byte("<"+cfg.Zone.ExpiryDate), 1)
	}
	if f[FaultSwappedDG1] {
		other := cfg.Zone
		other.FamilyName, other.GivenNames, other.Number = "STEVENSON", "PETER", "D23145890"
		zone, err := mrz.Compose(other)
		if err != nil {
			return fmt.Errorf("specimen: zone: %w", err)
		}
		doc.Files[lds.DG1] = lds.EncodeDG1(zone)
	}
	if f[FaultWrongDG12] {
		spoilDG12(doc)
	}
	if f[FaultCOMDiffers] {
		doc.Files[lds.COM] = commonData(doc, lds.DG2)
	}
	if f[FaultTamperedDG2] {
		dg2 := doc.Files[lds.DG2]
		dg2[len(dg2)-3] ^= 0x01
	}
	if f[FaultTamperedSOD] {
		sod := doc.Files[lds.SOD]
		sod[len(sod)-2] ^= 0x01
	}
	if f[FaultMissingDG2] {
		delete(doc.Files, lds.DG2)
	}
	if f[FaultSwappedDG15] && doc.Files[lds.DG15] != nil {
		key, err := newSigningKey(cfg.AA, i.cfg.Rand)
		if err != nil {
			return err
		}
		if doc.AAKey, err = key.pkcs8(); err != nil {
			return err
		}
		doc.Files[lds.DG15] = tlv.Encode(tlv.Tag(lds.DG15.Tag()), key.spki())
	}
	if f[FaultCloneOtherKeys] {
		if err := i.otherKeys(doc, cfg); err != nil {
			return err
		}
	}
	if f[FaultCloneWithoutAAKey] || f[FaultOmittedAA] {
		doc.AAKey, doc.CAKeys = nil, nil
	}
	if f[FaultOmittedAA] {
		delete(doc.Files, lds.DG14)
		delete(doc.Files, lds.DG15)
		doc.Files[lds.COM] = commonData(doc)
	}
	return nil
}
