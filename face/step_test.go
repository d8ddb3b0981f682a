package face

import (
	"bytes"
	"crypto/rand"
	"errors"
	"testing"
	"time"
)

const tick = 100 * time.Millisecond

// play pushes yaws, one a tick, into a turn to the left given at zero.
func play(s *step, yaws ...float32) (events []stepEvent) {
	for i, y := range yaws {
		residual := .28 * abs(y)
		events = append(events, s.push(time.Duration(i+1)*tick, change{yaw: y, eyes: -1}, residual, turnResidual))
	}
	return events
}

func TestTurnIsDoneOnReturn(t *testing.T) {
	t.Parallel()
	s := &step{action: ActionTurnLeft, armed: true}
	got := play(s, 1, 5, 12, 20, 28, 20, 12, 5)
	want := []stepEvent{0, 0, 0, stepReached, 0, 0, 0, stepDone}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("tick %d: %d, want %d", i, got[i], want[i])
		}
	}
	if s.flat < 7 {
		t.Errorf("flatness %.1f was not kept", s.flat)
	}
}

func TestWhatIsNotATurn(t *testing.T) {
	t.Parallel()
	for name, yaws := range map[string][]float32{
		"too little":  {2, 8, 14, 16, 14, 8, 1},
		"other side":  {-2, -10, -20, -30, -20, -8, 0},
		"never ends":  {2, 10, 20, 30, 30, 30, 30},
		"never began": {0, 0, 0, 0},
	} {
		s := &step{action: ActionTurnLeft, armed: true}
		for i, e := range play(s, yaws...) {
			if e == stepDone {
				t.Errorf("%s: done at tick %d", name, i)
			}
		}
	}
}

// Whoever was turned before the instruction must come back first.
func TestActionUnderWayIsNotFollowing(t *testing.T) {
	t.Parallel()
	s := &step{action: ActionTurnLeft}
	s.arm(change{yaw: 15, eyes: -1})
	for _, e := range play(s, 20, 28, 28, 20, 12) {
		if e != stepNothing {
			t.Fatal("an action under way counted")
		}
	}
	if got := play(s, 2, 10, 22, 25, 8); got[4] != stepDone {
		t.Error("the same action after coming back did not count")
	}
}

// Nobody is at full amplitude within a tenth of a second.
func TestFasterThanHumanDoesNotCount(t *testing.T) {
	t.Parallel()
	s := &step{action: ActionTurnLeft, armed: true}
	if s.push(50*time.Millisecond, change{yaw: 30}, 9, turnResidual) != stepNothing || s.reached {
		t.Error("counted after 50 ms")
	}
}

// A turn that shows no depth is a photograph that is turned: it is asked to turn
// further, like anybody's small turn. Who turns very far is not told that depth is
// missing; the signal of depth refuses at the end.
func TestTurnWithoutDepth(t *testing.T) {
	t.Parallel()
	s := &step{action: ActionTurnLeft, armed: true}
	for i, y := range []float32{2, 12, 25, 29, 25, 12, 2} {
		if s.push(time.Duration(i+1)*tick, change{yaw: y}, 1.5, turnResidual) == stepDone {
			t.Fatal("done")
		}
	}
	for i, y := range []float32{12, 25, 35, 25, 2} {
		s.push(time.Duration(i+8)*tick, change{yaw: y}, 1.5, turnResidual)
	}
	if !s.reached || s.flat > 1.5 {
		t.Errorf("a wide turn tells of depth: reached %t, %.1f", s.reached, s.flat)
	}
}

