package mrtd_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"testing"

	"ipse/mrtd"
	"ipse/mrtd/lds"
	"ipse/mrtd/specimen"
	"ipse/mrtd/trust"
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
	withProofs := evidenceOf(f, issue(f, i, specimen.DocumentConfig{AA: "ecdsa-P-256-sha256", CA: []specimen.CAConfig{{Curve: "P-256"}}}), []byte("8 octets"))
	withProofs.Session.CA = &mrtd.CATranscript{Protocol: caAES128, KeyID: -1, TerminalPrivate: []byte{1}, TerminalPublic: []byte{4}, Command: []byte{0x0C, 0xB0, 0, 0}, Response: []byte{0x90, 0}}
	withProofs.Session.CAM = &mrtd.CAMTranscript{ChipAuthenticationData: []byte{1}, MappingPublicKey: []byte{4}}
	var more bytes.Buffer
	if err := mrtd.WriteEvidence(&more, withProofs); err != nil {
		f.Fatal(err)
	}
	f.Add(more.Bytes())
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

// FuzzTrustSources: whatever is loaded as a trust source, nothing but the list of
// the issuer's own authority makes its document genuine.
func FuzzTrustSources(f *testing.F) {
	i, err := specimen.NewIssuer(specimen.IssuerConfig{CSCA: "ecdsa-P-256-sha256", DS: "ecdsa-P-256-sha256", Rand: rand.Reader, Now: now()})
	if err != nil {
		f.Fatal(err)
	}
	other, err := specimen.NewIssuer(specimen.IssuerConfig{CSCA: "ecdsa-P-256-sha256", DS: "ecdsa-P-256-sha256", Rand: rand.Reader, Now: now()})
	if err != nil {
		f.Fatal(err)
	}
	ml, err1 := other.MasterList(now())
	crl, err2 := other.CRL(now())
	dl, err3 := i.DeviationList(now(), specimen.Announcement{Kind: trust.DGHashWrong, Group: 12, Numbers: []string{"L898902C3"}, Code: "P", From: now(), To: now(), Signer: i.DS()})
	if err := errors.Join(err1, err2, err3); err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{ml, crl, dl, other.CSCA(), i.DS(), []byte("dn: c=UT\n")} {
		f.Add(seed)
	}
	ev := evidenceOf(f, issue(f, i, specimen.DocumentConfig{}), nil)
	own := i.CSCA()
	f.Fuzz(func(t *testing.T, b []byte) {
		s, _, err := trust.Load([]trust.Source{{Name: "fuzzed", Data: b}}, trust.Options{})
		if err != nil || bytes.Contains(b, own) {
			return
		}
		if v := verify(t, ev, s, mrtd.VerifyOptions{}); v.Genuine {
			t.Fatal("a document of an untrusted authority is genuine")
		}
	})
}
