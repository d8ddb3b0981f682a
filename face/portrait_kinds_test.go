package face_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"math"
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
	half := func(data []byte) []byte { return data[:len(data)/2] }
	for name, data := range map[string][]byte{
		"cut": half(plain), "progressive, cut": half(kinds["progressive"]), "CMYK, cut": half(kinds["CMYK"]), "24 megapixels and more": enlarged(t, plain, 10), "one pixel": greyJPEG(t, 1, 1), "nothing": nil,
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

// However a portrait was stored or printed, its embedding stays near that of the plain
// one, and away from another person's. The limits are a little below what was measured
// (docs/models.md); the raster fell to .50 where crops were sampled at single points.
func TestAPoorPortraitStaysClose(t *testing.T) {
	t.Parallel()
	e := engine(t)
	for _, person := range []string{"p02", "p05"} {
		plain, other := portrait(t, person), portrait(t, map[string]string{"p02": "p05", "p05": "p02"}[person])
		for name, kind := range map[string]struct {
			picture []byte
			least   float32
		}{
			"grey":                     {grey(t, plain), .85},
			"blocky":                   {requality(t, plain, 10), .8},
			"240 wide, grey, blocky":   {requality(t, grey(t, shrink(t, plain, 2)), 25), .75},
			"faded":                    {repaint(t, plain, func(v int) int { return 90 + 55*v/100 }), .9},
			"out of focus":             {gaussian(t, plain, 2.5), .85},
			"printed":                  {rastered(t, plain, 3.3), .7},
			"printed, scanned":         {gaussian(t, rastered(t, plain, 4.2), .8), .8},
			"printed, scanned, larger": {rastered(t, enlarged(t, plain, 4), 9), .75},
		} {
			images := [][]byte{plain, kind.picture, other}
			err := e.ScorePairs(t.Context(), face.Photographs(3, func(i int) ([]byte, error) { return bytes.Clone(images[i]), nil }), [][2]int{{0, 1}, {1, 2}},
				func(pair int, c face.Comparison, cosine float32) error {
					switch {
					case !c.Compared:
						t.Errorf("%s, %s: %+v", person, name, c)
					case pair == 0 && cosine < kind.least:
						t.Errorf("%s, %s: %.2f from the plain one, want %.2f", person, name, cosine, kind.least)
					case pair == 1 && c.Match:
						t.Errorf("%s, %s: another person matches at %.2f", person, name, cosine)
					}
					return nil
				})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// rastered prints a picture: dots in three angles, one a colour, cell pixels apart, whose
// size follows the picture.
func rastered(t *testing.T, data []byte, cell float64) []byte {
	t.Helper()
	img := decodeJPEG(t, data)
	w := img.Bounds().Dx()
	for i := range img.Pix {
		c := i % 4
		if c == 3 {
			continue
		}
		x, y := float64(i/4%w), float64(i/4/w)
		sin, cos := math.Sincos([]float64{.26, .785, 1.3}[c])
		u, v := 2*math.Pi*(x*cos+y*sin)/cell, 2*math.Pi*(y*cos-x*sin)/cell
		ink := 127.5 + 63.75*(math.Cos(u)+math.Cos(v))
		img.Pix[i] = clampInt(int(127.5 + 3*(float64(img.Pix[i])-ink)))
	}
	return encodeJPEG(t, img)
}
