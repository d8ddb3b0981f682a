package app

import (
	"bytes"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ipse/internal/config"
	"ipse/mrtd/specimen"
)

// newList writes the master list of a new specimen authority.
func newList(t *testing.T, name string, when time.Time) {
	t.Helper()
	issuer, err := specimen.NewIssuer(specimen.IssuerConfig{CSCA: "ecdsa-P-256-sha256", DS: "ecdsa-P-256-sha256", Rand: rand.Reader, Now: when})
	if err != nil {
		t.Fatal(err)
	}
	list, err := issuer.MasterList(when)
	if err != nil {
		t.Fatal(err)
	}
	put(t, name, list)
}

func put(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTrustListsComeIntoForceWhenTheyChange(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	newList(t, filepath.Join(dir, "a.ml"), now)
	var log bytes.Buffer
	lists, err := newTrustLists(config.Trust{Sources: []string{dir}, Policy: "icao"}, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	first := lists.live.Get()
	if err := lists.refresh(t.Context()); err != nil || lists.live.Get() != first {
		t.Errorf("nothing changed, and the store did: %v", err)
	}
	newList(t, filepath.Join(dir, "b.ml"), now)
	if err := lists.refresh(t.Context()); err != nil || lists.live.Get().Len() != 2 || first.Len() != 1 {
		t.Errorf("%v, %d authorities; the old store has %d", err, lists.live.Get().Len(), first.Len())
	}
	if !strings.Contains(log.String(), "authorities=2 before=1") {
		t.Errorf("the log does not count: %s", log.String())
	}
	// A list that was cut short: the old store stays, and the fault is told once.
	good := lists.live.Get()
	whole, err := os.ReadFile(filepath.Join(dir, "b.ml"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "b.ml"), whole[:len(whole)/2])
	if err := lists.refresh(t.Context()); err == nil || lists.live.Get() != good {
		t.Errorf("a list that was cut short: %v", err)
	}
	if err := lists.refresh(t.Context()); err != nil {
		t.Errorf("told again: %v", err)
	}
	if err := lists.reload(t.Context()); err == nil {
		t.Error("asked again, and not told")
	}
	put(t, filepath.Join(dir, "b.ml"), whole)
	if err := lists.refresh(t.Context()); err != nil || lists.live.Get().Digest() != good.Digest() {
		t.Errorf("mended: %v", err)
	}
}

func TestReloadNeverForgetsEveryAuthority(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	newList(t, filepath.Join(dir, "a.ml"), now)
	lists, err := newTrustLists(config.Trust{Sources: []string{dir}, Policy: "icao"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	first := lists.live.Get()
	issuer, err := specimen.NewIssuer(specimen.IssuerConfig{Rand: rand.Reader, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "a.ml"), issuer.DS()) // a signer, no authority
	if err := lists.reload(t.Context()); !errors.Is(err, errTrustsNobody) || lists.live.Get() != first {
		t.Error(err)
	}
	if err := os.Remove(filepath.Join(dir, "a.ml")); err != nil {
		t.Fatal(err)
	}
	if err := lists.refresh(t.Context()); err == nil || lists.live.Get() != first {
		t.Errorf("an empty folder: %v", err)
	}
}