// What a frame cannot show is not seen to be absent in it: a smile that was there
// before the instruction does not begin because the head turned away for a moment.
func TestTurningAwayHidesNothing(t *testing.T) {
	t.Parallel()
	away := change{yaw: 25, eyes: 1}
	for action, there := range map[Action]change{
		ActionSmile: {mouth: .2, eyes: 1}, ActionOpenMouth: {lips: .12, eyes: 1}, ActionBlink: {eyes: .2},
	} {
		s := &step{action: action}
		s.arm(away)
		if s.armed {
			t.Errorf("%s: armed by a face that looks away", action)
		}
		for i, c := range []change{there, away, there, there, there, away, there, away} {
			if s.push(time.Duration(i+1)*tick, c, 0, 0) != stepNothing {
				t.Errorf("%s: counted", action)
			}
		}
		absent := change{eyes: 1}
		var last stepEvent
		for i, c := range []change{absent, there, there, there, absent} {
			if e := s.push(time.Duration(i+9)*tick, c, 0, 0); e != stepNothing {
				last = e
			}
		}
		if last != stepDone {
			t.Errorf("%s: not counted after it was absent", action)
		}
	}
	unseen := &step{action: ActionBlink, armed: true, reached: true}
	if unseen.push(tick, change{eyes: -1}, 0, 0) == stepDone {
		t.Error("eyes that are not measured have opened")
	}
}

// A mouth that opens moves a third of the mesh out of any plane: depth is not
// measured then.
func TestAnOpenMouthIsNoDepth(t *testing.T) {
	t.Parallel()
	for _, c := range []change{{yaw: 20, lips: .15}, {yaw: 20, mouth: .5}} {
		if c.rigid() {
			t.Errorf("%+v is rigid", c)
		}
	}
	if !(change{yaw: 30, lips: .03, mouth: .1}).rigid() {
		t.Error("a turned face at rest is not")
	}
}

func TestExpressionsAreToldApart(t *testing.T) {
	t.Parallel()
	smile := change{mouth: .2, lips: .06, eyes: 1}
	open := change{mouth: .05, lips: .12, eyes: 1}
	if smile.amount(ActionSmile) < 1 || smile.amount(ActionOpenMouth) >= 1 {
		t.Error("a smile is not a smile")
	}
	if open.amount(ActionOpenMouth) < 1 || open.amount(ActionSmile) >= 1 {
		t.Error("an open mouth is not an open mouth")
	}
	if (change{eyes: .4}).amount(ActionBlink) < 1 || (change{eyes: .9}).amount(ActionBlink) >= relaxed || (change{eyes: -1}).amount(ActionBlink) != 0 {
		t.Error("blinks")
	}
	turned := change{yaw: 30, mouth: .3, lips: .2, eyes: .2}
	for _, a := range []Action{ActionSmile, ActionOpenMouth, ActionBlink} {
		if turned.amount(a) != 0 {
			t.Errorf("%s measured on a turned face", a)
		}
	}
}

func TestExpressionMustLast(t *testing.T) {
	t.Parallel()
	s := &step{action: ActionSmile, armed: true}
	smile, rest := change{mouth: .2, eyes: 1}, change{eyes: 1}
	for i, c := range []change{rest, smile, rest, smile, rest} {
		if s.push(time.Duration(i+1)*tick, c, 0, 0) == stepDone {
			t.Fatal("a flicker counted")
		}
	}
	for i, c := range []change{{mouth: .09, eyes: 1}, {mouth: .07, eyes: 1}} { // just there, then a little less
		if e := (&step{action: ActionSmile, armed: true, reached: true, since: tick}).push(time.Duration(i+3)*tick, c, 0, 0); e != stepDone {
			t.Errorf("%+v is not held", c)
		}
	}
	s.push(6*tick, smile, 0, 0)
	if s.push(7*tick, smile, 0, 0) == stepDone {
		t.Error("a syllable counted")
	}
	if s.push(8*tick, smile, 0, 0) != stepDone {
		t.Error("a held smile did not count")
	}
}

