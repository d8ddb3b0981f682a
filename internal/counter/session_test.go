package counter_test

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"ipse/internal/account/authtest"
	"ipse/internal/counter"
)

func TestAnEnrolmentServesOnceAndForADay(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	invited := must(w.staff.Add(ctx, "  Zoé Agent "))
	code := invited.Code.Reveal()
	if invited.Agent.Name != "Zoé Agent" || invited.Agent.AddedOn != "2026-11-23" || len(code) < 26 {
		t.Errorf("%+v", invited.Agent)
	}
	auth := &authtest.Authenticator{Origin: origin, Rand: rand.Reader}
	answer := must(auth.Create(must(w.BeginEnrol(ctx, code))))
	if _, err := w.Enrol(ctx, code+"x", answer.JSON); !errors.Is(err, counter.ErrPasskey) {
		t.Errorf("an answer for another code: %v", err)
	}
	opened, err := w.Enrol(ctx, code, answer.JSON)
	if err != nil || opened.Agent.ID != invited.Agent.ID {
		t.Fatal(err)
	}
	if on, err := w.Session(ctx, opened.Token.Reveal()); err != nil || on.Agent.Name != "Zoé Agent" || on.Agent.Key == nil {
		t.Errorf("%+v, %v", on, err)
	}
	if _, err := w.Enrol(ctx, code, answer.JSON); !errors.Is(err, counter.ErrEnrolment) {
		t.Errorf("used twice: %v", err)
	}
	if _, err := w.BeginEnrol(ctx, code); !errors.Is(err, counter.ErrEnrolment) {
		t.Errorf("begun twice: %v", err)
	}
	late := must(w.staff.Add(ctx, "Late")).Code.Reveal()
	answer = must((&authtest.Authenticator{Origin: origin, Rand: rand.Reader}).Create(must(w.BeginEnrol(ctx, late))))
	w.add(6 * time.Minute)
	if _, err := w.Enrol(ctx, late, answer.JSON); !errors.Is(err, counter.ErrPasskey) {
		t.Errorf("an answer after five minutes: %v", err)
	}
	w.add(counter.EnrolFor)
	if _, err := w.BeginEnrol(ctx, late); !errors.Is(err, counter.ErrEnrolment) {
		t.Errorf("after a day: %v", err)
	}
	for _, name := range []string{"", " ", strings.Repeat("x", 81), "a\x00b", "a\nb", "\xff"} {
		if _, err := w.staff.Add(ctx, name); !errors.Is(err, counter.ErrName) {
			t.Errorf("name %q: %v", name, err)
		}
	}
}

