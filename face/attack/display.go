package attack

import "math"

// display is a lit screen that shows a picture. Its sub-pixels (red, green, blue
// stripes with dark gaps) are seen through the camera's pixels: where the pitches
// are near each other they beat, which is what moire is. Sampling is 2 x 2 a camera
// pixel and colour, the three colours half a pixel apart as on a sensor's mosaic.
type display struct {
	image             *picture
	halfWidth, halfUp float64 // of the lit part
	columns, rows     float64 // display pixels over the lit part
	contrast          float64 // of the grid that the lens lets through, 0..1
	gamma             float64
	tint              rgb     // gain a channel
	lift              float64 // of black, levels
	gloss             float64
	glossAt           Point
	band              float64 // amplitude of refresh bands, 0..1
	bandHigh, phase   float64
	step              float64 // of a camera pixel on the sheet
	curve             [256]float64
}

func (d *display) prepare() {
	for i := range d.curve {
		d.curve[i] = 255 * math.Pow(float64(i)/255, d.gamma)
	}
}

// pitch is how many display pixels lie in a camera pixel.
func (d *display) pitch() float64 { return d.step / (2 * d.halfWidth) * d.columns }

// defocus takes out of the grid what a lens out of focus takes, before the sensor
// samples it: a Gaussian of sigma camera pixels lets exp(-2 (pi sigma f)^2) of a wave
// of f periods a camera pixel through.
func (d *display) defocus(sigma float64) {
	f := math.Pi * sigma * d.pitch()
	d.contrast *= math.Exp(-2 * f * f)
}

// at implements skin.
func (d *display) at(s, v float64) (rgb, float64) {
	if math.Abs(s) > d.halfWidth || math.Abs(v) > d.halfUp {
		return rgb{24, 24, 26}, 1
	}
	u, t := (s/d.halfWidth+1)/2, (v/d.halfUp+1)/2
	c := d.image.at(u*float64(d.image.w-1), t*float64(d.image.h-1))
	bright := 1.0
	if d.band > 0 {
		bright -= d.band * (.5 + .5*math.Sin(2*math.Pi*(t/d.bandHigh+d.phase)))
	}
	glow := d.lift
	if d.gloss > 0 {
		dx, dy := s-d.glossAt.X, v-d.glossAt.Y
		glow += d.gloss * math.Exp(-(dx*dx*40 + dy*dy*70))
	}
	px, py := u*d.columns, t*d.rows
	step := d.pitch()
	for k := range c {
		open := d.grid(px, py, step, k)
		c[k] = d.curve[level(c[k])]*(1+d.contrast*(open-1))*bright*d.tint[k] + glow
	}
	return c, 1
}

// grid is how much of colour k's stripes the camera pixel sees, mean about 1.
func (d *display) grid(px, py, step float64, k int) float64 {
	const stripe, high = 1. / 3, .82
	px += step * (float64(k) - 1) * .5 // the sensor's mosaic
	py += step * (float64(k) - 1) * .5
	sum := 0.0
	for i := range 4 {
		x := px + step*(float64(i&1)-.5)*.5
		y := py + step*(float64(i>>1)-.5)*.5
		x -= math.Floor(x)
		y -= math.Floor(y)
		if x >= float64(k)*stripe && x < float64(k+1)*stripe && y < high {
			sum++
		}
	}
	return sum / 4 / (stripe * high)
}
