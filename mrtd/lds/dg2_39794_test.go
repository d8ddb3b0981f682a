package lds

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"ipse/mrtd/deviation"
	"ipse/mrtd/tlv"
)

// ctx writes a constructed context tag.
func ctx(n int, parts ...[]byte) []byte { return tlv.Encode(tlv.ContextConstructed(n), parts...) }

// faceBlock writes DG2 around the fields of one RepresentationBlock.
func faceBlock(fields ...[]byte) []byte {
	return biometricGroup(0x2A, tlv.Encode(0x7F2E, tlv.Encode(0xA1, tlv.Encode(tagFaceImageBlock,
		ctx(0, contextInt(0, 3), contextInt(1, 2019)), ctx(1, tlv.Encode(tlv.Sequence, fields...))))))
}

func picture(image []byte, more ...[]byte) []byte {
	return ctx(1, ctx(0, ctx(0, append([][]byte{tlv.Encode(tlv.Context(0), image)}, more...)...)))
}

func TestDG2OfISO39794IsReadWithItsMetadata(t *testing.T) {
	t.Parallel()
	image := jpegLike()
	b := faceBlock(contextInt(0, 0),
		picture(image,
			ctx(1, ctx(0, contextInt(0, formatJPEG)), ctx(7, contextInt(0, 413), contextInt(1, 531)), ctx(9, ctx(1, contextInt(0, 2)))),
			ctx(2, ctx(1, contextInt(0, 3)))),
		ctx(2, contextInt(0, 2026), contextInt(1, 2), contextInt(2, 28), contextInt(3, 12)),
		ctx(3, tlv.Encode(tlv.Sequence, ctx(0, contextInt(0, 257), contextInt(1, 9)), ctx(1, contextInt(0, 88))),
			tlv.Encode(tlv.Sequence, ctx(0, contextInt(0, 257), contextInt(1, 10)), ctx(1, ctx(1, contextInt(0, 0))))),
		ctx(7, ctx(0, contextInt(0, 257), contextInt(1, 4711))),
		ctx(8, ctx(0, contextInt(0, 1))), // identity metadata: not read
		ctx(9, tlv.Encode(tlv.Sequence, ctx(0)), tlv.Encode(tlv.Sequence, ctx(0))),
		ctx(30, contextInt(0, 1))) // an extension of a later edition
	p, err := ParseDG2(b)
	if err != nil {
		t.Fatal(err)
	}
	if p.Standard != "39794-5" || p.Format != FormatJPEG || !bytes.Equal(p.Image.Reveal(), image) || len(p.Deviations) != 0 {
		t.Errorf("%s %s, %v", p.Standard, p.Format, p.Deviations)
	}
	if p.Width != 413 || p.Height != 531 || p.Colour != "RGB 24" || p.Device != "scanner" || p.DeviceModel != 4711 || p.Landmarks != 2 || p.CapturedOn.Reveal() != "2026-02-28" {
		t.Errorf("metadata: %+v", p.FaceRecord)
	}
	if want := []QualityScore{{257, 9, 88}, {257, 10, -1}}; !slices.Equal(p.Quality, want) {
		t.Errorf("quality %v", p.Quality)
	}
}

func TestDG2OfISO39794IsWrittenAsItIsRead(t *testing.T) {
	t.Parallel()
	jp2 := append([]byte{0, 0, 0, 0x0C, 'j', 'P', ' ', ' ', 0x0D, 0x0A, 0x87, 0x0A}, make([]byte, 90)...)
	for _, image := range [][]byte{jpegLike(), jp2} {
		p, err := ParseDG2(EncodeDG2ISO39794(image, 413, 531, time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)))
		if err != nil || len(p.Deviations) != 0 || p.Width != 413 || p.Height != 531 || p.CapturedOn.Reveal() != "2026-03-04" || !bytes.Equal(p.Image.Reveal(), image) {
			t.Errorf("%+v %v", p, err)
		}
	}
}

