package proofing_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ipse/internal/proofing"
)

func begin() time.Time { return time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC) }

var ( // read only
	allStates = []proofing.State{proofing.StateConsent, proofing.StateDocument, proofing.StateFace, proofing.StateCounter,
		proofing.StateAccount, proofing.StateDone, proofing.StateRefused, proofing.StateAbandoned, proofing.StateExpired}
	allEvents = []proofing.EventKind{proofing.EventConsent, proofing.EventDocumentStarted, proofing.EventDocumentFailed,
		proofing.EventDocumentRead, proofing.EventFaceStarted, proofing.EventFaceInterrupted, proofing.EventFaceDecided,
		proofing.EventFaceLimited, proofing.EventCounterDecided, proofing.EventMaterialLost, proofing.EventAccountCreated, proofing.EventAbandon, proofing.EventExpire}
	exit = []proofing.Effect{proofing.EffectForgetSealed, proofing.EffectWipe, proofing.EffectReleaseReader}
)

// at is a position as a session has it in that state, running or not.
func at(state proofing.State, running bool) proofing.Position {
	p := proofing.DefaultPolicy().Begin(proofing.RouteCamera, begin())
	p.State, p.Running = state, running
	switch state {
	case proofing.StateFace, proofing.StateCounter:
		p.Document, p.Chip = proofing.ResultPassed, proofing.ResultPassed
	case proofing.StateAccount, proofing.StateDone:
		p = proofing.Position{State: state, Document: proofing.ResultPassed, Chip: proofing.ResultPassed,
			Holder: proofing.ResultPassed, Level: proofing.LevelHigh, Expires: p.Expires}
	case proofing.StateConsent, proofing.StateDocument, proofing.StateRefused, proofing.StateAbandoned, proofing.StateExpired:
	}
	if state == proofing.StateCounter {
		p.Route = proofing.RouteCounter
	}
	return p
}

// TestEveryStateAndEvent goes through the whole matrix. A pair that the table
// does not name must be refused and change nothing.
func TestEveryStateAndEvent(t *testing.T) {
	t.Parallel()
	type key struct {
		state   proofing.State
		running bool
		event   proofing.EventKind
	}
	type want struct {
		state   proofing.State
		effects []proofing.Effect
	}
	table := map[key]want{
		{proofing.StateConsent, false, proofing.EventConsent}:          {proofing.StateDocument, []proofing.Effect{proofing.EffectSignReceipt, proofing.EffectPair}},
		{proofing.StateDocument, false, proofing.EventDocumentStarted}: {proofing.StateDocument, nil},
		{proofing.StateDocument, true, proofing.EventDocumentFailed}:   {proofing.StateDocument, nil},
		{proofing.StateDocument, true, proofing.EventDocumentRead}:     {proofing.StateFace, []proofing.Effect{proofing.EffectReleaseReader}},
		{proofing.StateFace, false, proofing.EventFaceStarted}:         {proofing.StateFace, nil},
		{proofing.StateFace, false, proofing.EventFaceLimited}:         {proofing.StateRefused, exit},
		{proofing.StateFace, true, proofing.EventFaceInterrupted}:      {proofing.StateFace, nil},
		{proofing.StateFace, true, proofing.EventFaceDecided}:          {proofing.StateAccount, []proofing.Effect{proofing.EffectSeal, proofing.EffectWipe, proofing.EffectReleaseReader}},
		{proofing.StateCounter, false, proofing.EventCounterDecided}:   {proofing.StateAccount, []proofing.Effect{proofing.EffectSeal, proofing.EffectWipe, proofing.EffectReleaseReader}},
		{proofing.StateCounter, true, proofing.EventCounterDecided}:    {proofing.StateAccount, []proofing.Effect{proofing.EffectSeal, proofing.EffectWipe, proofing.EffectReleaseReader}},
		{proofing.StateAccount, false, proofing.EventAccountCreated}:   {proofing.StateDone, exit},
		{proofing.StateAccount, true, proofing.EventAccountCreated}:    {proofing.StateDone, exit},
		{proofing.StateConsent, true, proofing.EventConsent}:           {proofing.StateDocument, []proofing.Effect{proofing.EffectSignReceipt, proofing.EffectPair}},
	}
	for _, running := range []bool{false, true} {
		for _, state := range allStates {
			switch state {
			case proofing.StateDone, proofing.StateRefused, proofing.StateAbandoned, proofing.StateExpired:
				for _, ev := range []proofing.EventKind{proofing.EventAbandon, proofing.EventExpire, proofing.EventMaterialLost} {
					table[key{state, running, ev}] = want{state, nil}
				}
			case proofing.StateConsent, proofing.StateAccount:
				table[key{state, running, proofing.EventMaterialLost}] = want{state, nil}
				table[key{state, running, proofing.EventAbandon}] = want{proofing.StateAbandoned, exit}
				table[key{state, running, proofing.EventExpire}] = want{proofing.StateExpired, exit}
			case proofing.StateDocument, proofing.StateFace, proofing.StateCounter:
				table[key{state, running, proofing.EventMaterialLost}] = want{proofing.StateDocument,
					[]proofing.Effect{proofing.EffectWipe, proofing.EffectReleaseReader, proofing.EffectPair}}
				table[key{state, running, proofing.EventAbandon}] = want{proofing.StateAbandoned, exit}
				table[key{state, running, proofing.EventExpire}] = want{proofing.StateExpired, exit}
			}
		}
	}
	policy := proofing.DefaultPolicy()
	for _, running := range []bool{false, true} {
		for _, state := range allStates {
			for _, kind := range allEvents {
				pos := at(state, running)
				ev := proofing.Event{Kind: kind, At: begin().Add(time.Minute), Genuine: true, Chip: proofing.ResultPassed, Accepted: true}
				got, effects, err := policy.Next(pos, ev)
				expected, possible := table[key{state, running, kind}]
				if !possible {
					if !errors.Is(err, proofing.ErrState) || got != pos || effects != nil {
						t.Errorf("%s running %v, %s: %v, effects %v, err %v; want an untouched position", state, running, kind, got.State, effects, err)
					}
					continue
				}
				if err != nil || got.State != expected.state || !slices.Equal(effects, expected.effects) {
					t.Errorf("%s running %v, %s: %s %v %v, want %s %v", state, running, kind, got.State, effects, err, expected.state, expected.effects)
				}
			}
		}
	}
}

