package attack

import (
	"math"
	"time"
)

// shading draws the map of light: from one side, from behind, the lens's corners
// and the pattern of the sensor. scale is the sensor's pixels over the recording's.
func (c *camera) shading(face Anchor, scale float64) {
	if c.side == 0 && c.behind == 0 && c.corners == 0 && c.uneven == 0 {
		return
	}
	mx, my, span := face.middle(float64(c.w)/scale, float64(c.h)/scale)
	mx, my, span = mx*scale, my*scale, span*scale
	c.shade = make([]uint16, c.w*c.h)
	far := math.Hypot(float64(c.w), float64(c.h)) / 2
	for y := range c.h {
		for x := range c.w {
			g := 1.
			if c.side > 0 { // a head is round: the light falls off over its width
				t := .5 + .5*math.Tanh(1.6*(float64(x)-mx)/span)
				g *= c.side + (1-c.side)*t
			}
			if c.behind > 0 { // outside of an oval around head and shoulders
				dx, dy := (float64(x)-mx)/(1.45*span), (float64(y)-my)/(2.1*span)
				if dy > 0 {
					dx, dy = dx/(1+1.2*dy), 0
				}
				t := min(max((math.Hypot(dx, dy)-1)*4, 0), 1)
				g *= 1 + (c.behind-1)*t
			}
			if c.corners > 0 {
				d := math.Hypot(float64(x)-float64(c.w)/2, float64(y)-float64(c.h)/2) / far
				g *= 1 - c.corners*d*d*d*d
			}
			g *= 1 + c.uneven*c.r.Normal()
			c.shade[y*c.w+x] = uint16(min(max(g, 0), 15) * 4096)
		}
	}
}

// middle of a face and the distance of its eyes; without one, where a face would be.
func (a Anchor) middle(w, h float64) (x, y, span float64) {
	if span = math.Hypot(a.EyeR.X-a.EyeL.X, a.EyeR.Y-a.EyeL.Y); span < 4 {
		return w / 2, h / 2, w / 8
	}
	return (a.EyeL.X + a.EyeR.X) / 2, (a.EyeL.Y+a.EyeR.Y)/2 + span/2, span
}

// flicker is the light of a row: a lamp on the mains, averaged over the exposure,
// sampled row after row.
func (c *camera) flicker(y int, at time.Duration) float64 {
	if c.mains == 0 {
		return 1
	}
	x := math.Pi * c.mains * c.exposure
	damped := c.ripple * math.Abs(math.Sin(x)/x)
	t := at.Seconds() + c.readout*float64(y)/float64(c.h)
	return 1 + damped*math.Sin(2*math.Pi*(c.mains*t+c.phase))
}

// expose turns the picture into the sensor's numbers, with noise, and these into
// three linear colours a pixel.
func (c *camera) expose(p *picture, at time.Duration) {
	noisy := c.electrons > 0
	for y := range c.h {
		row := int32(c.flicker(y, at) * 4096)
		pix := p.pix[4*y*c.w : 4*(y+1)*c.w]
		out := c.lin[3*y*c.w : 3*(y+1)*c.w]
		o := int(c.r.next() & 4095)
		for x := range c.w {
			g := row
			if c.shade != nil {
				g = row * int32(c.shade[y*c.w+x]) >> 12
			}
			for k := range 3 {
				if c.mosaic && k != bayer(x, y) {
					continue
				}
				v := int32(int64(c.toLin[k][pix[4*x+k]]) * int64(g) >> 12)
				if noisy {
					i := min(v, linWhite) >> sigmaShift
					v += c.sigma[i]*int32(c.noise[(o+3*x+k)&4095])/24 + c.columns[x]
				}
				out[3*x+k] = min(max(v, 0), linWhite) // a full pixel holds no more
			}
		}
	}
	for _, i := range c.hotAt {
		for k := range 3 {
			c.lin[3*i+k] = linWhite
		}
	}
	if c.mosaic {
		c.demosaic()
	}
}

// bayer is the colour of a pixel: RGGB.
func bayer(x, y int) int { return x&1 + y&1 }

