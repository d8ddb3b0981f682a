package face

import (
	"math"
	"slices"
)

// The sub-pixels of a screen and the mosaic of a sensor beat in red, green and
// blue with different phases: coloured bands in which the hue runs through the
// whole circle again and again, over everything that the screen shows. The
// colours of things mix along a line in the plane of Cb and Cr; a band of moire
// fills the plane. So the measure is the smaller axis of the covariance of Cb
// and Cr, band-passed at the bands' scale, in the median tile of the picture.
const (
	moireTile  = 16 // side of a tile in samples of the reduced plane
	moireNear  = 1  // radius of the inner box mean
	moireFar   = 5  // radius of the outer box mean
	moireWidth = 160
)

// moireScratch holds the reduced chroma planes and what is computed of them.
type moireScratch struct {
	w, h         int
	cb, cr       []float32
	sums         []float32 // integral image
	tiles        []float32
	bandB, bandR []float32
}

func (s *moireScratch) wipe() {
	for _, b := range []*[]float32{&s.cb, &s.cr, &s.sums, &s.tiles, &s.bandB, &s.bandR} {
		clear(*b)
		*b = (*b)[:0]
	}
}

// rainbow measures the bands: levels of chroma (0..255), root mean square, along
// the smaller axis, in the median tile.
func (p *picture) rainbow(s *moireScratch) float32 {
	if p.monoTone {
		return 0
	}
	s.reduce(p)
	s.bandB = s.band(s.bandB, s.cb)
	s.bandR = s.band(s.bandR, s.cr)
	s.tiles = grow(s.tiles, 0)
	for y := moireFar; y+moireTile <= s.h-moireFar; y += moireTile {
		for x := moireFar; x+moireTile <= s.w-moireFar; x += moireTile {
			s.tiles = append(s.tiles, s.minor(x, y))
		}
	}
	if len(s.tiles) == 0 {
		return 0
	}
	slices.Sort(s.tiles)
	return s.tiles[len(s.tiles)/2]
}

// reduce averages the chroma planes down to about moireWidth columns.
func (s *moireScratch) reduce(p *picture) {
	k := max(p.cw/moireWidth, 1)
	s.w, s.h = p.cw/k, p.ch/k
	n := s.w * s.h
	s.cb, s.cr = grow(s.cb, n), grow(s.cr, n)
	scale := 1 / float32(k*k)
	for y := range s.h {
		for x := range s.w {
			var b, r int
			for dy := range k {
				o := (y*k+dy)*p.cw + x*k
				for dx := range k {
					b += int(p.cb[o+dx])
					r += int(p.cr[o+dx])
				}
			}
			s.cb[y*s.w+x], s.cr[y*s.w+x] = float32(b)*scale, float32(r)*scale
		}
	}
}

// band is the difference of two box means of the plane.
func (s *moireScratch) band(dst, plane []float32) []float32 {
	dst = grow(dst, len(plane))
	s.integrate(plane)
	for y := range s.h {
		for x := range s.w {
			dst[y*s.w+x] = s.box(x, y, moireNear) - s.box(x, y, moireFar)
		}
	}
	return dst
}

func (s *moireScratch) integrate(plane []float32) {
	stride := s.w + 1
	s.sums = grow(s.sums, stride*(s.h+1))
	clear(s.sums[:stride])
	for y := range s.h {
		var row float32
		s.sums[(y+1)*stride] = 0
		for x := range s.w {
			row += plane[y*s.w+x] - 128
			s.sums[(y+1)*stride+x+1] = s.sums[y*stride+x+1] + row
		}
	}
}

func (s *moireScratch) box(x, y, radius int) float32 {
	x0, x1 := max(x-radius, 0), min(x+radius+1, s.w)
	y0, y1 := max(y-radius, 0), min(y+radius+1, s.h)
	t := s.w + 1
	sum := s.sums[y1*t+x1] - s.sums[y0*t+x1] - s.sums[y1*t+x0] + s.sums[y0*t+x0]
	return sum / float32((x1-x0)*(y1-y0))
}

// minor is the standard deviation along the smaller axis of a tile's covariance.
func (s *moireScratch) minor(x0, y0 int) float32 {
	var bb, rr, br float64
	for y := y0; y < y0+moireTile; y++ {
		for x := x0; x < x0+moireTile; x++ {
			b, r := float64(s.bandB[y*s.w+x]), float64(s.bandR[y*s.w+x])
			bb += b * b
			rr += r * r
			br += b * r
		}
	}
	const n = moireTile * moireTile
	bb, rr, br = bb/n, rr/n, br/n
	small := (bb+rr)/2 - math.Hypot((bb-rr)/2, br)
	return float32(math.Sqrt(max(small, 0)))
}
