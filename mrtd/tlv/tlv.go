// Package tlv reads and writes BER-TLV data objects (ITU-T X.690, ISO/IEC
// 7816-4 §6): the encoding of every file, certificate and secured message of an
// electronic travel document.
//
// The reader is tolerant where real documents need it (indefinite lengths,
// lengths with needless octets, identifiers of up to four octets) and reports
// each such tolerance on the element, so that a caller can name or refuse it. It
// never recurses on foreign input, never allocates by a length it has not
// checked against the bytes at hand, and bounds depth, length and count.
package tlv

import (
	"errors"
	"fmt"
)

// Limits of the reader, chosen above anything a travel document holds: the
// largest known file is a master list of about one megabyte.
const (
	MaxLength   = 64 << 20 // octets in one element
	MaxDepth    = 32       // nested constructed elements, where they are walked
	MaxElements = 1 << 16  // elements met while walking or listing children
)

// Reasons an element is refused. Test with errors.Is; the *Error around them
// carries the offset.
var (
	ErrTruncated = errors.New("truncated")
	ErrTag       = errors.New("invalid identifier octets")
	ErrLength    = errors.New("invalid length octets")
	ErrDepth     = errors.New("nested too deeply")
	ErrCount     = errors.New("too many elements")
	ErrTrailing  = errors.New("trailing bytes")
	ErrMissing   = errors.New("element missing")
	ErrUnwanted  = errors.New("unexpected element")
)

// Error is a refusal with the place where it happened, counted in octets from
// the start of the outermost input. It never carries the data.
type Error struct {
	Offset int
	Reason error
	Tag    Tag // the element concerned, or zero
}

// Error implements error.
func (e *Error) Error() string {
	if e.Tag != 0 {
		return fmt.Sprintf("%v at offset %d, tag %s", e.Reason, e.Offset, e.Tag)
	}
	return fmt.Sprintf("%v at offset %d", e.Reason, e.Offset)
}

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Reason }

// Tag is the identifier octets read as one big-endian number: 0x30 for a
// SEQUENCE, 0x5F1F for the MRZ data object, 0x7F61 for biometric templates.
type Tag uint32

// Universal tags used by travel documents (X.690 §8).
const (
	Boolean         Tag = 0x01
	Integer         Tag = 0x02
	BitString       Tag = 0x03
	OctetString     Tag = 0x04
	Null            Tag = 0x05
	OID             Tag = 0x06
	Enumerated      Tag = 0x0A
	UTF8String      Tag = 0x0C
	PrintableString Tag = 0x13
	T61String       Tag = 0x14
	IA5String       Tag = 0x16
	UTCTime         Tag = 0x17
	GeneralizedTime Tag = 0x18
	BMPString       Tag = 0x1E
	Sequence        Tag = 0x30
	Set             Tag = 0x31
)

// Context returns the primitive context-specific tag [n], n below 31.
func Context(n int) Tag { return Tag(0x80 | n&0x1F) }

// ContextConstructed returns the constructed context-specific tag [n], n below 31.
func ContextConstructed(n int) Tag { return Tag(0xA0 | n&0x1F) }

// Constructed reports whether the value of an element so tagged holds elements.
func (t Tag) Constructed() bool { return t.first()&0x20 != 0 }

// String formats the identifier octets in hexadecimal.
func (t Tag) String() string { return fmt.Sprintf("%02X", uint32(t)) }

func (t Tag) first() byte {
	for shift := 24; shift > 0; shift -= 8 {
		if b := byte(t >> shift); b != 0 {
			return b
		}
	}
	return byte(t)
}

// Element is one data object. Its slices point into the input.
type Element struct {
	Tag        Tag
	Value      []byte // contents octets, without the end-of-contents of an indefinite length
	Raw        []byte // the whole element, identifier to end
	Offset     int    // of the identifier in the outermost input
	Indefinite bool   // length given as 0x80 (X.690 §8.1.3.6)
	NonMinimal bool   // length with needless octets: BER, not DER
}

// ValueOffset returns the offset of the contents in the outermost input.
func (e Element) ValueOffset() int {
	trailer := 0
	if e.Indefinite {
		trailer = 2
	}
	return e.Offset + len(e.Raw) - len(e.Value) - trailer
}

// Reader returns a reader over the elements inside e.
func (e Element) Reader() *Reader { return &Reader{rest: e.Value, offset: e.ValueOffset()} }

// Children lists the elements directly inside e.
func (e Element) Children() ([]Element, error) { return e.Reader().all() }

// Err makes an *Error that places reason at e.
func (e Element) Err(reason error) error {
	return &Error{Offset: e.Offset, Reason: reason, Tag: e.Tag}
}

// Parse reads exactly one element and refuses trailing bytes.
func Parse(b []byte) (Element, error) { return ParseAt(b, 0) }

// ParseAt is Parse for octets that begin at offset of the outermost input, so that
// every element and error inside names its place there.
func ParseAt(b []byte, offset int) (Element, error) {
	e, err := readAt(b, offset)
	if err != nil {
		return Element{}, err
	}
	if len(e.Raw) != len(b) {
		return Element{}, &Error{Offset: offset + len(e.Raw), Reason: ErrTrailing, Tag: e.Tag}
	}
	return e, nil
}

