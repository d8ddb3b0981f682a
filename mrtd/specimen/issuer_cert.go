package specimen

import (
	"crypto"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"

	"ipse/mrtd/tlv"
)

// authority is a key with its certificate.
type authority struct {
	key  *signingKey
	name []byte // encoded subject
	cert []byte
	ski  []byte
}

// certificateSpec is what a specimen certificate says.
type certificateSpec struct {
	serial              *big.Int
	subject             []byte
	notBefore, notAfter time.Time
	usageUntil          time.Time // of the private key
	authority           bool
	listSigner          string // extended key usage of signers of lists
	faults              map[string]bool
}

// distinguishedName encodes C, O, CN in this order.
func distinguishedName(country, organisation, common string) []byte {
	rdn := func(oid string, tag tlv.Tag, value string) []byte {
		return tlv.Encode(tlv.Set, tlv.Encode(tlv.Sequence, tlv.EncodeOID(oid), tlv.Encode(tag, []byte(value))))
	}
	return tlv.Encode(tlv.Sequence,
		rdn("2.5.4.6", tlv.PrintableString, country),
		rdn("2.5.4.10", tlv.UTF8String, organisation),
		rdn("2.5.4.3", tlv.UTF8String, common))
}

func extension(oid string, critical bool, value []byte) []byte {
	if critical {
		return tlv.Encode(tlv.Sequence, tlv.EncodeOID(oid), tlv.Encode(tlv.Boolean, []byte{0xFF}), tlv.Encode(tlv.OctetString, value))
	}
	return tlv.Encode(tlv.Sequence, tlv.EncodeOID(oid), tlv.Encode(tlv.OctetString, value))
}

func keyID(k *signingKey) []byte { return hashOf(crypto.SHA1, k.publicOctets()) } // RFC 5280 §4.2.1.2 method 1

// certify makes a certificate of the profile of ICAO 9303-12 §7.1.1.
func certify(rand io.Reader, issuer *authority, subject *signingKey, spec certificateSpec) ([]byte, error) {
	issuer = issuerAs(issuer, spec.faults)
	usage := []byte{0x07, 0x80} // digitalSignature
	var extensions [][]byte
	if !spec.faults[FaultNoAKI] {
		extensions = append(extensions, extension("2.5.29.35", false, tlv.Encode(tlv.Sequence, tlv.Encode(tlv.Context(0), issuer.ski))))
	}
	if spec.faults[FaultBasicConstraints] { // a path length without an authority
		extensions = append(extensions, extension("2.5.29.19", true, tlv.Encode(tlv.Sequence, tlv.EncodeInt(0))))
	}
	if spec.faults[FaultNegativeSerial] {
		spec.serial = new(big.Int).Neg(spec.serial)
	}
	extensions = append(extensions,
		extension("2.5.29.14", false, tlv.Encode(tlv.OctetString, keyID(subject))),
		extension("2.5.29.16", false, tlv.Encode(tlv.Sequence,
			tlv.Encode(tlv.Context(0), generalized(spec.notBefore)), tlv.Encode(tlv.Context(1), generalized(spec.usageUntil)))))
	if spec.authority {
		usage = []byte{0x01, 0x06} // keyCertSign, cRLSign
		extensions = append(extensions, extension("2.5.29.19", true,
			tlv.Encode(tlv.Sequence, tlv.Encode(tlv.Boolean, []byte{0xFF}), tlv.EncodeInt(0))))
	}
	if spec.listSigner != "" {
		extensions = append(extensions, extension("2.5.29.37", true, tlv.Encode(tlv.Sequence, tlv.EncodeOID(spec.listSigner))))
	} else if !spec.authority {
		types := tlv.Encode(tlv.Sequence, tlv.EncodeInt(0), tlv.Encode(tlv.Set, tlv.Encode(tlv.PrintableString, []byte("P")), tlv.Encode(tlv.PrintableString, []byte("I"))))
		extensions = append(extensions, extension("2.23.136.1.1.6.2", false, types))
	}
	extensions = append(extensions, extension("2.5.29.15", true, tlv.Encode(tlv.BitString, usage)))
	tbs := tlv.Encode(tlv.Sequence,
		tlv.Encode(tlv.ContextConstructed(0), tlv.EncodeInt(2)),
		tlv.EncodeInteger(spec.serial), issuer.key.identifier(), issuer.name,
		tlv.Encode(tlv.Sequence, tlv.EncodeTime(spec.notBefore), tlv.EncodeTime(spec.notAfter)),
		spec.subject, subject.spki(),
		tlv.Encode(tlv.ContextConstructed(3), tlv.Encode(tlv.Sequence, extensions...)))
	return signed(rand, issuer.key, tbs)
}

