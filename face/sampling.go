package face

import "encoding/binary"

// tensorFormat says how pixels enter a network.
type tensorFormat struct {
	bgr         bool
	mean, scale float32
}

// one is 1 in 16.16 fixed point, in which pixels are sampled and converted.
const one = 1 << 16

// quarter is a quarter of a level: as finely are samples rounded before they are
// converted.
const quarter = one / 4

// A pixel's red, green and blue are computed in one number, each in 21 bits: of
// those the upper 12 count quarters of a level from 256 levels below black, the
// lower 9 are of the weights of the conversion (ITU-T T.871, JFIF, §7).
const (
	greenAt, blueAt = 21, 42
	perLuma         = 512 | 512<<greenAt | 512<<blueAt
	perBlue         = 907<<blueAt - 176<<greenAt // 1.772, -0.344136
	perRed          = 718 - 366<<greenAt         // 1.402, -0.714136
	offset          = 1024*perLuma - 512*(perBlue+perRed) + 256*(1|1<<greenAt|1<<blueAt)
)

// numberTable holds a network's numbers for quarters of a level from 256 levels
// below black on; what is below black or beyond white is as those are.
type numberTable struct {
	format tensorFormat
	number [4096]float32
}

// numbers returns the format's table, made on first use.
func (p *picture) numbers(f tensorFormat) *numberTable {
	for _, t := range p.tables {
		if t.format == f {
			return t
		}
	}
	t := &numberTable{format: f}
	for i := range t.number {
		level := min(max(float32(i)/4-256, 0), 255)
		t.number[i] = (level - f.mean) * f.scale
	}
	p.tables = append(p.tables, t)
	return t
}

// widest is the greatest width of a network's input, see validatePassive.
const widest = 512

// pixelRow is a row of pixels on their way into a network, see perLuma. It is no
// local variable: a stack that grows leaves a copy behind.
type pixelRow [widest]int

// put writes n pixels to the planes of dst, size numbers each, from place o on.
func (s *pixelRow) put(dst []float32, size, o, n int, t *numberTable) {
	r, g, b := dst[o:o+n], dst[size+o:size+o+n], dst[2*size+o:2*size+o+n]
	if t.format.bgr {
		r, b = b, r
	}
	number := &t.number
	for i, v := range s[:n] {
		r[i] = number[v>>9&4095]
		g[i] = number[v>>(greenAt+9)&4095]
		b[i] = number[v>>(blueAt+9)&4095]
	}
}

// warp samples w x h pixels through m, bilinearly, into three planes of dst.
// Points outside the picture take the nearest edge pixel.
func (p *picture) warp(dst []float32, w, h int, m affine, f tensorFormat) {
	row, t := &p.row, p.numbers(f)
	csx, csy := float32(1)/float32(int(1)<<p.sx), float32(1)/float32(int(1)<<p.sy)
	luma := line{dx: int(m.a * one), dy: int(m.c * one)}
	chroma := line{dx: int(m.a * csx * one), dy: int(m.c * csy * one)}
	for y := range h {
		sx, sy := m.apply(0, float32(y))
		luma.x, luma.y = int(sx*one), int(sy*one)
		chroma.x, chroma.y = int(((sx+.5)*csx-.5)*one), int(((sy+.5)*csy-.5)*one)
		if luma.inside(w, p.w, p.h) && chroma.inside(w, p.cw, p.ch) {
			luma.luma(row[:w], p.y, p.w)
			chroma.chroma(row[:w], p.cb, p.cr, p.cw)
		} else {
			p.edge(row[:w], luma, chroma)
		}
		row.put(dst, w*h, y*w, w, t)
	}
}

// line is a row of points: where it begins and its step, in 16.16 fixed point.
type line struct{ x, y, dx, dy int }

// inside says whether n points and their neighbours all lie in a w x h plane.
func (l line) inside(n, w, h int) bool {
	in := func(x, y int) bool { return uint(x>>16) < uint(w-1) && uint(y>>16) < uint(h-1) }
	return in(l.x, l.y) && in(l.x+(n-1)*l.dx, l.y+(n-1)*l.dy)
}

// luma begins pixels with the samples of a plane, w wide, at the line's points.
func (l line) luma(row []int, plane []byte, w int) {
	x, y := l.x, l.y
	for i := range row {
		o := (y>>16)*w + x>>16
		v := mix(int(plane[o]), int(plane[o+1]), int(plane[o+w]), int(plane[o+w+1]), x&0xffff>>8, y&0xffff>>8)
		row[i] = (v+quarter/2)>>14*perLuma + offset
		x, y = x+l.dx, y+l.dy
	}
}

