package lds

import (
	"strings"
	"unicode/utf8"

	"ipse/internal/pii"
	"ipse/mrtd/deviation"
	"ipse/mrtd/tlv"
)

// PersonDetails is DG11, additional personal details (Doc 9303-10 §4.7.11). Every
// field may be empty.
type PersonDetails struct {
	FamilyName, GivenNames pii.Text // as printed, with diacritics
	OtherNames             []pii.Text
	PersonalNumber         pii.Text
	BirthDate              pii.Text // YYYY-MM-DD
	BirthPlace             pii.Text // parts separated by ", "
	Address                pii.Text
	Telephone              pii.Text
	Profession             pii.Text
	Title                  pii.Text
	Summary                pii.Text
	OtherDocuments         pii.Text
	Custody                pii.Text
	Deviations             []deviation.Deviation
}

// DocumentDetails is DG12, additional document details (Doc 9303-10 §4.7.12).
type DocumentDetails struct {
	Authority    pii.Text
	IssueDate    pii.Text // YYYY-MM-DD
	OtherPersons []pii.Text
	Endorsements pii.Text
	TaxExit      pii.Text
	Personalised pii.Text // date and time as written
	System       pii.Text // serial number of the personalisation system
	Deviations   []deviation.Deviation
}

// ParseDG11 reads DG11. Parts that cannot be read are left out and named.
func ParseDG11(b []byte) (*PersonDetails, error) {
	e, ds, err := content(DG11, b)
	if err != nil {
		return nil, err
	}
	p := &PersonDetails{}
	t := &textReader{file: DG11, deviations: ds}
	t.each(e, func(k tlv.Element) {
		switch k.Tag {
		case 0x5F0E:
			name := t.text(k)
			primary, secondary, _ := strings.Cut(name, "<<")
			p.FamilyName, p.GivenNames = pii.NewText(unfill(primary)), pii.NewText(unfill(secondary))
		case 0x5F0F:
			p.OtherNames = t.repeated(p.OtherNames, k)
		case 0x5F10:
			p.PersonalNumber = t.field(k)
		case 0x5F2B:
			p.BirthDate = t.date(k)
		case 0x5F11:
			p.BirthPlace = t.field(k)
		case 0x5F42:
			p.Address = t.field(k)
		case 0x5F12:
			p.Telephone = t.field(k)
		case 0x5F13:
			p.Profession = t.field(k)
		case 0x5F14:
			p.Title = t.field(k)
		case 0x5F15:
			p.Summary = t.field(k)
		case 0x5F17:
			p.OtherDocuments = t.field(k)
		case 0x5F18:
			p.Custody = t.field(k)
		}
	})
	p.Deviations = t.deviations
	return p, nil
}

// ParseDG12 reads DG12 as ParseDG11 does DG11.
func ParseDG12(b []byte) (*DocumentDetails, error) {
	e, ds, err := content(DG12, b)
	if err != nil {
		return nil, err
	}
	d := &DocumentDetails{}
	t := &textReader{file: DG12, deviations: ds}
	t.each(e, func(k tlv.Element) {
		switch k.Tag {
		case 0x5F19:
			d.Authority = t.field(k)
		case 0x5F26:
			d.IssueDate = t.date(k)
		case 0x5F1A:
			d.OtherPersons = t.repeated(d.OtherPersons, k)
		case 0x5F1B:
			d.Endorsements = t.field(k)
		case 0x5F1C:
			d.TaxExit = t.field(k)
		case 0x5F55:
			d.Personalised = t.field(k)
		case 0x5F56:
			d.System = t.field(k)
		}
	})
	d.Deviations = t.deviations
	return d, nil
}

// textReader reads the elements of DG11 and DG12 and gathers deviations.
type textReader struct {
	file       FileID
	deviations []deviation.Deviation
}

// deviate names a departure, at most maxTextDeviations of them.
func (t *textReader) deviate(code deviation.Code, offset int) {
	if len(t.deviations) >= maxTextDeviations {
		return
	}
	t.deviations = append(t.deviations, at(t.file, code, offset))
}

// each visits the elements, those inside the content-specific constructed
// objects (A0: count and repeated elements) among them, and compares them with
// the group's own list (tag 5C).
func (t *textReader) each(e tlv.Element, visit func(tlv.Element)) {
	var listed, present []tlv.Tag
	err := tlv.WalkAt(e.Value, e.ValueOffset(), func(k tlv.Element, depth int) error {
		switch {
		case k.Tag == 0x5C && depth == 0:
			listed = tagList(k.Value)
		case k.Tag.Constructed() || k.Tag == tlv.Integer:
		default:
			present = append(present, k.Tag)
			visit(k)
		}
		return nil
	})
	if err != nil {
		t.deviate(deviation.TextMalformed, e.Offset)
		return
	}
	t.compare(listed, present, e.Offset)
}

