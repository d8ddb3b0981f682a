package cms

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"ipse/mrtd/tlv"
)

// Name is a distinguished name of an authority or signer. It names an
// organisation, never a holder of a document.
type Name struct {
	// Raw is the Name as encoded.
	Raw        []byte
	Attributes []Attribute
}

// Attribute is one attribute of a name, in the order of the encoding.
type Attribute struct {
	Type  string // dotted object identifier
	Value string // decoded text
}

const oidCountry = "2.5.4.6"

func parseName(e tlv.Element) (Name, error) {
	if e.Tag != tlv.Sequence {
		return Name{}, e.Err(tlv.ErrUnwanted)
	}
	name := Name{Raw: e.Raw, Attributes: make([]Attribute, 0, 5)}
	rdns := e.Reader()
	for !rdns.Empty() {
		set, err := rdns.Expect(tlv.Set)
		if err != nil {
			return Name{}, err
		}
		for atvs := set.Reader(); !atvs.Empty(); {
			atv, err := atvs.Expect(tlv.Sequence)
			if err != nil {
				return Name{}, err
			}
			r := atv.Reader()
			id, err := r.Expect(tlv.OID)
			if err != nil {
				return Name{}, err
			}
			oid, err := id.ObjectIdentifier()
			if err != nil {
				return Name{}, err
			}
			value, err := r.Next()
			if err != nil {
				return Name{}, err
			}
			name.Attributes = append(name.Attributes, Attribute{oid, decodeText(value)})
		}
	}
	return name, nil
}

// decodeText decodes an ASN.1 string; what is not UTF-8 is read as Latin-1.
func decodeText(e tlv.Element) string {
	if e.Tag == tlv.BMPString {
		units := make([]uint16, 0, len(e.Value)/2)
		for i := 0; i+1 < len(e.Value); i += 2 {
			units = append(units, uint16(e.Value[i])<<8|uint16(e.Value[i+1]))
		}
		return string(utf16.Decode(units))
	}
	if utf8.Valid(e.Value) {
		return string(e.Value)
	}
	runes := make([]rune, len(e.Value))
	for i, b := range e.Value {
		runes[i] = rune(b)
	}
	return string(runes)
}

// Get returns the first attribute of that type, or "".
func (n Name) Get(oid string) string {
	for _, a := range n.Attributes {
		if a.Type == oid {
			return a.Value
		}
	}
	return ""
}

// Country returns the country code in upper case, or "".
func (n Name) Country() string { return strings.ToUpper(strings.TrimSpace(n.Get(oidCountry))) }

// Equal compares names as RFC 5280 §7.1 asks: without regard to case, string
// type and runs of spaces.
func (n Name) Equal(other Name) bool {
	return bytes.Equal(n.Raw, other.Raw) || n.Key() == other.Key()
}

// Key is the name in the normal form that Equal compares.
func (n Name) Key() string {
	var b strings.Builder
	b.Grow(len(n.Raw))
	for _, a := range n.Attributes {
		b.WriteString(a.Type)
		b.WriteByte('=')
		writeFolded(&b, a.Value)
		b.WriteByte(';')
	}
	return b.String()
}

// writeFolded writes s in lower case, with runs of spaces as one and none around.
func writeFolded(b *strings.Builder, s string) {
	start, space := b.Len(), false
	for i, r := range s {
		if r > ' ' && r < 0x7F && (r < 'A' || r > 'Z') && !space { // as it is
			b.WriteByte(s[i])
			continue
		}
		if unicode.IsSpace(r) {
			space = b.Len() > start
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(unicode.ToLower(r))
	}
}

// String formats the name for people, most general attribute as encoded first.
func (n Name) String() string {
	parts := make([]string, 0, len(n.Attributes))
	for _, a := range n.Attributes {
		parts = append(parts, attributeLabel(a.Type)+"="+printable(a.Value))
	}
	return strings.Join(parts, ", ")
}

func attributeLabel(oid string) string {
	switch oid {
	case "2.5.4.3":
		return "CN"
	case "2.5.4.5":
		return "serialNumber"
	case oidCountry:
		return "C"
	case "2.5.4.7":
		return "L"
	case "2.5.4.8":
		return "ST"
	case "2.5.4.10":
		return "O"
	case "2.5.4.11":
		return "OU"
	case "1.2.840.113549.1.9.1":
		return "emailAddress"
	}
	return oid
}

// printable keeps control characters of a foreign name from reaching a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7F || r >= 0x80 && r < 0xA0 || r == 0x2028 || r == 0x202E {
			return '?'
		}
		return r
	}, s)
}
