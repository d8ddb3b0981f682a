package face

import "testing"

// A sharp, clean frame counts most, a blurred or noisy one less, none nothing: the best
// of as few frames as a check needs is outweighed by the others together.
func TestASampleCountsByWhatItsFrameHolds(t *testing.T) {
	t.Parallel()
	frame := func(defocus, detail float32) float32 {
		o := observation{defocus: defocus, light: light{detail: detail}}
		return o.weight()
	}
	best := frame(.5, 3)
	if best != 1 {
		t.Errorf("a sharp frame counts %v", best)
	}
	for _, poor := range [][2]float32{{1.2, 3}, {.5, 9}, {2, 3}, {8, 20}} {
		if w := frame(poor[0], poor[1]); w >= best || w < leastWeight {
			t.Errorf("defocus %v, detail %v: counts %v", poor[0], poor[1], w)
		}
	}
	if frame(1.2, 3) <= frame(1.6, 3) || frame(.5, 7) <= frame(.5, 9) {
		t.Error("a poorer frame counts as much")
	}
	// A check needs samplesEach in each part: the rest of the frames, all of the
	// poorest, carry as much as leastWeight each.
	if rest := float32(leastWeight * (2*samplesEach - 1)); rest < .5*best {
		t.Errorf("one frame decides: the others count %v together", rest)
	}
}
