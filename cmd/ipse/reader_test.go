package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"ipse/internal/relay"
	"ipse/mrtd"
	"ipse/mrtd/chip"
	"ipse/mrtd/mrz"
)

func TestReadersAreParsed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]readerSpec{
		"pcsc": {"pcsc", ""}, "pcsc:ACS ACR122U 00 00": {"pcsc", "ACS ACR122U 00 00"},
		"vpcd:127.0.0.1:35963": {"vpcd", "127.0.0.1:35963"}, "specimen:/tmp/a:b": {"specimen", "/tmp/a:b"},
	} {
		if got, err := parseReader(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "nfc", "vpcd", "vpcd:127.0.0.1", "vpcd:127.0.0.1:", "specimen", "specimen:", "PCSC"} {
		var usage usageError
		if _, err := parseReader(text); !errors.As(err, &usage) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestRelayCommandCarriesUntilReleased(t *testing.T) {
	t.Parallel()
	hub, err := relay.NewHub(relay.Config{Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(hub)
	t.Cleanup(server.Close)
	t.Cleanup(hub.Close)
	connected := make(chan bool, 4)
	code, _, err := hub.Pair("s-1", func(on bool) { connected <- on })
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	c := &cliContext{Context: t.Context(), Stdout: &stdout, Stderr: &stderr, Now: time.Now}
	end := make(chan error, 1)
	go func() {
		end <- passportRelayCmd{Server: server.URL, Code: code}.carry(c, &reader{Kind: "specimen",
			transmit: func(context.Context, []byte) ([]byte, error) { return []byte{0x90, 0x00}, nil }})
	}()
	<-connected
	card, ok := hub.Reader("s-1")
	if !ok {
		t.Fatal("no reader")
	}
	for range 3 {
		if _, err := card.Transmit(t.Context(), []byte{0, 0xA4, 4, 0x0C}); err != nil {
			t.Fatal(err)
		}
	}
	hub.Release("s-1")
	if err := <-end; err != nil {
		t.Fatal(err)
	}
	if stdout.String() != "done: 3 commands carried\n" || !strings.Contains(stderr.String(), "Connected") || strings.Contains(stderr.String(), code) {
		t.Errorf("stdout %q, stderr %q", stdout.String(), stderr.String())
	}
	if err := (passportRelayCmd{Server: server.URL, Code: code}).carry(c, &reader{}); err == nil || !strings.Contains(err.Error(), "pairing code") {
		t.Errorf("a used code: %v", err)
	}
}

// A document on a reader far away is read by the server and judged genuine: the
// whole way from the software chip through the relay's client and hub.
func TestSpecimenIsReadOverTheRelay(t *testing.T) {
	t.Parallel()
	hub, err := relay.NewHub(relay.Config{Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(hub)
	t.Cleanup(server.Close)
	t.Cleanup(hub.Close)
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	c := &cliContext{Context: t.Context(), Stdout: &stdout, Stderr: &stderr, Now: time.Now}
	if code := run(c, []string{"passport", "specimen", "new", "--out", dir, "--aa", "ecdsa-P-256-sha256", "--pace", "gm"}); code != exitDone {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	connected := make(chan bool, 4)
	code, _, err := hub.Pair("s-1", func(on bool) { connected <- on })
	if err != nil {
		t.Fatal(err)
	}
	end := make(chan int, 1)
	go func() {
		end <- run(c, []string{"passport", "relay", "--server", server.URL, "--code", code, "--reader", "specimen:" + dir})
	}()
	<-connected
	card, ok := hub.Reader("s-1")
	if !ok {
		t.Fatal("no reader")
	}
	store, _, err := trustFlags{}.load([]string{dir + "/trust"}, false)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(dir + "/mrz.txt")
	if err != nil {
		t.Fatal(err)
	}
	zone, err := mrz.Parse(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	x, err := mrtd.Inspect(t.Context(), card, store, mrtd.InspectOptions{Now: time.Now, Verify: mrtd.VerifyOptions{RequireFresh: true},
		Read: chip.Options{Access: chip.FromMRZ(zone), Challenge: []byte("8 octets"), Rand: rand.Reader}})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Wipe()
	if !x.Verdict.Genuine || !x.Verdict.ChipAuthentic || x.Verdict.Freshness != mrtd.OwnChallenge {
		t.Error("not genuine")
	}
	hub.Release("s-1")
	if code := <-end; code != exitDone || !strings.Contains(stdout.String(), "commands carried") {
		t.Errorf("exit %d: %s", code, stderr.String())
	}
}
