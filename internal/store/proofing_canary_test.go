package store_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ipse/internal/consent"
	"ipse/internal/pii"
	"ipse/internal/proofing"
	"ipse/internal/store"
)

// What the canary document says; the strings occur nowhere else.
const (
	canaryFamily   = "ZZCANARYFAMILY"
	canaryGiven    = "ZZCANARYGIVEN"
	canaryNumber   = "ZQ7CANARY"
	canaryPortrait = "canary portrait bytes 5d1f0c" // of the chip
	canaryFrame    = "canary frame bytes 77e1b2"    // of the camera
)

type canaryChip struct{}

func (canaryChip) ReadDocument(context.Context, proofing.Card, proofing.ReadRequest) (*proofing.Reading, error) {
	return &proofing.Reading{Genuine: true, Chip: proofing.ResultPassed, Portrait: pii.NewBytes([]byte(canaryPortrait)),
		Attributes: proofing.Attributes{FamilyName: pii.NewText(canaryFamily), GivenName: pii.NewText(canaryGiven),
			DocumentNumber: pii.NewText(canaryNumber), BirthDate: pii.NewText("1974-08-12"), DocumentExpiry: pii.NewText("2032-04-15"),
			DocumentKind: "passport", DocumentIssuer: "UTO"}}, nil
}

type canaryFace struct{ accept bool }

func (f canaryFace) NewCheck(_ context.Context, portrait pii.Bytes) (proofing.FaceCheck, error) {
	return canaryCheck{portrait, f.accept}, nil
}

type canaryCheck struct {
	portrait pii.Bytes
	accept   bool
}

func (canaryCheck) Instruction() proofing.Instruction { return proofing.Instruction{Of: 1} }
func (canaryCheck) DeclineLight()                     {}
func (canaryCheck) Push(context.Context, proofing.Frame) (proofing.Guidance, error) {
	return proofing.Guidance{Finished: true}, nil
}
func (c canaryCheck) Decide() proofing.FaceDecision {
	return proofing.FaceDecision{Accepted: c.accept, Reason: proofing.ReasonNotSamePerson}
}
func (c canaryCheck) Wipe() { c.portrait.Wipe() }

type alwaysReader struct{}

func (alwaysReader) Pair(string, func(bool)) (string, time.Time, error) {
	return "1234-5678", proofingsBegin().Add(time.Hour), nil
}
func (alwaysReader) Reader(string) (proofing.Card, bool) { return nopCard{}, true }
func (alwaysReader) Release(string)                      {}

type nopCard struct{}

func (nopCard) Transmit(context.Context, []byte) ([]byte, error) { return []byte{0x90, 0}, nil }

type canaryRun struct {
	*proofing.Service
	db   *store.DB
	path string
	mu   sync.Mutex
	at   time.Time
}

func (c *canaryRun) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// toFace walks a session up to the pushed frame and returns its open run.
func (c *canaryRun) toFace(t *testing.T) (string, *proofing.FaceRun) {
	t.Helper()
	ctx := t.Context()
	token, view, err := c.Start(ctx, proofing.StartRequest{Route: proofing.RouteCamera, Language: consent.English})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.AgreeConsent(ctx, token, view.Consent.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReadDocument(ctx, token, proofing.Access{CAN: pii.NewText("123456")}); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); view.State != proofing.StateFace && time.Now().Before(deadline); {
		if view, err = c.Get(ctx, token); err != nil {
			t.Fatal(err)
		}
	}
	run, err := c.BeginFace(ctx, token)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.Push(ctx, proofing.Frame{JPEG: pii.NewBytes([]byte(canaryFrame))}); err != nil {
		t.Fatal(err)
	}
	return token, run
}

