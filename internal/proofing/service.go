package proofing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"ipse/internal/consent"
	"ipse/internal/fair"
	"ipse/internal/pii"
)

// Config makes a Service. Every member is required unless it says otherwise.
type Config struct {
	Policy  Policy
	Consent *consent.Issuer
	Store   Store
	Readers Readers
	Chip    ChipReader
	// Face may be nil: then sessions with the camera are refused at the start.
	Face FaceChecker
	// FaceSteps is how many instructions a face run has, for the page to
	// announce. Default 6.
	FaceSteps int
	// Agents may be nil: then no decision of the counter is accepted.
	Agents Agents
	// Now is the clock; Rand yields secrets (crypto/rand.Reader).
	Now  func() time.Time
	Rand io.Reader
	// Observe, if set, is called after each change of a session's position, to be
	// counted. It must be quick and keep nothing of a single session.
	Observe func(from, to Position)
	// Log receives causes for the operator, never personal data.
	Log *slog.Logger
	// MaxSessions bounds the sessions in memory, shared among clients (fair.From the
	// context of each call). Default 10,000.
	MaxSessions int
	// MaxReadings bounds concurrent readings of chips. Default 64.
	MaxReadings int
	// MaxFaceRuns bounds concurrent face runs. Default 4; about two per core.
	MaxFaceRuns int
}

// Service drives proofing sessions. It is safe for concurrent use; each
// session is serialised by its own lock.
type Service struct {
	cfg      Config
	readings *slots
	faceRuns *slots
	failures *failures
	room     *fair.Room      // places of sessions in memory
	base     context.Context // ends with Close
	stop     context.CancelFunc
	wg       sync.WaitGroup // running readings

	mu      sync.Mutex // guards the maps and closed
	byToken map[[32]byte]*live
	byCase  map[string]*live    // counter cases by code
	byAgent map[string]heldCase // cases that agents have open
	closed  bool
}

// NewService checks the configuration. Close the service to wipe what it holds.
func NewService(cfg Config) (*Service, error) {
	if err := cfg.Policy.Validate(); err != nil {
		return nil, err
	}
	if cfg.Consent == nil || cfg.Store == nil || cfg.Readers == nil || cfg.Chip == nil ||
		cfg.Now == nil || cfg.Rand == nil || cfg.Log == nil {
		return nil, errors.New("proofing: incomplete configuration")
	}
	if cfg.MaxSessions < 0 || cfg.MaxReadings < 0 || cfg.MaxFaceRuns < 0 || cfg.FaceSteps < 0 {
		return nil, errors.New("proofing: negative limit")
	}
	cfg.MaxSessions = orDefault(cfg.MaxSessions, 10_000)
	cfg.MaxReadings = orDefault(cfg.MaxReadings, 64)
	cfg.MaxFaceRuns = orDefault(cfg.MaxFaceRuns, 4)
	cfg.FaceSteps = orDefault(cfg.FaceSteps, 6)
	counts, err := newFailures(cfg.Rand, cfg.Policy.DocumentFailures, cfg.Policy.DocumentFailuresFor, documentsCounted)
	if err != nil {
		return nil, fmt.Errorf("proofing: %w", err)
	}
	base, stop := context.WithCancel(context.Background())
	return &Service{cfg: cfg, failures: counts, room: fair.NewRoom(cfg.MaxSessions), base: base, stop: stop,
		readings: newSlots(cfg.MaxReadings, 30*time.Second), faceRuns: newSlots(cfg.MaxFaceRuns, 30*time.Second),
		byToken: map[[32]byte]*live{}, byCase: map[string]*live{}, byAgent: map[string]heldCase{}}, nil
}

func orDefault(n, def int) int {
	if n == 0 {
		return def
	}
	return n
}

// StartRequest begins a session.
type StartRequest struct {
	Route    Route
	Language consent.Language
}

