package face

import "encoding/binary"

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

// longestCode is the most that a code and the number after it take, in bits.
const longestCode = 32

// fill tops the accumulator up to more than 56 bits.
func (b *bitReader) fill() {
	if b.at+8 <= len(b.data) {
		const ones, tops = 0x0101010101010101, 0x8080808080808080
		v := binary.BigEndian.Uint64(b.data[b.at:])
		if (^v-ones)&v&tops == 0 { // no byte is 0xff
			b.acc |= v >> b.n // a part of a byte more than counted: it comes again
			n := (64 - b.n) / 8
			b.at, b.n = b.at+n, b.n+8*n
			return
		}
	}
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

// receive reads a signed number of so many bits (T.81 F.2.2.1, RECEIVE and
// EXTEND), which must be there.
func (b *bitReader) receive(size byte) int32 {
	if size == 0 {
		return 0
	}
	v := extend(b.acc, size)
	b.acc <<= size
	b.n -= int(size)
	return v
}

// extend is the signed number in the first bits, 1 to 15.
func extend(acc uint64, size byte) int32 {
	v := int32(acc >> (64 - size))
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

// fastCode is what the next bits begin with: a code, and the number after it too
// where they hold the whole of it.
type fastCode struct {
	value  int16 // 0 where the number is none, or longer
	symbol byte
	length byte // of both, 0 where the code is longer
}

// huffmanTable decodes one table (T.81 Annex C and F.2.2.3).
type huffmanTable struct {
	set    bool
	fast   [1 << huffmanFast]fastCode
	most   [18]int32 // greatest code of each length, left-aligned to 16 bits, plus one
	offset [17]int32 // of a length's values, less its first code
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
					t.fast[first+i] = newFastCode(uint64(first+i)<<(64-huffmanFast), t.values[k], length)
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

// newFastCode is the entry for bits that begin with a code.
func newFastCode(bits uint64, symbol byte, length int) fastCode {
	f := fastCode{symbol: symbol, length: byte(length)}
	if size := symbol & 15; size > 0 && length+int(size) <= huffmanFast {
		f.value = int16(extend(bits<<length, size))
		f.length += size
	}
	return f
}

// next decodes a symbol and the number of as many bits as its lower half says.
func (t *huffmanTable) next(b *bitReader) (symbol byte, v int32, ok bool) {
	if b.n < longestCode {
		b.fill()
	}
	if f := t.fast[b.acc>>(64-huffmanFast)]; f.length != 0 {
		b.acc <<= f.length & 63
		b.n -= int(f.length)
		if f.value != 0 {
			return f.symbol, int32(f.value), true
		}
		return f.symbol, b.receive(f.symbol & 15), true
	}
	look := int32(b.acc >> 48)
	for length := huffmanFast + 1; length <= 16; length++ {
		if look < t.most[length] {
			v := t.offset[length] + look>>(16-length)
			b.acc <<= length
			b.n -= length
			symbol = t.values[v&0xff]
			return symbol, b.receive(symbol & 15), v >= 0 && v < 256
		}
	}
	return 0, 0, false
}
