package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"ipse/mrtd/deviation"
	"ipse/mrtd/trust"
)

type passportTrustCmd struct {
	trustFlags
	Paths []string `arg:"" help:"Master list, LDIF, PEM, DER or folder." type:"path"`
	Check bool     `help:"Verify every self-signature and link as well, and name the broken ones."`
	JSON  bool     `name:"json" help:"Print as JSON."`
}

// trustReport is the JSON form of what the command found.
type trustReport struct {
	Sources     []trust.Report `json:"sources"`
	Authorities int            `json:"authorities"`
	Signers     int            `json:"signers"`
	CRLs        int            `json:"crls"`
	Digest      string         `json:"digest"`
	Countries   map[string]int `json:"countries"`
	Verified    *int           `json:"verified,omitempty"`
	Broken      []brokenLink   `json:"broken,omitempty"`
}

type brokenLink struct {
	Kind    trust.Kind `json:"kind"`
	Country string     `json:"country"`
	Subject string     `json:"subject"`
	Serial  string     `json:"serial"`
	Reason  string     `json:"reason"`
}

// Run loads the sources and prints what they hold.
func (cmd passportTrustCmd) Run(c *cliContext) error {
	store, reports, err := cmd.load(cmd.Paths, true)
	if err != nil {
		return err
	}
	r := trustReport{Sources: reports, Authorities: store.Len(), Signers: len(store.Signers()), CRLs: store.CRLCount(),
		Digest: store.Digest(), Countries: store.Countries()}
	if cmd.Check {
		verified, broken := store.AuditLinks()
		r.Verified = &verified
		for _, b := range broken {
			cert := b.Entry.Cert
			r.Broken = append(r.Broken, brokenLink{b.Entry.Kind, cert.Country(), cert.Subject.String(), cert.SerialNumber().Text(16), b.Reason.Error()})
		}
	}
	show := func() error { return cmd.text(c, store, r) }
	if cmd.JSON {
		show = func() error { return c.printJSON(r) }
	}
	return errors.Join(show(), leftOut(reports))
}

// leftOut gathers why whole sources were not loaded.
func leftOut(reports []trust.Report) error {
	var errs []error
	for _, r := range reports {
		if r.Error != "" {
			errs = append(errs, errors.New(r.Error))
		}
	}
	return errors.Join(errs...)
}

func (cmd passportTrustCmd) text(c *cliContext, store *trust.Store, r trustReport) error {
	var b strings.Builder
	for _, s := range r.Sources {
		fmt.Fprintf(&b, "%s: %s, %d certificates, %d loaded, %d duplicates, %d revocation lists, %d refused\n",
			s.Name, s.Form, s.Certificates, s.Loaded, s.Duplicates, s.CRLs, len(s.Refused))
		if s.Error != "" {
			fmt.Fprintf(&b, "  given up: %s\n", s.Error)
		}
		if s.KnownDeviations > 0 {
			fmt.Fprintf(&b, "  %d announced deviations\n", s.KnownDeviations)
		}
		if s.Signature != "" {
			fmt.Fprintf(&b, "  signature %s\n", s.Signature)
		}
		for _, code := range sortedCodes(s.Deviations) {
			info, _ := deviation.Lookup(code)
			fmt.Fprintf(&b, "  %4d x %-28s %s\n", s.Deviations[code], code, info.Text)
		}
		for _, x := range s.Refused {
			fmt.Fprintf(&b, "  refused %s %d%s: %s\n", x.What, x.Index, inBrackets(x.Subject), x.Reason)
		}
	}
	fmt.Fprintf(&b, "%d authorities of %d countries, %d document signers, %d revocation lists; store %s\n",
		r.Authorities, len(r.Countries), r.Signers, r.CRLs, r.Digest)
	for i, code := range store.CountryCodes() {
		separator := "  "
		if i%12 == 11 {
			separator = "\n"
		}
		fmt.Fprintf(&b, "%s %d%s", code, r.Countries[code], separator)
	}
	b.WriteString("\n")
	if r.Verified != nil {
		fmt.Fprintf(&b, "%d signatures verified, %d broken\n", *r.Verified, len(r.Broken))
	}
	for _, x := range r.Broken {
		fmt.Fprintf(&b, "  broken %s of %s, serial %s (%s): %s\n", x.Kind, x.Country, x.Serial, x.Subject, x.Reason)
	}
	_, err := fmt.Fprint(c.Stdout, b.String())
	return err
}

func inBrackets(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

func sortedCodes(m map[deviation.Code]int) []deviation.Code {
	codes := make([]deviation.Code, 0, len(m))
	for code := range m {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	return codes
}
