package mrtd_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"ipse/internal/pii"
	"ipse/internal/pii/piitest"
	"ipse/mrtd"
	"ipse/mrtd/deviation"
	"ipse/mrtd/lds"
	"ipse/mrtd/mrz"
	"ipse/mrtd/specimen"
	"ipse/mrtd/trust"
)

func now() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }

// portrait begins and ends like a JPEG; the verifier does not decode it.
func portrait() []byte {
	return append(append([]byte{0xFF, 0xD8, 0xFF, 0xE0}, bytes.Repeat([]byte("specimen"), 200)...), 0xFF, 0xD9)
}

func newIssuer(t testing.TB, csca, ds specimen.Algorithm) *specimen.Issuer {
	t.Helper()
	i, err := specimen.NewIssuer(specimen.IssuerConfig{CSCA: csca, DS: ds, Rand: rand.Reader, Now: now()})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func issue(t testing.TB, i *specimen.Issuer, cfg specimen.DocumentConfig) *specimen.Document {
	t.Helper()
	if cfg.Portrait == nil {
		cfg.Portrait = portrait()
	}
	d, err := i.Issue(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func storeOf(t testing.TB, i *specimen.Issuer) *trust.Store {
	t.Helper()
	ml, err := i.MasterList(now())
	if err != nil {
		t.Fatal(err)
	}
	crl, err := i.CRL(now())
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := trust.Load([]trust.Source{{Name: "specimen.ml", Data: ml}, {Name: "specimen.crl", Data: crl}}, trust.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// evidenceOf is what an honest reader would bring back.
func evidenceOf(t testing.TB, d *specimen.Document, challenge []byte) *mrtd.Evidence {
	t.Helper()
	ev := &mrtd.Evidence{Files: map[lds.FileID]pii.Bytes{}, Session: mrtd.Session{Access: "BAC", ReadAt: now()}}
	for id, b := range d.Files {
		ev.Files[id] = pii.NewBytes(bytes.Clone(b))
	}
	if d.AAKey != nil && challenge != nil {
		ev.Session.AA = &mrtd.AATranscript{Challenge: challenge, Response: answer(t, d, challenge)}
	}
	return ev
}

// answer signs as a chip does: ISO/IEC 9796-2 with SHA-256 for RSA, r||s for EC.
func answer(t testing.TB, d *specimen.Document, challenge []byte) []byte {
	t.Helper()
	if key, err := specimen.ParseECKey(d.AAKey); err == nil {
		digest := crypto.SHA256.New()
		digest.Write(challenge)
		r, s, err := key.Sign(rand.Reader, digest.Sum(nil))
		if err != nil {
			t.Fatal(err)
		}
		size := len(key.Public().Bytes()) / 2
		out := make([]byte, 2*size)
		copy(out[size-len(r):], r)
		copy(out[2*size-len(s):], s)
		return out
	}
	parsed, err := x509.ParsePKCS8PrivateKey(d.AAKey)
	if err != nil {
		t.Fatal(err)
	}
	key := parsed.(*rsa.PrivateKey)
	size := (key.N.BitLen() + 7) / 8
	m1 := bytes.Repeat([]byte{0x5A}, size-1-32-2)
	digest := crypto.SHA256.New()
	digest.Write(m1)
	digest.Write(challenge)
	f := append(append([]byte{0x6A}, m1...), digest.Sum(nil)...)
	f = append(f, 0x34, 0xCC)
	return new(big.Int).Exp(new(big.Int).SetBytes(f), key.D, key.N).FillBytes(make([]byte, size))
}

func verify(t testing.TB, ev *mrtd.Evidence, s *trust.Store, opts mrtd.VerifyOptions) *mrtd.Verdict {
	t.Helper()
	if opts.Now.IsZero() {
		opts.Now = now()
	}
	v, err := mrtd.Verify(ev, s, opts)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func explain(t testing.TB, v *mrtd.Verdict) {
	t.Helper()
	var b strings.Builder
	if err := v.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	t.Log(b.String())
}

func TestGenuineDocumentsOfEveryAlgorithm(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		csca, ds, aa specimen.Algorithm
		hash         crypto.Hash
	}{
		{"", "", "rsa-1024-sha256", 0},
		{"rsa-2048-sha256", "rsa-2048-sha256", "", crypto.SHA1},
		{"rsapss-2048-sha512", "rsapss-2048-sha256", "ecdsa-P-256-sha256", crypto.SHA512},
		{"ecdsa-P-384-sha384", "ecdsa-P-256-sha256", "ecdsa-brainpoolP256r1-sha256", crypto.SHA384},
		{"ecdsa-brainpoolP512r1-sha512", "ecdsa-brainpoolP384r1-sha384", "", crypto.SHA224},
		{"ecdsa-P-521-sha512", "ecdsa-P-224-sha224", "", crypto.SHA256},
		{"ecdsa-brainpoolP320r1-sha384", "ecdsa-brainpoolP224r1-sha224", "", 0},
	} {
		t.Run(string(c.csca)+"/"+string(c.ds)+"/"+string(c.aa), func(t *testing.T) {
			t.Parallel()
			i := newIssuer(t, c.csca, c.ds)
			d := issue(t, i, specimen.DocumentConfig{AA: c.aa, Hash: c.hash})
			challenge := []byte("8 octets")
			v := verify(t, evidenceOf(t, d, challenge), storeOf(t, i), mrtd.VerifyOptions{AAChallenge: challenge, RequireCRL: true})
			if !v.Genuine || !v.PassiveAuthentication || v.ChipAuthentic != (c.aa != "") {
				explain(t, v)
				t.Fatal("a genuine document was refused")
			}
			if v.Document == nil || v.Document.FamilyName.Reveal() != "ERIKSSON" || v.Document.BirthDate.Reveal() != "1974-08-12" || v.Document.Kind != "passport" {
				t.Error("the document's data are missing or wrong")
			}
			if v.Portrait == nil || !bytes.Equal(v.Portrait.Image.Reveal(), portrait()) || v.Portrait.Format != "jpeg" {
				t.Error("the portrait is missing or wrong")
			}
		})
	}
}

func TestEachFaultIsRefusedAtItsOwnCheck(t *testing.T) {
	t.Parallel()
	for fault, check := range map[string]string{
		specimen.FaultTamperedDG1:       "hash.DG1",
		specimen.FaultTamperedDG2:       "hash.DG2",
		specimen.FaultTamperedSOD:       "sod.signature",
		specimen.FaultForeignCSCA:       "chain.signature",
		specimen.FaultExpiredDS:         "validity.signer_at_signing",
		specimen.FaultRevokedDS:         "revocation.signer",
		specimen.FaultExpired:           "document.expiry",
		specimen.FaultSwappedDG15:       "hash.DG15",
		specimen.FaultSwappedDG1:        "hash.DG1",
		specimen.FaultMissingDG2:        "hash.DG2",
		specimen.FaultCloneWithoutAAKey: "chip.authentic",
		specimen.FaultOmittedAA:         "chip.authentic",
		specimen.FaultNoDSInSOD:         "sod.signature",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
			d := issue(t, i, specimen.DocumentConfig{AA: "ecdsa-P-256-sha256", Faults: map[string]bool{fault: true}})
			v := verify(t, evidenceOf(t, d, []byte("8 octets")), storeOf(t, i), mrtd.VerifyOptions{})
			if c := v.Find(check); v.Genuine || c == nil || c.Result != mrtd.Failed {
				explain(t, v)
				t.Fatalf("not refused at %s", check)
			}
			if !v.PassiveAuthentication && (v.Document != nil || v.Portrait != nil || v.Details != nil) {
				t.Error("unauthenticated data were handed out")
			}
		})
	}
}

func TestDeviationsAreNamedAndJudgedByPolicy(t *testing.T) {
	t.Parallel()
	for fault, code := range map[string]deviation.Code{
		specimen.FaultIndefinite:    deviation.SODIndefinite,
		specimen.FaultWrongIssuerID: deviation.SODSignerID,
		specimen.FaultNoSignedAttrs: deviation.SODNoSignedAttrs,
		specimen.FaultContentType:   deviation.SODContentType,
		specimen.FaultDigestDiffers: deviation.SODDigestDiffers,
		specimen.FaultTrailingDG14:  deviation.FileTrailing,
		specimen.FaultDG2Length:     deviation.DG2RecordLength,
		specimen.FaultCOMDiffers:    deviation.COMDiffers,
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
			d := issue(t, i, specimen.DocumentConfig{AA: "ecdsa-P-256-sha256", Faults: map[string]bool{fault: true}})
			s := storeOf(t, i)
			for policy, want := range map[deviation.Policy]bool{deviation.Strict: false, deviation.ICAO: true, deviation.Lenient: true} {
				v := verify(t, evidenceOf(t, d, []byte("8 octets")), s, mrtd.VerifyOptions{Policy: policy})
				named := false
				for _, x := range v.Deviations {
					named = named || x.Code == code
				}
				if v.Genuine != want || !named {
					explain(t, v)
					t.Errorf("policy %s: genuine %v, named %v", policy, v.Genuine, named)
				}
			}
		})
	}
}

func TestReplayedChallengeIsRefused(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	d := issue(t, i, specimen.DocumentConfig{AA: "ecdsa-P-256-sha256"})
	ev := evidenceOf(t, d, []byte("old one."))
	v := verify(t, ev, storeOf(t, i), mrtd.VerifyOptions{AAChallenge: []byte("new one.")})
	if v.Genuine || v.Find("chip.aa").Result != mrtd.Failed {
		t.Error("a replayed active authentication was accepted")
	}
}

func TestSignatureOfAnotherKeyIsRefused(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	for _, aa := range []specimen.Algorithm{"rsa-1024-sha256", "ecdsa-P-256-sha256"} {
		d, other := issue(t, i, specimen.DocumentConfig{AA: aa}), issue(t, i, specimen.DocumentConfig{AA: aa})
		challenge := []byte("8 octets")
		ev := evidenceOf(t, d, nil)
		ev.Session.AA = &mrtd.AATranscript{Challenge: challenge, Response: answer(t, other, challenge)}
		if v := verify(t, ev, storeOf(t, i), mrtd.VerifyOptions{AAChallenge: challenge}); v.Genuine || v.ChipAuthentic {
			t.Errorf("%s: the signature of another chip was accepted", aa)
		}
	}
}

func TestVerdictIsDeterministicAndShowsNothingPersonal(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	d := issue(t, i, specimen.DocumentConfig{AA: "ecdsa-P-256-sha256", Person: []lds.TaggedText{{Tag: 0x5F0E, Text: "ERIKSSON<<ANNA<MARIA"}}})
	ev, s := evidenceOf(t, d, []byte("8 octets")), storeOf(t, i)
	var first, text string
	for range 5 {
		v := verify(t, ev, s, mrtd.VerifyOptions{})
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var w strings.Builder
		if err := v.WriteText(&w); err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first, text = string(b), w.String()
		}
		if first != string(b) || text != w.String() {
			t.Fatal("the same evidence gave two verdicts")
		}
	}
	for _, secret := range []string{"ERIKSSON", "ANNA", "L898902C3", "740812", "1974-08"} {
		if piitest.Shows(first, secret) || piitest.Shows(text, secret) {
			t.Error("personal data in the verdict")
		}
	}
}