// TestDatabaseHoldsNothingOfThePerson walks sessions to each kind of end and
// then looks for the document's data, the portrait and the frames in every file
// of the database, in the forms they could have taken.
func TestDatabaseHoldsNothingOfThePerson(t *testing.T) {
	t.Parallel()
	for name, walk := range map[string]func(t *testing.T, c *canaryRun){
		"accepted, account not yet made": func(t *testing.T, c *canaryRun) {
			_, run := c.toFace(t)
			if outcome, err := run.Finish(t.Context()); err != nil || !outcome.Accepted {
				t.Fatalf("%+v, %v", outcome, err)
			}
		},
		"done": func(t *testing.T, c *canaryRun) {
			token, run := c.toFace(t)
			if _, err := run.Finish(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Complete(t.Context(), token, func(context.Context, proofing.Accepted) error { return nil }); err != nil {
				t.Fatal(err)
			}
		},
		"refused": func(t *testing.T, c *canaryRun) {
			token, run := c.toFace(t)
			for range 3 {
				if _, err := run.Finish(t.Context()); err != nil {
					t.Fatal(err)
				}
				run, _ = c.BeginFace(t.Context(), token)
			}
		},
		"abandoned": func(t *testing.T, c *canaryRun) {
			token, _ := c.toFace(t)
			if _, err := c.Abandon(t.Context(), token); err != nil {
				t.Fatal(err)
			}
		},
		"expired": func(t *testing.T, c *canaryRun) {
			c.toFace(t)
			c.mu.Lock()
			c.at = c.at.Add(time.Hour)
			c.mu.Unlock()
			if err := c.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
		"stopped abruptly": func(t *testing.T, c *canaryRun) { c.toFace(t) }, // the files are read as they lie
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			c := newCanaryRun(t, filepath.Join(dir, "ipse.db"), name != "refused")
			walk(t, c)
			lookForCanaries(t, dir)
		})
	}
}

func newCanaryRun(t *testing.T, path string, accept bool) *canaryRun {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := consent.NewIssuer(consent.Config{Operator: consent.Operator{Name: "Example City", Contact: "dpo@city.example"}, Key: key, KeyID: "k"})
	if err != nil {
		t.Fatal(err)
	}
	c := &canaryRun{db: openProofings(t, store.Config{Path: path}), path: path, at: proofingsBegin()}
	c.Service, err = proofing.NewService(proofing.Config{Policy: proofing.DefaultPolicy(), Consent: issuer, Store: c.db, Readers: alwaysReader{},
		Chip: canaryChip{}, Face: canaryFace{accept}, Now: c.now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

func lookForCanaries(t *testing.T, dir string) {
	t.Helper()
	if form := findCanary(t, dir); form != "" {
		t.Errorf("the database holds something of the person: %s", form)
	}
}

// findCanary returns the form of a canary that the files of dir hold, or "".
func findCanary(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	whole := bytes.ToLower(readAll(t, files))
	for _, canary := range []string{canaryFamily, canaryGiven, canaryNumber, canaryPortrait, canaryFrame} {
		for _, form := range canaryForms(canary) {
			if bytes.Contains(whole, bytes.ToLower([]byte(form))) {
				return form
			}
		}
	}
	return ""
}

// TestCanariesAreFoundWhereTheyAre: what the test above looks with, sees.
func TestCanariesAreFoundWhereTheyAre(t *testing.T) {
	t.Parallel()
	for _, form := range canaryForms(canaryFamily) {
		dir := t.TempDir()
		db := openProofings(t, store.Config{Path: filepath.Join(dir, "ipse.db")})
		s := fullSession("one")
		s.Sealed = []byte("before " + form + " after")
		if err := db.CreateProofing(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		if findCanary(t, dir) == "" {
			t.Errorf("%q is not seen", form)
		}
	}
}

// canaryForms are the ways a value may be written: as it is, in hexadecimal,
// in base64 at each alignment, in UTF-16.
func canaryForms(s string) []string {
	forms := []string{s, hex.EncodeToString([]byte(s)), strings.Join(strings.Split(s, ""), "\x00")}
	for pad := range 3 {
		shifted := base64.RawStdEncoding.EncodeToString(append(make([]byte, pad), s...))
		forms = append(forms, shifted[pad+1:len(shifted)-2])
	}
	return forms
}

func readAll(t *testing.T, files []string) []byte {
	t.Helper()
	var all []byte
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, raw...)
	}
	return all
}
