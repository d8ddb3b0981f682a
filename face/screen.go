package face

import (
	"math"
	"math/bits"
)

// A screen filmed by a camera shows its pixel grid, or the moire of that grid
// with the sensor's: one or a few waves of constant period all over the face.
// Skin, hair and cloth have no such waves. The measure is the strongest peak of
// the face's luma spectrum over what is usual at that distance from the centre.
const (
	gridSize    = 128 // side of the window in picture pixels, a power of two
	gridLowest  = 14  // cycles per window below which a face has structure of its own
	gridHarmony = 2   // bins around multiples of a JPEG block's frequency that are left out
)

// gridWindow is the scratch memory of the measure.
type gridWindow struct {
	re, im [gridSize * gridSize]float32
	used   bool // since it was wiped
}

func (g *gridWindow) wipe() {
	if g.used {
		*g = gridWindow{}
	}
}

// gridStrength returns the strongest peak as a multiple of the median power on its ring.
func (p *picture) gridStrength(m *mesh, g *gridWindow) float32 {
	nose := m.points[ptNoseTip]
	x0 := min(max(int(nose.x)-gridSize/2, 0), p.w-gridSize)
	y0 := min(max(int(nose.y)-gridSize/2-8, 0), p.h-gridSize)
	if x0 < 0 || y0 < 0 {
		return 0
	}
	g.used = true
	g.load(p, x0, y0)
	g.transform()
	return g.peak()
}

// load takes the window, high-passed by its own 5 x 5 mean and tapered (Hann).
func (g *gridWindow) load(p *picture, x0, y0 int) {
	clear(g.im[:])
	var taper [gridSize]float32
	for i := range taper {
		taper[i] = float32(.5 - .5*math.Cos(2*math.Pi*float64(i)/gridSize))
	}
	var columns [gridSize + 4]int // sums of five samples, from two left of the window on
	defer clear(columns[:])
	for y := range gridSize {
		clear(columns[:])
		for dy := -2; dy <= 2; dy++ {
			row := p.y[min(max(y0+y+dy, 0), p.h-1)*p.w:][:p.w]
			for i := range columns {
				columns[i] += int(row[min(max(x0+i-2, 0), p.w-1)])
			}
		}
		sum := columns[0] + columns[1] + columns[2] + columns[3]
		for x := range gridSize {
			sum += columns[x+4]
			v := float32(p.y[(y0+y)*p.w+x0+x]) - float32(sum)/25
			sum -= columns[x]
			// Edges of eyes and mouth are strong but not periodic.
			v = min(max(v, -8), 8)
			g.re[y*gridSize+x] = v * taper[x] * taper[y]
		}
	}
}

func (g *gridWindow) transform() {
	var re, im [gridSize]float32
	for y := range gridSize {
		row := y * gridSize
		fft(g.re[row:row+gridSize], g.im[row:row+gridSize])
	}
	for x := range gridSize {
		for y := range gridSize {
			re[y], im[y] = g.re[y*gridSize+x], g.im[y*gridSize+x]
		}
		fft(re[:], im[:])
		for y := range gridSize {
			g.re[y*gridSize+x], g.im[y*gridSize+x] = re[y], im[y]
		}
	}
}

// peak compares, ring by ring (4 bins wide), the strongest bin with the ring's mean.
func (g *gridWindow) peak() float32 {
	const half = gridSize / 2
	const rings = half / 4
	var sum [rings]float32
	var count [rings]float32
	var best [rings]float32
	for y := range gridSize {
		fy := (y+half)%gridSize - half
		for x := range half {
			r := int(math.Hypot(float64(x), float64(fy)))
			if r < gridLowest || r >= half || blockHarmonic(x, fy) {
				continue
			}
			i := y*gridSize + x
			power := g.re[i]*g.re[i] + g.im[i]*g.im[i]
			k := r / 4
			sum[k] += power
			count[k]++
			best[k] = max(best[k], power)
		}
	}
	var strongest float32
	for k := range rings {
		if rest := sum[k] - best[k]; count[k] > 1 && rest > 0 {
			strongest = max(strongest, best[k]/(rest/(count[k]-1)+1e4))
		}
	}
	return strongest
}

// blockHarmonic: the 8 x 8 blocks of JPEG leave peaks on both axes at multiples
// of an eighth of the sampling rate.
func blockHarmonic(x, y int) bool {
	near := func(v int) bool {
		d := (v + gridSize) % (gridSize / 8)
		return d <= gridHarmony || d >= gridSize/8-gridHarmony
	}
	return (y >= -gridHarmony && y <= gridHarmony && near(x)) || (x <= gridHarmony && near(y))
}

// fft is the radix-2 transform of gridSize complex numbers, in place.
func fft(re, im []float32) {
	n := len(re)
	shift := 64 - bits.Len(uint(n-1))
	for i := range n {
		if j := int(bits.Reverse64(uint64(i)) >> shift); j > i {
			re[i], re[j] = re[j], re[i]
			im[i], im[j] = im[j], im[i]
		}
	}
	for size := 2; size <= n; size *= 2 {
		sin, cos := math.Sincos(-2 * math.Pi / float64(size))
		for start := 0; start < n; start += size {
			wr, wi := 1.0, 0.0
			for k := start; k < start+size/2; k++ {
				o := k + size/2
				tr := float32(wr)*re[o] - float32(wi)*im[o]
				ti := float32(wr)*im[o] + float32(wi)*re[o]
				re[o], im[o] = re[k]-tr, im[k]-ti
				re[k], im[k] = re[k]+tr, im[k]+ti
				wr, wi = wr*cos-wi*sin, wr*sin+wi*cos
			}
		}
	}
}
