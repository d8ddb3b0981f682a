package specimen

import (
	"crypto/rand"
	"errors"
	"fmt"
	"testing"

	"ipse/mrtd/internal/pace"
	"ipse/mrtd/lds"
)

// TestEveryChoiceOfPACECanBeMade: each mapping, standardised set of parameters, by its
// number and its name, and cipher, named and written out, makes a document whose chip
// offers it; what the standard does not have is refused.
func TestEveryChoiceOfPACECanBeMade(t *testing.T) {
	t.Parallel()
	i := newTestIssuer(t, "ecdsa-P-256-sha256")
	for id := range 19 {
		domain, err := pace.StandardDomain(id)
		if err != nil {
			continue
		}
		names := []string{fmt.Sprint(id), fmt.Sprintf("dh-%d", id)}
		if domain.IsCurve() {
			names[1] = domain.Name()
		}
		for n, mapping := range []string{"gm", "im", "cam"} {
			for suite, cipher := range Ciphers() {
				p, err := NewPACE(mapping, names[suite%2], cipher)
				if err != nil || p.ParameterID != id {
					t.Fatalf("%s %s %s: %+v, %v", mapping, names, cipher, p, err)
				}
				p.Explicit = suite > 1
				possible := mapping == "gm" || mapping == "im" && id != 10 || mapping == "cam" && domain.IsCurve() && cipher != "3des"
				doc, err := i.Issue(DocumentConfig{Portrait: jpegLike(), Access: AccessConfig{PACE: &p}})
				if !possible {
					if !errors.Is(err, ErrAlgorithm) {
						t.Errorf("%s %s %s is issued: %v", mapping, names, cipher, err)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				c, err := NewChip(doc, rand.Reader)
				if err != nil {
					t.Fatal(err)
				}
				got := c.infos.PACE
				if len(got) != 1 || got[0].Protocol.Mapping != []pace.Mapping{pace.Generic, pace.Integrated, pace.ChipAuth}[n] || int(got[0].Protocol.Suite) != suite+1 {
					t.Errorf("%s %s %s: the chip offers %+v", mapping, names, cipher, got)
				}
				if d, err := c.infos.Domain(got[0]); err != nil || d.Name() != domain.Name() {
					t.Errorf("%s %s %s: %v", mapping, names, cipher, err)
				}
			}
		}
	}
	for _, bad := range [][3]string{{"xm", "13", "aes-128"}, {"gm", "P-257", "aes-128"}, {"gm", "-1", "aes-128"}, {"gm", "brainpoolP256t1", "aes-128"}, {"gm", "13", "des"}} {
		if _, err := NewPACE(bad[0], bad[1], bad[2]); !errors.Is(err, ErrAlgorithm) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if _, err := NewCA("P-256", "rc4", 1); !errors.Is(err, ErrAlgorithm) {
		t.Error(err)
	}
}

// TestFurtherDataGroupsAreReadBack: what is asked for stands in the groups, and is signed.
func TestFurtherDataGroupsAreReadBack(t *testing.T) {
	t.Parallel()
	cfg := DocumentConfig{Portrait: jpegLike(), Signature: jpegLike(), Optional: []byte("anything"),
		Contacts: []Contact{{RecordedOn: "20260102", Name: "MARTIN<<CAMILLE", Telephone: "+000 1", Address: "MAIN STREET"}, {RecordedOn: "20260102", Name: "STEVENSON<<PETER"}}}
	for _, name := range DetailNames() {
		value := "VALUE OF " + name
		if name == "birth-date" || name == "issue-date" {
			value = "20260102"
		}
		if err := cfg.AddDetail(name, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := cfg.AddDetail("shoe-size", "42"); !errors.Is(err, ErrConfig) {
		t.Errorf("an unknown detail: %v", err)
	}
	i := newTestIssuer(t, "ecdsa-P-256-sha256")
	doc, err := i.Issue(cfg)
	if err != nil {
		t.Fatal(err)
	}
	signatures, _, err := lds.ParseDG7(doc.Files[lds.DG7])
	if err != nil || len(signatures) != 1 || string(signatures[0].Reveal()) != string(jpegLike()) {
		t.Errorf("DG7: %v", err)
	}
	person, err := lds.ParseDG11(doc.Files[lds.DG11])
	if err != nil || person.BirthDate.Reveal() != "2026-01-02" || person.Custody.Reveal() != "VALUE OF custody" || len(person.Deviations) > 0 {
		t.Errorf("DG11: %+v, %v", person, err)
	}
	issue, err := lds.ParseDG12(doc.Files[lds.DG12])
	if err != nil || issue.Authority.Reveal() != "VALUE OF authority" || len(issue.Deviations) > 0 {
		t.Errorf("DG12: %+v, %v", issue, err)
	}
	content, _, err := lds.Content(lds.DG13, doc.Files[lds.DG13])
	if err != nil || string(content) != "anything" {
		t.Errorf("DG13: %q, %v", content, err)
	}
	contacts, deviations, err := lds.ParseDG16(doc.Files[lds.DG16])
	if err != nil || len(contacts) != 2 || contacts[0].Telephone.Reveal() != "+000 1" || contacts[1].Name.Reveal() != "STEVENSON PETER" || len(deviations) > 0 {
		t.Errorf("DG16: %d persons, %v, %v", len(contacts), deviations, err)
	}
	security, err := lds.ParseSOD(doc.Files[lds.SOD])
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []lds.FileID{lds.DG7, lds.DG11, lds.DG12, lds.DG13, lds.DG16} {
		if !security.Lists(id) {
			t.Errorf("%s is not signed", id)
		}
	}
	for _, bad := range []DocumentConfig{{Portrait: jpegLike(), Signature: []byte("no image")}, {Portrait: jpegLike(), Contacts: make([]Contact, maxContacts+1)}} {
		if _, err := i.Issue(bad); !errors.Is(err, ErrConfig) {
			t.Errorf("issued: %v", err)
		}
	}
}
