package face

import (
	"math"
	"time"
)

// LightOutcome says what the light of the page did on the face.
type LightOutcome string

// The outcomes.
const (
	// LightFollows: the face reflected the colours in the order drawn.
	LightFollows LightOutcome = "follows"
	// LightContradicts: it reflected colours, clearly, in another order.
	LightContradicts LightOutcome = "contradicts"
	// LightNotAvailable: no clear colour was seen: bright surroundings, a dim
	// screen, a camera that shows too little; or colours were not shown.
	LightNotAvailable LightOutcome = "not_available"
)

// LightReport is what the signal of light measured.
type LightReport struct {
	Outcome LightOutcome `json:"outcome"`
	// Shown colours; 0 when the policy or the person did without.
	Shown int `json:"shown"`
	// Frames measured while they were shown, and frames that could not be.
	Frames int `json:"frames"`
	Blind  int `json:"blind"`
	// Fit is the correlation with the sequence shown, -1 to 1, at the delay that
	// fits best; Chance the share of all sequences that fit as well; Best the
	// greatest fit of any.
	Fit    float32 `json:"fit"`
	Chance float32 `json:"chance"`
	Best   float32 `json:"best"`
	// Gain is the screen's light on the face over the room's, estimated.
	Gain  float32       `json:"gain"`
	Delay time.Duration `json:"delay_ns"` // from telling the page to seeing it
}

// Limits of the judgement.
const (
	lightDelays    = 11 // 0 to 500 ms
	lightDelayStep = 50 * time.Millisecond
	lightLate      = 31    // delays searched for a sequence that comes too late
	slotFrames     = 2     // measured frames that each colour needs
	followFit      = .6    // least fit
	followChance   = .002  // greatest share of sequences that fit as well
	followGain     = .003  // least gain
	partGain       = .25   // least gain of a region over the face's
	otherFit       = .78   // fit of another sequence that contradicts,
	otherGain      = .02   // its gain,
	otherChanges   = 4     // changes that it explains, of five,
	otherChance    = .05   // and how ordinary the one shown is
	otherLate      = .75   // fit, at any delay, from which the one shown may be late
	lightTiny      = 1e-12 // a sum of squares that is none
)

// slots are the sums over the frames of each colour at one delay, with the mean
// and the linear drift over the whole step taken out of the measures.
type slots struct {
	n, t  [lightColours]float64 // frames, and their times from the middle
	y     [lightColours]chroma  // sums of the measures
	total float64               // frames
	tt    float64               // sum of squared times
	yy    float64               // sum of squared measures
}

// at assigns frames to colours at a delay; ok is false when a colour has too few.
func (l *lightStep) slots(delay time.Duration) (s slots, ok bool) {
	return l.slotsOf(delay, l.at[:l.count], l.face[:l.count])
}

// slotsOf is slots for measures at other times.
func (l *lightStep) slotsOf(delay time.Duration, at []time.Duration, measures []chroma) (s slots, ok bool) {
	n := float64(len(at))
	var mid float64
	var mean chroma
	for i := range at {
		mid += at[i].Seconds() / n
		mean = mean.plus(measures[i], 1/n)
	}
	var slope chroma
	for i := range at {
		t := at[i].Seconds() - mid
		s.tt += t * t
		slope = slope.plus(measures[i].plus(mean, -1), t)
	}
	s.total = n
	slope = chroma{slope.r / max(s.tt, lightTiny), slope.b / max(s.tt, lightTiny)}
	for i := range at {
		t := at[i].Seconds() - mid
		y := measures[i].plus(mean, -1).plus(slope, -t)
		s.yy += y.dot(y)
		k := -1 // white
		for k+1 < l.next && at[i] >= l.told[k+1]+delay {
			k++
		}
		if k >= 0 {
			s.n[k]++
			s.t[k] += t
			s.y[k] = s.y[k].plus(y, 1)
		}
	}
	for _, n := range s.n {
		if n < slotFrames {
			return s, false
		}
	}
	return s, true
}

// fit is the correlation of the measures with a sequence, and the gain.
func (s *slots) fit(code *[lightColours]uint8, adds *[paletteSize]chroma) (fit, gain float64) {
	xy, xx := s.products(code, adds)
	if xx < lightTiny || s.yy < lightTiny {
		return 0, 0
	}
	return xy / math.Sqrt(xx*s.yy), xy / xx
}

// products are those of the sequence with the measures and with itself.
func (s *slots) products(code *[lightColours]uint8, adds *[paletteSize]chroma) (xy, xx float64) {
	var mean, slope chroma
	for k, c := range code {
		x := adds[c]
		xy += x.dot(s.y[k])
		xx += s.n[k] * x.dot(x)
		mean = mean.plus(x, s.n[k])
		slope = slope.plus(x, s.t[k])
	}
	xx -= mean.dot(mean)/s.total + slope.dot(slope)/max(s.tt, lightTiny)
	return xy, xx
}

