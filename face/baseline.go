package face

import (
	"encoding/binary"
	"errors"

	"ipse/face/internal/kernel"
)

// errOtherJPEG means that a file is none of those that baselineDecoder reads;
// image/jpeg then has its turn.
var errOtherJPEG = errors.New("face: not a plain baseline JPEG")

// baselineDecoder reads what cameras and browsers write: ITU-T T.81 baseline
// sequential, one interleaved scan, grey or YCbCr with chroma at full or half
// resolution. It decodes into a picture's own planes and so allocates nothing,
// and nothing of a frame stays behind in buffers of a library.
type baselineDecoder struct {
	quant      [4][64]int32 // in zigzag order
	quantSet   [4]bool
	huffman    [2][4]huffmanTable // DC, AC
	components [3]jpegComponent
	count      int // of components
	restart    int // MCUs between restart markers, 0 for none
	bits       bitReader
	block      [64]int32
	clipped    [64]byte // samples of a block that the picture's edge cuts
}

type jpegComponent struct {
	id, h, v, tq byte
	td, ta       byte
	dc           int32
}

// wipe clears what is left of the last picture.
func (d *baselineDecoder) wipe() {
	d.bits = bitReader{}
	clear(d.block[:])
	clear(d.clipped[:])
	for i := range d.components {
		d.components[i].dc = 0
	}
}

