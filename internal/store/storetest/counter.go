package storetest

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ipse/internal/counter"
)

// Counter is the store of the agents at the counter.
type Counter interface {
	counter.Store
	Close() error
}

// OpenCounter opens the store at a path, empty at first. The suite closes it.
type OpenCounter func(t *testing.T, path string, commit Commit) Counter

// desk is a store of agents with a switch to break it.
type desk struct {
	Counter
	t       *testing.T
	next    atomic.Int32 // a fault
	restart func()
}

func newDesk(t *testing.T, open OpenCounter) *desk {
	t.Helper()
	d := &desk{t: t}
	b := bench{t: t}
	commit := func(op string, commit func() error) error {
		b.next.Store(d.next.Swap(int32(none)))
		return b.commit(op, commit)
	}
	path := filepath.Join(t.TempDir(), "store")
	d.Counter = open(t, path, commit)
	d.restart = func() { must(t, d.Close()); d.Counter = open(t, path, commit) }
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// RunCounter drives a store of agents through what it promises, then breaks each
// write twice.
func RunCounter(t *testing.T, open OpenCounter) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, *desk){
		"enrolment": testEnrolment, "passkeys": testAgentKeys, "sessions": testAgentSessions, "decisions": testDecisions,
		"removal": testRemoval, "sweep": testCounterSweep, "one enrolment, many answers": testEnrolmentRace, "transactions": testCounterTransactions,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newDesk(t, open))
		})
	}
	for name, w := range counterWrites() {
		t.Run("broken "+name, func(t *testing.T) {
			t.Parallel()
			breakCounterWrite(t, newDesk(t, open), w)
		})
	}
}

func sampleAgent(n byte) (counter.Agent, counter.Enrolment) {
	return counter.Agent{ID: "agent-" + string(rune('a'+n)), Name: "Zoé Agent", AddedOn: "2026-11-23", Handle: bytes.Repeat([]byte{n}, 32)},
		counter.Enrolment{Hash: [32]byte{n, 3}, Expires: at(60)}
}

func sampleKey(n byte) counter.Key {
	return counter.Key{ID: []byte{n, 0xfe}, PublicKey: []byte{n, 4}, SignCount: 7}
}

func agentSession(n byte, agent string) counter.Session {
	return counter.Session{TokenHash: [32]byte{n, 8}, Agent: agent, IdleUntil: at(60), Ends: at(600)}
}

func sampleDecision(n byte, agent string) counter.Decision {
	return counter.Decision{Case: "case-" + string(rune('a'+n)), Agent: agent, At: at(int64(n) * 60), Statement: []byte{n, 1}, KeyID: []byte{n, 0xfe},
		PublicKey: []byte{n, 4}, BackupEligible: true, Answer: []byte{n, 2}}
}

// hired adds the sample agent n with a passkey.
func (d *desk) hired(n byte) counter.Agent {
	d.t.Helper()
	a, e := sampleAgent(n)
	must(d.t, d.AddAgent(d.t.Context(), a, e))
	k := sampleKey(n)
	must(d.t, d.EnrolAgent(d.t.Context(), e.Hash, at(0), k))
	a.Key = &k
	return a
}

func (d *desk) agents() []counter.Agent {
	d.t.Helper()
	list, err := d.Agents(d.t.Context())
	must(d.t, err)
	return list
}

func (d *desk) decisions() (list []counter.Decision) {
	d.t.Helper()
	must(d.t, d.Decisions(d.t.Context(), func(x counter.Decision) error { list = append(list, x); return nil }))
	return list
}

