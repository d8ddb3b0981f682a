package proofing_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ipse/internal/consent"
	"ipse/internal/pii"
	"ipse/internal/proofing"
)

// errUnexpected marks an error that a broken write does not explain.
var errUnexpected = errors.New("unexpected")

// journey goes from start to account the way a person with a page does: after
// a failure the page asks where the session stands and goes on from there.
func journey(t *testing.T, r *rig, route proofing.Route) error {
	t.Helper()
	ctx := context.Background()
	var token string
	for token == "" {
		got, _, err := r.Start(ctx, proofing.StartRequest{Route: route, Language: consent.English})
		if err != nil && !errors.Is(err, errDisk) {
			return fmt.Errorf("%w: start: %w", errUnexpected, err)
		}
		token = got
	}
	for range 40 {
		view, err := r.Get(ctx, token)
		if err != nil {
			if errors.Is(err, errDisk) {
				continue
			}
			return fmt.Errorf("%w: get: %w", errUnexpected, err)
		}
		switch view.State {
		case proofing.StateConsent:
			_, err = r.AgreeConsent(ctx, token, view.Consent.ID)
		case proofing.StateDocument:
			r.readers.plug(true)
			if _, err = r.ReadDocument(ctx, token, typed()); err == nil {
				err = r.settle(ctx, token)
			}
		case proofing.StateFace:
			_, err = r.runFace(t, token)
		case proofing.StateCounter:
			err = r.decideAtCounter(t, view, true)
		case proofing.StateAccount:
			_, err = r.Complete(ctx, token, func(context.Context, proofing.Accepted) error { r.store.other++; return nil })
		case proofing.StateDone:
			return nil
		case proofing.StateRefused, proofing.StateAbandoned, proofing.StateExpired:
			return fmt.Errorf("%w: ended %s", errUnexpected, view.State)
		}
		if err != nil && !errors.Is(err, errDisk) && !errors.Is(err, proofing.ErrRunOver) {
			return fmt.Errorf("%w: in %s: %w", errUnexpected, view.State, err)
		}
	}
	return fmt.Errorf("%w: no end", errUnexpected)
}

// settle waits until nothing runs, whatever fails meanwhile.
func (r *rig) settle(ctx context.Context, token string) error {
	for {
		view, err := r.Get(ctx, token)
		if err != nil || view.Document == nil || view.Document.Phase != proofing.DocumentReading {
			return err
		}
	}
}

// TestEveryWriteBreaksTwice breaks each write of both journeys in two ways,
// "failed" and "failed but persisted": the person still arrives, with exactly
// one account, and nothing of them stays in memory.
func TestEveryWriteBreaksTwice(t *testing.T) {
	t.Parallel()
	for _, route := range []proofing.Route{proofing.RouteCamera, proofing.RouteCounter} {
		whole := newRig(t)
		if err := journey(t, whole, route); err != nil {
			t.Fatal(err)
		}
		writes := whole.store.writes
		if writes < 6 {
			t.Fatalf("only %d writes: nothing is tested", writes)
		}
		for n := 1; n <= writes; n++ {
			for _, persist := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s write %d persisted %v", route, n, persist), func(t *testing.T) {
					t.Parallel()
					r := newRig(t)
					r.store.failAt, r.store.persist = n, persist
					if err := journey(t, r, route); err != nil {
						t.Fatal(err)
					}
					if r.store.other != 1 {
						t.Errorf("%d accounts", r.store.other)
					}
					if route == proofing.RouteCounter && r.store.evidence < 1 {
						t.Error("a decision without its evidence")
					}
					r.wiped(t, "at the end")
				})
			}
		}
	}
}

