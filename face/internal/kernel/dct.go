package kernel

import "encoding/binary"

// Cosines of the inverse transform: 2048 sqrt 2 cos(k pi / 16).
const (
	dctW1, dctW2, dctW3, dctW5, dctW6, dctW7 = 2841, 2676, 2408, 1609, 1108, 565
	dctR2                                    = 181 // 256 / sqrt 2
)

// columnsTo is how many columns of a block may hold something when its last
// coefficient in zigzag order is this one.
var columnsTo = [64]uint8{ //nolint:gochecknoglobals // follows from T.81 figure A.6
	1, 2, 2, 2, 2, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 7, 8, 8, 8, 8,
	8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8,
}

// InverseDCT is the two-dimensional inverse transform of T.81 A.3.3 in integers
// (after Wang 1984), columns then rows, of a block of coefficients, in rows, whose
// last one in zigzag order is known. The samples go to eight rows of dst, stride
// apart. The block is scratch memory afterwards.
func InverseDCT(dst []byte, stride int, block *[64]int32, last int) {
	if last == 0 {
		v := uint64(within8((block[0]+4)>>3+128)) * 0x0101010101010101
		for r := range 8 {
			binary.LittleEndian.PutUint64(dst[r*stride:], v)
		}
		return
	}
	if !inverseFast(dst, stride, block) {
		inverse(dst, stride, block, last)
	}
}

// inverse is InverseDCT in Go: what is zero after the last coefficient costs nothing.
func inverse(dst []byte, stride int, b *[64]int32, last int) {
	columns := int(columnsTo[last&63])
	for c := range columns & 15 {
		inverseColumn((*[57]int32)(b[c:]))
	}
	for r := range 8 {
		inverseRow((*[8]int32)(b[8*r:]), columns > 4, (*[8]byte)(dst[r*stride:]))
	}
}

// inverseColumn transforms a column in place; every eighth number is of it. The
// results have three bits more.
func inverseColumn(s *[57]int32) {
	if s[8]|s[16]|s[24]|s[32]|s[40]|s[48]|s[56] == 0 {
		dc := (s[0]<<11 + 128) >> 8 // as below, also where it overflows
		s[0], s[8], s[16], s[24], s[32], s[40], s[48], s[56] = dc, dc, dc, dc, dc, dc, dc, dc
		return
	}
	x0, x1 := s[0]<<11+128, s[32]<<11
	x2, x3, x4, x5, x6, x7 := s[48], s[16], s[8], s[56], s[40], s[24]
	x8 := dctW7 * (x4 + x5)
	x4, x5 = x8+(dctW1-dctW7)*x4, x8-(dctW1+dctW7)*x5
	x8 = dctW3 * (x6 + x7)
	x6, x7 = x8-(dctW3-dctW5)*x6, x8-(dctW3+dctW5)*x7
	x8, x0 = x0+x1, x0-x1
	x1 = dctW6 * (x3 + x2)
	x2, x3 = x1-(dctW2+dctW6)*x2, x1+(dctW2-dctW6)*x3
	x1, x4 = x4+x6, x4-x6
	x6, x5 = x5+x7, x5-x7
	x7, x8 = x8+x3, x8-x3
	x3, x0 = x0+x2, x0-x2
	x2, x4 = (dctR2*(x4+x5)+128)>>8, (dctR2*(x4-x5)+128)>>8
	s[0], s[56] = (x7+x1)>>8, (x7-x1)>>8
	s[8], s[48] = (x3+x2)>>8, (x3-x2)>>8
	s[16], s[40] = (x0+x4)>>8, (x0-x4)>>8
	s[24], s[32] = (x8+x6)>>8, (x8-x6)>>8
}

// inverseRow transforms a row to samples; unless wide, its right half is zero.
func inverseRow(s *[8]int32, wide bool, dst *[8]byte) {
	y0 := s[0]<<8 + 8192 + 128<<14
	y3, y4, y7 := s[2], s[1], s[3]
	var y2, y5, y6, y8 int32
	if wide {
		y1 := s[4] << 8
		y2, y5, y6 = s[6], s[7], s[5]
		y8 = dctW7*(y4+y5) + 4
		y4, y5 = (y8+(dctW1-dctW7)*y4)>>3, (y8-(dctW1+dctW7)*y5)>>3
		y8 = dctW3*(y6+y7) + 4
		y6, y7 = (y8-(dctW3-dctW5)*y6)>>3, (y8-(dctW3+dctW5)*y7)>>3
		y8, y0 = y0+y1, y0-y1
		y1 = dctW6*(y3+y2) + 4
		y2, y3 = (y1-(dctW2+dctW6)*y2)>>3, (y1+(dctW2-dctW6)*y3)>>3
	} else {
		y4, y5 = (dctW1*y4+4)>>3, (dctW7*y4+4)>>3
		y6, y7 = (dctW3*y7+4)>>3, (4-dctW5*y7)>>3
		y2, y3 = (dctW6*y3+4)>>3, (dctW2*y3+4)>>3
		y8 = y0
	}
	y1, y4 := y4+y6, y4-y6
	y6, y5 = y5+y7, y5-y7
	y7, y8 = y8+y3, y8-y3
	y3, y0 = y0+y2, y0-y2
	y2, y4 = (dctR2*(y4+y5)+128)>>8, (dctR2*(y4-y5)+128)>>8
	a, b, c, d := (y7+y1)>>14, (y3+y2)>>14, (y0+y4)>>14, (y8+y6)>>14
	e, f, g, h := (y8-y6)>>14, (y0-y4)>>14, (y3-y2)>>14, (y7-y1)>>14
	if uint32(a|b|c|d|e|f|g|h) > 255 { // rarely
		a, b, c, d = within8(a), within8(b), within8(c), within8(d)
		e, f, g, h = within8(e), within8(f), within8(g), within8(h)
	}
	dst[0], dst[1], dst[2], dst[3] = byte(a), byte(b), byte(c), byte(d)
	dst[4], dst[5], dst[6], dst[7] = byte(e), byte(f), byte(g), byte(h)
}

// within8 is a sample of 8 bits.
func within8(v int32) int32 { return min(max(v, 0), 255) }
