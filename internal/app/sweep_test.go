package app_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ipse/internal/app"
	"ipse/internal/pii"
	"ipse/internal/pii/piitest"
)

// TestAPanicInTheBackgroundEndsNothing: the next turn comes, the operator learns
// where it happened, and what it was about stays unsaid.
func TestAPanicInTheBackgroundEndsNothing(t *testing.T) {
	t.Parallel()
	log := &piitest.Log{}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	turns := 0
	app.Repeat(ctx, slog.New(pii.NewHandler(slog.NewJSONHandler(log, nil))), "checks", time.Millisecond, func(context.Context) error {
		switch turns++; turns {
		case 1:
			panic("L898902C3 of ERIKSSON")
		case 2:
			return errors.New("the store is gone")
		}
		cancel()
		return errors.New("not to be logged: it is over")
	})
	text := log.String()
	if turns != 3 || strings.Contains(text, "ERIKSSON") || strings.Contains(text, "not to be logged") {
		t.Errorf("%d turns; log: %s", turns, text)
	}
	for _, want := range []string{`"msg":"panic","what":"checks"`, `"kind":"string"`, "TestAPanicInTheBackgroundEndsNothing", "the store is gone"} {
		if !strings.Contains(text, want) {
			t.Errorf("the log lacks %q: %s", want, text)
		}
	}
}
