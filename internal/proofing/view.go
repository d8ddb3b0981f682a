package proofing

import (
	"time"

	"ipse/internal/consent"
)

// View is what the person's page shows of a session, in its JSON shape. It
// holds nothing of the document but its kind and issuing state. From
// StateAccount on it is the same for both routes.
type View struct {
	State           State         `json:"state"`
	Route           Route         `json:"route,omitempty"`
	Step            int           `json:"step"`  // from 1
	Steps           int           `json:"steps"` // always viewSteps
	ExpiresAt       string        `json:"expires_at"`
	Consent         *ConsentView  `json:"consent,omitempty"`
	Document        *DocumentView `json:"document,omitempty"`
	Face            *FaceView     `json:"face,omitempty"`
	Counter         *CounterView  `json:"counter,omitempty"`
	Result          *ResultView   `json:"result,omitempty"`
	DocumentSummary *Summary      `json:"document_summary,omitempty"`
}

// ConsentView is the offer, exactly as it will be signed.
type ConsentView struct {
	ID         string              `json:"id"`
	Version    string              `json:"version"`
	Operator   consent.Operator    `json:"operator"`
	Purpose    string              `json:"purpose"`
	Data       []consent.Data      `json:"data"`
	LegalBasis consent.LegalBasis  `json:"legal_basis"` // the strongest that is relied on
	Retention  []consent.Retention `json:"retention"`
	Ends       string              `json:"ends"`
	Withdraw   string              `json:"withdraw"`
	TextSHA256 string              `json:"text_sha256"`
	// Text is what the page must show, word for word; its SHA-256 is TextSHA256.
	Text consent.Text `json:"text"`
}

// DocumentPhase is where the reading of the document stands.
type DocumentPhase string

// The phases of the document.
const (
	DocumentWaitingReader DocumentPhase = "waiting_reader"
	DocumentReady         DocumentPhase = "ready"
	DocumentReading       DocumentPhase = "reading"
	DocumentFailed        DocumentPhase = "failed"
)

// DocumentView is the step "document".
type DocumentView struct {
	Phase            DocumentPhase `json:"phase"`
	PairingCode      string        `json:"pairing_code,omitempty"` // ACDEF-GHJKM
	PairingExpiresAt string        `json:"pairing_expires_at,omitempty"`
	ReaderConnected  bool          `json:"reader_connected"`
	Progress         *ProgressView `json:"progress,omitempty"`
	Failure          Failure       `json:"failure,omitempty"` // of the last attempt
	AttemptsLeft     int           `json:"attempts_left"`
}

// ProgressView is a reading's progress with an estimate of the time left.
type ProgressView struct {
	Progress
	SecondsLeft int `json:"seconds_left"`
}

// FacePhase is where the live check stands.
type FacePhase string

// The phases of the live check.
const (
	FaceReady   FacePhase = "ready"
	FaceRunning FacePhase = "running"
	FaceFailed  FacePhase = "failed"
)

// FaceView is the step "face".
type FaceView struct {
	Phase        FacePhase `json:"phase"`
	Failure      Reason    `json:"failure,omitempty"` // of the last attempt
	AttemptsLeft int       `json:"attempts_left"`
	Steps        int       `json:"steps"` // instructions of a run
}

// CounterView is the step "counter": the code to say at the counter.
type CounterView struct {
	CaseCode  string `json:"case_code,omitempty"` // ABCD-EFGH
	ExpiresAt string `json:"expires_at,omitempty"`
	Opened    bool   `json:"opened"` // an agent has opened the case
}

// ResultView is the outcome.
type ResultView struct {
	Accepted bool         `json:"accepted"`
	Level    Level        `json:"level,omitempty"`
	Reason   Reason       `json:"reason,omitempty"`
	Checks   []ResultLine `json:"checks"`
	Retry    bool         `json:"retry"` // starting again may help
	// RetryAt is when the camera may be used again with this document, of
	// ReasonDocumentLimit and while the server remembers.
	RetryAt string `json:"retry_at,omitempty"`
}

// ResultLine is one check of the outcome.
type ResultLine struct {
	ID     string `json:"id"` // "consent", "document_genuine", "chip_authentic", "document_valid" or "person"
	Result Result `json:"result"`
}

// The steps that the pages announce: consent, document, face or counter, result,
// passkey, recovery code. The state does not tell the passkey from the result.
const (
	stepResult = 4
	viewSteps  = 6
)

