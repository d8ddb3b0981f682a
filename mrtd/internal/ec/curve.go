// Package ec is arithmetic on the elliptic curves that travel documents use and
// the standard library lacks: the brainpool curves of RFC 5639 and P-192, next to
// P-224 to P-521, with what PACE needs of them (points, and generators other than
// the curve's own).
//
// Private scalars, and points derived from them, are handled in constant time:
// complete addition formulas, a fixed window read in full, Montgomery products
// without a branch. Functions whose name ends in VarTime take public values only.
package ec

import (
	"errors"
	"fmt"
	"io"
	"math/big"
	"sync"
)

var (
	// ErrPoint reports octets that are not a point of the curve, or infinity.
	ErrPoint = errors.New("ec: not a point of the curve")
	// ErrScalar reports a private key that is zero, not below the order, or of another length.
	ErrScalar = errors.New("ec: private key out of range")
	// ErrCurve reports two keys of different curves or generators.
	ErrCurve = errors.New("ec: keys of different curves")
)

// Curve is a known curve y^2 = x^3 + ax + b of prime order, with its generator or
// one mapped by PACE. It is immutable and safe for concurrent use.
type Curve struct {
	name, oid string
	paceID    int
	mapped    bool // the generator is not the standard one

	f       *field // of coordinates
	n       *field // of scalars, modulo the order
	a, b    elem
	b3      elem // 3b
	aBig    *big.Int
	bBig    *big.Int
	gx, gy  elem // affine generator
	g       point
	topMask byte         // the bits of a scalar's first octet that the order has
	comb    func() *comb // multiples of a standard generator, nil when mapped
}

// all holds every known curve in the order of parameters.
var all = sync.OnceValue(func() []*Curve { //nolint:gochecknoglobals // computed once, never written again
	var curves []*Curve
	for _, p := range parameters() {
		curves = append(curves, newCurve(p))
	}
	return curves
})

func newCurve(p curveParameters) *Curve {
	hex := func(s string) *big.Int {
		v, ok := new(big.Int).SetString(s, 16)
		if !ok {
			panic("ec: malformed constant of " + p.name)
		}
		return v
	}
	order := hex(p.n)
	c := &Curve{
		name: p.name, oid: p.oid, paceID: p.paceID,
		f: newField(hex(p.p)), n: newField(order), aBig: hex(p.a), bBig: hex(p.b),
	}
	c.a, c.b = c.f.fromBig(c.aBig), c.f.fromBig(c.bBig)
	c.f.add(&c.b3, &c.b, &c.b)
	c.f.add(&c.b3, &c.b3, &c.b)
	c.gx, c.gy = c.f.fromBig(hex(p.gx)), c.f.fromBig(hex(p.gy))
	c.g = point{c.gx, c.gy, c.f.one}
	c.topMask = 0xFF >> ((8 - order.BitLen()%8) % 8)
	c.comb = sync.OnceValue(func() *comb { return newComb(c) })
	return c
}

// Curves returns the known curves: P-192 to P-521, brainpoolP160r1 to brainpoolP512t1.
func Curves() []*Curve { return append([]*Curve(nil), all()...) }

func find(match func(*Curve) bool) *Curve {
	for _, c := range all() {
		if match(c) {
			return c
		}
	}
	return nil
}

// ByOID returns the curve of a dotted object identifier, or nil.
func ByOID(oid string) *Curve { return find(func(c *Curve) bool { return c.oid == oid }) }

// ByName returns the curve of a name such as "P-256" or "brainpoolP256r1", or nil.
func ByName(name string) *Curve { return find(func(c *Curve) bool { return c.name == name }) }

// ByPACE returns the curve of a standardised domain parameter (ICAO 9303-11
// §9.5.1: 8 to 18), or nil.
func ByPACE(id int) *Curve { return find(func(c *Curve) bool { return id >= 0 && c.paceID == id }) }

// Match returns the known curve whose parameters are exactly these, or nil.
func Match(p, a, b, gx, gy, n *big.Int, cofactor int) *Curve {
	if cofactor != 1 {
		return nil
	}
	return find(func(c *Curve) bool {
		if c.f.pBig.Cmp(p) != 0 || c.n.pBig.Cmp(n) != 0 || c.aBig.Cmp(a) != 0 || c.bBig.Cmp(b) != 0 {
			return false
		}
		x, y := c.Generator()
		return x.Cmp(gx) == 0 && y.Cmp(gy) == 0
	})
}

// Name is the curve's usual name, for example "brainpoolP256r1".
func (c *Curve) Name() string { return c.name }

// OID is the dotted object identifier.
func (c *Curve) OID() string { return c.oid }

// PACEID is the standardised domain parameter identifier, -1 where there is none.
func (c *Curve) PACEID() int { return c.paceID }

// BitSize is the size of the field in bits.
func (c *Curve) BitSize() int { return c.f.pBig.BitLen() }

// Size is the length of a coordinate, and of a scalar, in octets.
func (c *Curve) Size() int { return c.f.size }

