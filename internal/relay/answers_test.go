package relay

import (
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// FuzzMessage: whatever a reader says first is read without a fault, its own words are
// not repeated, and what is read says the same again.
func FuzzMessage(f *testing.F) {
	for _, seed := range []string{
		`{"type":"hello","protocol":"ipse-relay/1","code":"ACDEF-GHJKM","reader":"pcsc"}`, `{"type":"refused","code":"too_many_attempts","retry_after_s":7}`,
		`{"type":"welcome","max_batch":16,"later":{"version":2}}`, `null`, `[]`, `{"type":1}`, `{"retry_after_s":1e99}`, "\xff", strings.Repeat("[", 5000),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := decodeMessage(raw)
		if err != nil {
			if !errors.Is(err, errFrame) || len(raw) > 16 && strings.Contains(err.Error(), string(raw)) {
				t.Fatalf("%v", err)
			}
			return
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if read, err := decodeMessage(again); len(again) <= maxText && (err != nil || read != m) {
			t.Fatalf("%+v reads again as %+v, %v", m, read, err)
		}
	})
}

// FuzzAnswers: whatever a reader sends in answer to commands, the server gets at least
// one answer and at most as many as it asked for, each of a length that a chip's
// answer can have, or a typed error; and only an answer of its own request.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte{kindAnswers, 0, 0, 0, 7, statusDone, 1, 0, 0, 0, 2, 0x90, 0}, 1)
	f.Add([]byte{kindAnswers, 0, 0, 0, 7, statusStopped, 1, 0, 0, 0, 2, 0x6A, 0x82}, 3)
	f.Add([]byte{kindAnswers, 0, 0, 0, 7, statusCardLost, 0}, 2)
	f.Add([]byte{kindAnswers, 0, 0, 0, 6, statusDone, 0}, 1) // an earlier request's
	f.Add([]byte{kindAnswers, 0, 0, 0, 8, statusDone, 0}, 1) // of none yet
	f.Fuzz(func(t *testing.T, raw []byte, asked int) {
		if asked < 1 || asked > MaxBatch {
			return
		}
		answer, err := decodeFrame(raw, kindAnswers)
		if err != nil {
			return
		}
		pending := make(chan frame, 1)
		c := &serverConn{hub: &Hub{cfg: Config{TransmitFor: time.Hour, Log: slog.New(slog.DiscardHandler)}}, done: make(chan struct{}), id: 7, pending: pending, ended: true}
		known := c.deliver(answer)
		if known != (answer.id <= 7) || (len(pending) == 1) != (answer.id == 7) {
			t.Fatalf("answer %d: known %v, delivered %v", answer.id, known, len(pending) == 1)
		}
		if answer.id != 7 {
			return
		}
		got, err := c.await(t.Context(), pending, asked)
		var typed *Error
		switch {
		case err != nil && (!errors.As(err, &typed) || got != nil):
			t.Fatalf("%v with %d answers", err, len(got))
		case err == nil && (len(got) == 0 || len(got) > asked || answer.status > statusStopped):
			t.Fatalf("%d answers to %d commands, status %d", len(got), asked, answer.status)
		}
		for _, a := range got {
			if len(a) < minAnswer || len(a) > maxAnswer {
				t.Fatalf("an answer of %d bytes", len(a))
			}
		}
		if c.deliver(answer) {
			t.Fatal("the same answer serves twice")
		}
	})
}
