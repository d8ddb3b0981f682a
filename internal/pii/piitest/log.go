// Package piitest holds what tests of several packages need to look for personal
// data where none may be.
package piitest

import (
	"bytes"
	"sync"
)

// Log is an io.Writer that tests read while a server writes to it. The zero
// value is empty and ready.
type Log struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// String returns all that was written so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
