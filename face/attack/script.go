package attack

import (
	"math"
	"slices"
	"time"

	"ipse/face"
)

// shot is what a script shows at one tick.
type shot struct {
	of    *Recording
	frame int
	pose  Pose // of a sheet that is moved
	from  *Recording
	prior int     // frame of from, mixed in with weight
	mix   float64 // 0..1 of prior
}

// script decides what is shown, without touching a pixel.
type script interface {
	next(at time.Duration, in face.Instruction) shot
}

// pace is how somebody reacts: seconds.
type pace struct{ delay, spread, again float64 }

// human draws a reaction: a third of a second to two, and the patience after which
// an action that did not count is done again.
func human(r *Random) pace {
	return pace{delay: r.Float(.3, .9), spread: r.Float(.05, .4), again: r.Float(1.5, 3)}
}

func (p pace) react(r *Random) time.Duration {
	return seconds(max(.25, p.delay+p.spread*math.Abs(r.Normal())))
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// follower does what it is asked, a moment after it is asked, and waits between.
type follower struct {
	of      *Recording
	pace    pace
	random  *Random
	perform func(index int, asked face.Action) face.Action // what is done instead; nil is the same
	manner  *manner                                        // how it is done; nil is as recorded

	shown   int
	act     face.Action
	due     time.Duration // when the next piece begins
	queue   []int
	tick    int
	counts  map[face.Action]int
	repeats int
}

func follow(of *Recording, r *Random) *follower {
	return &follower{of: of, pace: human(r), random: r, shown: -1, counts: map[face.Action]int{}}
}

func (f *follower) next(at time.Duration, in face.Instruction) shot {
	f.tick++
	if in.Index != f.shown {
		f.shown, f.act, f.repeats = in.Index, in.Action, 0
		if f.perform != nil {
			f.act = f.perform(in.Index, in.Action)
		}
		f.due = at + f.pace.react(f.random)
	}
	if len(f.queue) == 0 && at >= f.due && f.repeats < 4 {
		act := f.manner.told(f.act, f.repeats)
		f.queue = f.manner.shape(act, f.of.piece(act, f.counts[act]), f.repeats)
		f.counts[act]++
		f.repeats++
		f.due = at + seconds(f.pace.again+float64(len(f.queue))/10)
	}
	if len(f.queue) == 0 && f.manner.speaks(at, f.due, f.random) {
		f.queue = speech(f.of.piece(face.ActionOpenMouth, 0), f.random)
	}
	if len(f.queue) == 0 {
		return shot{of: f.of, frame: f.of.waiting(f.tick)}
	}
	n := f.queue[0]
	f.queue = f.queue[1:]
	return shot{of: f.of, frame: n}
}

// player plays a list of frames on its own clock and then waits, or plays again.
type player struct {
	of    *Recording
	list  []int
	speed float64 // frames a tick
	lead  int     // ticks of waiting before
	loop  bool
	tick  int
}

func (p *player) next(time.Duration, face.Instruction) shot {
	p.tick++
	if p.tick <= p.lead {
		return shot{of: p.of, frame: p.of.waiting(p.tick)}
	}
	i := int(float64(p.tick-p.lead-1) * p.speed)
	if i >= len(p.list) && !p.loop {
		return shot{of: p.of, frame: p.of.waiting(p.tick)}
	}
	return shot{of: p.of, frame: p.list[i%len(p.list)]}
}

// run lists the frames of a genuine run for an order: pauses, then pieces.
func run(of *Recording, order []face.Action, r *Random) []int {
	var list []int
	counts := map[face.Action]int{}
	wait := func(n int) {
		for range n {
			list = append(list, of.waiting(len(list)))
		}
	}
	wait(6 + r.Int(6))
	for _, a := range order {
		if a == face.ActionCenter {
			continue
		}
		wait(4 + r.Int(8))
		list = append(list, of.piece(a, counts[a])...)
		counts[a]++
	}
	return list
}

// whole lists every frame of a recording.
func whole(of *Recording) []int {
	list := make([]int, of.Frames)
	for i := range list {
		list[i] = i
	}
	return list
}

// changer hands over from one script to another at instructions for which second
// is true, late ticks after each is given.
type changer struct {
	a, b   script
	second func(index int) bool
	late   int
	shown  int
	since  int
}

func (c *changer) next(at time.Duration, in face.Instruction) shot {
	// Both go on, so that each knows what was asked when its turn comes.
	a, b := c.a.next(at, in), c.b.next(at, in)
	if in.Index != c.shown {
		c.shown, c.since = in.Index, 0
	}
	c.since++
	now := c.second(in.Index)
	if before := in.Index > 0 && c.second(in.Index-1); now && !before && c.since <= c.late {
		now = false
	}
	if now {
		return b
	}
	return a
}

// mover shows one picture and moves the sheet as the instructions ask: a turn by
// amount degrees and back within some 1.6 seconds. amount 0 holds it.
type mover struct {
	of     *Recording
	frame  int
	amount float64
	rest   Pose
	delay  time.Duration
	shown  int
	given  time.Duration
	sway   [3]drift
	shake  float64
}

func (m *mover) next(at time.Duration, in face.Instruction) shot {
	if in.Index != m.shown {
		m.shown, m.given = in.Index, at
	}
	t := at.Seconds()
	p := m.rest
	p.Yaw += m.shake * m.sway[0].at(t)
	p.Pitch += m.shake * m.sway[1].at(t)
	p.Roll += m.shake * .5 * m.sway[2].at(t)
	if s := (at - m.given - m.delay).Seconds(); s > 0 {
		const long, pause = 1.6, 1.4
		s = math.Mod(s, long+pause)
		turn := m.amount * math.Pow(math.Sin(math.Pi*min(s/long, 1)), 2)
		switch in.Action {
		case face.ActionTurnLeft:
			p.Yaw += turn
		case face.ActionTurnRight:
			p.Yaw -= turn
		case face.ActionLookUp:
			p.Pitch += turn * .7
		case face.ActionLookDown:
			p.Pitch -= turn * .7
		default:
		}
	}
	return shot{of: m.of, frame: m.frame, pose: p}
}

// carried puts a recording that follows a script on a sheet that is held.
type carried struct {
	script
	rest  Pose
	shake float64
	sway  [3]drift
}

func (c *carried) next(at time.Duration, in face.Instruction) shot {
	s := c.script.next(at, in)
	t := at.Seconds()
	s.pose = Pose{c.rest.Yaw + c.shake*c.sway[0].at(t), c.rest.Pitch + c.shake*c.sway[1].at(t), c.rest.Roll + c.shake*c.sway[2].at(t)}
	return s
}

// fader joins jumps of a script by a crossfade over some ticks.
type fader struct {
	script
	over int
	last shot
	from shot
	left int
}

func (f *fader) next(at time.Duration, in face.Instruction) shot {
	s := f.script.next(at, in)
	if f.last.of != nil && (s.of != f.last.of || s.frame-f.last.frame > 2 || f.last.frame-s.frame > 2) {
		f.from, f.left = f.last, f.over
	}
	f.last = s
	if f.left > 0 {
		s.from, s.prior, s.mix = f.from.of, f.from.frame, float64(f.left)/float64(f.over+1)
		f.left--
	}
	return s
}

// halver plays a script at half speed: every second frame is computed from its
// neighbours.
type halver struct {
	script
	last shot
	odd  bool
	held shot
}

func (h *halver) next(at time.Duration, in face.Instruction) shot {
	if h.odd = !h.odd; !h.odd {
		h.last = h.held
		return h.held
	}
	h.held = h.script.next(at, in)
	s := h.held
	if h.last.of != nil {
		s.from, s.prior, s.mix = h.last.of, h.last.frame, .5
	}
	return s
}

// orders

// exchanged swaps neighbours i and i+1 of a challenge, ActionCenter aside.
func exchanged(c []face.Action, i int) []face.Action {
	o := slices.Clone(c)
	n := len(o) - 2
	k := 1 + i%n
	o[k], o[k+1] = o[k+1], o[k]
	return o
}

// reversed turns a challenge around, ActionCenter aside.
func reversed(c []face.Action) []face.Action {
	o := slices.Clone(c)
	slices.Reverse(o[1:])
	return o
}

// another draws a different order of the same actions.
func another(c []face.Action, r *Random) []face.Action {
	o := slices.Clone(c)
	for slices.Equal(o, c) && len(o) > 2 {
		Shuffle(r, o[1:])
	}
	return o
}
