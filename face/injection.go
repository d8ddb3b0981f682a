package face

import (
	"math"
	"slices"
	"time"
)

// Signs that the pictures were made rather than taken: a sensor's noise that is
// not there, and joins between pieces of recordings.
const (
	noisePairs   = 64                     // comparisons of backgrounds that are kept
	noiseNeeded  = 12                     // of them before they are judged
	noiseSame    = .99                    // share of unchanged background points, in nine of ten, that is no camera\'s
	noiseLag     = 800 * time.Millisecond // least time between the two backgrounds
	wholeSame    = .97                    // share of all points from which two frames are the same picture
	backPoints   = 150                    // background points that a judgement needs
	pointDark    = 8                      // of 255: below and above, a sensor clips and its noise with it
	pointBright  = 247                    // of 255
	cutsAllowed  = 2                      // joins in a run; a push against the table may look like one
	cutWithin    = 150 * time.Millisecond // between two frames: after a gap anything may have moved
	cutBack      = 6                      // mean change of the background, levels, its brightness apart,
	cutBackTimes = 4                      // that many times what is usual in this run,
	cutPose      = 5                      // together with degrees of the head,
	cutShift     = .25                    // or eye distances of the face
	cutHistory   = 32                     // frames that say what is usual
	recurPlaces  = 96                     // pictures of the run that are remembered, coarsely
	recurAfter   = 500 * time.Millisecond
	recurStep    = 4 // every so many points of the coarse picture
	recurPoints  = gridColumns * gridRows / recurStep
)

// joint is what changed from one frame to the next.
type joint struct {
	back   float32 // of the background
	moved  bool    // the head jumped
	joined bool    // within cutWithin
}

// injection collects the signs over a run.
type injection struct {
	same  [noisePairs]float32 // share of unchanged background points
	pairs int
	held  [2]backdrop // pictures that later ones are compared with, older first
	twice int         // frames that show the picture before them again

	usual  [cutHistory]float32
	joints int
	last   [2]joint // the last two, newest first
	pose   pose
	centre point3
	eyes   float32
	at     time.Duration // captured
	seen   bool
	cuts   int

	past   [recurPlaces][recurPoints]byte
	when   [recurPlaces]time.Duration
	kept   int
	recurs int
}

// backdrop is a coarse picture and where the head was in it.
type backdrop struct {
	points [gridColumns * gridRows]byte
	box    detection
	at     time.Duration
	taken  bool
}

// look compares a frame with the one before it, and its background with that of
// about a second ago.
func (j *injection) look(s *stream, p *picture, o *observation) {
	now, before, ok := s.newest()
	if !ok {
		return
	}
	d := differ(now, before, p, o)
	if d.whole >= wholeSame {
		j.twice++ // the same picture again, however it was encoded: cameras do so in poor light
		return
	}
	j.recur(now, o.at)
	if d.points < backPoints {
		j.seen = false
		return
	}
	if o.found {
		j.compare(now, p, o)
	}
	j.join(o, d.back)
}

// compare counts the background points that are as they were noiseLag ago or
// longer. From one frame to the next they may well be the same before an honest
// camera: noise filters hold what changes little, and a compressed stream does
// not send again what hardly changed. Over a second the light, the exposure and
// the filters have moved it; a picture into which a face is painted still stands.
func (j *injection) compare(now *[gridColumns * gridRows]byte, p *picture, o *observation) {
	if b := &j.held[0]; b.taken && o.at-b.at >= noiseLag {
		same, points := 0, 0
		for i, v := range now {
			w := b.points[i]
			if min(v, w) < pointDark || max(v, w) > pointBright || !beside(i, p, o.box) || !beside(i, p, b.box) {
				continue
			}
			points++
			if v == w {
				same++
			}
		}
		if points >= backPoints {
			j.same[j.pairs%noisePairs] = float32(same) / float32(points)
			j.pairs++
		}
	}
	if last := &j.held[1]; !last.taken || o.at-last.at >= noiseLag {
		j.held[0] = *last
		*last = backdrop{points: *now, box: o.box, at: o.at, taken: true}
	}
}

