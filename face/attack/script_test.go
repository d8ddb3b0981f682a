package attack

import (
	"slices"
	"testing"
	"time"

	"ipse/face"
)

// tick is a tenth of a second.
func tick(i int) time.Duration { return time.Duration(i) * 100 * time.Millisecond }

// frames of a script while instruction in is in force, from tick from on.
func shots(s script, in face.Instruction, from, n int) []shot {
	var list []shot
	for i := range n {
		list = append(list, s.next(tick(from+i), in))
	}
	return list
}

// acted returns the actions whose pieces were shown, in order.
func acted(r *Recording, list []shot) []face.Action {
	var done []face.Action
	last := -1
	for _, s := range list {
		for i, p := range r.Pieces {
			if s.of == r && s.frame >= p.From && s.frame <= p.To && i != last {
				done = append(done, p.Action)
				last = i
			}
		}
	}
	return done
}

// Whoever follows does what is asked, never within a quarter of a second, and does
// it again when it did not count.
func TestAFollowerActsAfterTheInstruction(t *testing.T) {
	t.Parallel()
	r := recording(t, "one", 40)
	for seed := range uint64(30) {
		f := follow(r, NewRandom(seed))
		shots(f, face.Instruction{Index: 0, Action: face.ActionCenter}, 0, 10)
		list := shots(f, face.Instruction{Index: 1, Action: face.ActionSmile}, 10, 150)
		first := slices.IndexFunc(list, func(s shot) bool { return s.frame > r.idle() })
		if first < 2 || first > 40 {
			t.Fatalf("seed %d: acts after %d frames", seed, first)
		}
		if done := acted(r, list); len(done) == 0 || done[0] != face.ActionSmile || slices.ContainsFunc(done, func(a face.Action) bool { return a != face.ActionSmile }) {
			t.Fatalf("seed %d: did %v", seed, done)
		}
		repeats := 0
		for _, s := range list {
			if s.frame == r.piece(face.ActionSmile, 0)[0] {
				repeats++
			}
		}
		if repeats < 2 || repeats > 4 {
			t.Errorf("seed %d: tried %d times in 15 seconds", seed, repeats)
		}
	}
}

// A piece that has begun is played to its end even if the instruction changes.
func TestAFollowerEndsWhatItBegan(t *testing.T) {
	t.Parallel()
	r := recording(t, "one", 40)
	f := follow(r, NewRandom(1))
	list := shots(f, face.Instruction{Index: 1, Action: face.ActionTurnLeft}, 0, 40)
	first := slices.IndexFunc(list, func(s shot) bool { return s.frame > r.idle() })
	f = follow(r, NewRandom(1))
	list = shots(f, face.Instruction{Index: 1, Action: face.ActionTurnLeft}, 0, first+2)
	list = append(list, shots(f, face.Instruction{Index: 2, Action: face.ActionSmile}, first+2, 60)...)
	for i := 1; i < len(list); i++ {
		if d := list[i].frame - list[i-1].frame; list[i-1].frame > r.idle() && list[i].frame > r.idle() && d != 1 && list[i-1].frame != r.Pieces[0].To {
			t.Fatalf("jumps from frame %d to %d", list[i-1].frame, list[i].frame)
		}
	}
}

func TestOrders(t *testing.T) {
	t.Parallel()
	c := append([]face.Action{face.ActionCenter}, face.Actions()...)
	seen := map[string]bool{}
	for i := range len(c) - 2 {
		o := exchanged(c, i)
		different := 0
		for k := range c {
			if c[k] != o[k] {
				different++
			}
		}
		if different != 2 || o[0] != face.ActionCenter || o[i+1] != c[i+2] || o[i+2] != c[i+1] {
			t.Errorf("neighbours %d: %v", i, o)
		}
		seen[string(o[1])+string(o[2])+string(o[3])+string(o[4])+string(o[5])+string(o[6])] = true
	}
	if len(seen) != len(c)-2 {
		t.Errorf("%d different exchanges", len(seen))
	}
	if o := reversed(c); o[0] != face.ActionCenter || o[1] != c[len(c)-1] || o[len(o)-1] != c[1] {
		t.Errorf("reversed: %v", o)
	}
	for seed := range uint64(50) {
		if o := another(c, NewRandom(seed)); slices.Equal(o, c) || o[0] != face.ActionCenter {
			t.Errorf("another order: %v", o)
		}
	}
}

// A recording of another order does every action once, in that order.
func TestARunFollowsItsOrder(t *testing.T) {
	t.Parallel()
	r := recording(t, "one", 40)
	order := reversed(append([]face.Action{face.ActionCenter}, face.Actions()...))
	p := &player{of: r, list: run(r, order, NewRandom(5)), speed: 1}
	if done := acted(r, shots(p, face.Instruction{}, 0, 200)); !slices.Equal(done, order[1:]) {
		t.Errorf("asked for %v, did %v", order[1:], done)
	}
}