// Start begins a session at the consent. The token belongs in the person's
// cookie; the service keeps its SHA-256 only.
func (s *Service) Start(ctx context.Context, req StartRequest) (token string, view View, err error) {
	if req.Route == RouteCamera && s.cfg.Face == nil {
		return "", View{}, fmt.Errorf("%w: no camera route here", ErrInput)
	}
	if _, err := consent.RenderText(req.Language, req.Route, s.cfg.Consent.Operator().Name); err != nil {
		return "", View{}, fmt.Errorf("%w: %w", ErrInput, err)
	}
	token, hash, err := newToken(s.cfg.Rand)
	if err != nil {
		return "", View{}, err
	}
	id, err := randomID(s.cfg.Rand)
	if err != nil {
		return "", View{}, err
	}
	now := wholeSecond(s.cfg.Now())
	sess := Session{ID: id, TokenHash: hash, Language: req.Language, Created: now, Version: 1,
		Position: s.cfg.Policy.Begin(req.Route, now)}
	l := &live{sess: sess, loaded: true}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := s.insert(ctx, l); err != nil {
		return "", View{}, err
	}
	if err := s.cfg.Store.CreateProofing(ctx, sess); err != nil {
		s.evict(l)
		return "", View{}, fmt.Errorf("start proofing: %w", err)
	}
	view, err = s.view(l)
	return token, view, err
}

// Get returns the session's view; it survives reloads and restarts.
func (s *Service) Get(ctx context.Context, token string) (View, error) {
	l, _, err := s.acquire(ctx, token)
	if err != nil {
		return View{}, err
	}
	defer l.mu.Unlock()
	return s.view(l)
}

// AgreeConsent records that the person agreed to the offer they were shown:
// the receipt is signed and the document may be read.
func (s *Service) AgreeConsent(ctx context.Context, token, offerID string) (View, error) {
	l, _, err := s.acquire(ctx, token)
	if err != nil {
		return View{}, err
	}
	defer l.mu.Unlock()
	if l.sess.Position.State == StateConsent {
		offer, err := s.offer(l)
		if err != nil {
			return View{}, err
		}
		if offer.ID != offerID {
			return View{}, ErrConsentChanged
		}
	}
	if err := s.apply(ctx, l, Event{Kind: EventConsent}); err != nil {
		return View{}, err
	}
	return s.view(l)
}

// Receipt returns the signed receipt (application/jose+json), or ErrNoConsent
// when none was given.
func (s *Service) Receipt(ctx context.Context, token string) (string, error) {
	l, raw, err := s.acquire(ctx, token)
	if err != nil {
		return "", err
	}
	defer l.mu.Unlock()
	if l.sess.Receipt != "" {
		return l.sess.Receipt, nil
	}
	content, err := openSession(raw, l.sess)
	if err != nil || content.Receipt == "" {
		return "", ErrNoConsent
	}
	return content.Receipt, nil
}

// NewPairing replaces the pairing code, for instance when it has expired.
func (s *Service) NewPairing(ctx context.Context, token string) (View, error) {
	l, _, err := s.acquire(ctx, token)
	if err != nil {
		return View{}, err
	}
	defer l.mu.Unlock()
	switch {
	case l.sess.Position.State != StateDocument:
		return View{}, fmt.Errorf("%w: pairing", ErrState)
	case l.sess.Position.Running:
		return View{}, ErrRunning
	}
	if err := s.pair(l); err != nil {
		return View{}, err
	}
	s.publish(l)
	return s.view(l)
}

// Abandon ends the session at the person's wish and wipes it. Doing it twice
// is no error.
func (s *Service) Abandon(ctx context.Context, token string) (View, error) {
	l, _, err := s.acquire(ctx, token)
	if err != nil {
		return View{}, err
	}
	defer l.mu.Unlock()
	if err := s.apply(ctx, l, Event{Kind: EventAbandon}); err != nil {
		return View{}, err
	}
	return s.view(l)
}

