package mrtd_test

import (
	"errors"
	"strings"
	"testing"

	"ipse/mrtd"
	"ipse/mrtd/deviation"
	"ipse/mrtd/specimen"
)

func textOf(t *testing.T, v *mrtd.Verdict) string {
	t.Helper()
	var b strings.Builder
	if err := v.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestTheTextSaysWhatTheVerdictComesTo: the first sentence is true of the verdict, every
// failed check is a reason, and every check, certificate and deviation is there.
func TestTheTextSaysWhatTheVerdictComesTo(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	store, challenge := storeOf(t, i), []byte("8 octets")
	aa := specimen.DocumentConfig{AA: "ecdsa-P-256-sha256"}
	ca := issue(t, i, specimen.DocumentConfig{CA: []specimen.CAConfig{{Curve: "P-256", Protocol: caAES128}}})
	agreed := evidenceOf(t, ca, nil)
	agreed.Session.CA = agree(t, ca, caAES128)
	for name, c := range map[string]struct {
		ev    *mrtd.Evidence
		opts  mrtd.VerifyOptions
		first string
	}{
		"no chip key":     {evidenceOf(t, issue(t, i, specimen.DocumentConfig{}), nil), mrtd.VerifyOptions{}, "GENUINE: the data are signed by the state that issued the document and unchanged; the document carries no key of its chip, so that a copy cannot be told from it; the document is in force."},
		"own challenge":   {evidenceOf(t, issue(t, i, aa), challenge), mrtd.VerifyOptions{AAChallenge: challenge}, "answered this verifier's challenge; the document is in force."},
		"own session":     {agreed, mrtd.VerifyOptions{OwnSession: true}, "proved it in this verifier's own session; the document is in force."},
		"of unknown age":  {evidenceOf(t, issue(t, i, aa), challenge), mrtd.VerifyOptions{}, "when it proved that is not known; the document is in force."},
		"expired":         {evidenceOf(t, issue(t, i, fault(specimen.FaultExpired)), nil), mrtd.VerifyOptions{AllowExpired: true}, "the document has expired, which this verification tolerates."},
		"changed":         {evidenceOf(t, issue(t, i, fault(specimen.FaultTamperedDG1)), nil), mrtd.VerifyOptions{}, "REFUSED: 1 of "},
		"several reasons": {evidenceOf(t, issue(t, i, fault(specimen.FaultExpired)), nil), mrtd.VerifyOptions{Policy: deviation.Strict, RequireFresh: true, AAChallenge: challenge}, "REFUSED: "},
		"nothing read":    {&mrtd.Evidence{}, mrtd.VerifyOptions{}, "REFUSED: "},
	} {
		v := verify(t, c.ev, store, c.opts)
		text := textOf(t, v)
		first, _, _ := strings.Cut(text, "\n")
		if !strings.Contains(first, c.first) {
			t.Errorf("%s: %s", name, first)
		}
		if got := strings.Count(text, "\n  because "); (got == 0) != v.Genuine {
			t.Errorf("%s: %d reasons", name, got)
		}
		for _, check := range v.Checks {
			times := 1
			if check.Result == mrtd.Failed {
				times = 2
			}
			if check.Detail == "" || strings.Count(text, " "+check.ID+" ") < times || !strings.Contains(text, check.Clause) {
				t.Errorf("%s: %s is not told, or without detail", name, check.ID)
			}
		}
		for _, cert := range v.Chain {
			if !strings.Contains(text, cert.SHA256) || !strings.Contains(text, cert.SourceSHA256) {
				t.Errorf("%s: %s is not named", name, cert.Role)
			}
		}
		for _, d := range v.Deviations {
			if !strings.Contains(text, string(d.Code)) {
				t.Errorf("%s: %s is not named", name, d.Code)
			}
		}
	}
}

type fullDisk struct{}

var errFull = errors.New("no space left")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestTextThatCannotBeWrittenIsTold(t *testing.T) {
	t.Parallel()
	if err := (&mrtd.Verdict{}).WriteText(fullDisk{}); !errors.Is(err, errFull) {
		t.Error(err)
	}
}
