package proofing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ipse/internal/consent"
	"ipse/internal/fair"
)

// writeFor bounds a write that must not be lost with the client's connection.
const writeFor = 10 * time.Second

// acquire finds the session of a token and returns it locked, loading it from
// the store where it is not in memory. A session whose memory was lost goes
// back to the document; one whose time is over is expired here.
func (s *Service) acquire(ctx context.Context, token string) (*live, []byte, error) {
	raw, hash, err := parseToken(token)
	if err != nil {
		return nil, nil, err
	}
	for range 3 { // an eviction between lookup and lock is rare; twice is a fault
		l, err := s.lookup(ctx, hash)
		if err != nil {
			return nil, nil, err
		}
		l.mu.Lock()
		if l.evicted {
			l.mu.Unlock()
			continue
		}
		if err := s.recover(ctx, l, raw); err != nil {
			l.mu.Unlock()
			return nil, nil, err
		}
		return l, raw, nil
	}
	return nil, nil, ErrConflict
}

func (s *Service) lookup(ctx context.Context, hash [32]byte) (*live, error) {
	s.mu.Lock()
	l, ok := s.byToken[hash]
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return nil, ErrClosed
	}
	if ok {
		return l, nil
	}
	sess, err := s.cfg.Store.ProofingByToken(ctx, hash)
	if err != nil {
		return nil, fmt.Errorf("load proofing: %w", err)
	}
	l = &live{sess: sess}
	l.mu.Lock()
	defer l.mu.Unlock()
	err = s.insert(ctx, l)
	if errors.Is(err, errPresent) { // loaded by another request meanwhile
		return s.lookup(ctx, hash)
	}
	return l, err
}

// recover brings a session that was just loaded to a place it can go on from,
// and expires one whose time is over. mu is held.
func (s *Service) recover(ctx context.Context, l *live, token []byte) error {
	pos := l.sess.Position
	if !pos.State.Final() && !s.cfg.Now().Before(pos.Expires) {
		l.loaded = true
		return s.apply(ctx, l, Event{Kind: EventExpire})
	}
	if l.loaded {
		return nil
	}
	l.loaded = true
	switch pos.State {
	case StateDocument, StateFace, StateCounter:
		return s.apply(ctx, l, Event{Kind: EventMaterialLost})
	case StateAccount:
		content, err := openSession(token, l.sess)
		if err != nil {
			s.evict(l)
			return err
		}
		l.summary = content.Summary
	case StateConsent, StateDone, StateRefused, StateAbandoned, StateExpired:
	}
	return nil
}

var errPresent = errors.New("proofing: session already in memory")

func (s *Service) insert(ctx context.Context, l *live) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	if _, ok := s.byToken[l.sess.TokenHash]; ok {
		return errPresent
	}
	leave, ok := s.room.Enter(fair.From(ctx))
	if !ok {
		return fair.After(ErrBusy, 30*time.Second)
	}
	l.leave = leave
	s.byToken[l.sess.TokenHash] = l
	return nil
}

// evict wipes a session and lets it go; the next request loads it from the
// store. mu is held.
func (s *Service) evict(l *live) {
	l.wipe()
	s.dropCases(l)
	if !l.evicted {
		s.cfg.Readers.Release(l.sess.ID)
	}
	l.evicted = true
	l.closeSubs()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byToken[l.sess.TokenHash] == l {
		delete(s.byToken, l.sess.TokenHash)
		l.leave()
	}
}

func (s *Service) snapshot() []*live {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*live, 0, len(s.byToken))
	for _, l := range s.byToken {
		all = append(all, l)
	}
	return all
}

// apply moves the session by one event: effects that make what is written,
// then the write, then the effects that follow from it. When the write fails
// the session is wiped and let go, whatever the database then holds: either
// state is one that the next request can go on from. mu is held.
func (s *Service) apply(ctx context.Context, l *live, ev Event) error {
	return s.applyWith(ctx, l, ev, nil)
}

// applyWith is apply with a condition: also, if not nil, runs in the transaction
// of the write. When it fails nothing is written and the session stays as it is;
// its error is returned. mu is held.
func (s *Service) applyWith(ctx context.Context, l *live, ev Event, also func(tx context.Context) error) error {
	defer func() {
		if fault := recover(); fault != nil { // wipe, then let the fault surface
			s.evict(l)
			panic(fault)
		}
	}()
	ev.At = s.cfg.Now()
	next, effects, err := s.cfg.Policy.Next(l.sess.Position, ev)
	if err != nil {
		return err
	}
	if next == l.sess.Position && len(effects) == 0 {
		return nil
	}
	sess := l.sess
	sess.Position = next
	if err := s.prepare(l, &sess, effects); err != nil {
		s.evict(l)
		return err
	}
	write, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeFor)
	defer cancel()
	refused, err := s.record(write, sess, also)
	if refused != nil {
		return refused
	}
	if err != nil {
		s.evict(l)
		return fmt.Errorf("record %s: %w", ev.Kind, err)
	}
	s.commit(l, sess, effects)
	if next.State == StateExpired && ev.Kind != EventExpire {
		return ErrExpired
	}
	return nil
}

