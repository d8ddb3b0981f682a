package proofing_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"ipse/internal/proofing"
)

// atCounter is a session that waits for an agent.
func atCounter(t *testing.T, r *rig) (string, proofing.View) {
	t.Helper()
	token := r.consented(t, proofing.RouteCounter)
	view := r.readDocument(t, token)
	if view.State != proofing.StateCounter || view.Counter.CaseCode == "" || view.Counter.ExpiresAt != "2026-11-23T10:15:00Z" {
		t.Fatalf("%s %+v", view.State, view.Counter)
	}
	return token, view
}

// opened is atCounter with the case open to agent-1.
func opened(t *testing.T, r *rig) (token string, view proofing.View) {
	t.Helper()
	token, view = atCounter(t, r)
	if _, err := r.CounterCase("agent-1", view.Counter.CaseCode); err != nil {
		t.Fatal(err)
	}
	return token, view
}

func TestAgentSeesThePersonOfTheCaseAndDecides(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token, view := atCounter(t, r)
	c, err := r.CounterCase("agent-1", strings.ToLower(strings.ReplaceAll(view.Counter.CaseCode, "-", " ")))
	if err != nil || c.Attributes.FamilyName.Reveal() != "ERIKSSON" || !c.Portrait || c.ExpiresAt.IsZero() {
		t.Fatalf("case %v", err)
	}
	portrait, err := r.CounterPortrait("agent-1")
	if err != nil || portrait.Len() == 0 {
		t.Fatal(err)
	}
	portrait.Wipe() // a copy: the session's own stays
	if _, err := r.CounterPortrait("agent-1"); !errors.Is(err, proofing.ErrNoCase) {
		t.Errorf("the portrait is shown again: %v", err)
	}
	if v, err := r.Get(context.Background(), token); err != nil || !v.Counter.Opened {
		t.Errorf("the person is not told that the case is open: %+v, %v", v.Counter, err)
	}
	if _, err := r.NewCounterCode(context.Background(), token); !errors.Is(err, proofing.ErrRunning) {
		t.Errorf("a new code under the agent's eyes: %v", err)
	}
	if err := r.sign("agent-1", true); err != nil {
		t.Fatal(err)
	}
	if v, err := r.Get(context.Background(), token); err != nil || v.State != proofing.StateAccount || v.Result.Level != proofing.LevelHigh {
		t.Errorf("%s, %v", v.State, err)
	}
	r.wiped(t, "after the approval")
	if _, err := r.CounterCase("agent-1", view.Counter.CaseCode); !errors.Is(err, proofing.ErrNoCase) {
		t.Errorf("the code serves again: %v", err)
	}
	if err := r.sign("agent-1", true); !errors.Is(err, proofing.ErrNoCase) || r.store.evidence != 1 {
		t.Errorf("decided twice: %v, %d rows of evidence", err, r.store.evidence)
	}
}

func TestRefusalAtTheCounter(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token, view := atCounter(t, r)
	if err := r.decideAtCounter(t, view, false); err != nil {
		t.Fatal(err)
	}
	v, err := r.Get(context.Background(), token)
	if err != nil || v.State != proofing.StateRefused || v.Result.Reason != proofing.ReasonCounterRefused || r.store.evidence != 1 {
		t.Errorf("%s %+v, %v", v.State, v.Result, err)
	}
	r.wiped(t, "after the refusal")
}

