package face_test

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math"
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

// drawnOut is the picture of a camera with half the pixels a side: means of two by
// two, drawn out linearly, at JPEG quality 60.
func drawnOut(t testing.TB, data []byte) []byte {
	t.Helper()
	src := decodeJPEG(t, data)
	b := src.Bounds()
	w, h := b.Dx()/2, b.Dy()/2
	mean := func(x, y, k int) int {
		x, y = 2*min(max(x, 0), w-1), 2*min(max(y, 0), h-1)
		o := y*src.Stride + 4*x + k
		return int(src.Pix[o]) + int(src.Pix[o+4]) + int(src.Pix[o+src.Stride]) + int(src.Pix[o+src.Stride+4])
	}
	out := image.NewRGBA(b)
	for y := range b.Dy() {
		for x := range b.Dx() {
			nx, ny := x/2-1+2*(x%2), y/2-1+2*(y%2) // the neighbour on this side
			for k := range 3 {
				v := 9*mean(x/2, y/2, k) + 3*mean(nx, y/2, k) + 3*mean(x/2, ny, k) + mean(nx, ny, k)
				out.Pix[y*out.Stride+4*x+k] = uint8((v + 32) / 64)
			}
			out.Pix[y*out.Stride+4*x+3] = 255
		}
	}
	var coded bytes.Buffer
	if err := jpeg.Encode(&coded, out, &jpeg.Options{Quality: 60}); err != nil {
		t.Fatal(err)
	}
	return coded.Bytes()
}

// gaussian blurs with a sigma of pixels, at JPEG quality 85.
func gaussian(t testing.TB, data []byte, sigma float64) []byte {
	t.Helper()
	radius := int(math.Ceil(3 * sigma))
	pass := func(src *image.RGBA, dx, dy int) *image.RGBA {
		b := src.Bounds()
		out := image.NewRGBA(b)
		for y := range b.Dy() {
			for x := range b.Dx() {
				var sum [3]float64
				var total float64
				for k := -radius; k <= radius; k++ {
					w := math.Exp(-float64(k*k) / (2 * sigma * sigma))
					o := min(max(y+k*dy, 0), b.Dy()-1)*src.Stride + 4*min(max(x+k*dx, 0), b.Dx()-1)
					for c := range sum {
						sum[c] += w * float64(src.Pix[o+c])
					}
					total += w
				}
				out.SetRGBA(x, y, color.RGBA{uint8(sum[0]/total + .5), uint8(sum[1]/total + .5), uint8(sum[2]/total + .5), 255})
			}
		}
		return out
	}
	return encodeJPEG(t, pass(pass(decodeJPEG(t, data), 1, 0), 0, 1))
}
