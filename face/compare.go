package face

import (
	"context"
	"errors"
	"fmt"
)

// ErrPortrait means that the reference image holds no usable face.
var ErrPortrait = errors.New("face: the portrait holds no usable face")

// QualityReason is why an image is poor or unusable, as a code (after the
// defects of ISO/IEC 29794-5) that a person can act on.
type QualityReason string

// The reasons.
const (
	QualityNotDecodable QualityReason = "not_decodable" // not a JPEG, damaged, too large
	QualityNoFace       QualityReason = "no_face"
	QualitySeveralFaces QualityReason = "several_faces"
	QualityTooSmall     QualityReason = "too_small"    // eyes under 24 pixels apart
	QualityTurnedAway   QualityReason = "turned_away"  // yaw or pitch beyond 35 degrees
	QualityTooDark      QualityReason = "too_dark"     // median of the face under 30 of 255
	QualityTooBright    QualityReason = "too_bright"   // a quarter of the face saturated
	QualityLowContrast  QualityReason = "low_contrast" // the face's luma hardly varies
	QualityBlurred      QualityReason = "blurred"      // no fine detail left
	// Advice, with which an image stays usable.
	QualityCovered    QualityReason = "face_covered" // an eye or the mouth is hidden
	QualityEyesClosed QualityReason = "eyes_closed"
)

// ImageQuality says whether an image can be compared, and what is wrong with it or
// could be better.
type ImageQuality struct {
	Usable  bool            `json:"usable"`
	Reasons []QualityReason `json:"reasons"`
}

// Comparison is the outcome of comparing two images. It holds no similarity: a
// decision is stated with the false match rate of its threshold.
type Comparison struct {
	Compared bool    // both images were usable; otherwise Match is false
	Match    bool    // the decision
	FMR      string  // false match rate of the threshold in force, e.g. "1:10000"
	FNMR     float32 // false non-match rate measured at it, single image, fraction
	A, B     ImageQuality
}

// Compare decides whether two JPEG images show the same person. An image that
// cannot be used is a Comparison with reasons, not an error.
func (e *Engine) Compare(ctx context.Context, a, b []byte) (Comparison, error) {
	c := Comparison{FMR: e.threshold.FMR, FNMR: e.threshold.FNMR}
	err := e.with(ctx, func(k *worker) error {
		ea, eb := make([]float32, k.dimensions), make([]float32, k.dimensions)
		defer clear(ea)
		defer clear(eb)
		var errs [2]error
		c.A, errs[0] = k.template(ea, a)
		c.B, errs[1] = k.template(eb, b)
		if err := errors.Join(errs[:]...); err != nil {
			return err
		}
		c.Compared = c.A.Usable && c.B.Usable
		c.Match = c.Compared && cosine(ea, eb) >= e.threshold.Cosine
		return nil
	})
	return c, err
}

// template embeds the one face of a photograph into dst.
func (k *worker) template(dst []float32, data []byte) (ImageQuality, error) {
	if err := k.picture.decode(data, portraitLimits()); err != nil {
		return unusable(QualityNotDecodable), nil
	}
	found, err := k.detectPhoto()
	if err != nil {
		return ImageQuality{}, err
	}
	switch {
	case len(found) == 0:
		return unusable(QualityNoFace), nil
	case len(found) > 1 && found[1].area() > secondFace*found[0].area():
		return unusable(QualitySeveralFaces), nil
	}
	face := k.picture.shrunkTo(found[0])
	m := &k.photo.mesh
	if err := k.findMesh(&k.picture, face, m); err != nil {
		return ImageQuality{}, err
	}
	if m.score < meshScore {
		return unusable(QualityNoFace), nil
	}
	lids, err := k.eyesOpen(&k.picture, m)
	if err != nil {
		return ImageQuality{}, err
	}
	q := k.picture.assess(m, lids)
	if !q.Usable {
		return q, nil
	}
	k.picture.align(m, &k.photo.aligned)
	if err := k.embed(dst, &k.photo.aligned, bothViews); err != nil {
		return ImageQuality{}, fmt.Errorf("face: compare: %w", err)
	}
	return q, nil
}

// reducedLeast is the longer side, in pixels, below which a photograph without a
// face is not looked at again.
const reducedLeast = 240

// detectPhoto finds the faces of the photograph in the worker's picture. Where there
// is none, it looks again with half as many pixels a side, in place: a printed and
// scanned portrait has a raster of which the averages are free.
func (k *worker) detectPhoto() ([]detection, error) {
	for {
		found, err := k.detect(&k.picture)
		if err != nil || len(found) > 0 || max(k.picture.w, k.picture.h) < 2*reducedLeast {
			return found, err
		}
		k.picture.reduce(2)
	}
}

// shrunkTo reduces a photograph whose face is twice as large as the mesh takes, or
// larger, so that every measure sees averages, not single pixels of it. It returns
// the face in the picture that is left.
func (p *picture) shrunkTo(d detection) detection {
	k := int(max(d.w, d.h) * meshMargin / meshSize)
	if k < 2 {
		return d
	}
	p.reduce(k)
	f, half := 1/float32(k), (1/float32(k)-1)/2 // of pixel centres
	d.x, d.y, d.w, d.h = d.x*f+half, d.y*f+half, d.w*f, d.h*f
	for i, at := range d.points {
		d.points[i] = point2{at.x*f + half, at.y*f + half}
	}
	return d
}

func unusable(r QualityReason) ImageQuality { return ImageQuality{Reasons: []QualityReason{r}} }
