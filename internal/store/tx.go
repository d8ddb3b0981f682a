package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// txKey marks a context that carries this database's open write transaction.
type txKey struct{ db *DB }

// tx is what the functions given to read and write use. Queries inside take
// their context from the transaction: a write is never cut in the middle.
type tx struct{ sql querier }

// querier is the common part of *sql.DB and *sql.Tx.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// exec runs a statement and returns how many rows it changed.
func (t tx) exec(query string, args ...any) (int64, error) {
	res, err := t.sql.ExecContext(context.Background(), query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// queryRow runs a query for one row; Scan answers sql.ErrNoRows if there is none.
func (t tx) queryRow(query string, args ...any) *sql.Row {
	return t.sql.QueryRowContext(context.Background(), query, args...)
}

// each runs a query and calls scan for every row.
func (t tx) each(query string, args []any, scan func(*sql.Rows) error) (err error) {
	rows, err := t.sql.QueryContext(context.Background(), query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// write runs f in a write transaction: committed when f returns nil, rolled back
// when it returns an error or panics. When ctx carries a transaction (see
// Atomically) f becomes part of it. f must not keep its tx. op names the
// operation in errors, "store: op: ...", where errors.Is still finds f's own.
func (db *DB) write(ctx context.Context, op string, f func(tx) error) error {
	if outer, ok := ctx.Value(txKey{db}).(tx); ok {
		if err := f(outer); err != nil {
			return fmt.Errorf("store: %s: %w", op, err)
		}
		return nil
	}
	if err := db.transact(ctx, op, f); err != nil {
		return fmt.Errorf("store: %s: %w", op, known(err))
	}
	return nil
}

// read runs f on a snapshot of the last committed state, or within the
// transaction that ctx carries.
func (db *DB) read(ctx context.Context, op string, f func(tx) error) (err error) {
	if outer, ok := ctx.Value(txKey{db}).(tx); ok {
		if err := f(outer); err != nil {
			return fmt.Errorf("store: %s: %w", op, err)
		}
		return nil
	}
	snapshot, err := db.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("store: %s: %w", op, known(err))
	}
	defer func() { _ = snapshot.Rollback() }() // nothing to lose: it only reads
	if err := f(tx{snapshot}); err != nil {
		return fmt.Errorf("store: %s: %w", op, known(err))
	}
	return nil
}

// Atomically runs f in one write transaction: every method of db called with
// the context given to f takes part, and all of it persists or none of it. f
// must call db from its own goroutine only, and do nothing slow: other writes wait.
func (db *DB) Atomically(ctx context.Context, f func(ctx context.Context) error) error {
	return db.write(ctx, "transaction", func(t tx) error {
		return f(context.WithValue(ctx, txKey{db}, t))
	})
}

func (db *DB) transact(ctx context.Context, op string, f func(tx) error) error {
	select {
	case db.turn <- struct{}{}:
		defer func() { <-db.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	// From here on the write is short and runs to its end.
	opened, err := db.writer.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return known(err)
	}
	defer func() { _ = opened.Rollback() }() // no effect after Commit
	if err := f(tx{opened}); err != nil {
		return err
	}
	return db.commit(op, opened.Commit)
}

// known names the use of a closed pool, and failures of the disk.
func known(err error) error {
	var failure *sqlite.Error
	switch {
	case err == nil:
	case err.Error() == "sql: database is closed":
		return ErrClosed
	case errors.As(err, &failure):
		switch failure.Code() & 0xff { // the primary code
		case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN:
			return &diskError{err}
		}
	}
	return err
}

// diskError is a failure of the disk: full, read-only, broken. The same request may
// succeed when the operator has seen to it.
type diskError struct{ error }

// Unwrap returns the driver's error.
func (e *diskError) Unwrap() error { return e.error }

// Code is how package problem knows it.
func (e *diskError) Code() string { return "store_unavailable" }

// carries reports whether ctx carries a transaction of this database.
func (db *DB) carries(ctx context.Context) bool {
	_, ok := ctx.Value(txKey{db}).(tx)
	return ok
}

// Scrub folds the write-ahead log into the database file and empties it, so that
// what was erased is in neither. A reader in its way makes it incomplete, which
// is not an error: done is false then, and the caller tries again later.
func (db *DB) Scrub(ctx context.Context) (done bool, err error) {
	select {
	case db.turn <- struct{}{}:
		defer func() { <-db.turn }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	var busy, logged, moved int
	row := db.writer.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	if err := row.Scan(&busy, &logged, &moved); err != nil {
		return false, fmt.Errorf("store: scrub: %w", known(err))
	}
	if busy == 0 {
		db.unscrubbed.Store(false)
	}
	return busy == 0, nil
}
