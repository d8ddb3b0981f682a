package face

// Limits of quality. They refuse what no comparison survives and are wide on
// purpose: a poor but usable image costs a false non-match, never a false match.
const (
	secondFace   = 0.25 // area of another face over the first's, from which it counts as near
	meshScore    = 0.5  // probability of a face in the mesh's crop
	minEyes      = 24   // distance of the outer eye corners, pixels
	maxTurn      = 35   // degrees of yaw or pitch
	minMedian    = 30   // luma of the face
	maxSaturated = 0.25 // fraction of the face at 250 or more
	minSpread    = 12   // 90th less 10th percentile of the face's luma
	minDetail    = 0.95 // mean absolute Laplacian over spread, per cent; see detail
)

// light describes the luma of the face's inner part.
type light struct {
	median, spread float32 // 0..255; spread is the 90th less the 10th percentile
	saturated      float32 // fraction at 250 or more
	detail         float32 // fine detail, see measureLight
}

// assess measures a photograph's face.
func (p *picture) assess(m *mesh) ImageQuality {
	q := ImageQuality{Usable: true, Reasons: []QualityReason{}}
	refuse := func(bad bool, r QualityReason) {
		if bad {
			q.Usable = false
			q.Reasons = append(q.Reasons, r)
		}
	}
	h, l := m.pose(), p.measureLight(m)
	refuse(m.eyeDistance() < minEyes, QualityTooSmall)
	refuse(abs(h.yaw) > maxTurn || abs(h.pitch) > maxTurn+15, QualityTurnedAway)
	refuse(l.median < minMedian, QualityTooDark)
	refuse(l.saturated > maxSaturated, QualityTooBright)
	refuse(l.spread < minSpread, QualityLowContrast)
	refuse(l.detail < minDetail, QualityBlurred)
	return q
}

func abs(v float32) float32 { return max(v, -v) }

// measureLight samples 64 x 64 points of the face, upright, between forehead and
// chin. Detail is the mean absolute second difference at that scale relative to
// the spread, in per cent: it does not depend on the camera's contrast.
func (p *picture) measureLight(m *mesh) light {
	const n = 64
	var samples [n * n]byte
	a := alignment(m)
	// The middle 64 of the 112 aligned pixels: brows to chin, cheek to cheek.
	for y := range n {
		for x := range n {
			sx, sy := a.apply(float32(x)+24, float32(y)+36)
			samples[y*n+x] = p.lumaAt(sx, sy)
		}
	}
	defer clear(samples[:])
	var histogram [256]int
	for _, v := range samples {
		histogram[v]++
	}
	at := func(fraction float32) float32 {
		left := int(fraction * n * n)
		for v, count := range histogram {
			if left -= count; left < 0 {
				return float32(v)
			}
		}
		return 255
	}
	l := light{median: at(.5), spread: at(.9) - at(.1)}
	for _, count := range histogram[250:] {
		l.saturated += float32(count) / (n * n)
	}
	sum := 0
	for y := 1; y < n-1; y++ {
		for x := 1; x < n-1; x++ {
			i := y*n + x
			d := 4*int(samples[i]) - int(samples[i-1]) - int(samples[i+1]) - int(samples[i-n]) - int(samples[i+n])
			sum += max(d, -d)
		}
	}
	if l.spread > 0 {
		l.detail = 100 * float32(sum) / ((n - 2) * (n - 2) * 4) / l.spread
	}
	return l
}

// lumaAt is the luma at a point, bilinear, the nearest edge outside.
func (p *picture) lumaAt(x, y float32) byte {
	return byte(bilinear(p.y, p.w, p.h, int(x*one), int(y*one)) >> 16)
}
