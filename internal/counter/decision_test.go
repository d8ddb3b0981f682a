package counter_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ipse/internal/account/authtest"
	"ipse/internal/counter"
	"ipse/internal/fair"
)

func TestADecisionIsSignedAndKeptAndAnyoneCanVerifyIt(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	p := w.hired("Zoé")
	must(w.Open(p.SignedIn, "ABCD"))
	statement, answer := p.signed(approval())
	if err := w.Decide(ctx, p.SignedIn, statement, answer); err != nil {
		t.Fatal(err)
	}
	must(w.Open(p.SignedIn, "EFGH"))
	w.add(time.Minute)
	statement, answer = p.signed(counter.Draft{Checklist: []string{counter.ItemHolder}, Reason: "document_altered"})
	if err := w.Decide(ctx, p.SignedIn, statement, answer); err != nil {
		t.Fatal(err)
	}
	kept := w.decisions()
	if len(kept) != 2 || w.cases.decided != 2 {
		t.Fatalf("%d kept, %d decided", len(kept), w.cases.decided)
	}
	for i, d := range kept {
		// As an auditor gets it: a line of JSON, and nothing else.
		var read counter.Decision
		if err := json.Unmarshal(must(json.Marshal(d)), &read); err != nil {
			t.Fatal(err)
		}
		found, err := counter.Check(w.keys, read)
		if err != nil || found.Agent != p.Agent.ID || found.Approved != (i == 0) || found.ReceiptSHA256 != "cmVjZWlwdA" ||
			found.Case != []string{"ABCD", "EFGH"}[i] || !found.At.Equal(time.Date(2026, 11, 23, 10, i, 0, 0, time.UTC)) {
			t.Errorf("%+v, %v", found, err)
		}
	}
	found := must(counter.Check(w.keys, kept[0]))
	want := counter.Checklist()
	slices.Sort(want)
	if !slices.Equal(found.Checklist, want) || found.Reason != "" {
		t.Errorf("%+v", found)
	}
	if found := must(counter.Check(w.keys, kept[1])); found.Reason != "document_altered" || len(found.Checklist) != 1 {
		t.Errorf("%+v", found)
	}
	if raw := must(json.Marshal(kept)); bytes.Contains(raw, []byte("ERIKSSON")) || bytes.Contains(raw, []byte("Zoé")) {
		t.Error("the evidence names somebody")
	}
}

