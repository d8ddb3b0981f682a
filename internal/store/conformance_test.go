package store_test

import (
	"testing"

	"ipse/internal/store"
	"ipse/internal/store/storetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, path string, commit storetest.Commit) storetest.Store {
		t.Helper()
		db, err := store.Open(t.Context(), store.Config{Path: path, Commit: commit, Readers: 2})
		if err != nil {
			t.Fatal(err)
		}
		return db
	})
}

func TestCounterConforms(t *testing.T) {
	t.Parallel()
	storetest.RunCounter(t, func(t *testing.T, path string, commit storetest.Commit) storetest.Counter {
		t.Helper()
		db, err := store.Open(t.Context(), store.Config{Path: path, Commit: commit, Readers: 2})
		if err != nil {
			t.Fatal(err)
		}
		return db
	})
}
