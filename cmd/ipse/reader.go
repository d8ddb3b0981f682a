package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
)

// reader is an opened reader with a document on it: a chip.Card that closes.
type reader struct {
	// Kind is the form it was opened by: "pcsc", "vpcd" or "specimen".
	Kind string

	transmit func(ctx context.Context, command []byte) ([]byte, error)
	close    func() error
	lost     func(error) bool // whether an error means that the document left
}

// Transmit implements chip.Card.
func (r *reader) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	return r.transmit(ctx, command)
}

// Lost reports whether an error of Transmit means that the document left the reader.
func (r *reader) Lost(err error) bool { return r.lost != nil && r.lost(err) }

// Close lets go of the reader.
func (r *reader) Close() error {
	if r.close == nil {
		return nil
	}
	return r.close()
}

// readerSpec is a parsed READER.
type readerSpec struct {
	kind string
	arg  string // name, address or folder
}

// parseReader reads a READER, or says how one is written.
func parseReader(text string) (readerSpec, error) {
	kind, arg, _ := strings.Cut(text, ":")
	switch kind {
	case "pcsc":
		return readerSpec{kind, arg}, nil
	case "vpcd":
		if _, port, err := net.SplitHostPort(arg); err != nil || port == "" {
			return readerSpec{}, usageError{errors.New("a vpcd reader is written vpcd:HOST:PORT")}
		}
		return readerSpec{kind, arg}, nil
	case "specimen":
		if arg == "" {
			return readerSpec{}, usageError{errors.New("a specimen reader is written specimen:DIR")}
		}
		return readerSpec{kind, arg}, nil
	}
	return readerSpec{}, usageError{errors.New("a reader is pcsc[:NAME], vpcd:HOST:PORT or specimen:DIR")}
}

// openReader opens a reader and waits until a document lies on it, or c's
// context ends. Close it.
func openReader(c *cliContext, text string) (*reader, error) {
	spec, err := parseReader(text)
	if err != nil {
		return nil, err
	}
	if spec.kind == "specimen" {
		if _, err := os.Stat(spec.arg); err != nil {
			return nil, fmt.Errorf("open the specimen: %w", err)
		}
	}
	return nil, fmt.Errorf("this build has no %s reader", spec.kind)
}
