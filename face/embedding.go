package face

import (
	"fmt"
	"math"
	"slices"
)

// alignedSize is the side of an aligned face in pixels.
const alignedSize = 112

// arcFacePoints are the canonical five points of ArcFace (Deng et al. 2019) in a
// 112 x 112 crop.
func arcFacePoints() [5]point2 {
	return [5]point2{{38.2946, 51.6963}, {73.5318, 51.5014}, {56.0252, 71.7366}, {41.5493, 92.3655}, {70.7299, 92.2041}}
}

// alignment maps a 112 x 112 crop onto the face in the picture.
func alignment(m *mesh) affine {
	to, from := m.fivePoints(), arcFacePoints()
	// Fitting picture -> crop and inverting weighs errors in crop pixels, as the
	// networks' own training did.
	return similarity(to[:], from[:]).inverse()
}

// inverse of a similarity.
func (m affine) inverse() affine {
	det := m.a*m.d - m.b*m.c
	if det == 0 {
		return affine{a: 1, d: 1}
	}
	i := affine{a: m.d / det, b: -m.b / det, c: -m.c / det, d: m.a / det}
	i.tx = -(i.a*m.tx + i.b*m.ty)
	i.ty = -(i.c*m.tx + i.d*m.ty)
	return i
}

// alignedFace is a face crop kept for a while in place of the whole picture:
// three planes of 112 x 112, R, G, B, 0..255.
type alignedFace struct {
	pixels  []float32
	quality float32
	ok      bool
}

func (a *alignedFace) wipe() {
	clear(a.pixels)
	a.pixels = a.pixels[:0]
	a.ok, a.quality = false, 0
}

// alignedPoints is at most how many points along a side a pixel of the crop is
// the mean of.
const alignedPoints = 4

// align cuts the aligned face out of the picture. Where a step in the crop is one
// and a half of the picture's pixels or more, single points would pass over some:
// each pixel of the crop is then the mean of so many points a side as the step is
// pixels. That averages the camera's noise, and the raster of print, instead of
// picking from them (docs/adr/0071). A picture no larger than the crop is sampled
// at single points, as those were that the thresholds come from.
func (p *picture) align(m *mesh, a *alignedFace) {
	const size = 3 * alignedSize * alignedSize
	crop := alignment(m)
	step := math.Hypot(float64(crop.a), float64(crop.c))
	n := min(max(int(step+.5), 1), alignedPoints)
	a.pixels = grow(a.pixels, 2*size)
	sum, points := a.pixels[:size], a.pixels[size:]
	clear(sum)
	f := tensorFormat{scale: 1 / float32(n*n)}
	for i := range n * n {
		u, v := (float32(i%n)+.5)/float32(n)-.5, (float32(i/n)+.5)/float32(n)-.5
		at := crop
		at.tx, at.ty = crop.apply(u, v)
		p.warp(points, alignedSize, alignedSize, at, f)
		add(sum, points, 1)
	}
	clear(points)
	a.pixels, a.ok = sum, true
}

// views says from what an embedding is made.
type views int

const (
	oneView   views = 1
	bothViews views = 2 // the face and its mirror image
)

// embed returns the unit-length embedding of an aligned face in dst, which stays
// empty when that fails: averaged with that of its mirror image, or of one view
// only, in half the time.
func (k *worker) embed(dst []float32, a *alignedFace, v views) error {
	done := false
	defer func() { // also when the runtime panics
		if !done {
			clear(dst)
		}
	}()
	clear(dst)
	for view := range v {
		k.fillEmbedding(a.pixels, view == 1)
		if err := k.embedding.Run(); err != nil {
			return fmt.Errorf("face: embed: %w", err)
		}
		out := k.embedding.Output(0)
		n := length(out)
		if n < 1e-6 || math.IsNaN(float64(n)) {
			return fmt.Errorf("face: embed: the network gave no direction")
		}
		for i, v := range out {
			dst[i] += v / n
		}
	}
	n := length(dst)
	if n < 1e-6 {
		return fmt.Errorf("face: embed: the network gave no direction")
	}
	for i := range dst {
		dst[i] /= n
	}
	done = true
	return nil
}

func (k *worker) fillEmbedding(pixels []float32, mirrored bool) {
	const n = alignedSize * alignedSize
	in := k.embedding.Input()
	f := k.embeddingFormat
	for c := range 3 {
		to := c
		if f.bgr {
			to = 2 - c
		}
		src, dst := pixels[c*n:(c+1)*n], in[to*n:(to+1)*n]
		for i, v := range src {
			dst[i] = (v - f.mean) * f.scale
		}
		if mirrored {
			for row := range alignedSize {
				slices.Reverse(dst[row*alignedSize : (row+1)*alignedSize])
			}
		}
	}
}

func length(v []float32) float32 {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return float32(math.Sqrt(sum))
}

// cosine of two unit vectors.
func cosine(a, b []float32) float32 {
	var sum float64
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return float32(sum)
}
