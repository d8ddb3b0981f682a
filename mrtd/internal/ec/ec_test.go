package ec

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"io"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func each(t *testing.T, run func(t *testing.T, c *Curve)) {
	t.Helper()
	for _, c := range Curves() {
		t.Run(c.Name(), func(t *testing.T) {
			t.Parallel()
			run(t, c)
		})
	}
}

// TestCurves checks the constants: the generator lies on the curve and its order
// is the prime n, which lies in the interval of Hasse, so the cofactor is 1.
func TestCurves(t *testing.T) {
	t.Parallel()
	if len(Curves()) != 19 {
		t.Fatalf("%d curves", len(Curves()))
	}
	each(t, func(t *testing.T, c *Curve) {
		if !c.onCurve(&c.gx, &c.gy) {
			t.Error("the generator is not on the curve")
		}
		if !c.Order().ProbablyPrime(20) || !c.Prime().ProbablyPrime(20) {
			t.Error("order or field not prime")
		}
		var p point
		c.scalarMult(&p, &c.g, c.Order().Bytes())
		if _, err := c.public(&p); !errors.Is(err, ErrPoint) {
			t.Error("order * generator is not infinity")
		}
		c.generatorMult(&p, c.Order().Bytes())
		if _, _, ok := c.affine(&p); ok {
			t.Error("order * generator is not infinity with the comb")
		}
		trace := new(big.Int).Sub(c.Prime(), c.Order())
		if trace.BitLen() > c.BitSize()/2+2 {
			t.Error("order outside of Hasse's interval")
		}
		if ByOID(c.OID()) != c || ByName(c.Name()) != c || c.PACEID() >= 0 && ByPACE(c.PACEID()) != c {
			t.Error("lookup does not find the curve")
		}
		a, b := c.Coefficients()
		x, y := c.Generator()
		if Match(c.Prime(), a, b, x, y, c.Order(), 1) != c {
			t.Error("Match does not find its own parameters")
		}
		if Match(c.Prime(), a, b, x, y, c.Order(), 2) != nil || Match(c.Prime(), a, b, y, x, c.Order(), 1) != nil {
			t.Error("Match accepts other parameters")
		}
	})
	if ByOID("1.2.3") != nil || ByName("") != nil || ByPACE(-1) != nil || ByPACE(0) != nil {
		t.Error("lookup finds what does not exist")
	}
}

func standard(c *Curve) (elliptic.Curve, ecdh.Curve) {
	switch c.Name() {
	case "P-224":
		return elliptic.P224(), nil
	case "P-256":
		return elliptic.P256(), ecdh.P256()
	case "P-384":
		return elliptic.P384(), ecdh.P384()
	case "P-521":
		return elliptic.P521(), ecdh.P521()
	}
	return nil, nil
}

// TestAgainstStandardLibrary compares key pairs, ECDH and ECDSA, both ways.
func TestAgainstStandardLibrary(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *Curve) {
		curve, dh := standard(c)
		if curve == nil {
			t.Skip("the standard library has no such curve")
		}
		digest := sha512.Sum512([]byte("sample"))
		for range 8 {
			k, other := mustKey(t, c), mustKey(t, c)
			r, s, err := k.Sign(rand.Reader, digest[:])
			if err != nil {
				t.Fatal(err)
			}
			pub, err := ecdsa.ParseUncompressedPublicKey(curve, k.Public().Bytes())
			if err != nil {
				t.Fatal(err)
			}
			if !ecdsa.Verify(pub, digest[:], new(big.Int).SetBytes(r), new(big.Int).SetBytes(s)) {
				t.Error("crypto/ecdsa refuses the signature")
			}
			std, err := ecdsa.ParseRawPrivateKey(curve, k.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			rb, sb, err := ecdsa.Sign(rand.Reader, std, digest[:])
			if err != nil || !k.Public().Verify(digest[:], rb.Bytes(), sb.Bytes()) {
				t.Errorf("a signature of crypto/ecdsa is refused (%v)", err)
			}
			if dh != nil {
				compareECDH(t, dh, k, other)
			}
		}
	})
}

