package trust

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"ipse/mrtd/cms"
	"ipse/mrtd/deviation"
	"ipse/mrtd/tlv"
)

// deviationListSeed is a DeviationList with every kind of field.
func deviationListSeed() []byte {
	name := tlv.Encode(tlv.Sequence)
	documents := tlv.Encode(tlv.Sequence, tlv.Encode(tlv.Context(0), []byte("P<")),
		tlv.Encode(tlv.ContextConstructed(1), name, tlv.EncodeInt(7)), tlv.Encode(tlv.Context(2), []byte{1, 2}), tlv.Encode(tlv.Context(3), []byte{3}),
		tlv.Encode(tlv.ContextConstructed(4), tlv.Encode(tlv.GeneralizedTime, []byte("20260101000000Z")), tlv.Encode(tlv.GeneralizedTime, []byte("20261231000000Z"))),
		tlv.Encode(tlv.ContextConstructed(5), tlv.Encode(tlv.PrintableString, []byte("L898902C3"))))
	description := tlv.Encode(tlv.Sequence, tlv.Encode(tlv.PrintableString, []byte("wrong hash")), tlv.EncodeOID(DGHashWrong),
		tlv.Encode(tlv.ContextConstructed(0), tlv.EncodeInt(12)))
	return tlv.Encode(tlv.Sequence, tlv.EncodeInt(0), tlv.Encode(tlv.Sequence, tlv.EncodeOID("2.16.840.1.101.3.4.2.1")),
		tlv.Encode(tlv.Set, tlv.Encode(tlv.Sequence, documents, tlv.Encode(tlv.Set, description))))
}

// FuzzDeviationList: what a list announces is bounded, has a kind and prints, and
// looking documents up in it never fails.
func FuzzDeviationList(f *testing.F) {
	f.Add(deviationListSeed())
	f.Add(tlv.Encode(tlv.Sequence, tlv.EncodeInt(0), tlv.Encode(tlv.Set)))
	signer := root(f, "DE_CSCA07.cer")
	f.Fuzz(func(t *testing.T, b []byte) {
		known, err := parseDeviationList(b, 0)
		if err != nil {
			return
		}
		if len(known) > maxKnownDeviations {
			t.Fatal("too many deviations")
		}
		for _, k := range known {
			if k.Kind == "" || k.Group < 0 || k.Group > 21 || len(k.Description) > 1024 || strings.ContainsFunc(k.Description, func(r rune) bool { return r < 0x20 || r >= 0x7F }) {
				t.Fatalf("%+v", k)
			}
			_ = k.documents.matches(Document{Signer: signer, Code: "P", Number: "L898902C3", Signed: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)})
			if k.documents.numbers != nil && k.documents.matches(Document{Signer: signer, Number: "\x00 no such number"}) && !k.documents.numbers["\x00 no such number"] {
				t.Fatal("a document that is not listed is meant")
			}
		}
	})
}

// FuzzLDIF: a certificate is found however its lines are folded, whatever stands
// around it, and nothing else is taken for one.
func FuzzLDIF(f *testing.F) {
	der := read(f, "DE_CSCA07.cer")
	value := base64.StdEncoding.EncodeToString(der)
	f.Add([]byte("version: 1\n\n"), []byte("sn: 1\n"), uint8(76))
	f.Add([]byte("dn: c=DE\n# comment\n folded comment\n"), []byte(" more\nuserCertificate;binary:: !!\n"), uint8(1))
	f.Add([]byte("dn: c=DE\ncertificateRevocationList;binary:: MAA=\n"), []byte("dn: c=NL\n"), uint8(0))
	f.Fuzz(func(t *testing.T, before, after []byte, width uint8) {
		l := &loader{seen: map[[32]byte]bool{}, judge: deviation.NewJudge(deviation.ICAO), report: &Report{Name: "fuzz", Deviations: map[deviation.Code]int{}}}
		var b bytes.Buffer
		b.Write(before)
		b.WriteString("\ndn: c=DE\nuserCertificate;binary:: ")
		for i := 0; i < len(value); i += max(int(width), 1) {
			if i > 0 {
				b.WriteString("\n ")
			}
			b.WriteString(value[i:min(i+max(int(width), 1), len(value))])
		}
		b.WriteString("\ndn: c=DE\n")
		b.Write(after)
		if err := l.ldif(b.Bytes()); err != nil {
			return // too long a value around it
		}
		if !l.seen[root(t, "DE_CSCA07.cer").Fingerprint()] {
			t.Fatal("the certificate was not found")
		}
		refused := 0
		for _, r := range l.report.Refused {
			if r.Reason == "" {
				t.Fatal("a refusal without a reason")
			}
			if r.What == "certificate" {
				refused++
			}
		}
		if l.report.Certificates != l.report.Loaded+l.report.Duplicates+refused {
			t.Fatalf("certificates went missing: %+v", l.report)
		}
	})
}

// FuzzMasterListContent: a list splits into elements that lie inside it, and each is
// parsed or refused with its place.
func FuzzMasterListContent(f *testing.F) {
	der := read(f, "DE_CSCA07.cer")
	f.Add(tlv.Encode(tlv.Sequence, tlv.EncodeInt(0), tlv.Encode(tlv.Set, der, der)))
	f.Add(tlv.Encode(tlv.Sequence, tlv.EncodeInt(0), tlv.Encode(tlv.Set, []byte{0x30, 0x00})))
	f.Fuzz(func(t *testing.T, b []byte) {
		certs, err := listedCertificates(b, 0)
		if err != nil {
			return
		}
		for _, c := range certs {
			c.parse()
			if !bytes.Contains(b, c.raw) || (c.cert == nil) == (c.err == nil) {
				t.Fatal("a certificate that is not in the list, or neither parsed nor refused")
			}
			if c.cert != nil && c.sum != c.cert.Fingerprint() {
				t.Fatal("another fingerprint")
			}
		}
	})
}

// What is loaded on all processors is what is loaded on one, in the same order.
func TestListsLoadInTheirOrder(t *testing.T) {
	t.Parallel()
	sd, err := cms.ParseSignedData(read(t, "NL_ML_2026-07-22.ml"))
	if err != nil {
		t.Fatal(err)
	}
	certs, err := listedCertificates(sd.Content, 0)
	if err != nil {
		t.Fatal(err)
	}
	store, _ := load(t, Options{}, Source{"nl", read(t, "NL_ML_2026-07-22.ml")})
	if len(certs) != 411 || store.Len() != len(certs) {
		t.Fatalf("%d certificates, %d loaded", len(certs), store.Len())
	}
	for i, e := range store.Authorities() {
		if !bytes.Equal(e.Cert.Raw, certs[i].raw) {
			t.Fatalf("the certificate in place %d is another", i)
		}
	}
}
