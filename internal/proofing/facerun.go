package proofing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"ipse/internal/consent"
	"ipse/internal/pii"
)

// FaceRun is one run of the live check, fed by one connection. Its methods may
// be called from several goroutines; frames are examined one at a time.
// Close it in every case: a run that was not finished counts as interrupted.
type FaceRun struct {
	service *Service
	session *live
	release func()
	timer   *time.Timer

	mu     sync.Mutex // guards what follows; taken after session.mu, never before
	check  FaceCheck
	frames int
	over   bool
}

// BeginFace starts a face run: it counts as an attempt from here on. Errors:
// ErrState, ErrRunning, ErrNoConsent, ErrNoAttempts, ErrBusy, and ErrRunOver
// when the chip's portrait cannot be used (the session is then refused).
func (s *Service) BeginFace(ctx context.Context, token string) (*FaceRun, error) {
	l, _, err := s.acquire(ctx, token)
	if err != nil {
		return nil, err
	}
	release, portrait, err := s.admitFace(ctx, l) // unlocks
	if err != nil {
		return nil, err
	}
	run := &FaceRun{service: s, session: l, release: release}
	check, err := s.newCheck(ctx, portrait)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		release()
		return nil, s.faceUnavailable(ctx, l, err)
	}
	if l.evicted || l.sess.Position.State != StateFace || !l.sess.Position.Running {
		check.Wipe() // the session ended while the check was prepared
		release()
		return nil, ErrRunOver
	}
	run.check = check
	l.run = run
	run.timer = time.AfterFunc(s.cfg.Policy.FaceFor, func() {
		defer pii.Contain(s.base, s.cfg.Log, "end of a face run")
		run.Close()
	})
	return run, nil
}

// admitFace checks everything a run needs, counts it and returns the check's
// own copy of the portrait. mu is held, and released here.
func (s *Service) admitFace(ctx context.Context, l *live) (release func(), portrait pii.Bytes, err error) {
	defer l.mu.Unlock()
	pos := l.sess.Position
	switch {
	case s.cfg.Face == nil:
		return nil, portrait, fmt.Errorf("%w: no camera route here", ErrState)
	case pos.State != StateFace:
		if err := s.permit(l, consent.CheckFace); err != nil && pos.State == StateConsent {
			return nil, portrait, err
		}
		return nil, portrait, fmt.Errorf("%w: face", ErrState)
	case pos.Running:
		return nil, portrait, ErrRunning
	case pos.FaceLeft == 0:
		return nil, portrait, ErrNoAttempts
	}
	if err := s.permit(l, consent.CheckFace); err != nil {
		return nil, portrait, err
	}
	giveBack, err := s.faceRuns.take(s.cfg.Now())
	if err != nil {
		return nil, portrait, err
	}
	l.face = faceStatus{}
	if again, err := s.failures.begin(l.material.document, s.cfg.Now()); err != nil || !again.IsZero() {
		giveBack()
		if err == nil {
			err = errors.Join(ErrRunOver, s.limitDocument(ctx, l))
		}
		return nil, portrait, err
	}
	own := pii.NewBytes(bytes.Clone(l.material.portrait.Reveal()))
	begun := false
	defer func() { // also when the store panics
		if !begun {
			own.Wipe()
			giveBack()
		}
	}()
	if err := s.apply(ctx, l, Event{Kind: EventFaceStarted}); err != nil {
		return nil, portrait, err
	}
	begun = true
	return giveBack, own, nil
}

// limitDocument ends a session that waits for a live check when too many with
// its document have failed, in whatever sessions. mu is held.
func (s *Service) limitDocument(ctx context.Context, l *live) error {
	if pos := l.sess.Position; pos.State != StateFace || pos.Running {
		return nil
	}
	again := s.failures.full(l.material.document, s.cfg.Now())
	if again.IsZero() {
		return nil
	}
	l.face.again = again
	return s.apply(ctx, l, Event{Kind: EventFaceLimited})
}

func (s *Service) newCheck(ctx context.Context, portrait pii.Bytes) (check FaceCheck, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			check, err = nil, ErrInternal
		}
		if err != nil {
			portrait.Wipe()
		}
	}()
	return s.cfg.Face.NewCheck(ctx, portrait)
}

