package mrtd_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"ipse/internal/pii"
	"ipse/internal/pii/piitest"
	"ipse/mrtd"
	"ipse/mrtd/cms"
	"ipse/mrtd/deviation"
	"ipse/mrtd/jp2"
	"ipse/mrtd/lds"
	"ipse/mrtd/specimen"
	"ipse/mrtd/tlv"
	"ipse/mrtd/trust"
)

// foreignInputs are good inputs of every parser of foreign bytes, made from one
// specimen, with the parser.
func foreignInputs(t *testing.T) map[string]struct {
	good  []byte
	parse func([]byte) error
} {
	t.Helper()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	cfg := specimen.DocumentConfig{AA: "ecdsa-P-256-sha256",
		Person: []lds.TaggedText{{Tag: 0x5F0E, Text: "ERIKSSON<<ANNA<MARIA"}, {Tag: 0x5F10, Text: "L898902C3"}},
		Issue:  []lds.TaggedText{{Tag: 0x5F19, Text: "UTOPIA"}},
		Access: specimen.AccessConfig{PACE: &specimen.PACEConfig{Protocol: "0.4.0.127.0.7.2.2.4.6.2", ParameterID: 12}}}
	doc := issue(t, i, cfg)
	cfg.ISO39794 = true
	newer := issue(t, i, cfg)
	ml, err1 := i.MasterList(now())
	crl, err2 := i.CRL(now())
	dl, err3 := i.DeviationList(now(), specimen.Announcement{Kind: trust.DGHashWrong, Group: 12, Numbers: []string{"L898902C3"}})
	var evidence bytes.Buffer
	err4 := mrtd.WriteEvidence(&evidence, evidenceOf(t, doc, []byte("8 octets")))
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	load := func(b []byte) error {
		_, _, err := trust.Load([]trust.Source{{Name: "list", Data: b}}, trust.Options{})
		return err
	}
	jp2Header := []byte("\xFF\x4F\xFF\x51\x00\x29\x00\x00\x00\x00\x00\x40\x00\x00\x00\x40\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x40\x00\x00\x00\x40\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x07\x01\x01")
	type input = struct {
		good  []byte
		parse func([]byte) error
	}
	return map[string]input{
		"COM":             {doc.Files[lds.COM], func(b []byte) error { _, err := lds.ParseCOM(b); return err }},
		"SOD":             {doc.Files[lds.SOD], func(b []byte) error { _, err := lds.ParseSOD(b); return err }},
		"DG1":             {doc.Files[lds.DG1], func(b []byte) error { _, _, err := lds.ParseDG1(b); return err }},
		"DG2":             {doc.Files[lds.DG2], func(b []byte) error { _, err := lds.ParseDG2(b); return err }},
		"DG2 of 39794-5":  {newer.Files[lds.DG2], func(b []byte) error { _, err := lds.ParseDG2(b); return err }},
		"DG7":             {tlv.Encode(0x67, tlv.EncodeInt(1), tlv.Encode(0x5F43, portrait())), func(b []byte) error { _, _, err := lds.ParseDG7(b); return err }},
		"DG11":            {doc.Files[lds.DG11], func(b []byte) error { _, err := lds.ParseDG11(b); return err }},
		"DG12":            {doc.Files[lds.DG12], func(b []byte) error { _, err := lds.ParseDG12(b); return err }},
		"DG15":            {doc.Files[lds.DG15], func(b []byte) error { _, _, err := lds.ParseDG15(b); return err }},
		"DG16":            {tlv.Encode(0x70, tlv.EncodeInt(1), tlv.Encode(0xA1, tlv.Encode(0x5F51, []byte("ERIKSSON<<ANNA")))), func(b []byte) error { _, _, err := lds.ParseDG16(b); return err }},
		"CardSecurity":    {doc.Files[lds.CardSecurity], func(b []byte) error { _, _, err := lds.ParseCardSecurity(b); return err }},
		"certificate":     {i.DS(), func(b []byte) error { _, err := cms.ParseCertificate(b); return err }},
		"revocation list": {crl, func(b []byte) error { _, err := cms.ParseCRL(b); return err }},
		"master list":     {ml, load},
		"deviation list":  {dl, load},
		"LDIF":            {[]byte("version: 1\ndn: c=UT\nuserCertificate;binary:: AAAA\n"), load},
		"evidence":        {evidence.Bytes(), func(b []byte) error { _, err := mrtd.ReadEvidence(b); return err }},
		"JPEG 2000":       {jp2Header, func(b []byte) error { _, err := jp2.ParseSize(b); return err }},
	}
}

