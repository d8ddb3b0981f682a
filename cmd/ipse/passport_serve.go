package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"ipse/mrtd/specimen"
	"ipse/mrtd/vpcd"
)

// specimenServeCmd presents a software chip to a vpcd reader.
type specimenServeCmd struct {
	Dir  string        `required:"" help:"Folder of the document, as written by passport specimen new." type:"path" placeholder:"DIR"`
	VPCD string        `name:"vpcd" required:"" help:"The vpcd reader, for example 127.0.0.1:35963." placeholder:"HOST:PORT"`
	Wait time.Duration `help:"How long to wait for the reader to listen." default:"10s"`
}

// Run serves until the reader goes or the user interrupts.
func (cmd specimenServeCmd) Run(c *cliContext) error {
	chip, err := softwareChip(cmd.Dir)
	if err != nil {
		return err
	}
	commands := 0
	err = cmd.connect(c, vpcd.CardConfig{Card: chip, Reset: chip.Reset, Exchanged: func(n int) {
		commands = n
		c.progress("%d commands answered", n)
	}})
	c.progressDone()
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	_, err = fmt.Fprintf(c.Stdout, "done: %d commands answered\n", commands)
	return err
}

// connect serves the card, waiting for the reader to listen.
func (cmd specimenServeCmd) connect(c *cliContext, cfg vpcd.CardConfig) error {
	end := c.Now().Add(cmd.Wait)
	for {
		err := vpcd.Connect(c.Context, cmd.VPCD, cfg)
		if !errors.Is(err, syscall.ECONNREFUSED) || c.Now().After(end) {
			return err
		}
		select {
		case <-c.Context.Done():
			return c.Context.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// specimenFaultsCmd lists the faults.
type specimenFaultsCmd struct{}

// Run prints one fault a line.
func (specimenFaultsCmd) Run(c *cliContext) error {
	for _, f := range specimen.Faults() {
		if _, err := fmt.Fprintf(c.Stdout, "%-20s %s\n", f.Name, f.Text); err != nil {
			return err
		}
	}
	return nil
}
