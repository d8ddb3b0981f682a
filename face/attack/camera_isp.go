package attack

import "math"

// develop turns the sensor's numbers into a picture: white balance, tone, local
// tone mapping.
func (c *camera) develop(p *picture) {
	p.reset(c.w, c.h)
	var wb [3]int64
	for k := range wb {
		wb[k] = int64(c.wb[k] * 4096)
	}
	for i := range c.w * c.h {
		o := 3 * i
		for k := range 3 {
			v := int64(c.lin[o+k]) * wb[k] >> 12
			p.pix[4*i+k] = c.curve[min(v, linWhite)>>curveShift]
		}
		p.pix[4*i+3] = 255
	}
	if c.local > 0 {
		c.brighten(p)
	}
}

// tiles of the local tone mapping.
const (
	tilesAcross = 16
	tilesDown   = 12
)

// brighten is a local tone mapping: every region is moved towards the same
// brightness, as in pictures against the light.
func (c *camera) brighten(p *picture) {
	var gain [tilesDown + 1][tilesAcross + 1]float64
	mean := max(p.mean().luma(), 1)
	for r := range gain {
		for k := range gain[r] {
			cx, cy := k*p.w/tilesAcross, r*p.h/tilesDown
			sum, n := 0., 0.
			for y := max(cy-p.h/tilesDown, 0); y < min(cy+p.h/tilesDown, p.h); y += 8 {
				for x := max(cx-p.w/tilesAcross, 0); x < min(cx+p.w/tilesAcross, p.w); x += 8 {
					o := 4 * (y*p.w + x)
					sum += rgb{float64(p.pix[o]), float64(p.pix[o+1]), float64(p.pix[o+2])}.luma()
					n++
				}
			}
			gain[r][k] = min(max(math.Pow(mean/max(sum/max(n, 1), 4), c.local), .4), 3)
		}
	}
	for y := range p.h {
		v := float64(y) * tilesDown / float64(p.h)
		r := int(v)
		fy := v - float64(r)
		for k := range tilesAcross {
			a := gain[r][k]*(1-fy) + gain[r+1][k]*fy
			b := gain[r][k+1]*(1-fy) + gain[r+1][k+1]*fy
			x0, x1 := k*p.w/tilesAcross, (k+1)*p.w/tilesAcross
			g, step := int(a*65536), int((b-a)*65536)/(x1-x0)
			for x := x0; x < x1; x++ {
				o := 4 * (y*p.w + x)
				for j := range 3 {
					p.pix[o+j] = byte(min(int(p.pix[o+j])*g>>16, 255))
				}
				g += step
			}
		}
	}
}

// unsharp adds amount of what a pixel has over its neighbours.
func (p *picture) unsharp(amount float64, scratch *picture) {
	scratch.copyFrom(p)
	q, up := scratch.pix, 4*p.w
	a := int(amount * 64)
	for y := 1; y < p.h-1; y++ {
		for o := y*up + 4; o < (y+1)*up-4; o++ {
			v := int(q[o])
			p.pix[o] = byte(min(max(v+(4*v-int(q[o-4])-int(q[o+4])-int(q[o-up])-int(q[o+up]))*a>>8, 0), 255))
		}
	}
}

// denoise filters in space, then over time, and sharpens what is left.
func (c *camera) denoise(p *picture) {
	for range c.passes {
		p.sigmaFilter(c.smooth, &c.scratch)
	}
	if c.temporal > 0 {
		c.recursive(p)
	}
	if c.sharpen > 0 {
		p.unsharp(c.sharpen, &c.scratch)
	}
}

// sigmaFilter averages a pixel with those of its neighbours that differ by less
// than a limit (Lee 1983): surfaces become smooth, edges stay.
func (p *picture) sigmaFilter(limit int, scratch *picture) {
	scratch.copyFrom(p)
	q, up := scratch.pix, 4*p.w
	near := [8]int{-up - 4, -up, -up + 4, -4, 4, up - 4, up, up + 4}
	for y := 1; y < p.h-1; y++ {
		for o := y*up + 4; o < (y+1)*up-4; o++ {
			v := int(q[o])
			sum := 0
			for _, d := range near {
				if e := int(q[o+d]) - v; e <= limit && -e <= limit {
					sum += e
				}
			}
			p.pix[o] = byte(v + sum/9)
		}
	}
}

// recursive is the temporal filter of camera processors: each pixel keeps a share
// of its past, less the more it changes, so that what moves does not smear.
// Changes below coring count as noise and are dropped: there the picture stands
// still, exactly.
func (c *camera) recursive(p *picture) {
	n := len(p.pix)
	if len(c.past) != n {
		c.past = make([]int16, n)
		for i, v := range p.pix {
			c.past[i] = int16(v) << 4
		}
		return
	}
	var keep [4096]int16 // share of the new, of 256, by the change in sixteenths
	for i := range keep {
		moving := min(float64(i)/16/temporalMoving, 1)
		keep[i] = int16(256 * (1 - c.temporal*(1-moving)))
		if i < c.coring {
			keep[i] = 0
		}
	}
	for i, v := range p.pix {
		d := int(v)<<4 - int(c.past[i])
		s := int(c.past[i]) + (d*int(keep[min(max(d, -d), 4095)])+128)>>8
		c.past[i] = int16(s)
		p.pix[i] = byte(min((s+8)>>4, 255))
	}
}

// temporalMoving is the change, in levels, from which a pixel is taken to move.
const temporalMoving = 24

// send is the stream between the camera and the browser: blocks that hardly changed are not sent
// again, the others are coded coarsely.
func (c *camera) send(p *picture) error {
	if c.block == 0 {
		return nil
	}
	c.shot.copyFrom(p)
	if err := c.shot.encode(&c.coded, c.block); err != nil {
		return err
	}
	if err := c.shot.decode(c.coded.Bytes()); err != nil {
		return err
	}
	whole := c.skip == 0 || c.sent.w != p.w || (c.refresh > 0 && c.frames%c.refresh == 0)
	if whole {
		c.sent.copyFrom(&c.shot)
	} else {
		c.replenish(p)
	}
	p.copyFrom(&c.sent)
	return nil
}

// replenish copies the macroblocks that changed.
func (c *camera) replenish(p *picture) {
	const side = 16
	for y0 := 0; y0 < p.h; y0 += side {
		for x0 := 0; x0 < p.w; x0 += side {
			w := 4 * min(side, p.w-x0)
			sum, n := 0, 0
			for y := y0; y < min(y0+side, p.h); y++ {
				o := 4 * (y*p.w + x0)
				for i := 1; i < w; i += 4 { // green
					d := int(c.shot.pix[o+i]) - int(c.sent.pix[o+i])
					sum += max(d, -d)
					n++
				}
			}
			if sum < c.skip*n {
				continue
			}
			for y := y0; y < min(y0+side, p.h); y++ {
				o := 4 * (y*p.w + x0)
				copy(c.sent.pix[o:o+w], c.shot.pix[o:o+w])
			}
		}
	}
}
