package pace

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"math/big"
	"testing"

	"ipse/mrtd/internal/ec"
	"ipse/mrtd/internal/sm"
	"ipse/mrtd/tlv"
)

func standardIDs() []int { return []int{0, 1, 2, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18} }

// TestEveryDomain: both ends of both mappings agree in every standardised domain.
func TestEveryDomain(t *testing.T) {
	t.Parallel()
	for _, id := range standardIDs() {
		d := domain(t, id)
		t.Run(d.Name(), func(t *testing.T) {
			t.Parallel()
			s, nonceT := make([]byte, 16), make([]byte, 16)
			_, _ = rand.Read(s)
			_, _ = rand.Read(nonceT)
			a, b := fresh(t, d), fresh(t, d)
			left, err1 := d.MapGeneric(s, a, b.Public())
			right, err2 := d.MapGeneric(s, b, a.Public())
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			agree(t, left, right)
			if _, err := d.MapGeneric(s, a, a.Public()); !errors.Is(err, ErrPublicKey) {
				t.Errorf("a reflected mapping key: %v", err)
			}
			left, err1 = d.MapIntegrated(sm.AES128, s, nonceT)
			right, err2 = d.MapIntegrated(sm.AES128, s, nonceT)
			if id == 10 {
				if !errors.Is(err1, ErrParameters) {
					t.Errorf("integrated mapping on P-224: %v", err1)
				}
				return
			}
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			agree(t, left, right)
			if bytes.Equal(generator(left), generator(d)) {
				t.Error("the generator is not mapped")
			}
		})
	}
}

