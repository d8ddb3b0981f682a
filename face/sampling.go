package face

import "ipse/face/internal/kernel"

// tensorFormat says how pixels enter a network.
type tensorFormat struct {
	bgr         bool
	mean, scale float32
}

// one is 1 in 16.16 fixed point, in which pixels are sampled.
const one = 1 << 16

// widest is the greatest width of a network's input, see validatePassive.
const widest = 512

// pixelRows is a row of pixels on their way into a network: luma, Cb and Cr in
// quarters of a level. It is no local variable: a stack that grows leaves a copy behind.
type pixelRows [3][widest]int16

// put writes n pixels to the planes of dst, size numbers each, from place o on.
func (s *pixelRows) put(dst []float32, size, o, n int, f tensorFormat) {
	r, g, b := dst[o:o+n], dst[size+o:size+o+n], dst[2*size+o:2*size+o+n]
	if f.bgr {
		r, b = b, r
	}
	kernel.Convert(r, g, b, s[0][:n], s[1][:n], s[2][:n], f.mean, f.scale)
}

// warp samples w x h pixels through m, bilinearly, into three planes of dst.
// Points outside the picture take the nearest edge pixel.
func (p *picture) warp(dst []float32, w, h int, m affine, f tensorFormat) {
	csx, csy := float32(1)/float32(int(1)<<p.sx), float32(1)/float32(int(1)<<p.sy)
	luma := kernel.Line{DX: int(m.a * one), DY: int(m.c * one)}
	chroma := kernel.Line{DX: int(m.a * csx * one), DY: int(m.c * csy * one)}
	for y := range h {
		sx, sy := m.apply(0, float32(y))
		luma.X, luma.Y = int(sx*one), int(sy*one)
		chroma.X, chroma.Y = int(((sx+.5)*csx-.5)*one), int(((sy+.5)*csy-.5)*one)
		sample(p.rows[0][:w], p.y, p.w, p.h, luma)
		sample(p.rows[1][:w], p.cb, p.cw, p.ch, chroma)
		sample(p.rows[2][:w], p.cr, p.cw, p.ch, chroma)
		p.rows.put(dst, w*h, y*w, w, f)
	}
}

// sample reads a w x h plane at a line's points; outside it, the nearest edge.
func sample(row []int16, plane []byte, w, h int, l kernel.Line) {
	inside := func(x, y int) bool { return uint(x>>16) < uint(w-1) && uint(y>>16) < uint(h-1) }
	if inside(l.X, l.Y) && inside(l.X+(len(row)-1)*l.DX, l.Y+(len(row)-1)*l.DY) {
		kernel.Sample(row, plane, w, l)
		return
	}
	for i := range row {
		row[i] = kernel.Round(bilinear(plane, w, h, l.X+i*l.DX, l.Y+i*l.DY))
	}
}

// bilinear returns the sample at (x, y), both 16.16 fixed point, as 16.16; outside
// the plane that of the nearest edge.
func bilinear(plane []byte, w, h, x, y int) int {
	ix, iy := x>>16, y>>16
	x0, x1 := min(max(ix, 0), w-1), min(max(ix+1, 0), w-1)
	y0, y1 := w*min(max(iy, 0), h-1), w*min(max(iy+1, 0), h-1)
	return kernel.Mix(plane[y0+x0], plane[y0+x1], plane[y1+x0], plane[y1+x1], x, y)
}

// shrink writes the picture, reduced by an integer factor with box averages, to
// three planes of a dstW x dstH tensor; what the picture does not cover is 0. The
// factor is at least 2.
func (p *picture) shrink(dst []float32, dstW, dstH, factor int, f tensorFormat) {
	w, h := min(p.w/factor, dstW), min(p.h/factor, dstH)
	for c := range 3 { // what is written below is not cleared first
		plane := dst[c*dstW*dstH : (c+1)*dstW*dstH]
		clear(plane[h*dstW:])
		for y := range h {
			clear(plane[y*dstW+w : (y+1)*dstW])
		}
	}
	for y := range h {
		if factor == 2 { // camera frames
			kernel.Halve(p.rows[0][:w], p.y[2*y*p.w:], p.y[(2*y+1)*p.w:])
		} else {
			p.boxes(p.rows[0][:w], y, factor)
		}
		o := ((y*factor + factor/2) >> p.sy) * p.cw
		p.every(p.rows[1][:w], p.cb[o:o+p.cw], factor)
		p.every(p.rows[2][:w], p.cr[o:o+p.cw], factor)
		p.rows.put(dst, dstW*dstH, y*dstW, w, f)
	}
}

// boxes reads row y of boxes of k samples by k.
func (p *picture) boxes(row []int16, y, k int) {
	for i := range row {
		sum := 0
		for v := range k {
			for _, s := range p.y[(y*k+v)*p.w+i*k:][:k] {
				sum += int(s)
			}
		}
		row[i] = int16(4 * sum / (k * k))
	}
}

// every reads a row of chroma in the middle of each k pixels.
func (p *picture) every(row []int16, plane []byte, k int) {
	if k == 1<<p.sx {
		kernel.Quarters(row, plane)
		return
	}
	c, step := k/2*one>>p.sx, k*one>>p.sx
	for x := range row {
		row[x] = int16(plane[c>>16]) * 4
		c += step
	}
}
