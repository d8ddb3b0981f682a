package proofing_test

import (
	"context"
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

func TestAgentSeesThePersonOfTheCaseAndDecides(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token, view := atCounter(t, r)
	c, err := r.CounterCase("agent-1", strings.ToLower(strings.ReplaceAll(view.Counter.CaseCode, "-", " ")))
	if err != nil || c.Attributes.FamilyName.Reveal() != "ERIKSSON" || c.Portrait.Len() == 0 {
		t.Fatalf("case %v", err)
	}
	portrait := c.Portrait.Reveal()
	if v, err := r.Get(context.Background(), token); err != nil || !v.Counter.Opened {
		t.Errorf("the person is not told that the case is open: %+v, %v", v.Counter, err)
	}
	if _, err := r.NewCounterCode(context.Background(), token); !errors.Is(err, proofing.ErrRunning) {
		t.Errorf("a new code under the agent's eyes: %v", err)
	}
	again, err := r.CounterCase("agent-1", view.Counter.CaseCode)
	if err != nil || again.Nonce != c.Nonce {
		t.Errorf("the same agent again: %v", err)
	}
	again.Wipe()
	nonce := c.Nonce
	c.Wipe()
	for _, b := range portrait {
		if b != 0 {
			t.Fatal("the case's portrait is still in memory")
		}
	}
	err = r.CounterDecide(context.Background(), proofing.CounterDecision{Agent: "agent-1", Code: view.Counter.CaseCode, Approved: true,
		Signature: proofing.DecisionBytes(nonce, true)})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := r.Get(context.Background(), token); err != nil || v.State != proofing.StateAccount || v.Result.Level != proofing.LevelHigh {
		t.Errorf("%s, %v", v.State, err)
	}
	r.wiped(t, "after the approval")
	if _, err := r.CounterCase("agent-1", view.Counter.CaseCode); !errors.Is(err, proofing.ErrNoCase) {
		t.Errorf("the code serves again: %v", err)
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
	if err != nil || v.State != proofing.StateRefused || v.Result.Reason != proofing.ReasonCounterRefused {
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
	if err := r.CounterDecide(ctx, proofing.CounterDecision{Agent: "agent-1", Code: code, Approved: true}); !errors.Is(err, proofing.ErrNoCase) {
		t.Errorf("decided unseen: %v", err)
	}
	c, err := r.CounterCase("agent-1", code)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.CounterCase("agent-2", code); !errors.Is(err, proofing.ErrCaseTaken) {
		t.Errorf("another agent: %v", err)
	}
	bad := proofing.CounterDecision{Agent: "agent-1", Code: code, Approved: true, Signature: proofing.DecisionBytes(c.Nonce, false)}
	if err := r.CounterDecide(ctx, bad); !errors.Is(err, proofing.ErrAgent) {
		t.Errorf("a signature of the opposite: %v", err)
	}
	r.clock.add(15 * time.Minute)
	good := proofing.CounterDecision{Agent: "agent-1", Code: code, Approved: true, Signature: proofing.DecisionBytes(c.Nonce, true)}
	if err := r.CounterDecide(ctx, good); !errors.Is(err, proofing.ErrNoCase) {
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
