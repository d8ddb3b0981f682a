package ec

import (
	"crypto/hmac"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/big"
)

// errNonce reports a source that gave no usable nonce, which chance does not do.
var errNonce = errors.New("ec: no usable nonce")

// Sign returns r and s of ECDSA over a digest (FIPS 186-5 §6.4.1), big-endian, as
// long as the order. The nonce is RFC 6979's with octets of rand as additional
// data (§3.6): neither a repeating nor a predictable rand reveals the key. A nil
// rand makes the signature deterministic (HMAC with SHA-512).
func (k *PrivateKey) Sign(rand io.Reader, digest []byte) (r, s []byte, err error) {
	var extra []byte
	if rand != nil {
		extra = make([]byte, 32)
		if _, err := io.ReadFull(rand, extra); err != nil {
			return nil, nil, fmt.Errorf("ec: sign: %w", err)
		}
	}
	return k.signWith(newNonces(sha512.New, k, k.curve.hashToInt(digest), extra), digest)
}

func (k *PrivateKey) signWith(nonces *nonces, digest []byte) (r, s []byte, err error) {
	c := k.curve
	e := c.n.fromBig(c.hashToInt(digest))
	d, ok := c.n.fromBytes(k.d)
	if !ok {
		return nil, nil, ErrScalar
	}
	defer func() { d = elem{} }()
	for range 64 {
		nonce := nonces.next()
		kk, ok := c.n.fromBytes(nonce)
		if !ok || c.n.isZero(&kk) == 1 {
			continue
		}
		var p point
		c.generatorMult(&p, nonce)
		clear(nonce)
		x, _, _ := c.affine(&p)
		// r is part of the signature: public from here on.
		rr := c.n.fromBig(new(big.Int).SetBytes(c.f.bytes(&x)))
		if c.n.isZero(&rr) == 1 {
			continue
		}
		var ss elem
		c.n.mul(&ss, &rr, &d)
		c.n.add(&ss, &ss, &e)
		c.n.invert(&kk, &kk)
		c.n.mul(&ss, &ss, &kk)
		if c.n.isZero(&ss) == 0 {
			return c.n.bytes(&rr), c.n.bytes(&ss), nil
		}
	}
	return nil, nil, errNonce
}

// Verify reports whether r and s are a signature of digest under k (FIPS 186-5
// §6.4.2). r and s are big-endian, of any length. Public values: variable time.
func (k *PublicKey) Verify(digest, r, s []byte) bool {
	c := k.curve
	rb, sb := new(big.Int).SetBytes(r), new(big.Int).SetBytes(s)
	if rb.Sign() == 0 || sb.Sign() == 0 || rb.Cmp(c.n.pBig) >= 0 || sb.Cmp(c.n.pBig) >= 0 {
		return false
	}
	w := new(big.Int).ModInverse(sb, c.n.pBig)
	u := new(big.Int).Mul(c.hashToInt(digest), w)
	v := new(big.Int).Mul(rb, w)
	ub := u.Mod(u, c.n.pBig).FillBytes(make([]byte, c.n.size))
	vb := v.Mod(v, c.n.pBig).FillBytes(make([]byte, c.n.size))
	q := k.point()
	var p point
	c.doubleScalarVarTime(&p, &c.g, &q, ub, vb)
	x, _, ok := c.affine(&p)
	if !ok {
		return false
	}
	xb := new(big.Int).SetBytes(c.f.bytes(&x))
	return xb.Mod(xb, c.n.pBig).Cmp(rb) == 0
}

// hashToInt takes the leftmost bits of a digest, as many as the order has, and
// reduces them (SEC 1 §4.1.3 step 5).
func (c *Curve) hashToInt(digest []byte) *big.Int {
	if len(digest) > c.n.size {
		digest = digest[:c.n.size]
	}
	e := new(big.Int).SetBytes(digest)
	if excess := 8*len(digest) - c.n.pBig.BitLen(); excess > 0 {
		e.Rsh(e, uint(excess))
	}
	return e.Mod(e, c.n.pBig)
}

// nonces is the generator of RFC 6979 §3.2.
type nonces struct {
	curve *Curve
	hash  func() hash.Hash
	k, v  []byte
	again bool
}

func newNonces(h func() hash.Hash, key *PrivateKey, digest *big.Int, extra []byte) *nonces {
	size := h().Size()
	n := &nonces{curve: key.curve, hash: h, k: make([]byte, size), v: make([]byte, size)}
	for i := range n.v {
		n.v[i] = 1
	}
	e := digest.FillBytes(make([]byte, key.curve.n.size))
	for step := range byte(2) {
		n.k = n.mac(n.v, []byte{step}, key.d, e, extra)
		n.v = n.mac(n.v)
	}
	return n
}

func (n *nonces) mac(parts ...[]byte) []byte {
	m := hmac.New(n.hash, n.k)
	for _, p := range parts {
		m.Write(p)
	}
	return m.Sum(nil)
}

// next returns a candidate as long as the order, perhaps out of range.
func (n *nonces) next() []byte {
	if n.again {
		n.k = n.mac(n.v, []byte{0})
		n.v = n.mac(n.v)
	}
	n.again = true
	var t []byte
	for len(t) < n.curve.n.size {
		n.v = n.mac(n.v)
		t = append(t, n.v...)
	}
	t = t[:n.curve.n.size]
	if excess := uint(8*len(t) - n.curve.n.pBig.BitLen()); excess > 0 {
		for i := len(t) - 1; i > 0; i-- {
			t[i] = t[i]>>excess | t[i-1]<<(8-excess)
		}
		t[0] >>= excess
	}
	return t
}
