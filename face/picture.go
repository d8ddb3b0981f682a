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

// warp samples w x h pixels through m, bilinearly, into three planes of dst.
// Points outside the picture take the nearest edge pixel.
func (p *picture) warp(dst []float32, w, h int, m affine, f tensorFormat) {
	n := w * h
	r, g, b := dst[:n], dst[n:2*n], dst[2*n:3*n]
	if f.bgr {
		r, b = b, r
	}
	const one = 1 << 16
	csx, csy := float32(1)/float32(int(1)<<p.sx), float32(1)/float32(int(1)<<p.sy)
	dx, dy := int(m.a*one), int(m.c*one)
	cdx, cdy := int(m.a*csx*one), int(m.c*csy*one)
	k := f.scale / one
	for y := range h {
		sx, sy := m.apply(0, float32(y))
		x0, y0 := int(sx*one), int(sy*one)
		cx0, cy0 := int(((sx+.5)*csx-.5)*one), int(((sy+.5)*csy-.5)*one)
		row := y * w
		for x := range w {
			luma := float32(bilinear(p.y, p.w, p.h, x0, y0))
			cb := float32(bilinear(p.cb, p.cw, p.ch, cx0, cy0) - 128*one)
			cr := float32(bilinear(p.cr, p.cw, p.ch, cx0, cy0) - 128*one)
			i := row + x
			// ITU-T T.871 (JFIF) §7.
			r[i] = (clampFixed(luma+1.402*cr))*k - f.mean*f.scale
			g[i] = (clampFixed(luma-.344136*cb-.714136*cr))*k - f.mean*f.scale
			b[i] = (clampFixed(luma+1.772*cb))*k - f.mean*f.scale
			x0, y0, cx0, cy0 = x0+dx, y0+dy, cx0+cdx, cy0+cdy
		}
	}
}

func clampFixed(v float32) float32 { return min(max(v, 0), 255*65536) }

// bilinear returns the sample at (x, y), both 16.16 fixed point, as 16.16.
func bilinear(plane []byte, w, h, x, y int) int {
	ix, iy := x>>16, y>>16
	fx, fy := (x>>8)&0xff, (y>>8)&0xff
	if uint(ix) >= uint(w-1) || uint(iy) >= uint(h-1) {
		return bilinearEdge(plane, w, h, ix, iy, fx, fy)
	}
	o := iy*w + ix
	top := int(plane[o])*(256-fx) + int(plane[o+1])*fx
	bottom := int(plane[o+w])*(256-fx) + int(plane[o+w+1])*fx
	return top*(256-fy) + bottom*fy
}

func bilinearEdge(plane []byte, w, h, ix, iy, fx, fy int) int {
	x1, y1 := min(max(ix+1, 0), w-1), min(max(iy+1, 0), h-1)
	ix, iy = min(max(ix, 0), w-1), min(max(iy, 0), h-1)
	top := int(plane[iy*w+ix])*(256-fx) + int(plane[iy*w+x1])*fx
	bottom := int(plane[y1*w+ix])*(256-fx) + int(plane[y1*w+x1])*fx
	return top*(256-fy) + bottom*fy
}

// shrink writes the picture, reduced by an integer factor with box averages, to
// three planes of a dstW x dstH tensor; what the picture does not cover is 0.
func (p *picture) shrink(dst []float32, dstW, dstH, factor int, f tensorFormat) {
	n := dstW * dstH
	clear(dst[:3*n])
	r, g, b := dst[:n], dst[n:2*n], dst[2*n:3*n]
	if f.bgr {
		r, b = b, r
	}
	w, h := min(p.w/factor, dstW), min(p.h/factor, dstH)
	norm := 1 / float32(factor*factor)
	for y := range h {
		for x := range w {
			luma := float32(p.boxLuma(x*factor, y*factor, factor)) * norm
			c := ((y*factor+factor/2)>>p.sy)*p.cw + (x*factor+factor/2)>>p.sx
			cb, cr := float32(int(p.cb[c])-128), float32(int(p.cr[c])-128)
			i := y*dstW + x
			r[i] = (clampByte(luma+1.402*cr) - f.mean) * f.scale
			g[i] = (clampByte(luma-.344136*cb-.714136*cr) - f.mean) * f.scale
			b[i] = (clampByte(luma+1.772*cb) - f.mean) * f.scale
		}
	}
}

func clampByte(v float32) float32 { return min(max(v, 0), 255) }

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
