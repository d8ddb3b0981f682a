package proofing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"ipse/internal/consent"
	"ipse/internal/pii"
)

// progressEvery is the least time between two views of a reading's progress.
const progressEvery = 100 * time.Millisecond

// ReadDocument begins to read the document over the session's reader and
// returns at once; the view tells how it goes on. One reading at a time.
func (s *Service) ReadDocument(ctx context.Context, token string, access Access) (View, error) {
	access, err := access.normalised()
	if err != nil {
		return View{}, err
	}
	l, raw, err := s.acquire(ctx, token)
	if err != nil {
		return View{}, err
	}
	defer l.mu.Unlock()
	card, err := s.mayRead(l)
	if err != nil {
		return View{}, err
	}
	req := ReadRequest{Access: access}
	// A challenge of the server's own for each reading: a recorded answer of
	// the chip is of no use (TS 119 461 VAL-8.3.2).
	if _, err := io.ReadFull(s.cfg.Rand, req.Challenge[:]); err != nil {
		return View{}, fmt.Errorf("draw challenge: %w", err)
	}
	release, err := s.readings.take(s.cfg.Now())
	if err != nil {
		return View{}, err
	}
	begun := false
	defer func() { // also when the store panics
		if !begun {
			release()
		}
	}()
	if err := s.apply(ctx, l, Event{Kind: EventDocumentStarted}); err != nil {
		return View{}, err
	}
	key, err := sealKey(raw, l.sess.ID)
	if err != nil {
		s.evict(l)
		return View{}, err
	}
	begun = true
	l.material.wipe()
	l.material.sealKey = key
	l.document = documentStatus{started: s.cfg.Now()}
	work, cancel := context.WithTimeout(s.base, s.cfg.Policy.ReadFor)
	l.work = cancel
	req.Progress = func(p Progress) { s.progress(l, work, p) }
	s.wg.Go(func() {
		defer pii.Contain(work, s.cfg.Log, "reading") // apply has wiped what it was about
		defer release()
		defer cancel()
		s.read(work, l, card, req)
	})
	s.publish(l)
	return s.view(l)
}

// mayRead checks everything a reading needs and returns the card. mu is held.
func (s *Service) mayRead(l *live) (Card, error) {
	pos := l.sess.Position
	switch {
	case pos.State != StateDocument:
		if err := s.permit(l, consent.CheckDocument); err != nil && pos.State == StateConsent {
			return nil, err
		}
		return nil, fmt.Errorf("%w: reading", ErrState)
	case pos.Running:
		return nil, ErrRunning
	case pos.DocumentLeft == 0:
		return nil, ErrNoAttempts
	}
	if err := s.permit(l, consent.CheckDocument); err != nil {
		return nil, err
	}
	card, ok := s.cfg.Readers.Reader(l.sess.ID)
	if !ok {
		return nil, ErrNoReader
	}
	return card, nil
}

// read runs one reading to its end and moves the session.
func (s *Service) read(ctx context.Context, l *live, card Card, req ReadRequest) {
	reading, err := s.readGuarded(ctx, card, req)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.evicted || ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		reading.Wipe() // the session ended meanwhile
		return
	}
	l.work = nil
	l.document.progress = nil
	if err != nil || reading == nil {
		reading.Wipe()
		l.document.failure = failureOf(ctx, err)
		s.cfg.Log.InfoContext(ctx, "document not read", "failure", string(l.document.failure), "error", err)
		l.material.wipe()
		if err := s.apply(ctx, l, Event{Kind: EventDocumentFailed}); err != nil {
			s.cfg.Log.WarnContext(ctx, "record a failed reading", "error", err)
		}
		return
	}
	l.material.attributes = reading.Attributes
	l.material.portrait = reading.Portrait
	l.material.present = reading.Genuine
	if reading.Genuine {
		l.material.document = s.failures.index(reading.Identity)
		l.summary = reading.Attributes.summary()
	}
	l.face = faceStatus{}
	err = s.apply(ctx, l, Event{Kind: EventDocumentRead, Genuine: reading.Genuine, Chip: reading.Chip,
		DocumentExpired: reading.Attributes.expiredOn(s.cfg.Now())})
	if err == nil {
		err = s.limitDocument(ctx, l)
	}
	if err != nil {
		l.material.wipe()
		s.cfg.Log.WarnContext(ctx, "record a reading", "error", err)
	}
}

// readGuarded turns a panic of the reader into an error: the session goes on.
func (s *Service) readGuarded(ctx context.Context, card Card, req ReadRequest) (reading *Reading, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			reading, err = nil, &ReadError{Code: FailureInternal, Err: ErrInternal} // the fault's value may be personal
		}
	}()
	return s.cfg.Chip.ReadDocument(ctx, card, req)
}

func (s *Service) progress(l *live, work context.Context, p Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if work.Err() != nil || l.evicted || !l.sess.Position.Running {
		return
	}
	l.document.progress = &p
	now := s.cfg.Now()
	if now.Sub(l.document.notified) < progressEvery && p.BytesRead < p.BytesTotal {
		return
	}
	l.document.notified = now
	s.publish(l)
}

// readerLost is how errors of a reader's connection make themselves known.
type readerLost interface{ ReaderLost() bool }

// cardLost is the same for a document that left the reader.
type cardLost interface{ CardLost() bool }

func failureOf(ctx context.Context, err error) Failure {
	var lost readerLost
	var gone cardLost
	var read *ReadError
	switch {
	case errors.As(err, &lost) && lost.ReaderLost():
		return FailureReaderLost
	case errors.As(err, &gone) && gone.CardLost():
		return FailureCardLost
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return FailureTimeout
	case errors.As(err, &read) && read.Code != "":
		return read.Code
	}
	return FailureInternal
}

// normalised returns the access data as the chip's keys are derived from it,
// or ErrInput. Error texts never repeat what was typed.
func (a Access) normalised() (Access, error) {
	if !a.CAN.IsZero() {
		can := strings.TrimSpace(a.CAN.Reveal())
		if len(can) != 6 || strings.Trim(can, "0123456789") != "" {
			return Access{}, fmt.Errorf("%w: the CAN has six digits", ErrInput)
		}
		return Access{CAN: pii.NewText(can)}, nil
	}
	number := strings.ToUpper(strings.Join(strings.Fields(a.DocumentNumber.Reveal()), ""))
	if number == "" || len(number) > maxDocumentNumber || strings.Trim(number, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<") != "" {
		return Access{}, fmt.Errorf("%w: document number", ErrInput)
	}
	if !isDate(a.BirthDate, time.DateOnly, "2006-01", "2006") { // the document may leave out the day and the month
		return Access{}, fmt.Errorf("%w: birth date", ErrInput)
	}
	if !isDate(a.ExpiryDate, time.DateOnly) {
		return Access{}, fmt.Errorf("%w: expiry date", ErrInput)
	}
	return Access{DocumentNumber: pii.NewText(number), BirthDate: a.BirthDate, ExpiryDate: a.ExpiryDate}, nil
}

// isDate reports whether text is a date in one of the layouts.
func isDate(text pii.Text, layouts ...string) bool {
	return slices.ContainsFunc(layouts, func(layout string) bool {
		_, err := time.Parse(layout, text.Reveal())
		return err == nil
	})
}

// maxDocumentNumber: nine characters in the field, and up to thirteen more in
// the optional data of a TD1 card (ICAO 9303-5 §4.2.2.1).
const maxDocumentNumber = 22