// ParsePrefixAt is ParsePrefix for octets that begin at offset of the outermost input.
func ParsePrefixAt(b []byte, offset int) (Element, int, error) {
	e, err := readAt(b, offset)
	return e, len(e.Raw), err
}

// ParsePrefix reads the element at the start of b and returns its whole length;
// what follows is the caller's.
func ParsePrefix(b []byte) (Element, int, error) { return ParsePrefixAt(b, 0) }

// elementHeader is an identifier and a length, read before the contents are there.
type elementHeader struct {
	Tag        Tag
	Size       int // octets of the header itself
	Length     int // octets of the contents; -1 when indefinite
	NonMinimal bool
}

func header(b []byte, offset int) (elementHeader, error) {
	tag, n, err := identifier(b, offset)
	if err != nil {
		return elementHeader{}, err
	}
	length, m, minimal, err := lengthOctets(b[n:], offset+n)
	if err != nil {
		return elementHeader{}, err
	}
	return elementHeader{Tag: tag, Size: n + m, Length: length, NonMinimal: !minimal}, nil
}

func identifier(b []byte, offset int) (Tag, int, error) {
	if len(b) == 0 {
		return 0, 0, &Error{Offset: offset, Reason: ErrTruncated}
	}
	tag := Tag(b[0])
	if b[0]&0x1F != 0x1F {
		return tag, 1, nil
	}
	for i := 1; i < 4; i++ {
		if i >= len(b) {
			return 0, 0, &Error{Offset: offset, Reason: ErrTruncated}
		}
		if i == 1 && b[i] == 0x80 { // X.690 §8.1.2.4.2 c: not all-zero bits first
			break
		}
		tag = tag<<8 | Tag(b[i])
		if b[i]&0x80 == 0 {
			return tag, i + 1, nil
		}
	}
	return 0, 0, &Error{Offset: offset, Reason: ErrTag}
}

// lengthOctets returns the length (-1 when indefinite), the octets used, and
// whether they are the fewest possible.
func lengthOctets(b []byte, offset int) (length, n int, minimal bool, err error) {
	if len(b) == 0 {
		return 0, 0, false, &Error{Offset: offset, Reason: ErrTruncated}
	}
	first := b[0]
	if first < 0x80 {
		return int(first), 1, true, nil
	}
	if first == 0x80 {
		return -1, 1, true, nil
	}
	n = int(first & 0x7F)
	if n > 8 {
		return 0, 0, false, &Error{Offset: offset, Reason: ErrLength}
	}
	if len(b) < 1+n {
		return 0, 0, false, &Error{Offset: offset, Reason: ErrTruncated}
	}
	for _, o := range b[1 : 1+n] {
		if length > MaxLength>>8 {
			return 0, 0, false, &Error{Offset: offset, Reason: ErrLength}
		}
		length = length<<8 | int(o)
	}
	if length > MaxLength {
		return 0, 0, false, &Error{Offset: offset, Reason: ErrLength}
	}
	return length, 1 + n, length >= 0x80 && b[1] != 0, nil
}

func readAt(b []byte, offset int) (Element, error) {
	h, err := header(b, offset)
	if err != nil {
		return Element{}, err
	}
	e := Element{Tag: h.Tag, Offset: offset, NonMinimal: h.NonMinimal}
	if h.Length >= 0 {
		if len(b)-h.Size < h.Length {
			return Element{}, &Error{Offset: offset, Reason: ErrTruncated, Tag: h.Tag}
		}
		e.Value, e.Raw = b[h.Size:h.Size+h.Length], b[:h.Size+h.Length]
		return e, nil
	}
	if !h.Tag.Constructed() {
		return Element{}, &Error{Offset: offset, Reason: ErrLength, Tag: h.Tag}
	}
	n, err := endOfContents(b[h.Size:], offset+h.Size)
	if err != nil {
		return Element{}, err
	}
	e.Indefinite = true
	e.Value, e.Raw = b[h.Size:h.Size+n], b[:h.Size+n+2]
	return e, nil
}

// endOfContents finds where the contents of an indefinite element end, stepping
// over nested ones without recursion.
func endOfContents(b []byte, offset int) (int, error) {
	pos, depth := 0, 1
	for range MaxElements {
		h, err := header(b[pos:], offset+pos)
		if err != nil {
			return 0, err
		}
		switch {
		case h.Tag == 0:
			if h.Length != 0 || h.Size != 2 {
				return 0, &Error{Offset: offset + pos, Reason: ErrLength}
			}
			if depth--; depth == 0 {
				return pos, nil
			}
			pos += 2
		case h.Length < 0:
			if !h.Tag.Constructed() {
				return 0, &Error{Offset: offset + pos, Reason: ErrLength, Tag: h.Tag}
			}
			if depth++; depth > MaxDepth {
				return 0, &Error{Offset: offset + pos, Reason: ErrDepth}
			}
			pos += h.Size
		default:
			if len(b)-pos-h.Size < h.Length {
				return 0, &Error{Offset: offset + pos, Reason: ErrTruncated, Tag: h.Tag}
			}
			pos += h.Size + h.Length
		}
	}
	return 0, &Error{Offset: offset, Reason: ErrCount}
}