func (t *textReader) compare(listed, present []tlv.Tag, offset int) {
	contains := func(list []tlv.Tag, tag tlv.Tag) bool {
		for _, l := range list {
			if l == tag {
				return true
			}
		}
		return false
	}
	for _, p := range present {
		if !contains(listed, p) {
			t.deviate(deviation.TextUnlisted, offset)
			break
		}
	}
	for _, l := range listed {
		if !l.Constructed() && !contains(present, l) {
			t.deviate(deviation.TextMissing, offset)
			break
		}
	}
}

func tagList(b []byte) []tlv.Tag {
	var out []tlv.Tag
	for len(b) > 0 && len(out) < 64 {
		if b[0]&0x1F == 0x1F && len(b) > 1 {
			out = append(out, tlv.Tag(b[0])<<8|tlv.Tag(b[1]))
			b = b[2:]
			continue
		}
		out = append(out, tlv.Tag(b[0]))
		b = b[1:]
	}
	return out
}

// Limits of a descriptive data group: octets of one text, departures named.
const (
	maxText           = 4096
	maxTextDeviations = 32
)

// text decodes UTF-8, or Latin-1 where it is not; control characters go.
func (t *textReader) text(k tlv.Element) string {
	b := k.Value
	if len(b) == 0 {
		t.deviate(deviation.TextEmpty, k.Offset)
		return ""
	}
	if len(b) > maxText {
		t.deviate(deviation.TextMalformed, k.Offset)
		return ""
	}
	s := string(b)
	if !utf8.Valid(b) {
		t.deviate(deviation.TextEncoding, k.Offset)
		runes := make([]rune, len(b))
		for i, c := range b {
			runes[i] = rune(c)
		}
		s = string(runes)
	}
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7F && r < 0xA0 || r == 0x2028 || r == 0x2029 || r >= 0x202A && r <= 0x202E || r == 0xFEFF {
			return -1
		}
		return r
	}, s)
}

// repeated adds one of several texts, of which maxItems count.
func (t *textReader) repeated(texts []pii.Text, k tlv.Element) []pii.Text {
	if len(texts) == maxItems {
		t.deviate(deviation.TextMalformed, k.Offset)
		return texts
	}
	return append(texts, pii.NewText(unfill(t.text(k))))
}

// field reads a text whose parts are separated by fillers. One of fillers alone
// is empty.
func (t *textReader) field(k tlv.Element) pii.Text {
	s := t.text(k)
	if s != "" && strings.Trim(s, "< ") == "" {
		t.deviate(deviation.TextFiller, k.Offset)
		return pii.Text{}
	}
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == '<' })
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return pii.NewText(strings.Join(parts, ", "))
}

// date reads YYYYMMDD, in eight characters or packed into four octets.
func (t *textReader) date(k tlv.Element) pii.Text {
	s := string(k.Value)
	switch len(k.Value) {
	case 0:
		t.deviate(deviation.TextEmpty, k.Offset)
		return pii.Text{}
	case 4:
		t.deviate(deviation.TextBCDDate, k.Offset)
		const digits = "0123456789??????"
		packed := make([]byte, 0, 8)
		for _, b := range k.Value {
			packed = append(packed, digits[b>>4], digits[b&15])
		}
		s = string(packed)
	}
	if len(s) != 8 || strings.Trim(s, "0123456789") != "" {
		t.deviate(deviation.TextMalformed, k.Offset)
		return pii.Text{}
	}
	return pii.NewText(s[:4] + "-" + s[4:6] + "-" + s[6:])
}

func unfill(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '<' || r == ' ' }), " ")
}

// EncodeDG11 writes a DG11 from tagged texts, in the order given.
func EncodeDG11(fields []TaggedText) []byte { return encodeDetails(DG11, fields) }

// EncodeDG12 writes a DG12 from tagged texts, in the order given.
func EncodeDG12(fields []TaggedText) []byte { return encodeDetails(DG12, fields) }

// TaggedText is one element of DG11 or DG12 to write.
type TaggedText struct {
	Tag  tlv.Tag // for example 0x5F0E for the name of the holder
	Text string
}

func encodeDetails(id FileID, fields []TaggedText) []byte {
	var list, body []byte
	for _, f := range fields {
		list = append(list, byte(f.Tag>>8), byte(f.Tag))
		body = append(body, tlv.Encode(f.Tag, []byte(f.Text))...)
	}
	return tlv.Encode(tlv.Tag(id.Tag()), tlv.Encode(0x5C, list), body)
}
