package ec

// comb holds multiples of a generator, so that multiplying it takes additions
// alone: entry [i][j] is j * 16^i * G.
type comb struct{ rows [][16]point }

func newComb(c *Curve) *comb {
	t := &comb{rows: make([][16]point, 2*c.n.size)}
	base := c.g
	for i := range t.rows {
		row := &t.rows[i]
		row[0], row[1] = c.infinity(), base
		for j := 2; j < 16; j++ {
			c.add(&row[j], &row[j-1], &base)
		}
		c.add(&base, &row[15], &base)
	}
	return t
}

// mult sets r = k*G for a scalar as long as the order, in constant time: every
// row is read in full.
func (t *comb) mult(c *Curve, r *point, k []byte) {
	acc := c.infinity()
	var pick point
	for i := range k {
		b := k[len(k)-1-i]
		c.lookup(&pick, &t.rows[2*i], b&15)
		c.add(&acc, &acc, &pick)
		c.lookup(&pick, &t.rows[2*i+1], b>>4)
		c.add(&acc, &acc, &pick)
	}
	*r = acc
}
