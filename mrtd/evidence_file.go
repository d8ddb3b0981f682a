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
	"ipse/mrtd/deviation"
	"ipse/mrtd/lds"
	"ipse/mrtd/tlv"
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
		return nil, refuseEvidence(0, fmt.Errorf("%d octets: %w", len(b), errTooLarge))
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, refuseEvidence(0, errors.New("not a ZIP"))
	}
	if len(z.File) > maxEvidenceFile {
		return nil, refuseEvidence(0, fmt.Errorf("%d entries", len(z.File)))
	}
	ev := &Evidence{Files: map[lds.FileID]pii.Bytes{}}
	seenSession := false
	for i, f := range z.File {
		if f.Name == sessionFile {
			if seenSession {
				return nil, refuseEvidence(placeOf(f, len(b)), errors.New("two sessions"))
			}
			seenSession = true
			if err := ev.readSession(f, placeOf(f, len(b))); err != nil {
				return nil, err
			}
			continue
		}
		if err := ev.readFile(f, i, placeOf(f, len(b))); err != nil {
			return nil, err
		}
	}
	if len(ev.Files) == 0 {
		return nil, refuseEvidence(0, errors.New("no elementary file"))
	}
	return ev, nil
}

// refuseEvidence says what is wrong with an evidence file and where; docs/passport.md
// describes the form.
func refuseEvidence(offset int, err error) error {
	return tlv.Refuse("evidence file", "docs/passport.md", &tlv.Error{Offset: offset, Reason: fmt.Errorf("%w: %w", ErrEvidence, err)})
}

// placeOf returns where an entry's content begins, 0 where that cannot be told.
func placeOf(f *zip.File, size int) int {
	at, err := f.DataOffset()
	if err != nil || at < 0 || at > int64(size) {
		return 0
	}
	return int(at)
}

func (e *Evidence) readFile(f *zip.File, index, at int) error {
	name, ok := strings.CutSuffix(f.Name, ".bin")
	id := lds.FileID(name)
	if !ok || !id.Valid() {
		return refuseEvidence(at, fmt.Errorf("entry %d has an unknown name", index))
	}
	if _, twice := e.Files[id]; twice {
		return refuseEvidence(at, fmt.Errorf("%s twice", id))
	}
	content, err := entry(f, lds.MaxFile)
	if err != nil {
		return refuseEvidence(at, fmt.Errorf("%s: %w", id, err))
	}
	e.Files[id] = pii.NewBytes(content)
	return nil
}

func (e *Evidence) readSession(f *zip.File, at int) error {
	content, err := entry(f, maxSessionJSON)
	if err != nil {
		return refuseEvidence(at, fmt.Errorf("%s: %w", sessionFile, err))
	}
	if json.Unmarshal(content, &e.Session) != nil {
		return refuseEvidence(at, fmt.Errorf("%s is not valid JSON", sessionFile))
	}
	if err := e.Session.check(); err != nil {
		return refuseEvidence(at, fmt.Errorf("%s: %w", sessionFile, err))
	}
	return nil
}

// maxSessionDeviations bounds what a session says that the reader met.
const maxSessionDeviations = 64

// check refuses a session that no reader writes: what it says is shown in verdicts.
func (s *Session) check() error {
	switch s.Access {
	case "", "none", "BAC", "PACE-GM", "PACE-IM", "PACE-CAM":
	default:
		return errors.New("unknown access protocol")
	}
	if len(s.Protocol) > 64 || strings.Trim(s.Protocol, "0123456789.") != "" {
		return errors.New("protocol is not an object identifier")
	}
	if len(s.Deviations) > maxSessionDeviations {
		return errors.New("too many deviations")
	}
	for _, d := range s.Deviations {
		_, known := deviation.Lookup(d.Code)
		if !known || d.Offset < 0 || d.Where != "" && !lds.FileID(d.Where).Valid() {
			return errors.New("unknown deviation")
		}
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
