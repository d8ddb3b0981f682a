// Package sm is what reader and software chip share of ICAO 9303-11: the key
// derivation function (§9.7), the cipher suites, basic access control (§4.3) and
// secure messaging (§9.8), each usable from both ends.
//
// Where things live for those who write an end:
//
//	mrtd/internal/apdu  command and response APDUs, status words
//	mrtd/internal/sm    Suite, KDF, passwords, BAC, Session (secure messaging)
//	mrtd/internal/pace  security infos, domain parameters, PACE and chip authentication
//
// Nothing here prints or returns a key in an error. Key octets are overwritten by
// Wipe; the standard library's expanded key schedules cannot be, and are dropped.
package sm

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"  // prescribed for BAC by 9303-11 §4.3
	"crypto/sha1" // prescribed by 9303-11 §9.7
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
)

// Suite is a symmetric cipher with its message authentication code.
type Suite int

// The suites of 9303-11 §9.8.
const (
	TDES   Suite = iota + 1 // 3DES with two keys in CBC, retail MAC
	AES128                  // AES in CBC, CMAC
	AES192
	AES256
)

// MACSize is the length of every suite's message authentication code.
const MACSize = 8

// String names the suite, for example "AES-128".
func (s Suite) String() string {
	switch s {
	case TDES:
		return "3DES"
	case AES128:
		return "AES-128"
	case AES192:
		return "AES-192"
	case AES256:
		return "AES-256"
	}
	return "unknown"
}

// KeySize is the length of each key in octets, 0 for no suite.
func (s Suite) KeySize() int {
	switch s {
	case TDES, AES128:
		return 16
	case AES192:
		return 24
	case AES256:
		return 32
	}
	return 0
}

// BlockSize is the block length in octets.
func (s Suite) BlockSize() int {
	if s == TDES {
		return des.BlockSize
	}
	return aes.BlockSize
}

// Counters of the key derivation function (9303-11 §9.7.1, §9.7.2).
const (
	CounterENC  = 1
	CounterMAC  = 2
	CounterPACE = 3
)

// KDF derives a key: the hash of secret || counter, cut to size; SHA-1 for 3DES
// and AES-128, else SHA-256 (9303-11 §9.7.1). 3DES keys get odd parity.
func (s Suite) KDF(secret []byte, counter uint32) []byte {
	in := binary.BigEndian.AppendUint32(append(make([]byte, 0, len(secret)+4), secret...), counter)
	defer clear(in)
	if s == AES192 || s == AES256 {
		sum := sha256.Sum256(in)
		defer clear(sum[:])
		return append([]byte(nil), sum[:s.KeySize()]...)
	}
	sum := sha1.Sum(in)
	defer clear(sum[:])
	key := append([]byte(nil), sum[:16]...)
	if s == TDES {
		for i, b := range key {
			key[i] = b&0xFE | byte(bits.OnesCount8(b>>1)&1) ^ 1
		}
	}
	return key
}

// NewCipher returns the block cipher under a key of KeySize octets, or panics:
// keys come from KDF.
func (s Suite) NewCipher(key []byte) cipher.Block {
	var block cipher.Block
	var err error
	if s == TDES {
		if len(key) != 16 {
			panic("sm: 3DES key of another length")
		}
		long := append(append(make([]byte, 0, 24), key...), key[:8]...)
		block, err = des.NewTripleDESCipher(long)
		clear(long)
	} else {
		block, err = aes.NewCipher(key)
	}
	if err != nil || len(key) != s.KeySize() {
		panic("sm: key of another length")
	}
	return block
}

// EncryptCBC encrypts whole blocks in place with a zero initialisation vector
// (PACE nonces and BAC).
func (s Suite) EncryptCBC(key, blocks []byte) {
	iv := make([]byte, s.BlockSize())
	cipher.NewCBCEncrypter(s.NewCipher(key), iv).CryptBlocks(blocks, blocks)
}

// DecryptCBC reverses EncryptCBC. len(blocks) must be a multiple of the block size.
func (s Suite) DecryptCBC(key, blocks []byte) {
	iv := make([]byte, s.BlockSize())
	cipher.NewCBCDecrypter(s.NewCipher(key), iv).CryptBlocks(blocks, blocks)
}

// Pad appends 80 00.. up to the next block (ISO/IEC 9797-1 padding method 2) to a
// copy of b.
func Pad(b []byte, block int) []byte {
	n := len(b) + block - len(b)%block
	out := make([]byte, n)
	copy(out, b)
	out[len(b)] = 0x80
	return out
}

