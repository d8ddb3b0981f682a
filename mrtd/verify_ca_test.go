package mrtd_test

import (
	"bytes"
	"crypto/rand"
	"strings"
	"testing"

	"ipse/internal/pii"
	"ipse/mrtd"
	"ipse/mrtd/internal/apdu"
	"ipse/mrtd/internal/pace"
	"ipse/mrtd/internal/sm"
	"ipse/mrtd/lds"
	"ipse/mrtd/specimen"
)

// agree plays both ends of chip authentication with the document's first key.
func agree(t *testing.T, d *specimen.Document, protocol string) *mrtd.CATranscript {
	t.Helper()
	key, err := specimen.ParseECKey(d.CAKeys[0].PKCS8)
	if err != nil {
		t.Fatal(err)
	}
	domain := pace.CurveDomain(key.Curve())
	own, err := domain.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := own.Agree(key.Public().Bytes())
	if err != nil {
		t.Fatal(err)
	}
	p, ok := pace.ParseCA(protocol)
	if !ok {
		t.Fatal("no such protocol")
	}
	reader, chip := sm.NewSession(p.Suite, secret, nil), sm.NewSession(p.Suite, secret, nil)
	command, err := reader.Protect(&apdu.Command{INS: 0xB0, P1: 0x81, Ne: 8})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chip.UnprotectCommand(command); err != nil {
		t.Fatal(err)
	}
	response, err := chip.ProtectResponse(&apdu.Response{Data: []byte("8 octets"), SW: apdu.OK})
	if err != nil {
		t.Fatal(err)
	}
	sent, err := command.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return &mrtd.CATranscript{Protocol: protocol, KeyID: d.CAKeys[0].KeyID, TerminalPrivate: own.Private(), TerminalPublic: own.Public(),
		Command: sent, Response: response.Encode()}
}

const caAES128 = "0.4.0.127.0.7.2.2.3.2.2"

func TestChipAuthenticationTranscriptProvesTheChip(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	s := storeOf(t, i)
	for _, protocol := range []string{caAES128, "0.4.0.127.0.7.2.2.3.2.1", "0.4.0.127.0.7.2.2.3.2.4"} {
		d := issue(t, i, specimen.DocumentConfig{CA: []specimen.CAConfig{{Curve: "brainpoolP256r1", Protocol: protocol, KeyID: 1}, {Curve: "P-256", Protocol: protocol, KeyID: 2}}})
		ev := evidenceOf(t, d, nil)
		if v := verify(t, ev, s, mrtd.VerifyOptions{}); v.Genuine || v.Find("chip.authentic").Result != mrtd.Failed {
			t.Error("a chip without the proof it owes is genuine")
		}
		ev.Session.CA = agree(t, d, protocol)
		v := verify(t, ev, s, mrtd.VerifyOptions{OwnSession: true, RequireFresh: true})
		if !v.Genuine || !v.ChipAuthentic || v.Freshness != mrtd.OwnSession {
			explain(t, v)
			t.Fatal("a proof was refused")
		}
		if v := verify(t, ev, s, mrtd.VerifyOptions{}); !v.Genuine || v.Freshness != mrtd.FreshnessUnknown {
			t.Error("a transcript of somebody else is fresh")
		}
		if v := verify(t, ev, s, mrtd.VerifyOptions{RequireFresh: true}); v.Genuine {
			t.Error("a transcript of somebody else is good enough")
		}
	}
}