func TestDocumentVerdicts(t *testing.T) {
	t.Parallel()
	strict := proofing.DefaultPolicy()
	strict.MinimumLevel = proofing.LevelHigh
	lenient := proofing.DefaultPolicy()
	lenient.AcceptExpiredDocuments = true
	tests := []struct {
		name   string
		policy proofing.Policy
		ev     proofing.Event
		route  proofing.Route
		state  proofing.State
		reason proofing.Reason
	}{
		{"genuine, chip proved", proofing.DefaultPolicy(), proofing.Event{Genuine: true, Chip: proofing.ResultPassed}, proofing.RouteCamera, proofing.StateFace, ""},
		{"at the counter", proofing.DefaultPolicy(), proofing.Event{Genuine: true, Chip: proofing.ResultPassed}, proofing.RouteCounter, proofing.StateCounter, ""},
		{"no chip authentication", proofing.DefaultPolicy(), proofing.Event{Genuine: true, Chip: proofing.ResultNotOffered}, proofing.RouteCamera, proofing.StateFace, ""},
		{"no chip authentication, high asked", strict, proofing.Event{Genuine: true, Chip: proofing.ResultNotOffered}, proofing.RouteCamera, proofing.StateRefused, proofing.ReasonLevelNotReached},
		{"cloned chip", proofing.DefaultPolicy(), proofing.Event{Genuine: true, Chip: proofing.ResultFailed}, proofing.RouteCamera, proofing.StateRefused, proofing.ReasonChipNotAuthentic},
		{"no outcome for the chip", proofing.DefaultPolicy(), proofing.Event{Genuine: true}, proofing.RouteCamera, proofing.StateRefused, proofing.ReasonChipNotAuthentic},
		{"forged", proofing.DefaultPolicy(), proofing.Event{Chip: proofing.ResultPassed}, proofing.RouteCamera, proofing.StateRefused, proofing.ReasonDocumentNotGenuine},
		{"forged, at the counter", proofing.DefaultPolicy(), proofing.Event{Chip: proofing.ResultPassed}, proofing.RouteCounter, proofing.StateRefused, proofing.ReasonDocumentNotGenuine},
		{"expired", proofing.DefaultPolicy(), proofing.Event{Genuine: true, Chip: proofing.ResultPassed, DocumentExpired: true}, proofing.RouteCamera, proofing.StateRefused, proofing.ReasonDocumentExpired},
		{"expired, allowed", lenient, proofing.Event{Genuine: true, Chip: proofing.ResultPassed, DocumentExpired: true}, proofing.RouteCamera, proofing.StateFace, ""},
	}
	for _, tt := range tests {
		pos := at(proofing.StateDocument, true)
		pos.Route = tt.route
		tt.ev.Kind, tt.ev.At = proofing.EventDocumentRead, begin()
		got, _, err := tt.policy.Next(pos, tt.ev)
		if err != nil || got.State != tt.state || got.Reason != tt.reason {
			t.Errorf("%s: %s %q %v", tt.name, got.State, got.Reason, err)
		}
	}
}