// Subscribe returns a channel of views, the present one first. A slow reader
// misses intermediate views, never the last. The channel is closed when the
// service lets the session go: load it again. Call cancel when done.
func (s *Service) Subscribe(ctx context.Context, token string) (views <-chan View, cancel func(), err error) {
	l, _, err := s.acquire(ctx, token)
	if err != nil {
		return nil, nil, err
	}
	defer l.mu.Unlock()
	if len(l.subs) >= maxSubscribers {
		return nil, nil, fair.After(ErrBusy, 5*time.Second)
	}
	view, err := s.view(l)
	if err != nil {
		return nil, nil, err
	}
	ch := make(chan View, 1)
	ch <- view
	if l.subs == nil {
		l.subs = map[chan View]struct{}{}
	}
	l.subs[ch] = struct{}{}
	return ch, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if _, open := l.subs[ch]; open {
			delete(l.subs, ch)
			close(ch)
		}
	}, nil
}

// maxSubscribers bounds the open pages of one session.
const maxSubscribers = 8

// Attributes returns what the document says, for its holder to see: from
// memory until acceptance, then from what the token opens. ErrState when no
// document has been verified.
func (s *Service) Attributes(ctx context.Context, token string) (Attributes, error) {
	l, raw, err := s.acquire(ctx, token)
	if err != nil {
		return Attributes{}, err
	}
	defer l.mu.Unlock()
	if l.material.present {
		return l.material.attributes, nil
	}
	if l.sess.Position.State != StateAccount {
		return Attributes{}, fmt.Errorf("%w: no document read", ErrState)
	}
	content, err := openSession(raw, l.sess)
	if err != nil {
		return Attributes{}, err
	}
	if content.Attributes == nil {
		return Attributes{}, fmt.Errorf("%w: nothing sealed", ErrInternal)
	}
	return content.Attributes.hide(), nil
}

// Sweep expires what is due, in memory and in the store, and deletes what
// ended long enough ago. Call it every few seconds.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.cfg.Now()
	var errs []error
	for _, l := range s.snapshot() {
		errs = append(errs, s.sweep(ctx, l, now))
	}
	s.failures.sweep(now)
	expired, _, err := s.cfg.Store.SweepProofings(ctx, now, now.Add(-s.cfg.Policy.ResultFor))
	if err != nil {
		errs = append(errs, fmt.Errorf("sweep proofings: %w", err))
	}
	for range expired { // of those that were not in memory
		s.observe(Position{}, Position{State: StateExpired})
	}
	return errors.Join(errs...)
}

func (s *Service) observe(from, to Position) {
	if s.cfg.Observe != nil {
		s.cfg.Observe(from, to)
	}
}

// Load is how much there is to do at a moment.
type Load struct {
	// Sessions in memory; readings of chips and face runs under way.
	Sessions, Readings, FaceRuns int
}

// Load returns the present load.
func (s *Service) Load() Load {
	return Load{Sessions: s.room.Taken(), Readings: s.readings.taken(), FaceRuns: s.faceRuns.taken()}
}

// sweep expires one session if it is due, and lets it go if it loses nothing by
// it. A panic is this session's alone: it is wiped and the others are swept.
func (s *Service) sweep(ctx context.Context, l *live, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer pii.Contain(ctx, s.cfg.Log, "sweep of a session")
	if pos := l.sess.Position; !l.evicted && !pos.State.Final() && !now.Before(pos.Expires) {
		if err := s.apply(ctx, l, Event{Kind: EventExpire}); err != nil {
			return err
		}
	}
	if !l.evicted && l.restful(now) {
		s.evict(l)
	}
	return nil
}

// Close stops what runs and wipes every session from memory; the persisted
// rows stay. It waits for running readings until ctx ends.
func (s *Service) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	for _, l := range s.snapshot() {
		l.mu.Lock()
		s.evict(l)
		l.mu.Unlock()
	}
	done := make(chan struct{})
	go func() { s.wg.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("close proofing: %w", ctx.Err())
	}
}
