package main

import (
	"fmt"

	"ipse/internal/app"
	"ipse/internal/config"
)

type configCmd struct {
	Reference configReferenceCmd `cmd:"" help:"Print a configuration file with every setting, its meaning and its default."`
	Check     configCheckCmd     `cmd:"" help:"Check a configuration file and say everything that is wrong with it."`
}

type configReferenceCmd struct{}

// Run prints the reference file.
func (configReferenceCmd) Run(c *cliContext) error { return config.WriteReference(c.Stdout) }

type configCheckCmd struct {
	File string `arg:"" help:"The configuration file." type:"path"`
}

// Run validates the file.
func (cmd configCheckCmd) Run(c *cliContext) error {
	cfg, err := config.Load(cmd.File)
	if err != nil {
		return err
	}
	found, err := app.CheckFiles(cfg)
	if err != nil {
		return fmt.Errorf("%s: %w", cmd.File, err)
	}
	_, err = fmt.Fprintf(c.Stdout, "%s is valid: %s, %d services, %d trust sources with %d authorities\n",
		cmd.File, cfg.Server.PublicURL, len(cfg.Service), len(cfg.Trust.Sources), found.Authorities)
	if err == nil && found.Authorities == 0 {
		_, err = fmt.Fprintln(c.Stderr, "ipse: trust.sources names no authority: every document would be refused")
	}
	return err
}
