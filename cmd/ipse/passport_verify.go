package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"ipse/internal/pii"
	"ipse/mrtd"
	"ipse/mrtd/deviation"
)

type passportVerifyCmd struct {
	trustFlags
	Trust            []string      `required:"" help:"Master list, LDIF, PEM, DER or folder; repeatable." placeholder:"PATH"`
	Evidence         string        `arg:"" help:"Evidence file, as written by passport read." type:"path"`
	At               string        `help:"Time of the verdict (RFC 3339); default now." placeholder:"TIME"`
	Challenge        string        `help:"The challenge that the verifier chose for active authentication, in hexadecimal." placeholder:"HEX"`
	AllowExpired     bool          `help:"Tolerate a document past its date of expiry."`
	RequireCRL       bool          `name:"require-crl" help:"Refuse where no fresh revocation list is known."`
	CRLGrace         time.Duration `name:"crl-grace" help:"How long a revocation list counts as fresh after its next update." default:"0s"`
	JSON             bool          `name:"json" help:"Print the verdict as JSON."`
	ShowPersonalData bool          `help:"Print what the document says about its holder."`
}

// Run verifies and prints the verdict.
func (cmd passportVerifyCmd) Run(c *cliContext) error {
	opts, err := cmd.options(c)
	if err != nil {
		return err
	}
	store, _, err := cmd.load(cmd.Trust, false)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(cmd.Evidence)
	if err != nil {
		return err
	}
	ev, err := mrtd.ReadEvidence(b)
	if err != nil {
		return fmt.Errorf("%s: %w", cmd.Evidence, err)
	}
	defer ev.Wipe()
	v, err := mrtd.Verify(ev, store, opts)
	if err != nil {
		return err
	}
	if err := cmd.print(c, v); err != nil {
		return err
	}
	if !v.Genuine {
		return refused("the document is not genuine and in force under this trust store and policy: %s", firstFailure(v))
	}
	return nil
}

func (cmd passportVerifyCmd) options(c *cliContext) (mrtd.VerifyOptions, error) {
	policy, err := deviation.ParsePolicy(cmd.Policy)
	if err != nil {
		return mrtd.VerifyOptions{}, usageError{err}
	}
	opts := mrtd.VerifyOptions{Now: c.Now(), Policy: policy, AllowExpired: cmd.AllowExpired, RequireCRL: cmd.RequireCRL, CRLGrace: cmd.CRLGrace}
	if cmd.At != "" {
		if opts.Now, err = time.Parse(time.RFC3339, cmd.At); err != nil {
			return opts, usageError{fmt.Errorf("--at: not a time of RFC 3339, for example 2026-11-24T12:00:00Z")}
		}
	}
	if cmd.Challenge != "" {
		if opts.AAChallenge, err = hex.DecodeString(cmd.Challenge); err != nil {
			return opts, usageError{fmt.Errorf("--challenge: not hexadecimal")}
		}
	}
	return opts, nil
}

func firstFailure(v *mrtd.Verdict) string {
	for _, check := range v.Checks {
		if check.Result == mrtd.Failed {
			return check.ID + ": " + check.Detail
		}
	}
	return "no check failed"
}

func (cmd passportVerifyCmd) print(c *cliContext, v *mrtd.Verdict) error {
	if !cmd.JSON {
		if err := v.WriteText(c.Stdout); err != nil || !cmd.ShowPersonalData {
			return err
		}
		for _, f := range personal(v) {
			if _, err := fmt.Fprintf(c.Stdout, "%-15s %s\n", f.name, f.value.Reveal()); err != nil {
				return err
			}
		}
		return nil
	}
	if !cmd.ShowPersonalData {
		return c.printJSON(v)
	}
	return cmd.printRevealed(c, v)
}

// printRevealed replaces the hidden fields of the document by their content.
func (cmd passportVerifyCmd) printRevealed(c *cliContext, v *mrtd.Verdict) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var out map[string]any
	if err := json.Unmarshal(b, &out); err != nil {
		return err
	}
	if document, ok := out["document"].(map[string]any); ok {
		for _, f := range personal(v) {
			document[f.name] = f.value.Reveal()
		}
	}
	if files, ok := out["files"].([]any); ok {
		for i, f := range files {
			if m, ok := f.(map[string]any); ok {
				m["sha256"] = v.Files[i].SHA256.Reveal()
			}
		}
	}
	return c.printJSON(out)
}

type personalField struct {
	name  string
	value pii.Text
}

func personal(v *mrtd.Verdict) []personalField {
	d := v.Document
	if d == nil {
		return nil
	}
	return []personalField{{"number", d.Number}, {"family_name", d.FamilyName}, {"given_name", d.GivenName}, {"nationality", d.Nationality},
		{"sex", d.Sex}, {"birth_date", d.BirthDate}, {"expiry_date", d.ExpiryDate}, {"optional", d.Optional}}
}
