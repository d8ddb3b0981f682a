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
	minFeature   = 0.2  // contrast within an eye or the mouth, see featureContrast
	featureTurn  = 25   // degrees of yaw up to which it is looked at
	minOpen      = 0.11 // opening of both lids over the eye's width
)

// light describes the luma of the face's inner part.
type light struct {
	median, spread float32 // 0..255; spread is the 90th less the 10th percentile
	saturated      float32 // fraction at 250 or more
	detail         float32 // fine detail, see measureLight
}

// assess measures a photograph's face; lids is the mean opening of the eyes. What
// covers the face, and closed eyes, are told and refuse nothing: a portrait once
// accepted by an issuer is not to be refused over them.
func (p *picture) assess(m *mesh, lids float32) ImageQuality {
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
	if p.covered(m) {
		q.Reasons = append(q.Reasons, QualityCovered)
	} else if lids < minOpen {
		q.Reasons = append(q.Reasons, QualityEyesClosed)
	}
	return q
}

// covered says whether something hides an eye or the mouth. Within an eye there
// are lashes, and a pupil when it is open; between the lips there is a shadow:
// whatever the colour of skin, hair or light, the picture has contrast there. Dark
// glasses, a mask or a hand are smooth in its place. Rendered faces show .32 and
// more, in side light and out of focus too; such covers .13 and less.
func (p *picture) covered(m *mesh) bool {
	if abs(m.pose().yaw) > featureTurn {
		return false
	}
	for _, f := range [][4]int{{ptOuterEyeL, ptInnerEyeL, ptBrowSideL, ptCheekSideL}, {ptInnerEyeR, ptOuterEyeR, ptBrowSideR, ptCheekSideR}, {ptMouthL, ptMouthR, ptLipUpper, ptLipLower}} {
		if p.featureContrast(m, f[0], f[1], f[2], f[3]) < minFeature {
			return true
		}
	}
	return false
}

// featureContrast is the range of luma (95th less 5th percentile) over its median
// in the parallelogram between two corners, as high as from top to bottom.
func (p *picture) featureContrast(m *mesh, left, right, top, bottom int) float32 {
	const columns, rows = 17, 13
	a, b := m.points[left], m.points[right]
	up := m.points[bottom].sub(m.points[top])
	var histogram [256]int
	for r := range rows {
		v := float32(r)/(rows-1) - .5
		for c := range columns {
			u := float32(c) / (columns - 1)
			histogram[p.lumaAt(a.x+(b.x-a.x)*u+up.x*v, a.y+(b.y-a.y)*u+up.y*v)]++
		}
	}
	defer clear(histogram[:])
	at := func(fraction float32) float32 { return percentile(&histogram, int(fraction*columns*rows)) }
	const noise = 8 // of a dark picture
	return (at(.95) - at(.05)) / (at(.5) + noise)
}

// percentile is the value that so many samples lie below.
func percentile(histogram *[256]int, below int) float32 {
	for v, count := range histogram {
		if below -= count; below < 0 {
			return float32(v)
		}
	}
	return 255
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
	at := func(fraction float32) float32 { return percentile(&histogram, int(fraction*n*n)) }
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