func generalized(t time.Time) []byte { return []byte(t.UTC().Format("20060102150405Z")) }

// signed wraps a to-be-signed structure with algorithm and signature.
func signed(rand io.Reader, key *signingKey, tbs []byte) ([]byte, error) {
	sig, err := key.sign(rand, tbs)
	if err != nil {
		return nil, err
	}
	return tlv.Encode(tlv.Sequence, tbs, key.identifier(), bitString(sig)), nil
}

// newAuthority makes a self-signed CSCA.
func newAuthority(cfg IssuerConfig, name []byte) (*authority, error) {
	key, err := newSigningKey(cfg.CSCA, cfg.Rand)
	if err != nil {
		return nil, err
	}
	key.explicit = cfg.ExplicitCurves
	a := &authority{key: key, name: name, ski: keyID(key)}
	serial, err := newSerial(cfg.Rand)
	if err != nil {
		return nil, err
	}
	start := cfg.Now.AddDate(0, -1, 0)
	a.cert, err = certify(cfg.Rand, a, key, certificateSpec{serial: serial, subject: name, notBefore: start,
		notAfter: start.AddDate(15, 6, 0), usageUntil: start.AddDate(5, 0, 0), authority: true})
	return a, err
}

// signerSpec says what a signer is like: valid from notBefore for ten years and six
// months, or until notAfter if that is set.
type signerSpec struct {
	common              string
	notBefore, notAfter time.Time
	list                string // extended key usage of a signer of lists, else ""
	faults              map[string]bool
}

// newSigner makes a document signer or a signer of lists.
func newSigner(cfg IssuerConfig, issuer *authority, spec signerSpec) (*authority, error) {
	key, err := newSigningKey(cfg.DS, cfg.Rand)
	if err != nil {
		return nil, err
	}
	key.explicit = cfg.ExplicitCurves
	if err := spoilKey(key, spec.faults); err != nil {
		return nil, err
	}
	serial, err := newSerial(cfg.Rand)
	if err != nil {
		return nil, err
	}
	if spec.notAfter.IsZero() {
		spec.notAfter = spec.notBefore.AddDate(10, 6, 0)
	}
	usage := spec.notBefore.AddDate(0, 3, 0)
	if usage.After(spec.notAfter) {
		usage = spec.notAfter
	}
	country := cfg.Country
	if spec.faults[FaultCountryCase] {
		country = strings.ToLower(country)
	}
	s := &authority{key: key, name: distinguishedName(country, organisation, spec.common), ski: keyID(key)}
	s.cert, err = certify(cfg.Rand, issuer, key, certificateSpec{serial: serial, subject: s.name, notBefore: spec.notBefore,
		notAfter: spec.notAfter, usageUntil: usage, listSigner: spec.list, faults: spec.faults})
	return s, err
}

func newSerial(rand io.Reader) (*big.Int, error) {
	b := make([]byte, 8)
	if _, err := io.ReadFull(rand, b); err != nil {
		return nil, fmt.Errorf("specimen: serial number: %w", err)
	}
	b[0] = b[0]&0x7F | 0x40
	return new(big.Int).SetBytes(b), nil
}

// revocationList makes a CRL of the profile of ICAO 9303-12 §7.1.4.
func revocationList(cfg IssuerConfig, issuer *authority, number int, revoked [][]byte, at time.Time) ([]byte, error) {
	entries := make([][]byte, len(revoked))
	for i, serial := range revoked {
		entries[i] = tlv.Encode(tlv.Sequence, tlv.Encode(tlv.Integer, serial), tlv.EncodeTime(at))
	}
	parts := [][]byte{tlv.EncodeInt(1), issuer.key.identifier(), issuer.name, tlv.EncodeTime(at), tlv.EncodeTime(at.AddDate(0, 3, 0))}
	if len(entries) > 0 {
		parts = append(parts, tlv.Encode(tlv.Sequence, entries...))
	}
	parts = append(parts, tlv.Encode(tlv.ContextConstructed(0), tlv.Encode(tlv.Sequence,
		extension("2.5.29.35", false, tlv.Encode(tlv.Sequence, tlv.Encode(tlv.Context(0), issuer.ski))),
		extension("2.5.29.20", false, tlv.EncodeInt(number)))))
	return signed(cfg.Rand, issuer.key, tlv.Encode(tlv.Sequence, parts...))
}