func testEnrolment(t *testing.T, d *desk) {
	ctx := t.Context()
	a, e := sampleAgent(1)
	must(t, d.AddAgent(ctx, a, e))
	d.restart()
	got, err := d.AgentByEnrolment(ctx, e.Hash, at(59))
	must(t, err)
	wantSame(t, "agent", got, a)
	_, err = d.AgentByEnrolment(ctx, e.Hash, at(60))
	wantErr(t, "late", err, counter.ErrEnrolment)
	_, err = d.AgentByEnrolment(ctx, [32]byte{9}, at(0))
	wantErr(t, "unknown", err, counter.ErrEnrolment)
	wantErr(t, "enrol late", d.EnrolAgent(ctx, e.Hash, at(60), sampleKey(1)), counter.ErrEnrolment)
	must(t, d.EnrolAgent(ctx, e.Hash, at(59), sampleKey(1)))
	_, err = d.AgentByEnrolment(ctx, e.Hash, at(0))
	wantErr(t, "spent", err, counter.ErrEnrolment)
	wantErr(t, "enrol twice", d.EnrolAgent(ctx, e.Hash, at(0), sampleKey(2)), counter.ErrEnrolment)
	k := sampleKey(1)
	a.Key = &k
	wantSame(t, "list", d.agents(), []counter.Agent{a})

	other, second := sampleAgent(2)
	must(t, d.AddAgent(ctx, other, second))
	wantErr(t, "another's passkey", d.EnrolAgent(ctx, second.Hash, at(0), sampleKey(1)), counter.ErrPasskey)
	clash, _ := sampleAgent(3)
	clash.ID = a.ID
	if err := d.AddAgent(ctx, clash, counter.Enrolment{Hash: [32]byte{77}, Expires: at(60)}); err == nil {
		t.Error("another agent took the identifier")
	}
	wantSame(t, "at the end", d.agents(), []counter.Agent{a, other})
}

func testAgentKeys(t *testing.T, d *desk) {
	ctx := t.Context()
	a := d.hired(1)
	d.restart()
	got, err := d.AgentByKey(ctx, a.Key.ID)
	must(t, err)
	wantSame(t, "by passkey", got, a)
	_, err = d.AgentByKey(ctx, []byte("unknown"))
	wantErr(t, "unknown", err, counter.ErrPasskey)
	for _, c := range []struct {
		count uint32
		want  error
	}{{7, counter.ErrPasskey}, {0, counter.ErrPasskey}, {8, nil}, {8, counter.ErrPasskey}, {1<<32 - 1, nil}} {
		wantErr(t, "use", d.UseKey(ctx, a.Key.ID, c.count, false), c.want)
	}
	wantErr(t, "use of none", d.UseKey(ctx, []byte("x"), 1, false), counter.ErrPasskey)
	b, e := sampleAgent(2)
	must(t, d.AddAgent(ctx, b, e))
	synced := counter.Key{ID: []byte{2}, PublicKey: []byte{3}, BackupEligible: true}
	must(t, d.EnrolAgent(ctx, e.Hash, at(0), synced))
	for _, count := range []uint32{0, 5, 3} { // of several devices: not held to one counter
		must(t, d.UseKey(ctx, synced.ID, count, true))
	}
	got, err = d.AgentByKey(ctx, synced.ID)
	if err != nil || !got.Key.BackupState || got.Key.SignCount != 5 {
		t.Errorf("%+v, %v", got.Key, err)
	}
}

func testAgentSessions(t *testing.T, d *desk) {
	ctx := t.Context()
	a, other := d.hired(1), d.hired(2)
	want := agentSession(1, a.ID)
	must(t, d.PutAgentSession(ctx, want))
	must(t, d.PutAgentSession(ctx, agentSession(9, other.ID)))
	d.restart()
	got, agent, err := d.AgentSession(ctx, want.TokenHash)
	must(t, err)
	wantSame(t, "session", got, want)
	wantSame(t, "its agent", agent, a)
	must(t, d.TouchAgentSession(ctx, want.TokenHash, at(90)))
	got, _, err = d.AgentSession(ctx, want.TokenHash)
	if err != nil || !got.IdleUntil.Equal(at(90)) {
		t.Errorf("touched: %+v, %v", got, err)
	}
	must(t, d.PutAgentSession(ctx, agentSession(2, a.ID)))
	_, _, err = d.AgentSession(ctx, want.TokenHash)
	wantErr(t, "replaced", err, counter.ErrNoSession)
	wantErr(t, "touch it", d.TouchAgentSession(ctx, want.TokenHash, at(1)), counter.ErrNoSession)
	for range 2 {
		must(t, d.EndAgentSession(ctx, [32]byte{2, 8}))
	}
	_, _, err = d.AgentSession(ctx, [32]byte{2, 8})
	wantErr(t, "ended", err, counter.ErrNoSession)
	if _, _, err = d.AgentSession(ctx, [32]byte{9, 8}); err != nil {
		t.Errorf("another agent's: %v", err)
	}
	wantErr(t, "of nobody", d.PutAgentSession(ctx, agentSession(3, "none")), counter.ErrNoAgent)
}