// Prime returns the prime of the field.
func (c *Curve) Prime() *big.Int { return new(big.Int).Set(c.f.pBig) }

// Order returns the order of the group.
func (c *Curve) Order() *big.Int { return new(big.Int).Set(c.n.pBig) }

// Coefficients returns a and b.
func (c *Curve) Coefficients() (a, b *big.Int) {
	return new(big.Int).Set(c.aBig), new(big.Int).Set(c.bBig)
}

// Generator returns the affine coordinates of the generator.
func (c *Curve) Generator() (x, y *big.Int) {
	return new(big.Int).SetBytes(c.f.bytes(&c.gx)), new(big.Int).SetBytes(c.f.bytes(&c.gy))
}

// same reports whether two curves share parameters, generator included or not.
func (c *Curve) same(o *Curve, generator bool) bool {
	return c == o || c.f == o.f && c.b == o.b && c.a == o.a && (!generator || c.gx == o.gx && c.gy == o.gy)
}

// PublicKey is a point other than infinity on a curve.
type PublicKey struct {
	curve *Curve
	x, y  elem
}

// ParsePublicKey reads an uncompressed point (SEC 1 §2.3.3: 04 || x || y) and
// checks that it lies on the curve, whose cofactor is 1. Otherwise ErrPoint.
func (c *Curve) ParsePublicKey(octets []byte) (*PublicKey, error) {
	if len(octets) != 1+2*c.f.size || octets[0] != 4 {
		return nil, ErrPoint
	}
	x, xOK := c.f.fromBytes(octets[1 : 1+c.f.size])
	y, yOK := c.f.fromBytes(octets[1+c.f.size:])
	if !xOK || !yOK || !c.onCurve(&x, &y) {
		return nil, ErrPoint
	}
	return &PublicKey{curve: c, x: x, y: y}, nil
}

// Bytes returns the uncompressed point 04 || x || y.
func (k *PublicKey) Bytes() []byte {
	out := append(make([]byte, 0, 1+2*k.curve.f.size), 4)
	return append(append(out, k.curve.f.bytes(&k.x)...), k.curve.f.bytes(&k.y)...)
}

// X returns the x coordinate, as long as the field.
func (k *PublicKey) X() []byte { return k.curve.f.bytes(&k.x) }

// Equal reports whether both keys are the same point of the same curve.
func (k *PublicKey) Equal(o *PublicKey) bool {
	return o != nil && k.curve.same(o.curve, false) && k.curve.f.equal(&k.x, &o.x)&k.curve.f.equal(&k.y, &o.y) == 1
}

func (k *PublicKey) point() point { return point{k.x, k.y, k.curve.f.one} }

// public turns a result into a key; ErrPoint for infinity.
func (c *Curve) public(p *point) (*PublicKey, error) {
	x, y, ok := c.affine(p)
	if !ok {
		return nil, ErrPoint
	}
	return &PublicKey{curve: c, x: x, y: y}, nil
}

// PrivateKey is a scalar in [1, n-1] and its point. Wipe it when done.
type PrivateKey struct {
	curve  *Curve
	d      []byte
	public PublicKey
}

// GenerateKey draws a private key from rand, rejecting what is out of range
// (FIPS 186-5 §A.2.2).
func (c *Curve) GenerateKey(rand io.Reader) (*PrivateKey, error) {
	d := make([]byte, c.n.size)
	for {
		if _, err := io.ReadFull(rand, d); err != nil {
			return nil, fmt.Errorf("ec: generate key: %w", err)
		}
		d[0] &= c.topMask
		if k, err := c.NewPrivateKey(d); err == nil {
			clear(d)
			return k, nil
		}
	}
}

// NewPrivateKey makes a key of a big-endian scalar as long as the order; it
// copies d. ErrScalar when out of range.
func (c *Curve) NewPrivateKey(d []byte) (*PrivateKey, error) {
	s, ok := c.n.fromBytes(d)
	if !ok || c.n.isZero(&s) == 1 {
		return nil, ErrScalar
	}
	var p point
	c.generatorMult(&p, d)
	pub, err := c.public(&p)
	if err != nil {
		return nil, err
	}
	return &PrivateKey{curve: c, d: append([]byte(nil), d...), public: *pub}, nil
}

// Curve returns the key's curve.
func (k *PrivateKey) Curve() *Curve { return k.curve }

// Public returns the point of the key.
func (k *PrivateKey) Public() *PublicKey { return &k.public }

// Bytes returns a copy of the scalar, big-endian, as long as the order.
func (k *PrivateKey) Bytes() []byte { return append([]byte(nil), k.d...) }

// Wipe overwrites the scalar; the key is of no use afterwards.
func (k *PrivateKey) Wipe() {
	if k != nil {
		clear(k.d)
	}
}

// generatorMult sets r = k*G.
func (c *Curve) generatorMult(r *point, k []byte) {
	if c.comb != nil {
		c.comb().mult(c, r, k)
		return
	}
	c.scalarMult(r, &c.g, k)
}
