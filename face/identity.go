package face

import (
	"fmt"
	"math"
	"time"
)

// The same face throughout, and the portrait's.
const (
	sampleSoon   = 300 * time.Millisecond  // between the first samples of the neutral face
	sampleLater  = 600 * time.Millisecond  // between further ones
	sampleTurned = 1500 * time.Millisecond // without any: take a turned or moving face
	earlySamples = 3
	samplesEach  = 2 // neutral samples needed in each part of the run
)

// What a neutral sample counts in the mean. The edges of a face that the camera's
// focus or a movement blurred hold less, and so does one under noise: as an average of
// measurements weighs each by its variance, by the squares of both. Even the poorest
// counts a quarter of the best, so that no frame decides alone (docs/adr/0071).
const (
	sharpDefocus = .8  // pixels; sharper than this no frame of a camera is
	cleanDetail  = 5   // per cent; see measureLight: what a face has more of is noise
	leastWeight  = .25 // of a sample
)

// weight is what a neutral sample of this frame counts, at most 1.
func (o *observation) weight() float32 {
	w := sharpDefocus / max(o.defocus, sharpDefocus) * cleanDetail / max(o.light.detail, cleanDetail)
	return max(w*w, leastWeight)
}

// sampleKind says how a sampled frame shows the face.
type sampleKind int

const (
	sampledCalm   sampleKind = iota // neutral, looking ahead
	sampledDone                     // completing an instruction, not neutral
	sampledTurned                   // turned or moving
)

// identity follows who the face is, in sums and extremes: no sample is kept.
type identity struct {
	sample  []float32 // the last
	early   []float32 // weighed sum of the neutral samples of the beginning
	late    []float32 // that of the later ones
	anchor  []float32 // unit mean of early
	counts  [2]int    // early, late
	turned  int
	minimum float32 // least cosine of a neutral sample with the anchor
	doneMin float32 // of one that completed an instruction
	turnMin float32 // of a turned one
	last    time.Duration
	taken   bool // last is valid
}

func newIdentity(dimensions int) identity {
	v := make([]float32, 4*dimensions)
	at := func(i int) []float32 { return v[i*dimensions : (i+1)*dimensions : (i+1)*dimensions] }
	return identity{sample: at(0), early: at(1), late: at(2), anchor: at(3), minimum: 1, doneMin: 1, turnMin: 1}
}

func (d *identity) wipe() {
	for _, v := range [][]float32{d.sample, d.early, d.late, d.anchor} {
		clear(v)
	}
	d.counts, d.turned, d.minimum, d.doneMin, d.turnMin, d.taken = [2]int{}, 0, 1, 1, 1, false
}

// due says whether a frame should be sampled.
func (d *identity) due(at time.Duration, calm bool) bool {
	wait := at - d.last
	switch {
	case !d.taken:
		return calm
	case !calm:
		return wait >= sampleTurned
	case d.counts[0]+d.counts[1] <= earlySamples:
		return wait >= sampleSoon
	}
	return wait >= sampleLater
}

// take embeds the aligned face of a frame and compares it with the beginning.
func (d *identity) take(k *worker, a *alignedFace, v views, o *observation, kind sampleKind, beginning bool) error {
	defer clear(d.sample)
	if err := k.embed(d.sample, a, v); err != nil {
		return fmt.Errorf("face: identity: %w", err)
	}
	d.last, d.taken = o.at, true
	if d.counts[0] > 0 {
		c := cosine(d.sample, d.anchor)
		switch kind {
		case sampledCalm:
			d.minimum = min(d.minimum, c)
		case sampledDone:
			d.turned++
			d.doneMin = min(d.doneMin, c)
		case sampledTurned:
			d.turned++
			d.turnMin = min(d.turnMin, c)
		}
	}
	switch {
	case kind != sampledCalm:
	case beginning || d.counts[0] < samplesEach:
		d.counts[0]++
		add(d.early, d.sample, o.weight())
		unit(d.anchor, d.early)
	default:
		d.counts[1]++
		add(d.late, d.sample, o.weight())
	}
	return nil
}

// enough says whether both parts of the run were sampled.
func (d *identity) enough() bool { return d.counts[0] >= samplesEach && d.counts[1] >= samplesEach }

// continuous says whether one person was there throughout.
func (d *identity) continuous(least Continuity) bool {
	return d.minimum >= least.Neutral && d.doneMin >= least.Completing && d.turnMin >= least.Turned
}

// similarity to a reference of the whole run, and the lesser of its two parts.
func (d *identity) similarity(reference []float32) (whole, least float32) {
	mean := d.sample // scratch
	defer clear(mean)
	d.whole(mean)
	whole = cosine(mean, reference)
	unit(mean, d.early)
	least = cosine(mean, reference)
	unit(mean, d.late)
	return whole, min(least, cosine(mean, reference))
}

// whole writes the unit mean of all neutral samples to dst.
func (d *identity) whole(dst []float32) {
	copy(dst, d.early)
	add(dst, d.late, 1)
	unit(dst, dst)
}

// add adds src, times w, to dst.
func add(dst, src []float32, w float32) {
	for i, v := range src {
		dst[i] += v * w
	}
}

// unit writes src, scaled to length one, to dst; zeros stay zeros.
func unit(dst, src []float32) {
	n := length(src)
	if n < 1e-9 || math.IsNaN(float64(n)) {
		clear(dst)
		return
	}
	for i, v := range src {
		dst[i] = v / n
	}
}