func compareECDH(t *testing.T, dh ecdh.Curve, k, other *PrivateKey) {
	t.Helper()
	private, err := dh.NewPrivateKey(k.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	public, err := dh.NewPublicKey(other.Public().Bytes())
	if err != nil {
		t.Fatal(err)
	}
	want, err := private.ECDH(public)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.ECDH(other.Public()); err != nil || !bytes.Equal(got, want) {
		t.Errorf("ECDH differs from crypto/ecdh (%v)", err)
	}
}

func mustKey(t testing.TB, c *Curve) *PrivateKey {
	t.Helper()
	k, err := c.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestProperties holds on every curve: both sides of ECDH agree, the comb and the
// window agree, and a signature verifies for its digest and key alone.
func TestProperties(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *Curve) {
		for range 5 {
			k, other := mustKey(t, c), mustKey(t, c)
			ab, err1 := k.ECDH(other.Public())
			ba, err2 := other.ECDH(k.Public())
			if err1 != nil || err2 != nil || !bytes.Equal(ab, ba) {
				t.Fatalf("the sides disagree: %v %v", err1, err2)
			}
			digest := make([]byte, 20+len(ab)%30)
			_, _ = rand.Read(digest)
			r, s, err := k.Sign(rand.Reader, digest)
			if err != nil || !k.Public().Verify(digest, r, s) {
				t.Fatalf("own signature refused: %v", err)
			}
			if other.Public().Verify(digest, r, s) || k.Public().Verify(digest, s, r) {
				t.Fatal("a foreign signature is accepted")
			}
			digest[0] ^= 0x80
			if k.Public().Verify(digest, r, s) {
				t.Fatal("a signature of another digest is accepted")
			}
		}
	})
}

// TestScalars: comb and window agree for any scalar, also for those with runs of
// zeros and ones and for multiples of the order, where additions are exceptional.
func TestScalars(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *Curve) {
		order := c.Order()
		minus, plus := new(big.Int).Sub(order, big.NewInt(1)), new(big.Int).Add(order, big.NewInt(1))
		scalars := []*big.Int{big.NewInt(0), big.NewInt(1), big.NewInt(2), big.NewInt(15), big.NewInt(16), minus, order, plus,
			new(big.Int).Rsh(order, 1), new(big.Int).Lsh(big.NewInt(1), uint(c.BitSize()-1))}
		for i, n := range scalars {
			k := n.FillBytes(make([]byte, c.Size()))
			var p, q point
			c.generatorMult(&p, k)
			c.scalarMult(&q, &c.g, k)
			a, aErr := c.public(&p)
			b, bErr := c.public(&q)
			if (aErr == nil) != (bErr == nil) || aErr == nil && !a.Equal(b) {
				t.Errorf("comb and window disagree for scalar %d", i)
			}
			if infinite := new(big.Int).Mod(n, order).Sign() == 0; infinite != (aErr != nil) {
				t.Errorf("scalar %d: infinity is %v", i, aErr != nil)
			}
		}
		if a, err := c.NewPrivateKey(minus.FillBytes(make([]byte, c.Size()))); err != nil || !bytes.Equal(a.Public().X(), c.GeneratorPoint().X()) {
			t.Error("(n-1) G is not -G")
		}
	})
}

// TestField compares the arithmetic of every field with math/big.
func TestField(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *Curve) {
		for _, f := range []*field{c.f, c.n} {
			rapid.Check(t, func(rt *rapid.T) {
				gen := rapid.SliceOfN(rapid.Byte(), f.size, f.size)
				xb, yb := new(big.Int).SetBytes(gen.Draw(rt, "x")), new(big.Int).SetBytes(gen.Draw(rt, "y"))
				if rapid.Bool().Draw(rt, "near p") {
					xb.Sub(f.pBig, new(big.Int).And(xb, big.NewInt(3)))
				}
				xb.Mod(xb, f.pBig)
				yb.Mod(yb, f.pBig)
				x, y := f.fromBig(xb), f.fromBig(yb)
				var z elem
				is := func(what string, want *big.Int) {
					if got := new(big.Int).SetBytes(f.bytes(&z)); got.Cmp(want.Mod(want, f.pBig)) != 0 {
						rt.Fatalf("%s is wrong", what)
					}
				}
				f.mul(&z, &x, &y)
				is("x y", new(big.Int).Mul(xb, yb))
				f.add(&z, &x, &y)
				is("x + y", new(big.Int).Add(xb, yb))
				f.sub(&z, &x, &y)
				is("x - y", new(big.Int).Sub(xb, yb))
				long := append(xb.Bytes(), yb.Bytes()...)
				if !bytes.Equal(f.reduce(long), new(big.Int).Mod(new(big.Int).SetBytes(long), f.pBig).FillBytes(make([]byte, f.size))) {
					rt.Fatal("reduction is wrong")
				}
			})
			x := f.fromBig(big.NewInt(123456789))
			var inverse, product elem
			f.invert(&inverse, &x)
			f.mul(&product, &x, &inverse)
			if f.equal(&product, &f.one) != 1 {
				t.Error("x / x is not 1")
			}
		}
	})
}

// TestGroupLaw compares additions with affine arithmetic on big integers, the
// exceptional cases included.
func TestGroupLaw(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *Curve) {
		p, q := mustKey(t, c).Public(), mustKey(t, c).Public()
		negX, negY := affineOf(p)
		negY.Sub(c.Prime(), negY)
		minus := &PublicKey{curve: c, x: c.f.fromBig(negX), y: c.f.fromBig(negY)}
		for _, pair := range [][2]*PublicKey{{p, q}, {p, p}, {q, p}, {p, minus}} {
			a, b := pair[0].point(), pair[1].point()
			var sum point
			c.add(&sum, &a, &b)
			got, err := c.public(&sum)
			x, y := bigAdd(c, pair[0], pair[1])
			if x == nil {
				if err == nil {
					t.Error("p + -p is not infinity")
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			gx, gy := affineOf(got)
			if gx.Cmp(x) != 0 || gy.Cmp(y) != 0 {
				t.Error("wrong sum")
			}
		}
	})
}

