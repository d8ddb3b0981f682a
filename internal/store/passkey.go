package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"ipse/internal/account"
)

// violates reports whether err is a violation of the constraint with this
// extended code of SQLite.
func violates(err error, code int) bool {
	var failure *sqlite.Error
	return errors.As(err, &failure) && failure.Code() == code
}

// owned turns the violation of a foreign key into account.ErrNoAccount.
func owned(err error) error {
	if violates(err, sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY) {
		return account.ErrNoAccount
	}
	return err
}

// AddPasskey adds a passkey. Repeating it with the same passkey is no error.
func (db *DB) AddPasskey(ctx context.Context, id string, p account.Passkey) error {
	return db.write(ctx, "add passkey", func(t tx) error {
		var owner string
		var key []byte
		err := t.queryRow("SELECT account, public_key FROM passkeys WHERE id = ?", p.ID).Scan(&owner, &key)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return insertPasskey(t, id, p)
		case err != nil:
			return err
		case owner != id || !bytes.Equal(key, p.PublicKey):
			return account.ErrPasskeyExists
		default:
			return nil
		}
	})
}

func insertPasskey(t tx, id string, p account.Passkey) error {
	_, err := t.exec(`INSERT INTO passkeys (id, account, public_key, aaguid, sign_count, transports, backup_eligible, backup_state, name, created_on, wrap_salt, wrapped)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, p.ID, id, p.PublicKey, p.AAGUID, p.SignCount, strings.Join(p.Transports, ","),
		p.BackupEligible, p.BackupState, p.Name, p.CreatedOn, p.Wrap.Salt, p.Wrap.Wrapped)
	if violates(err, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY) {
		return account.ErrPasskeyExists
	}
	return owned(err)
}

// UsePasskey records a use: the counter must grow, or stay zero, unless any is set.
func (db *DB) UsePasskey(ctx context.Context, credentialID []byte, signCount uint32, backupState, anyCount bool) error {
	return db.write(ctx, "use passkey", func(t tx) error {
		var stored uint32
		err := t.queryRow("SELECT sign_count FROM passkeys WHERE id = ?", credentialID).Scan(&stored)
		if errors.Is(err, sql.ErrNoRows) {
			return account.ErrUnknownPasskey
		}
		if err != nil {
			return err
		}
		// WebAuthn Level 3 §7.2 step 22.
		if !anyCount && (signCount != 0 || stored != 0) && signCount <= stored {
			return account.ErrSignCounter
		}
		_, err = t.exec("UPDATE passkeys SET sign_count = ?, backup_state = ? WHERE id = ?", max(signCount, stored), backupState, credentialID)
		return err
	})
}

// RenamePasskey gives a passkey of the account another name.
func (db *DB) RenamePasskey(ctx context.Context, id string, credentialID []byte, name string) error {
	return db.changePasskey(ctx, "rename passkey", "UPDATE passkeys SET name = ? WHERE account = ? AND id = ?", name, id, credentialID)
}

// RemovePasskey removes a passkey of the account.
func (db *DB) RemovePasskey(ctx context.Context, id string, credentialID []byte) error {
	return db.changePasskey(ctx, "remove passkey", "DELETE FROM passkeys WHERE account = ? AND id = ?", id, credentialID)
}

func (db *DB) changePasskey(ctx context.Context, op, statement string, args ...any) error {
	return db.write(ctx, op, func(t tx) error {
		changed, err := t.exec(statement, args...)
		if err == nil && changed == 0 {
			return account.ErrUnknownPasskey
		}
		return err
	})
}

// SetRecovery replaces the account's recovery code.
func (db *DB) SetRecovery(ctx context.Context, id string, r account.Recovery) error {
	return db.write(ctx, "set recovery", func(t tx) error { return putRecovery(t, id, r) })
}

func putRecovery(t tx, id string, r account.Recovery) error {
	_, err := t.exec(`INSERT INTO recoveries (account, auth_hash, wrap_salt, wrapped, created_on) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (account) DO UPDATE SET auth_hash = excluded.auth_hash, wrap_salt = excluded.wrap_salt,
		wrapped = excluded.wrapped, created_on = excluded.created_on`, id, r.AuthHash[:], r.Wrap.Salt, r.Wrap.Wrapped, r.CreatedOn)
	if violates(err, sqlite3.SQLITE_CONSTRAINT_UNIQUE) {
		return account.ErrVault
	}
	return owned(err)
}
