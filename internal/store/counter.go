package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"ipse/internal/counter"
)

var _ counter.Store = (*DB)(nil)

// AddAgent adds an agent with an enrolment. Repeating it is no error.
func (db *DB) AddAgent(ctx context.Context, a counter.Agent, e counter.Enrolment) error {
	return db.write(ctx, "add agent", func(t tx) error {
		changed, err := t.exec(`INSERT INTO agents (id, name, added_on, removed_on, handle, enrolment_hash, enrolment_ends, sign_count, backup_eligible, backup_state)
			VALUES (?, ?, ?, '', ?, ?, ?, 0, 0, 0) ON CONFLICT (id) DO NOTHING`, a.ID, a.Name, a.AddedOn, a.Handle, e.Hash[:], e.Expires.Unix())
		if err != nil || changed == 1 {
			return err
		}
		known, err := oneAgent(t, "id = ?", a.ID)
		if err == nil && !bytes.Equal(known.Handle, a.Handle) {
			return errors.New("the agent's identifier is taken")
		}
		return err
	})
}

const agentColumns = "id, name, added_on, removed_on, handle, key_id, public_key, sign_count, backup_eligible, backup_state"

// scanAgent reads agentColumns.
func scanAgent(scan func(...any) error, more ...any) (counter.Agent, error) {
	var a counter.Agent
	var k counter.Key
	err := scan(append([]any{&a.ID, &a.Name, &a.AddedOn, &a.RemovedOn, &a.Handle, &k.ID, &k.PublicKey, &k.SignCount, &k.BackupEligible, &k.BackupState}, more...)...)
	if k.ID != nil {
		a.Key = &k
	}
	return a, err
}

// oneAgent finds the agent of a condition; sql.ErrNoRows if there is none.
func oneAgent(t tx, where string, args ...any) (counter.Agent, error) {
	return scanAgent(t.queryRow("SELECT "+agentColumns+" FROM agents WHERE "+where, args...).Scan)
}

// Agents lists all agents, also those removed.
func (db *DB) Agents(ctx context.Context) ([]counter.Agent, error) {
	var list []counter.Agent
	err := db.read(ctx, "list agents", func(t tx) error {
		list = nil
		return t.each("SELECT "+agentColumns+" FROM agents ORDER BY id", nil, func(rows *sql.Rows) error {
			a, err := scanAgent(rows.Scan)
			list = append(list, a)
			return err
		})
	})
	return list, err
}

// RemoveAgent ends the agent's sessions and forgets passkey and enrolment.
func (db *DB) RemoveAgent(ctx context.Context, id, day string) error {
	return db.write(ctx, "remove agent", func(t tx) error {
		changed, err := t.exec(`UPDATE agents SET removed_on = ?, enrolment_hash = NULL, enrolment_ends = 0, key_id = NULL, public_key = NULL,
			sign_count = 0, backup_eligible = 0, backup_state = 0 WHERE id = ? AND removed_on = ''`, day, id)
		if err != nil {
			return err
		}
		if changed == 0 {
			return counter.ErrNoAgent
		}
		if _, err := t.exec("DELETE FROM agent_sessions WHERE agent = ?", id); err != nil {
			return err
		}
		_, err = forgetAgents(t)
		return err
	})
}

// forgetAgents deletes the records of removed agents of whom no decision is left.
func forgetAgents(t tx) (int64, error) {
	return t.exec("DELETE FROM agents WHERE removed_on <> '' AND NOT EXISTS (SELECT 1 FROM decisions WHERE agent = agents.id)")
}

// AgentByEnrolment finds the agent whom an enrolment lets register.
func (db *DB) AgentByEnrolment(ctx context.Context, hash [32]byte, now time.Time) (counter.Agent, error) {
	return db.agentBy(ctx, "find agent by enrolment", counter.ErrEnrolment, "enrolment_hash = ? AND enrolment_ends > ?", hash[:], now.Unix())
}

// AgentByKey finds the agent of a credential.
func (db *DB) AgentByKey(ctx context.Context, credentialID []byte) (counter.Agent, error) {
	return db.agentBy(ctx, "find agent by passkey", counter.ErrPasskey, "key_id = ?", credentialID)
}

func (db *DB) agentBy(ctx context.Context, op string, missing error, where string, args ...any) (a counter.Agent, err error) {
	err = db.read(ctx, op, func(t tx) (err error) {
		if a, err = oneAgent(t, where, args...); errors.Is(err, sql.ErrNoRows) {
			return missing
		}
		return err
	})
	if err != nil {
		return counter.Agent{}, err
	}
	return a, nil
}

// EnrolAgent spends the enrolment and keeps the passkey.
func (db *DB) EnrolAgent(ctx context.Context, hash [32]byte, now time.Time, k counter.Key) error {
	return db.write(ctx, "enrol agent", func(t tx) error {
		changed, err := t.exec(`UPDATE agents SET enrolment_hash = NULL, enrolment_ends = 0, key_id = ?, public_key = ?, sign_count = ?, backup_eligible = ?, backup_state = ?
			WHERE enrolment_hash = ? AND enrolment_ends > ?`, k.ID, k.PublicKey, k.SignCount, k.BackupEligible, k.BackupState, hash[:], now.Unix())
		switch {
		case violates(err, sqlite3.SQLITE_CONSTRAINT_UNIQUE):
			return counter.ErrPasskey
		case err == nil && changed == 0:
			return counter.ErrEnrolment
		}
		return err
	})
}