// zigzagOrder maps the order of coefficients in the file to row-major order.
var zigzagOrder = [64]uint8{ //nolint:gochecknoglobals // a constant of T.81 figure A.6
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// decode reads data, whose header was read already, into p.
func (d *baselineDecoder) decode(p *picture, data []byte) error {
	defer d.wipe()
	d.quantSet, d.restart, d.count = [4]bool{}, 0, 0
	for k := range d.huffman {
		for i := range d.huffman[k] {
			d.huffman[k][i].set = false
		}
	}
	for i := 2; i+4 <= len(data); {
		if data[i] != 0xff {
			return ErrBadJPEG
		}
		marker := data[i+1]
		if marker == 0xff {
			i++
			continue
		}
		n := int(binary.BigEndian.Uint16(data[i+2:]))
		if n < 2 || i+2+n > len(data) {
			return ErrBadJPEG
		}
		body := data[i+4 : i+2+n]
		i += 2 + n
		if marker == 0xda {
			if err := d.scanHeader(body); err != nil {
				return err
			}
			return d.scan(p, data[i:])
		}
		if err := d.segment(p, marker, body); err != nil {
			return err
		}
	}
	return ErrBadJPEG
}

// segment handles everything before the scan (T.81 Annex B.2).
func (d *baselineDecoder) segment(p *picture, marker byte, body []byte) error {
	switch {
	case marker == 0xdb:
		return d.quantTables(body)
	case marker == 0xc4:
		return d.huffmanTables(body)
	case marker == 0xdd:
		if len(body) != 2 {
			return ErrBadJPEG
		}
		d.restart = int(binary.BigEndian.Uint16(body))
	case marker == 0xc0:
		return d.frame(p, body)
	case marker == 0xee: // Adobe: its colour transform is image/jpeg's business
		return errOtherJPEG
	case marker >= 0xc1 && marker <= 0xcf, marker == 0xdc, marker == 0xd8:
		return errOtherJPEG
	case marker == 0xd9:
		return ErrBadJPEG
	}
	return nil
}

func (d *baselineDecoder) quantTables(body []byte) error {
	for len(body) > 0 {
		wide, id := body[0]>>4, body[0]&15
		size := 64 << (wide & 1)
		if wide > 1 || id > 3 || len(body) < 1+size {
			return ErrBadJPEG
		}
		for k := range 64 {
			if wide == 1 {
				d.quant[id][k] = int32(binary.BigEndian.Uint16(body[1+2*k:]))
			} else {
				d.quant[id][k] = int32(body[1+k])
			}
		}
		d.quantSet[id] = true
		body = body[1+size:]
	}
	return nil
}

func (d *baselineDecoder) huffmanTables(body []byte) error {
	for len(body) > 0 {
		class, id := body[0]>>4, body[0]&15
		if class > 1 || id > 3 || len(body) < 17 {
			return ErrBadJPEG
		}
		n, ok := d.huffman[class][id].build(body[1:])
		if !ok {
			return ErrBadJPEG
		}
		body = body[1+n:]
	}
	return nil
}

// frame reads the frame header (T.81 B.2.2) and sizes the picture.
func (d *baselineDecoder) frame(p *picture, body []byte) error {
	if d.count != 0 || len(body) < 6 || body[0] != 8 || len(body) != 6+3*int(body[5]) {
		return errOtherJPEG
	}
	d.count = int(body[5])
	if d.count != 1 && d.count != 3 {
		return errOtherJPEG
	}
	for i := range d.count {
		c := body[6+3*i:]
		d.components[i] = jpegComponent{id: c[0], h: c[1] >> 4, v: c[1] & 15, tq: c[2]}
		if c[2] > 3 {
			return ErrBadJPEG
		}
	}
	y := &d.components[0]
	w, h := int(binary.BigEndian.Uint16(body[3:])), int(binary.BigEndian.Uint16(body[1:]))
	if d.count == 1 {
		y.h, y.v = 1, 1 // one component is not interleaved: one block a unit
		p.reset(w, h, 1, 1)
		fill(p.cb, 128)
		fill(p.cr, 128)
		p.monoTone = true
		return nil
	}
	rgb := y.id == 'R' && d.components[1].id == 'G' && d.components[2].id == 'B'
	if rgb || y.h < 1 || y.h > 2 || y.v < 1 || y.v > 2 {
		return errOtherJPEG
	}
	for _, c := range d.components[1:] {
		if c.h != 1 || c.v != 1 {
			return errOtherJPEG
		}
	}
	p.reset(w, h, uint(y.h-1), uint(y.v-1))
	return nil
}

// scanHeader wants one scan of all components (T.81 B.2.3).
func (d *baselineDecoder) scanHeader(body []byte) error {
	if d.count == 0 || len(body) < 1 || int(body[0]) != d.count || len(body) != 4+2*d.count {
		return errOtherJPEG
	}
	for i := range d.count {
		c := &d.components[i]
		if body[1+2*i] != c.id {
			return errOtherJPEG
		}
		c.td, c.ta = body[2+2*i]>>4, body[2+2*i]&15
		if c.td > 3 || c.ta > 3 || !d.huffman[0][c.td].set || !d.huffman[1][c.ta].set || !d.quantSet[c.tq] {
			return ErrBadJPEG
		}
	}
	return nil
}

// plane is where a component's samples go.
type plane struct {
	samples []byte
	w, h    int
}

// scan decodes the entropy-coded data (T.81 Annex F.2).
func (d *baselineDecoder) scan(p *picture, data []byte) error {
	d.bits = bitReader{data: data}
	y := d.components[0]
	columns := (p.w + 8*int(y.h) - 1) / (8 * int(y.h))
	rows := (p.h + 8*int(y.v) - 1) / (8 * int(y.v))
	planes := [3]plane{{p.y, p.w, p.h}, {p.cb, p.cw, p.ch}, {p.cr, p.cw, p.ch}}
	for unit := range columns * rows {
		if d.restart > 0 && unit > 0 && unit%d.restart == 0 {
			if !d.bits.restart() {
				return ErrBadJPEG
			}
			for i := range d.components {
				d.components[i].dc = 0
			}
		}
		for i := range d.count {
			if !d.unit(&d.components[i], &planes[i], unit%columns, unit/columns) {
				return ErrBadJPEG
			}
		}
	}
	return nil
}

// unit decodes a component's blocks of one minimum coded unit.
func (d *baselineDecoder) unit(c *jpegComponent, to *plane, column, row int) bool {
	for v := range int(c.v) {
		for u := range int(c.h) {
			last, ok := d.coefficients(c)
			if !ok {
				return false
			}
			x, y := (column*int(c.h)+u)*8, (row*int(c.v)+v)*8
			if x+8 <= to.w && y+8 <= to.h {
				kernel.InverseDCT(to.samples[y*to.w+x:], to.w, &d.block, last)
				continue
			}
			kernel.InverseDCT(d.clipped[:], 8, &d.block, last)
			if n := min(8, to.w-x); n > 0 {
				for r := range max(min(8, to.h-y), 0) {
					copy(to.samples[(y+r)*to.w+x:], d.clipped[8*r:8*r+n])
				}
			}
		}
	}
	return true
}

// coefficients reads one block, dequantised; last is the place of the last one
// that is not zero.
func (d *baselineDecoder) coefficients(c *jpegComponent) (last int, ok bool) {
	block, b, q, t := &d.block, &d.bits, &d.quant[c.tq], &d.huffman[1][c.ta]
	clear(block[:])
	size, v, ok := d.huffman[0][c.td].next(b)
	if !ok || size > 11 {
		return 0, false
	}
	c.dc += v
	block[0] = c.dc * q[0]
	acc, n := b.acc, b.n // in registers for as long as codes are short
	for k := 1; k < 64; k++ {
		if n < longestCode {
			b.acc, b.n = acc, n
			b.fill()
			acc, n = b.acc, b.n
		}
		f := t.fast[acc>>(64-huffmanFast)]
		rs, v := f.symbol, int32(f.value)
		if v != 0 || f.length != 0 && rs == 0 {
			acc <<= f.length & 63
			n -= int(f.length)
		} else {
			b.acc, b.n = acc, n
			if rs, v, ok = t.next(b); !ok {
				return 0, false
			}
			acc, n = b.acc, b.n
		}
		if k += int(rs >> 4); rs&15 == 0 {
			if rs != 0xf0 {
				break
			}
			continue
		}
		if k > 63 {
			return 0, false
		}
		block[zigzagOrder[k]&63] = v * q[k]
		last = k
	}
	b.acc, b.n = acc, n
	return last, !b.overrun()
}