// record writes the session, with what also writes, in one transaction. refused is
// also's error: then nothing was written.
func (s *Service) record(ctx context.Context, sess Session, also func(tx context.Context) error) (refused, err error) {
	if also == nil {
		return nil, s.cfg.Store.UpdateProofing(ctx, sess)
	}
	err = s.cfg.Store.Atomically(ctx, func(tx context.Context) error {
		if refused = also(tx); refused != nil {
			return refused
		}
		return s.cfg.Store.UpdateProofing(tx, sess)
	})
	return refused, err
}

// prepare executes the effects that make what is written.
func (s *Service) prepare(l *live, sess *Session, effects []Effect) error {
	for _, effect := range effects {
		switch effect {
		case EffectSignReceipt:
			offer, err := s.offer(l)
			if err != nil {
				return err
			}
			if sess.Receipt, err = s.cfg.Consent.Issue(offer, s.cfg.Now()); err != nil {
				return fmt.Errorf("sign consent: %w", err)
			}
		case EffectSeal:
			sealed, err := s.sealAccepted(l, sess.Position)
			if err != nil {
				return err
			}
			sess.Sealed, sess.Receipt = sealed, ""
		case EffectForgetSealed:
			sess.Sealed, sess.Receipt = nil, ""
		case EffectWipe, EffectReleaseReader, EffectPair, EffectOpenCase:
		}
	}
	return nil
}

// commit takes over what was written and executes the effects that follow.
func (s *Service) commit(l *live, sess Session, effects []Effect) {
	sess.Version++
	s.observe(l.sess.Position, sess.Position)
	l.sess = sess
	for _, effect := range effects {
		switch effect {
		case EffectSeal: // accepted, by camera or counter: the person is the holder
			s.failures.forget(l.material.document)
		case EffectWipe:
			l.wipe()
			s.dropCases(l)
			if sess.Position.State != StateAccount {
				l.summary = Summary{}
			}
		case EffectReleaseReader:
			s.cfg.Readers.Release(l.sess.ID)
			l.pairing = pairing{}
		case EffectPair:
			if err := s.pair(l); err != nil { // the person asks for a new code
				s.cfg.Log.Warn("no pairing code", "error", err)
			}
		case EffectOpenCase:
			if err := s.openCase(l); err != nil {
				s.cfg.Log.Warn("no counter code", "error", err)
			}
		case EffectSignReceipt, EffectForgetSealed:
		}
	}
	s.publish(l)
}

func (s *Service) sealAccepted(l *live, pos Position) ([]byte, error) {
	if !l.material.present || l.material.sealKey.Len() == 0 {
		return nil, fmt.Errorf("%w: nothing to seal", ErrInternal)
	}
	plain, err := sealedContent{Level: pos.Level, VerifiedOn: s.cfg.Now().UTC().Format(time.DateOnly),
		Receipt: l.sess.Receipt, Attributes: l.material.attributes.reveal(), Summary: l.summary}.encode()
	if err != nil {
		return nil, err
	}
	defer plain.Wipe()
	return seal(s.cfg.Rand, l.material.sealKey, l.sess.ID, plain)
}

func openSession(token []byte, sess Session) (sealedContent, error) {
	key, err := sealKey(token, sess.ID)
	if err != nil {
		return sealedContent{}, err
	}
	defer key.Wipe()
	plain, err := open(key, sess.ID, sess.Sealed)
	if err != nil {
		return sealedContent{}, err
	}
	defer plain.Wipe()
	return decodeSealed(plain)
}

// permit verifies the signed receipt of the session for a check: no receipt,
// no check. mu is held.
func (s *Service) permit(l *live, check consent.Check) error {
	receipt, err := consent.Verify(l.sess.Receipt, s.cfg.Consent.PublicKey())
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoConsent, err)
	}
	if err := receipt.Permits(l.sess.ID, check, s.cfg.Now()); err != nil {
		return fmt.Errorf("%w: %w", ErrNoConsent, err)
	}
	return nil
}

func (s *Service) offer(l *live) (consent.Offer, error) {
	return s.cfg.Consent.Offer(consent.OfferRequest{SessionID: l.sess.ID, Route: l.sess.Position.Route,
		Language: l.sess.Language, Ends: l.sess.Position.Expires})
}

// pair issues a pairing code. mu is held; the callback comes from elsewhere.
func (s *Service) pair(l *live) error {
	code, expires, err := s.cfg.Readers.Pair(l.sess.ID, func(bool) { s.readerChanged(l) })
	if err != nil {
		return fmt.Errorf("pair reader: %w", err)
	}
	l.pairing = pairing{code: code, expires: expires}
	return nil
}

// readerChanged follows the reader's coming and going. The code is single use;
// when the reader is lost between two readings the person gets a new one.
func (s *Service) readerChanged(l *live) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.evicted || l.sess.Position.State != StateDocument {
		return
	}
	_, connected := s.cfg.Readers.Reader(l.sess.ID) // now, whatever the order of the calls
	was := l.pairing.connected
	switch {
	case connected:
		l.pairing = pairing{connected: true}
	case was:
		if err := s.pair(l); err != nil {
			s.cfg.Log.Warn("no pairing code", "error", err)
			l.pairing = pairing{}
		}
	}
	s.publish(l)
}

// publish sends the present view to the session's pages. mu is held.
func (s *Service) publish(l *live) {
	if len(l.subs) == 0 {
		return
	}
	view, err := s.view(l)
	if err != nil {
		s.cfg.Log.Error("view of a session", "error", err)
		return
	}
	l.notify(view)
}
