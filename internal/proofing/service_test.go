package proofing_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ipse/internal/consent"
	"ipse/internal/fair"
	"ipse/internal/pii/piitest"
	"ipse/internal/proofing"
)

func TestCameraRouteFromConsentToAccount(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := context.Background()
	token, view := r.start(t, proofing.RouteCamera)
	if view.State != proofing.StateConsent || view.Step != 1 || view.Steps != 6 || view.Consent == nil || len(view.Consent.Text.Paragraphs) == 0 ||
		view.Consent.LegalBasis != consent.BasisExplicitConsent || view.ExpiresAt != "2026-11-23T10:30:00Z" {
		t.Fatalf("first view %+v", view)
	}
	view, err := r.AgreeConsent(ctx, token, view.Consent.ID)
	if err != nil || view.State != proofing.StateDocument || view.Step != 2 || view.Document.PairingCode != "1234-5678" || view.Document.Phase != proofing.DocumentWaitingReader {
		t.Fatalf("after consent %+v, %v", view, err)
	}
	receipt, err := r.Receipt(ctx, token)
	if err != nil {
		t.Fatal(err)
	}
	if signed, err := consent.Verify(receipt, r.cfg.Consent.PublicKey()); err != nil || !signed.MatchesText() {
		t.Errorf("receipt %v", err)
	}
	r.readers.plug(true)
	view, err = r.Get(ctx, token)
	if err != nil || view.Document.Phase != proofing.DocumentReady || view.Document.PairingCode != "" {
		t.Fatalf("with a reader %+v, %v", view.Document, err)
	}
	view = r.readDocument(t, token)
	if view.State != proofing.StateFace || view.Step != 3 || view.Face.AttemptsLeft != 3 || view.DocumentSummary.Kind != "passport" {
		t.Fatalf("after the document %+v", view)
	}
	if a, err := r.Attributes(ctx, token); err != nil || a.FamilyName.Reveal() != "ERIKSSON" {
		t.Errorf("attributes %v", err)
	}
	if outcome, err := r.runFace(t, token); err != nil || !outcome.Accepted {
		t.Fatalf("face %+v, %v", outcome, err)
	}
	r.wiped(t, "after acceptance")
	view, err = r.Get(ctx, token)
	if err != nil || view.State != proofing.StateAccount || view.Step != 4 || !view.Result.Accepted || view.Result.Level != proofing.LevelHigh || view.Route != "" {
		t.Fatalf("after the face %+v, %v", view, err)
	}
	if a, err := r.Attributes(ctx, token); err != nil || a.GivenName.Reveal() != "ANNA MARIA" {
		t.Errorf("attributes after acceptance %v", err)
	}
	var got proofing.Accepted
	view, err = r.Complete(ctx, token, func(_ context.Context, a proofing.Accepted) error { got = a; return nil })
	if err != nil || view.State != proofing.StateDone || view.Step != view.Steps {
		t.Fatalf("complete %+v, %v", view, err)
	}
	if got.Level != proofing.LevelHigh || got.VerifiedOn != "2026-11-23" || got.Attributes.DocumentNumber.Reveal() != "L898902C3" || got.Receipt != receipt {
		t.Error("the account was not made of what was verified")
	}
	if again, err := r.Receipt(ctx, token); err != nil || again != receipt {
		t.Errorf("the receipt after the end: %v", err)
	}
	if _, err := r.Attributes(ctx, token); !errors.Is(err, proofing.ErrState) {
		t.Errorf("attributes after the end: %v", err)
	}
	if _, err := r.Complete(ctx, token, func(context.Context, proofing.Accepted) error { return nil }); !errors.Is(err, proofing.ErrState) {
		t.Errorf("a second account: %v", err)
	}
	if plain, err := proofing.OpenSealed(token, r.store.only(t)); err != nil || strings.Contains(plain, "ERIKSSON") {
		t.Errorf("after the end the row still opens to attributes: %v", err)
	}
}