func TestWrongChipAuthenticationIsRefused(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	s := storeOf(t, i)
	ca := []specimen.CAConfig{{Curve: "P-256", KeyID: 7}}
	d, other := issue(t, i, specimen.DocumentConfig{CA: ca}), issue(t, i, specimen.DocumentConfig{CA: ca})
	for name, spoil := range map[string]func(x *mrtd.CATranscript) *mrtd.CATranscript{
		"the key of another chip": func(*mrtd.CATranscript) *mrtd.CATranscript { return agree(t, other, caAES128) },
		"a weaker protocol": func(*mrtd.CATranscript) *mrtd.CATranscript {
			return agree(t, d, "0.4.0.127.0.7.2.2.3.2.1")
		},
		"no protocol":      func(x *mrtd.CATranscript) *mrtd.CATranscript { x.Protocol = "1.2.3"; return x },
		"another key pair": func(x *mrtd.CATranscript) *mrtd.CATranscript { x.TerminalPrivate[4] ^= 1; return x },
		"no private key":   func(x *mrtd.CATranscript) *mrtd.CATranscript { x.TerminalPrivate = nil; return x },
		"a tampered command": func(x *mrtd.CATranscript) *mrtd.CATranscript {
			x.Command[len(x.Command)-3] ^= 1
			return x
		},
		"a tampered answer": func(x *mrtd.CATranscript) *mrtd.CATranscript { x.Response[3] ^= 1; return x },
		"no answer":         func(x *mrtd.CATranscript) *mrtd.CATranscript { x.Response = nil; return x },
		"an unprotected answer": func(x *mrtd.CATranscript) *mrtd.CATranscript {
			x.Response = []byte{0x69, 0x88}
			return x
		},
	} {
		ev := evidenceOf(t, d, nil)
		ev.Session.CA = spoil(agree(t, d, caAES128))
		v := verify(t, ev, s, mrtd.VerifyOptions{OwnSession: true})
		if v.Genuine || v.ChipAuthentic || v.Find("chip.ca").Result != mrtd.Failed {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestAnnouncedDefaultOfChipAuthentication(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	d := issue(t, i, specimen.DocumentConfig{CA: []specimen.CAConfig{{Curve: "P-256"}}, Faults: map[string]bool{specimen.FaultNoCAInfo: true}})
	ev := evidenceOf(t, d, nil)
	ev.Session.CA = agree(t, d, "0.4.0.127.0.7.2.2.3.2.1")
	if v := verify(t, ev, storeOf(t, i), mrtd.VerifyOptions{}); !v.Genuine || !v.ChipAuthentic {
		explain(t, v)
		t.Error("the default protocol was refused")
	}
	ev.Session.CA = agree(t, d, caAES128)
	if v := verify(t, ev, storeOf(t, i), mrtd.VerifyOptions{}); v.Genuine || v.ChipAuthentic {
		t.Error("a protocol that nothing announces was accepted")
	}
}

// prove plays the chip's part of PACE-CAM with the document's first key.
func prove(t *testing.T, d *specimen.Document) *mrtd.CAMTranscript {
	t.Helper()
	key, err := specimen.ParseECKey(d.CAKeys[0].PKCS8)
	if err != nil {
		t.Fatal(err)
	}
	domain := pace.CurveDomain(key.Curve())
	static, err1 := domain.NewKeyPair(key.Bytes())
	mapping, err2 := domain.GenerateKey(rand.Reader)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	data, err := pace.CAMData(static, mapping)
	if err != nil {
		t.Fatal(err)
	}
	return &mrtd.CAMTranscript{ChipAuthenticationData: data, MappingPublicKey: mapping.Public()}
}

func TestChipAuthenticationMappingProvesTheChip(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	s := storeOf(t, i)
	config := specimen.DocumentConfig{Access: specimen.AccessConfig{PACE: &specimen.PACEConfig{Protocol: "0.4.0.127.0.7.2.2.4.6.2", ParameterID: 13}}}
	d := issue(t, i, config)
	evidence := func(proof *mrtd.CAMTranscript) *mrtd.Evidence {
		ev := evidenceOf(t, d, nil)
		ev.Session.Access, ev.Session.Protocol, ev.Session.ParameterID = "PACE-CAM", "0.4.0.127.0.7.2.2.4.6.2", 13
		ev.Session.CAM = proof
		return ev
	}
	if v := verify(t, evidence(prove(t, d)), s, mrtd.VerifyOptions{OwnSession: true}); !v.Genuine || !v.ChipAuthentic {
		explain(t, v)
		t.Error("a proof was refused")
	}
	if v := verify(t, evidence(nil), s, mrtd.VerifyOptions{}); v.Genuine {
		t.Error("a chip that owes a proof gave none and is genuine")
	}
	if v := verify(t, evidence(prove(t, issue(t, i, config))), s, mrtd.VerifyOptions{OwnSession: true}); v.Genuine || v.ChipAuthentic {
		t.Error("the key of another chip was accepted")
	}
	ev := evidence(prove(t, d))
	ev.Session.Protocol = "0.4.0.127.0.7.2.2.4.2.2"
	if v := verify(t, ev, s, mrtd.VerifyOptions{}); v.Genuine {
		t.Error("a proof without the mapping was accepted")
	}
	// EF.CardSecurity of an untrusted signer vouches for nothing.
	stranger := issue(t, newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256"), config)
	ev = evidence(prove(t, stranger))
	ev.Files[lds.CardSecurity] = pii.NewBytes(bytes.Clone(stranger.Files[lds.CardSecurity]))
	if v := verify(t, ev, s, mrtd.VerifyOptions{}); v.Genuine {
		t.Error("the key of an untrusted EF.CardSecurity was accepted")
	}
	ev = evidence(prove(t, d))
	ev.Files[lds.CardSecurity] = pii.NewBytes(bytes.Clone(d.Files[lds.CardSecurity]))
	if v := verify(t, ev, s, mrtd.VerifyOptions{}); !v.Genuine {
		t.Error("with EF.CardSecurity it is refused")
	}
}

// What makes a proof fresh: a challenge of the verifier's own, or a key agreement in its
// own session; an answer to somebody else's challenge is neither, whoever drove the
// chip. Where no proof is owed, none need be fresh.
func TestFreshnessIsOfTheProofThatWasGiven(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	store, challenge := storeOf(t, i), []byte("8 octets")
	both := issue(t, i, specimen.DocumentConfig{AA: "ecdsa-P-256-sha256", CA: []specimen.CAConfig{{Curve: "P-256", Protocol: caAES128}}})
	for name, c := range map[string]struct {
		doc   *specimen.Document
		aa    bool // an answer over challenge
		ca    bool
		opts  mrtd.VerifyOptions
		want  mrtd.Freshness
		fresh bool // also where freshness is required
	}{
		"own challenge":                       {both, true, false, mrtd.VerifyOptions{AAChallenge: challenge}, mrtd.OwnChallenge, true},
		"own challenge before own session":    {both, true, true, mrtd.VerifyOptions{AAChallenge: challenge, OwnSession: true}, mrtd.OwnChallenge, true},
		"own session, agreed":                 {both, false, true, mrtd.VerifyOptions{OwnSession: true}, mrtd.OwnSession, true},
		"own session, another's challenge":    {both, true, false, mrtd.VerifyOptions{OwnSession: true}, mrtd.FreshnessUnknown, false},
		"another's challenge, agreed as well": {both, true, true, mrtd.VerifyOptions{OwnSession: true}, mrtd.OwnSession, true},
		"another's session":                   {both, false, true, mrtd.VerifyOptions{}, mrtd.FreshnessUnknown, false},
		"no proof owed":                       {issue(t, i, specimen.DocumentConfig{}), false, false, mrtd.VerifyOptions{}, "", true},
		"no proof given":                      {both, false, false, mrtd.VerifyOptions{OwnSession: true, AAChallenge: challenge}, "", false},
	} {
		ev := evidenceOf(t, c.doc, nil)
		if c.aa {
			ev.Session.AA = &mrtd.AATranscript{Challenge: challenge, Response: answer(t, c.doc, challenge)}
		}
		if c.ca {
			ev.Session.CA = agree(t, c.doc, caAES128)
		}
		if v := verify(t, ev, store, c.opts); v.Freshness != c.want {
			explain(t, v)
			t.Errorf("%s: %q", name, v.Freshness)
		}
		c.opts.RequireFresh = true
		if v := verify(t, ev, store, c.opts); v.Genuine != c.fresh {
			explain(t, v)
			t.Errorf("%s, freshness required: genuine %v", name, v.Genuine)
		}
	}
}

// A chip that hides the group of one key is refused although it proves the other: what
// is signed and not given is not made good.
func TestHiddenKeysAreNotMadeGoodByOthers(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	store, challenge := storeOf(t, i), []byte("8 octets")
	d := issue(t, i, specimen.DocumentConfig{AA: "ecdsa-P-256-sha256", CA: []specimen.CAConfig{{Curve: "P-256", Protocol: caAES128}}})
	for check, c := range map[string]struct {
		hidden lds.FileID
		change func(*mrtd.Session)
	}{
		"chip.aa": {lds.DG15, func(s *mrtd.Session) { s.AA = nil }},
		"chip.ca": {lds.DG14, func(s *mrtd.Session) { s.CA = nil }},
	} {
		ev := evidenceOf(t, d, challenge)
		ev.Session.CA = agree(t, d, caAES128)
		c.change(&ev.Session)
		opts := mrtd.VerifyOptions{AAChallenge: challenge, OwnSession: true}
		if v := verify(t, ev, store, opts); !v.Genuine || v.Find(check).Result != mrtd.Skipped { // one of two proofs is enough
			explain(t, v)
			t.Errorf("%s: one proof of two", check)
		}
		delete(ev.Files, c.hidden)
		if v := verify(t, ev, store, opts); v.Genuine || v.ChipAuthentic || v.Find(check).Result != mrtd.Failed {
			explain(t, v)
			t.Errorf("%s hidden, and the other proof makes it good", c.hidden)
		}
	}
}

// TestKeysOfCardSecurity: the key of PACE-CAM may be in EF.CardSecurity alone. It counts
// where that file's signer is vouched for, in force, not revoked, and of the document's
// own state; and the proof is owed although DG14 holds no key.
func TestKeysOfCardSecurity(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	foreign, err := specimen.NewIssuer(specimen.IssuerConfig{Country: "VN", CSCA: "ecdsa-P-256-sha256", DS: "ecdsa-P-256-sha256", Rand: rand.Reader, Now: now()})
	if err != nil {
		t.Fatal(err)
	}
	config := func(faults ...string) specimen.DocumentConfig {
		cfg := specimen.DocumentConfig{Access: specimen.AccessConfig{PACE: &specimen.PACEConfig{Protocol: "0.4.0.127.0.7.2.2.4.6.2", ParameterID: 13}},
			Faults: map[string]bool{specimen.FaultCAMKeyApart: true}}
		for _, f := range faults {
			cfg.Faults[f] = true
		}
		return cfg
	}
	d := issue(t, i, config())
	other := map[string]*specimen.Document{"revoked": issue(t, i, config(specimen.FaultRevokedDS)), "ended": issue(t, i, config(specimen.FaultExpiredDS)),
		"unknown": issue(t, i, config(specimen.FaultForeignCSCA)), "of another state": issue(t, foreign, config())}
	crl, err := i.CRL(now()) // after the revocation
	if err != nil {
		t.Fatal(err)
	}
	store := storeFrom(t, i.CSCA(), foreign.CSCA(), crl)
	evidence := func(from *specimen.Document) *mrtd.Evidence {
		ev := evidenceOf(t, d, nil)
		ev.Session.Access, ev.Session.Protocol, ev.Session.ParameterID = "PACE-CAM", "0.4.0.127.0.7.2.2.4.6.2", 13
		ev.Session.CAM = prove(t, from)
		ev.Files[lds.CardSecurity] = pii.NewBytes(bytes.Clone(from.Files[lds.CardSecurity]))
		return ev
	}
	own := mrtd.VerifyOptions{OwnSession: true}
	if v := verify(t, evidence(d), store, own); !v.Genuine || !strings.Contains(v.Find("chip.ca").Detail, "key of EF.CardSecurity") {
		explain(t, v)
		t.Error("the document's own EF.CardSecurity")
	}
	for name, from := range other {
		if v := verify(t, evidence(from), store, own); v.Genuine || v.ChipAuthentic || v.Find("chip.ca").Result != mrtd.Failed {
			explain(t, v)
			t.Errorf("EF.CardSecurity whose signer is %s", name)
		}
	}
	for name, change := range map[string]func(*mrtd.Evidence){
		"without EF.CardSecurity":  func(ev *mrtd.Evidence) { delete(ev.Files, lds.CardSecurity) },
		"its signature is changed": func(ev *mrtd.Evidence) { b := ev.File(lds.CardSecurity); b[len(b)-1] ^= 1 },
		"no proof":                 func(ev *mrtd.Evidence) { ev.Session.CAM = nil },
		"parameters of DH":         func(ev *mrtd.Evidence) { ev.Session.ParameterID = 0 },
		"parameters of nobody":     func(ev *mrtd.Evidence) { ev.Session.ParameterID = 9999 },
		"another curve":            func(ev *mrtd.Evidence) { ev.Session.ParameterID = 12 },
	} {
		ev := evidence(d)
		change(ev)
		if v := verify(t, ev, store, own); v.Genuine || v.ChipAuthentic {
			explain(t, v)
			t.Errorf("%s: a proof", name)
		}
	}
	// The reader reads it, and proves no key of DG14, for there is none.
	opts := inspectOptions(t, d)
	x, err := mrtd.Inspect(t.Context(), insert(t, d), store, opts)
	if err != nil {
		t.Fatal(err)
	}
	if v := x.Verdict; !v.Genuine || !v.ChipAuthentic || v.Freshness != mrtd.OwnSession || x.Evidence.Session.CA != nil {
		explain(t, v)
		t.Error("as read")
	}
}
