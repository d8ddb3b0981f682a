package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Records keeps sealed records for minutes, each under a kind and a key that is
// a hash; what they hold is ciphertext under keys that no server has. It is what
// the OpenID provider stores its logins, codes and tokens in (idp.Store).
//
// Times are kept to the second. Methods follow the package's rules: durable when
// they return, safe to repeat, an error when it is not known whether they persisted.
type Records struct{ db *DB }

// Records returns the records of this database.
func (db *DB) Records() Records { return Records{db} }

// errNoFamily: revoking nothing in particular would revoke what has no group.
var errNoFamily = errors.New("no group to revoke")

// Insert keeps value until expires. inserted is false, and nothing changed, when
// the key is there already or group is revoked. group may be nil.
func (r Records) Insert(ctx context.Context, kind string, key, group, value []byte, expires time.Time) (inserted bool, err error) {
	if len(group) == 0 {
		group = nil
	}
	err = r.db.write(ctx, "insert record", func(t tx) error {
		changed, err := t.exec(`INSERT INTO records (kind, key, family, value, expires)
			SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS (SELECT 1 FROM revoked WHERE family = ?3)
			ON CONFLICT (kind, key) DO NOTHING`, kind, key, group, value, expires.Unix())
		inserted = changed == 1
		return err
	})
	return inserted && err == nil, err
}

// Get returns the value of a record that was neither taken nor is over.
func (r Records) Get(ctx context.Context, kind string, key []byte, now time.Time) (value []byte, found bool, err error) {
	err = r.db.read(ctx, "get record", func(t tx) error {
		err := t.queryRow("SELECT value FROM records WHERE kind = ? AND key = ? AND expires > ? AND value IS NOT NULL", kind, key, now.Unix()).Scan(&value)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		found = err == nil
		return err
	})
	if err != nil || !found {
		return nil, false, err
	}
	return value, true, nil
}

// Take returns a value to one caller and erases it; the key stays, without
// value, until keepUntil, and later callers find it so.
func (r Records) Take(ctx context.Context, kind string, key []byte, now, keepUntil time.Time) (value, group []byte, found bool, err error) {
	err = r.db.write(ctx, "take record", func(t tx) error {
		err := t.queryRow("SELECT value, family FROM records WHERE kind = ? AND key = ? AND expires > ?", kind, key, now.Unix()).Scan(&value, &group)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if found = true; value == nil {
			return nil
		}
		_, err = t.exec("UPDATE records SET value = NULL, expires = ? WHERE kind = ? AND key = ?", keepUntil.Unix(), kind, key)
		return err
	})
	if err != nil {
		return nil, nil, false, err
	}
	return value, group, found, nil
}

// Revoke erases the group's records that were not taken and refuses further ones until then.
func (r Records) Revoke(ctx context.Context, group []byte, until time.Time) error {
	return r.db.write(ctx, "revoke records", func(t tx) error {
		if len(group) == 0 {
			return errNoFamily
		}
		if _, err := t.exec("DELETE FROM records WHERE family = ? AND value IS NOT NULL", group); err != nil {
			return err
		}
		_, err := t.exec("INSERT INTO revoked (family, until) VALUES (?, ?) ON CONFLICT (family) DO UPDATE SET until = max(until, excluded.until)",
			group, until.Unix())
		return err
	})
}

// Sweep removes what is over and counts the records that remain.
func (r Records) Sweep(ctx context.Context, now time.Time) (removed, remaining int, err error) {
	err = r.db.write(ctx, "sweep records", func(t tx) error {
		changed, err := t.exec("DELETE FROM records WHERE expires <= ?", now.Unix())
		if err != nil {
			return err
		}
		removed = int(changed)
		if _, err := t.exec("DELETE FROM revoked WHERE until <= ?", now.Unix()); err != nil {
			return err
		}
		return t.queryRow("SELECT count(*) FROM records").Scan(&remaining)
	})
	if err != nil {
		return 0, 0, err
	}
	return removed, remaining, nil
}
