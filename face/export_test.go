package face

import (
	"context"
	"errors"
	"reflect"
)

// Measured is what a frame shows, for tests against ground truth.
type Measured struct {
	Faces            int
	Yaw, Pitch, Roll float32
	Mouth, Lips      float32
	Eyes             float32
	EyeDistance      float32
	Defocus          float32
	Embedding        []float32
	Hint             Hint
}

// Measure examines one frame.
func (e *Engine) Measure(ctx context.Context, jpeg []byte, embedding bool) (m Measured, err error) {
	err = e.with(ctx, func(k *worker) error {
		if err := k.picture.decode(jpeg, frameLimits()); err != nil {
			return err
		}
		var o observation
		if err := k.observe(&o, detection{}, true); err != nil {
			return err
		}
		m = Measured{Faces: o.faces, Yaw: o.pose.yaw, Pitch: o.pose.pitch, Roll: o.pose.roll, Mouth: o.mouth, Lips: o.lips,
			Eyes: o.eyes, EyeDistance: o.mesh.eyeDistance(), Defocus: o.defocus, Hint: o.hint}
		if !embedding || !o.found {
			return nil
		}
		k.picture.align(&o.mesh, &k.aligned)
		m.Embedding = make([]float32, k.dimensions)
		return k.embed(m.Embedding, &k.aligned, bothViews)
	})
	return m, err
}

// Cosine of two unit vectors.
func Cosine(a, b []float32) float32 { return cosine(a, b) }

// Busy takes n workers out of the pool until the returned function is called.
func (e *Engine) Busy(n int) (release func()) {
	for range n {
		<-e.tokens
	}
	return func() {
		for range n {
			e.tokens <- struct{}{}
		}
	}
}

// Reference is the embedding of the check's portrait, in place.
func (c *Check) Reference() []float32 { return c.reference }

// Sums are the vectors a check keeps of a run, in place.
func (c *Check) Sums() [][]float32 {
	return [][]float32{c.identity.early, c.identity.late, c.identity.anchor}
}

// Landmarks are the mesh points of the largest face, in pixels.
func (e *Engine) Landmarks(ctx context.Context, jpeg []byte) (points [meshPoints][2]float32, err error) {
	err = e.with(ctx, func(k *worker) error {
		if err := k.picture.decode(jpeg, portraitLimits()); err != nil {
			return err
		}
		found, err := k.detect(&k.picture)
		if err != nil || len(found) == 0 {
			return errors.Join(err, ErrPortrait)
		}
		if err := k.findMesh(&k.picture, found[0], &k.photo.mesh); err != nil {
			return err
		}
		for i, p := range k.photo.mesh.points {
			points[i] = [2]float32{p.x, p.y}
		}
		return nil
	})
	return points, err
}

// Enrolling is a check whose portrait is embedded when the function is called.
func (e *Engine) Enrolling(ctx context.Context, portrait []byte) (*Check, func() error) {
	c := e.newCheck(Challenge{ActionCenter, ActionBlink})
	return c, func() error { _, err := c.enrolled(ctx, portrait); return err }
}

// Remains names the fields of a check that hold anything, but for what it was
// given before it saw anybody.
func (c *Check) Remains() (names []string) {
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		switch name := v.Type().Field(i).Name; name {
		case "engine", "challenge", "over":
		default:
			if !v.Field(i).IsZero() {
				names = append(names, name)
			}
		}
	}
	return names
}

// Decoded shows the luma of a decoded picture, wiped afterwards.
func Decoded(jpeg []byte, see func(luma []byte)) {
	var p picture
	defer p.wipe()
	if p.decode(jpeg, portraitLimits()) == nil {
		see(p.y)
	}
}
