package ec

import (
	"crypto/rand"
	"math"
	"slices"
	"testing"
	"time"
)

// BenchmarkTiming looks for a dependence of time on secrets in the manner of dudect
// (Reparaz, Balasch, Verbauwhede, "Dude, is my code constant time?", 2017): scalars
// with almost no bit set against random ones, interleaved, the slowest tenth of all
// measurements cut off, Welch's t over the rest. |t| beyond 4.5 would show a leak.
func BenchmarkTiming(b *testing.B) {
	for _, name := range []string{"P-192", "brainpoolP256r1", "P-521"} {
		c := ByName(name)
		sparse := make([]byte, c.Size())
		sparse[len(sparse)-1] = 1
		q := mustKey(b, c).Public().point()
		b.Run(name+"/window", func(b *testing.B) {
			reportT(b, c, sparse, func(k []byte) { var r point; c.scalarMult(&r, &q, k) })
		})
		b.Run(name+"/comb", func(b *testing.B) {
			reportT(b, c, sparse, func(k []byte) { var r point; c.generatorMult(&r, k) })
		})
	}
}

func reportT(b *testing.B, c *Curve, sparse []byte, run func(k []byte)) {
	var times [2][]float64
	random := make([]byte, c.Size())
	scalar := make([]byte, c.Size())
	choice := make([]byte, 1)
	for b.Loop() {
		_, _ = rand.Read(random)
		_, _ = rand.Read(choice)
		class := int(choice[0] & 1)
		copy(scalar, [][]byte{sparse, random}[class])
		start := time.Now()
		run(scalar)
		times[class] = append(times[class], float64(time.Since(start)))
	}
	all := slices.Concat(times[0], times[1])
	slices.Sort(all)
	limit := all[len(all)*9/10]
	var mean, variance, n [2]float64
	for class, values := range times {
		for _, v := range values {
			if v > limit {
				continue
			}
			n[class]++ // Welford's method
			d := v - mean[class]
			mean[class] += d / n[class]
			variance[class] += d * (v - mean[class])
		}
	}
	if n[0] < 2 || n[1] < 2 {
		return
	}
	t := (mean[0] - mean[1]) / math.Sqrt(variance[0]/(n[0]-1)/n[0]+variance[1]/(n[1]-1)/n[1])
	b.ReportMetric(t, "t")
	b.ReportMetric(100*(mean[0]/mean[1]-1), "%diff")
}