// demosaic fills in the two colours that a pixel lacks from its neighbours, bilinearly.
func (c *camera) demosaic() {
	w, h := c.w, c.h
	at := func(x, y, k int) int32 {
		// Mirrored at the edge, so that the pattern goes on.
		x, y = max(x, -x), max(y, -y)
		if x >= w {
			x = 2*w - 2 - x
		}
		if y >= h {
			y = 2*h - 2 - y
		}
		return c.lin[3*(y*w+x)+k]
	}
	for y := range h {
		inner := y > 0 && y < h-1
		for x := range w {
			o, up := 3*(y*w+x), 3*w
			own := bayer(x, y)
			if !inner || x == 0 || x == w-1 {
				for k := range 3 {
					if k != own {
						c.lin[o+k] = c.edge(at, x, y, k)
					}
				}
				continue
			}
			l := c.lin
			if own == 1 { // green: red beside and blue above, or the other way round
				side, over := 0, 2
				if y&1 == 1 {
					side, over = 2, 0
				}
				l[o+side] = (l[o-3+side] + l[o+3+side]) >> 1
				l[o+over] = (l[o-up+over] + l[o+up+over]) >> 1
				continue
			}
			l[o+1] = (l[o-3+1] + l[o+3+1] + l[o-up+1] + l[o+up+1]) >> 2
			k := 2 - own
			l[o+k] = (l[o-up-3+k] + l[o-up+3+k] + l[o+up-3+k] + l[o+up+3+k]) >> 2
		}
	}
}

// edge is the mean of the neighbours that have a colour, at the picture's edge.
func (c *camera) edge(at func(x, y, k int) int32, x, y, k int) int32 {
	sum, n := int32(0), int32(0)
	for dy := -1; dy <= 1; dy++ {
		for dx := -1; dx <= 1; dx++ {
			if bayer((x+dx)&1, (y+dy)&1) == k {
				sum += at(x+dx, y+dy, k)
				n++
			}
		}
	}
	return sum / max(n, 1)
}

// reflect lays the reflection of a window or a screen on glasses.
func (c *camera) reflect(p *picture, face Anchor) {
	_, _, span := face.middle(float64(p.w), float64(p.h))
	for _, eye := range []Point{face.EyeL, face.EyeR} {
		cx, cy := eye.X+.12*span, eye.Y-.06*span
		r := .2 * span
		for y := int(cy - r); y <= int(cy+r); y++ {
			for x := int(cx - r); x <= int(cx+r); x++ {
				if x < 0 || y < 0 || x >= p.w || y >= p.h {
					continue
				}
				d := max(math.Abs(float64(x)-cx)/r, math.Abs(float64(y)-cy)/(.7*r))
				if a := c.glare * min(max((1-d)*4, 0), 1); a > 0 {
					p.over(x, y, rgb{235, 240, 250}, a)
				}
			}
		}
	}
}

// lensMap is where each pixel of a picture comes from under a radial distortion;
// the picture is drawn larger so that no corner is empty.
func lensMap(w, h int, k1 float64) (xs, ys []int32) {
	xs, ys = make([]int32, w*h), make([]int32, w*h)
	mx, my := float64(w-1)/2, float64(h-1)/2
	far := math.Hypot(mx, my)
	fit := 1.
	if k1 > 0 {
		fit = 1 / (1 + k1)
	}
	for y := range h {
		for x := range w {
			u, v := float64(x)-mx, float64(y)-my
			r := math.Hypot(u, v) / far
			s := (1 + k1*r*r) * fit
			xs[y*w+x] = int32(min(max(mx+u*s, 0), float64(w-2)) * 4096)
			ys[y*w+x] = int32(min(max(my+v*s, 0), float64(h-2)) * 4096)
		}
	}
	return xs, ys
}

// remap draws p from q by a map, bilinearly.
func (p *picture) remap(q *picture, xs, ys []int32) {
	p.reset(q.w, q.h)
	for i := range xs {
		x, y := int(xs[i]), int(ys[i])
		at, fx, fy := 4*((y>>12)*q.w+x>>12), x&4095, y&4095
		top, bottom := q.pix[at:at+8], q.pix[at+4*q.w:at+4*q.w+8]
		for k := range 3 {
			a := int(top[k])<<12 + (int(top[k+4])-int(top[k]))*fx
			b := int(bottom[k])<<12 + (int(bottom[k+4])-int(bottom[k]))*fx
			p.pix[4*i+k] = byte((a<<12 + (b-a)*fy + 1<<23) >> 24)
		}
		p.pix[4*i+3] = 255
	}
}

// shrunk draws p as q, w x h pixels, each the mean of what it covers.
func (p *picture) shrunk(q *picture, w, h int) {
	p.reset(w, h)
	for y := range h {
		y0, y1 := y*q.h/h, max((y+1)*q.h/h, y*q.h/h+1)
		for x := range w {
			x0, x1 := x*q.w/w, max((x+1)*q.w/w, x*q.w/w+1)
			var sum [3]int
			for v := y0; v < y1; v++ {
				for u := x0; u < x1; u++ {
					o := 4 * (v*q.w + u)
					sum[0] += int(q.pix[o])
					sum[1] += int(q.pix[o+1])
					sum[2] += int(q.pix[o+2])
				}
			}
			n, o := (y1-y0)*(x1-x0), 4*(y*w+x)
			p.pix[o], p.pix[o+1], p.pix[o+2], p.pix[o+3] = byte(sum[0]/n), byte(sum[1]/n), byte(sum[2]/n), 255
		}
	}
}