// UseKey records a use (WebAuthn Level 3 §7.2 step 22).
func (db *DB) UseKey(ctx context.Context, credentialID []byte, signCount uint32, backupState bool) error {
	return db.write(ctx, "use agent's passkey", func(t tx) error {
		changed, err := t.exec(`UPDATE agents SET sign_count = max(sign_count, ?2), backup_state = ?3
			WHERE key_id = ?1 AND (backup_eligible OR ?2 > sign_count OR (?2 = 0 AND sign_count = 0))`, credentialID, signCount, backupState)
		if err == nil && changed == 0 {
			return counter.ErrPasskey
		}
		return err
	})
}

// PutAgentSession adds a session in place of every other of the agent.
func (db *DB) PutAgentSession(ctx context.Context, s counter.Session) error {
	return db.write(ctx, "put agent's session", func(t tx) error {
		if _, err := t.exec("DELETE FROM agent_sessions WHERE agent = ? AND token_hash <> ?", s.Agent, s.TokenHash[:]); err != nil {
			return err
		}
		_, err := t.exec(`INSERT INTO agent_sessions (token_hash, agent, idle_until, ends) VALUES (?, ?, ?, ?) ON CONFLICT (token_hash) DO NOTHING`,
			s.TokenHash[:], s.Agent, s.IdleUntil.Unix(), s.Ends.Unix())
		if violates(err, sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY) {
			return counter.ErrNoAgent
		}
		return err
	})
}

// AgentSession finds a session and its agent by the token's hash.
func (db *DB) AgentSession(ctx context.Context, hash [32]byte) (counter.Session, counter.Agent, error) {
	s := counter.Session{TokenHash: hash}
	var a counter.Agent
	err := db.read(ctx, "read agent's session", func(t tx) (err error) {
		var idleUntil, ends int64
		a, err = scanAgent(t.queryRow("SELECT "+agentColumns+", idle_until, ends FROM agent_sessions JOIN agents ON agents.id = agent WHERE token_hash = ?", hash[:]).Scan, &idleUntil, &ends)
		if errors.Is(err, sql.ErrNoRows) {
			return counter.ErrNoSession
		}
		s.Agent, s.IdleUntil, s.Ends = a.ID, time.Unix(idleUntil, 0).UTC(), time.Unix(ends, 0).UTC()
		return err
	})
	if err != nil {
		return counter.Session{}, counter.Agent{}, err
	}
	return s, a, nil
}

// TouchAgentSession moves a session's idle end.
func (db *DB) TouchAgentSession(ctx context.Context, hash [32]byte, idleUntil time.Time) error {
	return db.write(ctx, "touch agent's session", func(t tx) error {
		changed, err := t.exec("UPDATE agent_sessions SET idle_until = ? WHERE token_hash = ?", idleUntil.Unix(), hash[:])
		if err == nil && changed == 0 {
			return counter.ErrNoSession
		}
		return err
	})
}

// EndAgentSession removes a session, if it exists.
func (db *DB) EndAgentSession(ctx context.Context, hash [32]byte) error {
	return db.write(ctx, "end agent's session", func(t tx) error {
		_, err := t.exec("DELETE FROM agent_sessions WHERE token_hash = ?", hash[:])
		return err
	})
}

// KeepDecision adds a decision. Repeating it is no error.
func (db *DB) KeepDecision(ctx context.Context, d counter.Decision) error {
	return db.write(ctx, "keep decision", func(t tx) error {
		changed, err := t.exec(`INSERT INTO decisions (case_id, agent, at, statement, key_id, public_key, backup_eligible, answer)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (case_id) DO NOTHING`,
			d.Case, d.Agent, d.At.Unix(), d.Statement, d.KeyID, d.PublicKey, d.BackupEligible, d.Answer)
		if violates(err, sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY) {
			return counter.ErrPasskey
		}
		if err != nil || changed == 1 {
			return err
		}
		var answer []byte
		if err := t.queryRow("SELECT answer FROM decisions WHERE case_id = ?", d.Case).Scan(&answer); err != nil {
			return err
		}
		if !bytes.Equal(answer, d.Answer) {
			return counter.ErrPasskey
		}
		return nil
	})
}

// Decisions calls f with every decision, oldest first.
func (db *DB) Decisions(ctx context.Context, f func(counter.Decision) error) error {
	return db.read(ctx, "list decisions", func(t tx) error {
		return t.each("SELECT case_id, agent, at, statement, key_id, public_key, backup_eligible, answer FROM decisions ORDER BY at, case_id", nil, func(rows *sql.Rows) error {
			var d counter.Decision
			var at int64
			if err := rows.Scan(&d.Case, &d.Agent, &at, &d.Statement, &d.KeyID, &d.PublicKey, &d.BackupEligible, &d.Answer); err != nil {
				return err
			}
			d.At = time.Unix(at, 0).UTC()
			return f(d)
		})
	})
}

// SweepCounter removes what is over at now and decisions made before keptSince.
func (db *DB) SweepCounter(ctx context.Context, now, keptSince time.Time) (removed int, err error) {
	err = db.write(ctx, "sweep counter", func(t tx) error {
		removed = 0
		for _, s := range []struct {
			statement string
			arg       int64
		}{
			{"DELETE FROM agent_sessions WHERE ends <= ?1 OR idle_until <= ?1", now.Unix()},
			{"UPDATE agents SET enrolment_hash = NULL, enrolment_ends = 0 WHERE enrolment_hash IS NOT NULL AND enrolment_ends <= ?1", now.Unix()},
			{"DELETE FROM decisions WHERE at < ?1", keptSince.Unix()},
		} {
			changed, err := t.exec(s.statement, s.arg)
			if err != nil {
				return err
			}
			removed += int(changed)
		}
		changed, err := forgetAgents(t)
		removed += int(changed)
		return err
	})
	return removed, err
}