// own is how far measures follow the sequence shown, with the sums it comes of; ok is
// false when a colour has too few.
func (l *lightStep) own(delay time.Duration, at []time.Duration, measures []chroma, adds *[paletteSize]chroma) (s slots, gain, xx float64, ok bool) {
	s, ok = l.slotsOf(delay, at, measures)
	if !ok {
		return s, 0, 0, false
	}
	xy, xx := s.products(&l.code, adds)
	if xx < lightTiny {
		return s, 0, 0, false
	}
	return s, xy / xx, xx, true
}

// everywhere says that no region of the skin evidently goes without the light that
// the others have: the page lights a whole face, its mirror image in glass, half as
// large as the page, covers a part. Evident is two standard errors.
func (l *lightStep) everywhere(delay time.Duration, gain float64, adds *[paletteSize]chroma) bool {
	var at [lightFrames]time.Duration
	var measures [lightFrames]chroma
	for part := range skinParts {
		n := 0
		for i := range l.count {
			if l.parts[i].seen[part] {
				at[n], measures[n] = l.at[i], l.parts[i].of[part]
				n++
			}
		}
		s, own, xx, ok := l.own(delay, at[:n], measures[:n], adds)
		if !ok {
			continue // hair, a hand
		}
		rest := max(s.yy-own*own*xx, 0) / float64(2*n) // variance of a measure's coordinate
		if own+2*math.Sqrt(rest/xx) < partGain*gain {
			return false
		}
	}
	return true
}

// changes counts where the measures move as the sequence does: at least half as
// far, in its direction.
func (s *slots) changes(code *[lightColours]uint8, adds *[paletteSize]chroma, gain float64) (count int) {
	for k := 1; k < lightColours; k++ {
		want := adds[code[k]].plus(adds[code[k-1]], -1)
		a, b := s.y[k-1], s.y[k]
		moved := chroma{b.r/s.n[k] - a.r/s.n[k-1], b.b/s.n[k] - a.b/s.n[k-1]}
		if moved.dot(want) >= gain*want.dot(want)/2 {
			count++
		}
	}
	return count
}

// judge weighs the sequence shown against every other that could have been drawn.
func (l *lightStep) judge() LightReport {
	r := LightReport{Outcome: LightNotAvailable, Shown: l.next, Frames: l.count, Blind: l.blind, Chance: 1}
	if l.next < lightColours {
		return r
	}
	var delays []slots
	for d := range lightDelays {
		s, ok := l.slots(time.Duration(d) * lightDelayStep)
		if !ok {
			return r
		}
		delays = append(delays, s)
	}
	var adds [paletteSize]chroma
	for i, c := range palette() {
		adds[i] = c.adds()
	}
	best := func(code *[lightColours]uint8) (fit, gain float64, at int) {
		fit = -1
		for d := range delays {
			if f, g := delays[d].fit(code, &adds); f > fit {
				fit, gain, at = f, g, d
			}
		}
		return fit, gain, at
	}
	own, gain, delay := best(&l.code)
	as, all := 0, 0
	top, topGain, topChanges := -1., 0., 0
	everyCode(func(code *[lightColours]uint8) {
		f, g, d := best(code)
		all++
		if f >= own {
			as++
		}
		if f > top {
			top, topGain, topChanges = f, g, delays[d].changes(code, &adds, g)
		}
	})
	r.Fit, r.Best, r.Chance = float32(own), float32(top), float32(as)/float32(all)
	r.Gain, r.Delay = float32(gain), time.Duration(delay)*lightDelayStep
	switch {
	case own >= followFit && r.Chance <= followChance && gain >= followGain:
		if l.everywhere(r.Delay, gain, &adds) && !l.glazed(r.Delay, gain, &adds) {
			r.Outcome = LightFollows
		}
	case top >= otherFit && topGain >= otherGain && topChanges >= otherChanges && r.Chance > otherChance && l.latest(&adds) < otherLate:
		r.Outcome = LightContradicts
	}
	return r
}

// latest is the best fit of the sequence shown at delays beyond those that count:
// a line so slow is no contradiction.
func (l *lightStep) latest(adds *[paletteSize]chroma) float64 {
	fit := -1.
	for d := lightDelays; d < lightLate; d++ {
		s, _ := l.slots(time.Duration(d) * lightDelayStep) // the last colours may have no frames left
		f, _ := s.fit(&l.code, adds)
		fit = max(fit, f)
	}
	return fit
}

// everyCode calls f with every sequence that draw can draw.
func everyCode(f func(*[lightColours]uint8)) {
	var code [lightColours]uint8
	var at func(int)
	at = func(i int) {
		if i == lightColours {
			f(&code)
			return
		}
		for c := range uint8(paletteSize) {
			if i > 0 && c == code[i-1] {
				continue
			}
			code[i] = c
			at(i + 1)
		}
	}
	at(0)
}
