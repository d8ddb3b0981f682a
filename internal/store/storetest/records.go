package storetest

import (
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Records is the store of short-lived sealed records (idp.Store).
type Records interface {
	Insert(ctx context.Context, kind string, key, group, value []byte, expires time.Time) (inserted bool, err error)
	Get(ctx context.Context, kind string, key []byte, now time.Time) (value []byte, found bool, err error)
	Take(ctx context.Context, kind string, key []byte, now, keepUntil time.Time) (value, group []byte, found bool, err error)
	Revoke(ctx context.Context, group []byte, until time.Time) error
	Sweep(ctx context.Context, now time.Time) (removed, remaining int, err error)
}

// OpenRecords opens the store at a path, empty at first; the suite closes it.
type OpenRecords func(t *testing.T, path string, commit Commit) (r Records, closeStore func() error)

// RunRecords drives a store of records through what it promises.
func RunRecords(t *testing.T, open OpenRecords) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Records){
		"kept and found": testRecordKept, "inserted once": testRecordInsertedOnce, "expiry": testRecordExpiry,
		"taken once": testRecordTaken, "taken by one of many": testRecordRace, "revoked": testRecordRevoked, "sweep": testRecordSweep,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, closeStore := open(t, filepath.Join(t.TempDir(), "store"), func(_ string, commit func() error) error { return commit() })
			defer func() { must(t, closeStore()) }()
			test(t, r)
		})
	}
}

func insert(t *testing.T, r Records, kind, key, group, value string) bool {
	t.Helper()
	ok, err := r.Insert(t.Context(), kind, []byte(key), bytesOrNil(group), []byte(value), at(60))
	must(t, err)
	return ok
}

func bytesOrNil(s string) []byte {
	if s == "" {
		return nil
	}
	return []byte(s)
}

// seen is what Get says of a record; empty when it finds none.
func seen(t *testing.T, r Records, kind, key string, now time.Time) string {
	t.Helper()
	value, found, err := r.Get(t.Context(), kind, []byte(key), now)
	must(t, err)
	if found != (value != nil) {
		t.Errorf("found %v with %d bytes", found, len(value))
	}
	return string(value)
}

func testRecordKept(t *testing.T, r Records) {
	if !insert(t, r, "code", "k", "", "value") || !insert(t, r, "token", "k", "", "other") {
		t.Error("not inserted")
	}
	wantSame(t, "code", seen(t, r, "code", "k", at(0)), "value")
	wantSame(t, "token", seen(t, r, "token", "k", at(0)), "other")
	wantSame(t, "another kind", seen(t, r, "login", "k", at(0)), "")
	wantSame(t, "another key", seen(t, r, "code", "K", at(0)), "")
}

func testRecordInsertedOnce(t *testing.T, r Records) {
	wantSame(t, "first", insert(t, r, "jti", "k", "", "1"), true)
	wantSame(t, "second", insert(t, r, "jti", "k", "", "2"), false)
	wantSame(t, "value", seen(t, r, "jti", "k", at(0)), "1")
}

func testRecordExpiry(t *testing.T, r Records) {
	insert(t, r, "code", "k", "g", "value") // expires at 60
	wantSame(t, "just before", seen(t, r, "code", "k", at(59)), "value")
	wantSame(t, "at its end", seen(t, r, "code", "k", at(60)), "")
	_, _, found, err := r.Take(t.Context(), "code", []byte("k"), at(60), at(90))
	must(t, err)
	wantSame(t, "taken at its end", found, false)
}

func testRecordTaken(t *testing.T, r Records) {
	insert(t, r, "code", "k", "g", "value")
	take := func(now time.Time) []any {
		value, group, found, err := r.Take(t.Context(), "code", []byte("k"), now, at(600))
		must(t, err)
		return []any{string(value), string(group), found}
	}
	wantSame(t, "first", take(at(0)), []any{"value", "g", true})
	wantSame(t, "get after", seen(t, r, "code", "k", at(0)), "")
	wantSame(t, "second", take(at(1)), []any{"", "g", true})
	wantSame(t, "kept beyond its own end", take(at(599)), []any{"", "g", true})
	wantSame(t, "inserted again", insert(t, r, "code", "k", "", "x"), false)
	wantSame(t, "at the end", take(at(600)), []any{"", "", false})
	value, _, found, err := r.Take(t.Context(), "code", []byte("none"), at(0), at(600))
	must(t, err)
	wantSame(t, "none", []any{value, found}, []any{[]byte(nil), false})
}

func testRecordRace(t *testing.T, r Records) {
	insert(t, r, "code", "k", "", "value")
	var values, inserts atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			value, _, found, err := r.Take(t.Context(), "code", []byte("k"), at(0), at(600))
			if err != nil || !found {
				t.Errorf("take: %v, %v", found, err)
			}
			if value != nil {
				values.Add(1)
			}
			ok, err := r.Insert(t.Context(), "jti", []byte("j"), nil, []byte{1}, at(60))
			if err != nil {
				t.Error(err)
			}
			if ok {
				inserts.Add(1)
			}
		})
	}
	wg.Wait()
	wantSame(t, "values", values.Load(), 1)
	wantSame(t, "inserts", inserts.Load(), 1)
}

