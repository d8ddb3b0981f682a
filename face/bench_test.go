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
	if allocs := testing.AllocsPerRun(50, push); allocs > 0 {
		t.Errorf("%.1f allocations a frame", allocs)
	}
}

// BenchmarkStage measures the parts of a frame one by one. Decoding, detecting and
// the mesh are for every frame, the eyes for some, the rest for one in ten or so.
func BenchmarkStage(b *testing.B) {
	stages, giveBack, err := engine(b).Stages(live(b, "p02").jpeg[0])
	if err != nil {
		b.Fatal(err)
	}
	defer giveBack()
	for _, name := range []string{"decode", "detect", "mesh", "light", "eyes", "flatness", "align", "embed", "grid", "rainbow"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := stages[name](); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
