package face

import "time"

// The amplitude of each action, relative to the person's own neutral face.
const (
	turnDegrees  = 17   // of yaw
	turnResidual = 5    // flatness of each turn, see flatness
	turnsSum     = 12   // of the flatness of both turns
	turnAnyway   = 1.75 // of a turn: nobody is asked to turn further for the sake of depth
	rigidLips    = .09  // opening of the mouth from which a turn's depth is not measured
	rigidMouth   = .3   // and widening
	lookDegrees  = 9    // of pitch
	smileWider   = .08  // of the mouth's width
	lipsApart    = .045 // over the eye distance
	eyesClose    = .35  // of the lids' opening
	heldAbove    = .75  // of an expression that was reached: it is still held
	relaxed      = .55  // of an amplitude: the action is over, or has not begun
)

// Human times.
const (
	// reactionMin is less than anybody takes to see an instruction, understand it
	// and act; athletics takes the same time for a false start.
	reactionMin = 100 * time.Millisecond
	// holdFor is how long a smile or an open mouth must last, to be followed where it
	// is asked for and to be a stray where it is not: mouths that speak open and close
	// two to seven times a second (Chandrasekaran and others, "The natural statistics
	// of audiovisual speech", PLoS Computational Biology 5(7), 2009).
	holdFor = 200 * time.Millisecond
)

// Strays: complete actions that nobody asked for. A person errs once, a video in
// another order again and again.
const (
	strayHead       = 2 // weight of a head movement
	strayExpression = 1 // of a smile or an open mouth
	straysAllowed   = 3
	strayDegrees    = 20 // of yaw
	strayLook       = 12 // of pitch
)

// change is the difference of a frame from neutral.
type change struct {
	yaw, pitch, roll float32 // degrees
	mouth            float32 // fraction of its width
	lips             float32 // opening over the eye distance: of the inner lips, or the lower lip's drop
	eyes             float32 // fraction of the lids' opening that is left; 1 open, or -1
}

func (n *neutral) change(o *observation, base pose) change {
	d := o.pose.minus(base)
	c := change{yaw: d.yaw, pitch: d.pitch, roll: d.roll, mouth: o.mouth/max(n.mouth, .05) - 1, lips: o.lips - n.lips, eyes: -1}
	if o.eyes >= 0 {
		c.eyes = o.eyes / max(n.eyes, .02)
	}
	if c.frontal() { // elsewhere the pitch moves what the mesh takes for the jaw
		c.lips = max(c.lips, o.drop-n.drop)
	}
	return c
}

func (c change) frontal() bool { return abs(c.yaw) < 12 && abs(c.pitch) < 10 }

// facing is laxer: a smile also moves what the mesh takes for the pitch.
func (c change) facing() bool { return abs(c.yaw) < 15 && abs(c.pitch) < 16 }

// amount of an action in a frame: 1 is its full amplitude. A frame in which the
// action cannot be measured has none.
func (c change) amount(a Action) float32 {
	switch a {
	case ActionTurnLeft:
		return c.yaw / turnDegrees
	case ActionTurnRight:
		return -c.yaw / turnDegrees
	case ActionLookUp:
		return c.pitch / lookDegrees
	case ActionLookDown:
		return -c.pitch / lookDegrees
	case ActionSmile:
		// An open mouth may widen too: a smile is wider than it is open.
		if !c.facing() || c.lips > .6*c.mouth+.02 {
			return 0
		}
		return c.mouth / smileWider
	case ActionOpenMouth:
		// A smile parts the lips too: an open mouth is more open than wide.
		if !c.facing() || c.lips < .8*c.mouth {
			return 0
		}
		return c.lips / lipsApart
	case ActionBlink:
		if !c.frontal() || c.eyes < 0 {
			return 0
		}
		return (1 - c.eyes) / eyesClose
	case ActionCenter, ActionLight:
	}
	return 0
}

