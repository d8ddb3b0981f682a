package mrtd

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"ipse/internal/pii"
	"ipse/mrtd/lds"
)

// Limits of an evidence file.
const (
	MaxEvidence     = 16 << 20 // octets, the whole file
	maxEvidenceFile = 40       // entries
	maxSessionJSON  = 64 << 10
)

const sessionFile = "session.json"

// WriteEvidence writes the evidence file (a ZIP, stored): the elementary files
// as read and session.json. The same evidence gives the same bytes.
func WriteEvidence(w io.Writer, ev *Evidence) error {
	if ev == nil {
		return fmt.Errorf("write evidence: %w", ErrNoFile)
	}
	z := zip.NewWriter(w)
	ids := make([]lds.FileID, 0, len(ev.Files))
	for id := range ev.Files {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		if !id.Valid() {
			return fmt.Errorf("write evidence: %w: unknown file", ErrEvidence)
		}
		if err := store(z, string(id)+".bin", ev.Files[id].Reveal()); err != nil {
			return fmt.Errorf("write evidence: %s: %w", id, err)
		}
	}
	session, err := json.MarshalIndent(ev.Session, "", "  ")
	if err != nil {
		return fmt.Errorf("write evidence: session: %w", err)
	}
	if err := store(z, sessionFile, append(session, '\n')); err != nil {
		return fmt.Errorf("write evidence: session: %w", err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("write evidence: %w", err)
	}
	return nil
}

func store(z *zip.Writer, name string, content []byte) error {
	f, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return err
}

// ReadEvidence reads an evidence file. Entries must be stored, known and
// unique; anything else is refused with ErrEvidence.
func ReadEvidence(b []byte) (*Evidence, error) {
	if len(b) > MaxEvidence {
		return nil, fmt.Errorf("%w: %d octets", ErrEvidence, len(b))
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, fmt.Errorf("%w: not a ZIP", ErrEvidence)
	}
	if len(z.File) > maxEvidenceFile {
		return nil, fmt.Errorf("%w: %d entries", ErrEvidence, len(z.File))
	}
	ev := &Evidence{Files: map[lds.FileID]pii.Bytes{}}
	seenSession := false
	for i, f := range z.File {
		if f.Name == sessionFile {
			if seenSession {
				return nil, fmt.Errorf("%w: two sessions", ErrEvidence)
			}
			seenSession = true
			if err := ev.readSession(f); err != nil {
				return nil, err
			}
			continue
		}
		if err := ev.readFile(f, i); err != nil {
			return nil, err
		}
	}
	if len(ev.Files) == 0 {
		return nil, fmt.Errorf("%w: no elementary file", ErrEvidence)
	}
	return ev, nil
}

func (e *Evidence) readFile(f *zip.File, index int) error {
	name, ok := strings.CutSuffix(f.Name, ".bin")
	id := lds.FileID(name)
	if !ok || !id.Valid() {
		return fmt.Errorf("%w: entry %d has an unknown name", ErrEvidence, index)
	}
	if _, twice := e.Files[id]; twice {
		return fmt.Errorf("%w: %s twice", ErrEvidence, id)
	}
	content, err := entry(f, lds.MaxFile)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrEvidence, id, err)
	}
	e.Files[id] = pii.NewBytes(content)
	return nil
}

func (e *Evidence) readSession(f *zip.File) error {
	content, err := entry(f, maxSessionJSON)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrEvidence, sessionFile, err)
	}
	if json.Unmarshal(content, &e.Session) != nil {
		return fmt.Errorf("%w: %s is not valid JSON", ErrEvidence, sessionFile)
	}
	return nil
}

var (
	errCompressed = errors.New("compressed or encrypted entry")
	errTooLarge   = errors.New("too large")
)

func entry(f *zip.File, limit int) ([]byte, error) {
	if f.Method != zip.Store || f.Flags&1 != 0 {
		return nil, errCompressed
	}
	if f.UncompressedSize64 > uint64(limit) {
		return nil, errTooLarge
	}
	r, err := f.Open()
	if err != nil {
		return nil, errors.New("unreadable entry")
	}
	defer func() { _ = r.Close() }()
	content, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, errors.New("unreadable entry")
	}
	if len(content) > limit {
		return nil, errTooLarge
	}
	return content, nil
}