func TestCasesAreGuarded(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := newRig(t)
	token, view := atCounter(t, r)
	code := view.Counter.CaseCode
	for _, wrong := range []string{"", "AAAA-AAAA", code[:8], code + "A"} {
		if _, err := r.CounterCase("agent-1", wrong); !errors.Is(err, proofing.ErrNoCase) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if _, err := r.CounterCase("", code); !errors.Is(err, proofing.ErrNoCase) {
		t.Errorf("nobody: %v", err)
	}
	if err := r.CounterDecide(ctx, "agent-1", true, nil); !errors.Is(err, proofing.ErrNoCase) {
		t.Errorf("decided unseen: %v", err)
	}
	if _, err := r.CounterCase("agent-1", code); err != nil {
		t.Fatal(err)
	}
	for _, agent := range []string{"agent-1", "agent-2"} {
		if _, err := r.CounterCase(agent, code); !errors.Is(err, proofing.ErrNoCase) {
			t.Errorf("the code opens twice, to %s: %v", agent, err)
		}
	}
	if _, err := r.CounterPortrait("agent-2"); !errors.Is(err, proofing.ErrNoCase) {
		t.Errorf("another agent's case: %v", err)
	}
	if err := r.sign("agent-2", true); !errors.Is(err, proofing.ErrNoCase) {
		t.Errorf("another agent decides: %v", err)
	}
	opposite, err := r.CounterDraft("agent-1", false)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.CounterDecide(ctx, "agent-1", true, opposite); !errors.Is(err, proofing.ErrAgent) {
		t.Errorf("a signature of the opposite: %v", err)
	}
	if v, err := r.Get(ctx, token); err != nil || v.State != proofing.StateCounter || !v.Counter.Opened {
		t.Errorf("after it: %+v, %v", v, err)
	}
	r.clock.add(15 * time.Minute)
	if err := r.sign("agent-1", true); !errors.Is(err, proofing.ErrNoCase) || r.CounterHolds("agent-1") {
		t.Errorf("an expired case: %v", err)
	}
	fresh, err := r.NewCounterCode(ctx, token)
	if err != nil || fresh.Counter.CaseCode == code || fresh.Counter.Opened {
		t.Fatalf("%+v, %v", fresh.Counter, err)
	}
	if err := r.decideAtCounter(t, fresh, true); err != nil {
		t.Errorf("with the fresh code: %v", err)
	}
}

func TestAnAgentHasOneCaseAtATime(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := newRig(t)
	token, view := opened(t, r)
	_, second := atCounter(t, r)
	if _, err := r.CounterCase("agent-1", second.Counter.CaseCode); !errors.Is(err, proofing.ErrCaseOpen) {
		t.Fatalf("two cases at once: %v", err)
	}
	for range 2 { // the second time does nothing
		if err := r.CounterRelease("agent-1"); err != nil {
			t.Fatal(err)
		}
	}
	v, err := r.Get(ctx, token)
	if err != nil || v.Counter.Opened || v.Counter.CaseCode == "" || v.Counter.CaseCode == view.Counter.CaseCode {
		t.Errorf("put down: %+v, %v", v.Counter, err)
	}
	if _, err := r.CounterCase("agent-1", second.Counter.CaseCode); err != nil {
		t.Errorf("the next case: %v", err)
	}
	if _, err := r.CounterCase("agent-2", v.Counter.CaseCode); err != nil {
		t.Errorf("the first case, to another agent: %v", err)
	}
	if _, err := r.Abandon(ctx, token); err != nil || r.CounterHolds("agent-2") || !r.CounterHolds("agent-1") {
		t.Errorf("an abandoned case stays with its agent: %v", err)
	}
}

func TestFourWrongSignaturesPutTheCaseDown(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := newRig(t)
	token, view := opened(t, r)
	for n := range 4 {
		if !r.CounterHolds("agent-1") {
			t.Fatalf("put down after %d", n)
		}
		if err := r.CounterDecide(ctx, "agent-1", true, []byte("no signature")); !errors.Is(err, proofing.ErrAgent) {
			t.Fatal(err)
		}
	}
	v, err := r.Get(ctx, token)
	if err != nil || r.CounterHolds("agent-1") || v.State != proofing.StateCounter || v.Counter.Opened || v.Counter.CaseCode == view.Counter.CaseCode || r.store.evidence != 0 {
		t.Errorf("%+v, %v", v.Counter, err)
	}
}

// TestADecisionIsBoundToOneOpeningAndItsConsent: what an agent signed for one case,
// outcome or opening is not what another asks for, and names nobody.
func TestADecisionIsBoundToOneOpeningAndItsConsent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token, _ := opened(t, r)
	first, err := r.CounterDraft("agent-1", true)
	if err != nil {
		t.Fatal(err)
	}
	var said map[string]string
	if err := json.Unmarshal(first, &said); err != nil || len(said) != 3 || said["outcome"] != "approved" || len(said["case"]) != 22 || len(said["receipt_sha256"]) != 43 {
		t.Errorf("%s, %v", first, err)
	}
	if err := r.CounterRelease("agent-1"); err != nil {
		t.Fatal(err)
	}
	v, err := r.Get(context.Background(), token)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.CounterCase("agent-1", v.Counter.CaseCode); err != nil {
		t.Fatal(err)
	}
	if err := r.CounterDecide(context.Background(), "agent-1", true, first); !errors.Is(err, proofing.ErrAgent) {
		t.Errorf("the signature of an earlier opening: %v", err)
	}
}

// TestNoCaseWithoutAGenuineDocument: a document that the system refuses leads to no
// case that an agent could decide.
func TestNoCaseWithoutAGenuineDocument(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.chip.set(func(context.Context, proofing.ReadRequest) (*proofing.Reading, error) {
		forged := specimen()
		forged.Genuine = false
		return forged, nil
	})
	token := r.consented(t, proofing.RouteCounter)
	view := r.readDocument(t, token)
	if view.State != proofing.StateRefused || view.Counter != nil {
		t.Fatalf("%+v", view)
	}
	if _, err := r.NewCounterCode(context.Background(), token); !errors.Is(err, proofing.ErrState) {
		t.Errorf("a code for it: %v", err)
	}
	pos := proofing.Position{State: proofing.StateCounter, Route: proofing.RouteCounter, Document: proofing.ResultFailed, Chip: proofing.ResultPassed, Expires: time.Now().Add(time.Hour)}
	if next, _, err := proofing.DefaultPolicy().Next(pos, proofing.Event{Kind: proofing.EventCounterDecided, At: time.Now(), Accepted: true}); err == nil {
		t.Errorf("the machine accepts it: %+v", next)
	}
}

func TestWithoutAgentsNothingIsApproved(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *proofing.Config) { c.Agents = nil })
	_, view := atCounter(t, r)
	if err := r.decideAtCounter(t, view, true); !errors.Is(err, proofing.ErrAgent) {
		t.Errorf("err = %v", err)
	}
}

func TestCaseCodesAreUnambiguous(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	seen := map[string]bool{}
	for range 30 {
		_, view := atCounter(t, r)
		code := view.Counter.CaseCode
		if len(code) != 9 || code[4] != '-' || strings.ContainsAny(code, "01OIL5S8BUV") || seen[code] {
			t.Errorf("code %q", code)
		}
		seen[code] = true
	}
}
