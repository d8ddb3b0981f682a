package mrtd_test

import (
	"bytes"
	"crypto/rand"
	"testing"

	"ipse/mrtd"
	"ipse/mrtd/lds"
	"ipse/mrtd/specimen"
)

// FuzzEvidence: whatever reads as evidence can be judged without a panic, and
// nothing but the untouched original is genuine.
func FuzzEvidence(f *testing.F) {
	i, err := specimen.NewIssuer(specimen.IssuerConfig{CSCA: "ecdsa-P-256-sha256", DS: "ecdsa-P-256-sha256", Rand: rand.Reader, Now: now()})
	if err != nil {
		f.Fatal(err)
	}
	ev := evidenceOf(f, issue(f, i, specimen.DocumentConfig{}), nil)
	var original bytes.Buffer
	if err := mrtd.WriteEvidence(&original, ev); err != nil {
		f.Fatal(err)
	}
	store := storeOf(f, i)
	f.Add(original.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := mrtd.ReadEvidence(b)
		if err != nil {
			return
		}
		v := verify(t, got, store, mrtd.VerifyOptions{})
		if !v.Genuine {
			return
		}
		for _, id := range []lds.FileID{lds.DG1, lds.DG2} {
			if !bytes.Equal(got.File(id), ev.File(id)) {
				t.Fatal("changed data are genuine")
			}
		}
	})
}
