package face

import (
	"bytes"
	"hash/maphash"
	"time"
)

// Signs in the stream itself: the same frame again, frames mixed from their
// neighbours, clocks that do not fit.
const (
	gridColumns = 80 // sampled points of a frame
	gridRows    = 60
	movingLevel = 1.5 // mean change over two frames from which a triple is judged, of 255
	mixedRatio  = .22 // deviation from the neighbours' mean over their difference
	mixedMin    = 8   // triples judged before the share counts
	mixedShare  = .35 // share of mixed triples from which the stream was interpolated
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
	backward int // times the camera's clock did not advance
}

func (s *stream) wipe() {
	for i := range s.points {
		clear(s.points[i][:])
	}
	s.last, s.hashed, s.count = 0, false, 0
}

// arrives counts a frame and reports whether it is the previous one again.
func (s *stream) arrives(data []byte, captured time.Duration) bool {
	if s.frames == 0 {
		s.seed, s.first = maphash.MakeSeed(), captured
	} else if captured <= s.lastTime {
		s.backward++
	}
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

// look compares the frame before last with the mean of its neighbours. A camera
// adds noise of its own to every frame, and motion is not linear in the pixels'
// values; a frame mixed from its neighbours lies between them.
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
	span, off := 0, 0
	for i := range now {
		d := int(now[i]) - int(a[i])
		span += max(d, -d)
		m := 2*int(b[i]) - int(now[i]) - int(a[i])
		off += max(m, -m)
	}
	const n = gridColumns * gridRows
	if float32(span)/n < movingLevel {
		return
	}
	s.judged++
	if float32(off)/2 < mixedRatio*float32(span) {
		s.mixed++
	}
}

// interpolated says whether too many frames lie between their neighbours.
func (s *stream) interpolated() bool {
	return s.judged >= mixedMin && float32(s.mixed) >= mixedShare*float32(s.judged)
}
