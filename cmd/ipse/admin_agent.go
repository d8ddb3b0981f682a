package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"ipse/internal/app"
	"ipse/internal/config"
)

type adminAgentCmd struct {
	Add       agentAddCmd       `cmd:"" help:"Add an agent: prints the address, once, on which they register their passkey."`
	List      agentListCmd      `cmd:"" help:"List the agents."`
	Remove    agentRemoveCmd    `cmd:"" help:"Remove an agent at once. What they decided stays."`
	Decisions agentDecisionsCmd `cmd:"" help:"Write the evidence of every decision, one line of JSON each."`
	Verify    agentVerifyCmd    `cmd:"" help:"Check such lines, offline: signatures, checklist, agent."`
}

// staff opens the list of agents for do.
func (i installation) staff(c *cliContext, do func(cfg config.Config, staff *app.Staff) error) error {
	cfg, err := config.Load(i.Config)
	if err != nil {
		return err
	}
	staff, err := app.OpenStaff(c.Context, cfg, c.Now, rand.Reader)
	if err != nil {
		return err
	}
	return errors.Join(do(cfg, staff), staff.Close())
}

type agentAddCmd struct {
	installation
	Name string `required:"" help:"The agent's name, as your staff records have it." placeholder:"NAME"`
	JSON bool   `name:"json" help:"Print JSON."`
}

// Run adds the agent.
func (cmd agentAddCmd) Run(c *cliContext) error {
	return cmd.staff(c, func(cfg config.Config, staff *app.Staff) error {
		invited, err := staff.Add(c.Context, cmd.Name)
		if err != nil {
			return err
		}
		url := app.EnrolURL(cfg.Server.PublicURL, invited.Code)
		if cmd.JSON {
			return c.printJSON(map[string]any{"id": invited.Agent.ID, "enrol_url": url, "expires": invited.Expires.UTC()})
		}
		_, err = fmt.Fprintf(c.Stdout, "agent %s\n\n  %s\n\nValid once, until %s. Whoever opens it becomes this agent: hand it over in person.\n",
			invited.Agent.ID, url, invited.Expires.Format("2 January 15:04"))
		return err
	})
}

type agentListCmd struct {
	installation
	JSON             bool `name:"json" help:"Print JSON."`
	ShowPersonalData bool `help:"Print the agents' names."`
}

// agentLine is an agent as listed.
type agentLine struct {
	ID        string `json:"id"`
	Name      string `json:"name,omitempty"` // only with --show-personal-data
	AddedOn   string `json:"added_on"`
	RemovedOn string `json:"removed_on,omitempty"`
	Enrolled  bool   `json:"enrolled"`
}

func (l agentLine) state() string {
	switch {
	case l.RemovedOn != "":
		return "removed " + l.RemovedOn
	case l.Enrolled:
		return "active"
	}
	return "not enrolled"
}

// Run lists the agents.
func (cmd agentListCmd) Run(c *cliContext) error {
	return cmd.staff(c, func(_ config.Config, staff *app.Staff) error {
		agents, err := staff.List(c.Context)
		if err != nil {
			return err
		}
		lines := make([]agentLine, 0, len(agents))
		for _, a := range agents {
			line := agentLine{ID: a.ID, AddedOn: a.AddedOn, RemovedOn: a.RemovedOn, Enrolled: a.Key != nil}
			if cmd.ShowPersonalData {
				line.Name = a.Name
			}
			lines = append(lines, line)
		}
		if cmd.JSON {
			return c.printJSON(lines)
		}
		for _, l := range lines {
			text := fmt.Sprintf("%s  added %s  %-18s  %s", l.ID, l.AddedOn, l.state(), l.Name)
			if _, err := fmt.Fprintln(c.Stdout, strings.TrimRight(text, " ")); err != nil {
				return err
			}
		}
		return nil
	})
}

type agentRemoveCmd struct {
	installation
	ID string `arg:"" help:"The agent's identifier, as listed."`
}

// Run removes the agent.
func (cmd agentRemoveCmd) Run(c *cliContext) error {
	return cmd.staff(c, func(_ config.Config, staff *app.Staff) error {
		if err := staff.Remove(c.Context, cmd.ID); err != nil {
			return err
		}
		_, err := fmt.Fprintf(c.Stdout, "agent %s is removed: signed out everywhere, passkey forgotten, decisions kept\n", cmd.ID)
		return err
	})
}
