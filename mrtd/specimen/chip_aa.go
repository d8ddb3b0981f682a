package specimen

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"math/big"

	"ipse/mrtd/cms"
	"ipse/mrtd/internal/apdu"
	"ipse/mrtd/internal/ec"
	"ipse/mrtd/lds"
	"ipse/mrtd/tlv"
)

// activeAuthentication answers INTERNAL AUTHENTICATE (ICAO 9303-11 §6.1.3).
func (c *Chip) activeAuthentication(cmd *apdu.Command) apdu.Response {
	switch {
	case c.mayRead(lds.DG15) != apdu.OK:
		return status(apdu.SecurityStatus)
	case c.doc.AAKey == nil && c.doc.Files[lds.DG15] == nil:
		return status(apdu.UnknownINS)
	case c.doc.AAKey == nil: // a clone
		return status(apdu.ConditionsOfUse)
	case len(cmd.Data) != 8:
		return status(apdu.WrongLength)
	}
	challenge := cmd.Data
	if c.has(FaultReplayedAA) {
		challenge = make([]byte, 8)
	}
	sig := c.signChallenge(challenge)
	if sig == nil {
		return status(apdu.ExecutionError)
	}
	if cmd.Ne == 0 {
		return status(apdu.WrongLength)
	}
	return apdu.Response{Data: sig, SW: apdu.OK}
}

// signChallenge signs as chips do: ISO/IEC 9796-2 scheme 1 with RSA, plain or
// DER r and s with ECDSA.
func (c *Chip) signChallenge(challenge []byte) []byte {
	if key, err := ParseECKey(c.doc.AAKey); err == nil {
		return c.signECDSA(key, challenge)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(c.doc.AAKey)
	if err != nil {
		return nil
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil
	}
	return c.signISO9796(key, challenge)
}

func (c *Chip) signECDSA(key *ec.PrivateKey, challenge []byte) []byte {
	defer key.Wipe()
	r, s, err := key.Sign(c.rand, hashOf(c.doc.aaHash(), challenge))
	if err != nil {
		return nil
	}
	if c.has(FaultAADER) {
		return tlv.Encode(tlv.Sequence, tlv.EncodeInteger(new(big.Int).SetBytes(r)), tlv.EncodeInteger(new(big.Int).SetBytes(s)))
	}
	size := (key.Curve().Order().BitLen() + 7) / 8 // BSI TR-03111 §5.2.1
	out := make([]byte, 2*size)
	copy(out[size-len(r):], r)
	copy(out[2*size-len(s):], s)
	return out
}

// signISO9796 makes a signature with partial message recovery over M1 || M2: M1
// is the chip's nonce, M2 the challenge (ICAO 9303-11 §6.1.2.2). The private
// exponent is used without blinding: a specimen's key protects nothing.
func (c *Chip) signISO9796(key *rsa.PrivateKey, challenge []byte) []byte {
	size, hash := (key.N.BitLen()+7)/8, c.doc.aaHash()
	trailer := isoTrailer(hash)
	m1 := c.random(size - 1 - hash.Size() - len(trailer))
	digest := hash.New()
	digest.Write(m1)
	digest.Write(challenge)
	f := append(append(make([]byte, 0, size), 0x6A), m1...)
	f = append(digest.Sum(f), trailer...)
	s := new(big.Int).Exp(new(big.Int).SetBytes(f), key.D, key.N)
	return s.FillBytes(make([]byte, size))
}

// isoTrailer returns the trailer that names the hash (ISO/IEC 9796-2, 10118-3).
func isoTrailer(h crypto.Hash) []byte {
	switch h { //nolint:exhaustive // the others are announced by none
	case crypto.SHA224:
		return []byte{0x38, 0xCC}
	case crypto.SHA256:
		return []byte{0x34, 0xCC}
	case crypto.SHA384:
		return []byte{0x36, 0xCC}
	case crypto.SHA512:
		return []byte{0x35, 0xCC}
	}
	return []byte{0xBC} // SHA-1
}

// aaHash is the hash of active authentication, SHA-256 where the document does
// not say.
func (d *Document) aaHash() crypto.Hash {
	if h := cms.HashByOID(d.AAHash); h != 0 {
		return h
	}
	return crypto.SHA256
}
