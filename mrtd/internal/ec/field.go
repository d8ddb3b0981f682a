package ec

import (
	"encoding/binary"
	"math/big"
	"math/bits"
)

// maxLimbs is the number of 64-bit limbs of the largest field, that of P-521.
const maxLimbs = 9

// elem is a field element in Montgomery form, little-endian limbs, always
// reduced. Limbs above the field's own count are zero.
type elem [maxLimbs]uint64

// field is a prime field with Montgomery arithmetic on n limbs. Its operations
// take the same time and touch the same memory whatever the elements hold: there
// is no branch and no index that depends on a value. (filippo.io/bigmod does not
// expose the Montgomery domain: each of its products costs two, see ADR on curves.)
type field struct {
	n      int    // limbs in use
	size   int    // bytes of a serialised element
	p      elem   // the prime
	pInv   uint64 // -p^-1 mod 2^64
	rr     elem   // R^2 mod p, R = 2^(64 n)
	one    elem   // R mod p
	pBig   *big.Int
	pMin2  []byte // p-2, the exponent of Fermat's inversion (public)
	sqrtEx []byte // (p+1)/4 where p = 3 mod 4, nil otherwise (public)
}

func newField(p *big.Int) *field {
	f := &field{n: (p.BitLen() + 63) / 64, size: (p.BitLen() + 7) / 8, pBig: p}
	f.p = f.limbs(p)
	inv := f.p[0] // Newton's iteration doubles the correct bits: 3, 6, 12, 24, 48, 96.
	for range 5 {
		inv *= 2 - f.p[0]*inv
	}
	f.pInv = -inv
	r := new(big.Int).Lsh(big.NewInt(1), uint(64*f.n))
	f.one = f.limbs(new(big.Int).Mod(r, p))
	f.rr = f.limbs(new(big.Int).Mod(new(big.Int).Mul(r, r), p))
	f.pMin2 = new(big.Int).Sub(p, big.NewInt(2)).Bytes()
	if p.Bit(0) == 1 && p.Bit(1) == 1 {
		e := new(big.Int).Add(p, big.NewInt(1))
		f.sqrtEx = e.Rsh(e, 2).Bytes()
	}
	return f
}

// limbs splits a public integer below 2^(64 n).
func (f *field) limbs(v *big.Int) elem {
	return f.rawBytes(v.FillBytes(make([]byte, f.n*8)))
}

// rawBytes reads big-endian bytes of at most n limbs, without Montgomery form.
func (f *field) rawBytes(b []byte) elem {
	var buf [maxLimbs * 8]byte
	copy(buf[len(buf)-len(b):], b)
	var z elem
	for i := range f.n {
		z[i] = binary.BigEndian.Uint64(buf[len(buf)-8*(i+1):])
	}
	return z
}

// fromBytes reads a big-endian element of the field's size; ok is false when it
// is not below p (public information: such an input is refused).
func (f *field) fromBytes(b []byte) (z elem, ok bool) {
	if len(b) != f.size {
		return z, false
	}
	z = f.rawBytes(b)
	var borrow uint64
	for i := range f.n {
		_, borrow = bits.Sub64(z[i], f.p[i], borrow)
	}
	f.mul(&z, &z, &f.rr)
	return z, borrow == 1
}

// fromBig converts a public integer, reducing it.
func (f *field) fromBig(v *big.Int) elem {
	z := f.limbs(new(big.Int).Mod(v, f.pBig))
	f.mul(&z, &z, &f.rr)
	return z
}

// reduce returns b mod p, in the field's size, in time that depends on len(b)
// alone: Horner's rule over single octets.
func (f *field) reduce(b []byte) []byte {
	base := f.fromBig(big.NewInt(256))
	var acc elem
	for _, octet := range b {
		d := elem{uint64(octet)}
		f.mul(&d, &d, &f.rr)
		f.mul(&acc, &acc, &base)
		f.add(&acc, &acc, &d)
	}
	return f.bytes(&acc)
}

// bytes serialises x big-endian in the field's size.
func (f *field) bytes(x *elem) []byte {
	one := elem{1}
	var z elem
	f.mul(&z, x, &one)
	var buf [maxLimbs * 8]byte
	for i := range f.n {
		binary.BigEndian.PutUint64(buf[len(buf)-8*(i+1):], z[i])
	}
	return append([]byte(nil), buf[len(buf)-f.size:]...)
}

// mul sets z = x*y/R mod p by coarsely integrated operand scanning (Koç, Acar,
// Kaliski, "Analyzing and Comparing Montgomery Multiplication Algorithms", 1996).
func (f *field) mul(z, x, y *elem) {
	if f.n == 4 {
		f.mul4(z, x, y)
		return
	}
	n := f.n
	var t [maxLimbs + 1]uint64
	for i := range n {
		var c, c1, c2, hi, lo uint64
		yi := y[i]
		for j := range n {
			hi, lo = bits.Mul64(x[j], yi)
			lo, c1 = bits.Add64(lo, t[j], 0)
			lo, c2 = bits.Add64(lo, c, 0)
			t[j], c = lo, hi+c1+c2
		}
		top, over := bits.Add64(t[n], c, 0)
		m := t[0] * f.pInv
		hi, lo = bits.Mul64(m, f.p[0])
		_, c1 = bits.Add64(lo, t[0], 0)
		c = hi + c1
		for j := 1; j < n; j++ {
			hi, lo = bits.Mul64(m, f.p[j])
			lo, c1 = bits.Add64(lo, t[j], 0)
			lo, c2 = bits.Add64(lo, c, 0)
			t[j-1], c = lo, hi+c1+c2
		}
		t[n-1], c1 = bits.Add64(top, c, 0)
		t[n] = over + c1
	}
	f.reduceOnce(z, t[:n], t[n])
}

