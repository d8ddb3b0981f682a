package face

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrCheckOver means that a check was wiped or has already decided.
var ErrCheckOver = errors.New("face: the check is over")

// Bounds of a run.
const (
	unreadableRow  = 20                      // unreadable frames in a row that end the check
	twoFacesFor    = 3 * time.Second         // a second face for so long in all ends it
	twoFacesShare  = .2                      // or in so many of the frames
	longestGap     = 500 * time.Millisecond  // between frames, counted as time with two faces
	recordedGrace  = 250 * time.Millisecond  // see Given
	furtherAfter   = 1500 * time.Millisecond // of a movement that is too small
	earlySteps     = 2                       // completed steps that count as the beginning
	neutralDrift   = 10                      // degrees that the resting pose may drift in a run
	restingRate    = .15                     // share of a still frame that the resting pose takes on
	stillDegrees   = 1.5                     // between two frames
	calmExpression = .06                     // of the mouth's width or opening, for a neutral sample
	calmEyes       = .75
	blockedTooMany = .5 // share of unfit frames in a step that makes a timeout a matter of quality
)

// NewCheck begins a live check against the portrait, a JPEG image, with a
// challenge drawn at random. The portrait is read, not kept. ErrPortrait
// (errors.Is) when it holds no usable face.
func (e *Engine) NewCheck(ctx context.Context, portrait []byte) (*Check, error) {
	if e.random == nil {
		return nil, errors.New("face: the engine has no source of randomness")
	}
	challenge, light, err := e.draw()
	if err != nil {
		return nil, err
	}
	c := e.newCheck(challenge)
	c.light = light
	return c.enrolled(ctx, portrait)
}

// draw draws a challenge and, where the policy has it, the colours that end it.
func (e *Engine) draw() (Challenge, lightStep, error) {
	e.randomMu.Lock()
	defer e.randomMu.Unlock()
	var light lightStep
	challenge, err := drawChallenge(e.random, e.policy.Actions, e.policy.Count)
	if err == nil && e.policy.Light != LightOff {
		challenge = append(challenge, ActionLight)
		err = light.draw(e.random)
	}
	return challenge, light, err
}

// DeclineLight leaves the colours out of a run, for whoever would rather not see
// them. Call it before the first frame; it does nothing later. Where the policy
// requires light, the run is then refused at its end.
func (c *Check) DeclineLight() {
	if last := len(c.challenge) - 1; !c.began && !c.over && c.challenge[last] == ActionLight {
		c.challenge, c.report.Steps = c.challenge[:last], c.report.Steps[:last]
		c.light = lightStep{}
	}
}

// Given is an instruction of a recorded run and the time, since its first frame,
// at which it was given. When every time is zero, each is taken as given when the
// one before was done, as a live check does.
type Given struct {
	Action Action
	At     time.Duration
}

// NewRecordedCheck judges recorded frames by the same rule. The instructions and
// their times are those of the recording; one that is not followed before the
// next was given (within a quarter of a second) is not followed. A missing
// leading ActionCenter is taken as given at the first frame. shown are the colours
// that lit the face afterwards, or none; their times are zero where those of the
// instructions are. Without a portrait (nil) the run is judged for liveness alone.
func (e *Engine) NewRecordedCheck(ctx context.Context, portrait []byte, given []Given, shown []Shown) (*Check, error) {
	if len(given) > 0 && given[0].Action != ActionCenter {
		given = append([]Given{{Action: ActionCenter}}, given...)
	}
	var challenge Challenge
	var times []time.Duration
	paced := !slices.ContainsFunc(given, func(g Given) bool { return g.At != 0 }) && !slices.ContainsFunc(shown, func(s Shown) bool { return s.At != 0 })
	for i, g := range given {
		if i > 0 && !paced && (g.At < given[i-1].At || (g.At == given[i-1].At && i > 1)) {
			return nil, fmt.Errorf("%w: its times do not advance", ErrChallenge)
		}
		challenge, times = append(challenge, g.Action), append(times, g.At)
	}
	if err := challenge.validate(); err != nil {
		return nil, err
	}
	var light lightStep
	if len(shown) > 0 {
		if err := light.replay(shown, paced); err != nil {
			return nil, err
		}
		if !paced && light.given <= times[len(times)-1] {
			return nil, fmt.Errorf("%w: its light comes before its last instruction", ErrChallenge)
		}
		challenge, times = append(challenge, ActionLight), append(times, light.given)
	}
	c := e.newCheck(challenge)
	c.light = light
	if !paced {
		c.times = times
	}
	if portrait == nil {
		return c, nil
	}
	return c.enrolled(ctx, portrait)
}