func fresh(t testing.TB, d *Domain) *KeyPair {
	t.Helper()
	k, err := d.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func agree(t *testing.T, left, right *Domain) {
	t.Helper()
	a, b := fresh(t, left), fresh(t, right)
	x, err1 := a.Agree(b.Public())
	y, err2 := b.Agree(a.Public())
	if err1 != nil || err2 != nil || !bytes.Equal(x, y) {
		t.Errorf("the ends disagree: %v, %v", err1, err2)
	}
	if _, err := a.Agree(a.Public()); !errors.Is(err, ErrPublicKey) {
		t.Errorf("a reflected key: %v", err)
	}
	a.Wipe()
	if d := a.Private(); !bytes.Equal(d, make([]byte, len(d))) {
		t.Error("the private key is left")
	}
}

// TestBadPublicKeys: elements outside the group are refused, which would otherwise
// tell the private key apart bit by bit.
func TestBadPublicKeys(t *testing.T) {
	t.Parallel()
	for _, id := range standardIDs() {
		d := domain(t, id)
		k := fresh(t, d)
		bad := map[string][]byte{"empty": nil, "zero": make([]byte, len(k.Public())), "long": append(k.Public(), 0)}
		if d.IsCurve() {
			off := k.Public()
			off[len(off)-1] ^= 1
			bad["off the curve"], bad["infinity"] = off, []byte{0}
		} else {
			p := new(big.Int).SetBytes(d.field.pBytes)
			bad["one"] = []byte{1}
			bad["minus one"] = new(big.Int).Sub(p, big.NewInt(1)).Bytes()
			bad["p"] = p.Bytes()
			bad["outside the subgroup"] = outside(d).FillBytes(make([]byte, d.field.size))
		}
		for name, b := range bad {
			if _, err := k.Agree(b); !errors.Is(err, ErrPublicKey) {
				t.Errorf("%s, %s: %v", d.Name(), name, err)
			}
			if err := d.CheckPublic(b); !errors.Is(err, ErrPublicKey) {
				t.Errorf("%s, %s checked: %v", d.Name(), name, err)
			}
		}
	}
}

// outside finds an element that is not in the subgroup.
func outside(d *Domain) *big.Int {
	p, q := new(big.Int).SetBytes(d.field.pBytes), new(big.Int).SetBytes(d.field.qBytes)
	for n := int64(2); ; n++ {
		if e := big.NewInt(n); new(big.Int).Exp(e, q, p).Cmp(big.NewInt(1)) != 0 {
			return e
		}
	}
}

func TestProtocolIdentifiers(t *testing.T) {
	t.Parallel()
	for oid, want := range map[string]Protocol{
		"0.4.0.127.0.7.2.2.4.1.1": {Mapping: Generic, DH: true, Suite: sm.TDES},
		"0.4.0.127.0.7.2.2.4.2.2": {Mapping: Generic, Suite: sm.AES128},
		"0.4.0.127.0.7.2.2.4.3.3": {Mapping: Integrated, DH: true, Suite: sm.AES192},
		"0.4.0.127.0.7.2.2.4.4.4": {Mapping: Integrated, Suite: sm.AES256},
		"0.4.0.127.0.7.2.2.4.6.2": {Mapping: ChipAuth, Suite: sm.AES128},
	} {
		want.OID = oid
		if got, ok := ParsePACE(oid); !ok || got != want {
			t.Errorf("%s: %+v", oid, got)
		}
	}
	for _, oid := range []string{"", "0.4.0.127.0.7.2.2.4.2", "0.4.0.127.0.7.2.2.4.2.5", "0.4.0.127.0.7.2.2.4.5.2", "0.4.0.127.0.7.2.2.4.6.1",
		"0.4.0.127.0.7.2.2.4.2.22", "0.4.0.127.0.7.2.2.3.2.2"} {
		if p, ok := ParsePACE(oid); ok {
			t.Errorf("%s taken for %+v", oid, p)
		}
	}
	if _, ok := ParseCA("0.4.0.127.0.7.2.2.3.3.2"); ok {
		t.Error("unknown chip authentication accepted")
	}
	if p := DefaultCA(true); !p.DH || p.Suite != sm.TDES {
		t.Errorf("%+v", p)
	}
}

func TestNonces(t *testing.T) {
	t.Parallel()
	for _, z := range [][]byte{nil, make([]byte, 15), make([]byte, 80)} {
		if _, err := DecryptNonce(sm.AES128, make([]byte, 16), z); !errors.Is(err, ErrNonce) {
			t.Errorf("%d octets: %v", len(z), err)
		}
	}
	if _, err := domain(t, 13).MapIntegrated(sm.AES256, make([]byte, 16), make([]byte, 32)); !errors.Is(err, ErrNonce) {
		t.Errorf("a short nonce: %v", err)
	}
}

// dhSPKI writes the key of a DH domain in the form of RFC 3279 or PKCS #3.
func dhSPKI(d *Domain, public []byte, named bool) []byte {
	p, g := new(big.Int).SetBytes(d.field.pBytes), new(big.Int).SetBytes(generator(d))
	params := [][]byte{tlv.EncodeInteger(p), tlv.EncodeInteger(g)}
	oid := oidPKCS3
	if named {
		oid = oidDH
		params = append(params, tlv.EncodeInteger(new(big.Int).SetBytes(d.field.qBytes)))
	}
	key := tlv.EncodeInteger(new(big.Int).SetBytes(public))
	return tlv.Encode(tlv.Sequence, tlv.Encode(tlv.Sequence, tlv.EncodeOID(oid), tlv.Encode(tlv.Sequence, params...)),
		tlv.Encode(tlv.BitString, []byte{0}, key))
}

// TestStaticKeys reads the forms in which DG14 carries keys.
func TestStaticKeys(t *testing.T) {
	t.Parallel()
	for _, id := range []int{0, 2} {
		d := domain(t, id)
		k := fresh(t, d)
		for _, named := range []bool{true, false} {
			got, octets, err := CAKey{DH: true, SPKI: dhSPKI(d, k.Public(), named)}.ParseKey()
			if err != nil || !bytes.Equal(octets, k.Public()) || got.Name() != d.Name() {
				t.Errorf("DH %d, %v: %v", id, named, err)
			}
			if _, _, err := (CAKey{SPKI: dhSPKI(d, k.Public(), named)}).ParseKey(); err == nil {
				t.Error("a DH key for an ECDH protocol")
			}
		}
	}
	c := domain(t, 13)
	k := fresh(t, c)
	byName := tlv.Encode(tlv.Sequence, tlv.Encode(tlv.Sequence, tlv.EncodeOID(oidEC), tlv.EncodeOID(c.curve.OID())), tlv.Encode(tlv.BitString, []byte{0}, k.Public()))
	byID := tlv.Encode(tlv.Sequence, tlv.Encode(tlv.Sequence, tlv.EncodeOID(oidStandard), tlv.EncodeInt(13)), tlv.Encode(tlv.BitString, []byte{0}, k.Public()))
	for name, spki := range map[string][]byte{"named": byName, "standardised": byID} {
		if _, octets, err := (CAKey{SPKI: spki}).ParseKey(); err != nil || !bytes.Equal(octets, k.Public()) {
			t.Errorf("%s: %v", name, err)
		}
		if _, _, err := (CAKey{DH: true, SPKI: spki}).ParseKey(); err == nil {
			t.Errorf("%s: a curve's key for a DH protocol", name)
		}
	}
}

// TestWeakGroupsAreRefused: a chip may not choose a group that gives secrets away.
func TestWeakGroupsAreRefused(t *testing.T) {
	t.Parallel()
	good := domain(t, 0)
	p, q := new(big.Int).SetBytes(good.field.pBytes), new(big.Int).SetBytes(good.field.qBytes)
	g := new(big.Int).SetBytes(generator(good))
	for name, v := range map[string][3]*big.Int{
		"composite":     {new(big.Int).Add(p, big.NewInt(2)), g, nil},
		"short":         {big.NewInt(23), big.NewInt(5), big.NewInt(11)},
		"generator one": {p, big.NewInt(1), q},
		"generator -1":  {p, new(big.Int).Sub(p, big.NewInt(1)), q},
		"wrong order":   {p, g, new(big.Int).Add(q, big.NewInt(2))},
		"small order":   {p, g, big.NewInt(2)},
	} {
		if _, err := newField(v[0], v[1], v[2]); !errors.Is(err, ErrParameters) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := newField(p, g, nil); err != nil {
		t.Errorf("a sound group without its order: %v", err)
	}
	for _, id := range []int{3, 7, 19, 31, -1} {
		if _, err := StandardDomain(id); !errors.Is(err, ErrParameters) {
			t.Errorf("identifier %d: %v", id, err)
		}
	}
}

// TestExplicitParameters: PACE parameters written out are found by their identifier.
func TestExplicitParameters(t *testing.T) {
	t.Parallel()
	curve := ec.ByName("brainpoolP384r1")
	info := tlv.Encode(tlv.Sequence, tlv.EncodeOID("0.4.0.127.0.7.2.2.4.2.2"), tlv.EncodeInt(2), tlv.EncodeInt(32))
	params := tlv.Encode(tlv.Sequence, tlv.EncodeOID("0.4.0.127.0.7.2.2.4.2"),
		tlv.Encode(tlv.Sequence, tlv.EncodeOID(oidEC), explicit(curve)), tlv.EncodeInt(32))
	infos, err := ParseInfos(tlv.Encode(tlv.Set, info, params))
	if err != nil || len(infos.PACE) != 1 {
		t.Fatal(infos, err)
	}
	d, err := infos.Domain(infos.PACE[0])
	if err != nil || d.Curve() != curve {
		t.Errorf("%v, %v", d, err)
	}
	alone, err := ParseInfos(tlv.Encode(tlv.Set, info))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := alone.Domain(alone.PACE[0]); !errors.Is(err, ErrParameters) {
		t.Errorf("parameters that are nowhere: %v", err)
	}
	wrong := Info{Protocol: protocol(t, "0.4.0.127.0.7.2.2.4.2.2"), ParameterID: 0}
	if _, err := alone.Domain(wrong); !errors.Is(err, ErrParameters) {
		t.Errorf("a prime field for ECDH: %v", err)
	}
}

func explicit(c *ec.Curve) []byte {
	a, b := c.Coefficients()
	x, y := c.Generator()
	octets := func(n *big.Int) []byte { return n.FillBytes(make([]byte, c.Size())) }
	return tlv.Encode(tlv.Sequence, tlv.EncodeInt(1),
		tlv.Encode(tlv.Sequence, tlv.EncodeOID("1.2.840.10045.1.1"), tlv.EncodeInteger(c.Prime())),
		tlv.Encode(tlv.Sequence, tlv.Encode(tlv.OctetString, octets(a)), tlv.Encode(tlv.OctetString, octets(b))),
		tlv.Encode(tlv.OctetString, []byte{4}, octets(x), octets(y)), tlv.EncodeInteger(c.Order()), tlv.EncodeInt(1))
}

func TestInfosAreRefused(t *testing.T) {
	t.Parallel()
	many := make([][]byte, maxInfos+1)
	for i := range many {
		many[i] = tlv.Encode(tlv.Sequence, tlv.EncodeOID("1.2.3"), tlv.EncodeInt(1))
	}
	for name, b := range map[string][]byte{
		"empty": nil, "cut": {0x31, 5, 0x30}, "a sequence": {0x30, 0}, "too many": tlv.Encode(tlv.Set, many...),
	} {
		if _, err := ParseInfos(b); !errors.Is(err, ErrInfos) {
			t.Errorf("%s: %v", name, err)
		}
	}
	infos, err := ParseInfos(append(tlv.Encode(tlv.Set, many[:3]...), 0, 0))
	if err != nil || infos.Others != 3 {
		t.Errorf("%+v, %v", infos, err)
	}
}

func FuzzInfos(f *testing.F) {
	f.Add(unhex(f, "31143012060A04007F0007020204020202010202010D"))
	f.Add(unhex(f, "31643062060904007F0007020201023052300C060704007F0007010202010D034200041872709494399E7470A6431BE25E83EEE24FEA568C2ED28DB48E05DB3A610DC884D256A40E35EFCB59BF6753D3A489D28C7A4D973C2DA138A6E7A4A08F68E16F02010D"))
	f.Fuzz(func(t *testing.T, b []byte) {
		infos, err := ParseInfos(b)
		if err != nil {
			return
		}
		for _, p := range infos.PACE {
			if d, err := infos.Domain(p); err == nil && d.IsCurve() == p.Protocol.DH && p.ParameterID < 32 {
				t.Fatal("a domain of the other kind")
			}
		}
		for _, k := range infos.Keys {
			if d, octets, err := k.ParseKey(); err == nil && d.CheckPublic(octets) != nil {
				t.Fatal("a key outside its domain")
			}
		}
	})
}

// BenchmarkEnd is one end of PACE with generic mapping, without the card: two key
// pairs, the map, the agreement, both tokens.
func BenchmarkEnd(b *testing.B) {
	for _, id := range []int{0, 2, 12, 13, 16, 17, 18} {
		d := domain(b, id)
		b.Run(d.Name(), func(b *testing.B) {
			peerMap := fresh(b, d)
			p, _ := ParsePACE("0.4.0.127.0.7.2.2.4.2.2")
			p.DH = !d.IsCurve()
			s := make([]byte, 16)
			b.ReportAllocs()
			for b.Loop() {
				m := fresh(b, d)
				mapped, err := d.MapGeneric(s, m, peerMap.Public())
				if err != nil {
					b.Fatal(err)
				}
				k := fresh(b, mapped)
				secret, err := k.Agree(peerMap.Public())
				if err != nil {
					b.Fatal(err)
				}
				keys := NewKeys(p.Suite, secret)
				_, _ = keys.Token(p, k.Public()), keys.Token(p, peerMap.Public())
			}
		})
	}
}

// TestNumbersOfDH: a public key has as few octets as it takes, in the exchange and in
// the token (ICAO 9303-11 §9.4.1 and the note to §9.4.3), and the shared secret as many
// as the prime (PKCS #3 §8.3). The cases are looked for, not waited for.
func TestNumbersOfDH(t *testing.T) {
	t.Parallel()
	d := domain(t, 0)
	size := d.field.size
	short, err := d.GenerateShortKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public := short.Public()
	padded := append(make([]byte, size-len(public)), public...)
	if len(public) >= size || public[0] == 0 || !d.Short(public) || !d.Short(padded) || !short.IsPublic(padded) || short.IsPublic(padded[1:len(padded)-1]) {
		t.Fatalf("a short key of %d octets of %d", len(public), size)
	}
	p, _ := ParsePACE("0.4.0.127.0.7.2.2.4.1.2")
	keys := NewKeys(sm.AES128, []byte("secret"))
	if !bytes.Equal(keys.Token(p, padded), keys.TokenAsSent(p, public)) || bytes.Equal(keys.Token(p, padded), keys.TokenAsSent(p, padded)) {
		t.Error("the token covers leading zeros")
	}
	if _, err := short.Agree(padded); !errors.Is(err, ErrPublicKey) {
		t.Errorf("a key reflected with a zero in front: %v", err)
	}
	if _, err := d.MapGeneric(make([]byte, 16), short, padded); !errors.Is(err, ErrPublicKey) {
		t.Errorf("a mapping key reflected with a zero in front: %v", err)
	}
	other := fresh(t, d)
	for n := 0; ; n++ {
		if n == maxShortDraws {
			t.Fatal("no secret with a zero in front")
		}
		k := fresh(t, d)
		left, err1 := k.Agree(other.Public())
		if left[0] != 0 {
			continue
		}
		right, err2 := other.Agree(append(make([]byte, size-len(k.Public())), k.Public()...))
		if err1 != nil || err2 != nil || len(left) != size || !bytes.Equal(left, right) {
			t.Errorf("a secret of %d and %d octets of %d: %v, %v", len(left), len(right), size, err1, err2)
		}
		break
	}
}

// TestOwnNumbersFillThePrime: whatever is drawn, there is no zero octet to differ about.
func TestOwnNumbersFillThePrime(t *testing.T) {
	t.Parallel()
	d := domain(t, 0)
	short, err := d.GenerateShortKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	draws := io.MultiReader(bytes.NewReader(short.Private()), rand.Reader)
	k, err := d.GenerateKey(draws)
	if err != nil || len(k.Public()) != d.field.size || k.IsPublic(short.Public()) {
		t.Errorf("the short key was kept: %v", err)
	}
	if _, err := d.GenerateKey(repeating(short.Private())); !errors.Is(err, errDraws) {
		t.Errorf("a source that repeats itself: %v", err)
	}
	if _, err := d.GenerateKey(bytes.NewReader(short.Private())); !errors.Is(err, io.EOF) {
		t.Errorf("a source that ends: %v", err)
	}
	if _, err := domain(t, 13).GenerateShortKey(rand.Reader); !errors.Is(err, ErrParameters) {
		t.Errorf("a short key on a curve: %v", err)
	}
}

// repeating gives the same octets for ever.
type repeating []byte

func (r repeating) Read(b []byte) (int, error) { return copy(b, r), nil }
