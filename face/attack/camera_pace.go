package attack

import (
	"time"

	"ipse/face"
)

// timing is when frames are taken, what the browser says of it, and when they arrive.
type timing struct {
	rate    float64       // frames a second; 0: the presentation's own
	jitter  float64       // of the times, fraction
	doubled float64       // share of frames that show the picture before again
	dropped float64       // share that is lost
	hiccup  float64       // chance a frame that the page is busy for .2 to .45 s
	clock   time.Duration // to which the browser rounds its clock
	delay   float64       // of the line, seconds
	stall   float64       // chance a frame that the line stands for .3 to 1.2 s; then all comes at once
}

// pace draws the times of a presentation's frames.
type pacing struct {
	timing
	r       *Random
	at      time.Duration
	arrived time.Duration
	until   time.Duration // the line stands
	begun   bool
}

// next returns when the frame is taken, when the browser says so, when it arrives,
// and whether it shows the picture before again.
func (p *pacing) next() (at, said, received time.Duration, again bool) {
	if p.begun {
		for {
			p.at += seconds((1 + p.jitter*p.r.Float(-1, 1)) / p.rate)
			if p.hiccup > 0 && p.r.Chance(p.hiccup) {
				p.at += seconds(p.r.Float(.2, .45))
			}
			if p.dropped == 0 || !p.r.Chance(p.dropped) {
				break
			}
		}
		again = p.doubled > 0 && p.r.Chance(p.doubled)
	}
	p.begun = true
	said = p.at
	if p.clock > 0 {
		said = said.Truncate(p.clock)
	}
	received = p.at
	if p.delay > 0 {
		received += seconds(p.delay * p.r.Float(.7, 1.6))
	}
	if p.stall > 0 && p.r.Chance(p.stall) {
		p.until = received + seconds(p.r.Float(.3, 1.2))
	}
	received = max(received, p.until, p.arrived+time.Millisecond)
	p.arrived = received
	return p.at, said, received, again
}

// clocked lets a script run at its own rate, whatever the camera's: a slow camera
// misses some of what happens.
type clocked struct {
	script
	rate float64
	tick int
	last shot
}

func (c *clocked) next(at time.Duration, in face.Instruction) shot {
	for c.tick == 0 || seconds(float64(c.tick)/c.rate) <= at {
		c.last = c.script.next(seconds(float64(c.tick)/c.rate), in)
		c.tick++
	}
	return c.last
}

// manner is how somebody follows instructions who is no actor.
type manner struct {
	tempo   float64 // of movements over the recording's; 0 counts as 1
	slow    float64 // longer before each, seconds
	shallow float64 // of the recorded amplitude at first; more at each further try; 0: all
	smile   float64 // the same for smile, mouth and blink alone
	hold    int     // ticks that a movement's end is held
	wrong   bool    // turns the other way first, at the first turn
	talk    float64 // chance, while waiting, to say something
}

// shape is what is done for a piece at the nth try.
func (m *manner) shape(a face.Action, list []int, try int) []int {
	if m == nil || len(list) < 3 {
		return list
	}
	share := m.shallow
	switch a {
	case face.ActionSmile, face.ActionOpenMouth, face.ActionBlink:
		if m.smile > 0 {
			share = m.smile
		}
	default:
	}
	if share == 0 {
		share = 1
	}
	share = min(share+.2*float64(try), 1)
	top := max(int(float64(len(list)/2)*share), 1)
	var out []int
	out = append(out, list[:top]...)
	for range m.hold {
		out = append(out, list[top-1])
	}
	if share == 1 {
		return append(out, list[top:]...)
	}
	for i := top - 1; i >= 0; i-- {
		out = append(out, list[i])
	}
	return out
}

// speech lists the frames of some syllables, four or five a second (mouths move at 2 to
// 7 Hz in speech: Chandrasekaran and others, PLoS Computational Biology 5(7), 2009).
func speech(open []int, r *Random) []int {
	var list []int
	for range 3 + r.Int(4) {
		top := max(int(float64(len(open)/2)*r.Float(.3, .8)), 1)
		list = append(list, open[top/2], open[top], open[top/2])
		if r.Chance(.4) {
			list = append(list, open[0])
		}
	}
	return append(list, open[0])
}

// speaks says whether something is said now, while nothing is due.
func (m *manner) speaks(at, due time.Duration, r *Random) bool {
	return m != nil && m.talk > 0 && at < due-300*time.Millisecond && r.Chance(m.talk/4)
}