func TestStraysCountOnceEach(t *testing.T) {
	t.Parallel()
	var s strays
	for _, yaw := range []float32{0, -10, -25, -30, -25, -5, 0} {
		s.push(0, ActionTurnLeft, change{yaw: yaw})
	}
	if s.weight != strayHead {
		t.Errorf("one wrong turn weighs %d", s.weight)
	}
	for _, yaw := range []float32{0, 10, 25, 30, 25, 5, 0} {
		s.push(0, ActionTurnLeft, change{yaw: yaw}) // the one asked for
	}
	for _, pitch := range []float32{0, 8, 15, 8, 0} {
		s.push(0, ActionSmile, change{pitch: pitch})
	}
	if s.weight != 2*strayHead || s.weight <= straysAllowed {
		t.Errorf("two wrong movements weigh %d", s.weight)
	}
}

// An expression is a stray when it lasts and nobody asked for it; speech does not
// last, and what was asked for may end under the next instruction.
func TestStrayExpressionsLast(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for name, test := range map[string]struct {
		asked  func(at time.Duration) Action
		mouth  func(at time.Duration) change
		weight int
	}{
		"a smile": {func(time.Duration) Action { return ActionBlink },
			func(at time.Duration) change { return change{mouth: .2 * boolean(at > 500*ms && at < 1200*ms)} }, 1},
		"four smiles": {func(time.Duration) Action { return ActionBlink },
			func(at time.Duration) change { return change{mouth: .2 * boolean(at%time.Second > 400*ms)} }, 4},
		"speech, four syllables a second": {func(time.Duration) Action { return ActionTurnLeft },
			func(at time.Duration) change { return change{lips: .1 * boolean(at%(250*ms) >= 125*ms)} }, 0},
		"speech that does not close the lips": {func(time.Duration) Action { return ActionTurnLeft },
			func(at time.Duration) change { return change{lips: .04 + .05*boolean(at%(300*ms) >= 150*ms)} }, 0},
		"asked for, and ended under the next": {func(at time.Duration) Action {
			if at < time.Second {
				return ActionOpenMouth
			}
			return ActionTurnRight
		}, func(at time.Duration) change { return change{lips: .1 * boolean(at > 600*ms && at < 1800*ms)} }, 0},
		"asked for once, and done again": {func(at time.Duration) Action {
			if at < time.Second {
				return ActionOpenMouth
			}
			return ActionTurnRight
		}, func(at time.Duration) change { return change{lips: .1 * boolean(at%(1500*ms) > 600*ms)} }, 2},
	} {
		var s strays
		for at := time.Duration(0); at < 4*time.Second; at += 66 * ms {
			s.push(at, test.asked(at), test.mouth(at))
		}
		if s.weight != test.weight {
			t.Errorf("%s weighs %d, want %d", name, s.weight, test.weight)
		}
	}
}

func TestChallengeIsRandomAndComplete(t *testing.T) {
	t.Parallel()
	first := map[Action]int{}
	for range 3000 {
		c, err := drawChallenge(rand.Reader, Actions(), 5)
		if err != nil || c.validate() != nil || len(c) != 6 {
			t.Fatal(c, err)
		}
		seen := map[Action]bool{}
		for _, a := range c {
			seen[a] = true
		}
		if len(seen) != 6 || !seen[ActionTurnLeft] || !seen[ActionTurnRight] {
			t.Fatalf("%v", c)
		}
		first[c[1]]++
	}
	// Turns are always drawn (1/5 each at the first place), of the other five three
	// (3/25 each).
	for a, n := range first {
		want := 360
		if isTurn(a) == 1 {
			want = 600
		}
		if n < want*3/4 || n > want*5/4 {
			t.Errorf("%s comes first %d times, want about %d", a, n, want)
		}
	}
	if len(first) != 7 {
		t.Errorf("only %d actions ever come first", len(first))
	}
	if _, err := drawChallenge(bytes.NewReader([]byte{1}), Actions(), 7); err == nil {
		t.Error("drawn without enough randomness")
	}
	for _, bad := range []Challenge{nil, {ActionCenter}, {ActionSmile, ActionBlink}, {ActionCenter, "dance"}, {ActionCenter, ActionCenter}} {
		if !errors.Is(bad.validate(), ErrChallenge) {
			t.Errorf("%v accepted", bad)
		}
	}
}
