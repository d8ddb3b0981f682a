package fair_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ipse/internal/fair"
)

// TestARefusalForNowIsStillItsReason, says when to come back, and never too early.
func TestARefusalForNowIsStillItsReason(t *testing.T) {
	t.Parallel()
	reason, other := errors.New("busy"), errors.New("other")
	rapid.Check(t, func(rt *rapid.T) {
		wait := time.Duration(rapid.Int64Range(-int64(time.Hour), int64(time.Hour)).Draw(rt, "wait"))
		err := fmt.Errorf("take a place: %w", fair.After(reason, wait))
		var later *fair.Later
		if !errors.As(err, &later) || !errors.Is(err, reason) || errors.Is(err, other) || later.Error() != "busy" {
			rt.Fatalf("%v", err)
		}
		if r := later.RetryAfter; r < wait || r < time.Second || r%time.Second != 0 || r >= max(wait, time.Second)+time.Second {
			rt.Fatalf("after %v for a wait of %v", r, wait)
		}
	})
}
