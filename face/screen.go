package face

import (
	"math"
	"math/bits"
	"slices"
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
	g.evenAxes()
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

// transform computes the half of the spectrum that peak looks at: the other is its
// mirror image, since samples are real.
func (g *gridWindow) transform() {
	turns := newTurns()
	for y := range gridSize {
		row := y * gridSize
		turns.fft(g.re[row:row+gridSize], g.im[row:row+gridSize])
	}
	var re, im [gridSize]float32
	defer clear(re[:])
	defer clear(im[:])
	for x := range gridSize / 2 {
		for y := range gridSize {
			re[y], im[y] = g.re[y*gridSize+x], g.im[y*gridSize+x]
		}
		turns.fft(re[:], im[:])
		for y := range gridSize {
			g.re[y*gridSize+x], g.im[y*gridSize+x] = re[y], im[y]
		}
	}
}

// Columns of a sensor, and rows, that are read a little brighter or darker than others
// are noise as white along one axis of the spectrum as a display's waves are narrow.
const (
	axisWidth  = 1 // bins on either side of an axis into which the taper spreads
	axisBeside = 4 // bins from an axis at which there is nothing of it
)

// evenAxes brings the bins of each axis down to the power that is usual beside them,
// by medians, which narrow peaks do not move.
func (g *gridWindow) evenAxes() {
	rows := g.median(g.row(axisBeside), g.row(-axisBeside))
	columns := g.median(g.column(axisBeside))
	for k := -axisWidth; k <= axisWidth; k++ {
		g.lower(g.row(k), rows)
		if k >= 0 { // the other half is a mirror image
			g.lower(g.column(k), columns)
		}
	}
}

// line is a row or column of bins, those of the rings that peak looks at.
type line struct{ at, step, n int }

func (g *gridWindow) row(fy int) line {
	return line{(fy+gridSize)%gridSize*gridSize + gridLowest, 1, gridSize/2 - gridLowest}
}

// column leaves out what lies between the lowest rings, like row, but has both signs.
func (g *gridWindow) column(x int) line {
	return line{gridLowest*gridSize + x, gridSize, gridSize - 2*gridLowest + 1}
}

// median is the median power of lines.
func (g *gridWindow) median(lines ...line) float32 {
	var powers [2 * gridSize]float32
	defer clear(powers[:])
	n := 0
	for _, l := range lines {
		for i := range l.n {
			at := l.at + i*l.step
			powers[n] = g.re[at]*g.re[at] + g.im[at]*g.im[at]
			n++
		}
	}
	slices.Sort(powers[:n])
	return powers[n/2]
}

// lower scales a line whose median power is above usual down to it.
func (g *gridWindow) lower(l line, usual float32) {
	power := g.median(l)
	if power <= usual {
		return
	}
	scale := float32(math.Sqrt(float64(usual / power)))
	for i := range l.n {
		g.re[l.at+i*l.step] *= scale
		g.im[l.at+i*l.step] *= scale
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

// turns are the factors of a transform: of size 2 one, of size 4 two, and so on.
type turns struct{ re, im [gridSize]float32 }

func newTurns() (t turns) {
	at := 0
	for size := 2; size <= gridSize; size *= 2 {
		sin, cos := math.Sincos(-2 * math.Pi / float64(size))
		wr, wi := 1.0, 0.0
		for range size / 2 {
			t.re[at], t.im[at] = float32(wr), float32(wi)
			wr, wi = wr*cos-wi*sin, wr*sin+wi*cos
			at++
		}
	}
	return t
}

// fft is the radix-2 transform of gridSize complex numbers, in place.
func (t *turns) fft(re, im []float32) {
	const shift = 64 - 7 // gridSize is 1<<7
	re, im = re[:gridSize], im[:gridSize]
	for i := range gridSize {
		if j := int(bits.Reverse64(uint64(i)) >> shift); j > i {
			re[i], re[j] = re[j], re[i]
			im[i], im[j] = im[j], im[i]
		}
	}
	at := 0
	for half := 1; half < gridSize; half *= 2 {
		wr, wi := t.re[at:at+half], t.im[at:at+half]
		at += half
		for start := 0; start < gridSize; start += 2 * half {
			ar, ai := re[start:start+half], im[start:start+half]
			br, bi := re[start+half:start+2*half], im[start+half:start+2*half]
			for k, r := range wr {
				i := wi[k]
				tr, ti := r*br[k]-i*bi[k], r*bi[k]+i*br[k]
				br[k], bi[k] = ar[k]-tr, ai[k]-ti
				ar[k], ai[k] = ar[k]+tr, ai[k]+ti
			}
		}
	}
}