func (e *Engine) newCheck(challenge Challenge) *Check {
	c := &Check{engine: e, challenge: challenge, identity: newIdentity(e.dimensions)}
	c.report.Steps = make([]StepReport, len(challenge))
	for i, a := range challenge {
		c.report.Steps[i].Action = a
	}
	return c
}

// Check is one run of the live check. One goroutine uses it at a time.
type Check struct {
	engine    *Engine
	challenge Challenge
	times     []time.Duration // when instructions were given, of a recorded run
	reference []float32       // embedding of the portrait; nil without one

	began    bool
	start    time.Time     // of the first frame
	now      time.Duration // of the last frame, since start
	index    int           // of the instruction in force, or of the one to be given next
	waiting  bool          // recorded run: the step is done, the next not yet given
	finished bool
	over     bool
	failure  Reason

	frame    observation
	finder   neutralFinder
	neutral  neutral
	resting  pose // drifts slowly with the person
	lastPose pose
	last     change // of the last fit frame
	focused  focused
	step     step
	flat     [2]float32
	strays   strays
	identity identity
	surface  surface
	stream   stream
	signs    injection
	light    lightStep
	passive  passiveRun

	unreadable int // in a row
	stepFrames int // of the step in force
	stepUnfit  int
	twoFaces   time.Duration
	report     Report
}

// enrolled returns the check with its portrait embedded. However else it ends,
// by an error or a panic of the runtime, nothing of the portrait stays.
func (c *Check) enrolled(ctx context.Context, portrait []byte) (_ *Check, err error) {
	done := false
	defer func() {
		if !done {
			c.Wipe()
		}
	}()
	if err := c.enrol(ctx, portrait); err != nil {
		return nil, err
	}
	done = true
	return c, nil
}

// enrol embeds the portrait.
func (c *Check) enrol(ctx context.Context, portrait []byte) error {
	return c.engine.with(ctx, func(k *worker) error {
		c.reference = make([]float32, k.dimensions)
		q, err := k.template(c.reference, portrait)
		if err != nil {
			return err
		}
		if !q.Usable {
			return fmt.Errorf("%w (%v)", ErrPortrait, q.Reasons)
		}
		return nil
	})
}

// Instruction returns the instruction in force. It is also the first thing to
// show, before any frame.
func (c *Check) Instruction() Instruction {
	i := Instruction{Index: c.index, Of: len(c.challenge), Action: c.challenge[c.index], Timeout: c.engine.policy.StepFor}
	switch i.Action {
	case ActionCenter:
		i.Timeout = c.engine.policy.CenterFor
	case ActionLight:
		i.Timeout = lightLongest
	default:
	}
	return i
}

// Push examines a frame. A frame that is no usable picture is answered with a
// hint; an error means that the check cannot go on (ErrCheckOver, ErrClosed, a
// fault of the runtime) or that ctx ended.
func (c *Check) Push(ctx context.Context, f Frame) (Guidance, error) {
	if c.over || c.finished {
		return Guidance{}, ErrCheckOver
	}
	elapsed := c.clock(f)
	repeated := c.stream.arrives(f.JPEG, f.CapturedAt, c.now)
	g := Guidance{}
	if !repeated {
		if err := c.examine(ctx, f, elapsed, &g); err != nil {
			return Guidance{}, err
		}
	}
	c.expire()
	c.shine(&g)
	g.Instruction, g.Finished = c.Instruction(), c.finished
	return g, nil
}

// clock moves the check's time to the frame's and returns the time since the last.
func (c *Check) clock(f Frame) time.Duration {
	if !c.began {
		c.began, c.start = true, f.ReceivedAt
	}
	at := max(f.ReceivedAt.Sub(c.start), c.now)
	elapsed := at - c.now
	c.now = at
	return elapsed
}

