package face

import "context"

// Stage is a part of what is done for a frame.
type Stage struct {
	Name string
	Run  func() error
}

// Stages examines one camera frame, a JPEG image that shows a face, and lends
// measure the parts of that work, to be run again and again by one goroutine: this
// is how long each takes, without the rest.
func (e *Engine) Stages(ctx context.Context, jpeg []byte, measure func([]Stage) error) error {
	return e.with(ctx, func(k *worker) error {
		o, vector := &observation{}, make([]float32, k.dimensions)
		defer o.wipe()
		defer clear(vector)
		decode := func() error { return k.picture.decode(jpeg, frameLimits()) }
		if err := decode(); err != nil {
			return err
		}
		if err := k.observe(o, detection{}, true); err != nil {
			return err
		}
		k.picture.align(&o.mesh, &k.aligned)
		neutral := o.mesh
		defer func() { neutral = mesh{} }()
		return measure([]Stage{
			{"decode", decode},
			{"detect", func() error { _, err := k.detect(&k.picture); return err }},
			{"mesh", func() error { return k.findMesh(&k.picture, o.box, &o.mesh) }},
			{"light", func() error { k.picture.measureLight(&o.mesh); return nil }},
			{"focus", func() error { k.picture.defocus(&o.mesh, &k.focus); return nil }},
			{"eyes", func() error { return k.observeEyes(o) }},
			{"flatness", func() error { flatness(&neutral, &o.mesh); return nil }},
			{"align", func() error { k.picture.align(&o.mesh, &k.aligned); return nil }},
			{"embed", func() error { return k.embed(vector, &k.aligned, bothViews) }},
			{"grid", func() error { k.picture.gridStrength(&o.mesh, &k.gridWindow); return nil }},
			{"rainbow", func() error { k.picture.rainbow(&k.moire); return nil }},
		})
	})
}