func TestEvidenceFilesRoundTripAndAreLimited(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	ev := evidenceOf(t, issue(t, i, specimen.DocumentConfig{AA: "ecdsa-P-256-sha256"}), []byte("8 octets"))
	var a, b bytes.Buffer
	if err := errors.Join(mrtd.WriteEvidence(&a, ev), mrtd.WriteEvidence(&b, ev)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the same evidence gave two files")
	}
	got, err := mrtd.ReadEvidence(a.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Files) != len(ev.Files) || !bytes.Equal(got.File(lds.DG2), ev.File(lds.DG2)) || string(got.Session.AA.Challenge) != "8 octets" {
		t.Error("evidence does not round-trip")
	}
	if v := verify(t, got, storeOf(t, i), mrtd.VerifyOptions{}); !v.Genuine {
		t.Error("evidence from a file is not genuine")
	}
	for name, bad := range map[string][]byte{"cut": a.Bytes()[:a.Len()/2], "empty": nil, "not a ZIP": []byte("hello")} {
		if _, err := mrtd.ReadEvidence(bad); !errors.Is(err, mrtd.ErrEvidence) {
			t.Errorf("%s: %v", name, err)
		}
	}
	got.Wipe()
	if got.File(lds.DG2) != nil || bytes.Contains(got.Session.AA.Challenge, []byte("octets")) {
		t.Error("wiping left something")
	}
}

