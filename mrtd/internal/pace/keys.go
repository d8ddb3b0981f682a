package pace

import (
	"crypto/subtle"

	"ipse/mrtd/internal/sm"
	"ipse/mrtd/tlv"
)

// Keys are the session keys of a key agreement. Session takes them over; call Wipe
// when it is not called.
type Keys struct {
	suite    sm.Suite
	enc, mac []byte
}

// NewKeys derives session keys from the shared secret (9303-11 §9.7.1).
func NewKeys(suite sm.Suite, secret []byte) *Keys {
	return &Keys{suite: suite, enc: suite.KDF(secret, sm.CounterENC), mac: suite.KDF(secret, sm.CounterMAC)}
}

// Wipe overwrites the keys.
func (k *Keys) Wipe() {
	if k != nil {
		clear(k.enc)
		clear(k.mac)
	}
}

// Session starts secure messaging with the counter at zero and owns the keys.
func (k *Keys) Session() *sm.Session { return sm.NewSessionWithKeys(k.suite, k.enc, k.mac, nil) }

// Token computes the authentication token over a public key: the code of the data
// object 7F49 { 06 protocol, 86 point or 84 number } (9303-11 §4.4.3.4, §9.4), a
// number in as few octets as it takes (§9.4.1).
func (k *Keys) Token(p Protocol, public []byte) []byte {
	if p.DH {
		public = Number(public)
	}
	return k.TokenAsSent(p, public)
}

// TokenAsSent is Token over the octets as they stand, for a chip that writes numbers
// with leading zeros.
func (k *Keys) TokenAsSent(p Protocol, public []byte) []byte {
	tag := tlv.Tag(0x86)
	if p.DH {
		tag = 0x84
	}
	return k.suite.MAC(k.mac, tlv.Encode(0x7F49, tlv.EncodeOID(p.OID), tlv.Encode(tag, public)))
}

// CheckToken compares a token in constant time.
func (k *Keys) CheckToken(p Protocol, public, token []byte) bool {
	return subtle.ConstantTimeCompare(k.Token(p, public), token) == 1
}

// camIV is E(KSenc, -1) (9303-11 §4.4.3.5.2).
func (k *Keys) camIV() []byte {
	iv := make([]byte, k.suite.BlockSize())
	for i := range iv {
		iv[i] = 0xFF
	}
	k.suite.NewCipher(k.enc).Encrypt(iv, iv)
	return iv
}

// EncryptCAM encrypts the chip authentication data CA.IC, the chip's end
// (9303-11 §4.4.3.5.2).
func (k *Keys) EncryptCAM(data []byte) []byte {
	return sm.EncryptPadded(k.suite, k.enc, k.camIV(), data)
}

// DecryptCAM decrypts A.IC, the reader's end; false when it is not whole blocks
// with the padding of the suite.
func (k *Keys) DecryptCAM(a []byte) ([]byte, bool) {
	return sm.DecryptPadded(k.suite, k.enc, k.camIV(), a)
}

// CAMData returns CA.IC = SK.Map / SK mod n for the chip's static key and its
// mapping key, both on the standard generator (9303-11 §4.4.3.3.3).
func CAMData(static, mapping *KeyPair) ([]byte, error) {
	if static.ec == nil || mapping.ec == nil {
		return nil, ErrParameters
	}
	out, err := mapping.ec.DivideBy(static.ec)
	if err != nil {
		return nil, ErrPrivateKey
	}
	return out, nil
}

// VerifyCAM reports whether CA.IC * PK.IC is the chip's mapping key: the chip
// knows the private key of PK.IC (9303-11 §4.4.3.5.2). Public values, since
// whoever verifies evidence holds them all.
func (d *Domain) VerifyCAM(data, static, mapping []byte) bool {
	if d.curve == nil || len(data) == 0 || len(data) > d.curve.Size() {
		return false
	}
	full := make([]byte, d.curve.Size())
	copy(full[len(full)-len(data):], data)
	k, err := d.curve.NewPrivateKey(full)
	if err != nil {
		return false
	}
	defer k.Wipe()
	pk, err1 := d.curve.ParsePublicKey(static)
	want, err2 := d.curve.ParsePublicKey(mapping)
	if err1 != nil || err2 != nil {
		return false
	}
	got, err := k.Agree(pk)
	return err == nil && got.Equal(want)
}
