package pace

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"sync"

	"filippo.io/bigmod"
)

// field is a subgroup of order q of the multiplicative group modulo a prime p.
type field struct {
	p, q   *bigmod.Modulus // q is nil where the parameters do not name it (PKCS #3)
	g      *bigmod.Nat
	size   int // octets of p
	pBytes []byte
	qBytes []byte
	inner  *big.Int // (p-1)/q, nil with q
}

// Limits of the primes of DH: RFC 5114's smallest, and what a chip can do.
const (
	minPrime = 1024
	maxPrime = 4096
	minOrder = 160
)

// Group returns the prime, the generator and the order of its subgroup (nil where
// the parameters do not name it) of a DH domain; nil for a curve.
func (d *Domain) Group() (p, g, q *big.Int) {
	if d.field == nil {
		return nil, nil, nil
	}
	if d.field.q != nil {
		q = new(big.Int).SetBytes(d.field.qBytes)
	}
	return new(big.Int).SetBytes(d.field.pBytes), new(big.Int).SetBytes(d.field.g.Bytes(d.field.p)), q
}

// newField makes a group of parameters read from a document. q may be nil. p and q
// are checked to be prime once: a chip could otherwise offer a group of its choice.
func newField(p, g, q *big.Int) (*field, error) {
	if p.BitLen() < minPrime || p.BitLen() > maxPrime || p.Bit(0) == 0 || !p.ProbablyPrime(8) || g.Cmp(big.NewInt(1)) <= 0 ||
		new(big.Int).Add(g, big.NewInt(1)).Cmp(p) >= 0 {
		return nil, fmt.Errorf("%w: DH group", ErrParameters)
	}
	f := &field{size: (p.BitLen() + 7) / 8, pBytes: p.Bytes()}
	var err error
	if f.p, err = bigmod.NewModulus(f.pBytes); err != nil {
		return nil, fmt.Errorf("%w: DH group", ErrParameters)
	}
	if f.g, err = bigmod.NewNat().SetBytes(g.FillBytes(make([]byte, f.size)), f.p); err != nil {
		return nil, fmt.Errorf("%w: DH group", ErrParameters)
	}
	if q == nil {
		return f, nil
	}
	inner, rest := new(big.Int).QuoRem(new(big.Int).Sub(p, big.NewInt(1)), q, new(big.Int))
	if q.BitLen() < minOrder || rest.Sign() != 0 || !q.ProbablyPrime(8) || new(big.Int).Exp(g, q, p).Cmp(big.NewInt(1)) != 0 {
		return nil, fmt.Errorf("%w: order of the DH group", ErrParameters)
	}
	f.qBytes, f.inner = q.Bytes(), inner
	if f.q, err = bigmod.NewModulus(f.qBytes); err != nil {
		return nil, fmt.Errorf("%w: order of the DH group", ErrParameters)
	}
	return f, nil
}

// exponent draws a private exponent: below q, or of 256 bits where q is not known
// (twice the strength of the largest primes in use).
func (f *field) exponent(rand io.Reader) ([]byte, error) {
	n, mask := 32, byte(0xFF)
	if f.q != nil {
		n = len(f.qBytes)
		mask = 0xFF >> ((8 - f.q.BitLen()%8) % 8)
	}
	x := make([]byte, n)
	for {
		if _, err := io.ReadFull(rand, x); err != nil {
			return nil, fmt.Errorf("pace: generate key: %w", err)
		}
		x[0] &= mask
		if f.inRange(x) {
			return x, nil
		}
	}
}

func (f *field) inRange(x []byte) bool {
	if f.q == nil {
		return len(x) <= f.size && !allZero(x)
	}
	n, err := bigmod.NewNat().SetBytes(x, f.q)
	return err == nil && n.IsZero() == 0
}

// allZero looks at every octet, in constant time.
func allZero(x []byte) bool {
	var bits byte
	for _, b := range x {
		bits |= b
	}
	return bits == 0
}

// keyPair takes ownership of the exponent. The ICAO example of PACE over DH uses
// private keys longer than q, so a given exponent need only be shorter than p.
func (f *field) keyPair(d *Domain, x []byte) (*KeyPair, error) {
	if len(x) > f.size || allZero(x) {
		return nil, ErrPrivateKey
	}
	y := bigmod.NewNat().Exp(f.g, x, f.p)
	if y.IsOne() == 1 {
		return nil, ErrPrivateKey
	}
	return &KeyPair{domain: d, exponent: x, public: Number(y.Bytes(f.p))}, nil
}

