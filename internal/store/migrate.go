package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// applicationID marks the file as Ipse's in SQLite's header: "IPSE".
const applicationID = 0x49505345

//go:embed migrations/*.sql
var migrations embed.FS

// ErrForeignFile reports a database that another program made.
var ErrForeignFile = errors.New("store: the file is not an Ipse database")

// ErrNewerSchema reports a database that a later version of Ipse has changed.
var ErrNewerSchema = errors.New("store: the database was changed by a later version")

// ErrChangedMigration reports that a migration differs from the one applied.
var ErrChangedMigration = errors.New("store: a migration differs from the one that was applied")

// migration is one step of the schema, a file migrations/NNNN_name.sql.
type migration struct {
	number int
	name   string
	sql    string
	sum    [sha256.Size]byte
}

// migrate applies the migrations that are not recorded yet, in the order of
// their numbers and all in one transaction: an interrupted upgrade leaves the old schema.
// Numbers come in ranges per service, so gaps are normal and a lower number may
// arrive after a higher one.
func (db *DB) migrate(ctx context.Context) error {
	steps, err := loadMigrations(migrations)
	if err != nil {
		return err
	}
	return db.applyMigrations(ctx, steps)
}

func (db *DB) applyMigrations(ctx context.Context, steps []migration) error {
	return db.write(ctx, "migrate", func(t tx) error {
		if err := claimFile(t); err != nil {
			return err
		}
		applied, err := appliedMigrations(t)
		if err != nil {
			return err
		}
		for _, step := range steps {
			sum, ok := applied[step.number]
			delete(applied, step.number)
			if ok && sum != step.sum {
				return fmt.Errorf("%w: %s", ErrChangedMigration, step.name)
			}
			if ok {
				continue
			}
			if _, err := t.exec(step.sql); err != nil {
				return fmt.Errorf("apply %s: %w", step.name, err)
			}
			if _, err := t.exec("INSERT INTO migrations (number, name, sum) VALUES (?, ?, ?)", step.number, step.name, step.sum[:]); err != nil {
				return fmt.Errorf("record %s: %w", step.name, err)
			}
		}
		if len(applied) > 0 {
			return ErrNewerSchema
		}
		return nil
	})
}

// claimFile checks that the file is ours, or empty and now ours.
func claimFile(t tx) error {
	var id, tables int
	if err := t.queryRow("PRAGMA application_id").Scan(&id); err != nil {
		return fmt.Errorf("read the file's application: %w", err)
	}
	if err := t.queryRow("SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return fmt.Errorf("read the file's schema: %w", err)
	}
	if id != applicationID && (id != 0 || tables != 0) {
		return ErrForeignFile
	}
	if _, err := t.exec("PRAGMA application_id = " + strconv.Itoa(applicationID)); err != nil {
		return fmt.Errorf("mark the file: %w", err)
	}
	_, err := t.exec("CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, sum BLOB NOT NULL) STRICT")
	return err
}

func appliedMigrations(t tx) (map[int][sha256.Size]byte, error) {
	applied := map[int][sha256.Size]byte{}
	err := t.each("SELECT number, sum FROM migrations", nil, func(rows *sql.Rows) error {
		var number int
		var sum []byte
		if err := rows.Scan(&number, &sum); err != nil {
			return err
		}
		if len(sum) != sha256.Size {
			return ErrChangedMigration
		}
		applied[number] = [sha256.Size]byte(sum)
		return nil
	})
	return applied, err
}

// loadMigrations reads the files of dir "migrations" in the order of their numbers.
func loadMigrations(files fs.FS) ([]migration, error) {
	entries, err := fs.ReadDir(files, "migrations") // sorted by name
	if err != nil {
		return nil, fmt.Errorf("store: list migrations: %w", err)
	}
	steps := make([]migration, 0, len(entries))
	for _, entry := range entries {
		prefix, _, ok := strings.Cut(entry.Name(), "_")
		number, err := strconv.Atoi(prefix)
		if !ok || err != nil || number < 1 || len(prefix) != 4 {
			return nil, fmt.Errorf("store: migration %s: the name must be NNNN_name.sql", entry.Name())
		}
		if len(steps) > 0 && steps[len(steps)-1].number == number {
			return nil, fmt.Errorf("store: migration %s: the number is taken", entry.Name())
		}
		text, err := fs.ReadFile(files, path.Join("migrations", entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("store: read migration %s: %w", entry.Name(), err)
		}
		steps = append(steps, migration{number: number, name: entry.Name(), sql: string(text), sum: sha256.Sum256(text)})
	}
	return steps, nil
}
