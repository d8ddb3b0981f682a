// Package pace holds what reader and software chip share of PACE (ICAO 9303-11
// §4.4) and chip authentication (§6.2): security infos, domain parameters over
// curves and over prime fields, the mappings, key agreement, authentication
// tokens and the data of chip authentication mapping.
//
// One end of PACE with generic mapping, once the protocol and its domain are known
// (StandardDomain, or Info.Domain):
//
//	s := suite nonce (DecryptNonce at the reader, EncryptNonce at the chip)
//	m, _ := domain.GenerateKey(rand)               // exchanged: m.Public()
//	mapped, _ := domain.MapGeneric(s, m, peer)     // MapIntegrated(suite, s, t) for IM
//	k, _ := mapped.GenerateKey(rand)               // exchanged: k.Public()
//	secret, _ := k.Agree(peer)
//	keys := NewKeys(suite, secret)
//	keys.Token(protocol, peer)                     // sent; compare keys.Token(protocol, own) with the peer's
//	keys.Session()                                 // secure messaging
//
// Private exponents, scalars and shared secrets are handled in constant time.
package pace

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"ipse/mrtd/internal/ec"
)

var (
	// ErrPublicKey reports a public key that is not an element of the group, or trivial.
	ErrPublicKey = errors.New("pace: not a public key of the domain")
	// ErrPrivateKey reports a private key out of range.
	ErrPrivateKey = errors.New("pace: private key out of range")
	// ErrParameters reports domain parameters that are unknown, malformed or too weak.
	ErrParameters = errors.New("pace: domain parameters not usable")
	// ErrNonce reports a nonce of an impossible length.
	ErrNonce = errors.New("pace: nonce of an impossible length")
)

// Domain is a group with a generator: an elliptic curve or a subgroup of a prime
// field. It is immutable and safe for concurrent use.
type Domain struct {
	curve *ec.Curve
	field *field
}

// StandardDomain returns the standardised domain parameters (9303-11 §9.5.1): 0 to
// 2 are the groups of RFC 5114, 8 to 18 the curves. ErrParameters for others.
func StandardDomain(id int) (*Domain, error) {
	if id >= 0 && id <= 2 {
		return &Domain{field: standardFields()[id]}, nil
	}
	if c := ec.ByPACE(id); c != nil {
		return &Domain{curve: c}, nil
	}
	return nil, fmt.Errorf("%w: identifier %d", ErrParameters, id)
}

// CurveDomain returns the domain of a curve.
func CurveDomain(c *ec.Curve) *Domain { return &Domain{curve: c} }

// IsCurve reports whether the group is an elliptic curve (ECDH) rather than DH.
func (d *Domain) IsCurve() bool { return d.curve != nil }

// Curve returns the curve, nil for DH.
func (d *Domain) Curve() *ec.Curve { return d.curve }

// Name describes the domain, for example "brainpoolP256r1" or "DH 2048".
func (d *Domain) Name() string {
	if d.curve != nil {
		return d.curve.Name()
	}
	return fmt.Sprintf("DH %d", d.field.p.BitLen())
}

// Maps reports whether a mapping works in the domain. Chip authentication mapping
// needs a curve; the integrated mapping needs the order of a group, and of a curve that
// its prime is 3 modulo 4: NIST P-224 "cannot be used with the integrated mapping"
// (9303-11 §9.5.1, BSI TR-03110-3 table 4).
func (d *Domain) Maps(m Mapping) bool {
	switch m {
	case Generic:
		return true
	case Integrated:
		return d.curve != nil && d.curve.Encodes() || d.curve == nil && d.field.inner != nil
	case ChipAuth:
		return d.curve != nil
	}
	return false
}

// Bits is the size of the field.
func (d *Domain) Bits() int {
	if d.curve != nil {
		return d.curve.BitSize()
	}
	return d.field.p.BitLen()
}

// KeyPair is a private key in a domain. Wipe it when done.
type KeyPair struct {
	domain   *Domain
	ec       *ec.PrivateKey
	exponent []byte
	public   []byte
}

