package eval

import "math"

// DETPoint is one threshold of a DET curve.
type DETPoint struct {
	Threshold float64 `json:"threshold"`
	FMR       float64 `json:"fmr"`
	FNMR      float64 `json:"fnmr"`
}

// DET is the detection error trade-off: every threshold at which a rate changes,
// from accepting everyone to accepting nobody. Collinear steps are merged, so a
// curve has at most one point a distinct score; Thin reduces it for drawing. It is
// nil when one of the two kinds of comparison is missing.
func (s *Scores) DET() []DETPoint {
	if len(s.impostor) == 0 || len(s.genuine) == 0 {
		return nil
	}
	n, m := float64(len(s.impostor)), float64(len(s.genuine))
	points := make([]DETPoint, 0, 256)
	i, g := 0, 0 // refused so far
	for i < len(s.impostor) || g < len(s.genuine) {
		next := math.Inf(1)
		if i < len(s.impostor) {
			next = s.impostor[i]
		}
		if g < len(s.genuine) {
			next = min(next, s.genuine[g])
		}
		points = append(points, DETPoint{next, 1 - float64(i)/n, float64(g) / m})
		for i < len(s.impostor) && s.impostor[i] == next {
			i++
		}
		for g < len(s.genuine) && s.genuine[g] == next {
			g++
		}
	}
	last := math.Nextafter(max(s.impostor[len(s.impostor)-1], s.genuine[len(s.genuine)-1]), math.Inf(1))
	return append(points, DETPoint{last, 0, 1})
}

// Thin keeps at most about limit points of a curve, evenly along its length in
// the logarithms of both rates, with the first and the last.
func Thin(curve []DETPoint, limit int) []DETPoint {
	if len(curve) <= limit {
		return curve
	}
	at := func(p DETPoint) float64 { return math.Log(p.FNMR+1e-7) - math.Log(p.FMR+1e-7) }
	step := (at(curve[len(curve)-1]) - at(curve[0])) / float64(limit)
	thin := []DETPoint{curve[0]}
	for _, p := range curve[1 : len(curve)-1] {
		if at(p)-at(thin[len(thin)-1]) >= step {
			thin = append(thin, p)
		}
	}
	return append(thin, curve[len(curve)-1])
}
