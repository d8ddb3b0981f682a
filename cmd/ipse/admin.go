package main

import (
	"fmt"

	"ipse/internal/app"
	"ipse/internal/config"
)

type adminCmd struct {
	Agent  adminAgentCmd  `cmd:"" help:"The agents at the counter, and what they decided."`
	Backup adminBackupCmd `cmd:"" help:"Copy the database to a new file; the server may be running."`
}

// installation names the server's configuration.
type installation struct {
	Config string `required:"" help:"Configuration file of the server, which may be running." type:"path" placeholder:"FILE"`
}

type adminBackupCmd struct {
	installation
	Out string `required:"" help:"The new file." type:"path" placeholder:"FILE"`
}

// Run copies the database.
func (cmd adminBackupCmd) Run(c *cliContext) error {
	cfg, err := config.Load(cmd.Config)
	if err != nil {
		return err
	}
	if err := app.Backup(c.Context, cfg, cmd.Out); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.Stdout, "%s is a copy of the database, without the keys\n", cmd.Out)
	return err
}
