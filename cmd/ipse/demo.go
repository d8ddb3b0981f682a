package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"ipse/internal/app"
)

type demoCmd struct {
	Addr  string   `help:"Loopback address to listen on; the demo services take the next two ports." default:"127.0.0.1:8443" placeholder:"HOST:PORT"`
	Data  string   `help:"Folder to keep the accounts in; without it they are gone at the end." type:"path" placeholder:"DIR"`
	Trust []string `help:"Further issuers to trust, besides the specimen's: master list, LDIF, PEM, DER or folder; repeatable. With a national list your own passport can be read." type:"path" placeholder:"PATH"`
	Log   bool     `help:"Write the server's log to standard error."`
}

// Run serves the demonstration until interrupted.
func (cmd demoCmd) Run(c *cliContext) error {
	log := slog.New(slog.DiscardHandler)
	if cmd.Log {
		log = newLog(c.Stderr, false)
	}
	demo, err := app.NewDemo(c.Context, app.DemoOptions{Address: cmd.Addr, Data: cmd.Data, Trust: cmd.Trust, Version: c.Version, Log: log, Now: c.Now, Rand: rand.Reader})
	if err != nil {
		return err
	}
	err = demo.Serve(c.Context, func() { cmd.explain(c, demo) })
	return errors.Join(err, closeWithin(demo.Close, 10*time.Second))
}

// explain prints where to go and what to click.
func (cmd demoCmd) explain(c *cliContext, demo *app.Demo) {
	fmt.Fprintf(c.Stdout, `Ipse is running, with a specimen passport in a software chip. Nothing here is about anybody.

  1. Prove who you are   %s
     Choose "with my camera", agree, and use the specimen passport. Then play
     the demo person, or let your own camera take the portrait and compare you.
     Or choose "at a counter", and be the agent too, in another browser:
     %-24s %s
  2. Log in to a service with the passkey you made
`, demo.URL(), "Counter", demo.AgentURL())
	for _, s := range demo.Services() {
		fmt.Fprintf(c.Stdout, "     %-24s %s\n", s.Name, s.URL)
	}
	kept := "Everything is forgotten when you stop it."
	if cmd.Data != "" {
		kept = "Accounts are kept in " + cmd.Data + "."
	}
	fmt.Fprintf(c.Stdout, "\n%s Stop with Ctrl-C.\n", kept)
}