func testDecisions(t *testing.T, d *desk) {
	ctx := t.Context()
	a := d.hired(1)
	first, second := sampleDecision(1, a.ID), sampleDecision(2, a.ID)
	must(t, d.KeepDecision(ctx, second))
	must(t, d.KeepDecision(ctx, first))
	must(t, d.KeepDecision(ctx, first)) // the same again
	d.restart()
	wantSame(t, "oldest first", d.decisions(), []counter.Decision{first, second})
	changed := first
	changed.Answer = []byte("another")
	wantErr(t, "another on the same case", d.KeepDecision(ctx, changed), counter.ErrPasskey)
	wantErr(t, "of nobody", d.KeepDecision(ctx, sampleDecision(3, "none")), counter.ErrPasskey)
	wantSame(t, "at the end", d.decisions(), []counter.Decision{first, second})
	stop := errors.New("stop")
	wantErr(t, "stopped", d.Decisions(ctx, func(counter.Decision) error { return stop }), stop)
}

func testRemoval(t *testing.T, d *desk) {
	ctx := t.Context()
	a, b, c := d.hired(1), d.hired(2), d.hired(3)
	for n, agent := range map[byte]counter.Agent{1: a, 2: b, 3: c} {
		must(t, d.PutAgentSession(ctx, agentSession(n, agent.ID)))
	}
	must(t, d.KeepDecision(ctx, sampleDecision(1, a.ID)))
	must(t, d.RemoveAgent(ctx, a.ID, "2026-11-24"))
	must(t, d.RemoveAgent(ctx, b.ID, "2026-11-24"))
	d.restart()
	a.RemovedOn, a.Key = "2026-11-24", nil
	wantSame(t, "who signed stays on record", d.agents(), []counter.Agent{a, c})
	wantSame(t, "what they signed stays", d.decisions(), []counter.Decision{sampleDecision(1, a.ID)})
	for n := range byte(2) {
		_, _, err := d.AgentSession(ctx, [32]byte{n + 1, 8})
		wantErr(t, "their session", err, counter.ErrNoSession)
		_, err = d.AgentByKey(ctx, sampleKey(n+1).ID)
		wantErr(t, "their passkey", err, counter.ErrPasskey)
	}
	if _, _, err := d.AgentSession(ctx, [32]byte{3, 8}); err != nil {
		t.Errorf("another agent's session: %v", err)
	}
	for _, id := range []string{a.ID, b.ID, "none"} {
		wantErr(t, "again", d.RemoveAgent(ctx, id, "2026-11-25"), counter.ErrNoAgent)
	}
	invited, e := sampleAgent(4)
	must(t, d.AddAgent(ctx, invited, e))
	must(t, d.RemoveAgent(ctx, invited.ID, "2026-11-24"))
	_, err := d.AgentByEnrolment(ctx, e.Hash, at(0))
	wantErr(t, "their enrolment", err, counter.ErrEnrolment)
}

func testCounterSweep(t *testing.T, d *desk) {
	ctx := t.Context()
	a := d.hired(1)
	b, e := sampleAgent(2)
	must(t, d.AddAgent(ctx, b, e))
	must(t, d.PutAgentSession(ctx, agentSession(1, a.ID)))
	old, young := sampleDecision(1, a.ID), sampleDecision(2, a.ID) // at 60 and 120
	must(t, d.KeepDecision(ctx, old))
	must(t, d.KeepDecision(ctx, young))
	removed, err := d.SweepCounter(ctx, at(59), at(60))
	if err != nil || removed != 0 {
		t.Errorf("nothing is due: %d, %v", removed, err)
	}
	removed, err = d.SweepCounter(ctx, at(60), at(61))
	if err != nil || removed != 3 {
		t.Errorf("session, enrolment, decision: %d, %v", removed, err)
	}
	wantSame(t, "decisions", d.decisions(), []counter.Decision{young})
	must(t, d.RemoveAgent(ctx, a.ID, "2026-11-24"))
	removed, err = d.SweepCounter(ctx, at(60), at(121))
	if err != nil || removed != 2 {
		t.Errorf("the last decision and the record: %d, %v", removed, err)
	}
	wantSame(t, "agents", d.agents(), []counter.Agent{b})
}

