package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"modernc.org/sqlite" // the driver, registered as "sqlite"
)

// Config opens a database.
type Config struct {
	// Path of the database file. It is created, readable by its owner only, if
	// it does not exist; so are Path-wal and Path-shm beside it.
	Path string
	// Readers is how many connections read at once, 1 to 64; zero means one per
	// CPU and at least two. A connection costs about 300 kB.
	Readers int
	// BusyTimeout is how long a write waits for another process; zero means 5 s.
	BusyTimeout time.Duration
	// Commit, if set, stands around the commit of every write: it receives the
	// name of the operation and must call commit or answer an error. Tests break
	// writes with it, before or after they persist.
	Commit func(op string, commit func() error) error
}

// DB is an open database.
type DB struct {
	// writer has exactly one connection, and turn lets one transaction at a time
	// use it; waiting for turn honours the context.
	writer *sql.DB
	turn   chan struct{}
	reader *sql.DB
	commit func(op string, commit func() error) error
	// unscrubbed is set when something was erased whose traces may still be in the
	// write-ahead log.
	unscrubbed atomic.Bool
}

// ErrClosed reports use of the database after Close.
var ErrClosed = errors.New("store: closed")

// Open opens the database, creating it if need be, and brings its schema up to
// date. A file written by a later version of Ipse, or by another program, is refused.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if cfg.Path == "" {
		return nil, errors.New("store: no path")
	}
	if cfg.Readers < 0 || cfg.Readers > 64 || cfg.BusyTimeout < 0 {
		return nil, errors.New("store: readers or busy timeout out of range")
	}
	if cfg.Readers == 0 {
		cfg.Readers = max(2, runtime.GOMAXPROCS(0))
	}
	if cfg.BusyTimeout == 0 {
		cfg.BusyTimeout = 5 * time.Second
	}
	if cfg.Commit == nil {
		cfg.Commit = func(_ string, commit func() error) error { return commit() }
	}
	if err := createPrivate(cfg.Path); err != nil {
		return nil, err
	}
	tuneDriver()
	db := &DB{turn: make(chan struct{}, 1), commit: cfg.Commit}
	var err error
	if db.writer, err = connect(cfg, "immediate", "0", 1); err != nil {
		return nil, err
	}
	if err = db.migrate(ctx); err != nil {
		return nil, errors.Join(err, db.writer.Close())
	}
	// After a crash the log may hold what was erased just before.
	if _, err = db.Scrub(ctx); err != nil {
		return nil, errors.Join(err, db.writer.Close())
	}
	if db.reader, err = connect(cfg, "deferred", "1", cfg.Readers); err != nil {
		return nil, errors.Join(err, db.writer.Close())
	}
	return db, nil
}

// tuneDriver sets the driver's two switches for the whole process. Open file
// description locks survive another descriptor of the file being closed (a
// backup reading it, say), which strips POSIX locks; fdatasync is as durable as
// fsync and spares the journal of the file system the timestamps. Where a
// platform has neither, the driver keeps its defaults and stays correct.
func tuneDriver() {
	_, _ = sqlite.OFDLocking(true)
	_, _ = sqlite.Fdatasync(true)
}

// createPrivate makes the file with mode 0600 before SQLite opens it, since
// SQLite gives the files beside it the mode of the database.
func createPrivate(path string) error {
	f, err := os.OpenFile(filepath.Clean(path), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("create the database file: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("create the database file: %w", err)
	}
	return nil
}

// connect makes a pool. The settings, all per connection:
//   - journal_mode WAL: readers do not wait for the writer;
//   - synchronous FULL: what a method confirmed survives a power cut. NORMAL
//     would be some eight times faster at single writes, and could bring back an
//     erased account, a used recovery code or an old signature counter;
//   - secure_delete ON: deleted content is overwritten;
//   - foreign_keys ON, trusted_schema OFF, temp_store MEMORY: no row without its
//     account, no functions from a doctored schema, no temporary files;
//   - cache_size 2 MB: bounds the memory of a connection.
func connect(cfg Config, txlock, queryOnly string, conns int) (*sql.DB, error) {
	abs, err := filepath.Abs(cfg.Path)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	q := url.Values{"_txlock": {txlock}}
	for _, pragma := range []string{
		"busy_timeout(" + strconv.FormatInt(cfg.BusyTimeout.Milliseconds(), 10) + ")",
		"journal_mode(WAL)", "synchronous(FULL)", "secure_delete(ON)", "foreign_keys(ON)",
		"trusted_schema(OFF)", "temp_store(MEMORY)", "cache_size(-2000)", "query_only(" + queryOnly + ")",
	} {
		q.Add("_pragma", pragma)
	}
	pool, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: filepath.ToSlash(abs), RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	return pool, nil
}

// Close waits for the write under way, folds the write-ahead log into the
// database file and closes it. A later call does nothing.
func (db *DB) Close() error {
	db.turn <- struct{}{}
	defer func() { <-db.turn }()
	if err := errors.Join(db.reader.Close(), db.writer.Close()); err != nil {
		return fmt.Errorf("close the database: %w", err)
	}
	return nil
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	var one int
	if err := db.reader.QueryRowContext(ctx, "SELECT 1").Scan(&one); err != nil {
		return fmt.Errorf("ping the database: %w", err)
	}
	return nil
}