// TestRetriesAreCapped counts how often each check can be started.
func TestRetriesAreCapped(t *testing.T) {
	t.Parallel()
	policy := proofing.DefaultPolicy()
	step := func(pos proofing.Position, ev proofing.Event) proofing.Position {
		ev.At = begin()
		next, _, err := policy.Next(pos, ev)
		if err != nil {
			t.Fatalf("%s: %v", ev.Kind, err)
		}
		return next
	}
	pos := at(proofing.StateDocument, false)
	readings := 0
	for pos.State == proofing.StateDocument {
		pos = step(step(pos, proofing.Event{Kind: proofing.EventDocumentStarted}), proofing.Event{Kind: proofing.EventDocumentFailed})
		readings++
	}
	if readings != 5 || pos.Reason != proofing.ReasonDocumentUnreadable {
		t.Errorf("%d readings, then %q", readings, pos.Reason)
	}
	pos = at(proofing.StateFace, false)
	runs := 0
	for pos.State == proofing.StateFace {
		pos = step(step(pos, proofing.Event{Kind: proofing.EventFaceStarted}),
			proofing.Event{Kind: proofing.EventFaceDecided, Reason: proofing.ReasonNotLive})
		runs++
	}
	if runs != 3 || pos.Reason != proofing.ReasonNotLive || pos.Holder != proofing.ResultFailed {
		t.Errorf("%d decisions, then %q", runs, pos.Reason)
	}
	pos, runs = at(proofing.StateFace, false), 0
	for pos.State == proofing.StateFace {
		pos = step(step(pos, proofing.Event{Kind: proofing.EventFaceStarted}), proofing.Event{Kind: proofing.EventFaceInterrupted})
		runs++
	}
	if runs != 6 || pos.Reason != proofing.ReasonConnectionLost {
		t.Errorf("%d interrupted runs, then %q", runs, pos.Reason)
	}
	pos = step(step(at(proofing.StateFace, false), proofing.Event{Kind: proofing.EventFaceStarted}),
		proofing.Event{Kind: proofing.EventFaceDecided, Reason: proofing.ReasonPortraitUnusable, Final: true})
	if pos.State != proofing.StateRefused || pos.Reason != proofing.ReasonPortraitUnusable {
		t.Errorf("an unusable portrait leads to %s %q", pos.State, pos.Reason)
	}
}

func TestBothRoutesEndInTheSamePosition(t *testing.T) {
	t.Parallel()
	policy := proofing.DefaultPolicy()
	for _, chip := range []proofing.Result{proofing.ResultPassed, proofing.ResultNotOffered} {
		camera, counter := at(proofing.StateFace, true), at(proofing.StateCounter, false)
		camera.Chip, counter.Chip = chip, chip
		camera.FaceLeft, camera.DocumentLeft = 1, 2
		a, _, err := policy.Next(camera, proofing.Event{Kind: proofing.EventFaceDecided, At: begin(), Accepted: true})
		if err != nil {
			t.Fatal(err)
		}
		b, _, err := policy.Next(counter, proofing.Event{Kind: proofing.EventCounterDecided, At: begin(), Accepted: true})
		if err != nil {
			t.Fatal(err)
		}
		if a != b || a.Level != policy.LevelFor(chip) || a.Route != "" {
			t.Errorf("camera %+v, counter %+v", a, b)
		}
	}
}

