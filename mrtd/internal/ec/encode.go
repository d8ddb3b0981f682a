package ec

import (
	"errors"
	"math/big"
)

// ErrEncode reports a curve that the encoding does not fit: p = 1 mod 4, a or b zero.
var ErrEncode = errors.New("ec: no point encoding for this curve")

// Encodes reports whether Encode fits the curve.
func (c *Curve) Encodes() bool {
	return c.f.sqrtEx != nil && c.f.isZero(&c.a) == 0 && c.f.isZero(&c.b) == 0
}

// Encode maps a field element t to a point (ICAO 9303-11 appendix B.2, the
// simplified Shallue-Woestijne-Ulas encoding in affine coordinates), in constant
// time. t is big-endian, as long as the field. ErrPoint when t is not reduced or is
// one of the few elements without an image.
func (c *Curve) Encode(t []byte) (*PublicKey, error) {
	f := c.f
	if !c.Encodes() {
		return nil, ErrEncode
	}
	u, ok := f.fromBytes(t)
	if !ok {
		return nil, ErrPoint
	}
	var zero, alpha, d, x2, x3, uu elem
	f.mul(&uu, &u, &u)
	f.sub(&alpha, &zero, &uu) // -t^2
	f.mul(&d, &alpha, &alpha)
	f.add(&d, &d, &alpha) // alpha + alpha^2
	f.invert(&d, &d)
	f.add(&d, &d, &f.one) // 1 + 1/(alpha + alpha^2)
	f.invert(&x2, &c.a)
	f.mul(&x2, &x2, &c.b) // b/a
	f.mul(&x2, &x2, &d)
	f.sub(&x2, &zero, &x2)  // X2 = -b/a (1 + 1/(alpha + alpha^2))
	f.mul(&x3, &alpha, &x2) // X3 = alpha X2
	h2 := c.rhs(&x2)
	var uy, a, y, x, check elem
	f.mul(&uy, &uu, &u)
	f.mul(&uy, &uy, &h2) // U = t^3 h2
	f.exp(&a, &h2, c.encodeExponent())
	f.mul(&check, &a, &a)
	f.mul(&check, &check, &h2) // A^2 h2
	x, y = x3, elem{}
	f.mul(&y, &a, &uy)
	var y2 elem
	f.mul(&y2, &a, &h2)
	mask := -f.equal(&check, &f.one)
	selectElem(&x, &x2, mask)
	selectElem(&y, &y2, mask)
	if !c.onCurve(&x, &y) {
		return nil, ErrPoint
	}
	return &PublicKey{curve: c, x: x, y: y}, nil
}

// encodeExponent is p - 1 - (p+1)/4 (public).
func (c *Curve) encodeExponent() []byte {
	p := c.f.pBig
	quarter := new(big.Int).Add(p, big.NewInt(1))
	quarter.Rsh(quarter, 2)
	e := new(big.Int).Sub(p, big.NewInt(1))
	return e.Sub(e, quarter).Bytes()
}

// DivideBy returns d/e mod n for the scalars of two keys of one curve, in constant
// time: the chip's part of PACE with chip authentication mapping.
func (k *PrivateKey) DivideBy(e *PrivateKey) ([]byte, error) {
	if !k.curve.same(e.curve, false) {
		return nil, ErrCurve
	}
	n := k.curve.n
	a, ok1 := n.fromBytes(k.d)
	b, ok2 := n.fromBytes(e.d)
	if !ok1 || !ok2 || n.isZero(&b) == 1 {
		return nil, ErrScalar
	}
	n.invert(&b, &b)
	n.mul(&a, &a, &b)
	return n.bytes(&a), nil
}