// shows says whether a frame can show an action, there or not: an expression
// needs a face that looks ahead, a blink the lids. What cannot be seen is not
// seen to be absent.
func (c change) shows(a Action) bool {
	switch a {
	case ActionSmile, ActionOpenMouth:
		return c.facing()
	case ActionBlink:
		return c.frontal() && c.eyes >= 0
	default:
		return true
	}
}

// rigid says that the face's shape is its own: a mouth that opens is no depth.
func (c change) rigid() bool { return abs(c.lips) < rigidLips && c.mouth < rigidMouth }

// returns says whether the action ends with the return to neutral; an expression
// ends when it was held.
func returns(a Action) bool { return a != ActionSmile && a != ActionOpenMouth }

// step is the instruction in force.
type step struct {
	action  Action
	given   time.Duration // when it was given
	base    pose          // the head at that moment, near neutral
	armed   bool          // the action was seen absent since
	reached bool          // and then at full amplitude
	since   time.Duration // when reached
	peak    float32       // greatest amount
	flat    float32       // greatest flatness, of turns
}

// stepEvent is what a frame did to a step.
type stepEvent int

const (
	stepNothing stepEvent = iota
	stepReached           // the action is there; the person may come back
	stepDone
)

// arm looks at the last frame before the instruction: whoever was not doing it
// then begins afterwards.
func (s *step) arm(before change) {
	s.armed = before.shows(s.action) && before.amount(s.action) <= relaxed
}

// push moves the step by one measured frame. residual is the frame's flatness
// against neutral, and enough what a turn must show of it.
func (s *step) push(at time.Duration, c change, residual, enough float32) stepEvent {
	v := c.amount(s.action)
	if isTurn(s.action) == 1 {
		s.flat = max(s.flat, residual)
		if v > 1 && v < turnAnyway {
			v = max(min(v, residual/enough), relaxed)
		}
	}
	s.peak = max(s.peak, v)
	if !c.shows(s.action) {
		return stepNothing
	}
	switch {
	case !s.armed:
		s.armed = v <= relaxed
	case !s.reached && v >= 1:
		if at-s.given < reactionMin {
			return stepNothing // nobody is so fast
		}
		s.reached, s.since = true, at
		return stepReached
	case s.reached && returns(s.action) && v <= relaxed:
		return stepDone
	case s.reached && !returns(s.action):
		if v < heldAbove {
			s.reached = false
		} else if at-s.since >= holdFor {
			return stepDone
		}
	}
	return stepNothing
}

// strays counts complete actions other than the one asked for.
type strays struct {
	weight int
	head   bool          // a stray head movement is going on
	mouth  bool          // an expression is going on that was asked for or was counted
	began  bool          // another one has begun,
	since  time.Duration // then
}

func (s *strays) push(at time.Duration, asked Action, c change) {
	head := (c.yaw > strayDegrees && asked != ActionTurnLeft) || (c.yaw < -strayDegrees && asked != ActionTurnRight) ||
		(abs(c.yaw) < 12 && ((c.pitch > strayLook && asked != ActionLookUp) || (c.pitch < -strayLook && asked != ActionLookDown)))
	if head && !s.head {
		s.weight += strayHead
	}
	if head || (abs(c.yaw) < strayDegrees/2 && abs(c.pitch) < strayLook/2) {
		s.head = head
	}
	smile, lips := c.amount(ActionSmile), c.amount(ActionOpenMouth)
	full := smile > 1.2 || lips > 1.2
	switch {
	case smile < relaxed && lips < relaxed:
		s.mouth, s.began = false, false
	case asked == ActionSmile || asked == ActionOpenMouth:
		s.mouth = s.mouth || full // it may go on under the next instruction
	case s.mouth:
	case !full:
		s.began = false
	case !s.began:
		s.began, s.since = true, at
	case at-s.since >= holdFor:
		s.weight += strayExpression
		s.mouth, s.began = true, false
	}
}
