package face

import "math"

// picture is a decoded image in planes: luma at full size and chroma at its own
// resolution, as JPEG stores them. Its buffers are reused from frame to frame
// and wiped with the session. All pixels are foreign personal data.
type picture struct {
	w, h     int    // luma size in pixels
	y        []byte // w*h, stride w
	cw, ch   int    // chroma size
	cb, cr   []byte // cw*ch, stride cw
	sx, sy   uint   // chroma subsampling shifts: 1,1 is 4:2:0
	monoTone bool   // grey: cb and cr hold 128

	decoder baselineDecoder
}

// reset gives the planes their sizes, growing the buffers when needed. Old
// contents are not cleared: the caller overwrites every sample.
func (p *picture) reset(w, h int, sx, sy uint) {
	p.w, p.h, p.sx, p.sy = w, h, sx, sy
	p.cw, p.ch = (w+(1<<sx)-1)>>sx, (h+(1<<sy)-1)>>sy
	p.y = grow(p.y, w*h)
	p.cb = grow(p.cb, p.cw*p.ch)
	p.cr = grow(p.cr, p.cw*p.ch)
	p.monoTone = false
}

// grow returns a slice of n bytes. A buffer that is replaced is wiped first.
func grow(b []byte, n int) []byte {
	if cap(b) >= n {
		return b[:n]
	}
	clear(b[:cap(b)])
	return make([]byte, n)
}

// wipe overwrites every sample, including those beyond the present size.
func (p *picture) wipe() {
	clear(p.y[:cap(p.y)])
	clear(p.cb[:cap(p.cb)])
	clear(p.cr[:cap(p.cr)])
	p.w, p.h = 0, 0
}

// affine maps a destination pixel (x, y) to the source point
// (a*x + b*y + tx, c*x + d*y + ty), both measured at pixel centres.
type affine struct{ a, b, tx, c, d, ty float32 }

func (m affine) apply(x, y float32) (float32, float32) {
	return m.a*x + m.b*y + m.tx, m.c*x + m.d*y + m.ty
}

// tensorFormat says how pixels enter a network.
type tensorFormat struct {
	bgr         bool
	mean, scale float32
}

// one is 1 in 16.16 fixed point, in which pixels are sampled and converted.
const one = 1 << 16

// planes are the three planes of a tensor, red first, with the scale that makes
// their numbers of 16.16 fixed point.
type planes struct {
	r, g, b     []float32
	scale, bias float32
}

func planesOf(dst []float32, n int, f tensorFormat) planes {
	t := planes{r: dst[:n:n], g: dst[n : 2*n : 2*n], b: dst[2*n : 3*n : 3*n], scale: f.scale / one, bias: -f.mean * f.scale}
	if f.bgr {
		t.r, t.b = t.b, t.r
	}
	return t
}

// row is the planes' part from i on, n numbers long.
func (t planes) row(i, n int) planes {
	t.r, t.g, t.b = t.r[i:i+n:i+n], t.g[i:i+n:i+n], t.b[i:i+n:i+n]
	return t
}

// number is a tensor's number of a sample.
func (t *planes) number(v int) float32 {
	if uint(v) > 255*one {
		v = 255 * one &^ (v >> 63)
	}
	return float32(v)*t.scale + t.bias
}

// Weights of the conversion to RGB (ITU-T T.871, JFIF, §7), in 65536ths.
const (
	redOfCr, greenOfCb, greenOfCr, blueOfCb = 91881, 22554, 46802, 116130
)

// warp samples w x h pixels through m, bilinearly, into three planes of dst.
// Points outside the picture take the nearest edge pixel.
func (p *picture) warp(dst []float32, w, h int, m affine, f tensorFormat) {
	t := planesOf(dst, w*h, f)
	csx, csy := float32(1)/float32(int(1)<<p.sx), float32(1)/float32(int(1)<<p.sy)
	luma := line{dx: int(m.a * one), dy: int(m.c * one)}
	chroma := line{dx: int(m.a * csx * one), dy: int(m.c * csy * one)}
	for y := range h {
		sx, sy := m.apply(0, float32(y))
		luma.x, luma.y = int(sx*one), int(sy*one)
		chroma.x, chroma.y = int(((sx+.5)*csx-.5)*one), int(((sy+.5)*csy-.5)*one)
		row := t.row(y*w, w)
		if luma.inside(w, p.w, p.h) && chroma.inside(w, p.cw, p.ch) {
			p.warpInside(row, luma, chroma)
		} else {
			p.warpEdge(row, luma, chroma)
		}
	}
}