func TestAlteredEvidenceDoesNotVerify(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, other := w.hired("Zoé"), w.hired("Noé")
	must(w.Open(p.SignedIn, "ABCD"))
	statement, answer := p.signed(counter.Draft{Reason: "in_doubt"})
	if err := w.Decide(t.Context(), p.SignedIn, statement, answer); err != nil {
		t.Fatal(err)
	}
	good := w.decisions()[0]
	if _, err := counter.Check(w.keys, good); err != nil {
		t.Fatal(err)
	}
	for name, alter := range map[string]func(*counter.Decision){
		"another outcome": func(d *counter.Decision) {
			d.Statement = bytes.Replace(d.Statement, []byte("refused"), []byte("approved"), 1)
		},
		"another reason": func(d *counter.Decision) {
			d.Statement = bytes.Replace(d.Statement, []byte("in_doubt"), []byte("document_altered"), 1)
		},
		"another agent":     func(d *counter.Decision) { d.Agent = other.Agent.ID },
		"another case":      func(d *counter.Decision) { d.Case = "EFGH" },
		"another time":      func(d *counter.Decision) { d.At = d.At.Add(time.Minute) },
		"another key":       func(d *counter.Decision) { d.PublicKey = other.Agent.Key.PublicKey },
		"another's passkey": func(d *counter.Decision) { d.KeyID, d.PublicKey = other.Agent.Key.ID, other.Agent.Key.PublicKey },
		"no answer":         func(d *counter.Decision) { d.Answer = []byte("{}") },
		"white space":       func(d *counter.Decision) { d.Statement = append([]byte(" "), d.Statement...) },
		"no statement":      func(d *counter.Decision) { d.Statement = nil },
	} {
		d := good
		d.Statement = bytes.Clone(good.Statement)
		alter(&d)
		if _, err := counter.Check(w.keys, d); !errors.Is(err, counter.ErrEvidence) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOnlyTheAgentsOwnFreshSignatureDecides sends what others signed, what was
// signed for something else, what was signed before, and what nobody signed.
func TestOnlyTheAgentsOwnFreshSignatureDecides(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	p, other := w.hired("Zoé"), w.hired("Noé")
	must(w.Open(p.SignedIn, "ABCD"))
	must(w.Open(other.SignedIn, "EFGH"))
	refuse := func(name string, on *person, statement, answer []byte) {
		t.Helper()
		if err := w.Decide(ctx, on.SignedIn, statement, answer); !errors.Is(err, counter.ErrPasskey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	statement, answer := p.signed(approval())
	theirs, theirAnswer := other.signed(approval())
	refuse("another agent's decision on another case", p, theirs, theirAnswer)
	refuse("signed by another agent", p, statement, theirAnswer)
	refuse("sent by another agent", other, statement, answer)
	refuse("another outcome", p, bytes.Replace(statement, []byte("approved"), []byte("refused"), 1), answer)
	refuse("a shorter checklist", p, bytes.Replace(statement, []byte(`"document_intact",`), nil, 1), answer)
	refuse("no statement", p, nil, answer)
	refuse("no answer", p, statement, nil)
	refuse("a statement of this agent for somebody else's authenticator", p, statement, must(other.auth.Get(must(w.BeginSignIn()))).JSON)
	for name, fault := range map[string]authtest.Faults{"no user verification": {NoUserVerification: true}, "no presence": {NoUserPresence: true},
		"another site": {Origin: "https://evil.example"}, "a broken signature": {BadSignature: true}} {
		p.auth.Faults = fault
		bad, badAnswer := p.signed(approval())
		refuse(name, p, bad, badAnswer)
	}
	p.auth.Faults = authtest.Faults{}
	statement, answer = p.signed(approval())
	w.add(7 * time.Minute)
	refuse("signed too long ago", p, statement, answer)
	if len(w.decisions()) != 0 {
		t.Fatalf("%d decisions kept", len(w.decisions()))
	}
	statement, answer = p.signed(approval())
	if err := w.Decide(ctx, p.SignedIn, statement, answer); err != nil {
		t.Fatal(err)
	}
	refuse("replayed", p, statement, answer)
	// A synced passkey has no counter that would tell: the case itself does.
	if len(w.decisions()) != 1 || w.cases.decided != 1 {
		t.Errorf("%d kept, %d decided", len(w.decisions()), w.cases.decided)
	}
}

// sign has an authenticator sign any statement with the passkey of an agent.
func (p *person) sign(with *authtest.Authenticator, key []byte, statement []byte) []byte {
	p.w.t.Helper()
	sum := sha256.Sum256(statement)
	return must(with.Get(must(p.w.keys.BeginSign(sum[:], key)))).JSON
}

// TestEachPartOfADecisionCountsByItself: with all else right, a statement in another
// agent's name, one signed by another agent's passkey, and one on a case that the agent
// had open before, decide nothing. No two of these checks stand for each other.
func TestEachPartOfADecisionCountsByItself(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	p, other := w.hired("Zoé"), w.hired("Noé")
	must(w.Open(p.SignedIn, "ABCD"))
	statement, answer := p.signed(approval())
	theirs := bytes.Replace(statement, []byte(p.Agent.ID), []byte(other.Agent.ID), 1)
	if bytes.Equal(theirs, statement) {
		t.Fatal("the statement names no agent")
	}
	refuse := func(name string, statement, answer []byte) {
		t.Helper()
		if err := w.Decide(ctx, p.SignedIn, statement, answer); !errors.Is(err, counter.ErrPasskey) || len(w.decisions()) != 0 {
			t.Errorf("%s: %v, %d kept", name, err, len(w.decisions()))
		}
	}
	refuse("in another's name, by the agent's own passkey", theirs, p.sign(p.auth, p.Agent.Key.ID, theirs))
	refuse("the agent's own statement, by another's passkey", statement, p.sign(other.auth, other.Agent.Key.ID, statement))
	must(w.Open(p.SignedIn, "EFGH"))
	refuse("on the case before", statement, answer)
	later := bytes.Replace(statement, []byte("10:00:00Z"), []byte("10:01:00Z"), 1)
	refuse("of a minute to come", later, p.sign(p.auth, p.Agent.Key.ID, later))
	shorter := bytes.Replace(statement, []byte(`"document_intact",`), nil, 1)
	refuse("approved without looking", shorter, p.sign(p.auth, p.Agent.Key.ID, shorter))
	spaced := append([]byte(" "), statement...)
	refuse("not canonical", spaced, p.sign(p.auth, p.Agent.Key.ID, spaced))
	must(w.Open(p.SignedIn, "ABCD"))
	if err := w.Decide(ctx, p.SignedIn, statement, p.sign(p.auth, p.Agent.Key.ID, statement)); err != nil {
		t.Errorf("with all right: %v", err)
	}
}

// TestASignInServesOnceWhoeverRaces: of many uses of one answer at a time, one opens a
// session, also with a passkey without a counter.
func TestASignInServesOnceWhoeverRaces(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code := must(w.staff.Add(t.Context(), "Zoé")).Code.Reveal()
	auth := &authtest.Authenticator{Origin: origin, Rand: rand.Reader, Synced: true}
	must(w.Enrol(t.Context(), code, must(auth.Create(must(w.BeginEnrol(t.Context(), code)))).JSON))
	answer := must(auth.Get(must(w.BeginSignIn()))).JSON
	var opened atomic.Int32
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if _, err := w.SignIn(t.Context(), answer); err == nil {
				opened.Add(1)
			} else if !errors.Is(err, counter.ErrPasskey) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if opened.Load() != 1 {
		t.Errorf("%d sessions of one answer", opened.Load())
	}
}

func TestADecisionThatFailsLeavesNoEvidence(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.hired("Zoé")
	must(w.Open(p.SignedIn, "ABCD"))
	w.cases.broken = errors.New("the session could not be written")
	statement, answer := p.signed(approval())
	if err := w.Decide(t.Context(), p.SignedIn, statement, answer); !errors.Is(err, w.cases.broken) || len(w.decisions()) != 0 {
		t.Fatalf("%v, %d kept", err, len(w.decisions()))
	}
	w.cases.broken = nil
	if err := w.Decide(t.Context(), p.SignedIn, statement, answer); err != nil || len(w.decisions()) != 1 {
		t.Errorf("the same answer again: %v", err)
	}
}

func TestChecklistAndDecisionFitTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.hired("Zoé")
	must(w.Open(p.SignedIn, "ABCD"))
	all := counter.Checklist()
	for name, d := range map[string]counter.Draft{
		"approved without looking": {Approved: true}, "two of three": {Approved: true, Checklist: all[:2]}, "one twice": {Approved: true, Checklist: []string{all[0], all[0], all[1]}},
		"approved with a reason": {Approved: true, Checklist: all, Reason: "in_doubt"}, "an item of another list": {Approved: true, Checklist: []string{all[0], all[1], "x"}},
		"refused without a reason": {}, "refused for another reason": {Reason: "I do not like the person"},
	} {
		if _, _, err := w.BeginDecide(p.SignedIn, d); !errors.Is(err, counter.ErrChecklist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := w.Release(p.SignedIn); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.BeginDecide(p.SignedIn, approval()); !errors.Is(err, counter.ErrNoCase) {
		t.Errorf("without a case: %v", err)
	}
}

func TestWrongCaseCodesSlowTheAgentDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, other := w.hired("Zoé"), w.hired("Noé")
	for range 4 {
		if _, err := w.Open(p.SignedIn, "WRONG"); !errors.Is(err, counter.ErrNoCase) {
			t.Fatal(err)
		}
	}
	_, err := w.Open(p.SignedIn, "ABCD")
	var limit *fair.Later
	if !errors.As(err, &limit) || limit.RetryAfter != time.Minute || !errors.Is(err, counter.ErrLimited) {
		t.Fatalf("the right code after four wrong ones: %v", err)
	}
	if _, err := w.Open(other.SignedIn, "EFGH"); err != nil {
		t.Errorf("another agent: %v", err)
	}
	w.add(time.Minute)
	if _, err := w.Open(p.SignedIn, "ABCD"); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}

// FuzzDecision: what an auditor is given is read without a fault, and nothing that
// nobody signed verifies.
func FuzzDecision(f *testing.F) {
	for _, seed := range []string{
		`{"case":"a","agent":"b","at":"2026-11-23T10:00:00Z","statement":"{}","key_id":"AA","public_key":"AA","backup_eligible":false,"answer":{}}`,
		`{"case":"a","agent":"b","at":"2026-11-23T10:00:00Z","statement":"{\"statement\":\"ipse/counter/1\",\"agent\":\"b\",\"at\":\"2026-11-23T10:00:00Z\",\"decision\":{\"case\":\"a\",\"outcome\":\"refused\",\"receipt_sha256\":\"x\"},\"checklist\":[],\"reason\":\"in_doubt\"}","key_id":"AA","public_key":"pQECAyYgASFYIA","backup_eligible":true,"answer":{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"AA","signature":"AA"}}}`,
		`{`, `null`, strings.Repeat("[", 1000),
	} {
		f.Add([]byte(seed))
	}
	w := newFuzzKeys(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		var d counter.Decision
		if err := json.Unmarshal(raw, &d); err != nil {
			return
		}
		if _, err := counter.Check(w, d); !errors.Is(err, counter.ErrEvidence) {
			t.Errorf("verified: %v", err)
		}
	})
}

// FuzzSignedStatement: whatever is sent as a signed decision, or as its statement,
// decides nothing and keeps nothing unless the agent's passkey signed it.
func FuzzSignedStatement(f *testing.F) {
	decision := []byte(`{"case":"ABCD","outcome":"approved","receipt_sha256":"cmVjZWlwdA"}`)
	good := `{"statement":"ipse/counter/1","agent":"a","at":"2026-11-23T10:00:00Z","decision":` + string(decision) + `,"checklist":["` +
		strings.Join(slices.Sorted(slices.Values(counter.Checklist())), `","`) + `"],"reason":""}`
	envelope, err := json.Marshal(map[string][]byte{"statement": []byte(good), "answer": []byte(`{"rawId":"AA","response":{"clientDataJSON":"eyJjaGFsbGVuZ2UiOiJBQSJ9"}}`)})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{string(envelope), good, `{"statement":"AA","answer":"AA"}`, "null", "{"} {
		f.Add([]byte(seed))
	}
	w := newWorld(f)
	on := counter.SignedIn{Agent: counter.Agent{ID: "a"}}
	w.cases.held["a"] = "ABCD"
	f.Fuzz(func(t *testing.T, raw []byte) {
		if err := w.VerifyDecision(t.Context(), "a", decision, raw); !errors.Is(err, counter.ErrPasskey) {
			t.Errorf("signed: %v", err)
		}
		if err := w.Decide(t.Context(), on, raw, raw); !errors.Is(err, counter.ErrPasskey) {
			t.Errorf("decided: %v", err)
		}
		if w.cases.decided != 0 {
			t.Error("it decides")
		}
		if err := w.staff.Decisions(t.Context(), func(counter.Decision) error { return errors.New("kept") }); err != nil {
			t.Error(err)
		}
	})
}
