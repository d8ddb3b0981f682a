package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/fstest"
)

func openTest(t *testing.T, cfg Config) *DB {
	t.Helper()
	if cfg.Path == "" {
		cfg.Path = filepath.Join(t.TempDir(), "ipse.db")
	}
	db, err := Open(t.Context(), cfg)
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

func scratch(t *testing.T, db *DB) {
	t.Helper()
	err := db.write(t.Context(), "scratch", func(t tx) error {
		_, err := t.exec("CREATE TABLE scratch (id INTEGER PRIMARY KEY, v TEXT NOT NULL)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func count(ctx context.Context, t *testing.T, db *DB) (n int) {
	t.Helper()
	err := db.read(ctx, "count", func(t tx) error { return t.queryRow("SELECT count(*) FROM scratch").Scan(&n) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func insert(ctx context.Context, db *DB, v string) error {
	return db.write(ctx, "insert", func(t tx) error {
		_, err := t.exec("INSERT INTO scratch (v) VALUES (?)", v)
		return err
	})
}

func TestEveryConnectionHasTheSettings(t *testing.T) {
	t.Parallel()
	db := openTest(t, Config{})
	for name, pool := range map[string]*sql.DB{"writer": db.writer, "reader": db.reader} {
		for pragma, want := range map[string]string{
			"journal_mode": "wal", "synchronous": "2", "secure_delete": "1", "foreign_keys": "1",
			"trusted_schema": "0", "temp_store": "2", "busy_timeout": "5000",
			"query_only": map[string]string{"writer": "0", "reader": "1"}[name],
		} {
			var got string
			if err := pool.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s: %s = %q (%v), want %q", name, pragma, got, err, want)
			}
		}
	}
}

func TestFilesAreReadableByTheOwnerOnly(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no POSIX modes here")
	}
	path := filepath.Join(t.TempDir(), "ipse.db")
	db := openTest(t, Config{Path: path})
	scratch(t, db)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%q has mode %v", suffix, info.Mode())
		}
	}
}

func TestWriteRollsBackOnErrorAndOnPanic(t *testing.T) {
	t.Parallel()
	db := openTest(t, Config{})
	scratch(t, db)
	broken := errors.New("broken")
	err := db.write(t.Context(), "op", func(t tx) error {
		if _, err := t.exec("INSERT INTO scratch (v) VALUES ('x')"); err != nil {
			return err
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("err = %v", err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = db.write(t.Context(), "op", func(t tx) error {
			_, _ = t.exec("INSERT INTO scratch (v) VALUES ('x')")
			panic("bug")
		})
	}()
	if n := count(t.Context(), t, db); n != 0 {
		t.Errorf("%d rows persisted", n)
	}
	if err := insert(t.Context(), db, "x"); err != nil {
		t.Errorf("the writer is stuck: %v", err)
	}
}

func TestAtomicallyJoinsAllOrNothing(t *testing.T) {
	t.Parallel()
	db, other := openTest(t, Config{}), openTest(t, Config{})
	scratch(t, db)
	scratch(t, other)
	broken := errors.New("broken")
	err := db.Atomically(t.Context(), func(ctx context.Context) error {
		if err := insert(ctx, db, "a"); err != nil {
			return err
		}
		// Another database must not take part.
		if err := insert(ctx, other, "b"); err != nil {
			return err
		}
		if n := count(ctx, t, db); n != 1 {
			t.Errorf("the transaction does not see its own row: %d", n)
		}
		if n := count(t.Context(), t, db); n != 0 {
			t.Errorf("others see %d uncommitted rows", n)
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("err = %v", err)
	}
	if a, b := count(t.Context(), t, db), count(t.Context(), t, other); a != 0 || b != 1 {
		t.Errorf("rows = %d, %d; want 0, 1", a, b)
	}
}

func TestManyWritersAndReadersNeverSeeBusy(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ipse.db")
	db := openTest(t, Config{Path: path})
	second := openTest(t, Config{Path: path}) // as another process would
	scratch(t, db)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for range 25 {
				if err := insert(t.Context(), []*DB{db, second}[i%2], "v"); err != nil {
					t.Error(err)
				}
				count(t.Context(), t, db)
			}
		})
	}
	group.Wait()
	if n := count(t.Context(), t, db); n != 200 {
		t.Errorf("%d rows, want 200", n)
	}
}

func TestWaitingForTheWriterHonoursTheContext(t *testing.T) {
	t.Parallel()
	db := openTest(t, Config{})
	scratch(t, db)
	err := db.Atomically(t.Context(), func(context.Context) error {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := insert(ctx, db, "x"); !errors.Is(err, context.Canceled) {
			t.Errorf("err = %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestReadersCannotWrite(t *testing.T) {
	t.Parallel()
	db := openTest(t, Config{})
	scratch(t, db)
	err := db.read(t.Context(), "op", func(t tx) error {
		_, err := t.exec("INSERT INTO scratch (v) VALUES ('x')")
		return err
	})
	if err == nil {
		t.Error("a reader wrote")
	}
}

func TestScrubLeavesNothingOfDeletedRows(t *testing.T) {
	t.Parallel()
	const canary = "CANARY-OF-AN-ERASED-ROW"
	path := filepath.Join(t.TempDir(), "ipse.db")
	db := openTest(t, Config{Path: path})
	scratch(t, db)
	for i := range 200 {
		if err := insert(t.Context(), db, canary+strconv.Itoa(i)); err != nil {
			t.Fatal(err)
		}
	}
	if hits := bytesIn(t, path, canary); hits == 0 {
		t.Fatal("the canary is not in the files before erasure: the test sees nothing")
	}
	err := db.write(t.Context(), "erase", func(t tx) error { _, err := t.exec("DELETE FROM scratch"); return err })
	if err != nil {
		t.Fatal(err)
	}
	if done, err := db.Scrub(t.Context()); err != nil || !done {
		t.Fatalf("Scrub = %v, %v", done, err)
	}
	if hits := bytesIn(t, path, canary); hits != 0 {
		t.Errorf("%d traces after erasure", hits)
	}
}

func bytesIn(t *testing.T, path, needle string) (hits int) {
	t.Helper()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		raw, err := os.ReadFile(path + suffix)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		hits += bytes.Count(raw, []byte(needle))
	}
	return hits
}

func TestUseAfterCloseIsNamed(t *testing.T) {
	t.Parallel()
	db := openTest(t, Config{})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := insert(t.Context(), db, "x"); !errors.Is(err, ErrClosed) {
		t.Errorf("write: %v", err)
	}
	if err := db.read(t.Context(), "op", func(tx) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("read: %v", err)
	}
}

func TestOpenRefusesBadConfigurationAndForeignFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, bytes.Repeat([]byte("not a database. "), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(dir, "foreign.db")
	raw, err := sql.Open("sqlite", foreign)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := raw.ExecContext(t.Context(), "CREATE TABLE theirs (x)"); err != nil {
		t.Fatal(err)
	}
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
	for name, cfg := range map[string]Config{
		"no path": {}, "too many readers": {Path: filepath.Join(dir, "a"), Readers: 65}, "negative timeout": {Path: filepath.Join(dir, "a"), BusyTimeout: -1},
		"no folder": {Path: filepath.Join(dir, "missing", "a")}, "not a database": {Path: text}, "another program's": {Path: foreign},
	} {
		db, err := Open(t.Context(), cfg)
		if err == nil {
			t.Errorf("%s: accepted", name)
			_ = db.Close()
		}
		if name == "another program's" && !errors.Is(err, ErrForeignFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func steps(t *testing.T, files map[string]string) []migration {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys["migrations/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	list, err := loadMigrations(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestMigrationsFillGapsRefuseChangesAndRollBack(t *testing.T) {
	t.Parallel()
	db := openTest(t, Config{})
	// Start from an empty record: these steps are not the real ones.
	if err := db.write(t.Context(), "reset", func(t tx) error { _, err := t.exec("DELETE FROM migrations"); return err }); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if err := db.applyMigrations(ctx, steps(t, map[string]string{"0001_a.sql": "CREATE TABLE a (x); CREATE TABLE a2 (x)", "0020_c.sql": "CREATE TABLE c (x)"})); err != nil {
		t.Fatal(err)
	}
	gap := map[string]string{"0001_a.sql": "CREATE TABLE a (x); CREATE TABLE a2 (x)", "0010_b.sql": "CREATE TABLE b (x)", "0020_c.sql": "CREATE TABLE c (x)"}
	for range 2 { // the second time changes nothing
		if err := db.applyMigrations(ctx, steps(t, gap)); err != nil {
			t.Fatal(err)
		}
	}
	broken := map[string]string{"0001_a.sql": gap["0001_a.sql"], "0010_b.sql": gap["0010_b.sql"], "0020_c.sql": gap["0020_c.sql"],
		"0030_d.sql": "CREATE TABLE d (x)", "0031_e.sql": "CREATE TABLE oops"}
	if err := db.applyMigrations(ctx, steps(t, broken)); err == nil {
		t.Error("a broken migration passed")
	}
	var tables int
	err := db.read(ctx, "tables", func(t tx) error {
		return t.queryRow("SELECT count(*) FROM sqlite_schema WHERE name IN ('a','a2','b','c','d')").Scan(&tables)
	})
	if err != nil || tables != 4 {
		t.Errorf("tables = %d, %v; want a, a2, b, c and not d", tables, err)
	}
	gap["0010_b.sql"] += "; -- changed"
	if err := db.applyMigrations(ctx, steps(t, gap)); !errors.Is(err, ErrChangedMigration) {
		t.Errorf("changed: %v", err)
	}
	if err := db.applyMigrations(ctx, steps(t, map[string]string{"0001_a.sql": gap["0001_a.sql"]})); !errors.Is(err, ErrNewerSchema) {
		t.Errorf("newer: %v", err)
	}
}

func TestMigrationNamesAreChecked(t *testing.T) {
	t.Parallel()
	for _, names := range [][]string{{"1_a.sql"}, {"0001.sql"}, {"abcd_a.sql"}, {"0001_a.sql", "0001_b.sql"}, {"0000_a.sql"}} {
		fsys := fstest.MapFS{}
		for _, name := range names {
			fsys["migrations/"+name] = &fstest.MapFile{}
		}
		if _, err := loadMigrations(fsys); err == nil {
			t.Errorf("%v accepted", names)
		}
	}
}

func TestStateSurvivesReopening(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ipse.db")
	db := openTest(t, Config{Path: path})
	scratch(t, db)
	if err := insert(t.Context(), db, "x"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if n := count(t.Context(), t, openTest(t, Config{Path: path})); n != 1 {
		t.Errorf("%d rows after reopening", n)
	}
}
