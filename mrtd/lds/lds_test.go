package lds

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"ipse/mrtd/deviation"
	"ipse/mrtd/tlv"
)

func jpegLike() []byte {
	return append([]byte{0xFF, 0xD8, 0xFF, 0xE0}, bytes.Repeat([]byte{0x55}, 200)...)
}

func codes(ds []deviation.Deviation) []deviation.Code {
	var out []deviation.Code
	for _, d := range ds {
		out = append(out, d.Code)
	}
	return out
}

func TestCOMListsTheDataGroups(t *testing.T) {
	t.Parallel()
	// ICAO 9303-11 appendix D.4.
	com, err := ParseCOM([]byte("\x60\x14\x5F\x01\x04\x30\x31\x30\x36\x5F\x36\x06\x30\x34\x30\x30\x30\x30\x5C\x02\x61\x75"))
	if err != nil {
		t.Fatal(err)
	}
	if com.LDSVersion != "0106" || com.UnicodeVersion != "040000" || !slices.Equal(com.Groups, []FileID{DG1, DG2}) {
		t.Errorf("%+v", com)
	}
	if _, err := ParseCOM([]byte{0x61, 0}); !errors.Is(err, tlv.ErrUnwanted) {
		t.Errorf("another file: %v", err)
	}
}

const zone = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<L898902C36UTO7408122F1204159ZE184226B<<<<<10"

func TestDG1IsReadWithItsDeviations(t *testing.T) {
	t.Parallel()
	good := EncodeDG1(zone)
	wrong := bytes.Replace(good, []byte("L898902C3"), []byte("L898902C4"), 1)
	padded := tlv.Encode(0x61, tlv.Encode(0x5F1F, []byte(zone+"\x00\x00")))
	for name, c := range map[string]struct {
		b    []byte
		want []deviation.Code
	}{
		"good":              {good, nil},
		"wrong check digit": {wrong, []deviation.Code{deviation.MRZCheckDigit}},
		"padded":            {padded, []deviation.Code{deviation.DG1Filler}},
		"trailing bytes":    {append(bytes.Clone(good), 0, 0), []deviation.Code{deviation.FileTrailing}},
	} {
		m, ds, err := ParseDG1(c.b)
		if err != nil || !slices.Equal(codes(ds), c.want) || m.FamilyName.Reveal() != "ERIKSSON" {
			t.Errorf("%s: %v %v", name, codes(ds), err)
		}
	}
	_, _, err := ParseDG1(tlv.Encode(0x61, tlv.Encode(0x5F1F, []byte("P<UTOERIKSSON"))))
	if err == nil || strings.Contains(err.Error(), "ERIK") || !strings.Contains(err.Error(), "DG1") {
		t.Errorf("a short zone: %v", err)
	}
}

func TestDG2FindsThePortraitWhateverTheRecordSays(t *testing.T) {
	t.Parallel()
	image := jpegLike()
	good := EncodeDG2(image, 413, 531)
	offset := bytes.Index(good, []byte("FAC\x00"))
	change := func(at int, v uint32) []byte {
		b := bytes.Clone(good)
		binary.BigEndian.PutUint32(b[offset+at:], v)
		return b
	}
	jp2 := append([]byte{0, 0, 0, 0x0C, 'j', 'P', ' ', ' ', 0x0D, 0x0A, 0x87, 0x0A}, make([]byte, 90)...)
	j2k := append([]byte{0xFF, 0x4F, 0xFF, 0x51}, make([]byte, 90)...)
	wrongType := bytes.Clone(good)
	wrongType[offset+facialHeader+facialInfo+1] = 1
	for name, c := range map[string]struct {
		b      []byte
		image  []byte
		format string
		want   []deviation.Code
	}{
		"good":                      {good, image, FormatJPEG, nil},
		"record length off by two":  {change(8, uint32(len(image)+44)), image, FormatJPEG, []deviation.Code{deviation.DG2RecordLength}},
		"block length off by eight": {change(14, uint32(len(image)+24)), image, FormatJPEG, []deviation.Code{deviation.DG2RecordLength}},
		"JPEG called JPEG 2000":     {wrongType, image, FormatJPEG, []deviation.Code{deviation.DG2ImageType}},
		"JP2":                       {EncodeDG2(jp2, 1, 1), jp2, FormatJP2, nil},
		"raw codestream":            {EncodeDG2(j2k, 1, 1), j2k, FormatJ2K, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := ParseDG2(c.b)
			if err != nil {
				t.Fatal(err)
			}
			if p.Format != c.format || !bytes.Equal(p.Image.Reveal(), c.image) || !slices.Equal(codes(p.Deviations), c.want) {
				t.Errorf("%s, %d octets, %v", p.Format, p.Image.Len(), codes(p.Deviations))
			}
		})
	}
}

