package store_test

import (
	"path/filepath"
	"testing"

	"ipse/internal/idp"
	"ipse/internal/idp/idptest"
	"ipse/internal/store"
	"ipse/internal/store/storetest"
)

var _ idp.Store = store.Records{}

func openRecords(t *testing.T, path string, commit storetest.Commit) (storetest.Records, func() error) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{Path: path, Commit: commit, Readers: 2})
	if err != nil {
		t.Fatal(err)
	}
	return db.Records(), db.Close
}

func TestRecordsConform(t *testing.T) {
	t.Parallel()
	storetest.RunRecords(t, openRecords)
}

func TestBrokenRecordWrites(t *testing.T) {
	t.Parallel()
	storetest.RunBrokenRecords(t, openRecords)
}

// TestRecordsInMemoryConform: the store that tests of the provider use promises
// the same as the real one.
func TestRecordsInMemoryConform(t *testing.T) {
	t.Parallel()
	storetest.RunRecords(t, func(*testing.T, string, storetest.Commit) (storetest.Records, func() error) {
		return &idptest.Memory{}, func() error { return nil }
	})
}

// TestLoginLeavesNoTraceInTheFiles drives a whole login over the database and
// looks for the person and for every secret of the login in all its files.
func TestLoginLeavesNoTraceInTheFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, err := store.Open(t.Context(), store.Config{Path: filepath.Join(dir, "ipse.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	w := idptest.New(t, "high", func(c *idp.Config) { c.Store = db.Records() })
	secrets := w.Login(t)
	for _, found := range traces(t, dir, append(secrets, idptest.Account, "ERIKSSON", "ANNA MARIA", "1974-08-12", "L898902C3", "family_name")...) {
		t.Error(found)
	}
}
