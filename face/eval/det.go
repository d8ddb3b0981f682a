package eval

import "math"

// Point is one threshold of a DET curve.
type Point struct {
	Threshold float64 `json:"threshold"`
	FMR       float64 `json:"fmr"`
	FNMR      float64 `json:"fnmr"`
}

// DET is the detection error trade-off: every threshold at which a rate changes,
// from accepting everyone to accepting nobody. Collinear steps are merged, so a
// curve has at most one point a distinct score; Thin reduces it for drawing.
func (s *Scores) DET() []Point {
	n, m := float64(len(s.impostor)), float64(len(s.genuine))
	points := make([]Point, 0, 256)
	i, g := 0, 0 // refused so far
	for i < len(s.impostor) || g < len(s.genuine) {
		next := math.Inf(1)
		if i < len(s.impostor) {
			next = s.impostor[i]
		}
		if g < len(s.genuine) {
			next = min(next, s.genuine[g])
		}
		points = append(points, Point{next, 1 - float64(i)/n, float64(g) / m})
		for i < len(s.impostor) && s.impostor[i] == next {
			i++
		}
		for g < len(s.genuine) && s.genuine[g] == next {
			g++
		}
	}
	last := math.Nextafter(max(s.impostor[len(s.impostor)-1], s.genuine[len(s.genuine)-1]), math.Inf(1))
	return append(points, Point{last, 0, 1})
}

// Thin keeps at most about limit points of a curve, evenly along its length in
// the logarithms of both rates, with the first and the last.
func Thin(curve []Point, limit int) []Point {
	if len(curve) <= limit {
		return curve
	}
	at := func(p Point) float64 { return math.Log(p.FNMR+1e-7) - math.Log(p.FMR+1e-7) }
	step := (at(curve[len(curve)-1]) - at(curve[0])) / float64(limit)
	thin := []Point{curve[0]}
	for _, p := range curve[1 : len(curve)-1] {
		if at(p)-at(thin[len(thin)-1]) >= step {
			thin = append(thin, p)
		}
	}
	return append(thin, curve[len(curve)-1])
}

// EqualErrorRate is where FMR and FNMR cross: the mean of the two at the
// threshold where they are closest, and that threshold. It is a figure to
// compare systems by, not a point at which anyone should operate.
func (s *Scores) EqualErrorRate() (rate, threshold float64) {
	best := math.Inf(1)
	for _, p := range s.DET() {
		if gap := math.Abs(p.FMR - p.FNMR); gap < best {
			best, rate, threshold = gap, (p.FMR+p.FNMR)/2, p.Threshold
		}
	}
	return rate, threshold
}

// Bin is one bar of a histogram of scores.
type Bin struct {
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
	Genuine  int     `json:"genuine"`
	Impostor int     `json:"impostor"`
}

// Histogram counts scores in n bars of equal width over their whole range.
func (s *Scores) Histogram(n int) []Bin {
	low := min(s.genuine[0], s.impostor[0])
	high := max(s.genuine[len(s.genuine)-1], s.impostor[len(s.impostor)-1])
	if high <= low {
		high = low + 1e-9
	}
	bins := make([]Bin, n)
	width := (high - low) / float64(n)
	for i := range bins {
		bins[i].Low, bins[i].High = low+float64(i)*width, low+float64(i+1)*width
	}
	index := func(v float64) int { return min(n-1, max(0, int((v-low)/width))) }
	for _, v := range s.genuine {
		bins[index(v)].Genuine++
	}
	for _, v := range s.impostor {
		bins[index(v)].Impostor++
	}
	return bins
}
