package pace

import (
	"encoding/hex"
	"fmt"

	"filippo.io/bigmod"

	"ipse/mrtd/internal/sm"
)

// Limits of the nonce of PACE: whole blocks, one to four of AES.
const maxNonce = 64

// NonceSize is the length of the nonce s that a chip of this suite draws: at least
// as long as the key, in whole blocks (9303-11 §4.4.3.3).
func NonceSize(s sm.Suite) int {
	if s == sm.AES192 || s == sm.AES256 {
		return 32
	}
	return 16
}

// EncryptNonce returns z = E(K, s) under the key derived from the password.
func EncryptNonce(suite sm.Suite, key, s []byte) []byte {
	z := append([]byte(nil), s...)
	suite.EncryptCBC(key, z)
	return z
}

// DecryptNonce returns s. ErrNonce for a length no chip may use.
func DecryptNonce(suite sm.Suite, key, z []byte) ([]byte, error) {
	if len(z) == 0 || len(z) > maxNonce || len(z)%suite.BlockSize() != 0 {
		return nil, ErrNonce
	}
	s := append([]byte(nil), z...)
	suite.DecryptCBC(key, s)
	return s, nil
}

// MapGeneric returns the domain with the generator s*G + H (g^s * h), where H is
// agreed between own and the peer's mapping key (9303-11 §4.4.3.3.1).
func (d *Domain) MapGeneric(s []byte, own *KeyPair, peer []byte) (*Domain, error) {
	if own.IsPublic(peer) {
		return nil, fmt.Errorf("%w: mapping key reflected", ErrPublicKey)
	}
	if d.curve == nil {
		h, err := own.Agree(peer)
		if err != nil {
			return nil, err
		}
		defer clear(h)
		f, err := d.field.mapGeneric(s, h)
		if err != nil {
			return nil, err
		}
		return &Domain{field: f}, nil
	}
	q, err := d.curve.ParsePublicKey(peer)
	if err != nil {
		return nil, ErrPublicKey
	}
	h, err := own.ec.Agree(q)
	if err != nil {
		return nil, ErrPublicKey
	}
	defer h.Wipe()
	c, err := d.curve.MapGeneric(s, h)
	if err != nil {
		return nil, errTrivialMap
	}
	return &Domain{curve: c}, nil
}

// MapIntegrated returns the domain whose generator is derived from the chip's
// nonce s and the reader's nonce t, which travels in clear (9303-11 §4.4.3.3.2).
// t is as long as the suite's key.
func (d *Domain) MapIntegrated(suite sm.Suite, s, t []byte) (*Domain, error) {
	if len(t) != suite.KeySize() || len(s) != NonceSize(suite) {
		return nil, ErrNonce
	}
	if d.curve == nil {
		f, err := d.field.mapIntegrated(pseudoRandom(suite, s, t, d.field.p))
		if err != nil {
			return nil, err
		}
		return &Domain{field: f}, nil
	}
	p, err := bigmod.NewModulus(d.curve.Prime().Bytes())
	if err != nil {
		return nil, ErrParameters
	}
	point, err := d.curve.Encode(pseudoRandom(suite, s, t, p))
	if err != nil {
		return nil, fmt.Errorf("%w: integrated mapping on %s", ErrParameters, d.curve.Name())
	}
	c, err := d.curve.MapTo(point)
	if err != nil {
		return nil, errTrivialMap
	}
	return &Domain{curve: c}, nil
}

// pseudoRandom is R(s, t) modulo p (9303-11 appendix B, "pseudorandom number
// mapping"): blocks E(k_i, c1) until 64 bits more than p has, with k_0 = E(t, s)
// and k_i+1 = E(k_i, c0), all in CBC with a zero vector.
func pseudoRandom(suite sm.Suite, s, t []byte, p *bigmod.Modulus) []byte {
	c0, c1 := mappingConstants(len(s))
	k := append([]byte(nil), s...)
	suite.EncryptCBC(t, k)
	var x []byte
	for 8*len(x) < p.BitLen()+64 {
		key := suiteKey(suite, k)
		block := append([]byte(nil), c1...)
		suite.EncryptCBC(key, block)
		x = append(x, block...)
		next := append([]byte(nil), c0...)
		suite.EncryptCBC(key, next)
		clear(k)
		k = next
	}
	return reduce(x, p)
}

func suiteKey(suite sm.Suite, k []byte) []byte { return k[:suite.KeySize()] }

// reduce returns x mod p in constant time, for x longer than p.
func reduce(x []byte, p *bigmod.Modulus) []byte {
	acc := bigmod.NewNat().ExpandFor(p)
	base, err := bigmod.NewNat().SetOverflowingBytes([]byte{1, 0}, p)
	if err != nil {
		return nil
	}
	for _, b := range x {
		d, err := bigmod.NewNat().SetOverflowingBytes([]byte{b}, p)
		if err != nil {
			return nil
		}
		acc.Mul(base, p).Add(d, p)
	}
	return acc.Bytes(p)
}

// mappingConstants returns c0 and c1 of 9303-11 §4.4.3.3.2 for nonces of 128 bits,
// else those for 256 bits.
func mappingConstants(nonce int) (c0, c1 []byte) {
	h0, h1 := "d463d65234124ef7897054986dca0a174e28df758cbaa03f240616414d5a1676", "54bd7255f0aaf831bec3423fcf39d69b6cbf066677d0faae5aadd99df8e53517"
	if nonce == 16 {
		h0, h1 = "a668892a7c41e3ca739f40b057d85904", "a4e136ac725f738b01c1f60217c188ad"
	}
	c0, err0 := hex.DecodeString(h0)
	c1, err1 := hex.DecodeString(h1)
	if err0 != nil || err1 != nil {
		panic("pace: malformed constant")
	}
	return c0, c1
}