// generate draws key pairs until the public key is shorter than the prime, or is not.
func (f *field) generate(d *Domain, rand io.Reader, short bool) (*KeyPair, error) {
	draws := maxDraws
	if short {
		draws = maxShortDraws
	}
	for range draws {
		x, err := f.exponent(rand)
		if err != nil {
			return nil, err
		}
		k, err := f.keyPair(d, x)
		if err != nil || (len(k.public) < f.size) == short {
			return k, err
		}
		k.Wipe()
	}
	return nil, fmt.Errorf("pace: generate key: %w", errDraws)
}

// Bounds of the tries of generate, of which one in 256 is short: they are met once in
// 10^13 and 10^150 times, or where the source of randomness repeats itself.
const (
	maxShortDraws = 8192
	maxDraws      = 64
)

var errDraws = errors.New("the source of randomness repeats itself")

// element reads a public key: longer than 0, below p, neither 1 nor p-1, and in
// the subgroup where its order is known (RFC 2631 §2.1.5). Leading zeros may be missing.
func (f *field) element(b []byte) (*bigmod.Nat, error) {
	if len(b) == 0 || len(b) > f.size {
		return nil, ErrPublicKey
	}
	full := make([]byte, f.size)
	copy(full[f.size-len(b):], b)
	y, err := bigmod.NewNat().SetBytes(full, f.p)
	if err != nil || y.IsZero() == 1 || y.IsOne() == 1 || y.IsMinusOne(f.p) == 1 {
		return nil, ErrPublicKey
	}
	if f.q != nil && bigmod.NewNat().Exp(y, f.qBytes, f.p).IsOne() == 0 {
		return nil, ErrPublicKey
	}
	return y, nil
}

func (f *field) agree(x, peer []byte) ([]byte, error) {
	y, err := f.element(peer)
	if err != nil {
		return nil, err
	}
	z := bigmod.NewNat().Exp(y, x, f.p)
	if z.IsOne() == 1 {
		return nil, ErrPublicKey
	}
	return z.Bytes(f.p), nil
}

// mapGeneric returns g^s * h (9303-11 §4.4.3.3.1).
func (f *field) mapGeneric(s, shared []byte) (*field, error) {
	h, err := bigmod.NewNat().SetBytes(shared, f.p)
	if err != nil {
		return nil, ErrPublicKey
	}
	return f.withGenerator(bigmod.NewNat().Exp(f.g, s, f.p).Mul(h, f.p))
}

// mapIntegrated returns r^((p-1)/q) (9303-11 §4.4.3.3.2).
func (f *field) mapIntegrated(r []byte) (*field, error) {
	if f.inner == nil {
		return nil, fmt.Errorf("%w: integrated mapping needs the order", ErrParameters)
	}
	n, err := bigmod.NewNat().SetBytes(r, f.p)
	if err != nil {
		return nil, fmt.Errorf("%w: integrated mapping", ErrParameters)
	}
	return f.withGenerator(bigmod.NewNat().Exp(n, f.inner.Bytes(), f.p))
}

var errTrivialMap = errors.New("pace: the nonce maps to a trivial generator")

func (f *field) withGenerator(g *bigmod.Nat) (*field, error) {
	if g.IsZero() == 1 || g.IsOne() == 1 {
		return nil, errTrivialMap
	}
	m := *f
	m.g = g
	return &m, nil
}

// standardFields are the groups of RFC 5114 §2.1 to §2.3, as printed by OpenSSL
// (`openssl genpkey -genparam -algorithm DHX -pkeyopt dh_rfc5114:N`).
var standardFields = sync.OnceValue(func() [3]*field { //nolint:gochecknoglobals // computed once, never written again
	var out [3]*field
	for i, g := range rfc5114() {
		var n [3]*big.Int
		for j, h := range g {
			b, err := hex.DecodeString(h)
			if err != nil {
				panic("pace: malformed constant")
			}
			n[j] = new(big.Int).SetBytes(b)
		}
		f, err := newField(n[0], n[1], n[2])
		if err != nil {
			panic("pace: constant: " + err.Error())
		}
		out[i] = f
	}
	return out
})
