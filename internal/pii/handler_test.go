package pii_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ipse/internal/pii"
)

func TestHandlerLetsOnlyHarmlessValuesThrough(t *testing.T) {
	t.Parallel()
	mrz := "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"
	jwt := "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln"
	blob := strings.Repeat("QUJD", 40)
	for name, log := range map[string]func(*slog.Logger){
		"message":     func(l *slog.Logger) { l.Info("read " + mrz) },
		"string":      func(l *slog.Logger) { l.Info("m", "k", mrz) },
		"token":       func(l *slog.Logger) { l.Info("m", "k", jwt) },
		"blob":        func(l *slog.Logger) { l.Info("m", "k", blob) },
		"long":        func(l *slog.Logger) { l.Info("m", "k", strings.Repeat(mrz+" ", 20)) },
		"error":       func(l *slog.Logger) { l.Info("m", "err", errors.New("bad line "+mrz)) },
		"bytes":       func(l *slog.Logger) { l.Info("m", "k", []byte(mrz)) },
		"struct":      func(l *slog.Logger) { l.Info("m", "k", struct{ Name string }{mrz}) },
		"map":         func(l *slog.Logger) { l.Info("m", "k", map[string]string{"a": mrz}) },
		"group":       func(l *slog.Logger) { l.Info("m", slog.Group("g", "k", mrz, "j", jwt)) },
		"with":        func(l *slog.Logger) { l.With("k", mrz).WithGroup("g").Info("m", "t", jwt) },
		"pii in any":  func(l *slog.Logger) { l.Info("m", "k", []pii.Text{pii.NewText(mrz)}) },
		"pointer any": func(l *slog.Logger) { s := mrz; l.Info("m", "k", &s) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			log(slog.New(pii.NewHandler(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))))
			if out.Len() == 0 {
				t.Fatal("nothing was logged")
			}
			for _, secret := range []string{"ERIKSSON", "eyJzdWIi", "QUJDQUJD", "RVJJS1NTT04"} {
				if strings.Contains(out.String(), secret) {
					t.Errorf("log holds %s: %s", secret, out.String())
				}
			}
		})
	}
}

func TestHandlerKeepsWhatOperatorsNeed(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(pii.NewHandler(slog.NewTextHandler(&out, nil)))
	log.LogAttrs(context.Background(), slog.LevelWarn, "proofing refused", slog.String("reason", "not_genuine"),
		slog.Int("attempt", 2), slog.Duration("took", 3*time.Second), slog.Bool("retry", true), slog.Any("err", errors.New("chip lost")))
	for _, want := range []string{"proofing refused", "reason=not_genuine", "attempt=2", "took=3s", "retry=true", "chip lost"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("log lacks %q: %s", want, out.String())
		}
	}
}
