package lds

import (
	"errors"
	"fmt"

	"ipse/mrtd/deviation"
	"ipse/mrtd/tlv"
)

// Reasons a file is refused. Every error of this package is a *tlv.Refusal that names
// file, place and clause, wraps one of these or a tlv error, and never carries content.
var (
	ErrMalformed   = errors.New("malformed")
	ErrUnsupported = errors.New("unsupported")
	ErrNoImage     = errors.New("no image found")
)

// MaxFile is the largest elementary file read, in octets: a portrait of 5 MB
// does not fit any chip in circulation.
const MaxFile = 2 << 20

// content returns the outermost element of a file, which must have the file's
// tag. Bytes after it are a deviation (Swedish DG14s carry some).
func content(id FileID, b []byte) (tlv.Element, []deviation.Deviation, error) {
	if len(b) > MaxFile {
		return tlv.Element{}, nil, fail(id, fmt.Errorf("%d octets: %w", len(b), ErrUnsupported))
	}
	e, n, err := tlv.ParsePrefix(b)
	if err != nil {
		return tlv.Element{}, nil, fail(id, err)
	}
	if e.Tag != tlv.Tag(id.Tag()) {
		return tlv.Element{}, nil, fail(id, e.Err(tlv.ErrUnwanted))
	}
	if n != len(b) {
		return e, []deviation.Deviation{{Code: deviation.FileTrailing, Where: string(id), Offset: n}}, nil
	}
	return e, nil, nil
}

// Content returns the value of the file's outermost element and the deviations
// of its framing. Data groups without a reader of their own (DG13) are opaque.
func Content(id FileID, b []byte) ([]byte, []deviation.Deviation, error) {
	e, ds, err := content(id, b)
	return e.Value, ds, err
}

func fail(id FileID, err error) error { return tlv.Refuse(string(id), id.Clause(), err) }

// Refuse says that the file was refused for err, in the form of this package's errors.
func Refuse(id FileID, err error) error { return fail(id, err) }

func at(id FileID, code deviation.Code, offset int) deviation.Deviation {
	return deviation.Deviation{Code: code, Where: string(id), Offset: offset}
}

// CommonData is EF.COM (Doc 9303-10 §4.6.1). It is not signed: nothing about
// authenticity may be concluded from it.
type CommonData struct {
	LDSVersion     string // for example "0107"
	UnicodeVersion string // for example "040000"
	Groups         []FileID
	Deviations     []deviation.Deviation
}

// ParseCOM reads EF.COM.
func ParseCOM(b []byte) (*CommonData, error) {
	e, ds, err := content(COM, b)
	if err != nil {
		return nil, err
	}
	c := &CommonData{Deviations: ds}
	kids, err := e.Children()
	if err != nil {
		return nil, fail(COM, err)
	}
	for _, k := range kids {
		switch k.Tag {
		case 0x5F01:
			c.LDSVersion = asciiDigits(k.Value)
		case 0x5F36:
			c.UnicodeVersion = asciiDigits(k.Value)
		case 0x5C:
			if len(k.Value) > 32 {
				return nil, fail(COM, k.Err(tlv.ErrCount))
			}
			for _, tag := range k.Value {
				if id := ByTag(tag); id != "" && id != COM && id != SOD {
					c.Groups = append(c.Groups, id)
				}
			}
		}
	}
	if len(c.Groups) == 0 {
		return nil, fail(COM, e.Err(tlv.ErrMissing))
	}
	return c, nil
}

// asciiDigits keeps a version number printable whatever the chip wrote.
func asciiDigits(b []byte) string {
	out := make([]byte, 0, 8)
	for _, c := range b {
		if c >= '0' && c <= '9' && len(out) < 8 {
			out = append(out, c)
		}
	}
	return string(out)
}