func (c *Check) examine(ctx context.Context, f Frame, elapsed time.Duration, g *Guidance) error {
	previous := c.frame.box
	c.frame.wipe()
	o := &c.frame
	o.at, o.captured = c.now, f.CapturedAt
	err := c.engine.with(ctx, func(k *worker) error {
		if err := k.picture.decode(f.JPEG, frameLimits()); err != nil {
			o.blocked = true
			c.report.Unreadable++
			if c.unreadable++; c.unreadable >= unreadableRow {
				c.fail(ReasonPoorQuality)
			}
			return nil
		}
		c.unreadable = 0
		c.stream.look(&k.picture)
		wantEyes := c.challenge[c.index] == ActionBlink || c.challenge[c.index] == ActionCenter
		if err := k.observe(o, previous, wantEyes); err != nil {
			return err
		}
		if o.box.w == 0 {
			o.box = previous
		}
		c.focus()
		c.signs.look(&c.stream, &k.picture, o)
		c.count(elapsed)
		if c.lit() {
			v, ok := skinColours{}, false
			if o.found {
				v, ok = k.picture.reflection(&o.mesh, &k.linear)
			}
			c.light.add(o.at, v, ok)
		}
		c.follow(g)
		return c.sample(k, g.StepDone)
	})
	return err
}

// count keeps the tallies of unfit frames.
func (c *Check) count(elapsed time.Duration) {
	o := &c.frame
	c.stepFrames++
	if o.blocked {
		c.stepUnfit++
	}
	switch {
	case o.faces > 1:
		c.report.TwoFaces++
		if c.twoFaces += min(elapsed, longestGap); c.twoFaces >= twoFacesFor {
			c.fail(ReasonSeveralFaces)
		}
	case !o.found:
		c.report.FacesLost++
	}
}

// follow moves the instruction in force by the frame.
func (c *Check) follow(g *Guidance) {
	if c.finished {
		return
	}
	o := &c.frame
	if c.challenge[c.index] == ActionCenter && !c.waiting {
		done, hint := c.finder.add(o)
		g.Hint = hint
		if done {
			c.neutral = c.finder.result()
			c.resting, c.lastPose = c.neutral.pose, o.pose
			c.finder.wipe()
			c.last = c.neutral.change(o, c.resting)
			c.done(g)
		}
		return
	}
	g.Hint = o.hint
	c.begin()
	if o.blocked {
		return
	}
	c.rest()
	c.last = c.neutral.change(o, c.resting)
	if c.waiting || c.lit() {
		return
	}
	change := c.neutral.change(o, c.step.base)
	enough := c.enoughFlatness()
	residual := float32(0)
	if isTurn(c.step.action) == 1 && abs(change.yaw) > turnDegrees/2 && change.rigid() {
		residual = flatness(&c.neutral.mesh, &o.mesh)
	}
	c.strays.push(o.at, c.step.action, change)
	if c.strays.weight > straysAllowed {
		c.fail(ReasonNotFollowed)
		return
	}
	event := c.step.push(o.at, change, residual, enough)
	c.report.Steps[c.index].Peak = c.step.peak
	switch {
	case event == stepDone:
		c.done(g)
	case c.step.reached && returns(c.step.action), !c.step.armed:
		if g.Hint == "" {
			g.Hint = HintLookStraight
		}
	case g.Hint == "" && c.now-c.step.given > furtherAfter && returns(c.step.action) && change.amount(c.step.action) > relaxed:
		g.Hint = HintFurther
	}
}

// enoughFlatness is what the turn in force must show: the second turn makes up
// for a small first one.
func (c *Check) enoughFlatness() float32 {
	other := max(c.flat[0], c.flat[1])
	if other == 0 {
		return turnResidual
	}
	return max(turnResidual, turnsSum-other)
}

// begin gives a recorded run's next instruction when its time has come.
func (c *Check) begin() {
	if !c.waiting || c.now < c.times[c.index] {
		return
	}
	c.waiting = false
	c.give(c.times[c.index])
}

// rest lets the resting pose follow a person who slowly shifts: a little of each
// frame in which the face is calm and still.
func (c *Check) rest() {
	pose := c.frame.pose
	moved, off := pose.minus(c.lastPose), pose.minus(c.resting)
	c.lastPose = pose
	if !c.calm() || abs(moved.yaw) > stillDegrees || abs(moved.pitch) > stillDegrees || abs(off.yaw) > neutralMoves || abs(off.pitch) > neutralMoves {
		return
	}
	limit := c.neutral.pose
	c.resting.yaw = min(max(c.resting.yaw+restingRate*off.yaw, limit.yaw-neutralDrift), limit.yaw+neutralDrift)
	c.resting.pitch = min(max(c.resting.pitch+restingRate*off.pitch, limit.pitch-neutralDrift), limit.pitch+neutralDrift)
}

