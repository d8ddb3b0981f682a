package fair

import "time"

// Later refuses something for now and says when another try is possible. It is the
// error that it wraps, for errors.Is; errors.As to *Later finds the wait.
type Later struct {
	of error
	// RetryAfter is a whole number of seconds, at least one.
	RetryAfter time.Duration
}

// After refuses with err for a time, which it rounds up to whole seconds: whoever
// comes back when told is not refused for a fraction of one.
func After(err error, wait time.Duration) *Later {
	return &Later{of: err, RetryAfter: max(time.Second, (wait + time.Second - 1).Truncate(time.Second))}
}

// Error implements error: the text of what it wraps, which names nobody.
func (l *Later) Error() string { return l.of.Error() }

// Unwrap returns the refusal.
func (l *Later) Unwrap() error { return l.of }
