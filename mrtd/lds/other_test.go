package lds

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"ipse/internal/pii"
	"ipse/mrtd/deviation"
	"ipse/mrtd/tlv"
)

func TestDG7HoldsDisplayedSignatures(t *testing.T) {
	t.Parallel()
	b := tlv.Encode(0x67, tlv.EncodeInt(2), tlv.Encode(0x5F43, jpegLike()), tlv.Encode(0x5F43, []byte("odd")))
	images, ds, err := ParseDG7(b)
	if err != nil || len(images) != 2 || !bytes.Equal(images[0].Reveal(), jpegLike()) || len(ds) != 1 || ds[0].Code != deviation.DG2ImageType {
		t.Errorf("%d images, %v, %v", len(images), ds, err)
	}
	if _, _, err := ParseDG7(tlv.Encode(0x67, tlv.EncodeInt(0))); !errors.Is(err, ErrNoImage) {
		t.Errorf("no image: %v", err)
	}
	many := tlv.Encode(0x67, bytes.Repeat(tlv.Encode(0x5F43, []byte{1}), maxItems+1))
	if _, _, err := ParseDG7(many); !errors.Is(err, tlv.ErrCount) {
		t.Errorf("too many: %v", err)
	}
}

func TestDG16HoldsPersonsToNotify(t *testing.T) {
	t.Parallel()
	b := tlv.Encode(0x70, tlv.EncodeInt(1), tlv.Encode(0xA1, tlv.Encode(0x5F50, []byte("20020101")), tlv.Encode(0x5F51, []byte("SMITH<<CHARLES<R")),
		tlv.Encode(0x5F52, []byte("19525551212")), tlv.Encode(0x5F53, []byte("123 MAPLE RD<ANYTOWN")))) // the example of Doc 9303-10 §4.7.16
	people, ds, err := ParseDG16(b)
	if err != nil || len(people) != 1 || len(ds) != 0 {
		t.Fatalf("%d, %v, %v", len(people), ds, err)
	}
	if p := people[0]; p.RecordedOn.Reveal() != "2002-01-01" || p.Name.Reveal() != "SMITH CHARLES R" || p.Address.Reveal() != "123 MAPLE RD, ANYTOWN" {
		t.Error("read wrongly")
	}
}

func TestCardSecurityMustBeSignedData(t *testing.T) {
	t.Parallel()
	for _, b := range [][]byte{nil, {0x31, 0x00}, make([]byte, MaxFile+1)} {
		if _, _, err := ParseCardSecurity(b); err == nil || !strings.Contains(err.Error(), "CardSecurity") {
			t.Errorf("%d octets: %v", len(b), err)
		}
	}
}

func TestDeparturesOfDG2AreNamed(t *testing.T) {
	t.Parallel()
	one := EncodeDG2(jpegLike(), 1, 1)
	outer, err := tlv.Parse(one)
	if err != nil {
		t.Fatal(err)
	}
	group, err := outer.Reader().Expect(0x7F61)
	if err != nil {
		t.Fatal(err)
	}
	kids, err := group.Children()
	if err != nil {
		t.Fatal(err)
	}
	template := kids[1]
	inside, err := template.Children()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		group []byte
		want  deviation.Code
	}{
		"two templates":   {tlv.Encode(0x7F61, tlv.EncodeInt(2), template.Raw, template.Raw), deviation.DG2ManyImages},
		"no count":        {tlv.Encode(0x7F61, template.Raw), deviation.DG2Header},
		"no header":       {tlv.Encode(0x7F61, tlv.EncodeInt(1), tlv.Encode(0x7F60, inside[1].Raw)), deviation.DG2Header},
		"as it should be": {group.Raw, ""},
	} {
		p, err := ParseDG2(tlv.Encode(0x75, c.group))
		if err != nil || c.want != "" && !slices.Contains(codes(p.Deviations), c.want) || c.want == "" && len(p.Deviations) != 0 {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}
	many := tlv.Encode(0x75, tlv.Encode(0x7F61, tlv.EncodeInt(10), bytes.Repeat(template.Raw, maxTemplates+1)))
	if _, err := ParseDG2(many); !errors.Is(err, tlv.ErrCount) {
		t.Errorf("ten templates: %v", err)
	}
}

// Lengths of the facial record are off by up to eight octets in the field, and the
// picture is found all the same.
func TestFacialRecordLengthsMayBeOffByEight(t *testing.T) {
	t.Parallel()
	image := jpegLike()
	good := EncodeDG2(image, 413, 531)
	at := bytes.Index(good, []byte("FAC\x00"))
	for off := -8; off <= 8; off++ {
		for _, field := range []int{8, facialHeader} { // of the record, of the block
			b := bytes.Clone(good)
			n := binary.BigEndian.Uint32(b[at+field:])
			binary.BigEndian.PutUint32(b[at+field:], uint32(int(n)+off))
			p, err := ParseDG2(b)
			if err != nil || !bytes.Equal(p.Image.Reveal(), image) || slices.Contains(codes(p.Deviations), deviation.DG2RecordLength) != (off != 0) {
				t.Errorf("off by %d: %v, %v", off, p, err)
			}
		}
	}
}