func TestASwapShowsTheOtherFromItsInstructionOn(t *testing.T) {
	t.Parallel()
	set := setting(t, 0)
	for variant := range 4 {
		set.Variant = variant
		p, err := New(Swap, set)
		if err != nil {
			t.Fatal(err)
		}
		others, firsts := 0, 0
		for i := range 8 {
			for _, s := range shots(p.script, face.Instruction{Index: i, Action: set.Challenge[i]}, 30*i, 30) {
				if s.of == set.Other {
					others++
				} else if others == 0 {
					firsts++
				}
			}
		}
		if others < 15 || firsts < 30 {
			t.Errorf("variant %d (%s): %d frames of the person before %d of the other", variant, p.Detail, firsts, others)
		}
	}
}

// Between two pieces a crossfade mixes, and nothing else.
func TestACrossfadeMixesAtJumpsOnly(t *testing.T) {
	t.Parallel()
	r := recording(t, "one", 40)
	f := &fader{script: &player{of: r, list: []int{10, 11, 12, 30, 31, 32, 33, 34, 35}, speed: 1}, over: 3}
	var mixes []float64
	for _, s := range shots(f, face.Instruction{}, 0, 9) {
		mixes = append(mixes, s.mix)
	}
	if !slices.Equal(mixes, []float64{0, 0, 0, .75, .5, .25, 0, 0, 0}) {
		t.Errorf("%v", mixes)
	}
}

// At half speed every second frame is the mean of its neighbours.
func TestInterpolatedFramesLieBetweenTheirNeighbours(t *testing.T) {
	t.Parallel()
	set := setting(t, 0)
	set.Variant = 0
	p, err := New(Interpolated, set)
	if err != nil {
		t.Fatal(err)
	}
	p.script = &halver{script: &player{of: set.Subject, list: []int{6, 8, 10, 12}, speed: 1}}
	var levels []int
	for range 6 {
		f, err := p.Next(face.Instruction{})
		if err != nil {
			t.Fatal(err)
		}
		var q picture
		if err := q.decode(f.JPEG); err != nil {
			t.Fatal(err)
		}
		levels = append(levels, int(q.pix[4*(20*q.w+20)+1]))
	}
	for i := 2; i+1 < len(levels); i += 2 {
		if d := 2*levels[i] - levels[i-1] - levels[i+1]; d < -3 || d > 3 || levels[i+1]-levels[i-1] < 2 {
			t.Errorf("levels %v: frame %d is no mean", levels, i)
		}
	}
}

// A sheet that is moved turns to the side that is asked, by no more than its amount,
// and comes back.
func TestAMoverTurnsAsAsked(t *testing.T) {
	t.Parallel()
	m := &mover{of: recording(t, "one", 40), amount: 30, shown: -1}
	for _, v := range []struct {
		asked face.Action
		sign  float64
		of    func(Pose) float64
	}{
		{face.ActionTurnLeft, 1, func(p Pose) float64 { return p.Yaw }}, {face.ActionTurnRight, -1, func(p Pose) float64 { return p.Yaw }},
		{face.ActionLookUp, 1, func(p Pose) float64 { return p.Pitch }}, {face.ActionLookDown, -1, func(p Pose) float64 { return p.Pitch }},
	} {
		m.shown = -1
		greatest, last := 0.0, 0.0
		for _, s := range shots(m, face.Instruction{Index: 1, Action: v.asked}, 0, 17) {
			last = v.sign * v.of(s.pose)
			greatest = max(greatest, last)
		}
		if greatest < 20 || greatest > 30.01 || last > 2 {
			t.Errorf("%s: turns by %.1f degrees, ends at %.1f", v.asked, greatest, last)
		}
	}
}

func TestRandomNumbersAreEven(t *testing.T) {
	t.Parallel()
	r := NewRandom(1, "a")
	sum, square := 0.0, 0.0
	var tally [7]int
	const n = 7000
	for range n {
		v := r.Normal()
		sum, square = sum+v, square+v*v
		tally[r.Int(7)]++
	}
	if sum/n > .06 || sum/n < -.06 || square/n < .9 || square/n > 1.1 {
		t.Errorf("mean %.3f, variance %.3f", sum/n, square/n)
	}
	if slices.Min(tally[:]) < 850 || slices.Max(tally[:]) > 1150 {
		t.Errorf("%v", tally)
	}
	if a, b := NewRandom(1, "a", "b").next(), NewRandom(1, "ab").next(); a == b {
		t.Error("labels run together")
	}
}
