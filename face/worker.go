package face

import "errors"

// worker owns everything one frame needs: lanes on the networks and buffers.
// One goroutine uses it at a time; the engine keeps a few and lends them out.
type worker struct {
	pack            *Pack
	inferer         Inferer
	detectors       []*detectorLane
	mesh            Lane
	iris            Lane
	embedding       Lane
	passive         *passiveLane // nil where the pack has none
	embeddingFormat tensorFormat
	dimensions      int

	picture    picture
	found      []detection
	photo      photo
	aligned    alignedFace
	gridWindow gridWindow
	moire      moireScratch
	focus      focusWindow
	linear     [256]float64 // linearTable
}

// photo is what is known of the face of a still photograph.
type photo struct {
	mesh    mesh
	aligned alignedFace
}

func (f *photo) wipe() {
	f.mesh = mesh{}
	f.aligned.wipe()
}

func newWorker(p *Pack, inferer Inferer) (*worker, error) {
	k := &worker{pack: p, inferer: inferer, linear: linearTable()}
	open := func(role Role, input []int64, outputs ...[]int64) (Lane, error) {
		spec, err := p.spec(role, input, outputs)
		if err != nil {
			return nil, err
		}
		return inferer.NewLane(spec)
	}
	e, err := p.Manifest.network(RoleEmbedding)
	if err != nil {
		return nil, err
	}
	k.dimensions = e.Dimensions
	k.embeddingFormat = tensorFormat{bgr: e.Input.Order == "BGR", mean: e.Input.Mean, scale: e.Input.Scale}
	var errs [3]error
	k.mesh, errs[0] = open(RoleMesh, []int64{1, 3, meshSize, meshSize}, []int64{1, 3 * meshPoints, 1, 1}, []int64{1, 1, 1, 1})
	k.iris, errs[1] = open(RoleIris, []int64{1, 3, irisSize, irisSize}, []int64{1, 3 * irisPoints})
	k.embedding, errs[2] = open(RoleEmbedding, []int64{1, 3, alignedSize, alignedSize}, []int64{1, int64(e.Dimensions)})
	errPassive := k.openPassive()
	if err := errors.Join(errs[0], errs[1], errs[2], errPassive); err != nil {
		return nil, errors.Join(err, k.close())
	}
	return k, nil
}

func (k *worker) detectorLane(w, h int) (*detectorLane, error) {
	for _, l := range k.detectors {
		if l.w == w && l.h == h {
			return l, nil
		}
	}
	spec, err := detectorSpec(k.pack, w, h)
	if err != nil {
		return nil, err
	}
	lane, err := k.inferer.NewLane(spec)
	if err != nil {
		return nil, err
	}
	l := &detectorLane{lane: lane, w: w, h: h}
	k.detectors = append(k.detectors, l)
	return l, nil
}

func (k *worker) lanes() []Lane {
	list := make([]Lane, 0, 6)
	for _, l := range []Lane{k.mesh, k.iris, k.embedding} {
		if l != nil {
			list = append(list, l)
		}
	}
	for _, d := range k.detectors {
		list = append(list, d.lane)
	}
	if k.passive != nil {
		list = append(list, k.passive.lane)
	}
	return list
}

// wipe clears every pixel, point and vector of the last picture.
func (k *worker) wipe() {
	k.picture.wipe()
	k.photo.wipe()
	k.aligned.wipe()
	k.gridWindow.wipe()
	k.moire.wipe()
	k.focus.wipe()
	clear(k.found[:cap(k.found)])
	for _, l := range k.lanes() {
		l.Wipe()
	}
}

func (k *worker) close() error {
	k.wipe()
	var errs []error
	for _, l := range k.lanes() {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}
