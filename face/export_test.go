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

// Stages returns the parts of a frame's work as functions over one worker, which
// the second result gives back.
func (e *Engine) Stages(jpeg []byte) (map[string]func() error, func(), error) {
	k, err := e.take()
	if err != nil {
		return nil, nil, err
	}
	o, vector := &observation{}, make([]float32, k.dimensions)
	decode := func() error { return k.picture.decode(jpeg, frameLimits()) }
	if err := decode(); err != nil {
		return nil, nil, err
	}
	if err := k.observe(o, detection{}, true); err != nil {
		return nil, nil, err
	}
	k.picture.align(&o.mesh, &k.aligned)
	neutral := o.mesh
	return map[string]func() error{
		"decode":   decode,
		"detect":   func() error { _, err := k.detect(&k.picture); return err },
		"mesh":     func() error { return k.findMesh(&k.picture, o.box, &o.mesh) },
		"eyes":     func() error { return k.observeEyes(o) },
		"light":    func() error { k.picture.measureLight(&o.mesh); return nil },
		"flatness": func() error { flatness(&neutral, &o.mesh); return nil },
		"align":    func() error { k.picture.align(&o.mesh, &k.aligned); return nil },
		"embed":    func() error { return k.embed(vector, &k.aligned) },
		"grid":     func() error { k.picture.gridStrength(&o.mesh, &k.gridWindow); return nil },
		"rainbow":  func() error { k.picture.rainbow(&k.moire); return nil },
	}, func() { e.giveBack(k) }, nil
}
