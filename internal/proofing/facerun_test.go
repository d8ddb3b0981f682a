package proofing_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"ipse/internal/fair"
	"ipse/internal/pii"
	"ipse/internal/proofing"
)

// atFace is a session whose document is read.
func atFace(t *testing.T, r *rig) string {
	t.Helper()
	token := r.consented(t, proofing.RouteCamera)
	if view := r.readDocument(t, token); view.State != proofing.StateFace {
		t.Fatalf("state %s", view.State)
	}
	return token
}

func TestThreeRefusedRunsRefuseTheSession(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.face.decide(proofing.FaceDecision{Reason: proofing.ReasonNotSamePerson})
	token := atFace(t, r)
	for left := 2; left >= 0; left-- {
		outcome, err := r.runFace(t, token)
		if err != nil || outcome.Accepted || outcome.Reason != proofing.ReasonNotSamePerson || outcome.AttemptsLeft != left {
			t.Fatalf("outcome %+v, %v; want %d left", outcome, err, left)
		}
	}
	view, err := r.Get(context.Background(), token)
	if err != nil || view.State != proofing.StateRefused || view.Result.Reason != proofing.ReasonNotSamePerson || !view.Result.Retry {
		t.Errorf("%s %+v, %v", view.State, view.Result, err)
	}
	if len(view.Result.Checks) != 5 || view.Result.Checks[4].Result != proofing.ResultFailed {
		t.Errorf("checks %+v", view.Result.Checks)
	}
	r.wiped(t, "after the refusal")
}

func TestARefusalWithoutReasonStillHasOne(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.face.decide(proofing.FaceDecision{})
	if outcome, err := r.runFace(t, atFace(t, r)); err != nil || outcome.Reason == "" {
		t.Errorf("%+v, %v", outcome, err)
	}
}

func TestInterruptedRunsAreGivenBackAFewTimes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := atFace(t, r)
	for i, want := range []int{3, 3, 3, 2, 1} {
		run, err := r.BeginFace(context.Background(), token)
		if err != nil {
			t.Fatal(err)
		}
		run.Close()
		run.Close()
		view, err := r.Get(context.Background(), token)
		if err != nil || view.Face == nil || view.Face.AttemptsLeft != want {
			t.Fatalf("after %d interruptions: %+v, %v", i+1, view.Face, err)
		}
	}
	r.wipedChecks(t)
}

// wipedChecks fails when a check was not wiped.
func (r *rig) wipedChecks(t *testing.T) {
	t.Helper()
	r.face.mu.Lock()
	defer r.face.mu.Unlock()
	for _, c := range r.face.checks {
		if !c.wiped {
			t.Error("a check was not wiped")
		}
	}
}

func TestFramesAreWipedAndBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *proofing.Config) { c.Policy.FramesPerRun = 3 })
	run, err := r.BeginFace(context.Background(), atFace(t, r))
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	if in, err := run.Instruction(); err != nil || in.Action != "center" || in.Of != 6 {
		t.Errorf("first instruction %+v, %v", in, err)
	}
	for i := range 4 {
		frame := []byte("frame")
		_, err := run.Push(context.Background(), proofing.Frame{JPEG: pii.NewBytes(frame)})
		if (i < 3) != (err == nil) || (i == 3 && !errors.Is(err, proofing.ErrRunOver)) {
			t.Errorf("frame %d: %v", i+1, err)
		}
		if string(frame) != "\x00\x00\x00\x00\x00" {
			t.Errorf("frame %d is still in memory", i+1)
		}
	}
	if _, err := run.Finish(context.Background()); err != nil {
		t.Errorf("deciding on the frames so far: %v", err)
	}
}

func TestOnePersonsRunAtATime(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *proofing.Config) { c.MaxFaceRuns = 1 })
	first, second := atFace(t, r), atFace(t, r)
	run, err := r.BeginFace(context.Background(), first)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.BeginFace(context.Background(), first); !errors.Is(err, proofing.ErrRunning) {
		t.Errorf("twice at once: %v", err)
	}
	_, err = r.BeginFace(context.Background(), second)
	var busy *fair.Later
	if !errors.As(err, &busy) || busy.RetryAfter != 30*time.Second {
		t.Errorf("beyond the bound: %v", err)
	}
	r.clock.add(20 * time.Second)
	if _, err = r.BeginFace(context.Background(), second); !errors.As(err, &busy) || busy.RetryAfter != 10*time.Second {
		t.Errorf("twenty seconds later: %v", err)
	}
	run.Close()
	if outcome, err := r.runFace(t, second); err != nil || outcome.AttemptsLeft != 0 || !outcome.Accepted {
		t.Errorf("once there is room: %+v, %v", outcome, err)
	}
}