// TestRoutesCannotBeToldApartAfterAcceptance compares every byte that is
// stored or shown once the person is accepted.
func TestRoutesCannotBeToldApartAfterAcceptance(t *testing.T) {
	t.Parallel()
	type trace struct {
		views   [][]byte
		row     proofing.Session
		claims  string
		sealedN int
	}
	walk := func(route proofing.Route) trace {
		r := newRig(t)
		token := r.consented(t, route)
		view := r.readDocument(t, token)
		var err error
		if route == proofing.RouteCounter {
			err = r.decideAtCounter(t, view, true)
		} else {
			_, err = r.runFace(t, token)
		}
		if err != nil {
			t.Fatal(err)
		}
		var tr trace
		record := func(v proofing.View, err error) {
			if err != nil {
				t.Fatal(err)
			}
			raw, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			tr.views = append(tr.views, raw)
		}
		record(r.Get(context.Background(), token))
		row := r.store.only(t)
		tr.sealedN = len(row.Sealed)
		r.restart(t)
		record(r.Get(context.Background(), token))
		record(r.Complete(context.Background(), token, func(_ context.Context, a proofing.Accepted) error {
			raw, err := json.Marshal([]any{a.Level, a.VerifiedOn, a.Attributes.FamilyName.Reveal(), a.Attributes.DocumentKind})
			tr.claims = string(raw)
			return err
		}))
		tr.row = r.store.only(t)
		if len(tr.row.Sealed) != tr.sealedN {
			t.Errorf("sealed lengths %d and %d", len(tr.row.Sealed), tr.sealedN)
		}
		tr.row.ID, tr.row.TokenHash, tr.row.Sealed, tr.row.Version = "", [32]byte{}, nil, 0
		return tr
	}
	camera, counter := walk(proofing.RouteCamera), walk(proofing.RouteCounter)
	for i := range camera.views {
		if !bytes.Equal(camera.views[i], counter.views[i]) {
			t.Errorf("views differ:\n%s\n%s", camera.views[i], counter.views[i])
		}
	}
	if camera.claims != counter.claims || camera.sealedN != counter.sealedN {
		t.Errorf("claims %s and %s, sealed %d and %d bytes", camera.claims, counter.claims, camera.sealedN, counter.sealedN)
	}
	if camera.row.Receipt != "" || camera.row.Position != counter.row.Position || counter.row.Receipt != "" {
		t.Errorf("rows differ: %+v %+v", camera.row, counter.row)
	}
}

func TestNoReceiptNoCheck(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	t.Run("before consent", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		token, _ := r.start(t, proofing.RouteCamera)
		if _, err := r.ReadDocument(ctx, token, typed()); !errors.Is(err, proofing.ErrNoConsent) {
			t.Errorf("document: %v", err)
		}
		if _, err := r.BeginFace(ctx, token); !errors.Is(err, proofing.ErrNoConsent) {
			t.Errorf("face: %v", err)
		}
		if _, err := r.Receipt(ctx, token); !errors.Is(err, proofing.ErrNoConsent) {
			t.Errorf("receipt: %v", err)
		}
	})
	other := newRig(t) // another operator
	foreignToken := other.consented(t, proofing.RouteCamera)
	foreign, err := other.Receipt(ctx, foreignToken)
	if err != nil {
		t.Fatal(err)
	}
	for name, receipt := range map[string]string{"none": "", "another operator's": foreign, "garbage": "{}"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			token := r.consented(t, proofing.RouteCamera)
			r.SetReceipt(token, receipt)
			if _, err := r.ReadDocument(ctx, token, typed()); !errors.Is(err, proofing.ErrNoConsent) || r.chip.calls != 0 {
				t.Errorf("document: %v", err)
			}
			token = r.consented(t, proofing.RouteCamera)
			r.readDocument(t, token)
			r.SetReceipt(token, receipt)
			if _, err := r.BeginFace(ctx, token); !errors.Is(err, proofing.ErrNoConsent) || len(r.face.checks) != 0 {
				t.Errorf("face: %v", err)
			}
			token = r.consented(t, proofing.RouteCounter)
			view := r.readDocument(t, token)
			r.SetReceipt(token, receipt)
			if _, err := r.CounterCase("agent-1", view.Counter.CaseCode); !errors.Is(err, proofing.ErrNoConsent) {
				t.Errorf("counter: %v", err)
			}
		})
	}
	t.Run("another session's", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		first := r.consented(t, proofing.RouteCamera)
		receipt, err := r.Receipt(ctx, first)
		if err != nil {
			t.Fatal(err)
		}
		second := r.consented(t, proofing.RouteCamera)
		r.SetReceipt(second, receipt)
		if _, err := r.ReadDocument(ctx, second, typed()); !errors.Is(err, proofing.ErrNoConsent) {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("the other route's", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		token := r.consented(t, proofing.RouteCounter)
		r.readDocument(t, token)
		if _, err := r.BeginFace(ctx, token); !errors.Is(err, proofing.ErrState) {
			t.Errorf("the camera on the counter's receipt: %v", err)
		}
	})
}