func affineOf(k *PublicKey) (x, y *big.Int) {
	b := k.Bytes()[1:]
	return new(big.Int).SetBytes(b[:len(b)/2]), new(big.Int).SetBytes(b[len(b)/2:])
}

func bigAdd(c *Curve, p, q *PublicKey) (x, y *big.Int) {
	px, py := affineOf(p)
	qx, qy := affineOf(q)
	m := c.Prime()
	num, den := new(big.Int).Sub(qy, py), new(big.Int).Sub(qx, px)
	if px.Cmp(qx) == 0 {
		if py.Cmp(qy) != 0 {
			return nil, nil
		}
		a, _ := c.Coefficients()
		num.Mul(px, px).Mul(num, big.NewInt(3)).Add(num, a)
		den.Lsh(py, 1)
	}
	l := num.Mul(num, den.ModInverse(den.Mod(den, m), m))
	x = new(big.Int).Mul(l, l)
	x.Sub(x, px).Sub(x, qx).Mod(x, m)
	y = new(big.Int).Sub(px, x)
	y.Mul(y, l).Sub(y, py).Mod(y, m)
	return x, y
}

// TestMapGeneric checks s*G + H against separate operations, and that keys of
// different generators still share points.
func TestMapGeneric(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *Curve) {
		s := make([]byte, 16)
		if _, err := io.ReadFull(rand.Reader, s); err != nil {
			t.Fatal(err)
		}
		h := mustKey(t, c).Public()
		m, err := c.MapGeneric(s, h)
		if err != nil {
			t.Fatal(err)
		}
		var p point
		c.scalarMult(&p, &c.g, s)
		sg, err := c.public(&p)
		if err != nil {
			t.Fatal(err)
		}
		x, y := bigAdd(c, sg, h)
		gx, gy := m.Generator()
		if gx.Cmp(x) != 0 || gy.Cmp(y) != 0 {
			t.Error("wrong generator")
		}
		a, b := mustKey(t, m), mustKey(t, m)
		ab, err1 := a.ECDH(b.Public())
		ba, err2 := b.ECDH(a.Public())
		if err1 != nil || err2 != nil || !bytes.Equal(ab, ba) {
			t.Errorf("the sides disagree on the mapped generator: %v %v", err1, err2)
		}
		if m.same(c, true) || !m.same(c, false) {
			t.Error("the mapped curve is taken for the original")
		}
	})
	if _, err := ByName("P-256").MapGeneric([]byte{1}, ByName("P-384").GeneratorPoint()); !errors.Is(err, ErrCurve) {
		t.Errorf("a point of another curve: %v", err)
	}
}

// TestRefusals: points off the curve, of another curve, compressed, too large,
// and scalars out of range.
func TestRefusals(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c *Curve) {
		good := mustKey(t, c).Public().Bytes()
		for name, change := range map[string]func([]byte) []byte{
			"off the curve": func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
			"short":         func(b []byte) []byte { return b[:len(b)-1] },
			"empty":         func([]byte) []byte { return nil },
			"compressed":    func(b []byte) []byte { b[0] = 2; return b[:1+c.Size()] },
			"infinity":      func([]byte) []byte { return []byte{0} },
			"not reduced": func(b []byte) []byte {
				for i := range b[1:] {
					b[1+i] = 0xFF
				}
				return b
			},
		} {
			if _, err := c.ParsePublicKey(change(bytes.Clone(good))); !errors.Is(err, ErrPoint) {
				t.Errorf("%s: %v", name, err)
			}
		}
		order := c.Order().FillBytes(make([]byte, c.Size()))
		for name, d := range map[string][]byte{
			"zero": make([]byte, c.Size()), "order": order, "short": order[1:], "empty": nil,
		} {
			if _, err := c.NewPrivateKey(d); !errors.Is(err, ErrScalar) {
				t.Errorf("scalar %s: %v", name, err)
			}
		}
		other := Curves()[0]
		if other == c {
			other = Curves()[1]
		}
		if _, err := mustKey(t, c).ECDH(other.GeneratorPoint()); !errors.Is(err, ErrCurve) {
			t.Errorf("a key of another curve: %v", err)
		}
		if c.GeneratorPoint().Verify(good, order, []byte{1}) || c.GeneratorPoint().Verify(good, nil, []byte{1}) {
			t.Error("r out of range accepted")
		}
	})
	if _, err := ByName("P-256").GenerateKey(bytes.NewReader(nil)); !errors.Is(err, io.EOF) {
		t.Errorf("empty source: %v", err)
	}
}