// Whatever is damaged, the refusal names the file, the place and the clause, and shows
// nothing of the content.
func TestEveryRefusalNamesFilePlaceAndClause(t *testing.T) {
	t.Parallel()
	for name, in := range foreignInputs(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := in.parse(in.good); err != nil {
				t.Fatalf("the undamaged input: %v", err)
			}
			refused := 0
			for _, b := range damaged(in.good) {
				err := in.parse(b)
				if err == nil {
					continue
				}
				refused++
				var r *tlv.Refusal
				if !errors.As(err, &r) || r.File == "" || r.Clause == "" || r.Offset() < 0 || r.Offset() > len(b) {
					t.Fatalf("does not name file, place and clause: %v", err)
				}
				if what := shows(err.Error(), b); what != "" {
					t.Fatalf("shows content (%s): %v", what, err)
				}
			}
			if refused < 5 {
				t.Errorf("only %d damaged inputs were refused: the test shows nothing", refused)
			}
		})
	}
}

// damaged returns cut, extended and changed forms of an input.
func damaged(good []byte) [][]byte {
	out := [][]byte{nil, {0}, append([]byte{0xFF}, good...)}
	step := max(len(good)/60, 1)
	for at := 0; at < len(good); at += step {
		for _, change := range []byte{0x01, 0x80, 0xFF} {
			b := bytes.Clone(good)
			b[at] ^= change
			out = append(out, b)
		}
		out = append(out, good[:at])
	}
	for at := range min(len(good), 40) { // the framing, octet by octet
		b := bytes.Clone(good)
		b[at] ^= 0x41
		out = append(out, b)
	}
	return append(out, make([]byte, mrtd.MaxEvidence+1))
}

// shows returns what of the content an error text repeats: personal text, or six
// octets of it in hexadecimal.
func shows(text string, content []byte) string {
	for _, secret := range []string{"ERIKSSON", "ANNA", "L898902", "740812", "8 octets"} {
		if piitest.Shows(text, secret) {
			return "personal"
		}
	}
	for at := 0; at+6 <= len(content); at += 6 {
		if h := hex.EncodeToString(content[at : at+6]); h != "000000000000" && strings.Contains(strings.ToLower(text), h) {
			return "hexadecimal"
		}
	}
	return ""
}

// A verdict on damaged files carries none of their content, whatever failed.
func TestVerdictsOnDamagedFilesShowNothing(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	doc := issue(t, i, specimen.DocumentConfig{AA: "ecdsa-P-256-sha256", Person: []lds.TaggedText{{Tag: 0x5F0E, Text: "ERIKSSON<<ANNA<MARIA"}}})
	s := storeOf(t, i)
	for id, good := range doc.Files {
		for n, b := range damaged(good)[:40] {
			ev := evidenceOf(t, doc, []byte("8 octets"))
			ev.Files[id] = pii.NewBytes(b)
			v := verify(t, ev, s, mrtd.VerifyOptions{})
			// Only what nobody signs may be damaged: EF.COM, EF.CardAccess, and the framing of
			// EF.SOD, whose damage is named. A file of no bytes was not read.
			unsigned := id == lds.COM || id == lds.CardAccess || len(b) == 0 ||
				id == lds.SOD && slices.ContainsFunc(v.Deviations, func(d deviation.Deviation) bool { return strings.HasPrefix(string(d.Code), "sod-") })
			if v.Genuine && !bytes.Equal(b, good) && !unsigned {
				t.Errorf("%s: damage %d is genuine", id, n)
			}
			var text strings.Builder
			if err := v.WriteText(&text); err != nil {
				t.Fatal(err)
			}
			if what := shows(text.String(), b); what == "personal" {
				t.Errorf("%s: damage %d: personal data in the verdict", id, n)
			}
		}
	}
}