// TestAFailedCreationLeavesThePersonAccepted: nothing half is written.
func TestAFailedCreationLeavesThePersonAccepted(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := newRig(t)
	token := atFace(t, r)
	if _, err := r.runFace(t, token); err != nil {
		t.Fatal(err)
	}
	mine := errors.New("passkey not valid")
	if _, err := r.Complete(ctx, token, func(context.Context, proofing.Accepted) error { r.store.other++; return mine }); !errors.Is(err, mine) {
		t.Errorf("err = %v", err)
	}
	if r.store.other != 0 {
		t.Error("half an account was written")
	}
	if a, err := r.Accepted(ctx, token); err != nil || a.Level != proofing.LevelHigh {
		t.Errorf("the person is not accepted any more: %v", err)
	}
	if view, err := r.Complete(ctx, token, func(context.Context, proofing.Accepted) error { return nil }); err != nil || view.State != proofing.StateDone {
		t.Errorf("trying again: %s, %v", view.State, err)
	}
	if _, err := r.Accepted(ctx, token); !errors.Is(err, proofing.ErrState) {
		t.Errorf("accepted after the account: %v", err)
	}
}

// TestNobodyIsCompletedTooLate: an acceptance whose time ends in the very moment of the
// account's creation makes none.
func TestNobodyIsCompletedTooLate(t *testing.T) {
	t.Parallel()
	var r *rig
	late := time.Duration(-1) // the clock jumps when it is looked at for the second time
	r = newRig(t, func(c *proofing.Config) {
		now := c.Now
		c.Now = func() time.Time {
			if late < 0 {
				return now()
			}
			at := now().Add(late)
			late = time.Hour
			return at
		}
	})
	token := atFace(t, r)
	if _, err := r.runFace(t, token); err != nil {
		t.Fatal(err)
	}
	late = 0
	_, err := r.Complete(context.Background(), token, func(context.Context, proofing.Accepted) error {
		t.Error("an account is made")
		return nil
	})
	if !errors.Is(err, proofing.ErrExpired) {
		t.Errorf("err = %v", err)
	}
}

// TestAnotherProcessesWriteIsNotOverwritten: the version guards the row.
func TestAnotherProcessesWriteIsNotOverwritten(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := newRig(t)
	token := atFace(t, r)
	row := r.store.only(t)
	row.Position.State = proofing.StateAbandoned
	if err := r.store.UpdateProofing(ctx, row); err != nil {
		t.Fatal(err)
	}
	if _, err := r.BeginFace(ctx, token); !errors.Is(err, proofing.ErrConflict) {
		t.Errorf("err = %v", err)
	}
	r.wiped(t, "after the conflict")
	if view, err := r.Get(ctx, token); err != nil || view.State != proofing.StateAbandoned {
		t.Errorf("%s, %v", view.State, err)
	}
}

// TestSealedAttributesNeedTheToken: the row and every key of the server open nothing.
func TestSealedAttributesNeedTheToken(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := atFace(t, r)
	if _, err := r.runFace(t, token); err != nil {
		t.Fatal(err)
	}
	row := r.store.only(t)
	if strings.Contains(string(row.Sealed), "ERIKSSON") || len(row.Sealed) != 4096+12+16 {
		t.Errorf("sealed is %d bytes", len(row.Sealed))
	}
	if plain, err := proofing.OpenSealed(token, row); err != nil || !strings.Contains(plain, "ERIKSSON") {
		t.Errorf("the token does not open it: %v", err)
	}
	other, _ := r.start(t, proofing.RouteCamera)
	if _, err := proofing.OpenSealed(other, row); err == nil {
		t.Error("another token opens it")
	}
	moved := row
	moved.ID = "another"
	if _, err := proofing.OpenSealed(token, moved); err == nil {
		t.Error("it opens in another session's row")
	}
	for _, cut := range []int{0, 5, 12, len(row.Sealed) - 1} {
		moved = row
		moved.Sealed = row.Sealed[:cut]
		if _, err := proofing.OpenSealed(token, moved); err == nil {
			t.Errorf("%d bytes of it open", cut)
		}
	}
}

// TestAPanicInTheStoreWipes: even a fault of the server itself leaves nothing.
func TestAPanicInTheStoreWipes(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	broken := &panicStore{}
	r := newRig(t, func(c *proofing.Config) { broken.Store, c.Store, c.MaxFaceRuns, c.MaxReadings = c.Store, broken, 1, 1 })
	token := atFace(t, r)
	broken.now.Store(true)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_, _ = r.BeginFace(ctx, token)
	}()
	r.wiped(t, "after a panic")
	broken.now.Store(false)
	if view, err := r.Get(ctx, token); err != nil || view.State != proofing.StateDocument {
		t.Errorf("the session after the panic: %s, %v", view.State, err)
	}
	r.readers.plug(true)
	r.readDocument(t, token)
	if outcome, err := r.runFace(t, token); err != nil || !outcome.Accepted {
		t.Errorf("the places of the panicking calls were not given back: %+v, %v", outcome, err)
	}
}