// line is a row of samples: where it begins and its step, in 16.16 fixed point.
type line struct{ x, y, dx, dy int }

// inside says whether n samples and their neighbours all lie in a w x h plane.
func (l line) inside(n, w, h int) bool {
	in := func(x, y int) bool { return uint(x>>16) < uint(w-1) && uint(y>>16) < uint(h-1) }
	return in(l.x, l.y) && in(l.x+(n-1)*l.dx, l.y+(n-1)*l.dy)
}

// warpInside is the row of a warp that needs no look at the edges.
func (p *picture) warpInside(t planes, l, c line) {
	for i := range t.r {
		o, fx, fy := (l.y>>16)*p.w+l.x>>16, (l.x>>8)&0xff, (l.y>>8)&0xff
		luma := mix(p.y[o:], p.y[o+p.w:], fx, fy)
		o, fx, fy = (c.y>>16)*p.cw+c.x>>16, (c.x>>8)&0xff, (c.y>>8)&0xff
		cb := mix(p.cb[o:], p.cb[o+p.cw:], fx, fy)
		cr := mix(p.cr[o:], p.cr[o+p.cw:], fx, fy)
		cb, cr = cb-128*one, cr-128*one
		t.r[i] = t.number(luma + (redOfCr*cr)>>16)
		t.g[i] = t.number(luma - (greenOfCb*cb+greenOfCr*cr)>>16)
		t.b[i] = t.number(luma + (blueOfCb*cb)>>16)
		l.x, l.y, c.x, c.y = l.x+l.dx, l.y+l.dy, c.x+c.dx, c.y+c.dy
	}
}

// mix weighs the first two samples of two rows, in 256ths; the result is 16.16.
func mix(top, bottom []byte, fx, fy int) int {
	a := int(top[0])<<8 + (int(top[1])-int(top[0]))*fx
	b := int(bottom[0])<<8 + (int(bottom[1])-int(bottom[0]))*fx
	return a<<8 + (b-a)*fy
}

func (p *picture) warpEdge(t planes, l, c line) {
	for i := range t.r {
		luma := bilinear(p.y, p.w, p.h, l.x, l.y)
		cb := bilinear(p.cb, p.cw, p.ch, c.x, c.y) - 128*one
		cr := bilinear(p.cr, p.cw, p.ch, c.x, c.y) - 128*one
		t.r[i] = t.number(luma + (redOfCr*cr)>>16)
		t.g[i] = t.number(luma - (greenOfCb*cb+greenOfCr*cr)>>16)
		t.b[i] = t.number(luma + (blueOfCb*cb)>>16)
		l.x, l.y, c.x, c.y = l.x+l.dx, l.y+l.dy, c.x+c.dx, c.y+c.dy
	}
}

// bilinear returns the sample at (x, y), both 16.16 fixed point, as 16.16.
func bilinear(plane []byte, w, h, x, y int) int {
	ix, iy := x>>16, y>>16
	fx, fy := (x>>8)&0xff, (y>>8)&0xff
	if uint(ix) >= uint(w-1) || uint(iy) >= uint(h-1) {
		return bilinearEdge(plane, w, h, ix, iy, fx, fy)
	}
	o := iy*w + ix
	return mix(plane[o:], plane[o+w:], fx, fy)
}

func bilinearEdge(plane []byte, w, h, ix, iy, fx, fy int) int {
	x1, y1 := min(max(ix+1, 0), w-1), min(max(iy+1, 0), h-1)
	ix, iy = min(max(ix, 0), w-1), min(max(iy, 0), h-1)
	top := int(plane[iy*w+ix])*(256-fx) + int(plane[iy*w+x1])*fx
	bottom := int(plane[y1*w+ix])*(256-fx) + int(plane[y1*w+x1])*fx
	return top*(256-fy) + bottom*fy
}

