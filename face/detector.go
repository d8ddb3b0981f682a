package face

import (
	"fmt"
	"math"
	"slices"
)

// YuNet (Wu et al. 2023): three strides, each cell giving a class and an object
// score, a box and five points.
const (
	detectorLong  = 320 // longer side of the detector's input, pixels
	detectorScore = 0.6 // sqrt(class * object) from which a box counts
	detectorIoU   = 0.3 // overlap above which the weaker box is dropped
	maxDetections = 16
)

// detection is a face found by the detector, in picture pixels.
type detection struct {
	x, y, w, h float32
	score      float32
	points     [5]point2 // image-left eye, image-right eye, nose, mouth corners
}

func (d detection) area() float32 { return d.w * d.h }

// detectorLane is a lane of one input shape.
type detectorLane struct {
	lane Lane
	w, h int
}

func detectorSpec(p *Pack, w, h int) (NetworkSpec, error) {
	var outputs [][]int64
	for _, channels := range []int64{1, 1, 4, 10} {
		for _, stride := range []int{8, 16, 32} {
			outputs = append(outputs, []int64{1, int64(w / stride * h / stride), channels})
		}
	}
	return p.spec(RoleDetector, []int64{1, 3, int64(h), int64(w)}, outputs)
}

// detectorShape chooses the input for a picture: 320 x 256 for landscape 4:3,
// 256 x 320 for portrait, else 320 x 320.
func detectorShape(w, h int) (int, int) {
	switch {
	case h*320 <= w*256:
		return detectorLong, 256
	case w*320 <= h*256:
		return 256, detectorLong
	}
	return detectorLong, detectorLong
}

// detect finds the faces of p, the largest first. The result is valid until the
// worker's next detection.
func (k *worker) detect(p *picture) ([]detection, error) {
	w, h := detectorShape(p.w, p.h)
	l, err := k.detectorLane(w, h)
	if err != nil {
		return nil, err
	}
	spec := tensorFormat{bgr: true, scale: 1}
	scale := float32(max((p.w+w-1)/w, (p.h+h-1)/h))
	if whole := int(scale); scale > 1 {
		p.shrink(l.lane.Input(), w, h, whole, spec)
	} else {
		// Small pictures (chip portraits, thumbnails) are enlarged to fit.
		scale = max(float32(p.w)/float32(w), float32(p.h)/float32(h))
		p.warp(l.lane.Input(), w, h, affine{a: scale, d: scale}, spec)
	}
	if err := l.lane.Run(); err != nil {
		return nil, fmt.Errorf("face: detect: %w", err)
	}
	k.found = decodeDetections(k.found[:0], l, scale)
	return k.found, nil
}

func decodeDetections(found []detection, l *detectorLane, scale float32) []detection {
	for i, stride := range []int{8, 16, 32} {
		cls, obj := l.lane.Output(i), l.lane.Output(3+i)
		box, kps := l.lane.Output(6+i), l.lane.Output(9+i)
		columns, s := l.w/stride, float32(stride)
		for cell := range cls {
			score := cls[cell] * obj[cell]
			if score < detectorScore*detectorScore {
				continue
			}
			c, r := float32(cell%columns), float32(cell/columns)
			b := box[4*cell : 4*cell+4]
			d := detection{score: float32(math.Sqrt(float64(score)))}
			d.w, d.h = expf(b[2])*s*scale, expf(b[3])*s*scale
			d.x, d.y = (c+b[0])*s*scale-d.w/2, (r+b[1])*s*scale-d.h/2
			for n := range d.points {
				d.points[n] = point2{(kps[10*cell+2*n] + c) * s * scale, (kps[10*cell+2*n+1] + r) * s * scale}
			}
			found = append(found, d)
		}
	}
	return suppress(found)
}

// suppress keeps the strongest of overlapping boxes and sorts by area.
func suppress(found []detection) []detection {
	slices.SortFunc(found, func(a, b detection) int { return compareFloat(b.score, a.score) })
	kept := found[:0]
	for _, d := range found {
		if len(kept) == maxDetections {
			break
		}
		if !slices.ContainsFunc(kept, func(o detection) bool { return overlap(d, o) > detectorIoU }) {
			kept = append(kept, d)
		}
	}
	slices.SortFunc(kept, func(a, b detection) int { return compareFloat(b.area(), a.area()) })
	return kept
}

func overlap(a, b detection) float32 {
	w := min(a.x+a.w, b.x+b.w) - max(a.x, b.x)
	h := min(a.y+a.h, b.y+b.h) - max(a.y, b.y)
	if w <= 0 || h <= 0 {
		return 0
	}
	both := w * h
	return both / (a.area() + b.area() - both)
}

func compareFloat(a, b float32) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func expf(v float32) float32 { return float32(math.Exp(float64(min(v, 20)))) }