func testRecordRevoked(t *testing.T, r Records) {
	insert(t, r, "code", "taken", "g", "1")
	insert(t, r, "token", "mine", "g", "2")
	insert(t, r, "token", "theirs", "h", "3")
	insert(t, r, "login", "free", "", "4")
	_, _, _, err := r.Take(t.Context(), "code", []byte("taken"), at(0), at(600))
	must(t, err)
	must(t, r.Revoke(t.Context(), []byte("g"), at(100)))
	must(t, r.Revoke(t.Context(), []byte("g"), at(50))) // never shortens
	wantSame(t, "its token", seen(t, r, "token", "mine", at(0)), "")
	wantSame(t, "another's token", seen(t, r, "token", "theirs", at(0)), "3")
	wantSame(t, "one without a group", seen(t, r, "login", "free", at(0)), "4")
	_, group, found, err := r.Take(t.Context(), "code", []byte("taken"), at(0), at(600))
	must(t, err)
	wantSame(t, "the taken code", []any{string(group), found}, []any{"g", true})
	wantSame(t, "late token", insert(t, r, "token", "late", "g", "5"), false)
	_, _, err = r.Sweep(t.Context(), at(60))
	must(t, err)
	wantSame(t, "after a sweep", insert(t, r, "token", "late", "g", "5"), false)
	_, _, err = r.Sweep(t.Context(), at(100))
	must(t, err)
	wantSame(t, "after its time", insert(t, r, "token", "late", "g", "5"), true)
	if err := r.Revoke(t.Context(), nil, at(100)); err == nil {
		t.Error("what has no group can be revoked")
	}
}

func testRecordSweep(t *testing.T, r Records) {
	for _, key := range []string{"a", "b", "c"} {
		insert(t, r, "login", key, "", "v")
	}
	ok, err := r.Insert(t.Context(), "login", []byte("d"), nil, []byte("v"), at(500))
	must(t, err)
	wantSame(t, "inserted", ok, true)
	for _, c := range []struct {
		now                time.Time
		removed, remaining int
	}{{at(0), 0, 4}, {at(60), 3, 1}, {at(60), 0, 1}, {at(500), 1, 0}} {
		removed, remaining, err := r.Sweep(t.Context(), c.now)
		must(t, err)
		wantSame(t, "swept", []int{removed, remaining}, []int{c.removed, c.remaining})
	}
}

// recordWrite is one write to break, on a store that holds a code and a token
// of one group.
type recordWrite struct {
	do func(ctx context.Context, r Records) error
}

func recordWrites() map[string]recordWrite {
	return map[string]recordWrite{
		"Insert": {func(ctx context.Context, r Records) error {
			_, err := r.Insert(ctx, "token", []byte("new"), []byte("g"), []byte("v"), at(60))
			return err
		}},
		"Take": {func(ctx context.Context, r Records) error {
			value, _, _, err := r.Take(ctx, "code", []byte("k"), at(0), at(600))
			if err != nil && value != nil {
				return errors.New("a value comes with the error")
			}
			return err
		}},
		"Revoke": {func(ctx context.Context, r Records) error { return r.Revoke(ctx, []byte("g"), at(100)) }},
		"Sweep":  {func(ctx context.Context, r Records) error { _, _, err := r.Sweep(ctx, at(60)); return err }},
	}
}

// RunBrokenRecords breaks each write twice, "failed" and "failed but persisted",
// restarts, and repeats it.
func RunBrokenRecords(t *testing.T, open OpenRecords) {
	t.Helper()
	for name, w := range recordWrites() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var next atomic.Int32
			b := bench{t: t}
			commit := func(op string, commit func() error) error {
				b.next.Store(next.Swap(int32(none)))
				return b.commit(op, commit)
			}
			path := filepath.Join(t.TempDir(), "store")
			r, closeStore := open(t, path, commit)
			restart := func() { must(t, closeStore()); r, closeStore = open(t, path, commit) }
			defer func() { must(t, closeStore()) }()
			insert(t, r, "code", "k", "g", "value")
			insert(t, r, "token", "old", "g", "value")
			before := recordDump(t, r)

			next.Store(int32(failed))
			wantErr(t, "failed", w.do(t.Context(), r), ErrBroken)
			restart()
			wantSame(t, "after a failed write", recordDump(t, r), before)

			next.Store(int32(failedButPersisted))
			wantErr(t, "failed but persisted", w.do(t.Context(), r), ErrBroken)
			restart()
			after := recordDump(t, r)
			if reflect.DeepEqual(after, before) {
				t.Fatal("the write changes nothing that the suite sees")
			}
			must(t, w.do(t.Context(), r))
			wantSame(t, "after repeating", recordDump(t, r), after)
		})
	}
}

func recordDump(t *testing.T, r Records) (out []string) {
	t.Helper()
	for _, name := range [][2]string{{"code", "k"}, {"token", "old"}, {"token", "new"}} {
		out = append(out, seen(t, r, name[0], name[1], at(0)))
	}
	return out
}
