package proofing

import (
	"context"
	"fmt"
)

// Accepted returns the verified person of an accepted session, for the account
// to be prepared. It opens what the token opens; ErrState before acceptance
// and after the account exists.
func (s *Service) Accepted(ctx context.Context, token string) (Accepted, error) {
	l, raw, err := s.acquire(ctx, token)
	if err != nil {
		return Accepted{}, err
	}
	defer l.mu.Unlock()
	return accepted(l, raw)
}

// accepted opens the sealed attributes. mu is held.
func accepted(l *live, token []byte) (Accepted, error) {
	if l.sess.Position.State != StateAccount {
		return Accepted{}, fmt.Errorf("%w: not accepted", ErrState)
	}
	content, err := openSession(token, l.sess)
	if err != nil {
		return Accepted{}, err
	}
	if content.Attributes == nil {
		return Accepted{}, fmt.Errorf("%w: nothing sealed", ErrInternal)
	}
	return Accepted{SessionID: l.sess.ID, Level: content.Level, Attributes: content.Attributes.hide(),
		VerifiedOn: content.VerifiedOn, Receipt: content.Receipt}, nil
}

// Complete creates the account and ends the session in one transaction of the
// store: create is called inside it and must use the context it is given. When
// create fails, nothing is written and the person may try again; its error is
// returned as it is, wrapped.
func (s *Service) Complete(ctx context.Context, token string, create func(ctx context.Context, a Accepted) error) (View, error) {
	l, raw, err := s.acquire(ctx, token)
	if err != nil {
		return View{}, err
	}
	defer l.mu.Unlock()
	person, err := accepted(l, raw)
	if err != nil {
		return View{}, err
	}
	next, effects, err := s.cfg.Policy.Next(l.sess.Position, Event{Kind: EventAccountCreated, At: s.cfg.Now()})
	if err != nil {
		return View{}, err
	}
	if next.State != StateDone { // the clock moved past the expiry meanwhile
		return View{}, ErrExpired
	}
	sess := l.sess
	sess.Position, sess.Receipt = next, ""
	if sess.Sealed, err = s.resealReceipt(raw, l, person.Receipt); err != nil {
		return View{}, err
	}
	err = s.cfg.Store.Atomically(ctx, func(tx context.Context) error {
		if err := create(tx, person); err != nil {
			return err
		}
		return s.cfg.Store.UpdateProofing(tx, sess)
	})
	if err != nil {
		s.evict(l) // whether it was written is for the next request to see
		return View{}, fmt.Errorf("create account: %w", err)
	}
	s.commit(l, sess, effects)
	return s.view(l)
}

// resealReceipt keeps the receipt alone, so that the person can still save it
// from the last page; the attributes are in the account now.
func (s *Service) resealReceipt(token []byte, l *live, receipt string) ([]byte, error) {
	key, err := sealKey(token, l.sess.ID)
	if err != nil {
		return nil, err
	}
	defer key.Wipe()
	plain, err := sealedContent{Receipt: receipt}.encode()
	if err != nil {
		return nil, err
	}
	defer plain.Wipe()
	return seal(s.cfg.Rand, key, l.sess.ID, plain)
}
