package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
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
		return fmt.Errorf("store: backup: %w", closed(err))
	}
	return nil
}
