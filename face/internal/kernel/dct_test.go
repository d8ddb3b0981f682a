package kernel

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
)

// zigzag lists where the coefficients in the file's order stand in rows.
func zigzag() (order [64]int) {
	x, y, up := 0, 0, true
	for i := range order {
		order[i] = 8*y + x
		switch {
		case up && x == 7:
			y, up = y+1, false
		case up && y == 0:
			x, up = x+1, false
		case !up && y == 7:
			x, up = x+1, true
		case !up && x == 0:
			y, up = y+1, true
		case up:
			x, y = x+1, y-1
		default:
			x, y = x-1, y+1
		}
	}
	return order
}

// Vector instructions transform a block as Go does, whatever stands in it.
func TestTransformsAgree(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3000) {
		transformsAgree(t, seed, seed*3)
	}
}

func FuzzTransformsAgree(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) { transformsAgree(t, a, b) })
}

func transformsAgree(t *testing.T, a, b uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(a, b))
	last, order := r.IntN(64), zigzag()
	size := []int32{16, 1024, 1 << 29}[r.IntN(3)]
	var block [64]int32
	for _, at := range order[:last+1] {
		block[at] = r.Int32N(2*size) - size
	}
	stride := 8 + r.IntN(30)
	was, is := make([]byte, 7*stride+8), make([]byte, 7*stride+8)
	other := block
	InverseDCT(is, stride, &block, last)
	if last == 0 {
		return
	}
	inverse(was, stride, &other, last)
	if !bytes.Equal(was, is) {
		t.Fatalf("last %d, stride %d:\n%v\n%v", last, stride, is, was)
	}
}

// The transform is T.81's, to a level.
func TestTheTransformIsTheFormula(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var block [64]int32
		for i := range block {
			block[i] = r.Int32N(41) - 20
		}
		block[0] = r.Int32N(400) - 200
		var want [64]float64
		for i := range want {
			for k, c := range block {
				f := math.Cos(float64(2*(i%8)+1)*float64(k%8)*math.Pi/16) * math.Cos(float64(2*(i/8)+1)*float64(k/8)*math.Pi/16) / 4
				if k%8 == 0 {
					f /= math.Sqrt2
				}
				if k/8 == 0 {
					f /= math.Sqrt2
				}
				want[i] += f * float64(c)
			}
		}
		var dst [64]byte
		InverseDCT(dst[:], 8, &block, 63)
		for i, v := range dst {
			if w := min(max(want[i]+128, 0), 255); math.Abs(float64(v)-w) > 1 {
				t.Fatalf("sample %d is %d, the formula says %.2f", i, v, w)
			}
		}
	}
}

func BenchmarkInverse(b *testing.B) {
	var dst [64]byte
	for b.Loop() {
		block := [64]int32{200, 30, 10, 5, 2, 1, 0, 0, 20, 7, 3, 2}
		InverseDCT(dst[:], 8, &block, 20)
	}
}

func BenchmarkInverseInGo(b *testing.B) {
	var dst [64]byte
	for b.Loop() {
		block := [64]int32{200, 30, 10, 5, 2, 1, 0, 0, 20, 7, 3, 2}
		inverse(dst[:], 8, &block, 20)
	}
}