// unpad removes the padding; false when there is none.
func unpad(b []byte, block int) ([]byte, bool) {
	for i := len(b) - 1; i >= 0 && i >= len(b)-block; i-- {
		switch b[i] {
		case 0:
		case 0x80:
			return b[:i], true
		default:
			return nil, false
		}
	}
	return nil, false
}

// MAC returns the code of eight octets over the parts: the retail MAC of ISO/IEC
// 9797-1 (algorithm 3, padding method 2) for 3DES, CMAC cut to eight octets for
// AES (9303-11 §9.8.6; the authentication tokens of §4.4.3.4).
func (s Suite) MAC(key []byte, parts ...[]byte) []byte {
	m := s.newMAC(key)
	for _, p := range parts {
		m.write(p)
	}
	return m.appendSum(nil, s == TDES)
}

// macState computes a retail MAC or a CMAC.
type macState struct {
	first, last cipher.Block // last is nil for CMAC
	k1, k2      [16]byte
	state, held [16]byte
	n           int // octets held
	size        int
}

func (s Suite) newMAC(key []byte) *macState {
	m := &macState{size: s.BlockSize()}
	if s == TDES {
		if len(key) != 16 {
			panic("sm: 3DES key of another length")
		}
		a, errA := des.NewCipher(key[:8])
		b, errB := des.NewCipher(key[8:])
		if errA != nil || errB != nil {
			panic("sm: 3DES key of another length")
		}
		m.first, m.last = a, b
		return m
	}
	m.first = s.NewCipher(key)
	m.first.Encrypt(m.k1[:], m.k1[:]) // NIST SP 800-38B §6.1
	double(&m.k1)
	m.k2 = m.k1
	double(&m.k2)
	return m
}

// double multiplies by x in GF(2^128), in constant time.
func double(b *[16]byte) {
	carry := -(b[0] >> 7) & 0x87
	for i := range 15 {
		b[i] = b[i]<<1 | b[i+1]>>7
	}
	b[15] = b[15]<<1 ^ carry
}

// reset begins another computation under the same key.
func (m *macState) reset() { m.state, m.held, m.n = [16]byte{}, [16]byte{}, 0 }

func (m *macState) write(b []byte) {
	for len(b) > 0 {
		if m.n == m.size {
			m.block()
		}
		n := copy(m.held[m.n:m.size], b)
		m.n += n
		b = b[n:]
	}
}

func (m *macState) block() {
	for i := range m.size {
		m.state[i] ^= m.held[i]
	}
	m.first.Encrypt(m.state[:m.size], m.state[:m.size])
	m.n = 0
}

// appendSum ends the computation and appends the code. With padded set, padding
// method 2 applies: always for 3DES. (For secure messaging the data come padded.)
func (m *macState) appendSum(dst []byte, padded bool) []byte {
	if padded {
		m.write([]byte{0x80})
	}
	if m.last != nil {
		clear(m.held[m.n:])
		m.block()
		m.last.Decrypt(m.state[:8], m.state[:8])
		m.first.Encrypt(m.state[:8], m.state[:8])
		return append(dst, m.state[:MACSize]...)
	}
	k := &m.k1
	if m.n < m.size {
		m.held[m.n] = 0x80
		clear(m.held[m.n+1:])
		k = &m.k2
	}
	for i := range k {
		m.held[i] ^= k[i]
	}
	m.n = m.size
	m.block()
	return append(dst, m.state[:MACSize]...)
}

// EncryptPadded pads and encrypts a copy of plain in CBC under a given vector.
func EncryptPadded(s Suite, key, iv, plain []byte) []byte {
	out := Pad(plain, s.BlockSize())
	cipher.NewCBCEncrypter(s.NewCipher(key), iv).CryptBlocks(out, out)
	return out
}

// DecryptPadded reverses EncryptPadded; false when the length or the padding is wrong.
func DecryptPadded(s Suite, key, iv, cryptogram []byte) ([]byte, bool) {
	if len(cryptogram) == 0 || len(cryptogram)%s.BlockSize() != 0 {
		return nil, false
	}
	out := make([]byte, len(cryptogram))
	cipher.NewCBCDecrypter(s.NewCipher(key), iv).CryptBlocks(out, cryptogram)
	return unpad(out, s.BlockSize())
}
