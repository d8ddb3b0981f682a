package face

import "context"

// Measured is what a frame shows, for tests against ground truth.
type Measured struct {
	Faces            int
	Yaw, Pitch, Roll float32
	Mouth, Lips      float32
	Eyes             float32
	EyeDistance      float32
	Detail           float32
	Embedding        []float32
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
			Eyes: o.eyes, EyeDistance: o.mesh.eyeDistance(), Detail: o.light.detail}
		if !embedding || !o.found {
			return nil
		}
		k.picture.align(&o.mesh, &k.aligned)
		m.Embedding = make([]float32, k.dimensions)
		return k.embed(m.Embedding, &k.aligned)
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