// chroma adds the samples of the other planes.
func (l line) chroma(row []int, cb, cr []byte, w int) {
	x, y := l.x, l.y
	cr = cr[:len(cb)]
	for i := range row {
		o, fx, fy := (y>>16)*w+x>>16, x&0xffff>>8, y&0xffff>>8
		blue := mix(int(cb[o]), int(cb[o+1]), int(cb[o+w]), int(cb[o+w+1]), fx, fy)
		red := mix(int(cr[o]), int(cr[o+1]), int(cr[o+w]), int(cr[o+w+1]), fx, fy)
		row[i] += (blue+quarter/2)>>14*perBlue + (red+quarter/2)>>14*perRed
		x, y = x+l.dx, y+l.dy
	}
}

// edge is a row of a warp whose points do not all lie inside.
func (p *picture) edge(row []int, l, c line) {
	for i := range row {
		v := bilinear(p.y, p.w, p.h, l.x+i*l.dx, l.y+i*l.dy)
		blue := bilinear(p.cb, p.cw, p.ch, c.x+i*c.dx, c.y+i*c.dy)
		red := bilinear(p.cr, p.cw, p.ch, c.x+i*c.dx, c.y+i*c.dy)
		row[i] = (v+quarter/2)>>14*perLuma + (blue+quarter/2)>>14*perBlue + (red+quarter/2)>>14*perRed + offset
	}
}

// mix weighs the samples a, b above c, d with the shares of the right and of the
// lower ones, in 256ths. The result is 16.16.
func mix(a, b, c, d, fx, fy int) int {
	top, bottom := a<<8+(b-a)*fx, c<<8+(d-c)*fx
	return top<<8 + (bottom-top)*fy
}

// bilinear returns the sample at (x, y), both 16.16 fixed point, as 16.16; outside
// the plane that of the nearest edge.
func bilinear(plane []byte, w, h, x, y int) int {
	ix, iy := x>>16, y>>16
	x0, x1 := min(max(ix, 0), w-1), min(max(ix+1, 0), w-1)
	y0, y1 := w*min(max(iy, 0), h-1), w*min(max(iy+1, 0), h-1)
	return mix(int(plane[y0+x0]), int(plane[y0+x1]), int(plane[y1+x0]), int(plane[y1+x1]), x&0xffff>>8, y&0xffff>>8)
}

// shrink writes the picture, reduced by an integer factor with box averages, to
// three planes of a dstW x dstH tensor; what the picture does not cover is 0. The
// factor is at least 2.
func (p *picture) shrink(dst []float32, dstW, dstH, factor int, f tensorFormat) {
	w, h := min(p.w/factor, dstW), min(p.h/factor, dstH)
	if w < dstW || h < dstH {
		clear(dst[:3*dstW*dstH])
	}
	row, t := &p.row, p.numbers(f)
	for y := range h {
		if factor == 2 { // camera frames
			boxesOfTwo(row[:w], p.y[2*y*p.w:], p.y[(2*y+1)*p.w:])
		} else {
			p.boxes(row[:w], y, factor)
		}
		o := ((y*factor + factor/2) >> p.sy) * p.cw
		cb, cr := p.cb[o:o+p.cw], p.cr[o:o+p.cw]
		c, step := factor/2*one>>p.sx, factor*one>>p.sx
		for x := range row[:w] {
			row[x] += int(cb[c>>16])*(4*perBlue) + int(cr[c>>16])*(4*perRed)
			c += step
		}
		row.put(dst, dstW*dstH, y*dstW, w, t)
	}
}

// boxesOfTwo begins pixels with boxes of two samples by two, four at a time: the
// sum of a box counts quarters of a level.
func boxesOfTwo(row []int, top, bottom []byte) {
	const even, last = 0xff00ff00ff00ff, 0xffff
	top, bottom = top[:2*len(row)], bottom[:2*len(row)]
	for len(row) >= 4 {
		a, b := binary.LittleEndian.Uint64(top), binary.LittleEndian.Uint64(bottom)
		v := a&even + a>>8&even + b&even + b>>8&even
		row[0], row[1] = int(v&last)*perLuma+offset, int(v>>16&last)*perLuma+offset
		row[2], row[3] = int(v>>32&last)*perLuma+offset, int(v>>48)*perLuma+offset
		row, top, bottom = row[4:], top[8:], bottom[8:]
	}
	for i := range row {
		sum := int(top[2*i]) + int(top[2*i+1]) + int(bottom[2*i]) + int(bottom[2*i+1])
		row[i] = sum*perLuma + offset
	}
}

// boxes begins pixels with row y of boxes of k samples by k.
func (p *picture) boxes(row []int, y, k int) {
	for i := range row {
		sum := 0
		for v := range k {
			for _, s := range p.y[(y*k+v)*p.w+i*k:][:k] {
				sum += int(s)
			}
		}
		row[i] = (4*sum/(k*k))*perLuma + offset
	}
}
