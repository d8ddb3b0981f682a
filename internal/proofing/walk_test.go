package proofing_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ipse/internal/consent"
	"ipse/internal/pii"
	"ipse/internal/proofing"
)

// TestWhateverHappensNothingIsKeptAndNobodySlipsIn has people, agents, readers, the
// clock, the disk and the operator do things in any order to one session, and looks
// after each at what must hold: nothing of a person is in memory where nothing needs
// it, nothing sealed or signed is stored past the end, an account comes after an
// accepted holder alone, once, and what is over stays over.
func TestWhateverHappensNothingIsKeptAndNobodySlipsIn(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := &walk{t: t, rig: newRig(t)}
		defer func() { _ = w.Close(context.Background()) }()
		route := rapid.SampledFrom([]proofing.Route{proofing.RouteCamera, proofing.RouteCounter}).Draw(rt, "route")
		w.token, _ = w.start(t, route)
		for range rapid.IntRange(1, 25).Draw(rt, "events") {
			if rapid.IntRange(0, 7).Draw(rt, "disk") == 0 {
				w.store.failAt, w.store.persist = w.store.writes+1, rapid.Bool().Draw(rt, "persist")
			}
			w.step(rt, rapid.SampledFrom([]string{"agree", "read", "read", "face", "face", "case", "decide", "complete", "complete",
				"abandon", "wait", "sweep", "restart", "pair"}).Draw(rt, "what"))
			w.check(rt)
		}
	})
}

// walk is a session with what has happened to it.
type walk struct {
	*rig
	t        *testing.T
	token    string
	accepted bool // a live check or an agent said yes since the document was read
	final    proofing.State
}

func (w *walk) step(rt *rapid.T, what string) {
	ctx := context.Background()
	view, err := w.Get(ctx, w.token)
	if err != nil {
		return // a broken write: the next step asks again
	}
	switch what {
	case "agree":
		if view.Consent != nil {
			_, _ = w.AgreeConsent(ctx, w.token, view.Consent.ID)
		}
	case "pair":
		_, _ = w.NewPairing(ctx, w.token)
	case "read":
		outcome := rapid.SampledFrom([]string{"genuine", "genuine", "forged", "cloned", "fails"}).Draw(rt, "document")
		w.chip.set(func(context.Context, proofing.ReadRequest) (*proofing.Reading, error) {
			reading := specimen()
			switch outcome {
			case "forged":
				reading.Genuine = false
			case "cloned":
				reading.Chip = proofing.ResultFailed
			case "fails":
				return nil, &proofing.ReadError{Code: proofing.FailureCardLost}
			}
			return reading, nil
		})
		w.readers.plug(true)
		if _, err := w.ReadDocument(ctx, w.token, typed()); err == nil {
			_ = w.settle(ctx, w.token)
		}
	case "face":
		w.face.decide(proofing.FaceDecision{Accepted: rapid.Bool().Draw(rt, "same person"), Reason: proofing.ReasonNotLive})
		run, err := w.BeginFace(ctx, w.token)
		if err != nil {
			return
		}
		defer run.Close()
		if rapid.IntRange(0, 3).Draw(rt, "leaves") > 0 {
			_, _ = run.Push(ctx, proofing.Frame{JPEG: pii.NewBytes([]byte("frame"))})
			o, err := run.Finish(ctx)
			w.accepted = w.accepted || o.Accepted || err != nil && w.face.decision.Accepted
		}
	case "case":
		if view.Counter != nil {
			_, _ = w.CounterCase("agent-1", view.Counter.CaseCode)
		}
	case "decide":
		yes := rapid.Bool().Draw(rt, "approved")
		err := w.sign("agent-1", yes)
		w.accepted = w.accepted || yes && !errors.Is(err, proofing.ErrNoCase)
	case "complete":
		_, _ = w.Complete(ctx, w.token, func(_ context.Context, a proofing.Accepted) error {
			if !w.accepted || a.Level != proofing.LevelHigh || a.Attributes.FamilyName.IsZero() {
				rt.Fatalf("an account for somebody whom nobody accepted, at level %q", a.Level)
			}
			w.store.other++
			return nil
		})
	case "abandon":
		_, _ = w.Abandon(ctx, w.token)
	case "wait":
		w.clock.add(time.Duration(rapid.IntRange(1, 20).Draw(rt, "minutes")) * time.Minute)
	case "sweep":
		_ = w.Sweep(ctx)
	case "restart":
		w.restart(w.t)
	}
}

