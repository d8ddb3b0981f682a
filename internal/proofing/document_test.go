package proofing_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"ipse/internal/fair"
	"ipse/internal/pii"
	"ipse/internal/proofing"
)

func TestEachReadingHasAChallengeOfItsOwn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := r.consented(t, proofing.RouteCamera)
	r.chip.set(func(context.Context, proofing.ReadRequest) (*proofing.Reading, error) {
		return nil, &proofing.ReadError{Code: proofing.FailureAccessDenied}
	})
	for range 3 {
		r.readDocument(t, token)
	}
	seen := map[[8]byte]bool{}
	for _, c := range r.chip.challenges {
		if seen[c] || c == [8]byte{} {
			t.Error("a challenge is zero or used twice")
		}
		seen[c] = true
	}
}

func TestReadingFailuresAreToldAndCapped(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		read func(context.Context, proofing.ReadRequest) (*proofing.Reading, error)
		want proofing.Failure
	}{
		"wrong MRZ": {func(context.Context, proofing.ReadRequest) (*proofing.Reading, error) {
			return nil, &proofing.ReadError{Code: proofing.FailureAccessDenied, Err: errors.New("6300")}
		}, proofing.FailureAccessDenied},
		"reader lost": {func(context.Context, proofing.ReadRequest) (*proofing.Reading, error) {
			return nil, &proofing.ReadError{Code: proofing.FailureChip, Err: lostReader{}}
		}, proofing.FailureReaderLost},
		"too slow": {func(ctx context.Context, _ proofing.ReadRequest) (*proofing.Reading, error) {
			<-ctx.Done()
			return nil, &proofing.ReadError{Code: proofing.FailureChip, Err: ctx.Err()}
		}, proofing.FailureTimeout},
		"panic":     {func(context.Context, proofing.ReadRequest) (*proofing.Reading, error) { panic("ERIKSSON") }, proofing.FailureInternal},
		"unwrapped": {func(context.Context, proofing.ReadRequest) (*proofing.Reading, error) { return nil, errDisk }, proofing.FailureInternal},
		"nothing":   {func(context.Context, proofing.ReadRequest) (*proofing.Reading, error) { return nil, nil }, proofing.FailureInternal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(c *proofing.Config) { c.Policy.ReadFor = 100 * time.Millisecond })
			r.chip.set(tt.read)
			token := r.consented(t, proofing.RouteCamera)
			for left := 4; left > 0; left-- {
				view := r.readDocument(t, token)
				if view.State != proofing.StateDocument || view.Document.Failure != tt.want || view.Document.AttemptsLeft != left {
					t.Fatalf("%d left: %s %+v", left, view.State, view.Document)
				}
			}
			view := r.readDocument(t, token)
			if view.State != proofing.StateRefused || view.Result.Reason != proofing.ReasonDocumentUnreadable || !view.Result.Retry {
				t.Errorf("after five: %s %+v", view.State, view.Result)
			}
			if strings.Contains(r.log.String(), "ERIKSSON") {
				t.Error("the value of a panic is in the log")
			}
		})
	}
}

type lostReader struct{}

func (lostReader) Error() string    { return "gone" }
func (lostReader) ReaderLost() bool { return true }

func TestRefusedDocumentsAreWiped(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*proofing.Reading)
		want   proofing.Reason
	}{
		"forged":  {func(r *proofing.Reading) { r.Genuine = false }, proofing.ReasonDocumentNotGenuine},
		"cloned":  {func(r *proofing.Reading) { r.Chip = proofing.ResultFailed }, proofing.ReasonChipNotAuthentic},
		"expired": {func(r *proofing.Reading) { r.Attributes.DocumentExpiry = pii.NewText("2026-11-22") }, proofing.ReasonDocumentExpired},
		"undated": {func(r *proofing.Reading) { r.Attributes.DocumentExpiry = pii.Text{} }, proofing.ReasonDocumentExpired},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.chip.set(func(context.Context, proofing.ReadRequest) (*proofing.Reading, error) {
				reading := specimen()
				tt.change(reading)
				return reading, nil
			})
			token := r.consented(t, proofing.RouteCamera)
			view := r.readDocument(t, token)
			if view.State != proofing.StateRefused || view.Result.Reason != tt.want || view.Result.Accepted || !view.Result.Retry {
				t.Errorf("%s %+v", view.State, view.Result)
			}
			r.wiped(t, "after refusal")
			if _, err := r.Attributes(context.Background(), token); !errors.Is(err, proofing.ErrState) {
				t.Errorf("attributes of a refused document: %v", err)
			}
			if row := r.store.only(t); row.Receipt != "" || row.Sealed != nil {
				t.Error("the row keeps a receipt or attributes")
			}
		})
	}
	r := newRig(t)
	r.chip.set(func(context.Context, proofing.ReadRequest) (*proofing.Reading, error) {
		reading := specimen()
		reading.Attributes.DocumentExpiry = pii.NewText("2026-11-23") // today
		return reading, nil
	})
	if view := r.readDocument(t, r.consented(t, proofing.RouteCamera)); view.State != proofing.StateFace {
		t.Errorf("a document that expires today: %s", view.State)
	}
}

