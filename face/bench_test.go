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
