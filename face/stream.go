package face

import (
	"bytes"
	"hash/maphash"
	"math"
	"time"
)

// Signs in the stream itself: the same frame again, frames mixed from their
// neighbours, clocks that do not fit.
const (
	gridColumns = 80 // sampled points of a frame
	gridRows    = 60
	movingLevel = 1.5 // mean change over two frames, brightness apart, from which a triple is judged, of 255
	mixedRatio  = .2  // deviation from the nearest mixture of the neighbours over their difference
	mixedEdge   = .15 // share of either neighbour from which a frame counts as mixed, not as the other
	mixedMin    = 8   // triples judged before the share counts
	mixedShare  = .2  // share of mixed triples from which the stream was interpolated
)

// Clocks: the page's must keep pace with the server's. A frame cannot be taken
// after it arrived, but the first may have been held up; a slow line delays.
const (
	clockLead = 5 * time.Second
	clockLag  = 12 * time.Second
)

// stream keeps three coarse pictures (80 x 60 points) and counts.
type stream struct {
	seed     maphash.Seed
	last     uint64
	hashed   bool
	points   [3][gridColumns * gridRows]byte
	count    int
	repeats  int
	frames   int
	judged   int
	mixed    int
	first    time.Duration // captured
	lastTime time.Duration
	backward int           // times the camera's clock did not advance
	lead     time.Duration // most that the page's clock ran before the server's
	lag      time.Duration // and behind
	pace     spread        // of the times between frames, milliseconds
}

// spread is a running mean and variance (Welford).
type spread struct{ n, mean, sum float64 }

func (s *spread) add(v float64) {
	s.n++
	d := v - s.mean
	s.mean += d / s.n
	s.sum += d * (v - s.mean)
}

func (s *spread) deviation() float64 { return math.Sqrt(s.sum / max(s.n-1, 1)) }

// arrives counts a frame, received at a time since the first, and reports whether it is the previous one again.
func (s *stream) arrives(data []byte, captured, received time.Duration) bool {
	if s.frames == 0 {
		s.seed, s.first = maphash.MakeSeed(), captured
	} else {
		if captured <= s.lastTime {
			s.backward++
		}
		s.pace.add(float64(captured-s.lastTime) / float64(time.Millisecond))
	}
	ahead := captured - s.first - received
	s.lead, s.lag = max(s.lead, ahead), max(s.lag, -ahead)
	s.frames++
	s.lastTime = captured
	sum := maphash.Bytes(s.seed, bytes.TrimSpace(data))
	same := s.hashed && sum == s.last
	s.last, s.hashed = sum, true
	if same {
		s.repeats++
	}
	return same
}

// look compares the frame before last with the mixture of its neighbours that is
// nearest to it, in whatever shares: half and half when frames were doubled, thirds
// at other rates, any in a cross-fade. A camera adds noise of its own to every
// frame, and motion is not linear in the pixels' values; a mixed frame lies between.
func (s *stream) look(p *picture) {
	now := &s.points[s.count%3]
	for r := range gridRows {
		y := (2*r + 1) * p.h / (2 * gridRows)
		for c := range gridColumns {
			x := (2*c + 1) * p.w / (2 * gridColumns)
			now[r*gridColumns+c] = p.y[y*p.w+x]
		}
	}
	s.count++
	if s.count < 3 {
		return
	}
	a, b := &s.points[s.count%3], &s.points[(s.count+1)%3]
	last, middle := brightness(now, a), brightness(b, a)
	var span, along, square float32
	for i, from := range a {
		d := last.change(now[i], from)
		span += abs(d)
		along += d * middle.change(b[i], from)
		square += d * d
	}
	const n = gridColumns * gridRows
	if span/n < movingLevel {
		return
	}
	s.judged++
	share := along / square
	if share < mixedEdge || share > 1-mixedEdge {
		return
	}
	var off float32
	for i, from := range a {
		off += abs(middle.change(b[i], from) - share*last.change(now[i], from))
	}
	if off < mixedRatio*span {
		s.mixed++
	}
}

// exposed is the change of a picture's brightness against one before: gain and
// offset, by least squares.
type exposed struct{ gain, offset float32 }

// brightness compares two coarse pictures. While a camera adapts its exposure every
// frame lies between its neighbours, and is none of their mixtures: so it is taken out.
// A mixture stays one.
func brightness(now, before *[gridColumns * gridRows]byte) exposed {
	const n = gridColumns * gridRows
	sum, from, square, both := 0, 0, 0, 0
	for i, v := range before {
		w := int(now[i])
		sum, from = sum+w, from+int(v)
		square, both = square+int(v)*int(v), both+int(v)*w
	}
	e := exposed{gain: 1}
	if spread := n*square - from*from; spread > 0 {
		e.gain = float32(n*both-sum*from) / float32(spread)
	}
	e.offset = (float32(sum) - e.gain*float32(from)) / n
	return e
}

// change of a point, the brightness apart.
func (e exposed) change(now, before byte) float32 {
	return float32(now) - e.gain*float32(before) - e.offset
}

// paced says that the page's clock kept pace with the server's.
func (s *stream) paced() bool { return s.lead <= clockLead && s.lag <= clockLag }

// newest returns the last two coarse pictures, newest first; ok is false before.
func (s *stream) newest() (now, before *[gridColumns * gridRows]byte, ok bool) {
	return &s.points[(s.count+2)%3], &s.points[(s.count+1)%3], s.count >= 2
}

// interpolated says whether too many frames lie between their neighbours.
func (s *stream) interpolated() bool {
	return s.judged >= mixedMin && float32(s.mixed) >= mixedShare*float32(s.judged)
}