// What a session says is shown to people: one that no reader writes is refused.
func TestSessionsThatNoReaderWritesAreRefused(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	d := issue(t, i, specimen.DocumentConfig{})
	for name, c := range map[string]struct {
		change func(*mrtd.Session)
		want   bool
	}{
		"as read": {func(*mrtd.Session) {}, true},
		"a deviation": {func(s *mrtd.Session) {
			s.Deviations = []deviation.Deviation{{Code: deviation.ChipPACERefused, Where: "CardAccess"}}
		}, true},
		"control characters": {func(s *mrtd.Session) { s.Access = "BAC\x1b[2J" }, false},
		"another protocol":   {func(s *mrtd.Session) { s.Access = "magic" }, false},
		"no identifier":      {func(s *mrtd.Session) { s.Protocol = "0.4.x" }, false},
		"an unknown code":    {func(s *mrtd.Session) { s.Deviations = []deviation.Deviation{{Code: "all-is-well"}} }, false},
		"a place of its own": {func(s *mrtd.Session) {
			s.Deviations = []deviation.Deviation{{Code: deviation.ChipPACERefused, Where: "\x1b[2J"}}
		}, false},
		"too many": {func(s *mrtd.Session) { s.Deviations = make([]deviation.Deviation, 65) }, false},
	} {
		ev := evidenceOf(t, d, nil)
		c.change(&ev.Session)
		var b bytes.Buffer
		if err := mrtd.WriteEvidence(&b, ev); err != nil {
			t.Fatal(err)
		}
		if _, err := mrtd.ReadEvidence(b.Bytes()); (err == nil) != c.want || err != nil && !errors.Is(err, mrtd.ErrEvidence) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVerifyWantsItsArguments(t *testing.T) {
	t.Parallel()
	if _, err := mrtd.Verify(nil, trust.Empty(), mrtd.VerifyOptions{Now: now()}); !errors.Is(err, mrtd.ErrOptions) {
		t.Error(err)
	}
	v, err := mrtd.Verify(&mrtd.Evidence{}, trust.Empty(), mrtd.VerifyOptions{Now: now()})
	if err != nil || v.Genuine {
		t.Errorf("empty evidence: genuine, %v", err)
	}
}

func TestSignersSignTheTypesTheyAreFor(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256") // its signer is for P and I
	s := storeOf(t, i)
	for code, want := range map[string]bool{"P": true, "PD": true, "I": true, "ID": true, "AC": false, "V": false} {
		d := issue(t, i, specimen.DocumentConfig{Zone: mrz.Fields{DocumentCode: code}})
		v := verify(t, evidenceOf(t, d, nil), s, mrtd.VerifyOptions{})
		if got := !named(v, deviation.ChainDocumentType); got != want || !v.Genuine {
			t.Errorf("%s: %v, genuine %v", code, got, v.Genuine)
		}
	}
}

// The portrait of the newer record reaches the verdict as that of the older one does.
func TestPortraitOfISO39794ReachesTheVerdict(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	v := verify(t, evidenceOf(t, issue(t, i, specimen.DocumentConfig{ISO39794: true, Width: 413, Height: 531}), nil), storeOf(t, i), mrtd.VerifyOptions{Policy: deviation.Strict})
	p := v.Portrait
	if !v.Genuine || p == nil || p.Standard != "39794-5" || p.Width != 413 || p.CapturedOn.Reveal() != "2026-10-24" || !bytes.Equal(p.Image.Reveal(), portrait()) {
		explain(t, v)
		t.Errorf("%+v", p)
	}
}
