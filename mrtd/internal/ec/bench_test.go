package ec

import (
	"crypto/rand"
	"crypto/sha256"
	"testing"
)

func BenchmarkScalarMult(b *testing.B) {
	for _, c := range Curves() {
		b.Run(c.Name(), func(b *testing.B) {
			k, q := mustKey(b, c), mustKey(b, c).Public()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := k.Agree(q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkBrainpoolP256r1(b *testing.B) {
	c := ByName("brainpoolP256r1")
	k := mustKey(b, c)
	digest := sha256.Sum256([]byte("sample"))
	r, s, err := k.Sign(rand.Reader, digest[:])
	if err != nil {
		b.Fatal(err)
	}
	b.Run("GenerateKey", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			mustKey(b, c)
		}
	})
	b.Run("Sign", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := k.Sign(rand.Reader, digest[:]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Verify", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if !k.Public().Verify(digest[:], r, s) {
				b.Fatal("refused")
			}
		}
	})
}