func TestDG2OfISO39794SurvivesWhatIsNotItsStandard(t *testing.T) {
	t.Parallel()
	image := jpegLike()
	bare := biometricGroup(0x2A, tlv.Encode(0x7F2E, tlv.Encode(tagFaceImageBlock, ctx(1, tlv.Encode(tlv.Sequence, picture(image))))))
	elsewhere := biometricGroup(0x2A, tlv.Encode(0x7F2E, tlv.Encode(0xA1, tlv.Encode(0x66, tlv.Encode(0x80, image)))))
	for name, c := range map[string]struct {
		b    []byte
		want []deviation.Code
	}{
		"no profile wrapper":          {bare, []deviation.Code{deviation.DG2Structure}},
		"image elsewhere":             {elsewhere, []deviation.Code{deviation.DG2Structure}},
		"impossible date":             {faceBlock(picture(image), ctx(2, contextInt(0, 2026), contextInt(1, 13))), []deviation.Code{deviation.DG2Structure}},
		"score above a hundred":       {faceBlock(picture(image), ctx(3, tlv.Encode(tlv.Sequence, ctx(0), ctx(1, contextInt(0, 101))))), []deviation.Code{deviation.DG2Structure}},
		"JPEG called JPEG 2000":       {faceBlock(picture(image, ctx(1, ctx(0, contextInt(0, formatJPEG2000Lossy))))), []deviation.Code{deviation.DG2ImageType}},
		"JPEG called something new":   {faceBlock(picture(image, ctx(1, ctx(0, contextInt(0, 77))))), []deviation.Code{deviation.DG2ImageType}},
		"only what must be there":     {faceBlock(picture(image)), nil},
		"size beyond sixteen bits":    {faceBlock(picture(image, ctx(1, ctx(7, contextInt(0, 1<<16), contextInt(1, 1))))), []deviation.Code{deviation.DG2Structure}},
		"too many feature points":     {faceBlock(picture(image), ctx(9, bytes.Repeat(tlv.Encode(tlv.Sequence), maxFeatures+1))), []deviation.Code{deviation.DG2Structure}},
		"too many quality algorithms": {faceBlock(picture(image), ctx(3, bytes.Repeat(tlv.Encode(tlv.Sequence), maxScores+1))), []deviation.Code{deviation.DG2Structure}},
	} {
		p, err := ParseDG2(c.b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !bytes.Equal(p.Image.Reveal(), image) || !slices.Equal(codes(p.Deviations), c.want) {
			t.Errorf("%s: %v", name, p.Deviations)
		}
	}
	none := faceBlock(ctx(1, ctx(0, ctx(1, tlv.Encode(tlv.Context(0), []byte("a shape in three dimensions"))))))
	if _, err := ParseDG2(none); !errors.Is(err, ErrNoImage) || strings.Contains(err.Error(), "shape") {
		t.Errorf("no picture: %v", err)
	}
}

// FuzzDG2ISO39794: a portrait lies inside the file, and what is said of it stays
// within its limits.
func FuzzDG2ISO39794(f *testing.F) {
	f.Add(EncodeDG2ISO39794(jpegLike(), 413, 531, time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)))
	f.Add(faceBlock(picture(jpegLike()), ctx(3, tlv.Encode(tlv.Sequence, ctx(0, contextInt(0, 1)), ctx(1, contextInt(0, 50)))), ctx(9, tlv.Encode(tlv.Sequence))))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParseDG2(b)
		if err != nil {
			return
		}
		if p.Format == "" || p.Format != ImageFormat(p.Image.Reveal()) || !bytes.Contains(b, p.Image.Reveal()) {
			t.Fatal("a portrait that is not in the file")
		}
		if p.Width < 0 || p.Width > 1<<16-1 || p.Height < 0 || p.Height > 1<<16-1 || p.Landmarks > maxFeatures || len(p.Quality) > maxScores {
			t.Fatalf("beyond the limits: %+v", p.FaceRecord)
		}
	})
}
