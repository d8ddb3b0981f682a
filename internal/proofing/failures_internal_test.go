package proofing

import (
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"ipse/internal/fair"
	"ipse/internal/pii"
)

func countFailures(t *testing.T, limit, room int) *failures {
	t.Helper()
	f, err := newFailures(rand.Reader, limit, time.Hour, room)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func mustBegin(t *testing.T, f *failures, doc byte, now time.Time) {
	t.Helper()
	if again, err := f.begin([32]byte{doc}, now); err != nil || !again.IsZero() {
		t.Fatalf("document %d: %v, %v", doc, again, err)
	}
}

// TestFailuresSlide: each failure is forgotten an hour after it, and the time that
// is told is when the next attempt is really given.
func TestFailuresSlide(t *testing.T) {
	t.Parallel()
	f, at := countFailures(t, 2, 8), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	mustBegin(t, f, 1, at)
	mustBegin(t, f, 1, at.Add(30*time.Minute))
	again, err := f.begin([32]byte{1}, at.Add(31*time.Minute))
	if err != nil || !again.Equal(at.Add(time.Hour)) {
		t.Fatalf("again %v, %v", again, err)
	}
	if early := f.full([32]byte{1}, again.Add(-time.Second)); !early.Equal(again) {
		t.Errorf("a second before: %v", early)
	}
	mustBegin(t, f, 1, again)
	if next := f.full([32]byte{1}, again); !next.Equal(at.Add(90 * time.Minute)) {
		t.Errorf("then: %v", next)
	}
	f.sweep(at.Add(3 * time.Hour))
	if len(f.at) != 0 {
		t.Errorf("%d documents are remembered beyond the window", len(f.at))
	}
}

// TestAFullTableNeverForgivesWhoHasNoAttemptLeft: room is made at the expense of
// the documents with the fewest failures, and when there is none, nobody new begins.
func TestAFullTableNeverForgivesWhoHasNoAttemptLeft(t *testing.T) {
	t.Parallel()
	f, at := countFailures(t, 2, 3), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, doc := range []byte{1, 1, 2, 3, 3} {
		mustBegin(t, f, doc, at)
	}
	mustBegin(t, f, 4, at)
	mustBegin(t, f, 4, at)
	if _, known := f.at[[32]byte{2}]; known || len(f.at) != 3 {
		t.Errorf("%d remembered; the one with the fewest: %t", len(f.at), known)
	}
	var busy *fair.Later
	if _, err := f.begin([32]byte{5}, at); !errors.As(err, &busy) {
		t.Errorf("a full table: %v", err)
	}
	for _, doc := range []byte{1, 3, 4} {
		if f.full([32]byte{doc}, at).IsZero() {
			t.Errorf("document %d was forgiven", doc)
		}
	}
	mustBegin(t, f, 5, at.Add(time.Hour))
}

// TestDocumentsAreKnownByAKeyOfTheProcess: the same document is another after a
// restart, and its identity is wiped.
func TestDocumentsAreKnownByAKeyOfTheProcess(t *testing.T) {
	t.Parallel()
	one, other := countFailures(t, 2, 8), countFailures(t, 2, 8)
	identity := func() pii.Bytes { return pii.NewBytes([]byte("signed")) }
	given := identity()
	if one.index(given) != one.index(identity()) || one.index(identity()) == other.index(identity()) {
		t.Error("the key of the process does not count")
	}
	if string(given.Reveal()) == "signed" {
		t.Error("the identity was not wiped")
	}
}