// check looks at memory, at the row and at what is told.
func (w *walk) check(rt *rapid.T) {
	view, err := w.Get(context.Background(), w.token)
	if err != nil && !errors.Is(err, errDisk) {
		rt.Fatalf("the session is lost: %v", err)
	}
	row := w.store.only(w.t)
	state := row.Position.State
	if w.final != "" && state != w.final {
		rt.Fatalf("what was %s is %s", w.final, state)
	}
	if w.store.other > 1 || w.store.other == 1 && state != proofing.StateDone {
		rt.Fatalf("%d accounts in state %s", w.store.other, state)
	}
	if state.Final() {
		w.final = state
		if row.Receipt != "" || row.Sealed != nil && state != proofing.StateDone {
			rt.Fatalf("%s, and something of the person is stored", state)
		}
	}
	if row.Sealed != nil {
		if plain, err := proofing.OpenSealed(w.token, row); err != nil || (state == proofing.StateDone) == (len(plain) > 0 && contains(plain, "ERIKSSON")) {
			rt.Fatalf("sealed in state %s: %v", state, err)
		}
	}
	if err == nil && view.State != proofing.StateFace && view.State != proofing.StateCounter && (view.Document == nil || view.Document.Phase != proofing.DocumentReading) {
		w.nothingInMemory(rt, string(view.State))
	}
}

func contains(text, part string) bool {
	for i := 0; i+len(part) <= len(text); i++ {
		if text[i:i+len(part)] == part {
			return true
		}
	}
	return false
}

// nothingInMemory fails when a portrait that was read, or given to a check, is there.
func (w *walk) nothingInMemory(rt *rapid.T, when string) {
	w.chip.mu.Lock()
	defer w.chip.mu.Unlock()
	w.face.mu.Lock()
	defer w.face.mu.Unlock()
	for _, buf := range append(w.chip.portraits, w.face.portraits...) {
		for _, b := range buf {
			if b != 0 {
				rt.Fatalf("in state %s a portrait is still in memory", when)
			}
		}
	}
}

// TestReceiptsPermitNothingButWhatWasAgreed: of receipts, sessions, checks and moments,
// only the very ones that belong together pass.
func TestReceiptsPermitNothingButWhatWasAgreed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rapid.Check(t, func(rt *rapid.T) {
		route := rapid.SampledFrom([]proofing.Route{proofing.RouteCamera, proofing.RouteCounter}).Draw(rt, "route")
		session := rapid.StringMatching(`[a-z]{1,8}`).Draw(rt, "session")
		ends := begin().Add(time.Duration(rapid.IntRange(1, 3600).Draw(rt, "ends")) * time.Second)
		offer, err := r.cfg.Consent.Offer(consent.OfferRequest{SessionID: session, Route: route, Language: consent.French, Ends: ends})
		if err != nil {
			rt.Fatal(err)
		}
		signed, err := r.cfg.Consent.Issue(offer, begin())
		if err != nil {
			rt.Fatal(err)
		}
		receipt, err := consent.Verify(signed, r.cfg.Consent.PublicKey())
		if err != nil {
			rt.Fatal(err)
		}
		other := rapid.StringMatching(`[a-z]{0,8}`).Draw(rt, "other session")
		check := rapid.SampledFrom([]consent.Check{consent.CheckDocument, consent.CheckFace, consent.CheckCounter, ""}).Draw(rt, "check")
		at := begin().Add(time.Duration(rapid.IntRange(-10, 3700).Draw(rt, "at")) * time.Second)
		agreed := check == consent.CheckDocument || check == consent.CheckFace && route == proofing.RouteCamera || check == consent.CheckCounter && route == proofing.RouteCounter
		want := agreed && other == session && !at.Before(begin()) && at.Before(ends)
		if got := receipt.Permits(other, check, at) == nil; got != want {
			rt.Fatalf("permitted %v, want %v", got, want)
		}
	})
}
