package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"ipse/internal/pcsc"
	"ipse/mrtd/specimen"
	"ipse/mrtd/vpcd"
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
	switch spec.kind {
	case "specimen":
		return openSpecimen(spec.arg)
	case "vpcd":
		return openVPCD(c, spec.arg)
	default:
		return openPCSC(c, spec.arg)
	}
}

func openSpecimen(dir string) (*reader, error) {
	card, err := softwareChip(dir)
	if err != nil {
		return nil, err
	}
	return &reader{Kind: "specimen", transmit: card.Transmit,
		lost: func(err error) bool { return errors.Is(err, specimen.ErrRemoved) }}, nil
}

// softwareChip loads the specimen document of a folder into a chip.
func softwareChip(dir string) (*specimen.Chip, error) {
	doc, err := specimen.LoadDocument(os.DirFS(dir), ".")
	if err != nil {
		return nil, fmt.Errorf("folder %s: %w", dir, err)
	}
	return specimen.NewChip(doc, rand.Reader)
}

func openVPCD(c *cliContext, address string) (*reader, error) {
	l, err := vpcd.Listen(c.Context, address, vpcd.ReaderConfig{Rejected: func(error) {
		fmt.Fprintln(c.Stderr, "A connection came that is no virtual card; waiting on.")
	}})
	if err != nil {
		return nil, err
	}
	defer func() { _ = l.Close() }() // one card is enough
	fmt.Fprintf(c.Stderr, "Waiting for a virtual card on %s.\n", l.Addr())
	card, err := l.Accept(c.Context)
	if err != nil {
		return nil, waitProblem(err)
	}
	return &reader{Kind: "vpcd", transmit: card.Transmit, close: card.Close, lost: vpcd.Lost}, nil
}

func openPCSC(c *cliContext, name string) (*reader, error) {
	system, err := pcsc.Open()
	if err != nil {
		return nil, err
	}
	names, err := system.Readers()
	if err == nil && len(names) > 0 {
		fmt.Fprintln(c.Stderr, "Put the document on the reader.")
	}
	card, err := system.Connect(c.Context, name)
	if err != nil {
		_ = system.Close()
		if errors.Is(err, pcsc.ErrNoReader) && len(names) > 0 {
			return nil, fmt.Errorf("%w; connected: %s", err, strings.Join(names, ", "))
		}
		return nil, waitProblem(err)
	}
	return &reader{Kind: "pcsc", transmit: card.Transmit, lost: pcsc.Lost,
		close: func() error { return errors.Join(card.Close(), system.Close()) }}, nil
}

// waitProblem says in a word that the user stopped the waiting.
func waitProblem(err error) error {
	if errors.Is(err, context.Canceled) {
		return errors.New("stopped")
	}
	return err
}
