package ec

// Agree returns the shared point d*Q (SEC 1 §3.3.1, cofactor 1). The keys must be
// of one curve, though Q may stem from another generator: PACE's map needs that.
func (k *PrivateKey) Agree(q *PublicKey) (*PublicKey, error) {
	if !k.curve.same(q.curve, false) {
		return nil, ErrCurve
	}
	p := q.point()
	var r point
	k.curve.scalarMult(&r, &p, k.d)
	return k.curve.public(&r)
}

// ECDH returns the x coordinate of the shared point, as long as the field. Wipe it.
func (k *PrivateKey) ECDH(q *PublicKey) ([]byte, error) {
	shared, err := k.Agree(q)
	if err != nil {
		return nil, err
	}
	defer shared.Wipe()
	return shared.X(), nil
}

// Wipe overwrites the coordinates of a point that is itself a secret.
func (k *PublicKey) Wipe() { k.x, k.y = elem{}, elem{} }

// MapGeneric returns the curve with the generator s*G + H (PACE generic mapping,
// ICAO 9303-11 §4.4.3.3.1). s is the nonce, big-endian, of any length.
func (c *Curve) MapGeneric(s []byte, h *PublicKey) (*Curve, error) {
	if !c.same(h.curve, false) {
		return nil, ErrCurve
	}
	k := c.n.reduce(s)
	defer clear(k)
	var g point
	c.generatorMult(&g, k)
	hp := h.point()
	c.add(&g, &g, &hp)
	return c.withGenerator(&g)
}

// MapTo returns the curve with the point p as generator (PACE integrated mapping).
func (c *Curve) MapTo(p *PublicKey) (*Curve, error) {
	if !c.same(p.curve, false) {
		return nil, ErrCurve
	}
	g := p.point()
	return c.withGenerator(&g)
}

func (c *Curve) withGenerator(g *point) (*Curve, error) {
	x, y, ok := c.affine(g)
	if !ok {
		return nil, ErrPoint
	}
	m := *c
	m.gx, m.gy, m.g = x, y, point{x, y, c.f.one}
	m.mapped, m.comb = true, nil
	return &m, nil
}

// GeneratorPoint returns the generator as a point.
func (c *Curve) GeneratorPoint() *PublicKey { return &PublicKey{curve: c, x: c.gx, y: c.gy} }
