package ec

// point is a point in homogeneous projective coordinates (x = X/Z, y = Y/Z);
// infinity is (0 : 1 : 0).
type point struct{ x, y, z elem }

func (c *Curve) infinity() point { return point{y: c.f.one} }

// add sets r = p + q with the complete formulas of Renes, Costello and Batina
// ("Complete addition formulas for prime order elliptic curves", 2016,
// algorithm 1): no exceptional case on curves of odd order, so no branch.
func (c *Curve) add(r, p, q *point) {
	f := c.f
	var t0, t1, t2, t3, t4, t5, x3, y3, z3 elem
	f.mul(&t0, &p.x, &q.x)
	f.mul(&t1, &p.y, &q.y)
	f.mul(&t2, &p.z, &q.z)
	f.add(&t3, &p.x, &p.y)
	f.add(&t4, &q.x, &q.y)
	f.mul(&t3, &t3, &t4)
	f.add(&t4, &t0, &t1)
	f.sub(&t3, &t3, &t4)
	f.add(&t4, &p.x, &p.z)
	f.add(&t5, &q.x, &q.z)
	f.mul(&t4, &t4, &t5)
	f.add(&t5, &t0, &t2)
	f.sub(&t4, &t4, &t5)
	f.add(&t5, &p.y, &p.z)
	f.add(&x3, &q.y, &q.z)
	f.mul(&t5, &t5, &x3)
	f.add(&x3, &t1, &t2)
	f.sub(&t5, &t5, &x3)
	f.mul(&z3, &c.a, &t4)
	f.mul(&x3, &c.b3, &t2)
	f.add(&z3, &x3, &z3)
	f.sub(&x3, &t1, &z3)
	f.add(&z3, &t1, &z3)
	f.mul(&y3, &x3, &z3)
	f.add(&t1, &t0, &t0)
	f.add(&t1, &t1, &t0)
	f.mul(&t2, &c.a, &t2)
	f.mul(&t4, &c.b3, &t4)
	f.add(&t1, &t1, &t2)
	f.sub(&t2, &t0, &t2)
	f.mul(&t2, &c.a, &t2)
	f.add(&t4, &t4, &t2)
	f.mul(&t0, &t1, &t4)
	f.add(&y3, &y3, &t0)
	f.mul(&t0, &t5, &t4)
	f.mul(&x3, &t3, &x3)
	f.sub(&x3, &x3, &t0)
	f.mul(&t0, &t3, &t1)
	f.mul(&z3, &t5, &z3)
	f.add(&z3, &z3, &t0)
	r.x, r.y, r.z = x3, y3, z3
}

// double sets r = 2p (algorithm 3 of the same paper).
func (c *Curve) double(r, p *point) {
	f := c.f
	var t0, t1, t2, t3, x3, y3, z3 elem
	f.mul(&t0, &p.x, &p.x)
	f.mul(&t1, &p.y, &p.y)
	f.mul(&t2, &p.z, &p.z)
	f.mul(&t3, &p.x, &p.y)
	f.add(&t3, &t3, &t3)
	f.mul(&z3, &p.x, &p.z)
	f.add(&z3, &z3, &z3)
	f.mul(&x3, &c.a, &z3)
	f.mul(&y3, &c.b3, &t2)
	f.add(&y3, &x3, &y3)
	f.sub(&x3, &t1, &y3)
	f.add(&y3, &t1, &y3)
	f.mul(&y3, &x3, &y3)
	f.mul(&x3, &t3, &x3)
	f.mul(&z3, &c.b3, &z3)
	f.mul(&t2, &c.a, &t2)
	f.sub(&t3, &t0, &t2)
	f.mul(&t3, &c.a, &t3)
	f.add(&t3, &t3, &z3)
	f.add(&z3, &t0, &t0)
	f.add(&t0, &z3, &t0)
	f.add(&t0, &t0, &t2)
	f.mul(&t0, &t0, &t3)
	f.add(&y3, &y3, &t0)
	f.mul(&t2, &p.y, &p.z)
	f.add(&t2, &t2, &t2)
	f.mul(&t0, &t2, &t3)
	f.sub(&x3, &x3, &t0)
	f.mul(&z3, &t2, &t1)
	f.add(&z3, &z3, &z3)
	f.add(&z3, &z3, &z3)
	r.x, r.y, r.z = x3, y3, z3
}

// scalarMult sets r = k*p for a big-endian scalar of any value: a fixed window of
// four bits whose table is read in full at every step, so neither the sequence
// of operations nor the addresses depend on k. Only len(k) is public.
func (c *Curve) scalarMult(r, p *point, k []byte) {
	var table [16]point
	table[0] = c.infinity()
	table[1] = *p
	for i := 2; i < 16; i++ {
		if i%2 == 0 {
			c.double(&table[i], &table[i/2])
		} else {
			c.add(&table[i], &table[i-1], p)
		}
	}
	acc := c.infinity()
	var pick point
	for i, b := range k {
		for j, nibble := range [2]byte{b >> 4, b & 15} {
			if i+j > 0 {
				c.double(&acc, &acc)
				c.double(&acc, &acc)
				c.double(&acc, &acc)
				c.double(&acc, &acc)
			}
			c.lookup(&pick, &table, nibble)
			c.add(&acc, &acc, &pick)
		}
	}
	*r = acc
}

// lookup copies table[index] into r, touching every entry.
func (c *Curve) lookup(r *point, table *[16]point, index byte) {
	*r = point{}
	for i := range table {
		d := uint64(byte(i) ^ index)
		mask := -(1 ^ ((d | -d) >> 63))
		for j := range c.f.n {
			r.x[j] |= mask & table[i].x[j]
			r.y[j] |= mask & table[i].y[j]
			r.z[j] |= mask & table[i].z[j]
		}
	}
}

// doubleScalarVarTime sets r = u*g + v*q for public scalars (signature checks):
// Shamir's trick with a joint window of two bits.
func (c *Curve) doubleScalarVarTime(r, g, q *point, u, v []byte) {
	var table [4][4]point
	table[0][0] = c.infinity()
	for i := range 4 {
		if i > 0 {
			c.add(&table[i][0], &table[i-1][0], g)
		}
		for j := 1; j < 4; j++ {
			c.add(&table[i][j], &table[i][j-1], q)
		}
	}
	acc := c.infinity()
	for i := range u {
		for shift := 6; shift >= 0; shift -= 2 {
			c.double(&acc, &acc)
			c.double(&acc, &acc)
			a, b := u[i]>>shift&3, v[i]>>shift&3
			if a|b != 0 {
				c.add(&acc, &acc, &table[a][b])
			}
		}
	}
	*r = acc
}

// affine returns x = X/Z and y = Y/Z; ok is false for infinity.
func (c *Curve) affine(p *point) (x, y elem, ok bool) {
	var zinv elem
	c.f.invert(&zinv, &p.z)
	c.f.mul(&x, &p.x, &zinv)
	c.f.mul(&y, &p.y, &zinv)
	return x, y, c.f.isZero(&p.z) == 0
}

// onCurve reports whether the affine point satisfies y^2 = x^3 + ax + b.
func (c *Curve) onCurve(x, y *elem) bool {
	var left elem
	c.f.mul(&left, y, y)
	right := c.rhs(x)
	return c.f.equal(&left, &right) == 1
}

// rhs returns x^3 + ax + b.
func (c *Curve) rhs(x *elem) elem {
	var t elem
	c.f.mul(&t, x, x)
	c.f.add(&t, &t, &c.a)
	c.f.mul(&t, &t, x)
	c.f.add(&t, &t, &c.b)
	return t
}
