package pii_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"testing"

	"ipse/internal/pii"
	"ipse/internal/pii/piitest"
)

// TestContainEndsAPanicAndLogsNoValue: the goroutine ends, what it held is released,
// and the log names the work, the kind of fault and the place.
func TestContainEndsAPanicAndLogsNoValue(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(pii.NewHandler(slog.NewJSONHandler(&out, nil)))
	released := false
	func() {
		defer pii.Contain(context.Background(), log, "a reading")
		defer func() { released = true }()
		panic("CANARY<<NAME")
	}()
	if !released {
		t.Error("what was held is not released")
	}
	var line struct {
		Level, Msg, What string
		Fault            struct{ Kind, At string }
	}
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, out.Bytes())
	}
	if line.Level != "ERROR" || line.Msg != "panic" || line.What != "a reading" || line.Fault.Kind != "string" {
		t.Errorf("%+v", line)
	}
	if piitest.Shows(out.String(), "CANARY<<NAME") {
		t.Error("the value of the panic is logged")
	}
}

// TestContainIsSilentWithoutAPanic and lets the goroutine end as it would.
func TestContainIsSilentWithoutAPanic(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	func() {
		defer pii.Contain(context.Background(), slog.New(slog.NewTextHandler(&out, nil)), "a reading")
	}()
	if out.Len() > 0 {
		t.Errorf("logged %q", out.String())
	}
}