// shrink writes the picture, reduced by an integer factor with box averages, to
// three planes of a dstW x dstH tensor; what the picture does not cover is 0. The
// factor is at least 2.
func (p *picture) shrink(dst []float32, dstW, dstH, factor int, f tensorFormat) {
	w, h := min(p.w/factor, dstW), min(p.h/factor, dstH)
	if w < dstW || h < dstH {
		clear(dst[:3*dstW*dstH])
	}
	t := planesOf(dst, dstW*dstH, f)
	weight := one / (factor * factor)
	for y := range h {
		row := t.row(y*dstW, w)
		o := ((y*factor + factor/2) >> p.sy) * p.cw
		cbs, crs := p.cb[o:o+p.cw], p.cr[o:o+p.cw]
		top, bottom := p.y[2*y*p.w:], p.y[(2*y+1)*p.w:] // of a factor of 2
		for x := range row.r {
			sum := 0
			if factor == 2 { // camera frames
				sum = int(top[2*x]) + int(top[2*x+1]) + int(bottom[2*x]) + int(bottom[2*x+1])
			} else {
				sum = p.boxLuma(x*factor, y*factor, factor)
			}
			luma, c := sum*weight, (x*factor+factor/2)>>p.sx
			cb, cr := int(cbs[c])-128, int(crs[c])-128
			row.r[x] = row.number(luma + redOfCr*cr)
			row.g[x] = row.number(luma - greenOfCb*cb - greenOfCr*cr)
			row.b[x] = row.number(luma + blueOfCb*cb)
		}
	}
}

// boxLuma is the sum of k x k samples.
func (p *picture) boxLuma(x, y, k int) int {
	sum := 0
	o := y*p.w + x
	for range k {
		for _, v := range p.y[o : o+k] {
			sum += int(v)
		}
		o += p.w
	}
	return sum
}

// similarity is a rotation, uniform scale and shift, found by least squares
// (Umeyama 1991, without reflection) so that it maps from[i] near to[i].
func similarity(from, to []point2) affine {
	var fm, tm point2
	n := float32(len(from))
	for i := range from {
		fm.x, fm.y = fm.x+from[i].x/n, fm.y+from[i].y/n
		tm.x, tm.y = tm.x+to[i].x/n, tm.y+to[i].y/n
	}
	var a, b, norm float32
	for i := range from {
		fx, fy := from[i].x-fm.x, from[i].y-fm.y
		tx, ty := to[i].x-tm.x, to[i].y-tm.y
		a += fx*tx + fy*ty
		b += fx*ty - fy*tx
		norm += fx*fx + fy*fy
	}
	if norm < 1e-6 {
		return affine{a: 1, d: 1}
	}
	a, b = a/norm, b/norm
	return affine{a: a, b: -b, tx: tm.x - a*fm.x + b*fm.y, c: b, d: a, ty: tm.y - b*fm.x - a*fm.y}
}

// cropAffine maps an n x n crop to the square of the given centre, side and
// rotation (radians, clockwise in the image); mirrored flips it left to right.
func cropAffine(cx, cy, side, angle float32, n int, mirrored bool) affine {
	s := side / float32(n)
	sin, cos := math.Sincos(float64(angle))
	ca, sa := float32(cos)*s, float32(sin)*s
	m := affine{a: ca, b: -sa, c: sa, d: ca}
	if mirrored {
		m.a, m.c = -m.a, -m.c
	}
	half := float32(n-1) / 2
	m.tx = cx - m.a*half - m.b*half
	m.ty = cy - m.c*half - m.d*half
	return m
}

type point2 struct{ x, y float32 }

type point3 struct{ x, y, z float32 }

func (p point3) sub(q point3) point3 { return point3{p.x - q.x, p.y - q.y, p.z - q.z} }

func (p point3) dot(q point3) float32 { return p.x*q.x + p.y*q.y + p.z*q.z }

func (p point3) cross(q point3) point3 {
	return point3{p.y*q.z - p.z*q.y, p.z*q.x - p.x*q.z, p.x*q.y - p.y*q.x}
}

func (p point3) norm() float32 { return float32(math.Sqrt(float64(p.dot(p)))) }

func (p point3) unit() point3 {
	n := p.norm()
	if n < 1e-9 {
		return point3{}
	}
	return point3{p.x / n, p.y / n, p.z / n}
}

func distance(p, q point3) float32 { return p.sub(q).norm() }
