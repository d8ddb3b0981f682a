package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"ipse/internal/app"
	"ipse/internal/config"
	"ipse/internal/counter"
)

type agentDecisionsCmd struct {
	installation
}

// Run writes the evidence to standard output.
func (cmd agentDecisionsCmd) Run(c *cliContext) error {
	return cmd.staff(c, func(_ config.Config, staff *app.Staff) error {
		out := json.NewEncoder(c.Stdout)
		out.SetEscapeHTML(false)
		return staff.Decisions(c.Context, func(d counter.Decision) error { return out.Encode(d) })
	})
}

type agentVerifyCmd struct {
	File      string `arg:"" help:"What ipse admin agent decisions wrote."`
	PublicURL string `required:"" name:"public-url" help:"The server's public address, to which passkeys are bound." placeholder:"URL"`
	JSON      bool   `name:"json" help:"Print what each decision says, one line of JSON each."`
}

// Run checks every line; a line that does not verify is a refusal.
func (cmd agentVerifyCmd) Run(c *cliContext) error {
	keys, err := app.AgentKeys(cmd.PublicURL)
	if err != nil {
		return err
	}
	file, err := os.Open(cmd.File)
	if err != nil {
		return fmt.Errorf("open the decisions: %w", err)
	}
	defer func() { _ = file.Close() }()
	var approved, declined, bad, line int
	for lines := bufio.NewScanner(file); ; line++ {
		if !lines.Scan() {
			if err := lines.Err(); err != nil {
				return fmt.Errorf("read the decisions: %w", err)
			}
			break
		}
		var d counter.Decision
		var found counter.Finding
		if err = json.Unmarshal(lines.Bytes(), &d); err == nil {
			found, err = counter.Check(keys, d)
		}
		switch {
		case err != nil:
			bad++
			fmt.Fprintf(c.Stderr, "line %d: %v\n", line+1, err)
		case found.Approved:
			approved++
		default:
			declined++
		}
		if err == nil && cmd.JSON {
			if err := printFinding(c.Stdout, found); err != nil {
				return err
			}
		}
	}
	if bad > 0 {
		return refused("%d of %d decisions do not verify", bad, line)
	}
	if !cmd.JSON {
		_, err = fmt.Fprintf(c.Stdout, "%d decisions verify: %d approved, %d refused\n", line, approved, declined)
		return err
	}
	return nil
}

func printFinding(w io.Writer, f counter.Finding) error {
	return json.NewEncoder(w).Encode(map[string]any{"case": f.Case, "agent": f.Agent, "at": f.At, "approved": f.Approved,
		"checklist": f.Checklist, "reason": f.Reason, "receipt_sha256": f.ReceiptSHA256})
}
