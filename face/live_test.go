package face_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"ipse/face"
)

func TestLivePersonWhoFollowsIsAccepted(t *testing.T) {
	t.Parallel()
	e := engine(t)
	for _, p := range livePeople(t) {
		t.Run(p, func(t *testing.T) {
			t.Parallel()
			s := live(t, p)
			for range len(some([]int{1, 2, 3}, 1)) {
				o := run(t, check(t, e, p), newFollower(s))
				if !o.Accepted {
					t.Errorf("refused (%s) after %d frames: %+v", o.Reason, o.frames, o.report)
				}
				if o.frames > 130 {
					t.Errorf("took %d frames, a person is done in about 100", o.frames)
				}
			}
		})
	}
}

// A person slower than the simulator, or one who takes a moment more, passes too.
func TestReactionTimeMayVary(t *testing.T) {
	t.Parallel()
	e, s := engine(t), live(t, "p02")
	for _, delay := range []int{1, 12, 30} {
		f := newFollower(s)
		f.delay = delay
		if o := run(t, check(t, e, "p02"), f); !o.Accepted {
			t.Errorf("refused (%s) with a delay of %d frames", o.Reason, delay)
		}
	}
}

func TestAttacksAreRefused(t *testing.T) {
	t.Parallel()
	e := engine(t)
	for _, name := range attacks(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := attack(t, name)
			cameras := map[string]camera{}
			if thorough() || strings.HasPrefix(name, "order_") || strings.HasPrefix(name, "swap_") {
				cameras["played"] = &looper{s: s}
			}
			if !strings.HasPrefix(name, "order_") { // played piece by piece it is the person
				cameras["following"] = newFollower(s)
			}
			for how, cam := range cameras {
				o := run(t, check(t, e, s.Person), cam)
				if o.Accepted {
					t.Errorf("accepted, %s: %+v", how, o.report)
				}
				if strings.HasPrefix(name, "screen_") && passed(o.report, "no_screen") {
					t.Errorf("%s: a screen does not show: grid %.1f, rainbow %.2f", how, o.report.Grid, o.report.Rainbow)
				}
				if strings.HasPrefix(name, "twofaces") && (o.Reason != face.ReasonSeveralFaces || o.hints[face.HintOnePersonOnly] == 0) {
					t.Errorf("%s: reason %s, hints %v", how, o.Reason, o.hints)
				}
			}
		})
	}
}

func passed(r face.Report, name string) bool {
	return slices.ContainsFunc(r.Signals, func(s face.Signal) bool { return s.Name == name && s.Passed })
}

func TestAnotherPersonsPortraitIsRefused(t *testing.T) {
	t.Parallel()
	e := engine(t)
	people := livePeople(t)
	for i, p := range some(people, 3) {
		other := people[(i+1)%len(people)]
		t.Run(p+" by "+other, func(t *testing.T) {
			t.Parallel()
			o := run(t, check(t, e, p), newFollower(live(t, other)))
			if o.Accepted || o.Reason != face.ReasonNotSamePerson {
				t.Errorf("%+v", o.Decision)
			}
			if !passed(o.report, "instructions_followed") || !passed(o.report, "one_person_throughout") {
				t.Errorf("refused for another reason than the portrait: %+v", o.report.Signals)
			}
		})
	}
}

// swapped plays one person and, from some instruction on, another.
type swapped struct {
	a, b *follower
	from int
}

func (s *swapped) next(i face.Instruction) []byte {
	if i.Index >= s.from {
		return s.b.next(i)
	}
	return s.a.next(i)
}

// Whoever followed an instruction was looked at, however quick the instruction
// was: a swap for the last one alone is seen in whatever order they come.
func TestASwapForTheLastInstructionIsSeen(t *testing.T) {
	t.Parallel()
	e, a, b := engine(t), live(t, "p02"), live(t, "p05")
	for range len(some([]int{1, 2, 3, 4, 5, 6, 7, 8}, 4)) {
		o := run(t, check(t, e, "p02"), &swapped{newFollower(a), newFollower(b), 7})
		if o.Accepted || passed(o.report, "one_person_throughout") {
			t.Errorf("swap at the last instruction: %+v", o.Decision)
		}
	}
}

func TestSwapIsRefused(t *testing.T) {
	t.Parallel()
	e, a, b := engine(t), live(t, "p02"), live(t, "p05")
	for _, from := range some([]int{1, 4, 7, 2, 3, 5, 6}, 3) {
		for _, pair := range some([][2]*sequence{{a, b}, {b, a}}, 1) {
			o := run(t, check(t, e, pair[0].name), &swapped{newFollower(pair[0]), newFollower(pair[1]), from})
			if o.Accepted || passed(o.report, "one_person_throughout") {
				t.Errorf("swap of %s at instruction %d: %+v", pair[0].name, from, o.Decision)
			}
		}
	}
}

func TestPlayedSequenceIsRefused(t *testing.T) {
	t.Parallel()
	e := engine(t)
	for _, p := range livePeople(t)[:2] {
		o := run(t, check(t, e, p), &looper{s: live(t, p)})
		if o.Accepted || o.Reason == face.ReasonPoorQuality {
			t.Errorf("%s: %+v", p, o.Decision)
		}
	}
}

func TestEarlyDecisionRefuses(t *testing.T) {
	t.Parallel()
	c := check(t, engine(t), "p02")
	if d := c.Decide(); d.Accepted || d.Reason != face.ReasonNotFollowed {
		t.Errorf("%+v", d)
	}
	if d := c.Decide(); d.Accepted {
		t.Error("a second decision accepts")
	}
	if _, err := c.Push(t.Context(), face.Frame{}); !errors.Is(err, face.ErrCheckOver) {
		t.Errorf("push after the decision: %v", err)
	}
	c.Wipe()
	c.Wipe()
}

func TestNothingButNoiseTimesOut(t *testing.T) {
	t.Parallel()
	c := check(t, engine(t), "p02")
	defer c.Wipe()
	start := time.Unix(0, 0)
	for i := range 100 {
		g, err := c.Push(t.Context(), face.Frame{JPEG: []byte{0xff, 0xd8, byte(i)}, ReceivedAt: start.Add(time.Duration(i) * 100 * time.Millisecond)})
		if err != nil {
			t.Fatal(err)
		}
		if g.Finished {
			if d := c.Decide(); d.Accepted || d.Reason != face.ReasonPoorQuality {
				t.Errorf("%+v", d)
			}
			return
		}
	}
	t.Error("a run of unreadable frames did not end")
}

func TestContextEndsPush(t *testing.T) {
	t.Parallel()
	c := check(t, engine(t), "p02")
	defer c.Wipe()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	// Both workers may be free, so the frame may still be examined; it must not hang.
	if _, err := c.Push(ctx, face.Frame{JPEG: portrait(t, "p02"), ReceivedAt: time.Unix(0, 0)}); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestPortraitWithoutFaceIsRefused(t *testing.T) {
	t.Parallel()
	e := engine(t)
	for name, data := range map[string][]byte{"nothing": nil, "no jpeg": []byte("hello"), "grey": greyJPEG(t, 480, 600)} {
		if _, err := e.NewCheck(t.Context(), data); !errors.Is(err, face.ErrPortrait) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
