package face

import "math"

// flatness returns how far the mesh b is from being the mesh a seen as a plane
// would be: the root mean square residual, in per cent of b's outer eye distance,
// of the homography that best maps a's 468 image points on b's (normalised direct
// linear transform, Hartley and Zisserman §4.4).
//
// A photograph, turned or bent slightly, moves as a plane does and leaves a small
// residual; a head does not, because its nose stands before its ears.
func flatness(a, b *mesh) float32 {
	na, nb := normaliser(a), normaliser(b)
	var ata [8][9]float64 // normal equations with h33 = 1
	for i := range a.points {
		x, y := na.apply64(a.points[i])
		u, v := nb.apply64(b.points[i])
		rows := [2][9]float64{
			{x, y, 1, 0, 0, 0, -u * x, -u * y, u},
			{0, 0, 0, x, y, 1, -v * x, -v * y, v},
		}
		for _, r := range rows {
			for j := range 8 {
				for k := j; k < 9; k++ {
					ata[j][k] += r[j] * r[k]
				}
			}
		}
	}
	for j := range 8 {
		for k := range j {
			ata[j][k] = ata[k][j]
		}
	}
	h, ok := solve8(&ata)
	if !ok {
		return 0
	}
	var sum float64
	for i := range a.points {
		x, y := na.apply64(a.points[i])
		u, v := nb.apply64(b.points[i])
		w := h[6]*x + h[7]*y + 1
		if math.Abs(w) < 1e-6 {
			return 0
		}
		du, dv := (h[0]*x+h[1]*y+h[2])/w-u, (h[3]*x+h[4]*y+h[5])/w-v
		sum += du*du + dv*dv
	}
	rms := math.Sqrt(sum/meshPoints) / nb.scale
	return float32(100 * rms / float64(max(b.eyeDistance(), 1)))
}

// normaliser moves points to a mean of zero and a mean distance of sqrt 2.
type normaliser64 struct{ cx, cy, scale float64 }

func (n normaliser64) apply64(p point3) (float64, float64) {
	return (float64(p.x) - n.cx) * n.scale, (float64(p.y) - n.cy) * n.scale
}

func normaliser(m *mesh) normaliser64 {
	var n normaliser64
	for _, p := range m.points {
		n.cx += float64(p.x)
		n.cy += float64(p.y)
	}
	n.cx /= meshPoints
	n.cy /= meshPoints
	var sum float64
	for _, p := range m.points {
		sum += math.Hypot(float64(p.x)-n.cx, float64(p.y)-n.cy)
	}
	n.scale = math.Sqrt2 * meshPoints / max(sum, 1e-6)
	return n
}

// solve8 solves eight linear equations, Gauss with partial pivoting.
func solve8(m *[8][9]float64) (h [8]float64, ok bool) {
	for c := range 8 {
		p := c
		for r := c + 1; r < 8; r++ {
			if math.Abs(m[r][c]) > math.Abs(m[p][c]) {
				p = r
			}
		}
		if math.Abs(m[p][c]) < 1e-9 {
			return h, false
		}
		m[c], m[p] = m[p], m[c]
		for r := c + 1; r < 8; r++ {
			f := m[r][c] / m[c][c]
			for k := c; k < 9; k++ {
				m[r][k] -= f * m[c][k]
			}
		}
	}
	for c := 7; c >= 0; c-- {
		v := m[c][8]
		for k := c + 1; k < 8; k++ {
			v -= m[c][k] * h[k]
		}
		h[c] = v / m[c][c]
	}
	return h, true
}
