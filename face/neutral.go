package face

import (
	"slices"
	"time"
)

// The neutral face is measured over a short still stretch while the person
// looks straight ahead.
const (
	neutralFrames = 5
	neutralFor    = 380 * time.Millisecond
	neutralStep   = neutralFor / (neutralFrames - 1) // least time between two of them, whatever the camera's rate
	neutralYaw    = 16                               // degrees from the camera's axis
	neutralRoll   = 20
	neutralPitch  = 25 // wide: pitch carries a constant that depends on the face
	neutralMoves  = 5  // degrees of movement within the stretch
)

// neutral is the person's own resting face.
type neutral struct {
	pose  pose
	mouth float32
	lips  float32
	drop  float32
	eyes  float32
	mesh  mesh
}

// neutralFinder keeps the last frames of a still stretch.
type neutralFinder struct {
	window [neutralFrames]observation
	count  int
}

func (f *neutralFinder) wipe() { *f = neutralFinder{} }

// add takes a frame and reports whether the stretch is complete; it returns the
// hint that helps to complete it.
func (f *neutralFinder) add(o *observation) (done bool, hint Hint) {
	switch {
	case o.blocked || o.hint != "" || o.eyes < 0:
		f.count = 0
		return false, o.hint
	case abs(o.pose.yaw) > neutralYaw || abs(o.pose.roll) > neutralRoll || abs(o.pose.pitch) > neutralPitch:
		f.count = 0
		return false, HintLookStraight
	}
	if f.count > 0 && o.at-f.window[f.count-1].at < neutralStep {
		return false, ""
	}
	if f.count == neutralFrames {
		copy(f.window[:], f.window[1:])
		f.count--
	}
	f.window[f.count] = *o
	f.count++
	if f.count < neutralFrames || o.at-f.window[0].at < neutralFor {
		return false, ""
	}
	for i := range f.window {
		d := o.pose.minus(f.window[i].pose)
		if abs(d.yaw) > neutralMoves || abs(d.pitch) > neutralMoves || abs(d.roll) > neutralMoves {
			return false, HintHoldStill
		}
	}
	return true, ""
}

// result is the median of the stretch; the mesh is the last frame's.
func (f *neutralFinder) result() neutral {
	last := &f.window[neutralFrames-1]
	return neutral{
		pose: pose{
			yaw:   f.median(func(o *observation) float32 { return o.pose.yaw }),
			pitch: f.median(func(o *observation) float32 { return o.pose.pitch }),
			roll:  f.median(func(o *observation) float32 { return o.pose.roll }),
		},
		mouth: f.median(func(o *observation) float32 { return o.mouth }),
		lips:  f.median(func(o *observation) float32 { return o.lips }),
		drop:  f.median(func(o *observation) float32 { return o.drop }),
		// Eyes close now and then but never open wider than they are.
		eyes: f.upper(func(o *observation) float32 { return o.eyes }),
		mesh: last.mesh,
	}
}

func (f *neutralFinder) median(of func(*observation) float32) float32 {
	return f.sorted(of)[neutralFrames/2]
}

func (f *neutralFinder) upper(of func(*observation) float32) float32 {
	return f.sorted(of)[neutralFrames-2]
}

func (f *neutralFinder) sorted(of func(*observation) float32) [neutralFrames]float32 {
	var v [neutralFrames]float32
	for i := range f.window {
		v[i] = of(&f.window[i])
	}
	slices.Sort(v[:])
	return v
}