// view builds the present view. mu of the session is held.
func (s *Service) view(l *live) (View, error) {
	pos := l.sess.Position
	v := View{State: pos.State, Route: pos.Route, Step: stepResult, Steps: viewSteps, ExpiresAt: stamp(pos.Expires)}
	switch pos.State {
	case StateConsent:
		v.Step = 1
		offer, err := s.offer(l)
		if err != nil {
			return View{}, err
		}
		v.Consent = consentView(offer)
	case StateDocument:
		v.Step = 2
		v.Document = s.documentView(l)
	case StateFace:
		v.Step = 3
		v.Face = faceView(l)
		v.Face.Steps = s.cfg.FaceSteps
	case StateCounter:
		v.Step = 3
		v.Counter = counterView(l)
	case StateAccount, StateDone, StateRefused:
		if pos.State == StateDone {
			v.Step = viewSteps
		}
		v.Result = resultView(pos)
		v.Result.RetryAt = stamp(l.face.again)
	case StateAbandoned, StateExpired:
	}
	if l.summary != (Summary{}) {
		summary := l.summary
		v.DocumentSummary = &summary
	}
	return v, nil
}

func consentView(offer consent.Offer) *ConsentView {
	v := &ConsentView{ID: offer.ID, Version: offer.Text.Version, Operator: offer.Operator,
		Ends: stamp(offer.Ends), Withdraw: consent.WithdrawAnyTime, TextSHA256: offer.TextSHA256,
		Text: offer.Text}
	seen := map[string]bool{}
	first := func(code string) bool { was := seen[code]; seen[code] = true; return !was }
	for _, p := range offer.Purposes {
		if v.Purpose == "" {
			v.Purpose = p.Purpose
		}
		if v.LegalBasis != consent.BasisExplicitConsent {
			v.LegalBasis = p.LegalBasis
		}
		for _, d := range p.Data {
			if first("data " + string(d)) {
				v.Data = append(v.Data, d)
			}
		}
		if first("retention " + string(p.Retention)) {
			v.Retention = append(v.Retention, p.Retention)
		}
	}
	return v
}

func (s *Service) documentView(l *live) *DocumentView {
	v := &DocumentView{Phase: DocumentWaitingReader, PairingCode: l.pairing.code,
		PairingExpiresAt: stamp(l.pairing.expires), ReaderConnected: l.pairing.connected,
		Failure: l.document.failure, AttemptsLeft: l.sess.Position.DocumentLeft}
	switch {
	case l.sess.Position.Running:
		v.Phase = DocumentReading
		if p := l.document.progress; p != nil {
			v.Progress = &ProgressView{Progress: *p, SecondsLeft: secondsLeft(*p, s.cfg.Now().Sub(l.document.started))}
		}
	case l.document.failure != "":
		v.Phase = DocumentFailed
	case l.pairing.connected:
		v.Phase = DocumentReady
	}
	return v
}

// secondsLeft extrapolates the pace so far; zero while nothing is known.
func secondsLeft(p Progress, elapsed time.Duration) int {
	if p.BytesRead <= 0 || p.BytesTotal <= p.BytesRead {
		return 0
	}
	left := elapsed.Seconds() * float64(p.BytesTotal-p.BytesRead) / float64(p.BytesRead)
	return int(left) + 1
}

func faceView(l *live) *FaceView {
	v := &FaceView{Phase: FaceReady, Failure: l.face.failure, AttemptsLeft: l.sess.Position.FaceLeft}
	switch {
	case l.sess.Position.Running:
		v.Phase = FaceRunning
	case l.face.failure != "":
		v.Phase = FaceFailed
	}
	return v
}

func counterView(l *live) *CounterView {
	if l.counter == nil {
		return &CounterView{}
	}
	return &CounterView{CaseCode: l.counter.code, ExpiresAt: stamp(l.counter.expires), Opened: l.counter.agent != ""}
}

func resultView(pos Position) *ResultView {
	lines := []ResultLine{{"consent", ResultPassed}, {"document_genuine", pos.Document}, {"chip_authentic", pos.Chip},
		{"document_valid", validity(pos)}, {"person", pos.Holder}}
	v := &ResultView{Accepted: pos.State != StateRefused, Level: pos.Level, Reason: pos.Reason, Retry: pos.State == StateRefused}
	for _, line := range lines {
		if line.Result != "" {
			v.Checks = append(v.Checks, line)
		}
	}
	return v
}

// validity is the outcome of the check of the document's dates.
func validity(pos Position) Result {
	switch {
	case pos.Document != ResultPassed || pos.Chip == ResultFailed:
		return "" // not reached
	case pos.Reason == ReasonDocumentExpired:
		return ResultFailed
	}
	return ResultPassed
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