func TestReadingNeedsTheRightMoment(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := newRig(t, func(c *proofing.Config) { c.MaxReadings = 1 })
	token, view := r.start(t, proofing.RouteCamera)
	if _, err := r.AgreeConsent(ctx, token, view.Consent.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ReadDocument(ctx, token, typed()); !errors.Is(err, proofing.ErrNoReader) {
		t.Errorf("without a reader: %v", err)
	}
	for name, access := range map[string]proofing.Access{
		"empty": {}, "CAN of letters": {CAN: pii.NewText("12345a")}, "short CAN": {CAN: pii.NewText("12345")},
		"birth date": {DocumentNumber: pii.NewText("L898902C3"), BirthDate: pii.NewText("12.08.1974"), ExpiryDate: pii.NewText("2032-04-15")},
		"number":     {DocumentNumber: pii.NewText("L898902C3É"), BirthDate: pii.NewText("1974-08-12"), ExpiryDate: pii.NewText("2032-04-15")},
		"long":       {DocumentNumber: pii.NewText(strings.Repeat("A", 23)), BirthDate: pii.NewText("1974-08-12"), ExpiryDate: pii.NewText("2032-04-15")},
	} {
		_, err := r.ReadDocument(ctx, token, access)
		if !errors.Is(err, proofing.ErrInput) || strings.Contains(err.Error(), "1974") || strings.Contains(err.Error(), "L898") {
			t.Errorf("%s: %v", name, err)
		}
	}
	r.readers.plug(true)
	hold := make(chan struct{})
	r.chip.set(func(context.Context, proofing.ReadRequest) (*proofing.Reading, error) { <-hold; return specimen(), nil })
	if _, err := r.ReadDocument(ctx, token, typed()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ReadDocument(ctx, token, typed()); !errors.Is(err, proofing.ErrRunning) {
		t.Errorf("twice at once: %v", err)
	}
	if _, err := r.NewPairing(ctx, token); !errors.Is(err, proofing.ErrRunning) {
		t.Errorf("pairing in mid-reading: %v", err)
	}
	second := r.consented(t, proofing.RouteCamera)
	_, err := r.ReadDocument(ctx, second, proofing.Access{CAN: pii.NewText("123456")})
	var busy *fair.Later
	if !errors.As(err, &busy) || !errors.Is(err, proofing.ErrBusy) || busy.RetryAfter < time.Second {
		t.Errorf("beyond the bound: %v", err)
	}
	if v, err := r.Get(ctx, second); err != nil || v.Document.AttemptsLeft != 5 {
		t.Errorf("being told busy cost an attempt: %+v, %v", v.Document, err)
	}
	close(hold)
	r.settled(t, token)
	r.readDocument(t, second)
	if _, err := r.ReadDocument(ctx, token, typed()); !errors.Is(err, proofing.ErrState) {
		t.Errorf("again after success: %v", err)
	}
}

func TestProgressReachesSubscribers(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := newRig(t)
	token := r.consented(t, proofing.RouteCamera)
	views, cancel, err := r.Subscribe(ctx, token)
	if err != nil {
		t.Fatal(err)
	}
	if v := <-views; v.State != proofing.StateDocument {
		t.Fatalf("first view %s", v.State)
	}
	hold := make(chan struct{})
	r.chip.set(func(_ context.Context, req proofing.ReadRequest) (*proofing.Reading, error) {
		r.clock.add(2 * time.Second)
		req.Progress(proofing.Progress{File: "DG2", Index: 3, Count: 5, BytesRead: 5000, BytesTotal: 15000})
		<-hold
		return specimen(), nil
	})
	if _, err := r.ReadDocument(ctx, token, typed()); err != nil {
		t.Fatal(err)
	}
	var p *proofing.ProgressView
	for p == nil {
		select {
		case v := <-views:
			p = v.Document.Progress
		case <-time.After(time.Minute):
			t.Fatal("no progress")
		}
	}
	if p.File != "DG2" || p.SecondsLeft < 4 || p.SecondsLeft > 5 {
		t.Errorf("progress %+v", p)
	}
	close(hold)
	for v := range views {
		if v.State == proofing.StateFace {
			break
		}
	}
	cancel()
	cancel()
	if _, open := <-views; open {
		t.Error("a view after cancelling")
	}
	for range 8 {
		if _, _, err := r.Subscribe(ctx, token); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := r.Subscribe(ctx, token); !errors.Is(err, proofing.ErrBusy) {
		t.Errorf("a ninth page: %v", err)
	}
}