func TestPartsOfTextThatCannotBeReadAreLeftOut(t *testing.T) {
	t.Parallel()
	b := tlv.Encode(0x6B, tlv.Encode(0x5C, []byte{0x5F, 0x0E, 0x5F, 0x2B, 0x5F, 0x11}), tlv.Encode(0x5F0E, []byte("A<<B")),
		tlv.Encode(0x5F2B, []byte("12 Aug 74")), tlv.Encode(0x5F11, bytes.Repeat([]byte("x"), maxText+1)))
	d, err := ParseDG11(b)
	if err != nil || d.FamilyName.Reveal() != "A" || !d.BirthDate.IsZero() || !d.BirthPlace.IsZero() {
		t.Errorf("%v", err)
	}
	if got := codes(d.Deviations); !slices.Equal(got, []deviation.Code{deviation.TextMalformed, deviation.TextMalformed}) {
		t.Errorf("%v", got)
	}
	many := tlv.Encode(0x6B, bytes.Repeat(tlv.Encode(0x5F0F, []byte("A")), 1000))
	if d, err := ParseDG11(many); err != nil || len(d.OtherNames) != maxItems || !slices.Contains(codes(d.Deviations), deviation.TextMalformed) {
		t.Errorf("a thousand other names: %v", err)
	}
	for _, d := range d.Deviations {
		if d.Where != string(DG11) || d.Offset <= 0 || d.Offset >= len(b) {
			t.Errorf("without its place: %+v", d)
		}
	}
}

// FuzzDetails: what DG7, DG11, DG12 and DG16 say prints, is bounded, and each departure
// has its place in the file.
func FuzzDetails(f *testing.F) {
	f.Add(EncodeDG11([]TaggedText{{0x5F0E, "ERIKSSON<<ANNA"}, {0x5F2B, "19740812"}}))
	f.Add(EncodeDG12([]TaggedText{{0x5F19, "UTOPIA"}, {0x5F26, "20260102"}}))
	f.Add(tlv.Encode(0x6B, tlv.Encode(0x5C, []byte{0x5F, 0x0F}), tlv.Encode(0xA0, tlv.EncodeInt(2), tlv.Encode(0x5F0F, []byte("A")), tlv.Encode(0x5F0F, []byte("B\xFC")))))
	f.Add(tlv.Encode(0x70, tlv.EncodeInt(1), tlv.Encode(0xA1, tlv.Encode(0x5F50, []byte("20020101")), tlv.Encode(0x5F51, []byte("SMITH<<CHARLES")))))
	f.Add(tlv.Encode(0x67, tlv.EncodeInt(1), tlv.Encode(0x5F43, jpegLike())))
	f.Fuzz(func(t *testing.T, b []byte) {
		places := func(ds []deviation.Deviation) {
			for _, d := range ds {
				if d.Where == "" || d.Offset < 0 || d.Offset > len(b) {
					t.Fatalf("%+v", d)
				}
			}
		}
		texts := func(texts ...pii.Text) {
			for _, x := range texts {
				s := x.Reveal()
				if len(s) > 4*maxText || strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7F || r == 0x202E }) {
					t.Fatal("a text that does not print")
				}
			}
		}
		if d, err := ParseDG11(b); err == nil {
			places(d.Deviations)
			texts(d.FamilyName, d.GivenNames, d.PersonalNumber, d.BirthDate, d.BirthPlace, d.Address, d.Telephone, d.Profession, d.Title, d.Summary, d.Custody)
			texts(d.OtherNames...)
			if len(d.OtherNames) > maxItems {
				t.Fatal("too many names")
			}
		}
		if d, err := ParseDG12(b); err == nil {
			places(d.Deviations)
			texts(d.Authority, d.IssueDate, d.Endorsements, d.TaxExit, d.Personalised, d.System)
			texts(d.OtherPersons...)
		}
		if contacts, ds, err := ParseDG16(b); err == nil {
			places(ds)
			for _, c := range contacts {
				texts(c.RecordedOn, c.Name, c.Telephone, c.Address)
			}
		}
		if images, ds, err := ParseDG7(b); err == nil {
			places(ds)
			if len(images) == 0 || len(images) > maxItems {
				t.Fatal("images out of bounds")
			}
		}
	})
}