// mul4 is mul with its loops unrolled for four limbs: P-224, P-256 and the
// brainpool curves of 224 and 256 bits.
func (f *field) mul4(z, x, y *elem) {
	var t0, t1, t2, t3, t4 uint64
	p0, p1, p2, p3 := f.p[0], f.p[1], f.p[2], f.p[3]
	x0, x1, x2, x3 := x[0], x[1], x[2], x[3]
	for i := range 4 {
		yi := y[i]
		h0, l0 := bits.Mul64(x0, yi)
		h1, l1 := bits.Mul64(x1, yi)
		h2, l2 := bits.Mul64(x2, yi)
		h3, l3 := bits.Mul64(x3, yi)
		var c, t5 uint64
		l1, c = bits.Add64(l1, h0, 0)
		l2, c = bits.Add64(l2, h1, c)
		l3, c = bits.Add64(l3, h2, c)
		h3 += c
		t0, c = bits.Add64(t0, l0, 0)
		t1, c = bits.Add64(t1, l1, c)
		t2, c = bits.Add64(t2, l2, c)
		t3, c = bits.Add64(t3, l3, c)
		t4, t5 = bits.Add64(t4, h3, c)
		m := t0 * f.pInv
		h0, l0 = bits.Mul64(m, p0)
		h1, l1 = bits.Mul64(m, p1)
		h2, l2 = bits.Mul64(m, p2)
		h3, l3 = bits.Mul64(m, p3)
		l1, c = bits.Add64(l1, h0, 0)
		l2, c = bits.Add64(l2, h1, c)
		l3, c = bits.Add64(l3, h2, c)
		h3 += c
		_, c = bits.Add64(t0, l0, 0)
		t0, c = bits.Add64(t1, l1, c)
		t1, c = bits.Add64(t2, l2, c)
		t2, c = bits.Add64(t3, l3, c)
		t3, c = bits.Add64(t4, h3, c)
		t4 = t5 + c
	}
	r0, b := bits.Sub64(t0, p0, 0)
	r1, b := bits.Sub64(t1, p1, b)
	r2, b := bits.Sub64(t2, p2, b)
	r3, b := bits.Sub64(t3, p3, b)
	_, b = bits.Sub64(t4, 0, b)
	keep := -b // all ones when t < p
	z[0] = r0 ^ (keep & (r0 ^ t0))
	z[1] = r1 ^ (keep & (r1 ^ t1))
	z[2] = r2 ^ (keep & (r2 ^ t2))
	z[3] = r3 ^ (keep & (r3 ^ t3))
}

// reduceOnce sets z = t - p if t >= p, else t, for t < 2p with a top limb.
func (f *field) reduceOnce(z *elem, t []uint64, top uint64) {
	var r elem
	var b uint64
	for i := range t {
		r[i], b = bits.Sub64(t[i], f.p[i], b)
	}
	_, b = bits.Sub64(top, 0, b)
	keep := -b
	for i := range t {
		z[i] = r[i] ^ (keep & (r[i] ^ t[i]))
	}
}

func (f *field) add(z, x, y *elem) {
	var t elem
	var c uint64
	for i := range f.n {
		t[i], c = bits.Add64(x[i], y[i], c)
	}
	f.reduceOnce(z, t[:f.n], c)
}

func (f *field) sub(z, x, y *elem) {
	var b, c uint64
	for i := range f.n {
		z[i], b = bits.Sub64(x[i], y[i], b)
	}
	mask := -b
	for i := range f.n {
		z[i], c = bits.Add64(z[i], f.p[i]&mask, c)
	}
}

// exp sets z = x^e for a public exponent, four bits at a time.
func (f *field) exp(z, x *elem, e []byte) {
	var table [16]elem
	table[0] = f.one
	for i := 1; i < 16; i++ {
		f.mul(&table[i], &table[i-1], x)
	}
	acc := f.one
	for _, b := range e {
		for _, nibble := range [2]byte{b >> 4, b & 15} {
			for range 4 {
				f.mul(&acc, &acc, &acc)
			}
			f.mul(&acc, &acc, &table[nibble])
		}
	}
	*z = acc
}

// invert sets z = 1/x (0 for x = 0).
func (f *field) invert(z, x *elem) { f.exp(z, x, f.pMin2) }

// equal returns 1 if x = y, else 0.
func (f *field) equal(x, y *elem) uint64 {
	var d uint64
	for i := range f.n {
		d |= x[i] ^ y[i]
	}
	return 1 ^ ((d | -d) >> 63)
}

// isZero returns 1 if x = 0, else 0.
func (f *field) isZero(x *elem) uint64 {
	var zero elem
	return f.equal(x, &zero)
}

// selectElem sets z = x where mask is all ones and leaves it where mask is 0.
func selectElem(z, x *elem, mask uint64) {
	for i := range z {
		z[i] ^= mask & (z[i] ^ x[i])
	}
}
