package mrtd

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"ipse/mrtd/deviation"
)

// WriteText writes the verdict for people: what it comes to and why, in sentences, then
// every check with its clause, who signed and who vouches for that, and what departs
// from the standards. It shows nothing personal. The first word is GENUINE or REFUSED.
func (v *Verdict) WriteText(w io.Writer) error {
	p := &printer{w: w}
	v.writeSummary(p)
	v.writeChecks(p)
	v.writeSignature(p)
	v.writeDeviations(p)
	p.line("")
	p.line("trust store SHA-256 %s", v.TrustDigest)
	return p.err
}

func (v *Verdict) writeSummary(p *printer) {
	failed := 0
	for _, c := range v.Checks {
		if c.Result == Failed {
			failed++
		}
	}
	if v.Genuine {
		p.line("GENUINE: the data are signed by the state that issued the document and unchanged; %s; %s.", v.chipSentence(), v.forceSentence())
	} else {
		p.line("REFUSED: %d of %d checks failed.", failed, len(v.Checks))
	}
	for _, c := range v.Checks {
		if c.Result == Failed {
			p.line("  because     %-30s %s%s", c.ID, c.Detail, inClause(c.Clause))
		}
	}
	p.line("judged at %s under policy %s; read at %s, opened by %s", v.VerifiedAt.UTC().Format(time.RFC3339), v.Policy,
		v.ReadAt.UTC().Format(time.RFC3339), cmp.Or(v.Access, "an unknown protocol"))
	files := make([]string, len(v.Files))
	for i, f := range v.Files {
		files[i] = fmt.Sprintf("%s %d", f.File, f.Size)
	}
	p.line("files, in octets: %s", cmp.Or(strings.Join(files, ", "), "none"))
}

// chipSentence says what is known of the chip of a genuine document.
func (v *Verdict) chipSentence() string {
	if !v.ChipAuthentic {
		return "the document carries no key of its chip, so that a copy cannot be told from it"
	}
	switch v.Freshness {
	case OwnChallenge:
		return "the chip is the one they were signed for, and answered this verifier's challenge"
	case OwnSession:
		return "the chip is the one they were signed for, and proved it in this verifier's own session"
	case FreshnessUnknown:
	}
	return "the chip is the one they were signed for; when it proved that is not known"
}

func (v *Verdict) forceSentence() string {
	if v.Expired {
		return "the document has expired, which this verification tolerates"
	}
	return "the document is in force"
}

func (v *Verdict) writeChecks(p *printer) {
	p.line("")
	p.line("checks (not_offered: document or trust store provide nothing to check; skipped: an earlier check failed, or not performed)")
	for _, c := range v.Checks {
		p.line("  %-11s %-30s %s%s", c.Result, c.ID, c.Detail, inClause(c.Clause))
	}
}

func (v *Verdict) writeSignature(p *printer) {
	if s := v.Signature; s != nil {
		p.line("")
		p.line("signature       %s, %s (%d bits of security)", s.Algorithm, s.Key, s.Strength)
		if s.SigningTime != nil {
			p.line("%-15s signed at %s, as the signer states", "", s.SigningTime.UTC().Format(time.RFC3339))
		}
		p.line("%-15s over data groups %v, hashed with %s", "", s.Listed, s.DataHash)
	}
	for _, c := range v.Chain {
		p.line("%-15s %s; %s (%d bits of security); %s to %s", c.Role, c.Subject, c.Key, c.Strength, c.NotBefore.Format(time.DateOnly), c.NotAfter.Format(time.DateOnly))
		p.line("%-15s serial %s, SHA-256 %s", "", c.Serial, c.SHA256)
		if c.Source != "" {
			p.line("%-15s trusted because it is in %s, SHA-256 %s", "", c.Source, c.SourceSHA256)
		}
	}
	if r := v.Revocation; r != nil {
		next := "without a date of replacement"
		if r.ListNext != nil {
			next = "to be replaced by " + r.ListNext.Format(time.DateOnly)
		}
		p.line("%-15s of %s, %s, SHA-256 %s", "revocation list", r.ListFrom.Format(time.DateOnly), next, r.ListSHA256)
	}
}

func (v *Verdict) writeDeviations(p *printer) {
	if len(v.Deviations) > 0 {
		p.line("")
		p.line("departures from the standards")
	}
	for _, d := range v.Deviations {
		info, _ := deviation.Lookup(d.Code)
		p.line("  %-32s %-16s %s%s", d.Code, d.Where, info.Text, inClause(info.Clause))
	}
	for _, k := range v.KnownDeviations {
		p.line("announced by %s, in %s: %s %s", k.Country, k.Source, k.Kind, k.Description)
	}
}

func inClause(clause string) string {
	if clause == "" {
		return ""
	}
	return " [" + clause + "]"
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}
