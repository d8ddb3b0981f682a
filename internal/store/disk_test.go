package store

import (
	"errors"
	"path/filepath"
	"testing"
	"time"
)

// TestAFullDiskIsNamed: what fails for want of room is told apart from faults of the
// program, and the database works on when there is room again.
func TestAFullDiskIsNamed(t *testing.T) {
	t.Parallel()
	db := openTest(t, Config{Path: filepath.Join(t.TempDir(), "ipse.db")})
	limit := func(pages string) {
		if _, err := db.writer.ExecContext(t.Context(), "PRAGMA max_page_count = "+pages); err != nil {
			t.Fatal(err)
		}
	}
	big := make([]byte, 64<<10)
	insert := func(key byte) error {
		_, err := db.Records().Insert(t.Context(), "login", []byte{key}, nil, big, time.Unix(1_800_000_060, 0))
		return err
	}
	limit("1") // no more than there are
	var named interface{ Code() string }
	if err := insert(1); !errors.As(err, &named) || named.Code() != "store_unavailable" {
		t.Errorf("a full disk: %v", err)
	}
	if err := db.Ping(t.Context()); err != nil {
		t.Errorf("reading: %v", err)
	}
	limit("1000000")
	if err := insert(1); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

// TestCopyingAFileNeedsOne and leaves nothing where there is none.
func TestCopyingAFileNeedsOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := openTest(t, Config{Path: filepath.Join(dir, "ipse.db")})
	if _, err := db.Records().Insert(t.Context(), "login", []byte("k"), nil, []byte("v"), time.Unix(1_800_000_060, 0)); err != nil {
		t.Fatal(err)
	}
	if err := CopyFile(t.Context(), filepath.Join(dir, "ipse.db"), filepath.Join(dir, "copy.db")); err != nil {
		t.Fatal(err)
	}
	restored := openTest(t, Config{Path: filepath.Join(dir, "copy.db")})
	if _, found, err := restored.Records().Get(t.Context(), "login", []byte("k"), time.Unix(1_800_000_000, 0)); err != nil || !found {
		t.Errorf("the copy lacks what was written: %v", err)
	}
	if err := CopyFile(t.Context(), filepath.Join(dir, "none.db"), filepath.Join(dir, "other.db")); err == nil {
		t.Error("a copy of nothing")
	}
	if matches, _ := filepath.Glob(filepath.Join(dir, "other.db*")); len(matches) != 0 {
		t.Errorf("left behind: %v", matches)
	}
}
