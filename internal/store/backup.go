package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Backup writes a consistent copy to path, which must not exist, readable by its
// owner only. Readers go on meanwhile, writes wait. The copy holds what was not
// erased at its moment: old copies must be destroyed like the data in them.
func (db *DB) Backup(ctx context.Context, path string) error {
	// SQLite would write into an existing empty file: this is the check that it is new.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("store: backup: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("store: backup: %w", err)
	}
	select {
	case db.turn <- struct{}{}:
		defer func() { <-db.turn }()
	case <-ctx.Done():
		return errors.Join(ctx.Err(), os.Remove(path))
	}
	if _, err := db.writer.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		if gone := os.Remove(path); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
		return fmt.Errorf("store: backup: %w", known(err))
	}
	return nil
}

// CopyFile is Backup of the database at from, which another process may have open:
// nothing of it is changed, whatever version it was written by. There must be one.
func CopyFile(ctx context.Context, from, to string) (err error) {
	if _, err := os.Stat(from); err != nil {
		return fmt.Errorf("store: backup: no database: %w", err)
	}
	pool, err := connect(Config{Path: from, BusyTimeout: 5 * time.Second}, "deferred", "0", 1)
	if err != nil {
		return fmt.Errorf("store: backup: %w", err)
	}
	db := &DB{writer: pool, turn: make(chan struct{}, 1)}
	return errors.Join(db.Backup(ctx, to), pool.Close())
}