func TestAnAgentSignsInWithTheirPasskeyAlone(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	p := w.hired("Zoé")
	former := p.token
	answer := must(p.auth.Get(must(w.BeginSignIn())))
	must(w.Open(p.SignedIn, "ABCD"))
	p.take(must(w.SignIn(ctx, answer.JSON)))
	if w.Holds(p.SignedIn) {
		t.Error("a case stays open over a new sign-in")
	}
	if _, err := w.Session(ctx, former); !errors.Is(err, counter.ErrNoSession) {
		t.Errorf("the former session lives on: %v", err)
	}
	if _, err := w.SignIn(ctx, answer.JSON); !errors.Is(err, counter.ErrPasskey) {
		t.Errorf("replayed: %v", err)
	}
	for name, fault := range map[string]authtest.Faults{
		"no user verification": {NoUserVerification: true}, "another origin": {Origin: "https://evil.example"}, "another party": {RPID: "evil.example"},
		"a broken signature": {BadSignature: true}, "another handle": {OtherHandle: true}, "another challenge": {Challenge: "AAAAAAAAAAAAAAAAAAAAAA"},
		"a registration": {Type: "webauthn.create"},
	} {
		p.auth.Faults = fault
		if _, err := w.SignIn(ctx, must(p.auth.Get(must(w.BeginSignIn()))).JSON); !errors.Is(err, counter.ErrPasskey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p.auth.Faults = authtest.Faults{}
	answer = must(p.auth.Get(must(w.BeginSignIn())))
	w.add(5 * time.Minute)
	if _, err := w.SignIn(ctx, answer.JSON); !errors.Is(err, counter.ErrPasskey) {
		t.Errorf("an answer after five minutes: %v", err)
	}
	p.auth.Rewind()
	if _, err := w.SignIn(ctx, must(p.auth.Get(must(w.BeginSignIn()))).JSON); !errors.Is(err, counter.ErrPasskey) {
		t.Errorf("a copied passkey: %v", err)
	}
	for _, nonsense := range []string{"", "{}", "null", `{"rawId":"AA","response":{"clientDataJSON":"e30"}}`, strings.Repeat("x", 70_000)} {
		if _, err := w.SignIn(ctx, []byte(nonsense)); !errors.Is(err, counter.ErrPasskey) {
			t.Errorf("%.20q: %v", nonsense, err)
		}
	}
}

func TestAnAgentsSessionEndsWhenIdleAndWithTheShift(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	p := w.hired("Zoé")
	for range 3 {
		w.add(9 * time.Minute)
		if _, err := w.Session(ctx, p.token); err != nil {
			t.Fatal(err)
		}
	}
	w.add(10 * time.Minute)
	if _, err := w.Session(ctx, p.token); !errors.Is(err, counter.ErrNoSession) {
		t.Errorf("idle: %v", err)
	}
	p.take(must(w.SignIn(ctx, must(p.auth.Get(must(w.BeginSignIn()))).JSON)))
	for at := time.Duration(0); at < 8*time.Hour-9*time.Minute; at += 9 * time.Minute {
		w.add(9 * time.Minute)
		if _, err := w.Session(ctx, p.token); err != nil {
			t.Fatalf("after %s: %v", at, err)
		}
	}
	w.add(9 * time.Minute)
	if _, err := w.Session(ctx, p.token); !errors.Is(err, counter.ErrNoSession) {
		t.Errorf("after the shift: %v", err)
	}
	p.take(must(w.SignIn(ctx, must(p.auth.Get(must(w.BeginSignIn()))).JSON)))
	must(w.Open(p.SignedIn, "ABCD"))
	for range 2 {
		if err := w.SignOut(ctx, p.token); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Session(ctx, p.token); !errors.Is(err, counter.ErrNoSession) || w.Holds(p.SignedIn) {
		t.Errorf("signed out: %v", err)
	}
}

func TestAPageThatAsksForItsCaseProlongsNothing(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	p := w.hired("Zoé")
	if err := w.StillOpen(ctx, p.token); !errors.Is(err, counter.ErrNoCase) {
		t.Errorf("without a case: %v", err)
	}
	must(w.Open(p.SignedIn, "ABCD"))
	for range 9 {
		w.add(time.Minute)
		if err := w.StillOpen(ctx, p.token); err != nil {
			t.Fatal(err)
		}
	}
	w.add(time.Minute)
	if err := w.StillOpen(ctx, p.token); !errors.Is(err, counter.ErrNoSession) {
		t.Errorf("a screen that nobody touches for ten minutes: %v", err)
	}
	if err := w.StillOpen(ctx, ""); !errors.Is(err, counter.ErrNoSession) {
		t.Errorf("without a session: %v", err)
	}
}

func TestARemovedAgentIsOutAtOnceAndTheirDecisionsStay(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	p := w.hired("Zoé")
	must(w.Open(p.SignedIn, "ABCD"))
	if err := w.Decide(ctx, p.SignedIn, first(p.signed(approval())), second(p.last())); err == nil {
		t.Error("another answer decides")
	}
	statement, answer := p.signed(approval())
	if err := w.Decide(ctx, p.SignedIn, statement, answer); err != nil {
		t.Fatal(err)
	}
	must(w.Open(p.SignedIn, "EFGH"))
	statement, answer = p.signed(approval())
	signIn := must(p.auth.Get(must(w.BeginSignIn())))
	if err := w.staff.Remove(ctx, p.Agent.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Session(ctx, p.token); !errors.Is(err, counter.ErrNoSession) {
		t.Errorf("their session: %v", err)
	}
	if err := w.Decide(ctx, p.SignedIn, statement, answer); !errors.Is(err, counter.ErrPasskey) {
		t.Errorf("what they signed before: %v", err)
	}
	if _, err := w.SignIn(ctx, signIn.JSON); !errors.Is(err, counter.ErrPasskey) {
		t.Errorf("their passkey: %v", err)
	}
	if err := w.staff.Remove(ctx, p.Agent.ID); !errors.Is(err, counter.ErrNoAgent) {
		t.Errorf("removed twice: %v", err)
	}
	if len(w.decisions()) != 1 {
		t.Errorf("%d decisions", len(w.decisions()))
	}
	agents := must(w.staff.List(ctx))
	if len(agents) != 1 || agents[0].RemovedOn != "2026-11-23" || agents[0].Key != nil || agents[0].Name != "Zoé" {
		t.Errorf("%+v", agents)
	}
	w.add(2*365*24*time.Hour + time.Hour)
	if removed := must(w.Sweep(ctx)); removed != 2 || len(must(w.staff.List(ctx))) != 0 || len(w.decisions()) != 0 {
		t.Errorf("after the time that the evidence is kept: %d removed", removed)
	}
}

// last is an answer to another ceremony: a sign-in.
func (p *person) last() (statement, answer []byte) {
	return nil, must(p.auth.Get(must(p.w.BeginSignIn()))).JSON
}

func first(a, _ []byte) []byte  { return a }
func second(_, b []byte) []byte { return b }
