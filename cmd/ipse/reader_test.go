package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ipse/internal/relay"
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
