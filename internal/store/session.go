package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"ipse/internal/account"
)

// PutSession adds a session. Repeating it is no error.
func (db *DB) PutSession(ctx context.Context, s account.Session) error {
	return db.write(ctx, "put session", func(t tx) error {
		_, err := t.exec(`INSERT INTO account_sessions (token_hash, account, scope, auth_time, idle_until, ends) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (token_hash) DO NOTHING`,
			s.TokenHash[:], s.Account, string(s.Scope), authMicros(s.AuthTime), s.IdleUntil.Unix(), s.Ends.Unix())
		return owned(err)
	})
}

// authMicros keeps the zero time apart.
func authMicros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// TouchSession moves a session's idle end, or answers account.ErrNoSession.
func (db *DB) TouchSession(ctx context.Context, hash [32]byte, idleUntil time.Time) error {
	return db.write(ctx, "touch session", func(t tx) error {
		changed, err := t.exec("UPDATE account_sessions SET idle_until = ? WHERE token_hash = ?", idleUntil.Unix(), hash[:])
		if err == nil && changed == 0 {
			return account.ErrNoSession
		}
		return err
	})
}

// SessionByToken finds a session by its token's hash, or account.ErrNoSession.
func (db *DB) SessionByToken(ctx context.Context, hash [32]byte) (account.Session, error) {
	s := account.Session{TokenHash: hash}
	err := db.read(ctx, "read session", func(t tx) error {
		var scope string
		var authTime, idleUntil, ends int64
		err := t.queryRow("SELECT account, scope, auth_time, idle_until, ends FROM account_sessions WHERE token_hash = ?", hash[:]).
			Scan(&s.Account, &scope, &authTime, &idleUntil, &ends)
		if errors.Is(err, sql.ErrNoRows) {
			return account.ErrNoSession
		}
		if err != nil {
			return err
		}
		s.Scope, s.IdleUntil, s.Ends = account.Scope(scope), time.Unix(idleUntil, 0).UTC(), time.Unix(ends, 0).UTC()
		if authTime != 0 {
			s.AuthTime = time.UnixMicro(authTime).UTC()
		}
		return nil
	})
	if err != nil {
		return account.Session{}, err
	}
	return s, nil
}

// EndSession removes a session, if it exists.
func (db *DB) EndSession(ctx context.Context, hash [32]byte) error {
	return db.write(ctx, "end session", func(t tx) error {
		_, err := t.exec("DELETE FROM account_sessions WHERE token_hash = ?", hash[:])
		return err
	})
}

// EndSessions removes every session of the account but one.
func (db *DB) EndSessions(ctx context.Context, id string, but [32]byte) error {
	return db.write(ctx, "end sessions", func(t tx) error {
		_, err := t.exec("DELETE FROM account_sessions WHERE account = ? AND token_hash <> ?", id, but[:])
		return err
	})
}

// SweepAccounts removes sessions and ceremonies that are over, and scrubs the
// write-ahead log if an erasure is still waiting for it.
func (db *DB) SweepAccounts(ctx context.Context, now time.Time) (removed int, err error) {
	err = db.write(ctx, "sweep accounts", func(t tx) error {
		removed = 0
		for _, statement := range []string{
			"DELETE FROM account_sessions WHERE ends <= ?1 OR idle_until <= ?1",
			"DELETE FROM ceremonies WHERE expires <= ?1",
		} {
			changed, err := t.exec(statement, now.Unix())
			if err != nil {
				return err
			}
			removed += int(changed)
		}
		return nil
	})
	if err != nil || !db.unscrubbed.Load() || db.carries(ctx) {
		return removed, err
	}
	_, err = db.Scrub(ctx)
	return removed, err
}

// PutCeremony adds a ceremony.
func (db *DB) PutCeremony(ctx context.Context, c account.Ceremony) error {
	return db.write(ctx, "put ceremony", func(t tx) error {
		_, err := t.exec(`INSERT INTO ceremonies (challenge_hash, kind, binding, state, expires) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (challenge_hash) DO NOTHING`, c.Hash[:], c.Kind, c.Binding, c.State, c.Expires.Unix())
		return err
	})
}

// TakeCeremony removes a ceremony and returns it, to one caller only.
func (db *DB) TakeCeremony(ctx context.Context, hash [32]byte, now time.Time) (account.Ceremony, error) {
	c := account.Ceremony{Hash: hash}
	over := false
	err := db.write(ctx, "take ceremony", func(t tx) error {
		var expires int64
		err := t.queryRow("DELETE FROM ceremonies WHERE challenge_hash = ? RETURNING kind, binding, state, expires", hash[:]).
			Scan(&c.Kind, &c.Binding, &c.State, &expires)
		if errors.Is(err, sql.ErrNoRows) {
			return account.ErrChallengeExpired
		}
		c.Expires, over = time.Unix(expires, 0).UTC(), expires <= now.Unix()
		return err
	})
	if err == nil && over {
		err = account.ErrChallengeExpired // removed all the same
	}
	if err != nil {
		return account.Ceremony{}, err
	}
	return c, nil
}
