package face

import "time"

// Limits of a usable camera frame.
const (
	nearFace     = .2  // area of a second face over the first's, from which it counts as near
	tooFarEyes   = .07 // distance of the outer eye corners over the picture's longer side
	tooNearFace  = .92 // height of the face over the picture's height
	frameMeshMin = .5  // probability of a face in the mesh's crop
	blackBelow   = 20  // mean luma of a picture that shows nothing
	darkFace     = 45  // median luma of a face that may stand against the light
	backlight    = 2.5 // luma of the whole picture over the face's
)

// observation is what one frame shows. It holds no pixel.
type observation struct {
	at       time.Duration // server's clock, since the first frame
	captured time.Duration // camera side's clock
	box      detection
	mesh     mesh
	pose     pose
	mouth    float32 // width over the eye distance
	lips     float32 // opening over the eye distance
	drop     float32 // of the lower lip under the nose, over the eye distance
	eyes     float32 // mean opening of the lids, or -1 when not measured
	light    light
	defocus  float32 // pixels, see picture.defocus
	sharpest float32 // the same, of the sharpest edges
	faces    int     // near faces
	found    bool    // one face, with a mesh
	hint     Hint    // what is wrong with the frame
	blocked  bool    // the frame is not fit to measure an action
}

func (o *observation) wipe() { *o = observation{} }

// observe measures the frame in the worker's picture. previous is where the face
// was, or an empty box.
func (k *worker) observe(o *observation, previous detection, wantEyes bool) error {
	o.eyes = -1
	found, err := k.detect(&k.picture)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		o.hint, o.blocked = HintFaceNotFound, true
		if k.picture.brightness() < blackBelow {
			o.hint = HintLensCovered
		}
		return nil
	}
	o.box = follow(found, previous)
	for _, d := range found {
		if d.area() >= nearFace*o.box.area() {
			o.faces++
		}
	}
	if err := k.findMesh(&k.picture, o.box, &o.mesh); err != nil {
		return err
	}
	if o.mesh.score < frameMeshMin {
		o.hint, o.blocked = HintFaceNotFound, true
		return nil
	}
	o.found = o.faces == 1
	o.pose = o.mesh.pose()
	o.mouth, o.lips, o.drop = o.mesh.mouthWidth(), o.mesh.mouthOpening(), o.mesh.lipDrop()
	o.light = k.picture.measureLight(&o.mesh)
	o.defocus, o.sharpest = k.picture.defocus(&o.mesh, &k.focus)
	o.judge(&k.picture)
	if wantEyes && o.found {
		return k.observeEyes(o)
	}
	return nil
}

func (k *worker) observeEyes(o *observation) (err error) {
	o.eyes, err = k.eyesOpen(&k.picture, &o.mesh)
	return err
}

// follow picks the detection that continues the previous one, else the largest.
func follow(found []detection, previous detection) detection {
	best, bestOverlap := found[0], float32(.1)
	if previous.w == 0 {
		return best
	}
	for _, d := range found {
		if v := overlap(d, previous); v > bestOverlap {
			best, bestOverlap = d, v
		}
	}
	return best
}

// brightness is the mean luma of 300 points of the picture.
func (p *picture) brightness() float32 {
	sum := 0
	for r := range 15 {
		for c := range 20 {
			sum += int(p.y[(2*r+1)*p.h/30*p.w+(2*c+1)*p.w/40])
		}
	}
	return float32(sum) / 300
}

// judge sets the hint and whether the frame is fit to measure an action.
func (o *observation) judge(p *picture) {
	b := o.box
	switch {
	case o.faces > 1:
		o.hint, o.blocked = HintOnePersonOnly, true
	case o.mesh.eyeDistance() < tooFarEyes*float32(max(p.w, p.h)):
		o.hint, o.blocked = HintComeCloser, true
	case b.h > tooNearFace*float32(p.h):
		o.hint, o.blocked = HintMoveBack, true
	case b.x+b.w/2 < .15*float32(p.w) || b.x+b.w/2 > .85*float32(p.w) || b.y+b.h/2 < .15*float32(p.h) || b.y+b.h/2 > .85*float32(p.h):
		o.hint, o.blocked = HintCenterFace, true
	case o.light.saturated > maxSaturated || (o.light.spread < minSpread && o.light.median >= 128):
		o.hint, o.blocked = HintLessLight, true
	case o.light.median < darkFace && p.brightness() > backlight*o.light.median:
		o.hint, o.blocked = HintLightBehind, o.light.median < minMedian
	case o.light.median < minMedian || o.light.spread < minSpread:
		o.hint, o.blocked = HintMoreLight, true
	case p.covered(&o.mesh):
		o.hint, o.blocked = HintUncoverFace, true
	}
}
