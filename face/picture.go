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
	rows    pixelRows
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

// grow returns a slice of n samples. Beyond its length a buffer holds zeros, so
// that whoever wipes clears what was used and no more: what falls beyond it now,
// or is replaced, is cleared.
func grow[T byte | float32](b []T, n int) []T {
	if cap(b) >= n {
		clear(b[min(n, len(b)):])
		return b[:n]
	}
	clear(b)
	return make([]T, n)
}

// wipe overwrites every sample.
func (p *picture) wipe() {
	for _, b := range []*[]byte{&p.y, &p.cb, &p.cr} {
		clear(*b)
		*b = (*b)[:0]
	}
	p.rows = pixelRows{}
	p.w, p.h, p.cw, p.ch = 0, 0, 0, 0
}

// reduce leaves the means of k x k samples, in place; k is at least 2 and at most
// the lesser side.
func (p *picture) reduce(k int) {
	w, h := p.w/k, p.h/k
	cw, ch := (w+(1<<p.sx)-1)>>p.sx, (h+(1<<p.sy)-1)>>p.sy
	p.y = means(p.y, p.w, p.h, w, h, k)
	p.cb, p.cr = means(p.cb, p.cw, p.ch, cw, ch, k), means(p.cr, p.cw, p.ch, cw, ch, k)
	p.w, p.h, p.cw, p.ch = w, h, cw, ch
}

// means writes w x h means of k x k samples of a plane over its beginning, which it
// returns, and clears the rest. What lies outside counts as the nearest edge.
func means(plane []byte, fromW, fromH, w, h, k int) []byte {
	for y := range h {
		for x := range w {
			sum := 0
			for v := range k {
				row := plane[min(y*k+v, fromH-1)*fromW:][:fromW]
				for u := range k {
					sum += int(row[min(x*k+u, fromW-1)])
				}
			}
			plane[y*w+x] = byte((sum + k*k/2) / (k * k))
		}
	}
	clear(plane[w*h:])
	return plane[:w*h]
}

// affine maps a destination pixel (x, y) to the source point
// (a*x + b*y + tx, c*x + d*y + ty), both measured at pixel centres.
type affine struct{ a, b, tx, c, d, ty float32 }

func (m affine) apply(x, y float32) (float32, float32) {
	return m.a*x + m.b*y + m.tx, m.c*x + m.d*y + m.ty
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