// TestMachineProperties drives random events and checks what must hold whatever happens.
func TestMachineProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		policy := proofing.DefaultPolicy()
		route := rapid.SampledFrom([]proofing.Route{proofing.RouteCamera, proofing.RouteCounter}).Draw(t, "route")
		now := begin()
		pos := policy.Begin(route, now)
		var consented, genuine, held bool
		var chip proofing.Result
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			ev := proofing.Event{Kind: rapid.SampledFrom(allEvents).Draw(t, "kind"),
				Genuine:  rapid.Bool().Draw(t, "genuine"),
				Chip:     rapid.SampledFrom([]proofing.Result{"", proofing.ResultPassed, proofing.ResultFailed, proofing.ResultNotOffered}).Draw(t, "chip"),
				Accepted: rapid.Bool().Draw(t, "accepted"), Reason: proofing.ReasonNotLive, Final: rapid.Bool().Draw(t, "final")}
			now = now.Add(time.Duration(rapid.IntRange(0, 120).Draw(t, "seconds")) * time.Second)
			ev.At = now
			next, effects, err := policy.Next(pos, ev)
			if err != nil {
				if next != pos || effects != nil {
					t.Fatalf("a refused event changed the position")
				}
				continue
			}
			switch {
			case ev.Kind == proofing.EventConsent && next.State == proofing.StateDocument:
				consented = true
			case ev.Kind == proofing.EventDocumentRead:
				genuine, chip = ev.Genuine, ev.Chip
			case (ev.Kind == proofing.EventFaceDecided && route == proofing.RouteCamera) || ev.Kind == proofing.EventCounterDecided:
				held = ev.Accepted
			case ev.Kind == proofing.EventMaterialLost && next.State == proofing.StateDocument:
				genuine, held = false, false
			}
			checkStep(t, policy, pos, next, effects, now)
			if next.State == proofing.StateAccount && (!consented || !genuine || !held || next.Level != policy.LevelFor(chip) || next.Level == "") {
				t.Fatalf("accepted without consent %v, document %v, holder %v: level %q", consented, genuine, held, next.Level)
			}
			if route == proofing.RouteCounter && next.State == proofing.StateFace || route == proofing.RouteCamera && next.State == proofing.StateCounter {
				t.Fatalf("route %s reached %s", route, next.State)
			}
			pos = next
		}
	})
}

func checkStep(t *rapid.T, policy proofing.Policy, pos, next proofing.Position, effects []proofing.Effect, now time.Time) {
	if pos.State.Final() && next != pos {
		t.Fatalf("a final session moved from %s to %s", pos.State, next.State)
	}
	left := next.State != pos.State && (next.State.Final() || next.State == proofing.StateAccount)
	if left && !slices.Contains(effects, proofing.EffectWipe) {
		t.Fatalf("from %s to %s nothing is wiped", pos.State, next.State)
	}
	if !pos.State.Final() && !now.Before(pos.Expires) && next.State != proofing.StateExpired {
		t.Fatalf("past its expiry the session moved to %s", next.State)
	}
	if next.Level != "" && next.State != proofing.StateAccount && next.State != proofing.StateDone {
		t.Fatalf("a level in state %s", next.State)
	}
	if next.DocumentLeft < 0 || next.DocumentLeft > policy.DocumentAttempts || next.FaceLeft < 0 ||
		next.FaceLeft > policy.FaceAttempts || next.FaceRefunds < 0 {
		t.Fatalf("attempts out of range: %+v", next)
	}
	if (next.Reason != "") != (next.State == proofing.StateRefused) {
		t.Fatalf("reason %q in state %s", next.Reason, next.State)
	}
	if next.State != proofing.StateDocument && next.State != proofing.StateFace && next.Running {
		t.Fatalf("something runs in state %s", next.State)
	}
}

func TestPolicyValidation(t *testing.T) {
	t.Parallel()
	if err := proofing.DefaultPolicy().Validate(); err != nil {
		t.Errorf("the default policy: %v", err)
	}
	for name, change := range map[string]func(*proofing.Policy){
		"no level":       func(p *proofing.Policy) { p.MinimumLevel = "" },
		"low":            func(p *proofing.Policy) { p.MinimumLevel = "low" },
		"no documents":   func(p *proofing.Policy) { p.DocumentAttempts = 0 },
		"many documents": func(p *proofing.Policy) { p.DocumentAttempts = 21 },
		"no faces":       func(p *proofing.Policy) { p.FaceAttempts = 0 },
		"refunds":        func(p *proofing.Policy) { p.FaceRefunds = -1 },
		"frames":         func(p *proofing.Policy) { p.FramesPerRun = 0 },
		"duration":       func(p *proofing.Policy) { p.CaseFor = 0 },
	} {
		p := proofing.DefaultPolicy()
		change(&p)
		if p.Validate() == nil {
			t.Errorf("%s: valid", name)
		}
	}
	if proofing.Level("").AtLeast("") || proofing.LevelSubstantial.AtLeast(proofing.LevelHigh) || !proofing.LevelHigh.AtLeast(proofing.LevelSubstantial) {
		t.Error("levels are not ordered")
	}
}