func TestConsentIsForTheTextShown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token, _ := r.start(t, proofing.RouteCamera)
	if _, err := r.AgreeConsent(context.Background(), token, "another"); !errors.Is(err, proofing.ErrConsentChanged) {
		t.Errorf("err = %v", err)
	}
	if row := r.store.only(t); row.Receipt != "" || row.Position.State != proofing.StateConsent {
		t.Error("a receipt was signed nevertheless")
	}
}

func TestRestartKeepsThePersonsPlace(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	tests := []struct {
		name  string
		route proofing.Route
		walk  func(t *testing.T, r *rig, token string)
		want  proofing.State
	}{
		{"document", proofing.RouteCamera, func(*testing.T, *rig, string) {}, proofing.StateDocument},
		{"between chip and face", proofing.RouteCamera, func(t *testing.T, r *rig, token string) { r.readDocument(t, token) }, proofing.StateDocument},
		{"between chip and counter", proofing.RouteCounter, func(t *testing.T, r *rig, token string) { r.readDocument(t, token) }, proofing.StateDocument},
		{"in mid-reading", proofing.RouteCamera, func(t *testing.T, r *rig, token string) {
			r.chip.set(func(ctx context.Context, _ proofing.ReadRequest) (*proofing.Reading, error) {
				<-ctx.Done()
				return specimen(), nil
			})
			if _, err := r.ReadDocument(ctx, token, typed()); err != nil {
				t.Fatal(err)
			}
		}, proofing.StateDocument},
		{"in mid-run", proofing.RouteCamera, func(t *testing.T, r *rig, token string) {
			r.readDocument(t, token)
			if _, err := r.BeginFace(ctx, token); err != nil {
				t.Fatal(err)
			}
		}, proofing.StateDocument},
		{"accepted", proofing.RouteCamera, func(t *testing.T, r *rig, token string) {
			r.readDocument(t, token)
			if _, err := r.runFace(t, token); err != nil {
				t.Fatal(err)
			}
		}, proofing.StateAccount},
		{"abandoned", proofing.RouteCamera, func(t *testing.T, r *rig, token string) {
			if _, err := r.Abandon(ctx, token); err != nil {
				t.Fatal(err)
			}
		}, proofing.StateAbandoned},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			token := r.consented(t, tt.route)
			tt.walk(t, r, token)
			r.restart(t)
			r.wiped(t, "after the restart")
			r.chip.set(genuine)
			view, err := r.Get(ctx, token)
			if err != nil || view.State != tt.want {
				t.Fatalf("state %s, %v; want %s", view.State, err, tt.want)
			}
			if tt.want != proofing.StateDocument {
				return
			}
			if view.Document.PairingCode == "" || view.Document.Phase != proofing.DocumentWaitingReader {
				t.Errorf("no way on: %+v", view.Document)
			}
			r.readers.plug(true)
			r.readDocument(t, token)
			if r.chip.calls < 2 && tt.name != "document" {
				t.Error("the chip was not read again")
			}
		})
	}
}

func TestLostReaderGetsANewCode(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := r.consented(t, proofing.RouteCamera)
	r.readers.plug(false)
	view, err := r.Get(context.Background(), token)
	if err != nil || view.Document.ReaderConnected || view.Document.PairingCode == "" {
		t.Errorf("%+v, %v", view.Document, err)
	}
	if view, err = r.NewPairing(context.Background(), token); err != nil || view.Document.PairingCode == "" {
		t.Errorf("%+v, %v", view.Document, err)
	}
	r.readers.mu.Lock()
	r.readers.refuse = true
	r.readers.mu.Unlock()
	if _, err := r.NewPairing(context.Background(), token); err == nil {
		t.Error("no code, yet no error")
	}
}

func TestUnknownTokensOpenNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := context.Background()
	token, _ := r.start(t, proofing.RouteCamera)
	for _, wrong := range []string{"", "x", token[:42], token + "A", strings.Repeat("A", 43), strings.Repeat("=", 43)} {
		if _, err := r.Get(ctx, wrong); !errors.Is(err, proofing.ErrNoSession) {
			t.Errorf("%d characters: %v", len(wrong), err)
		}
	}
	for _, req := range []proofing.StartRequest{{}, {Route: "post", Language: consent.English}, {Route: proofing.RouteCamera, Language: "xx"}} {
		if _, _, err := r.Start(ctx, req); !errors.Is(err, proofing.ErrInput) {
			t.Errorf("%+v: %v", req, err)
		}
	}
}

func TestSweepExpiresAndWipes(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := newRig(t)
	token := r.consented(t, proofing.RouteCamera)
	r.readDocument(t, token)
	views, _, err := r.Subscribe(ctx, token)
	if err != nil {
		t.Fatal(err)
	}
	<-views
	r.clock.add(30 * time.Minute)
	if err := r.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	r.wiped(t, "after expiry")
	if v, open := <-views; !open || v.State != proofing.StateExpired {
		t.Errorf("the page sees %s, %v", v.State, open)
	}
	if r.InMemory() != 0 {
		t.Error("an expired session stays in memory")
	}
	for name, act := range map[string]func() error{
		"read":    func() error { _, err := r.ReadDocument(ctx, token, typed()); return err },
		"face":    func() error { _, err := r.BeginFace(ctx, token); return err },
		"consent": func() error { _, err := r.AgreeConsent(ctx, token, "x"); return err },
		"account": func() error {
			_, err := r.Complete(ctx, token, func(context.Context, proofing.Accepted) error { return nil })
			return err
		},
	} {
		if err := act(); !errors.Is(err, proofing.ErrState) {
			t.Errorf("%s after expiry: %v", name, err)
		}
	}
	if v, err := r.Get(ctx, token); err != nil || v.State != proofing.StateExpired {
		t.Errorf("%s, %v", v.State, err)
	}
}

func TestAcceptedButNotInTimeIsForgotten(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := newRig(t)
	token := r.consented(t, proofing.RouteCamera)
	r.readDocument(t, token)
	if _, err := r.runFace(t, token); err != nil {
		t.Fatal(err)
	}
	r.clock.add(30 * time.Minute)
	_, err := r.Complete(ctx, token, func(context.Context, proofing.Accepted) error { t.Error("an account was made"); return nil })
	if !errors.Is(err, proofing.ErrState) {
		t.Errorf("err = %v", err)
	}
	if row := r.store.only(t); row.Sealed != nil || row.Position.State != proofing.StateExpired {
		t.Error("the attributes are still there")
	}
}

func TestAbandonWipesWhateverRuns(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := newRig(t)
	stopped := make(chan struct{})
	r.chip.set(func(ctx context.Context, _ proofing.ReadRequest) (*proofing.Reading, error) {
		<-ctx.Done()
		close(stopped)
		return specimen(), nil // too late
	})
	token := r.consented(t, proofing.RouteCamera)
	if _, err := r.ReadDocument(ctx, token, typed()); err != nil {
		t.Fatal(err)
	}
	if view, err := r.Abandon(ctx, token); err != nil || view.State != proofing.StateAbandoned {
		t.Fatalf("%s, %v", view.State, err)
	}
	<-stopped
	if err := r.Close(ctx); err != nil {
		t.Fatal(err)
	}
	r.wiped(t, "after abandoning in mid-reading")
	if _, err := r.Get(ctx, token); !errors.Is(err, proofing.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}

	r = newRig(t)
	token = r.consented(t, proofing.RouteCamera)
	r.readDocument(t, token)
	run, err := r.BeginFace(ctx, token)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Abandon(ctx, token); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Abandon(ctx, token); err != nil {
		t.Errorf("twice: %v", err)
	}
	r.wiped(t, "after abandoning in mid-run")
	if _, err := run.Finish(ctx); !errors.Is(err, proofing.ErrRunOver) {
		t.Errorf("finishing an abandoned run: %v", err)
	}
	run.Close()
}

