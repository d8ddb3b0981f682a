package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ipse/internal/relay"
)

// passportRelayCmd connects a reader here to a check that a person has open in
// a browser elsewhere. The server drives the chip; this only carries its commands.
type passportRelayCmd struct {
	Server string `required:"" help:"Address of the server, https://..." placeholder:"URL"`
	Code   string `required:"" help:"Pairing code that the page shows, ACDEF-GHJKM." placeholder:"CODE"`
	Reader string `required:"" help:"pcsc[:NAME], vpcd:HOST:PORT (waits for a virtual card) or specimen:DIR." placeholder:"READER"`
}

// Run carries commands until the server has read the document.
func (cmd passportRelayCmd) Run(c *cliContext) error {
	r, err := openReader(c, cmd.Reader)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // nothing is lost by closing badly
	return cmd.carry(c, r)
}

func (cmd passportRelayCmd) carry(c *cliContext, r *reader) error {
	commands := 0
	err := relay.Connect(c.Context, relay.ClientConfig{URL: cmd.Server, Code: cmd.Code, Card: r, Name: r.Kind, Lost: r.Lost,
		Connected: func() {
			fmt.Fprintln(c.Stderr, "Connected. Leave the document on the reader and go on in the browser.")
		},
		Exchanged: func(n int) {
			commands = n
			c.progress("%d commands carried", n)
		}})
	c.progressDone()
	if err != nil {
		return relayProblem(err)
	}
	_, err = fmt.Fprintf(c.Stdout, "done: %d commands carried\n", commands)
	return err
}

// relayProblem says in a sentence what to do about a failure.
func relayProblem(err error) error {
	var e *relay.Error
	wait := 0
	if errors.As(err, &e) {
		wait = int(e.RetryAfter / time.Second)
	}
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("stopped")
	case errors.Is(err, relay.ErrCode):
		return errors.New("the pairing code is not valid: take the one that the page shows now")
	case errors.Is(err, relay.ErrTooMany):
		return fmt.Errorf("too many wrong pairing codes: try again in %d s", wait)
	case errors.Is(err, relay.ErrBusy):
		return fmt.Errorf("the server has no room now: try again in %d s", wait)
	case errors.Is(err, relay.ErrVersion):
		return errors.New("the server speaks another version of the relay: use the program of the server's version")
	case errors.Is(err, relay.ErrHandshake):
		return errors.New("this address answers, but not as an Ipse server")
	case errors.Is(err, relay.ErrGone):
		return errors.New("the connection to the server broke")
	}
	return err
}
