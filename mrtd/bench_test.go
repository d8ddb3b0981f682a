package mrtd_test

import (
	"testing"

	"ipse/mrtd"
	"ipse/mrtd/specimen"
)

// BenchmarkVerify judges a whole document: SOD, chain, revocation, data groups.
// Targets: 4 ms with brainpool, 0.5 ms with other algorithms.
func BenchmarkVerify(b *testing.B) {
	for _, alg := range []specimen.Algorithm{"ecdsa-brainpoolP256r1-sha256", "ecdsa-P-256-sha256", "rsa-2048-sha256", "rsapss-2048-sha256"} {
		b.Run(string(alg), func(b *testing.B) {
			i := newIssuer(b, alg, alg)
			ev, s := evidenceOf(b, issue(b, i, specimen.DocumentConfig{}), nil), storeOf(b, i)
			b.ReportAllocs()
			for b.Loop() {
				if v, err := mrtd.Verify(ev, s, mrtd.VerifyOptions{Now: now()}); err != nil || !v.Genuine {
					b.Fatal("not genuine")
				}
			}
		})
	}
}
