package face_test

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"testing"
)

func decodeJPEG(t testing.TB, data []byte) *image.RGBA {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	b := img.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(out, out.Bounds(), img, b.Min, draw.Src)
	return out
}

func encodeJPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 85}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func clampInt(v int) uint8 { return uint8(min(max(v, 0), 255)) }

// repaint maps every sample.
func repaint(t testing.TB, data []byte, f func(int) int) []byte {
	t.Helper()
	img := decodeJPEG(t, data)
	for i, v := range img.Pix {
		if i%4 != 3 {
			img.Pix[i] = clampInt(f(int(v)))
		}
	}
	return encodeJPEG(t, img)
}

// blur is three box means of the radius.
func blur(t testing.TB, data []byte, radius int) []byte {
	t.Helper()
	img := decodeJPEG(t, data)
	for range 3 {
		img = boxed(boxed(img, radius, 1, 0), radius, 0, 1)
	}
	return encodeJPEG(t, img)
}

func boxed(src *image.RGBA, radius, dx, dy int) *image.RGBA {
	b := src.Bounds()
	out := image.NewRGBA(b)
	for y := range b.Dy() {
		for x := range b.Dx() {
			var r, g, bl, n int
			for k := -radius; k <= radius; k++ {
				c := src.RGBAAt(min(max(x+k*dx, 0), b.Dx()-1), min(max(y+k*dy, 0), b.Dy()-1))
				r, g, bl, n = r+int(c.R), g+int(c.G), bl+int(c.B), n+1
			}
			out.SetRGBA(x, y, color.RGBA{uint8(r / n), uint8(g / n), uint8(bl / n), 255})
		}
	}
	return out
}

// shrink takes every nth pixel.
func shrink(t testing.TB, data []byte, n int) []byte {
	t.Helper()
	src := decodeJPEG(t, data)
	b := src.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx()/n, b.Dy()/n))
	for y := range b.Dy() / n {
		for x := range b.Dx() / n {
			out.Set(x, y, src.At(x*n, y*n))
		}
	}
	return encodeJPEG(t, out)
}

// mix is the mean of two pictures.
func mix(t testing.TB, a, b []byte) []byte {
	t.Helper()
	x, y := decodeJPEG(t, a), decodeJPEG(t, b)
	for i := range x.Pix {
		x.Pix[i] = uint8((int(x.Pix[i]) + int(y.Pix[i]) + 1) / 2)
	}
	return encodeJPEG(t, x)
}

// shift shrinks a picture by n and puts it at (x, y) on grey.
func shift(t testing.TB, data []byte, n, x0, y0 int) []byte {
	t.Helper()
	src := decodeJPEG(t, data)
	b := src.Bounds()
	out := image.NewRGBA(b)
	for y := range b.Dy() {
		for x := range b.Dx() {
			sx, sy := (x-x0)*n, (y-y0)*n
			c := color.RGBA{110, 110, 110, 255}
			if sx >= 0 && sy >= 0 && sx < b.Dx() && sy < b.Dy() {
				c = src.RGBAAt(sx, sy)
			}
			out.SetRGBA(x, y, c)
		}
	}
	return encodeJPEG(t, out)
}
