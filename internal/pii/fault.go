package pii

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
)

// maxCallers bounds the functions that Fault names.
const maxCallers = 6

// Fault describes what recover returned, for the log: the type of the value, never
// the value, which may be personal, and the module's own functions on the stack,
// without arguments. Call it in the deferred function that recovered.
func Fault(value any) slog.Value {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])]) // leaves out Callers, Fault and the deferred function
	var at []string
	for {
		frame, more := frames.Next()
		if name, ours := strings.CutPrefix(frame.Function, "ipse/"); ours {
			at = append(at, fmt.Sprintf("%s:%d", name, frame.Line))
		}
		if !more || len(at) == maxCallers {
			return slog.GroupValue(slog.String("kind", fmt.Sprintf("%T", value)), slog.String("at", strings.Join(at, " < ")))
		}
	}
}

// Contain ends a panic where it is deferred and logs what may be said of it (Fault):
// the goroutine ends, the program goes on. It stands first in every goroutine that
// serves no HTTP request, since nobody else would catch it there:
//
//	defer pii.Contain(ctx, log, "what this goroutine does")
//
// Deferred calls after it run before it, so that what is held is released.
func Contain(ctx context.Context, log *slog.Logger, what string) {
	if fault := recover(); fault != nil {
		log.ErrorContext(ctx, "panic", "what", what, "fault", Fault(fault))
	}
}