// GenerateKey draws a key pair from rand. A public key of DH is drawn until it is as
// long as the prime: programs differ about zero octets that a number begins with
// (one in 256 does), and so there are none to differ about.
func (d *Domain) GenerateKey(rand io.Reader) (*KeyPair, error) {
	if d.curve == nil {
		return d.field.generate(d, rand, false)
	}
	k, err := d.curve.GenerateKey(rand)
	if err != nil {
		return nil, fmt.Errorf("pace: %w", err)
	}
	return &KeyPair{domain: d, ec: k, public: k.Public().Bytes()}, nil
}

// GenerateShortKey draws a key pair of DH whose public key is shorter than the prime,
// for software chips that show what readers make of it: some 256 tries.
func (d *Domain) GenerateShortKey(rand io.Reader) (*KeyPair, error) {
	if d.curve != nil {
		return nil, ErrParameters
	}
	return d.field.generate(d, rand, true)
}

// NewKeyPair makes a key pair of a big-endian private key; it copies it.
func (d *Domain) NewKeyPair(private []byte) (*KeyPair, error) {
	if d.curve == nil {
		return d.field.keyPair(d, append([]byte(nil), private...))
	}
	k, err := d.curve.NewPrivateKey(private)
	if err != nil {
		return nil, ErrPrivateKey
	}
	return &KeyPair{domain: d, ec: k, public: k.Public().Bytes()}, nil
}

// Domain returns the key's domain.
func (k *KeyPair) Domain() *Domain { return k.domain }

// Public returns the public key as protocols carry it (9303-11 §9.4.5): an
// uncompressed point, or the number in as few octets as it takes: "leading octets of
// value 0x00 MUST NOT be used" (§9.4.1, and the note to §9.4.3).
func (k *KeyPair) Public() []byte { return append([]byte(nil), k.public...) }

// IsPublic reports whether octets are the pair's public key, a number of DH with or
// without leading zero octets.
func (k *KeyPair) IsPublic(b []byte) bool {
	if k.ec == nil {
		b = Number(b)
	}
	return string(b) == string(k.public)
}

// Private returns a copy of the private key.
func (k *KeyPair) Private() []byte {
	if k.ec != nil {
		return k.ec.Bytes()
	}
	return append([]byte(nil), k.exponent...)
}

// Wipe overwrites the private key.
func (k *KeyPair) Wipe() {
	if k != nil {
		k.ec.Wipe()
		clear(k.exponent)
	}
}

// Agree returns the shared secret: the x coordinate of the shared point, or the
// shared number. Unlike a public key it is as long as the prime, zero octets included
// (9303-11 §9.6: PKCS #3 §8.3, TR-03111 §4.3.1). The peer's key is checked to be in
// the group, and not the own one reflected.
func (k *KeyPair) Agree(peer []byte) ([]byte, error) {
	if k.IsPublic(peer) {
		return nil, fmt.Errorf("%w: the chip sent the reader's own key", ErrPublicKey)
	}
	if k.ec == nil {
		return k.domain.field.agree(k.exponent, peer)
	}
	q, err := k.domain.curve.ParsePublicKey(peer)
	if err != nil {
		return nil, ErrPublicKey
	}
	secret, err := k.ec.ECDH(q)
	if err != nil {
		return nil, ErrPublicKey
	}
	return secret, nil
}

// Number returns a number in as few octets as it takes (9303-11 §9.4.1); it shares b.
func Number(b []byte) []byte {
	return bytes.TrimLeft(b, "\x00")
}

// Short reports whether a public key of DH, as the peer sent it, begins with a zero
// octet when written as long as the prime: where other programs may differ.
func (d *Domain) Short(public []byte) bool {
	return d.curve == nil && len(Number(public)) < d.field.size
}

// CheckPublic reports with ErrPublicKey that octets are no public key of the domain.
func (d *Domain) CheckPublic(public []byte) error {
	if d.curve == nil {
		_, err := d.field.element(public)
		return err
	}
	if _, err := d.curve.ParsePublicKey(public); err != nil {
		return ErrPublicKey
	}
	return nil
}
