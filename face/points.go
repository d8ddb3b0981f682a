package face

import "context"

// Points are where a face is in a picture, in pixels. They say nothing of whose
// it is.
type Points struct {
	EyeL, EyeR [2]float32 // centres; EyeL stands left in the image
	Nose       [2]float32
	MouthL     [2]float32
	MouthR     [2]float32
}

// FindFace finds the most prominent face of a JPEG image of at most 1280 pixels a
// side; found is false when there is none. An error is that of decoding, of the
// runtime, or the end of ctx.
func (e *Engine) FindFace(ctx context.Context, data []byte) (p Points, found bool, err error) {
	err = e.with(ctx, func(k *worker) error {
		if err := k.picture.decode(data, frameLimits()); err != nil {
			return err
		}
		faces, err := k.detect(&k.picture)
		if err != nil || len(faces) == 0 {
			return err
		}
		if err := k.findMesh(&k.picture, faces[0], &k.photo.mesh); err != nil {
			return err
		}
		five := k.photo.mesh.fivePoints()
		at := func(i int) [2]float32 { return [2]float32{five[i].x, five[i].y} }
		p, found = Points{at(0), at(1), at(2), at(3), at(4)}, true
		return nil
	})
	return p, found, err
}