func TestNewServiceRefusesIncompleteConfiguration(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for name, change := range map[string]func(*proofing.Config){
		"policy": func(c *proofing.Config) { c.Policy = proofing.Policy{} }, "consent": func(c *proofing.Config) { c.Consent = nil },
		"store": func(c *proofing.Config) { c.Store = nil }, "readers": func(c *proofing.Config) { c.Readers = nil },
		"chip": func(c *proofing.Config) { c.Chip = nil }, "now": func(c *proofing.Config) { c.Now = nil },
		"rand": func(c *proofing.Config) { c.Rand = nil }, "log": func(c *proofing.Config) { c.Log = nil },
		"limit": func(c *proofing.Config) { c.MaxReadings = -1 },
	} {
		cfg := r.cfg
		change(&cfg)
		if _, err := proofing.NewService(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	noFace := newRig(t, func(c *proofing.Config) { c.Face = nil })
	if _, _, err := noFace.Start(context.Background(), proofing.StartRequest{Route: proofing.RouteCamera, Language: consent.English}); !errors.Is(err, proofing.ErrInput) {
		t.Errorf("a camera route without a face checker: %v", err)
	}
}

func TestSessionsInMemoryAreBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *proofing.Config) { c.MaxSessions = 2 })
	ctx := context.Background()
	first, _ := r.start(t, proofing.RouteCamera)
	r.start(t, proofing.RouteCamera)
	_, _, err := r.Start(ctx, proofing.StartRequest{Route: proofing.RouteCamera, Language: consent.French})
	if !errors.Is(err, proofing.ErrBusy) {
		t.Fatalf("err = %v", err)
	}
	if err := r.Sweep(ctx); err != nil { // idle sessions at the consent need no memory
		t.Fatal(err)
	}
	r.start(t, proofing.RouteCamera)
	if view, err := r.Get(ctx, first); err != nil || view.State != proofing.StateConsent {
		t.Errorf("a session that left memory: %s, %v", view.State, err)
	}
}

// TestAWholeNetworkLeavesRoomForOthers: sessions begun from every part of an IPv6
// /48 do not keep anybody else out, and places come back.
func TestAWholeNetworkLeavesRoomForOthers(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *proofing.Config) { c.MaxSessions = 100 })
	begin := func(addr netip.Addr) (string, error) {
		token, _, err := r.Start(fair.With(context.Background(), fair.Of(addr)), proofing.StartRequest{Route: proofing.RouteCamera, Language: consent.English})
		return token, err
	}
	var tokens []string
	for i := range byte(200) {
		token, err := begin(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, 1, i, i}))
		switch {
		case err == nil:
			tokens = append(tokens, token)
		case !errors.Is(err, proofing.ErrBusy):
			t.Fatal(err)
		}
	}
	if len(tokens) != 20 {
		t.Errorf("one network holds %d of 100 places", len(tokens))
	}
	for i := range byte(50) {
		if _, err := begin(netip.AddrFrom4([4]byte{198, 51, i, 1})); err != nil {
			t.Fatalf("newcomer %d: %v", i, err)
		}
	}
	if _, err := r.Abandon(context.Background(), tokens[0]); err != nil {
		t.Fatal(err)
	}
	if err := r.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := begin(netip.MustParseAddr("2001:db8:1:ffff::1")); err != nil {
		t.Errorf("after the others left: %v", err)
	}
}

func TestViewsHaveNothingOfThePerson(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := newRig(t)
	token := r.consented(t, proofing.RouteCamera)
	var all []byte
	record := func() {
		v, err := r.Get(ctx, token)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, raw...)
	}
	record()
	r.readDocument(t, token)
	record()
	r.face.decide(proofing.FaceDecision{Reason: proofing.ReasonNotSamePerson})
	if _, err := r.runFace(t, token); err != nil {
		t.Fatal(err)
	}
	record()
	r.face.decide(proofing.FaceDecision{Accepted: true})
	if _, err := r.runFace(t, token); err != nil {
		t.Fatal(err)
	}
	record()
	for _, canary := range []string{"ERIKSSON", "ANNA", "1974", "L898902C3", "2032-04-15"} {
		if piitest.Shows(string(all), canary) || piitest.Shows(r.log.String(), canary) {
			t.Errorf("%s appears in a view or the log", canary)
		}
	}
	if !bytes.Contains(all, []byte(`"kind":"passport"`)) {
		t.Error("the summary is missing: the test looks at nothing")
	}
}
