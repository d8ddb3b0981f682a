package sm

import "crypto/subtle"

// BACSize is the length of each cryptogram of BAC with its code: EIFD || MIFD and
// EIC || MIC.
const BACSize = 32 + MACSize

// SealBAC returns E(Kenc, S) || MAC(Kmac, E) for S of 32 octets: RND.IFD || RND.IC
// || K.IFD from the reader, RND.IC || RND.IFD || K.IC from the chip (9303-11 §4.3.3).
func SealBAC(enc, mac, s []byte) []byte {
	out := append(make([]byte, 0, BACSize), s...)
	TDES.EncryptCBC(enc, out)
	return append(out, TDES.MAC(mac, out)...)
}

// OpenBAC checks the code in constant time and returns S, or false.
func OpenBAC(enc, mac, message []byte) ([]byte, bool) {
	if len(message) != BACSize {
		return nil, false
	}
	e, m := message[:32], message[32:]
	if subtle.ConstantTimeCompare(TDES.MAC(mac, e), m) != 1 {
		return nil, false
	}
	s := append([]byte(nil), e...)
	TDES.DecryptCBC(enc, s)
	return s, true
}

// NewBACSession derives the session of BAC from both key halves and nonces
// (9303-11 §4.3.3.2, §9.8.2).
func NewBACSession(rndIFD, rndIC, kIFD, kIC []byte) *Session {
	seed := make([]byte, 16)
	subtle.XORBytes(seed, kIFD[:16], kIC[:16])
	defer clear(seed)
	ssc := append(append(make([]byte, 0, 8), rndIC[4:8]...), rndIFD[4:8]...)
	return NewSession(TDES, seed, ssc)
}
