package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"strings"

	"ipse/internal/account"
)

var _ account.Store = (*DB)(nil)

// CreateAccount adds an account with its ways in and first items. Repeating it
// with the same account is no error.
func (db *DB) CreateAccount(ctx context.Context, a account.Account, items []account.Item) error {
	return db.write(ctx, "create account", func(t tx) error {
		changed, err := t.exec(`INSERT INTO accounts (id, handle, suite, public_key, level, created_on)
			VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`, a.ID, a.Handle, a.Suite, a.PublicKey, a.Level, a.CreatedOn)
		if err != nil {
			return err
		}
		if changed == 0 {
			return repeated(t, a)
		}
		for _, p := range a.Passkeys {
			if err := insertPasskey(t, a.ID, p); err != nil {
				return err
			}
		}
		if a.Recovery != nil {
			if err := putRecovery(t, a.ID, *a.Recovery); err != nil {
				return err
			}
		}
		for _, item := range items {
			if _, err := t.exec("INSERT INTO items (account, seq, kind, sealed) VALUES (?, ?, ?, ?)", a.ID, item.Seq, item.Kind, item.Sealed); err != nil {
				return err
			}
		}
		return nil
	})
}

// repeated accepts a second creation of the very same account.
func repeated(t tx, a account.Account) error {
	var handle []byte
	if err := t.queryRow("SELECT handle FROM accounts WHERE id = ?", a.ID).Scan(&handle); err != nil {
		return err
	}
	if !bytes.Equal(handle, a.Handle) {
		return errors.New("the account's identifier is taken")
	}
	return nil
}

// Account reads an account, or account.ErrNoAccount.
func (db *DB) Account(ctx context.Context, id string) (account.Account, error) {
	var a account.Account
	err := db.read(ctx, "read account", func(t tx) (err error) {
		a, err = readAccount(t, id)
		return err
	})
	return a, err
}

// AccountByPasskey finds the account of a credential, or account.ErrUnknownPasskey.
func (db *DB) AccountByPasskey(ctx context.Context, credentialID []byte) (account.Account, error) {
	return db.accountBy(ctx, "find account by passkey", account.ErrUnknownPasskey, "SELECT account FROM passkeys WHERE id = ?", credentialID)
}

// AccountByRecovery finds the account of a recovery code, or account.ErrRecovery.
func (db *DB) AccountByRecovery(ctx context.Context, authHash [32]byte) (account.Account, error) {
	return db.accountBy(ctx, "find account by recovery code", account.ErrRecovery, "SELECT account FROM recoveries WHERE auth_hash = ?", authHash[:])
}

func (db *DB) accountBy(ctx context.Context, op string, missing error, query string, key []byte) (account.Account, error) {
	var a account.Account
	err := db.read(ctx, op, func(t tx) error {
		var id string
		err := t.queryRow(query, key).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return missing
		}
		if err != nil {
			return err
		}
		a, err = readAccount(t, id)
		return err
	})
	return a, err
}

func readAccount(t tx, id string) (account.Account, error) {
	a := account.Account{ID: id}
	err := t.queryRow("SELECT handle, suite, public_key, level, created_on FROM accounts WHERE id = ?", id).
		Scan(&a.Handle, &a.Suite, &a.PublicKey, &a.Level, &a.CreatedOn)
	if errors.Is(err, sql.ErrNoRows) {
		return account.Account{}, account.ErrNoAccount
	}
	if err != nil {
		return account.Account{}, err
	}
	if a.Passkeys, err = readPasskeys(t, id); err != nil {
		return account.Account{}, err
	}
	if a.Recovery, err = readRecovery(t, id); err != nil {
		return account.Account{}, err
	}
	return a, nil
}

func readPasskeys(t tx, id string) (list []account.Passkey, err error) {
	err = t.each(`SELECT id, public_key, aaguid, sign_count, transports, backup_eligible, backup_state, name, created_on, wrap_salt, wrapped
		FROM passkeys WHERE account = ? ORDER BY id`, []any{id}, func(rows *sql.Rows) error {
		var p account.Passkey
		var transports string
		err := rows.Scan(&p.ID, &p.PublicKey, &p.AAGUID, &p.SignCount, &transports, &p.BackupEligible, &p.BackupState, &p.Name, &p.CreatedOn, &p.Wrap.Salt, &p.Wrap.Wrapped)
		if transports != "" {
			p.Transports = strings.Split(transports, ",")
		}
		list = append(list, p)
		return err
	})
	return list, err
}

func readRecovery(t tx, id string) (*account.Recovery, error) {
	var r account.Recovery
	var hash []byte
	err := t.queryRow("SELECT auth_hash, wrap_salt, wrapped, created_on FROM recoveries WHERE account = ?", id).
		Scan(&hash, &r.Wrap.Salt, &r.Wrap.Wrapped, &r.CreatedOn)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // no code is an answer
	}
	if err != nil {
		return nil, err
	}
	if copy(r.AuthHash[:], hash) != len(r.AuthHash) {
		return nil, errors.New("recovery hash of another length")
	}
	return &r, nil
}

// EraseAccount removes the account and, by foreign keys, everything of it. What
// the write-ahead log still holds of it is scrubbed at once, or, when this is
// part of a larger transaction or a reader is in the way, by the next SweepAccounts.
func (db *DB) EraseAccount(ctx context.Context, id string) error {
	err := db.write(ctx, "erase account", func(t tx) error {
		_, err := t.exec("DELETE FROM accounts WHERE id = ?", id)
		return err
	})
	db.unscrubbed.Store(true) // also after an error: it may have persisted
	if err != nil || db.carries(ctx) {
		return err
	}
	_, err = db.Scrub(ctx)
	return err
}

// AppendItem adds an item and drops the oldest of its kind beyond keep.
func (db *DB) AppendItem(ctx context.Context, id string, item account.Item, keep int) error {
	return db.write(ctx, "append item", func(t tx) error {
		_, err := t.exec(`INSERT INTO items (account, seq, kind, sealed)
			SELECT ?1, coalesce(max(seq), 0) + 1, ?2, ?3 FROM items WHERE account = ?1`, id, item.Kind, item.Sealed)
		if err != nil {
			return owned(err)
		}
		_, err = t.exec(`DELETE FROM items WHERE account = ?1 AND kind = ?2 AND seq <=
			(SELECT seq FROM items WHERE account = ?1 AND kind = ?2 ORDER BY seq DESC LIMIT 1 OFFSET ?3)`, id, item.Kind, keep)
		return err
	})
}

// Items lists the account's items, oldest first.
func (db *DB) Items(ctx context.Context, id string) ([]account.Item, error) {
	var list []account.Item
	err := db.read(ctx, "list items", func(t tx) error {
		list = nil
		return t.each("SELECT seq, kind, sealed FROM items WHERE account = ? ORDER BY seq", []any{id}, func(rows *sql.Rows) error {
			var item account.Item
			err := rows.Scan(&item.Seq, &item.Kind, &item.Sealed)
			list = append(list, item)
			return err
		})
	})
	return list, err
}