func testEnrolmentRace(t *testing.T, d *desk) {
	ctx := t.Context()
	a, e := sampleAgent(1)
	must(t, d.AddAgent(ctx, a, e))
	var enrolled atomic.Int32
	var group sync.WaitGroup
	for n := range byte(8) {
		group.Go(func() {
			if err := d.EnrolAgent(ctx, e.Hash, at(0), sampleKey(n)); err == nil {
				enrolled.Add(1)
			} else if !errors.Is(err, counter.ErrEnrolment) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	wantSame(t, "enrolled", enrolled.Load(), 1)
}

func testCounterTransactions(t *testing.T, d *desk) {
	a := d.hired(1)
	stop := errors.New("stop")
	err := d.Atomically(t.Context(), func(ctx context.Context) error {
		must(t, d.UseKey(ctx, a.Key.ID, 9, false))
		must(t, d.KeepDecision(ctx, sampleDecision(1, a.ID)))
		return stop
	})
	wantErr(t, "the function's error", err, stop)
	wantSame(t, "after rolling back", d.agents(), []counter.Agent{a})
	wantSame(t, "decisions", len(d.decisions()), 0)
}

// counterWrite is one write to break, on a store that holds agent 1 with passkey
// and session, and agent 2 with an enrolment.
type counterWrite struct {
	do func(ctx context.Context, s counter.Store) error
	// again is what repeating it answers once it has persisted.
	again error
}

func counterWrites() map[string]counterWrite {
	a, _ := sampleAgent(1)
	_, second := sampleAgent(2)
	return map[string]counterWrite{
		"AddAgent": {do: func(ctx context.Context, s counter.Store) error {
			c, e := sampleAgent(3)
			return s.AddAgent(ctx, c, e)
		}},
		"RemoveAgent": {do: func(ctx context.Context, s counter.Store) error { return s.RemoveAgent(ctx, a.ID, "2026-11-24") }, again: counter.ErrNoAgent},
		"EnrolAgent": {do: func(ctx context.Context, s counter.Store) error {
			return s.EnrolAgent(ctx, second.Hash, at(0), sampleKey(2))
		}, again: counter.ErrEnrolment},
		"UseKey":          {do: func(ctx context.Context, s counter.Store) error { return s.UseKey(ctx, sampleKey(1).ID, 8, false) }, again: counter.ErrPasskey},
		"PutAgentSession": {do: func(ctx context.Context, s counter.Store) error { return s.PutAgentSession(ctx, agentSession(2, a.ID)) }},
		"TouchAgentSession": {do: func(ctx context.Context, s counter.Store) error {
			return s.TouchAgentSession(ctx, agentSession(1, a.ID).TokenHash, at(99))
		}},
		"EndAgentSession": {do: func(ctx context.Context, s counter.Store) error {
			return s.EndAgentSession(ctx, agentSession(1, a.ID).TokenHash)
		}},
		"KeepDecision": {do: func(ctx context.Context, s counter.Store) error { return s.KeepDecision(ctx, sampleDecision(1, a.ID)) }},
		"SweepCounter": {do: func(ctx context.Context, s counter.Store) error {
			_, err := s.SweepCounter(ctx, at(1e6), at(0))
			return err
		}},
	}
}

func breakCounterWrite(t *testing.T, d *desk, w counterWrite) {
	t.Helper()
	a := d.hired(1)
	b, e := sampleAgent(2)
	must(t, d.AddAgent(t.Context(), b, e))
	must(t, d.PutAgentSession(t.Context(), agentSession(1, a.ID)))
	before := d.dump()

	d.next.Store(int32(failed))
	wantErr(t, "failed", w.do(t.Context(), d.Counter), ErrBroken)
	d.restart()
	wantSame(t, "after a failed write", d.dump(), before)

	d.next.Store(int32(failedButPersisted))
	wantErr(t, "failed but persisted", w.do(t.Context(), d.Counter), ErrBroken)
	d.restart()
	after := d.dump()
	if reflect.DeepEqual(after, before) {
		t.Fatal("the write changes nothing that the suite sees")
	}
	wantErr(t, "repeated", w.do(t.Context(), d.Counter), w.again)
	wantSame(t, "after repeating", d.dump(), after)
}

// dump is everything the store tells of the samples.
func (d *desk) dump() (out []any) {
	d.t.Helper()
	out = append(out, d.agents(), d.decisions())
	for n := range byte(4) {
		s, _, err := d.AgentSession(d.t.Context(), agentSession(n, "").TokenHash)
		_, e := sampleAgent(n)
		_, enrolment := d.AgentByEnrolment(d.t.Context(), e.Hash, time.Time{})
		out = append(out, s, errors.Is(err, counter.ErrNoSession), errors.Is(enrolment, counter.ErrEnrolment))
	}
	return out
}
