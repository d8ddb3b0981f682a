package main

import "fmt"

// commands is the grammar of the command line: one field a command, each in a
// file of its own.
type commands struct {
	Demo     demoCmd     `cmd:"" help:"Everything at once on this machine, offline: server, specimen passport, two services."`
	Serve    serveCmd    `cmd:"" help:"Run the server."`
	Admin    adminCmd    `cmd:"" help:"Manage an installation: agents at the counter, backups."`
	Config   configCmd   `cmd:"" help:"Print the documented reference configuration, or check a file."`
	Passport passportCmd `cmd:"" help:"Read a document's chip, judge evidence, look into trust lists, make specimens."`
	Face     faceCmd     `cmd:"" help:"Compare two faces, judge a recorded live check, verify models."`
	Bench    benchCmd    `cmd:"" help:"Measure this machine: chip, face, login."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(c *cliContext) error {
	_, err := fmt.Fprintln(c.Stdout, "ipse", c.Version)
	return err
}
