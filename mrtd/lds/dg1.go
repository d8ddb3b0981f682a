package lds

import (
	"errors"
	"strings"

	"ipse/mrtd/deviation"
	"ipse/mrtd/mrz"
	"ipse/mrtd/tlv"
)

// ParseDG1 reads the machine-readable zone of DG1 (Doc 9303-10 §4.7.1). Wrong
// check digits and padding are deviations; the zone is signed as it is.
func ParseDG1(b []byte) (*mrz.MRZ, []deviation.Deviation, error) {
	e, ds, err := content(DG1, b)
	if err != nil {
		return nil, nil, err
	}
	object, err := e.Reader().Expect(0x5F1F)
	if err != nil {
		return nil, nil, fail(DG1, err)
	}
	text := string(object.Value)
	if trimmed := trimPadding(text); trimmed != text {
		text = trimmed
		ds = append(ds, at(DG1, deviation.DG1Filler, object.Offset))
	}
	zone, err := mrz.Parse(text)
	if err != nil {
		place := object.ValueOffset()
		if at := (*mrz.Error)(nil); errors.As(err, &at) {
			place += at.Offset
		}
		return nil, nil, fail(DG1, &tlv.Error{Offset: place, Reason: err, Tag: object.Tag})
	}
	if !zone.Valid() {
		ds = append(ds, at(DG1, deviation.MRZCheckDigit, object.Offset))
	}
	return zone, ds, nil
}

// trimPadding cuts NULs, spaces and line breaks after the zone.
func trimPadding(s string) string { return strings.TrimRight(s, "\x00 \r\n") }

// EncodeDG1 writes DG1 around a zone.
func EncodeDG1(zone string) []byte {
	return tlv.Encode(tlv.Tag(DG1.Tag()), tlv.Encode(0x5F1F, []byte(strings.ReplaceAll(zone, "\n", ""))))
}
