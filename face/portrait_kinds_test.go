package face_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"path/filepath"
	"testing"

	"ipse/face"
)

// Portraits come grey, small, large, turned, progressive and in CMYK: each is the
// person of the plain one. The two files are the portrait of p02 at half its size,
// written by Pillow (progressive; converted to CMYK).
func TestPortraitsOfEveryKindAreCompared(t *testing.T) {
	t.Parallel()
	e, plain := engine(t), portrait(t, "p02")
	kinds := map[string][]byte{
		"grey":             grey(t, plain),
		"240 pixels wide":  shrink(t, plain, 2),
		"progressive":      read(t, filepath.Join("testdata", "jpeg", "face_progressive.jpg")),
		"CMYK":             read(t, filepath.Join("testdata", "jpeg", "face_cmyk.jpg")),
		"20 megapixels":    enlarged(t, plain, 8),
		"turned, EXIF 3":   storedAs(t, plain, 3),
		"turned, EXIF 6":   storedAs(t, plain, 6),
		"turned, EXIF 8":   storedAs(t, plain, 8),
		"grey and small":   shrink(t, grey(t, plain), 3),
		"coarse":           requality(t, plain, 30),
		"mirrored, EXIF 2": storedAs(t, plain, 2),
	}
	for name, data := range kinds {
		r, err := e.Compare(t.Context(), data, plain)
		if err != nil || !r.Compared || !r.Match || len(r.A.Reasons) > 0 {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
		if r, err := e.Compare(t.Context(), data, portrait(t, "p05")); err != nil || r.Match {
			t.Errorf("%s against another person: %+v, %v", name, r, err)
		}
	}
	for name, data := range map[string][]byte{
		"cut": plain[:len(plain)/2], "24 megapixels and more": enlarged(t, plain, 10), "one pixel": greyJPEG(t, 1, 1), "nothing": nil,
	} {
		r, err := e.Compare(t.Context(), data, plain)
		if err != nil || r.Compared || r.A.Usable || r.A.Reasons[0] != face.QualityNotDecodable {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

// storedAs writes a picture as a camera held another way does: turned, with the EXIF
// orientation that turns it back.
func storedAs(t *testing.T, data []byte, orientation uint16) []byte {
	t.Helper()
	src := decodeJPEG(t, data)
	w, h := src.Bounds().Dx(), src.Bounds().Dy()
	sw, sh := w, h
	if orientation >= 5 {
		sw, sh = h, w
	}
	out := image.NewRGBA(image.Rect(0, 0, sw, sh))
	for y := range h {
		for x := range w {
			sx, sy := x, y
			switch orientation {
			case 2:
				sx = w - 1 - x
			case 3:
				sx, sy = w-1-x, h-1-y
			case 6: // shown by a quarter turn clockwise
				sx, sy = y, w-1-x
			case 8:
				sx, sy = h-1-y, x
			}
			out.SetRGBA(sx, sy, src.RGBAAt(x, y))
		}
	}
	tiff := append([]byte("Exif\x00\x00MM\x00\x2a"), 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1)
	tiff = binary.BigEndian.AppendUint16(tiff, orientation)
	tiff = append(tiff, 0, 0, 0, 0, 0, 0)
	stored := encodeJPEG(t, out)
	head := binary.BigEndian.AppendUint16([]byte{0xff, 0xd8, 0xff, 0xe1}, uint16(len(tiff)+2))
	return append(append(head, tiff...), stored[2:]...)
}

// enlarged repeats each pixel n times in both directions.
func enlarged(t *testing.T, data []byte, n int) []byte {
	t.Helper()
	src := decodeJPEG(t, data)
	w, h := src.Bounds().Dx()*n, src.Bounds().Dy()*n
	out := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
	for y := range h {
		for x := range w {
			c := src.RGBAAt(x/n, y/n)
			cy, cb, cr := color.RGBToYCbCr(c.R, c.G, c.B)
			out.Y[y*out.YStride+x] = cy
			o := y/2*out.CStride + x/2
			out.Cb[o], out.Cr[o] = cb, cr
		}
	}
	return encodeJPEG(t, out)
}

// requality encodes a picture anew.
func requality(t *testing.T, data []byte, quality int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, decodeJPEG(t, data), &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
