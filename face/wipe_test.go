package face_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"ipse/face"
	"ipse/face/pack"
	"ipse/internal/onnx"
)

// faulty is a runtime whose embedding stops in the second run: half of the
// portrait's embedding is there by then.
type faulty struct {
	face.Inferer
	stop func()
}

func (f *faulty) NewLane(spec face.NetworkSpec) (face.Lane, error) {
	lane, err := f.Inferer.NewLane(spec)
	if err == nil && spec.Input.Shape[2] == 112 {
		return &faultyLane{Lane: lane, stop: f.stop}, nil
	}
	return lane, err
}

type faultyLane struct {
	face.Lane
	runs int
	stop func()
}

func (l *faultyLane) Run() error {
	if l.runs++; l.runs == 2 {
		l.stop()
	}
	return l.Lane.Run()
}

// Nothing of the portrait stays when the runtime panics while it is embedded.
func TestAPanicLeavesNothingOfThePortrait(t *testing.T) {
	t.Parallel()
	engine(t)
	networks, err := pack.Default()
	if err != nil {
		t.Fatal(err)
	}
	runtime, err := onnx.New(onnx.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var c *face.Check
	var reference []float32
	f := &faulty{Inferer: runtime, stop: func() {
		reference = c.Reference()
		if !slices.ContainsFunc(reference, func(v float32) bool { return v != 0 }) {
			reference[3] = 1 // the engine may keep its half elsewhere until the end
		}
		panic("a fault of the runtime")
	}}
	e, err := face.NewEngine(face.Config{Pack: networks, Inferer: f, Random: &counter{}, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	c, enrol := e.Enrolling(t.Context(), portrait(t, "p02"))
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the fault did not come through")
			}
		}()
		_ = enrol()
	}()
	if len(reference) == 0 || slices.ContainsFunc(reference, func(v float32) bool { return v != 0 }) {
		t.Errorf("%d numbers of the portrait's embedding, not all wiped", len(reference))
	}
	if left := c.Remains(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if _, err := e.Compare(t.Context(), portrait(t, "p02"), portrait(t, "p05")); err != nil {
		t.Errorf("the worker is lost: %v", err)
	}
	if err := errors.Join(e.Close(), runtime.Close()); err != nil {
		t.Error(err)
	}
}

// A wiped check knows nothing of its run: no pose, no measure, no report.
func TestAWipedCheckKnowsNothing(t *testing.T) {
	t.Parallel()
	s := live(t, "p02")
	c := check(t, engine(t), "p02")
	cam, instruction, start := newFollower(s), c.Instruction(), time.Unix(0, 0)
	for n := range 40 {
		at := time.Duration(n) * 100 * time.Millisecond
		g, err := c.Push(t.Context(), face.Frame{JPEG: cam.next(instruction), CapturedAt: at, ReceivedAt: start.Add(at)})
		if err != nil {
			t.Fatal(err)
		}
		instruction = g.Instruction
	}
	if len(c.Remains()) < 10 {
		t.Fatalf("only %v were in use", c.Remains())
	}
	early := c.Report()
	c.Wipe()
	if left := c.Remains(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if r := c.Report(); !reflect.DeepEqual(r, face.Report{}) {
		t.Errorf("still reports %+v", r)
	}
	if early.StepsDone == 0 || len(early.Steps) != 8 || early.Steps[0].Action != face.ActionCenter {
		t.Errorf("a report taken before is the caller's own: %+v", early)
	}
	if i := c.Instruction(); i.Action != face.ActionCenter {
		t.Errorf("%+v", i)
	}
	if _, err := c.Push(t.Context(), face.Frame{}); !errors.Is(err, face.ErrCheckOver) {
		t.Errorf("%v", err)
	}
	if d := c.Decide(); d.Accepted {
		t.Error("a wiped check accepts")
	}
}
