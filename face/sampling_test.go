package face

import (
	"math"
	"testing"
)

// exact is a plane's sample at a point, by the formula.
func exact(plane []byte, w, h int, x, y float64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	v := func(x, y int) float64 {
		return float64(plane[min(max(y, 0), h-1)*w+min(max(x, 0), w-1)])
	}
	ix, iy := int(fx), int(fy)
	top := v(ix, iy)*(1-x+fx) + v(ix+1, iy)*(x-fx)
	bottom := v(ix, iy+1)*(1-x+fx) + v(ix+1, iy+1)*(x-fx)
	return top*(1-y+fy) + bottom*(y-fy)
}

// rgb is the conversion of T.871.
func rgb(y, cb, cr float64) [3]float64 {
	cb, cr = cb-128, cr-128
	c := [3]float64{y + 1.402*cr, y - .344136*cb - .714136*cr, y + 1.772*cb}
	for i := range c {
		c[i] = min(max(c[i], 0), 255)
	}
	return c
}

// deviations are by how much a tensor's pixel is off, in levels; a mean shows a bias.
type deviations struct{ most, sum, count float64 }

func (d *deviations) add(dst []float32, size, i int, f tensorFormat, want [3]float64) {
	for c, v := range want {
		if f.bgr {
			c = 2 - c
		}
		off := float64(dst[c*size+i]/f.scale+f.mean) - v
		d.most, d.sum, d.count = max(d.most, math.Abs(off)), d.sum+off, d.count+1
	}
}

func (d *deviations) check(t *testing.T, most float64, what ...any) {
	t.Helper()
	if d.most > most || math.Abs(d.sum/d.count) > .1 {
		t.Errorf("%v: off by %.2f at most, %.2f in the mean", what, d.most, d.sum/d.count)
	}
}

func formats() []tensorFormat {
	return []tensorFormat{{bgr: true, scale: 1}, {scale: 1. / 255}, {mean: 127.5, scale: 1. / 128}}
}

// Sampling is the formula to about a level: points are rounded to 256ths of a
// pixel, samples to quarters of a level.
func TestSamplingIsTheFormula(t *testing.T) {
	t.Parallel()
	pictures := somePictures(t)
	for _, name := range []string{"small", "420.jpg", "422.jpg", "444.jpg", "frame_0001.jpg"} {
		var p picture
		if err := p.decode(pictures[name], limits{maxBytes: 1 << 20, maxSide: 1 << 12, maxPixels: 1 << 24}); err != nil {
			t.Fatal(name, err)
		}
		kx, ky := float64(int(1)<<p.sx), float64(int(1)<<p.sy)
		pixel := func(x, y float64) [3]float64 {
			cx, cy := (x+.5)/kx-.5, (y+.5)/ky-.5
			return rgb(exact(p.y, p.w, p.h, x, y), exact(p.cb, p.cw, p.ch, cx, cy), exact(p.cr, p.cw, p.ch, cx, cy))
		}
		w, h := float32(p.w), float32(p.h)
		for i, f := range formats() {
			for _, m := range []affine{cropAffine(w/2, h/2, h/2, .3, 64, i == 1), cropAffine(w/8, h*.9, h, -.2, 64, false)} {
				dst := make([]float32, 3*64*64)
				p.warp(dst, 64, 64, m, f)
				var d deviations
				for o := range 64 * 64 {
					x, y := float64(o%64), float64(o/64)
					d.add(dst, 64*64, o, f, pixel(float64(m.a)*x+float64(m.b)*y+float64(m.tx), float64(m.c)*x+float64(m.d)*y+float64(m.ty)))
				}
				d.check(t, 2, name, "warp", f)
			}
		}
	}
}

// Reducing is the mean of each box, with the chroma in its middle.
func TestReducingIsTheMean(t *testing.T) {
	t.Parallel()
	pictures := somePictures(t)
	for _, name := range []string{"small", "420.jpg", "422.jpg", "444.jpg", "frame_0001.jpg"} {
		var p picture
		if err := p.decode(pictures[name], limits{maxBytes: 1 << 20, maxSide: 1 << 12, maxPixels: 1 << 24}); err != nil {
			t.Fatal(name, err)
		}
		for k := 2; k < 6; k++ {
			for _, f := range formats() {
				const side = 96
				dst := make([]float32, 3*side*side)
				for i := range dst {
					dst[i] = 7
				}
				p.shrink(dst, side, side, k, f)
				var d deviations
				for o := range side * side {
					x, y := o%side*k, o/side*k
					if x+k > p.w || y+k > p.h {
						if dst[o] != 0 || dst[o+side*side] != 0 || dst[o+2*side*side] != 0 {
							t.Fatalf("%s: the picture does not reach %d, %d", name, x, y)
						}
						continue
					}
					sum := 0.0
					for i := range k * k {
						sum += float64(p.y[(y+i/k)*p.w+x+i%k])
					}
					c := ((y+k/2)>>p.sy)*p.cw + (x+k/2)>>p.sx
					d.add(dst, side*side, o, f, rgb(sum/float64(k*k), float64(p.cb[c]), float64(p.cr[c])))
				}
				d.check(t, .5, name, k, f)
			}
		}
	}
}

// Whatever the order of pictures, nothing of one is left beyond the next or when
// the picture is wiped.
func TestAWipedPictureHoldsNothing(t *testing.T) {
	t.Parallel()
	pictures := somePictures(t)
	var p picture
	var s moireScratch
	for _, name := range []string{"frame_0001.jpg", "small", "444.jpg", "420.jpg", "frame_0001.jpg"} {
		if err := p.decode(pictures[name], limits{maxBytes: 1 << 20, maxSide: 1 << 12, maxPixels: 1 << 24, orient: true}); err != nil {
			t.Fatal(name, err)
		}
		p.orient(6)
		p.rainbow(&s)
		if left := beyond(p.y) + beyond(p.cb) + beyond(p.cr) + beyond(s.cb) + beyond(s.sums) + beyond(s.bandB) + beyond(s.tiles); left > 0 {
			t.Errorf("%s: %d samples of another picture", name, left)
		}
	}
	p.wipe()
	s.wipe()
	if left := beyond(p.y) + beyond(p.cb) + beyond(p.cr) + beyond(s.cb) + beyond(s.sums) + beyond(s.bandB) + beyond(s.tiles); left > 0 {
		t.Errorf("%d samples are left", left)
	}
	if cap(p.y) == 0 || cap(s.cb) == 0 {
		t.Error("nothing was used")
	}
}

// beyond counts what is not zero beyond the length.
func beyond[T byte | float32](b []T) (n int) {
	for _, v := range b[len(b):cap(b)] {
		if v != 0 {
			n++
		}
	}
	return n
}
