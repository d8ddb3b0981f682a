package cms

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"math/big"
)

// verifyPSS checks an RSASSA-PSS signature (RFC 8017 §8.1.2) where the mask's
// hash differs from the message's or the salt is of any length, which
// crypto/rsa does not cover. saltLength -1 accepts any. It handles public values
// only, so nothing here needs constant time. It returns the salt's length.
func verifyPSS(key *rsa.PublicKey, hash, mgf crypto.Hash, digest, sig []byte, saltLength int) (int, error) {
	size := (key.N.BitLen() + 7) / 8
	s := new(big.Int).SetBytes(sig)
	if len(sig) != size || s.Cmp(key.N) >= 0 || !hash.Available() || !mgf.Available() {
		return 0, ErrSignature
	}
	emBits := key.N.BitLen() - 1
	em := make([]byte, (emBits+7)/8)
	m := s.Exp(s, big.NewInt(int64(key.E)), key.N)
	if m.BitLen() > 8*len(em) {
		return 0, ErrSignature
	}
	m.FillBytes(em)

	// RFC 8017 §9.1.2, EMSA-PSS-VERIFY.
	hLen := hash.Size()
	if len(em) < hLen+2 || em[len(em)-1] != 0xBC || len(digest) != hLen {
		return 0, ErrSignature
	}
	db, h := em[:len(em)-hLen-1], em[len(em)-hLen-1:len(em)-1]
	topMask := byte(0xFF >> (8*len(em) - emBits))
	if db[0]&^topMask != 0 {
		return 0, ErrSignature
	}
	xorMGF1(db, mgf, h)
	db[0] &= topMask
	zeros := bytes.IndexByte(db, 0x01)
	if zeros < 0 || len(bytes.Trim(db[:zeros], "\x00")) != 0 {
		return 0, ErrSignature
	}
	salt := db[zeros+1:]
	if saltLength >= 0 && len(salt) != saltLength {
		return 0, ErrSignature
	}
	if !bytes.Equal(sum(hash, make([]byte, 8), digest, salt), h) {
		return 0, ErrSignature
	}
	return len(salt), nil
}

func xorMGF1(dst []byte, hash crypto.Hash, seed []byte) {
	for counter := uint32(0); len(dst) > 0; counter++ {
		block := sum(hash, seed, []byte{byte(counter >> 24), byte(counter >> 16), byte(counter >> 8), byte(counter)})
		n := min(len(block), len(dst))
		for i := range n {
			dst[i] ^= block[i]
		}
		dst = dst[n:]
	}
}
