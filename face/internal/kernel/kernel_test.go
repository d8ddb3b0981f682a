package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Of one number at a time no vector instruction is made: a row must come out as its
// numbers one by one do.

func TestRowsAreTheirNumbers(t *testing.T) {
	t.Parallel()
	for seed := range uint64(400) {
		rowsAreTheirNumbers(t, seed, seed*7)
	}
}

func FuzzRowsAreTheirNumbers(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) { rowsAreTheirNumbers(t, a, b) })
}

func rowsAreTheirNumbers(t *testing.T, a, b uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(a, b))
	n := r.IntN(70)
	sampleIsOneByOne(t, r, n)
	halvesAreOneByOne(t, r, n)
	convertIsOneByOne(t, r, n)
	convolveIsOneByOne(t, r, n)
}

func someBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	hard := r.IntN(2) == 0 // black and white
	for i := range b {
		if b[i] = byte(r.Uint32()); hard {
			b[i] = -(b[i] & 1)
		}
	}
	return b
}

func sampleIsOneByOne(t *testing.T, r *rand.Rand, n int) {
	t.Helper()
	w, h := 2+r.IntN(300), 2+r.IntN(40)
	plane := someBytes(r, w*h)
	place := func(size int) int { return r.IntN((size - 1) << 16) }
	l := Line{X: place(w), Y: place(h)}
	if n > 1 { // truncated towards zero: the last point lies inside too
		l.DX, l.DY = (place(w)-l.X)/(n-1), (place(h)-l.Y)/(n-1)
	}
	row := make([]int16, n)
	Sample(row, plane, w, l)
	for i, v := range row {
		one := make([]int16, 1)
		Sample(one, plane, w, Line{X: l.X + i*l.DX, Y: l.Y + i*l.DY})
		if one[0] != v {
			t.Fatalf("sample %d of %d in %d x %d along %+v: %d, alone %d", i, n, w, h, l, v, one[0])
		}
	}
}

func halvesAreOneByOne(t *testing.T, r *rand.Rand, n int) {
	t.Helper()
	top, bottom := someBytes(r, 2*n), someBytes(r, 2*n)
	row, four := make([]int16, n), make([]int16, n)
	Halve(row, top, bottom)
	Quarters(four, top[:n])
	for i := range n {
		one := make([]int16, 2)
		Halve(one[:1], top[2*i:2*i+2], bottom[2*i:2*i+2])
		Quarters(one[1:], top[i:i+1])
		if one[0] != row[i] || one[1] != four[i] {
			t.Fatalf("%d of %d: %d and %d, alone %d", i, n, row[i], four[i], one)
		}
	}
}

func convertIsOneByOne(t *testing.T, r *rand.Rand, n int) {
	t.Helper()
	var in [3][]int16
	var out [3][]float32
	for c := range in {
		in[c], out[c] = make([]int16, n), make([]float32, n)
		for i := range n {
			in[c][i] = int16(r.IntN(1021))
		}
	}
	mean, scale := r.Float32()*255, r.Float32()*2-1
	Convert(out[0], out[1], out[2], in[0], in[1], in[2], mean, scale)
	for i := range n {
		one := make([]float32, 3)
		Convert(one[:1], one[1:2], one[2:], in[0][i:i+1], in[1][i:i+1], in[2][i:i+1], mean, scale)
		for c, v := range one {
			if math.Float32bits(v) != math.Float32bits(out[c][i]) {
				t.Fatalf("colour %d of pixel %d of %d: %g, alone %g", c, i, n, out[c][i], v)
			}
		}
	}
}

func convolveIsOneByOne(t *testing.T, r *rand.Rand, n int) {
	t.Helper()
	stride := 1 + r.IntN(80)
	src, row := make([]float32, n+(Taps-1)*stride), make([]float32, n)
	for i := range src {
		src[i] = r.Float32()*300 - 20
	}
	var taps [Taps]float32
	for k := range taps {
		taps[k] = r.Float32() - .2
	}
	Convolve(row, src, stride, &taps)
	for i, v := range row {
		one := make([]float32, 1)
		Convolve(one, src[i:], stride, &taps)
		if math.Float32bits(one[0]) != math.Float32bits(v) {
			t.Fatalf("%d of %d, stride %d: %g, alone %g", i, n, stride, v, one[0])
		}
	}
}

// The formula of T.871, to half a quarter of a level.
func TestConvertIsTheFormula(t *testing.T) {
	t.Parallel()
	for y := 0; y <= 1020; y += 17 {
		for b := 0; b <= 1020; b += 51 {
			for r := 0; r <= 1020; r += 51 {
				out := make([]float32, 3)
				Convert(out[:1], out[1:2], out[2:], []int16{int16(y)}, []int16{int16(b)}, []int16{int16(r)}, 0, 1)
				v, cb, cr := float64(y)/4, float64(b-Neutral)/4, float64(r-Neutral)/4
				for c, want := range [3]float64{v + 1.402*cr, v - .344136*cb - .714136*cr, v + 1.772*cb} {
					if off := math.Abs(float64(out[c]) - min(max(want, 0), 255)); off > .3 {
						t.Fatalf("%d %d %d: colour %d is %g, the formula says %g", y, b, r, c, out[c], want)
					}
				}
			}
		}
	}
}

func BenchmarkKernels(b *testing.B) {
	const n = 192
	plane, row := make([]byte, 640*480), [3][]int16{make([]int16, n), make([]int16, n), make([]int16, n)}
	out := [3][]float32{make([]float32, n), make([]float32, n), make([]float32, n)}
	var taps [Taps]float32
	long := make([]float32, n+8*74)
	for name, f := range map[string]func(){
		"sample":   func() { Sample(row[0], plane, 640, Line{X: 10 << 16, Y: 20 << 16, DX: 90000, DY: 5000}) },
		"halve":    func() { Halve(row[0], plane, plane[640:]) },
		"quarters": func() { Quarters(row[0], plane[:n]) },
		"convert":  func() { Convert(out[0], out[1], out[2], row[0], row[1], row[2], 0, 1) },
		"convolve": func() { Convolve(out[0], long, 74, &taps) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f()
			}
		})
	}
}
