package face

import (
	"fmt"
	"math"
)

// Conventions of the MediaPipe face mesh: 468 points x, y, z in pixels of the
// 192 x 192 crop, z growing away from the camera, at the scale of x.
const (
	meshPoints = 468
	meshSize   = 192
	meshMargin = 1.25 // crop side over the longer side of the detector's box
)

// Indices of the mesh points used here (image-left is the person's right).
const (
	ptOuterEyeL, ptInnerEyeL   = 33, 133
	ptOuterEyeR, ptInnerEyeR   = 263, 362
	ptNoseTip, ptNoseBase      = 4, 2
	ptMouthL, ptMouthR         = 61, 291
	ptLipTop, ptLipBottom      = 13, 14
	ptLipUpper, ptLipLower     = 0, 17   // outer
	ptBrowSideL, ptBrowSideR   = 27, 257 // above the eyes
	ptCheekSideL, ptCheekSideR = 23, 253 // below
	ptForehead, ptChin         = 10, 152
	ptSideL, ptSideR           = 234, 454
)

// mesh is the face surface in picture pixels.
type mesh struct {
	points [meshPoints]point3
	score  float32 // probability that the crop shows a face
}

// pose holds head angles in degrees: yaw > 0 the person turns to their left,
// pitch > 0 looks up, roll > 0 tilts to their left shoulder.
type pose struct{ yaw, pitch, roll float32 }

func (p pose) minus(q pose) pose { return pose{p.yaw - q.yaw, p.pitch - q.pitch, p.roll - q.roll} }

// findMesh fits the mesh to a detected face.
func (k *worker) findMesh(p *picture, d detection, m *mesh) error {
	dx, dy := d.points[1].x-d.points[0].x, d.points[1].y-d.points[0].y
	angle := float32(math.Atan2(float64(dy), float64(dx)))
	side := max(d.w, d.h) * meshMargin
	crop := cropAffine(d.x+d.w/2, d.y+d.h/2, side, angle, meshSize, false)
	p.warp(k.mesh.Input(), meshSize, meshSize, crop, tensorFormat{scale: 1. / 255})
	if err := k.mesh.Run(); err != nil {
		return fmt.Errorf("face: mesh: %w", err)
	}
	scale := side / meshSize
	out := k.mesh.Output(0)
	for i := range m.points {
		x, y := crop.apply(out[3*i], out[3*i+1])
		m.points[i] = point3{x, y, out[3*i+2] * scale}
	}
	m.score = sigmoid(k.mesh.Output(1)[0])
	return nil
}

func sigmoid(v float32) float32 { return 1 / (1 + float32(math.Exp(float64(-v)))) }

// eyeDistance is the distance of the outer eye corners in pixels, in space, so
// that a turned head keeps its measure.
func (m *mesh) eyeDistance() float32 { return distance(m.points[ptOuterEyeL], m.points[ptOuterEyeR]) }

// pose reads the head angles off two axes of the face: side to side (points
// 234, 454) and forehead to chin (10, 152). Pitch carries a constant that
// depends on the face, so it is used relative to the person's own neutral.
func (m *mesh) pose() pose {
	right := m.points[ptSideR].sub(m.points[ptSideL]).unit()
	down := m.points[ptChin].sub(m.points[ptForehead])
	along := down.dot(right)
	down = down.sub(point3{right.x * along, right.y * along, right.z * along}).unit()
	back := right.cross(down)
	return pose{
		yaw:   degrees(math.Atan2(float64(-back.x), float64(back.z))),
		pitch: degrees(math.Asin(float64(min(max(back.y, -1), 1)))),
		roll:  degrees(math.Atan2(float64(right.y), float64(right.x))),
	}
}

func degrees(radians float64) float32 { return float32(radians * 180 / math.Pi) }

// mouthWidth is the distance of the mouth corners over the eye distance.
func (m *mesh) mouthWidth() float32 {
	return distance(m.points[ptMouthL], m.points[ptMouthR]) / m.eyeDistance()
}

// mouthOpening is the distance of the inner lips over the eye distance.
func (m *mesh) mouthOpening() float32 {
	return distance(m.points[ptLipTop], m.points[ptLipBottom]) / m.eyeDistance()
}

// lipDrop is the distance of the lower lip's outer edge from the base of the nose
// over the eye distance: the jaw's part of an open mouth. It shows where a moustache
// or teeth hide the inner lips.
func (m *mesh) lipDrop() float32 {
	return distance(m.points[ptNoseBase], m.points[ptLipLower]) / m.eyeDistance()
}

// fivePoints are the points of the ArcFace alignment, taken from the mesh.
func (m *mesh) fivePoints() [5]point2 {
	mid := func(i, j int) point2 {
		return point2{(m.points[i].x + m.points[j].x) / 2, (m.points[i].y + m.points[j].y) / 2}
	}
	at := func(i int) point2 { return point2{m.points[i].x, m.points[i].y} }
	return [5]point2{mid(ptOuterEyeL, ptInnerEyeL), mid(ptOuterEyeR, ptInnerEyeR), at(ptNoseTip), at(ptMouthL), at(ptMouthR)}
}
