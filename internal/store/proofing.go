package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"ipse/internal/consent"
	"ipse/internal/proofing"
)

var _ proofing.Store = (*DB)(nil)

// CreateProofing adds a session. Repeating it with the same session is no error.
func (db *DB) CreateProofing(ctx context.Context, s proofing.Session) error {
	return db.write(ctx, "create proofing", func(t tx) error {
		p := s.Position
		changed, err := t.exec(`INSERT INTO proofings (token_hash, id, version, language, created, expires, state, route, running,
			document_left, face_left, face_refunds, document, chip, holder, level, reason, receipt, sealed)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (token_hash) DO NOTHING`,
			s.TokenHash[:], s.ID, s.Version, string(s.Language), s.Created.Unix(), p.Expires.Unix(), string(p.State),
			string(p.Route), p.Running, p.DocumentLeft, p.FaceLeft, p.FaceRefunds, string(p.Document), string(p.Chip),
			string(p.Holder), string(p.Level), string(p.Reason), s.Receipt, s.Sealed)
		if err != nil || changed == 1 {
			return err
		}
		var id string
		if err := t.queryRow("SELECT id FROM proofings WHERE token_hash = ?", s.TokenHash[:]).Scan(&id); err != nil {
			return err
		}
		if id != s.ID {
			return proofing.ErrConflict
		}
		return nil
	})
}

// ProofingByToken finds the session by the SHA-256 of its token, or proofing.ErrNoSession.
func (db *DB) ProofingByToken(ctx context.Context, hash [32]byte) (proofing.Session, error) {
	s := proofing.Session{TokenHash: hash}
	err := db.read(ctx, "read proofing", func(t tx) error {
		var created, expires int64
		var language, state, route, document, chip, holder, level, reason string
		p := &s.Position
		err := t.queryRow(`SELECT id, version, language, created, expires, state, route, running, document_left, face_left,
			face_refunds, document, chip, holder, level, reason, receipt, sealed FROM proofings WHERE token_hash = ?`, hash[:]).
			Scan(&s.ID, &s.Version, &language, &created, &expires, &state, &route, &p.Running, &p.DocumentLeft, &p.FaceLeft,
				&p.FaceRefunds, &document, &chip, &holder, &level, &reason, &s.Receipt, &s.Sealed)
		if errors.Is(err, sql.ErrNoRows) {
			return proofing.ErrNoSession
		}
		if err != nil {
			return err
		}
		s.Language, s.Created, p.Expires = consent.Language(language), time.Unix(created, 0).UTC(), time.Unix(expires, 0).UTC()
		p.State, p.Route, p.Level, p.Reason = proofing.State(state), proofing.Route(route), proofing.Level(level), proofing.Reason(reason)
		p.Document, p.Chip, p.Holder = proofing.Result(document), proofing.Result(chip), proofing.Result(holder)
		return nil
	})
	if err != nil {
		return proofing.Session{}, err
	}
	return s, nil
}

// UpdateProofing replaces the session if the stored version is s.Version and
// stores s.Version+1; otherwise proofing.ErrConflict.
func (db *DB) UpdateProofing(ctx context.Context, s proofing.Session) error {
	return db.write(ctx, "update proofing", func(t tx) error {
		p := s.Position
		changed, err := t.exec(`UPDATE proofings SET version = ?, expires = ?, state = ?, route = ?, running = ?, document_left = ?,
			face_left = ?, face_refunds = ?, document = ?, chip = ?, holder = ?, level = ?, reason = ?, receipt = ?, sealed = ?
			WHERE token_hash = ? AND version = ?`,
			s.Version+1, p.Expires.Unix(), string(p.State), string(p.Route), p.Running, p.DocumentLeft,
			p.FaceLeft, p.FaceRefunds, string(p.Document), string(p.Chip), string(p.Holder), string(p.Level), string(p.Reason),
			s.Receipt, s.Sealed, s.TokenHash[:], s.Version)
		if err == nil && changed != 1 {
			return proofing.ErrConflict
		}
		return err
	})
}

// SweepProofings expires the sessions whose time is over at now and deletes
// those whose time was over, or that ended, before purgeBefore.
func (db *DB) SweepProofings(ctx context.Context, now, purgeBefore time.Time) (expired, purged int, err error) {
	due, err := db.proofingsDue(ctx, now, purgeBefore)
	if err != nil || !due {
		return 0, 0, err // nothing to write, and most sweeps have nothing
	}
	err = db.write(ctx, "sweep proofings", func(t tx) error {
		p, err := t.exec("DELETE FROM proofings WHERE expires < ?", purgeBefore.Unix())
		if err != nil {
			return err
		}
		e, err := t.exec(`UPDATE proofings SET state = 'expired', version = version + 1, running = 0, document_left = 0, face_left = 0,
			face_refunds = 0, level = '', receipt = '', sealed = NULL
			WHERE expires <= ? AND state NOT IN ('done', 'refused', 'abandoned', 'expired')`, now.Unix())
		expired, purged = int(e), int(p)
		return err
	})
	return expired, purged, err
}

func (db *DB) proofingsDue(ctx context.Context, now, purgeBefore time.Time) (due bool, err error) {
	err = db.read(ctx, "look for proofings due", func(t tx) error {
		return t.queryRow(`SELECT EXISTS (SELECT 1 FROM proofings WHERE expires < ?) OR EXISTS (SELECT 1 FROM proofings
			WHERE expires <= ? AND state NOT IN ('done', 'refused', 'abandoned', 'expired'))`,
			purgeBefore.Unix(), now.Unix()).Scan(&due)
	})
	return due, err
}
