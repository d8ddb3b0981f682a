// Package problem turns errors into what people and programs may know of them:
// a stable code, an HTTP status and a sentence (RFC 9457). The cause stays with
// the operator. There is one table, in table.go; every sentinel error of the
// services stands in it, and a test keeps it so.
//
// The pages hold the sentences that people read, in every language, by code
// (web/src/i18n): the title here is for programs and logs.
package problem

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"ipse/internal/fair"
)

// ContentType of a problem document (RFC 9457 §3).
const ContentType = "application/problem+json"

// Problem is a problem document.
type Problem struct {
	// Type identifies the kind of problem: urn:ipse:problem:CODE.
	Type string `json:"type"`
	// Title is a short sentence, the same for every problem of this code.
	Title string `json:"title"`
	// Status is the HTTP status.
	Status int `json:"status"`
	// Code is stable; docs/api.md lists all.
	Code Code `json:"code"`
	// RetryAfter is in how many seconds to try again; 0 says nothing.
	RetryAfter int `json:"retry_after_s,omitempty"`
}

// Of returns the problem that stands for an error. An error that no row of the
// table knows is Internal.
func Of(err error) Problem {
	code := codeOf(err)
	p := code.problem()
	var later *fair.Later
	var own *Error
	switch {
	case errors.As(err, &own) && own.RetryAfter > 0:
		p.RetryAfter = seconds(own.RetryAfter)
	case errors.As(err, &later):
		p.RetryAfter = seconds(later.RetryAfter)
	}
	return p
}

func seconds(d time.Duration) int { return max(1, int((d+time.Second-1)/time.Second)) }

// Write answers with the problem that stands for err and returns it, for the log.
func Write(w http.ResponseWriter, err error) Problem {
	p := Of(err)
	h := w.Header()
	h.Set("Content-Type", ContentType)
	h.Set("Cache-Control", "no-store")
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client is gone: nothing left to tell it
	return p
}

// Error is an error whose code is known where it arises: at a door.
type Error struct {
	// Code for the person.
	Code Code
	// RetryAfter says when to try again; 0 says nothing.
	RetryAfter time.Duration
	// Err is the cause, for the operator; it holds no data values. May be nil.
	Err error
}

// New makes an error of a code with its cause, which may be nil.
func New(code Code, cause error) *Error { return &Error{Code: code, Err: cause} }

// Error implements error.
func (e *Error) Error() string {
	if e.Err == nil {
		return string(e.Code)
	}
	return string(e.Code) + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// coded is an error that names its own code, of a package that stands above
// this one: the OpenID provider's.
type coded interface{ Code() string }

func codeOf(err error) Code {
	var own *Error
	var named coded
	switch {
	case errors.As(err, &own):
		return own.Code
	case errors.As(err, &named):
		if code, known := namedCodes()[named.Code()]; known {
			return code
		}
	}
	for _, r := range rows() {
		if errors.Is(err, r.err) {
			return r.code
		}
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return Unavailable
	}
	return Internal
}