// TestAPanicInASweepIsOneSessionsAlone: the session is wiped, the others expire as
// they must, and nothing stays locked.
func TestAPanicInASweepIsOneSessionsAlone(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	broken := &panicStore{}
	r := newRig(t, func(c *proofing.Config) { broken.Store, c.Store = c.Store, broken })
	token := atFace(t, r)
	r.clock.add(time.Hour)
	broken.now.Store(true)
	if err := r.Sweep(ctx); err != nil {
		t.Errorf("sweep: %v", err)
	}
	r.wiped(t, "after a panic in a sweep")
	if log := r.log.String(); !strings.Contains(log, `msg=panic what="sweep of a session" fault.kind=string`) {
		t.Errorf("the operator is not told: %s", log)
	}
	broken.now.Store(false)
	if err := r.Sweep(ctx); err != nil {
		t.Errorf("the next sweep: %v", err)
	}
	if view, err := r.Get(ctx, token); err == nil && view.State != proofing.StateExpired {
		t.Errorf("the session: %s", view.State)
	}
}

type panicStore struct {
	proofing.Store
	now   atomic.Bool
	after atomic.Int32 // if not zero, the write after so many panics
}

func (p *panicStore) UpdateProofing(ctx context.Context, s proofing.Session) error {
	if p.now.Load() {
		panic("store")
	}
	if p.after.Load() > 0 && p.after.Add(-1) == 0 {
		p.now.Store(true)
	}
	return p.Store.UpdateProofing(ctx, s)
}

// TestCANOpensADocumentToo and is passed on as typed, without spaces.
func TestCANOpensADocumentToo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var got proofing.Access
	r.chip.set(func(_ context.Context, req proofing.ReadRequest) (*proofing.Reading, error) {
		got = req.Access
		return specimen(), nil
	})
	token := r.consented(t, proofing.RouteCamera)
	if _, err := r.ReadDocument(context.Background(), token, proofing.Access{CAN: pii.NewText(" 123456 "), DocumentNumber: pii.NewText("X")}); err != nil {
		t.Fatal(err)
	}
	r.settled(t, token)
	if got.CAN.Reveal() != "123456" || !got.DocumentNumber.IsZero() {
		t.Error("the CAN was not passed on alone")
	}
}

// TestAPanicBehindAPersonsBackEndsNothingElse: a reading and the clock of a live
// check run in goroutines of their own, where a panic would end the whole server.
func TestAPanicBehindAPersonsBackEndsNothingElse(t *testing.T) {
	t.Parallel()
	broken := &panicStore{}
	r := newRig(t, func(c *proofing.Config) {
		broken.Store, c.Store, c.MaxFaceRuns, c.MaxReadings, c.Policy.FaceFor = c.Store, broken, 1, 1, time.Nanosecond
	})
	panicked := func(times int) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); strings.Count(r.log.String(), "msg=panic") < times; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("no panic")
			}
		}
	}
	token := r.consented(t, proofing.RouteCamera)
	r.chip.set(func(context.Context, proofing.ReadRequest) (*proofing.Reading, error) {
		broken.now.Store(true)
		return specimen(), nil
	})
	if _, err := r.ReadDocument(t.Context(), token, typed()); err != nil {
		t.Fatal(err)
	}
	panicked(1)
	r.wiped(t, "after the reading's panic")
	broken.now.Store(false)
	if view, err := r.Get(t.Context(), token); err != nil || view.State != proofing.StateDocument {
		t.Fatalf("the session after the panic: %+v, %v", view, err)
	}
	r.chip.set(genuine)
	r.readers.plug(true)
	r.readDocument(t, token)
	broken.after.Store(1) // the start of the run is written, its end panics
	if _, err := r.BeginFace(t.Context(), token); err != nil && !errors.Is(err, proofing.ErrRunOver) {
		t.Fatal(err)
	}
	panicked(2)
	r.wiped(t, "after the run's panic")
	r.wipedChecks(t)
}