func TestARunThatTakesTooLongIsInterrupted(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *proofing.Config) { c.Policy.FaceFor = 30 * time.Millisecond })
	token := atFace(t, r)
	run, err := r.BeginFace(context.Background(), token)
	if err != nil {
		t.Fatal(err)
	}
	r.until(t, token, func(v proofing.View) bool { return v.Face != nil && v.Face.Failure == proofing.ReasonConnectionLost })
	if _, err := run.Push(context.Background(), proofing.Frame{}); !errors.Is(err, proofing.ErrRunOver) {
		t.Errorf("a frame after the end: %v", err)
	}
	if _, err := run.Instruction(); !errors.Is(err, proofing.ErrRunOver) {
		t.Errorf("an instruction after the end: %v", err)
	}
	if _, err := run.Finish(context.Background()); !errors.Is(err, proofing.ErrRunOver) {
		t.Errorf("a decision after the end: %v", err)
	}
	r.wipedChecks(t)
}

func TestAnUnusablePortraitRefusesAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.face.err = proofing.ErrPortrait
	token := atFace(t, r)
	if _, err := r.BeginFace(context.Background(), token); !errors.Is(err, proofing.ErrRunOver) {
		t.Errorf("err = %v", err)
	}
	view, err := r.Get(context.Background(), token)
	if err != nil || view.State != proofing.StateRefused || view.Result.Reason != proofing.ReasonPortraitUnusable {
		t.Errorf("%s %+v, %v", view.State, view.Result, err)
	}
	r.wiped(t, "after an unusable portrait")
}

func TestAFaultOfTheCheckerCostsNoAttempt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.face.err = errDisk
	token := atFace(t, r)
	if _, err := r.BeginFace(context.Background(), token); !errors.Is(err, errDisk) {
		t.Errorf("err = %v", err)
	}
	if view, err := r.Get(context.Background(), token); err != nil || view.Face.AttemptsLeft != 3 {
		t.Errorf("%+v, %v", view.Face, err)
	}
}

func TestAPanicInTheCheckEndsTheRunAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.face.onPush = func() { panic("pixels") }
	token := atFace(t, r)
	run, err := r.BeginFace(context.Background(), token)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.Push(context.Background(), proofing.Frame{}); !errors.Is(err, proofing.ErrInternal) {
		t.Errorf("err = %v", err)
	}
	run.Close()
	r.wipedChecks(t)
	r.face.onPush = nil
	if outcome, err := r.runFace(t, token); err != nil || !outcome.Accepted {
		t.Errorf("the next run: %+v, %v", outcome, err)
	}
}

// TestConcurrentUse has pages, frames and the person's stop button race; the
// race detector and the final state are what is checked.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := context.Background()
	token := atFace(t, r)
	run, err := r.BeginFace(ctx, token)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				_, _ = r.Get(ctx, token)
				_, _ = run.Push(ctx, proofing.Frame{JPEG: pii.NewBytes([]byte("frame"))})
			}
		})
	}
	wg.Go(func() {
		views, cancel, err := r.Subscribe(ctx, token)
		if err == nil {
			<-views
			cancel()
		}
	})
	wg.Go(func() { _ = r.Sweep(ctx) })
	wg.Go(func() { _, _ = r.Abandon(ctx, token) })
	wg.Go(func() { _, _ = run.Finish(ctx) })
	wg.Wait()
	run.Close()
	view, err := r.Abandon(ctx, token)
	if err != nil || !view.State.Final() {
		t.Errorf("%s, %v", view.State, err)
	}
	r.wiped(t, "after the race")
	r.wipedChecks(t)
}

// Declining the colours counts before the first frame; later, and after the end,
// it changes nothing.
func TestColoursAreDeclinedBeforeTheFirstFrame(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := atFace(t, r)
	for i, late := range []bool{false, true} {
		run, err := r.BeginFace(context.Background(), token)
		if err != nil {
			t.Fatal(err)
		}
		if late {
			if _, err := run.Push(context.Background(), proofing.Frame{JPEG: pii.NewBytes([]byte{1})}); err != nil {
				t.Fatal(err)
			}
		}
		run.DeclineLight()
		if r.face.checks[i].dark == late {
			t.Errorf("declined %t, late %t", r.face.checks[i].dark, late)
		}
		run.Close()
		run.DeclineLight()
	}
}
