package store_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"ipse/internal/proofing"
	"ipse/internal/store"
)

func openProofings(t *testing.T, cfg store.Config) *store.DB {
	t.Helper()
	if cfg.Path == "" {
		cfg.Path = filepath.Join(t.TempDir(), "ipse.db")
	}
	db, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func proofingsBegin() time.Time { return time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC) }

// fullSession has another value in every member.
func fullSession(id string) proofing.Session {
	s := proofing.Session{ID: id, Language: "fr", Created: proofingsBegin(), Version: 1, Receipt: "receipt " + id,
		Sealed: []byte("sealed " + id), Position: proofing.Position{State: proofing.StateFace, Route: proofing.RouteCamera, Running: true,
			DocumentLeft: 4, FaceLeft: 2, FaceRefunds: 1, Document: proofing.ResultPassed, Chip: proofing.ResultNotOffered,
			Holder: proofing.ResultFailed, Level: proofing.LevelSubstantial, Reason: proofing.ReasonTimeout,
			Expires: proofingsBegin().Add(30 * time.Minute)}}
	copy(s.TokenHash[:], id)
	return s
}

func TestProofingComesBackAsItWasWritten(t *testing.T) {
	t.Parallel()
	db := openProofings(t, store.Config{})
	s := fullSession("one")
	if v := reflect.ValueOf(s.Position); true {
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Fatalf("the test leaves %s empty", v.Type().Field(i).Name)
			}
		}
	}
	for range 2 { // a repeated write is safe
		if err := db.CreateProofing(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	got, err := db.ProofingByToken(t.Context(), s.TokenHash)
	if err != nil || !reflect.DeepEqual(got, s) {
		t.Fatalf("got %+v, %v", got, err)
	}
	s.Position = proofing.Position{State: proofing.StateAccount, Level: proofing.LevelHigh, Expires: proofingsBegin().Add(time.Hour)}
	s.Receipt, s.Sealed = "", nil
	if err := db.UpdateProofing(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	s.Version = 2
	if got, err = db.ProofingByToken(t.Context(), s.TokenHash); err != nil || !reflect.DeepEqual(got, s) {
		t.Errorf("after the update %+v, %v", got, err)
	}
}

func TestProofingOfAnUnknownToken(t *testing.T) {
	t.Parallel()
	db := openProofings(t, store.Config{})
	if _, err := db.ProofingByToken(t.Context(), [32]byte{1}); !errors.Is(err, proofing.ErrNoSession) {
		t.Errorf("err = %v", err)
	}
	if err := db.UpdateProofing(t.Context(), fullSession("one")); !errors.Is(err, proofing.ErrConflict) {
		t.Errorf("update: %v", err)
	}
}

func TestProofingVersionsGuardTheRow(t *testing.T) {
	t.Parallel()
	db := openProofings(t, store.Config{})
	s := fullSession("one")
	if err := db.CreateProofing(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if err := db.UpdateProofing(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if err := db.UpdateProofing(t.Context(), s); !errors.Is(err, proofing.ErrConflict) {
		t.Errorf("a stale update: %v", err)
	}
	other := s
	other.ID = "two"
	if err := db.CreateProofing(t.Context(), other); !errors.Is(err, proofing.ErrConflict) {
		t.Errorf("another session under the same token: %v", err)
	}
}

func TestSweepExpiresThenPurges(t *testing.T) {
	t.Parallel()
	db := openProofings(t, store.Config{})
	due, fresh, ended := fullSession("due"), fullSession("fresh"), fullSession("ended")
	fresh.Position.Expires = proofingsBegin().Add(3 * time.Hour)
	ended.Position.State = proofing.StateRefused
	for _, s := range []proofing.Session{due, fresh, ended} {
		if err := db.CreateProofing(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	sweep := func(at time.Duration, wantExpired, wantPurged int) {
		t.Helper()
		now := proofingsBegin().Add(at)
		expired, purged, err := db.SweepProofings(t.Context(), now, now.Add(-time.Hour))
		if err != nil || expired != wantExpired || purged != wantPurged {
			t.Errorf("after %v: %d expired, %d purged, %v", at, expired, purged, err)
		}
	}
	sweep(29*time.Minute, 0, 0)
	sweep(30*time.Minute, 1, 0)
	got, err := db.ProofingByToken(t.Context(), due.TokenHash)
	if err != nil || got.Position.State != proofing.StateExpired || got.Sealed != nil || got.Receipt != "" || got.Version != 2 || got.Position.Running {
		t.Errorf("the expired row is %+v, %v", got, err)
	}
	if got, err := db.ProofingByToken(t.Context(), ended.TokenHash); err != nil || got.Position.State != proofing.StateRefused {
		t.Errorf("an ended session became %s, %v", got.Position.State, err)
	}
	sweep(30*time.Minute, 0, 0)
	sweep(90*time.Minute+time.Second, 0, 2)
	if _, err := db.ProofingByToken(t.Context(), due.TokenHash); !errors.Is(err, proofing.ErrNoSession) {
		t.Errorf("a purged row: %v", err)
	}
	if got, err := db.ProofingByToken(t.Context(), fresh.TokenHash); err != nil || got.Position.State != proofing.StateFace {
		t.Errorf("a fresh session: %s, %v", got.Position.State, err)
	}
}

var errBroken = errors.New("disk broken")

// TestEveryProofingWriteBreaksTwice: each write fails before and after it
// persists; the row is then as before, or as written, never in between.
func TestEveryProofingWriteBreaksTwice(t *testing.T) {
	t.Parallel()
	next := fullSession("one")
	next.Position.State, next.Sealed = proofing.StateAccount, []byte("other")
	writes := map[string]func(db *store.DB) error{
		"create": func(db *store.DB) error { return db.CreateProofing(t.Context(), fullSession("two")) },
		"update": func(db *store.DB) error { return db.UpdateProofing(t.Context(), next) },
		"sweep": func(db *store.DB) error {
			_, _, err := db.SweepProofings(t.Context(), proofingsBegin().Add(time.Hour), proofingsBegin())
			return err
		},
	}
	for name, write := range writes {
		for _, persist := range []bool{false, true} {
			armed := false
			db := openProofings(t, store.Config{Commit: func(_ string, commit func() error) error {
				if !armed {
					return commit()
				}
				armed = false
				if persist {
					if err := commit(); err != nil {
						return err
					}
				}
				return errBroken
			}})
			if err := db.CreateProofing(t.Context(), fullSession("one")); err != nil {
				t.Fatal(err)
			}
			armed = true
			if err := write(db); !errors.Is(err, errBroken) {
				t.Errorf("%s, persisted %v: err = %v", name, persist, err)
			}
			one, err := db.ProofingByToken(t.Context(), fullSession("one").TokenHash)
			if err != nil {
				t.Fatal(err)
			}
			changed := one.Version == 2
			if name != "create" && changed != persist {
				t.Errorf("%s, persisted %v: version %d", name, persist, one.Version)
			}
			if !changed && !reflect.DeepEqual(one, fullSession("one")) {
				t.Errorf("%s: a row half written", name)
			}
			if changed && name == "update" && !bytes.Equal(one.Sealed, next.Sealed) {
				t.Errorf("%s: a row half written", name)
			}
			if err := write(db); err != nil && (!persist || name != "update" || !errors.Is(err, proofing.ErrConflict)) {
				t.Errorf("%s, persisted %v: repeated: %v", name, persist, err)
			}
		}
	}
}

// TestAccountAndEndOfProofingAreOneWrite: when the transaction fails, neither remains.
func TestAccountAndEndOfProofingAreOneWrite(t *testing.T) {
	t.Parallel()
	db := openProofings(t, store.Config{})
	s := fullSession("one")
	if err := db.CreateProofing(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	err := db.Atomically(t.Context(), func(ctx context.Context) error {
		if err := db.CreateProofing(ctx, fullSession("two")); err != nil {
			return err
		}
		stale := s
		stale.Version = 7
		return db.UpdateProofing(ctx, stale)
	})
	if !errors.Is(err, proofing.ErrConflict) {
		t.Errorf("err = %v", err)
	}
	if _, err := db.ProofingByToken(t.Context(), fullSession("two").TokenHash); !errors.Is(err, proofing.ErrNoSession) {
		t.Errorf("half of the transaction remains: %v", err)
	}
}
