package attack

import (
	"bytes"
	"errors"
	"image"
	"image/draw"
	"image/jpeg"
	"math"
)

// maxSide bounds the pictures taken: pixels.
const maxSide = 2048

// picture is RGB with a fourth byte unused, 8 bits each, as image/jpeg encodes
// fastest.
type picture struct {
	w, h int
	pix  []byte // 4*w*h
}

func newPicture(w, h int) *picture {
	p := &picture{}
	p.reset(w, h)
	return p
}

func (p *picture) reset(w, h int) {
	p.w, p.h = w, h
	if n := 4 * w * h; cap(p.pix) < n {
		p.pix = make([]byte, n)
	} else {
		p.pix = p.pix[:n]
	}
}

func (p *picture) copyFrom(q *picture) {
	p.reset(q.w, q.h)
	copy(p.pix, q.pix)
}

// decode reads a JPEG. It is wrapped without data on purpose.
func (p *picture) decode(data []byte) error {
	head, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil || head.Width < 16 || head.Height < 16 || head.Width > maxSide || head.Height > maxSide {
		return errors.New("attack: a frame is no JPEG of a usable size")
	}
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return errors.New("attack: a frame is damaged")
	}
	p.reset(head.Width, head.Height)
	draw.Draw(p.rgba(), image.Rect(0, 0, p.w, p.h), img, img.Bounds().Min, draw.Src)
	return nil
}

func (p *picture) rgba() *image.RGBA {
	return &image.RGBA{Pix: p.pix, Stride: 4 * p.w, Rect: image.Rect(0, 0, p.w, p.h)}
}

// encode writes the picture as baseline JPEG, 4:2:0.
func (p *picture) encode(dst *bytes.Buffer, quality int) error {
	dst.Reset()
	if err := jpeg.Encode(dst, p.rgba(), &jpeg.Options{Quality: quality}); err != nil {
		return errors.New("attack: a frame cannot be written")
	}
	return nil
}

// rgb is a colour, 0..255 a channel, perhaps beyond.
type rgb [3]float64

// at is bilinear, the nearest edge outside; x and y are measured at pixel centres.
func (p *picture) at(x, y float64) rgb {
	x, y = min(max(x, 0), float64(p.w-1)), min(max(y, 0), float64(p.h-1))
	x0, y0 := int(x), int(y)
	fx, fy := x-float64(x0), y-float64(y0)
	right, down := 4, 4*p.w
	if x0 == p.w-1 {
		right = 0
	}
	if y0 == p.h-1 {
		down = 0
	}
	o := 4 * (y0*p.w + x0)
	var c rgb
	for k := range c {
		top := float64(p.pix[o+k])*(1-fx) + float64(p.pix[o+right+k])*fx
		bottom := float64(p.pix[o+down+k])*(1-fx) + float64(p.pix[o+down+right+k])*fx
		c[k] = top*(1-fy) + bottom*fy
	}
	return c
}

func (p *picture) set(x, y int, c rgb) {
	o := 4 * (y*p.w + x)
	p.pix[o], p.pix[o+1], p.pix[o+2], p.pix[o+3] = level(c[0]), level(c[1]), level(c[2]), 255
}

// over lays a colour on a pixel with an opacity of 0..1.
func (p *picture) over(x, y int, c rgb, alpha float64) {
	if alpha >= 1 {
		p.set(x, y, c)
		return
	}
	o := 4 * (y*p.w + x)
	for k := range c {
		p.pix[o+k] = level(float64(p.pix[o+k])*(1-alpha) + c[k]*alpha)
	}
}

func level(v float64) byte { return byte(min(max(v+.5, 0), 255)) }

// mix blends q into p, alpha of q; sizes must agree.
func (p *picture) mix(q *picture, alpha float64) {
	a := int(math.Round(256 * alpha))
	for i := range min(len(p.pix), len(q.pix)) {
		p.pix[i] = byte((int(p.pix[i])*(256-a) + int(q.pix[i])*a) >> 8)
	}
}

// affine redraws p from q, scaled and turned about the middle and shifted (pixels).
// Places are in 1/4096 of a pixel.
func (p *picture) affine(q *picture, scale, degrees, dx, dy float64) {
	p.reset(q.w, q.h)
	const one = 1 << 12
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	s, c := int(math.Round(sin/scale*one)), int(math.Round(cos/scale*one))
	mx, my := float64(q.w-1)/2, float64(q.h-1)/2
	highX, highY := (q.w-1)*one-1, (q.h-1)*one-1
	for y := range p.h {
		u0, v0 := -mx-dx, float64(y)-my-dy
		sx := int((cos*u0+sin*v0)/scale*one + mx*one)
		sy := int((-sin*u0+cos*v0)/scale*one + my*one)
		row := p.pix[4*y*p.w : 4*(y+1)*p.w]
		for o := 0; o < len(row); o += 4 {
			ax, ay := min(max(sx, 0), highX), min(max(sy, 0), highY)
			at, fx, fy := 4*((ay>>12)*q.w+ax>>12), ax&(one-1), ay&(one-1)
			top, bottom := q.pix[at:at+8], q.pix[at+4*q.w:at+4*q.w+8]
			for k := range 3 {
				a := int(top[k])<<12 + (int(top[k+4])-int(top[k]))*fx
				b := int(bottom[k])<<12 + (int(bottom[k+4])-int(bottom[k]))*fx
				row[o+k] = byte((a<<12 + (b-a)*fy + 1<<23) >> 24)
			}
			row[o+3] = 255
			sx, sy = sx+c, sy-s
		}
	}
}
