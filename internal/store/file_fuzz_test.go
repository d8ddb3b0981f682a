package store

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// FuzzFile: a database file that is spoiled, cut or written by somebody else, such as
// a backup brought back from anywhere, is refused or answers; it never takes the
// program down, and what it answers it answers again after it was opened anew.
func FuzzFile(f *testing.F) {
	path := filepath.Join(f.TempDir(), "ipse.db")
	db, err := Open(f.Context(), Config{Path: path, Readers: 1})
	if err != nil {
		f.Fatal(err)
	}
	if _, err := db.Records().Insert(f.Context(), "login", []byte("k"), nil, []byte("v"), time.Unix(1_800_000_060, 0)); err != nil {
		f.Fatal(err)
	}
	if err := db.Close(); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint16(0), []byte{}, uint32(len(whole)))
	f.Add(uint16(0), []byte("not a database"), uint32(len(whole)))
	f.Add(uint16(16), []byte{0xFF, 0xFF}, uint32(len(whole))) // page size
	f.Add(uint16(100), []byte{0x05, 0xFF}, uint32(len(whole)))
	f.Add(uint16(60), []byte{0, 0, 0, 9}, uint32(4096)) // cut
	f.Add(uint16(4096), []byte{0x0D, 0xFF, 0xFF, 0xFF}, uint32(len(whole)))
	f.Fuzz(func(t *testing.T, at uint16, spoil []byte, length uint32) {
		raw := append([]byte{}, whole[:min(int(length), len(whole))]...)
		if int(at) < len(raw) {
			copy(raw[at:], spoil)
		}
		name := filepath.Join(t.TempDir(), "ipse.db")
		if err := os.WriteFile(name, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		read := func() (value string, ok bool) {
			db, err := Open(t.Context(), Config{Path: name, Readers: 1})
			if err != nil {
				return "", false
			}
			got, _, err := db.Records().Get(t.Context(), "login", []byte("k"), time.Unix(1_800_000_000, 0))
			if closed := db.Close(); closed != nil {
				t.Logf("close: %v", closed)
			}
			return string(got), err == nil
		}
		first, opened := read()
		if second, again := read(); opened && again && second != first {
			t.Errorf("%q, and then %q", first, second)
		}
	})
}
