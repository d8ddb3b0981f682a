package mrtd_test

import (
	"bytes"
	"slices"
	"testing"

	"ipse/internal/pii"
	"ipse/mrtd"
	"ipse/mrtd/lds"
	"ipse/mrtd/specimen"
)

// provedEvidence is evidence of a document that proves its chip in every way, with the
// verdict on it.
func provedEvidence(t *testing.T) (*mrtd.Evidence, func(*mrtd.Evidence) *mrtd.Verdict) {
	t.Helper()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	store := storeOf(t, i)
	d := issue(t, i, specimen.DocumentConfig{AA: "ecdsa-P-256-sha256", CA: []specimen.CAConfig{{Curve: "P-256", Protocol: caAES128}},
		Portrait: append([]byte{0xFF, 0xD8, 0xFF, 0xE0}, bytes.Repeat([]byte("face"), 30)...),
		Person:   []lds.TaggedText{{Tag: 0x5F0E, Text: "ERIKSSON<<ANNA<MARIA"}}})
	ev := evidenceOf(t, d, []byte("8 octets"))
	ev.Session.CA = agree(t, d, caAES128)
	judge := func(ev *mrtd.Evidence) *mrtd.Verdict {
		return verify(t, ev, store, mrtd.VerifyOptions{AAChallenge: []byte("8 octets"), OwnSession: true, RequireFresh: true, RequireCRL: true})
	}
	if v := judge(ev); !v.Genuine || v.Find("chip.aa").Result != mrtd.Passed || v.Find("chip.ca").Result != mrtd.Passed {
		explain(t, v)
		t.Fatal("the evidence is not genuine to begin with")
	}
	return ev, judge
}

// TestNoChangedOctetStaysGenuine changes every octet of every file in turn. A data
// group is refused whichever it is. Of EF.SOD only framing that the signature does not
// cover may change, which is named, and EF.COM says nothing that anything follows from:
// the verdict is the same on the holder, the data groups and who signed.
func TestNoChangedOctetStaysGenuine(t *testing.T) {
	t.Parallel()
	ev, judge := provedEvidence(t)
	want := judge(ev)
	for _, id := range ev.FileIDs() {
		original := ev.Files[id]
		unsigned := 0
		for at := range original.Reveal() {
			changes := []byte{0x01, 0x80, 0x20}
			if id != lds.SOD || testing.Short() {
				changes = changes[at%3:][:1]
			}
			for _, change := range changes {
				b := bytes.Clone(original.Reveal())
				b[at] ^= change
				ev.Files[id] = pii.NewBytes(b)
				v := judge(ev)
				if !v.Genuine {
					continue
				}
				unsigned++
				_, group := id.Number()
				if group || !sameSubstance(v, want) || id == lds.SOD && len(v.Deviations) == len(want.Deviations) {
					explain(t, v)
					t.Fatalf("%s: octet %d changed, and genuine", id, at)
				}
			}
		}
		ev.Files[id] = original
		t.Logf("%s: %d changes to its %d octets concern nothing that is signed", id, unsigned, original.Len())
	}
}

// sameSubstance compares what two verdicts say of the holder, the data groups and the
// signer.
func sameSubstance(a, b *mrtd.Verdict) bool {
	return a.Document.Number.Reveal() == b.Document.Number.Reveal() && a.Document.FamilyName.Reveal() == b.Document.FamilyName.Reveal() &&
		slices.Equal(a.Signature.Listed, b.Signature.Listed) && a.Signature.Key == b.Signature.Key && a.Signature.DataHash == b.Signature.DataHash &&
		len(a.Chain) == len(b.Chain) && a.Chain[0].Serial == b.Chain[0].Serial && a.Chain[1].SHA256 == b.Chain[1].SHA256 &&
		bytes.Equal(a.Portrait.Image.Reveal(), b.Portrait.Image.Reveal())
}

// TestNoChangedProofStaysAProof changes every octet of the proofs in turn.
func TestNoChangedProofStaysAProof(t *testing.T) {
	t.Parallel()
	ev, judge := provedEvidence(t)
	aa, ca := ev.Session.AA, ev.Session.CA
	for name, part := range map[string][]byte{"challenge": aa.Challenge, "response": aa.Response, "terminal's private key": ca.TerminalPrivate,
		"terminal's public key": ca.TerminalPublic, "first command": ca.Command, "first response": ca.Response} {
		for at := range part {
			if name == "first command" && at == len(part)-1 || name == "first response" && at >= len(part)-2 {
				continue // Le of the protected command and the outer status: the code covers its own
			}
			for _, change := range []byte{0x01, 0x80} {
				part[at] ^= change
				if v := judge(ev); v.Genuine || v.ChipAuthentic {
					t.Errorf("%s: octet %d changed, and a proof", name, at)
				}
				part[at] ^= change
			}
		}
		for _, cut := range [][]byte{part[:len(part)-2], part[1:], append(bytes.Clone(part), 0)} {
			changed := *ev
			changed.Session.AA, changed.Session.CA = replaced(aa, ca, name, cut)
			if v := judge(&changed); v.Genuine || v.ChipAuthentic {
				t.Errorf("%s: of %d octets in place of %d, and a proof", name, len(cut), len(part))
			}
		}
	}
	if v := judge(ev); !v.Genuine {
		t.Error("not as it was")
	}
}

func replaced(aa *mrtd.AATranscript, ca *mrtd.CATranscript, name string, b []byte) (*mrtd.AATranscript, *mrtd.CATranscript) {
	a, c := *aa, *ca
	*map[string]*[]byte{"challenge": &a.Challenge, "response": &a.Response, "terminal's private key": &c.TerminalPrivate,
		"terminal's public key": &c.TerminalPublic, "first command": &c.Command, "first response": &c.Response}[name] = b
	return &a, &c
}