// give puts the instruction at index in force.
func (c *Check) give(at time.Duration) {
	c.step = step{action: c.challenge[c.index], given: at, base: c.resting}
	c.step.arm(c.last)
	c.stepFrames, c.stepUnfit = 0, 0
	c.light.given = at
	c.report.Steps[c.index].Given = at
}

// lit says that the colours are the instruction in force.
func (c *Check) lit() bool {
	return !c.finished && !c.waiting && c.challenge[c.index] == ActionLight
}

// shine moves the colours on with the time, whatever the frame showed.
func (c *Check) shine(g *Guidance) {
	if !c.lit() {
		return
	}
	hex, over := c.light.colour(c.now)
	if over {
		c.done(g)
		return
	}
	g.Light = hex
}

// done ends the instruction in force and gives the next.
func (c *Check) done(g *Guidance) {
	switch c.step.action {
	case ActionTurnLeft:
		c.flat[0] = max(c.flat[0], c.step.flat)
	case ActionTurnRight:
		c.flat[1] = max(c.flat[1], c.step.flat)
	default:
	}
	s := &c.report.Steps[c.index]
	s.Took = c.now - s.Given
	c.report.StepsDone++
	g.StepDone, g.DoneIndex, g.Hint = true, c.index, ""
	if c.index == len(c.challenge)-1 {
		c.finished = true
		return
	}
	c.index++
	if c.times != nil {
		c.waiting = true
		return
	}
	c.give(c.now)
}

// expire ends the check when an instruction took too long.
func (c *Check) expire() {
	if c.finished || c.waiting || c.lit() {
		return
	}
	i := c.Instruction()
	late := c.now-c.report.Steps[c.index].Given > i.Timeout
	missed := c.times != nil && c.index+1 < len(c.times) && c.now > c.times[c.index+1]+recordedGrace
	switch {
	case missed:
		c.fail(ReasonNotFollowed)
	case late && c.stepUnfit > 0 && float32(c.stepUnfit) >= blockedTooMany*float32(c.stepFrames):
		c.fail(ReasonPoorQuality)
	case late:
		c.fail(ReasonTimeout)
	}
}

func (c *Check) fail(r Reason) {
	if c.failure == "" {
		c.failure = r
	}
	c.finished = true
}

// sample embeds the face now and then, always in the frame that completes an
// instruction (so that whoever followed it is seen, however quick), and looks at
// its surface.
func (c *Check) sample(k *worker, stepDone bool) error {
	o := &c.frame
	if c.report.StepsDone == 0 || !o.found || o.blocked {
		return nil
	}
	calm := c.calm()
	tinted := c.lit() && c.light.next > 0 // the colours are on the face: no neutral sample
	if !stepDone && !c.identity.due(o.at, calm && !tinted) {
		return nil
	}
	kind, v := sampledTurned, oneView // against the laxer limits of a face that moves
	if calm {
		v = bothViews
	}
	switch {
	case tinted && calm:
		kind = sampledDone
	case calm:
		kind = sampledCalm
		c.surface.take(k, o)
		if err := c.passive.take(k, o.box); err != nil {
			return err
		}
	case stepDone:
		kind = sampledDone
	}
	k.picture.align(&o.mesh, &k.aligned)
	return c.identity.take(k, &k.aligned, v, o, kind, c.report.StepsDone <= earlySteps)
}

// calm says whether the frame shows the neutral face, looking ahead. A smile
// also moves what the mesh takes for the pitch.
func (c *Check) calm() bool {
	o := &c.frame
	change := c.neutral.change(o, c.resting)
	return o.hint == "" && change.frontal() && abs(change.mouth) < calmExpression && abs(change.lips) < calmExpression &&
		(change.eyes < 0 || change.eyes > calmEyes)
}

// Wipe overwrites everything the check knows of the run: afterwards it answers
// with its first instruction and an empty report. It may be called twice.
func (c *Check) Wipe() {
	clear(c.reference)
	c.identity.wipe()
	clear(c.report.Steps)
	clear(c.report.Signals)
	*c = Check{engine: c.engine, challenge: c.challenge, over: true}
}
