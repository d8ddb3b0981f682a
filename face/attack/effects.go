package attack

import "math"

// table holds normal deviates, 24 to a standard deviation: noise is read from it at
// places drawn anew for each row, which is a tenth of the cost of drawing each.
type table [4096]int8

func newTable(r *Random) *table {
	t := &table{}
	for i := range t {
		t[i] = int8(min(max(math.Round(24*r.Normal()), -127), 127))
	}
	return t
}

// noise adds a sensor's noise of sigma levels to each colour of each pixel.
func (p *picture) noise(sigma float64, t *table, r *Random) {
	if sigma <= 0 {
		return
	}
	var scaled [4096]int16
	for i, v := range t {
		scaled[i] = int16(math.Round(sigma * float64(v) / 24))
	}
	for y := range p.h {
		row := p.pix[4*y*p.w : 4*(y+1)*p.w]
		o := int(r.next() & 4095)
		for x := range row {
			row[x] = byte(min(max(int(row[x])+int(scaled[(o+x)&4095]), 0), 255))
		}
	}
}

// tone is a look-up a channel.
type tone [3][256]byte

// newTone maps levels by gain, contrast about mid-grey, gamma and a colour
// temperature: warmth > 0 gives red and takes blue.
func newTone(gain, contrast, gamma, warmth float64) *tone {
	t := &tone{}
	for k, tint := range []float64{1 + warmth, 1, 1 - warmth} {
		for i := range 256 {
			v := 255 * math.Pow(float64(i)/255, gamma)
			v = (v-128)*contrast + 128
			t[k][i] = level(v * gain * tint)
		}
	}
	return t
}

func (p *picture) apply(t *tone) {
	for i := 0; i+3 < len(p.pix); i += 4 {
		p.pix[i], p.pix[i+1], p.pix[i+2] = t[0][p.pix[i]], t[1][p.pix[i+1]], t[2][p.pix[i+2]]
	}
}

// blur convolves with a Gaussian of sigma pixels. scratch is overwritten.
func (p *picture) blur(sigma float64, scratch *picture) {
	if sigma <= 0 {
		return
	}
	radius := int(math.Ceil(3 * sigma))
	weights, sum := make([]float64, 2*radius+1), 0.0
	for i := range weights {
		d := float64(i-radius) / sigma
		weights[i] = math.Exp(-d * d / 2)
		sum += weights[i]
	}
	taps, left := make([]int, len(weights)), 1<<16
	for i, w := range weights {
		taps[i] = int(math.Round(w / sum * (1 << 16)))
		left -= taps[i]
	}
	taps[radius] += left
	scratch.reset(p.w, p.h)
	convolve(scratch.pix, p.pix, p.w, p.h, 4, 4*p.w, taps)
	convolve(p.pix, scratch.pix, p.h, p.w, 4*p.w, 4, taps)
}

// convolve writes the weighted means along lines of n pixels; there are m lines.
// taps are 65536ths; beyond its ends a line goes on as it ends.
func convolve(dst, src []byte, n, m, step, line int, taps []int) {
	radius := len(taps) / 2
	for l := range m {
		for i := range n {
			var sum [3]int
			for k, t := range taps {
				at := l*line + min(max(i+k-radius, 0), n-1)*step
				sum[0] += t * int(src[at])
				sum[1] += t * int(src[at+1])
				sum[2] += t * int(src[at+2])
			}
			o := l*line + i*step
			dst[o], dst[o+1], dst[o+2], dst[o+3] = byte((sum[0]+1<<15)>>16), byte((sum[1]+1<<15)>>16), byte((sum[2]+1<<15)>>16), 255
		}
	}
}

// room paints a background: a wall in falling light, and two things on it.
func (p *picture) room(r *Random) {
	base := rgb{r.Float(90, 180), r.Float(90, 180), r.Float(90, 180)}
	thing := [2]rgb{}
	var place [2][4]float64
	for i := range thing {
		thing[i] = rgb{r.Float(-60, 60), r.Float(-60, 60), r.Float(-60, 60)}
		place[i] = [4]float64{r.Float(0, 1), r.Float(0, 1), r.Float(.06, .2), r.Float(.1, .3)}
	}
	fall := r.Float(.2, .6)
	for y := range p.h {
		for x := range p.w {
			u, v := float64(x)/float64(p.w), float64(y)/float64(p.h)
			g := 1.15 - fall*math.Hypot(u-.3, v-.2)
			c := rgb{base[0] * g, base[1] * g, base[2] * g}
			for i, t := range thing {
				e := max(math.Abs(u-place[i][0])/place[i][2], math.Abs(v-place[i][1])/place[i][3])
				a := min(max((1.15-e)*5, 0), 1)
				for k := range c {
					c[k] += t[k] * a
				}
			}
			p.set(x, y, c)
		}
	}
}

// drift is a slow movement made of three waves, amplitude about 1.
type drift struct{ rate, phase [3]float64 }

func newDrift(r *Random) drift {
	var d drift
	for i := range d.rate {
		d.rate[i], d.phase[i] = r.Float(.15, .5)*float64(i+1), r.Float(0, 2*math.Pi)
	}
	return d
}

// at the time in seconds.
func (d drift) at(t float64) float64 {
	v := 0.0
	for i := range d.rate {
		v += math.Sin(2*math.Pi*d.rate[i]*t+d.phase[i]) / float64(i+1)
	}
	return v / 1.6
}