// faceUnavailable ends a run that could not begin. mu is held.
func (s *Service) faceUnavailable(ctx context.Context, l *live, cause error) error {
	if l.evicted || !l.sess.Position.Running {
		return ErrRunOver
	}
	ev := Event{Kind: EventFaceInterrupted}
	if errors.Is(cause, ErrPortrait) {
		ev = Event{Kind: EventFaceDecided, Reason: ReasonPortraitUnusable, Final: true}
		cause = ErrRunOver
	}
	s.failures.giveBack(l.material.document)
	s.cfg.Log.WarnContext(ctx, "face check not begun", "error", cause)
	if err := s.apply(ctx, l, ev); err != nil {
		return err
	}
	return fmt.Errorf("begin face check: %w", cause)
}

// Instruction returns the instruction in force, or ErrRunOver.
func (r *FaceRun) Instruction() (Instruction, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return Instruction{}, ErrRunOver
	}
	return r.check.Instruction(), nil
}

// DeclineLight leaves out the colours, for whoever would rather not see them.
// Call it before the first Push; it does nothing once the run is over.
func (r *FaceRun) DeclineLight() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over && r.frames == 0 {
		r.check.DeclineLight()
	}
}

// Push examines one frame and wipes it. After an error other than one of ctx
// the run is over: call Close.
func (r *FaceRun) Push(ctx context.Context, f Frame) (g Guidance, err error) {
	defer f.JPEG.Wipe()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over || r.frames >= r.service.cfg.Policy.FramesPerRun {
		return Guidance{}, ErrRunOver
	}
	r.frames++
	defer func() {
		if fault := recover(); fault != nil { // its value may be personal
			r.finish()
			g, err = Guidance{}, fmt.Errorf("%w: face check", ErrInternal)
		}
	}()
	return r.check.Push(ctx, f)
}

// FaceOutcome is what the page learns of a run.
type FaceOutcome struct {
	Accepted bool
	Reason   Reason // of a refusal, coarse
	// AttemptsLeft with the camera; with none the session is refused.
	AttemptsLeft int
}

// Finish decides, moves the session and ends the run. ErrRunOver when the run
// had ended already.
func (r *FaceRun) Finish(ctx context.Context) (FaceOutcome, error) {
	decision, err := r.decide()
	if err != nil {
		return FaceOutcome{}, err
	}
	l := r.session
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.evicted || l.run != r {
		return FaceOutcome{}, ErrRunOver
	}
	l.run = nil
	if !decision.Accepted {
		l.face.failure = decision.Reason
	}
	err = r.service.apply(ctx, l, Event{Kind: EventFaceDecided, Accepted: decision.Accepted, Reason: decision.Reason})
	if err == nil {
		err = r.service.limitDocument(ctx, l)
	}
	if err != nil {
		return FaceOutcome{}, err
	}
	return FaceOutcome{Accepted: decision.Accepted, Reason: decision.Reason, AttemptsLeft: l.sess.Position.FaceLeft}, nil
}

func (r *FaceRun) decide() (d FaceDecision, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return FaceDecision{}, ErrRunOver
	}
	defer r.finish()
	defer func() {
		if fault := recover(); fault != nil {
			d, err = FaceDecision{Reason: ReasonPoorQuality}, nil // refused: the attempt is over
		}
	}()
	d = r.check.Decide()
	if !d.Accepted && d.Reason == "" {
		d.Reason = ReasonNotFollowed
	}
	return d, nil
}

// Close ends the run and wipes it. A run that was not finished counts as
// interrupted. Calling it again does nothing.
func (r *FaceRun) Close() {
	l := r.session
	l.mu.Lock()
	defer l.mu.Unlock()
	r.abort()
	if l.run != r || l.evicted {
		return
	}
	l.run = nil
	l.face.failure = ReasonConnectionLost
	err := r.service.apply(r.service.base, l, Event{Kind: EventFaceInterrupted})
	if err == nil {
		err = r.service.limitDocument(r.service.base, l)
	}
	if err != nil && !errors.Is(err, ErrExpired) {
		r.service.cfg.Log.Warn("record an interrupted face run", "error", err)
	}
}

// abort ends the run without telling the session, whose mu is held.
func (r *FaceRun) abort() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.finish()
}

// finish wipes the run. mu of the run is held.
func (r *FaceRun) finish() {
	if r.over {
		return
	}
	r.over = true
	if r.timer != nil {
		r.timer.Stop()
	}
	defer r.release() // also if what wipes panics: a place lost is lost for everybody
	r.check.Wipe()
}