func TestDG2WithoutAnImageIsRefused(t *testing.T) {
	t.Parallel()
	for name, b := range map[string][]byte{
		"no image":    EncodeDG2(bytes.Repeat([]byte{7}, 60), 1, 1),
		"no template": tlv.Encode(0x75, tlv.Encode(0x7F61, tlv.EncodeInt(0))),
		"cut":         EncodeDG2(jpegLike(), 1, 1)[:60],
		"empty":       nil,
	} {
		if _, err := ParseDG2(b); err == nil || !strings.Contains(err.Error(), "DG2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDescriptiveGroupsSurviveTheWorld(t *testing.T) {
	t.Parallel()
	b := tlv.Encode(0x6B,
		tlv.Encode(0x5C, []byte{0x5F, 0x0E, 0x5F, 0x2B, 0x5F, 0x11, 0x5F, 0x12, 0x5F, 0x13}),
		tlv.Encode(0x5F0E, []byte("M\xfcller<<Eva")), // Latin-1
		tlv.Encode(0x5F2B, []byte{0x19, 0x74, 0x08, 0x12}),
		tlv.Encode(0x5F11, []byte("UTOPIA<CITY")),
		tlv.Encode(0x5F12, nil),
		tlv.Encode(0x5F10, []byte("<<<<<<")),
	)
	d, err := ParseDG11(b)
	if err != nil {
		t.Fatal(err)
	}
	if d.FamilyName.Reveal() != "Müller" || d.GivenNames.Reveal() != "Eva" || d.BirthDate.Reveal() != "1974-08-12" ||
		d.BirthPlace.Reveal() != "UTOPIA, CITY" || !d.PersonalNumber.IsZero() {
		t.Error("DG11 is read wrongly")
	}
	want := []deviation.Code{deviation.TextEncoding, deviation.TextBCDDate, deviation.TextEmpty, deviation.TextFiller, deviation.TextUnlisted, deviation.TextMissing}
	if got := codes(d.Deviations); !slices.Equal(got, want) {
		t.Errorf("deviations %v", got)
	}
	dg12, err := ParseDG12(EncodeDG12([]TaggedText{{0x5F19, "SPECIMEN OFFICE"}, {0x5F26, "20260102"}}))
	if err != nil || dg12.Authority.Reveal() != "SPECIMEN OFFICE" || dg12.IssueDate.Reveal() != "2026-01-02" || len(dg12.Deviations) != 0 {
		t.Errorf("DG12: %v", err)
	}
}

// FuzzDG2: a portrait lies inside the file and has the format it claims.
func FuzzDG2(f *testing.F) {
	f.Add(EncodeDG2(jpegLike(), 413, 531))
	f.Add(EncodeDG2(append([]byte{0xFF, 0x4F, 0xFF, 0x51}, make([]byte, 30)...), 1, 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParseDG2(b)
		if err != nil {
			return
		}
		if p.Format == "" || p.Format != ImageFormat(p.Image.Reveal()) || !bytes.Contains(b, p.Image.Reveal()) {
			t.Fatal("a portrait that is not in the file")
		}
	})
}

// FuzzFiles: no reader panics, and every refusal names the file.
func FuzzFiles(f *testing.F) {
	f.Add(EncodeDG1(zone))
	f.Add(EncodeDG11([]TaggedText{{0x5F0E, "A<<B"}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		check := func(name string, err error) {
			if err != nil && !strings.Contains(err.Error(), name) {
				t.Fatalf("an error that does not name %s: %v", name, err)
			}
		}
		_, err := ParseCOM(b)
		check("COM", err)
		_, err = ParseSOD(b)
		check("SOD", err)
		_, _, err = ParseDG1(b)
		check("DG1", err)
		_, err = ParseDG11(b)
		check("DG11", err)
		_, err = ParseDG12(b)
		check("DG12", err)
	})
}
