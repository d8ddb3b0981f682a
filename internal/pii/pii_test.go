package pii_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"ipse/internal/pii"
)

// TestSensitiveValuesNeverPrint drives every formatting path that Go programs
// use and looks for the content in each result.
func TestSensitiveValuesNeverPrint(t *testing.T) {
	t.Parallel()
	const canary = "CANARY<<NAME"
	canaryBytes := []byte(canary)
	text := pii.NewText(canary)
	raw := pii.NewBytes([]byte(canary))
	holder := struct {
		Name pii.Text
		Raw  pii.Bytes
		Ptr  *pii.Text
	}{text, raw, &text}
	type inner struct {
		name pii.Text
		raw  pii.Bytes
	}
	hidden := struct { // fmt calls no method on these, nor behind the wrong verbs
		inner inner
		Deep  *inner
		Map   map[string]inner
	}{inner{text, raw}, &inner{text, raw}, map[string]inner{"k": {text, raw}}}

	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb+verb+verb, text, raw, holder, hidden, &hidden)
	}
	encoded, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(encoded)
	log := slog.New(slog.NewJSONHandler(&out, nil))
	log.Info("event", "name", text, "raw", raw, "holder", holder)
	slog.New(slog.NewTextHandler(&out, nil)).Info("event", "name", text, "raw", raw, "holder", holder)

	hexCanary := fmt.Sprintf("%x", canary)
	decCanary := strings.Trim(fmt.Sprintf("%d", canaryBytes), "[]")
	for _, form := range []string{canary, hexCanary, strings.ToUpper(hexCanary), decCanary} {
		if strings.Contains(out.String(), form) {
			t.Errorf("the content appears in formatted output as %.12s...", form)
		}
	}
	if !strings.Contains(out.String(), pii.Redacted) {
		t.Error("nothing was redacted: the test formats nothing")
	}
}

func TestRevealReturnsTheContent(t *testing.T) {
	t.Parallel()
	if got := pii.NewText("x").Reveal(); got != "x" {
		t.Errorf("Reveal = %q", got)
	}
	if !pii.NewText("").IsZero() || pii.NewText("x").IsZero() {
		t.Error("IsZero does not follow the content")
	}
}

func TestWipeClearsEveryCopy(t *testing.T) {
	t.Parallel()
	a := pii.NewBytes([]byte{1, 2, 3})
	b := a
	b.Wipe()
	if !bytes.Equal(a.Reveal(), []byte{0, 0, 0}) || a.Len() != 3 {
		t.Errorf("after Wipe the buffer holds %v", a.Reveal())
	}
}
