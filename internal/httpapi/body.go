package httpapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"ipse/internal/pii"
	"ipse/internal/problem"
)

// maxBody bounds a request's body, in bytes: an authenticator's answer with an
// attestation is the largest.
const maxBody = 128 << 10

// readJSON decodes the one JSON object of a request: no other type, no unknown
// members, nothing after it. The raw bytes are wiped: they may hold what a
// person typed. Errors never repeat what was sent.
func readJSON(r *http.Request, into any) error { return readLargeJSON(r, into, maxBody) }

// readLargeJSON is readJSON with another bound.
func readLargeJSON(r *http.Request, into any, limit int64) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return problem.New(problem.InvalidRequest, errors.New("the body is not declared as application/json"))
	}
	if r.ContentLength > limit {
		return problem.New(problem.TooLarge, nil)
	}
	size := limit
	if r.ContentLength >= 0 {
		size = r.ContentLength
	}
	whole := make([]byte, size+1) // once: what grows leaves copies behind, which nobody wipes
	defer pii.Wipe(whole)
	n, err := io.ReadFull(r.Body, whole)
	raw := whole[:n]
	switch {
	case err == nil:
		return problem.New(problem.TooLarge, nil)
	case !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		// The cause names the client's address: net.OpError quotes both ends.
		return problem.New(problem.InvalidRequest, errors.New("the body did not arrive"))
	case int64(n) < r.ContentLength:
		return problem.New(problem.InvalidRequest, errors.New("the body is cut short"))
	case !bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("{")):
		return problem.New(problem.InvalidRequest, errors.New("the body is not a JSON object"))
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return problem.New(problem.InvalidRequest, fmt.Errorf("decode the body: %s", kindOf(err)))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return problem.New(problem.InvalidRequest, errors.New("the body holds more than one value"))
	}
	return nil
}

// kindOf says what is wrong with a body without repeating it: messages of
// encoding/json quote what was sent.
func kindOf(err error) string {
	var syntax *json.SyntaxError
	var typed *json.UnmarshalTypeError
	var encoded base64.CorruptInputError
	switch {
	case errors.As(err, &syntax):
		return "not JSON"
	case errors.As(err, &typed):
		return "a member of another type"
	case errors.As(err, &encoded):
		return "a member that is not base64url"
	}
	return "an unknown member or a cut text"
}

// nothing is the body of requests that say all by their address.
type nothing struct{}

func writeJSON(w http.ResponseWriter, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(raw) // the client is gone: nothing left to tell it
	return nil
}

func noContent(w http.ResponseWriter) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// b64 is bytes in base64url without padding, as the pages write them.
type b64 []byte

// UnmarshalText implements encoding.TextUnmarshaler, strictly.
func (b *b64) UnmarshalText(text []byte) error {
	raw := make([]byte, base64.RawURLEncoding.DecodedLen(len(text))) // no string of it: that could not be wiped
	n, err := base64.RawURLEncoding.Strict().Decode(raw, text)
	*b = raw[:n]
	return err
}

// MarshalText implements encoding.TextMarshaler.
func (b b64) MarshalText() ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(nil, b), nil
}
