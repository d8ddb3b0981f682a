package face

import (
	"fmt"
	"math"
)

// Conventions of the MediaPipe iris network: a 64 x 64 crop of one eye, upright,
// the image-right eye mirrored; 71 points of which the first 16 are the lids:
// 0 and 8 the corners, 1..7 the lower lid, 9..15 the upper.
const (
	irisSize   = 64
	irisPoints = 71
	irisMargin = 2.3 // crop side over the distance of the eye's corners
)

// eyeOpening is the mean height of the lid opening over the eye's width, for the
// image-left eye (right false) or the image-right one.
func (k *worker) eyeOpening(p *picture, m *mesh, right bool) (float32, error) {
	a, b := m.points[ptOuterEyeL], m.points[ptInnerEyeL]
	if right {
		a, b = m.points[ptInnerEyeR], m.points[ptOuterEyeR]
	}
	angle := float32(math.Atan2(float64(b.y-a.y), float64(b.x-a.x)))
	side := float32(math.Hypot(float64(b.x-a.x), float64(b.y-a.y))) * irisMargin
	crop := cropAffine((a.x+b.x)/2, (a.y+b.y)/2, side, angle, irisSize, right)
	p.warp(k.iris.Input(), irisSize, irisSize, crop, tensorFormat{scale: 1. / 255})
	if err := k.iris.Run(); err != nil {
		return 0, fmt.Errorf("face: iris: %w", err)
	}
	return lidOpening(k.iris.Output(0)), nil
}

// eyesOpen is the mean opening of both eyes.
func (k *worker) eyesOpen(p *picture, m *mesh) (float32, error) {
	left, err := k.eyeOpening(p, m, false)
	if err != nil {
		return 0, err
	}
	right, err := k.eyeOpening(p, m, true)
	return (left + right) / 2, err
}

// lidOpening averages the seven pairs of lid points.
func lidOpening(out []float32) float32 {
	at := func(i int) point2 { return point2{out[3*i], out[3*i+1]} }
	dist := func(p, q point2) float32 { return float32(math.Hypot(float64(p.x-q.x), float64(p.y-q.y))) }
	width := dist(at(0), at(8))
	if width < 1 {
		return 0
	}
	var sum float32
	for i := 1; i <= 7; i++ {
		sum += dist(at(i), at(i+8))
	}
	return sum / 7 / width
}
