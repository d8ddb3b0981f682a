package proofing_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"ipse/internal/pii"
	"ipse/internal/proofing"
)

// failSession runs one whole session whose live checks all fail.
func failSession(t *testing.T, r *rig) {
	t.Helper()
	token := atFace(t, r)
	for range 3 {
		if _, err := r.runFace(t, token); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAStolenDocumentGetsNoNewAttemptsInNewSessions: six failures in a day,
// however many sessions; then the document is refused before the camera, with
// the time, and the counter takes it all the same.
func TestAStolenDocumentGetsNoNewAttemptsInNewSessions(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.face.decide(proofing.FaceDecision{Reason: proofing.ReasonNotSamePerson})
	began := r.clock.now()
	failSession(t, r)
	failSession(t, r)
	token := r.consented(t, proofing.RouteCamera)
	view := r.readDocument(t, token)
	if view.State != proofing.StateRefused || view.Result.Reason != proofing.ReasonDocumentLimit || view.Result.RetryAt != began.Add(24*time.Hour).Format(time.RFC3339) {
		t.Fatalf("a third session: %s %+v", view.State, view.Result)
	}
	r.wiped(t, "after the refusal")
	if err := r.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
	if view, err := r.Get(context.Background(), token); err != nil || view.Result.RetryAt == "" {
		t.Errorf("the time is gone after a sweep: %+v, %v", view.Result, err)
	}
	counter := r.consented(t, proofing.RouteCounter)
	if view := r.readDocument(t, counter); view.State != proofing.StateCounter {
		t.Errorf("at the counter: %s", view.State)
	} else if err := r.decideAtCounter(t, view, true); err != nil {
		t.Error(err)
	}
	atFace(t, r) // whom an agent has recognised is the holder: the failures are forgotten
}

// TestASessionEndsWhenItsDocumentHasNoAttemptLeft also where the session has one.
func TestASessionEndsWhenItsDocumentHasNoAttemptLeft(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *proofing.Config) { c.Policy.DocumentFailures = 2 })
	r.face.decide(proofing.FaceDecision{Reason: proofing.ReasonNotLive})
	token, other := atFace(t, r), atFace(t, r)
	if _, err := r.runFace(t, token); err != nil {
		t.Fatal(err)
	}
	outcome, err := r.runFace(t, token)
	if err != nil || outcome.Accepted || outcome.AttemptsLeft != 0 {
		t.Fatalf("%+v, %v", outcome, err)
	}
	if _, err := r.BeginFace(context.Background(), other); !errors.Is(err, proofing.ErrRunOver) {
		t.Errorf("a session that had come to the camera before: %v", err)
	}
	for _, token := range []string{token, other} {
		if view, err := r.Get(context.Background(), token); err != nil || view.Result == nil || view.Result.Reason != proofing.ReasonDocumentLimit {
			t.Errorf("%+v, %v", view.Result, err)
		}
	}
	r.wiped(t, "after the refusal")
}

// TestLeavingACheckCountsAndSuccessForgets: closing the page, running out of time
// and abandoning are failures; a fault of the server's is none.
func TestLeavingACheckCountsAndSuccessForgets(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := newRig(t, func(c *proofing.Config) { c.Policy.DocumentFailures = 4 })
	leave := map[string]func(string, *proofing.FaceRun){
		"page closed": func(_ string, run *proofing.FaceRun) { run.Close() },
		"abandoned": func(token string, _ *proofing.FaceRun) {
			if _, err := r.Abandon(ctx, token); err != nil {
				t.Error(err)
			}
		},
		"expired": func(string, *proofing.FaceRun) {
			r.clock.add(time.Hour)
			if err := r.Sweep(ctx); err != nil {
				t.Error(err)
			}
		},
	}
	lose := func() {
		for how, do := range leave {
			token := atFace(t, r)
			run, err := r.BeginFace(ctx, token)
			if err != nil {
				t.Fatalf("%s: %v", how, err)
			}
			do(token, run)
		}
	}
	lose()
	r.face.err = errDisk
	token := atFace(t, r)
	if _, err := r.BeginFace(ctx, token); !errors.Is(err, errDisk) {
		t.Fatal(err)
	}
	r.face.err = nil
	r.face.decide(proofing.FaceDecision{Accepted: true})
	if outcome, err := r.runFace(t, token); err != nil || !outcome.Accepted {
		t.Fatalf("the fourth: %+v, %v", outcome, err)
	}
	lose() // as if nothing had been
	r.face.decide(proofing.FaceDecision{Reason: proofing.ReasonNotLive})
	if _, err := r.runFace(t, atFace(t, r)); err != nil {
		t.Fatal(err)
	}
	if view := r.readDocument(t, r.consented(t, proofing.RouteCamera)); view.State != proofing.StateRefused {
		t.Errorf("after four: %s", view.State)
	}
}

// TestWhoHasNotTheChipLocksNobodyOut: neither data without their signature nor a
// copy of the chip counts against the document, and another document is another.
func TestWhoHasNotTheChipLocksNobodyOut(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *proofing.Config) { c.Policy.DocumentFailures = 1 })
	r.face.decide(proofing.FaceDecision{Reason: proofing.ReasonNotLive})
	for _, spoil := range []func(*proofing.Reading){
		func(d *proofing.Reading) { d.Genuine = false },
		func(d *proofing.Reading) { d.Chip = proofing.ResultFailed },
		func(d *proofing.Reading) { d.Identity = pii.NewBytes([]byte("another")) },
	} {
		r.chip.set(func(context.Context, proofing.ReadRequest) (*proofing.Reading, error) {
			d := specimen()
			spoil(d)
			return d, nil
		})
		token := r.consented(t, proofing.RouteCamera)
		if view := r.readDocument(t, token); view.State == proofing.StateFace {
			if _, err := r.runFace(t, token); err != nil {
				t.Fatal(err)
			}
		}
	}
	r.chip.set(genuine)
	atFace(t, r)
	r.chip.set(func(context.Context, proofing.ReadRequest) (*proofing.Reading, error) {
		d := specimen()
		d.Identity = pii.NewBytes([]byte("another"))
		return d, nil
	})
	if view := r.readDocument(t, r.consented(t, proofing.RouteCamera)); view.State != proofing.StateRefused {
		t.Errorf("the document that failed: %s", view.State)
	}
}

// TestNothingOfTheCountIsKept: no row tells which document it was, and a restart
// forgets.
func TestNothingOfTheCountIsKept(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *proofing.Config) { c.Policy.DocumentFailures = 1 })
	r.face.decide(proofing.FaceDecision{Reason: proofing.ReasonNotLive})
	if _, err := r.runFace(t, atFace(t, r)); err != nil {
		t.Fatal(err)
	}
	row := r.store.only(t)
	if strings.Contains(string(row.Sealed)+row.Receipt+row.ID, "what was signed") || row.Position.Reason != proofing.ReasonDocumentLimit {
		t.Errorf("%+v", row.Position)
	}
	r.restart(t)
	atFace(t, r)
}
