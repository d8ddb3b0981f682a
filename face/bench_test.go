package face_test

import (
	"testing"
	"time"

	"ipse/face"
)

// BenchmarkFrame is one frame of a live check, everything included.
func BenchmarkFrame(b *testing.B) {
	e, s := engine(b), live(b, "p02")
	b.ReportAllocs()
	start := time.Unix(0, 0)
	c := check(b, e, "p02")
	cam := newFollower(s)
	i, n := c.Instruction(), 0
	for b.Loop() {
		at := time.Duration(n) * 66 * time.Millisecond
		n++
		g, err := c.Push(b.Context(), face.Frame{JPEG: cam.next(i), CapturedAt: at, ReceivedAt: start.Add(at)})
		if err != nil {
			b.Fatal(err)
		}
		i = g.Instruction
		if g.Finished {
			b.StopTimer()
			c.Wipe()
			c, cam, n = check(b, e, "p02"), newFollower(s), 0
			i = c.Instruction()
			b.StartTimer()
		}
	}
	c.Wipe()
}

// A steady frame allocates nothing.
func TestFrameAllocatesNothing(t *testing.T) { // not parallel: it counts allocations
	e, s := engine(t), live(t, "p02")
	c := check(t, e, "p02")
	defer c.Wipe()
	start, n := time.Unix(0, 0), 0
	push := func() {
		at := time.Duration(n) * time.Millisecond // the instruction never times out
		_, err := c.Push(t.Context(), face.Frame{JPEG: s.jpeg[n%6], CapturedAt: at, ReceivedAt: start.Add(at)})
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	for range 20 {
		push()
	}
	least := testing.AllocsPerRun(25, push)
	for range 3 { // whatever else runs in this process allocates too
		if least > 0 {
			least = min(least, testing.AllocsPerRun(25, push))
		}
	}
	if least > 0 {
		t.Errorf("%.1f allocations a frame", least)
	}
}

// BenchmarkStage measures the parts of a frame one by one. Decoding, detecting and
// the mesh are for every frame, the eyes for some, the rest for one in ten or so.
func BenchmarkStage(b *testing.B) {
	err := engine(b).Stages(b.Context(), live(b, "p02").jpeg[0], func(stages []face.Stage) error {
		for _, stage := range stages {
			b.Run(stage.Name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := stage.Run(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// No stage of a frame allocates, one after the other.
func TestStagesAllocateNothing(t *testing.T) { // not parallel: it counts allocations
	err := engine(t).Stages(t.Context(), live(t, "p02").jpeg[0], func(stages []face.Stage) error {
		for _, stage := range stages {
			least := 1e9 // of three: whatever else runs in this process allocates too
			for range 3 {
				least = min(least, testing.AllocsPerRun(4, func() {
					if err := stage.Run(); err != nil {
						t.Fatal(err)
					}
				}))
			}
			if least > 0 {
				t.Errorf("%s: %.0f allocations", stage.Name, least)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
