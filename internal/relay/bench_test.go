package relay_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"ipse/internal/relay"
)

// BenchmarkTransmit is one READ BINARY of 231 bytes over a WebSocket on loopback.
func BenchmarkTransmit(b *testing.B) {
	hub, err := relay.NewHub(relay.Config{Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(hub)
	defer server.Close()
	defer hub.Close()
	connected := make(chan bool, 2)
	code, _, err := hub.Pair("s-1", func(on bool) { connected <- on })
	if err != nil {
		b.Fatal(err)
	}
	answer := append(make([]byte, 231), 0x90, 0x00)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_ = relay.Connect(ctx, relay.ClientConfig{URL: server.URL, Code: code,
			Card: cardFunc(func(context.Context, []byte) ([]byte, error) { return answer, nil })})
	}()
	<-connected
	card, _ := hub.Reader("s-1")
	command := []byte{0x0C, 0xB0, 0, 0, 0x0D, 0x97, 1, 0xE7, 0x8E, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := card.Transmit(ctx, command); err != nil {
			b.Fatal(err)
		}
	}
}
