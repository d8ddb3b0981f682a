package face

import (
	"testing"
	"time"
)

// The neutral face is found whatever the camera's rate, never within less than its
// time, and soon after it.
func TestNeutralIsFoundAtEveryFrameRate(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{5, 8, 10, 11, 12, 13, 15, 30} {
		var f neutralFinder
		found := time.Duration(0)
		for i := 0; found == 0 && i < 4*rate; i++ {
			at := time.Duration(i) * time.Second / time.Duration(rate)
			if done, hint := f.add(&observation{at: at, eyes: .3}); done {
				found = at
			} else if hint != "" {
				t.Fatalf("%d frames a second: hint %s", rate, hint)
			}
		}
		if found < neutralFor || found > time.Second {
			t.Errorf("%d frames a second: found after %v", rate, found)
		}
	}
}
