package mrtd

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"math/big"
	"testing"

	"ipse/mrtd/lds"
	"ipse/mrtd/tlv"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestActiveAuthenticationOfAppendixF follows the worked example of ICAO 9303-11
// appendix F (RSA 1024, SHA-1, trailer BC). It prints no key, so the message
// representative F is signed with one made here.
func TestActiveAuthenticationOfAppendixF(t *testing.T) {
	t.Parallel()
	challenge := unhex(t, "F173589974BF40C6")
	m1 := unhex(t, "9D2784A67F8E7C659973EA1AEA25D95B6C8F91E5002F369F0FBDCE8A3CEC1991B543F1696546C5524CF23A5303CD6C98599F40B79F377B5F"+
		"3A1406B3B4D8F96784D23AA88DB7E1032A405E69325FA91A6E86F5C71AEA978264C4A207446DAD4E7292E2DCDA3024B47DA8")
	digest := unhex(t, "C063AA1E6D22FBD976AB0FE73D94D2D9C6D88127")
	if sum := sha1.Sum(append(bytes.Clone(m1), challenge...)); !bytes.Equal(sum[:], digest) {
		t.Fatal("the example's own hash differs")
	}
	f := append(append(append([]byte{0x6A}, m1...), digest...), 0xBC)
	if len(f) != 128 {
		t.Fatalf("F has %d octets", len(f))
	}
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(f []byte) []byte {
		return new(big.Int).Exp(new(big.Int).SetBytes(f), key.D, key.N).FillBytes(make([]byte, 128))
	}
	sig := sign(f)
	for name, s := range map[string][]byte{"s": sig, "n-s": new(big.Int).Sub(key.N, new(big.Int).SetBytes(sig)).FillBytes(make([]byte, 128))} {
		if h, err := verifyISO9796(&key.PublicKey, challenge, s); err != nil || h != crypto.SHA1 {
			t.Errorf("%s: %v, %v", name, h, err)
		}
	}
	refused := map[string][]byte{"another challenge": sig, "no header": sign(append([]byte{0x4A}, f[1:]...)), "cut": sig[1:],
		"long": append([]byte{0}, sig...), "not below n": key.N.Bytes(), "empty": nil,
		"another trailer": sign(append(bytes.Clone(f[:127]), 0xAC))}
	for name, s := range refused {
		c := challenge
		if name == "another challenge" {
			c = []byte("8 octets")
		}
		if _, err := verifyISO9796(&key.PublicKey, c, s); !errors.Is(err, errAASignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Padding octets BB before the recoverable part (ISO/IEC 9796-2 §8.2).
	short := m1[10:]
	sum := sha1.Sum(append(bytes.Clone(short), challenge...))
	padded := append(append([]byte{0x6B}, bytes.Repeat([]byte{0xBB}, 9)...), 0xBA)
	padded = append(append(append(padded, short...), sum[:]...), 0xBC)
	if len(padded) != 128 {
		t.Fatalf("padded F has %d octets", len(padded))
	}
	if _, err := verifyISO9796(&key.PublicKey, challenge, sign(padded)); err != nil {
		t.Errorf("padded: %v", err)
	}
}

// TestTinyKeysProveNothing: a chip whose key anybody can factor, or whose exponent is 1,
// is refused before its signature is looked at.
func TestTinyKeysProveNothing(t *testing.T) {
	t.Parallel()
	dg15 := func(bits, e int) []byte {
		n := new(big.Int).SetBit(new(big.Int).SetBit(new(big.Int), bits-1, 1), 0, 1)
		key := tlv.Encode(tlv.Sequence, tlv.EncodeInteger(n), tlv.EncodeInt(e))
		algorithm := tlv.Encode(tlv.Sequence, tlv.EncodeOID("1.2.840.113549.1.1.1"), tlv.Encode(tlv.Null))
		return tlv.Encode(tlv.Tag(lds.DG15.Tag()), tlv.Encode(tlv.Sequence, algorithm, tlv.Encode(tlv.BitString, []byte{0}, key)))
	}
	proof := &AATranscript{Challenge: []byte("8 octets"), Response: make([]byte, 128)}
	for _, weak := range [][2]int{{512, 65537}, {1016, 65537}, {2048, 1}, {2048, 2}} {
		if _, _, err := verifyAA(dg15(weak[0], weak[1]), nil, proof); err == nil || errors.Is(err, errAASignature) {
			t.Errorf("%d bits, exponent %d: %v", weak[0], weak[1], err)
		}
	}
	if _, _, err := verifyAA(dg15(1024, 3), nil, proof); !errors.Is(err, errAASignature) {
		t.Errorf("1024 bits: %v", err)
	}
}