// beside says whether a point of the coarse picture lies well beside or above the head.
func beside(i int, p *picture, b detection) bool {
	x := float32(2*(i%gridColumns)+1) * float32(p.w) / (2 * gridColumns)
	y := float32(2*(i/gridColumns)+1) * float32(p.h) / (2 * gridRows)
	return y <= b.y+b.h && (y <= b.y-.8*b.h || x <= b.x-.8*b.w || x >= b.x+1.8*b.w)
}

// difference between two coarse pictures.
type difference struct {
	whole  float32 // share of all points, clipped ones apart, that are the same
	back   float32 // mean change of the background about its mean
	points int     // of the background
}

func differ(now, before *[gridColumns * gridRows]byte, p *picture, o *observation) (d difference) {
	all, same, sum, square := 0, 0, 0, 0
	for i := range now {
		v, w := int(now[i]), int(before[i])
		if min(v, w) < pointDark || max(v, w) > pointBright {
			continue
		}
		all++
		if v == w {
			same++
		}
		if !beside(i, p, o.box) {
			continue
		}
		d.points++
		sum += v - w
		square += (v - w) * (v - w)
	}
	if all > 0 {
		d.whole = float32(same) / float32(all)
	}
	if n := float64(d.points); n > 0 {
		mean := float64(sum) / n
		d.back = float32(math.Sqrt(max(float64(square)/n-mean*mean, 0)))
	}
	return d
}

// join looks for a cut between the frame before last and the last, now that the
// one after is known: head and background jump in one step between calm ones. A
// person moves one, a hand that holds the camera shakes for longer.
func (j *injection) join(o *observation, back float32) {
	n := joint{back: back, joined: j.seen && o.captured-j.at <= cutWithin && o.captured > j.at}
	if o.found && j.seen {
		c := o.mesh.points[ptNoseTip].sub(j.centre)
		d := o.pose.minus(j.pose)
		n.moved = max(abs(d.yaw), abs(d.pitch)) > cutPose || float32(math.Hypot(float64(c.x), float64(c.y))) > cutShift*j.eyes
	}
	if j.seen = o.found; o.found {
		j.pose, j.centre, j.eyes, j.at = o.pose, o.mesh.points[ptNoseTip], o.mesh.eyeDistance(), o.captured
	}
	limit := max(cutBack, cutBackTimes*j.usually())
	if m := j.last[0]; m.joined && n.joined && m.moved && m.back > limit && n.back < limit/2 && j.last[1].back < limit/2 {
		j.cuts++
	}
	j.last[1], j.last[0] = j.last[0], n
	j.usual[j.joints%cutHistory] = back
	j.joints++
}

func (j *injection) usually() float32 {
	n := min(j.joints, cutHistory)
	if n == 0 {
		return 0
	}
	list := j.usual
	slices.Sort(list[:n])
	return list[n/2]
}

// recur counts pictures that were there before, others between: a loop. It is
// reported only: the cameras of tests wait in a loop.
func (j *injection) recur(now *[gridColumns * gridRows]byte, at time.Duration) {
	var points [recurPoints]byte
	defer clear(points[:])
	for i := range points {
		points[i] = now[i*recurStep]
	}
	for k := range min(j.kept, recurPlaces) {
		if at-j.when[k] < recurAfter {
			continue
		}
		same := 0
		for i, v := range j.past[k] {
			if v == points[i] {
				same++
			}
		}
		if same >= wholeSame*recurPoints {
			j.recurs++
			return
		}
	}
	j.past[j.kept%recurPlaces], j.when[j.kept%recurPlaces] = points, at
	j.kept++
}

// still is the share of background points that are as they were about a second
// before, in the tenth of the comparisons in which most changed. A good camera's
// noise hardly shows on a bright wall, but light, exposure and compression move a
// picture a little now and then; one into which a face is painted stays.
func (j *injection) still() float32 {
	n := min(j.pairs, noisePairs)
	if n == 0 {
		return 0
	}
	list := j.same
	slices.Sort(list[:n])
	return list[n/10]
}

// noisy says that the background changes as a sensor's noise makes it change. Too
// few pairs say nothing: then other signals fail.
func (j *injection) noisy() bool { return j.pairs < noiseNeeded || j.still() < noiseSame }

// whole says that the run is one recording.
func (j *injection) whole() bool { return j.cuts <= cutsAllowed }
