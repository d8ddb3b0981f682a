package face

// bitReader reads the entropy-coded bytes of a scan: stuffed zeros are dropped,
// and a marker ends the data (T.81 F.2.2.5). Past the end it gives zeros and
// remembers that.
type bitReader struct {
	data []byte
	at   int
	acc  uint64 // the next bits, left-aligned
	n    int    // how many bits acc holds
	past int    // bits given beyond the end
}

// fill tops the accumulator up to more than 48 bits.
func (b *bitReader) fill() {
	for b.n <= 56 {
		if b.at >= len(b.data) {
			b.n += 8
			b.past += 8
			continue
		}
		v := b.data[b.at]
		if v == 0xff {
			if b.at+1 >= len(b.data) || b.data[b.at+1] != 0 {
				b.n += 8 // a marker: the data ends here
				b.past += 8
				continue
			}
			b.at++
		}
		b.at++
		b.acc |= uint64(v) << (56 - b.n)
		b.n += 8
	}
}

// overrun says whether bits beyond the end were used.
func (b *bitReader) overrun() bool { return b.past > b.n }

// receive reads a signed number of so many bits (T.81 F.2.2.1, RECEIVE and EXTEND).
func (b *bitReader) receive(size byte) int32 {
	if size == 0 {
		return 0
	}
	if b.n < 16 {
		b.fill()
	}
	v := int32(b.acc >> (64 - size))
	b.acc <<= size
	b.n -= int(size)
	if v < 1<<(size-1) {
		v += -1<<size + 1
	}
	return v
}

// restart skips to the next restart marker, which must be here.
func (b *bitReader) restart() bool {
	b.acc, b.n, b.past = 0, 0, 0
	for b.at+1 < len(b.data) {
		if b.data[b.at] != 0xff {
			return false
		}
		m := b.data[b.at+1]
		if m == 0xff {
			b.at++
			continue
		}
		b.at += 2
		return m >= 0xd0 && m <= 0xd7
	}
	return false
}

const huffmanFast = 9 // bits that the first look decides

// huffmanTable decodes one table (T.81 Annex C and F.2.2.3).
type huffmanTable struct {
	set    bool
	fast   [1 << huffmanFast]uint16 // value<<8 | length, 0 where the code is longer
	most   [18]int32                // greatest code of each length, left-aligned to 16 bits, plus one
	offset [17]int32                // of a length's values, less its first code
	values [256]byte
}

// build reads counts and values and returns how many bytes they take.
func (t *huffmanTable) build(body []byte) (n int, ok bool) {
	total := 0
	for _, c := range body[:16] {
		total += int(c)
	}
	if total == 0 || total > 256 || len(body) < 16+total {
		return 0, false
	}
	clear(t.fast[:])
	copy(t.values[:], body[16:16+total])
	code, k := int32(0), 0
	for length := 1; length <= 16; length++ {
		count := int(body[length-1])
		t.offset[length] = int32(k) - code
		for range count {
			if code >= 1<<length {
				return 0, false
			}
			if length <= huffmanFast {
				first := code << (huffmanFast - length)
				for i := range int32(1) << (huffmanFast - length) {
					t.fast[first+i] = uint16(t.values[k])<<8 | uint16(length)
				}
			}
			code++
			k++
		}
		t.most[length] = code << (16 - length)
		code <<= 1
	}
	t.set = true
	return 16 + total, true
}

// next decodes a value.
func (t *huffmanTable) next(b *bitReader) (byte, bool) {
	if b.n < 16 {
		b.fill()
	}
	if f := t.fast[b.acc>>(64-huffmanFast)]; f != 0 {
		length := int(f & 0xff)
		b.acc <<= length
		b.n -= length
		return byte(f >> 8), true
	}
	look := int32(b.acc >> 48)
	for length := huffmanFast + 1; length <= 16; length++ {
		if look < t.most[length] {
			v := t.offset[length] + look>>(16-length)
			b.acc <<= length
			b.n -= length
			return t.values[v&0xff], v >= 0 && v < 256
		}
	}
	return 0, false
}

// Cosines of the inverse transform: 2048 sqrt 2 cos(k pi / 16).
const (
	dctW1, dctW2, dctW3, dctW5, dctW6, dctW7 = 2841, 2676, 2408, 1609, 1108, 565
	dctR2                                    = 181 // 256 / sqrt 2
)

// inverseDCT is the two-dimensional inverse transform of T.81 A.3.3 in integers
// (after Wang 1984), rows then columns.
func inverseDCT(b *[64]int32) {
	for r := 0; r < 64; r += 8 {
		s := b[r : r+8 : r+8]
		if s[1]|s[2]|s[3]|s[4]|s[5]|s[6]|s[7] == 0 {
			dc := s[0] << 3
			s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7] = dc, dc, dc, dc, dc, dc, dc, dc
			continue
		}
		x0, x1 := s[0]<<11+128, s[4]<<11
		x2, x3, x4, x5, x6, x7 := s[6], s[2], s[1], s[7], s[5], s[3]
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
		s[0], s[7] = (x7+x1)>>8, (x7-x1)>>8
		s[1], s[6] = (x3+x2)>>8, (x3-x2)>>8
		s[2], s[5] = (x0+x4)>>8, (x0-x4)>>8
		s[3], s[4] = (x8+x6)>>8, (x8-x6)>>8
	}
	for c := range 8 {
		s := b[c : c+57 : c+57]
		y0, y1 := s[0]<<8+8192, s[32]<<8
		y2, y3, y4, y5, y6, y7 := s[48], s[16], s[8], s[56], s[40], s[24]
		y8 := dctW7*(y4+y5) + 4
		y4, y5 = (y8+(dctW1-dctW7)*y4)>>3, (y8-(dctW1+dctW7)*y5)>>3
		y8 = dctW3*(y6+y7) + 4
		y6, y7 = (y8-(dctW3-dctW5)*y6)>>3, (y8-(dctW3+dctW5)*y7)>>3
		y8, y0 = y0+y1, y0-y1
		y1 = dctW6*(y3+y2) + 4
		y2, y3 = (y1-(dctW2+dctW6)*y2)>>3, (y1+(dctW2-dctW6)*y3)>>3
		y1, y4 = y4+y6, y4-y6
		y6, y5 = y5+y7, y5-y7
		y7, y8 = y8+y3, y8-y3
		y3, y0 = y0+y2, y0-y2
		y2, y4 = (dctR2*(y4+y5)+128)>>8, (dctR2*(y4-y5)+128)>>8
		s[0], s[56] = (y7+y1)>>14, (y7-y1)>>14
		s[8], s[48] = (y3+y2)>>14, (y3-y2)>>14
		s[16], s[40] = (y0+y4)>>14, (y0-y4)>>14
		s[24], s[32] = (y8+y6)>>14, (y8-y6)>>14
	}
}
