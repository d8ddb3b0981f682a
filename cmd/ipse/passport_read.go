package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"ipse/internal/pii"
	"ipse/mrtd"
	"ipse/mrtd/chip"
	"ipse/mrtd/lds"
	"ipse/mrtd/mrz"
)

// passportReadCmd reads a chip and writes evidence.
type passportReadCmd struct {
	Reader    string   `required:"" help:"pcsc[:NAME], vpcd:HOST:PORT (waits for a virtual card) or specimen:DIR." placeholder:"READER"`
	MRZ       string   `name:"mrz" help:"File that holds the machine-readable zone; - for standard input." placeholder:"FILE"`
	CAN       string   `name:"can" help:"Card access number printed on the document, six digits." placeholder:"N"`
	Out       string   `required:"" help:"Evidence file to write." type:"path" placeholder:"EVIDENCE"`
	Challenge string   `help:"Challenge for active authentication, eight octets in hexadecimal; default random." placeholder:"HEX"`
	Extra     []string `help:"More data groups to read where the document has them: DG7, DG11, DG12, DG13, DG16." placeholder:"DG"`
	NoPACE    bool     `name:"no-pace" help:"Open the chip with BAC although it offers PACE."`
	Short     bool     `help:"Keep to short commands, for readers that pass no others on."`
	JSON      bool     `name:"json" help:"Print the result as JSON."`
}

// Run reads the document and writes the evidence file.
func (cmd passportReadCmd) Run(c *cliContext) error {
	opts, err := cmd.options(c)
	if err != nil {
		return err
	}
	r, err := openReader(c, cmd.Reader)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // nothing is lost by closing badly
	opts.Progress = func(p chip.Progress) {
		c.progress("reading %s, %d of %d octets", p.File, p.BytesRead, p.BytesTotal)
	}
	start := c.Now()
	reading, err := chip.Read(c.Context, r, opts)
	c.progressDone()
	if err != nil {
		return readProblem(r, err)
	}
	took := c.Now().Sub(start)
	commands, trips := reading.Commands, reading.Trips
	ev := mrtd.NewEvidence(reading, c.Now())
	defer ev.Wipe()
	if err := writeEvidence(cmd.Out, ev); err != nil {
		return err
	}
	return cmd.print(c, ev, readReport{Commands: commands, Trips: trips, Milliseconds: took.Milliseconds()}, opts.Challenge)
}

func (cmd passportReadCmd) options(c *cliContext) (chip.Options, error) {
	opts := chip.Options{Rand: rand.Reader, NoPACE: cmd.NoPACE, ShortOnly: cmd.Short, Challenge: make([]byte, 8)}
	if cmd.MRZ == "" && cmd.CAN == "" {
		return opts, usageError{errors.New("--mrz or --can is needed: the chip opens to whoever holds the document")}
	}
	if _, err := rand.Read(opts.Challenge); err != nil {
		return opts, fmt.Errorf("draw a challenge: %w", err)
	}
	if cmd.Challenge != "" {
		b, err := hex.DecodeString(cmd.Challenge)
		if err != nil || len(b) != 8 {
			return opts, usageError{errors.New("--challenge: not eight octets in hexadecimal")}
		}
		opts.Challenge = b
	}
	for _, name := range cmd.Extra {
		id := lds.FileID(strings.ToUpper(name))
		if _, group := id.Number(); !group {
			return opts, usageError{fmt.Errorf("--extra: %q is no data group", name)}
		}
		opts.Extra = append(opts.Extra, id)
	}
	if cmd.MRZ != "" {
		zone, err := cmd.zone(c)
		if err != nil {
			return opts, err
		}
		opts.Access = chip.FromMRZ(zone)
	}
	opts.Access.CAN = pii.NewText(cmd.CAN)
	return opts, nil
}

// maxZoneFile bounds the file that holds a zone of 90 characters.
const maxZoneFile = 4096

func (cmd passportReadCmd) zone(c *cliContext) (*mrz.MRZ, error) {
	in := c.Stdin
	if cmd.MRZ != "-" {
		f, err := os.Open(cmd.MRZ)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxZoneFile))
	if err != nil {
		return nil, err
	}
	zone, err := mrz.Parse(strings.TrimSpace(string(b)))
	if err != nil {
		return nil, fmt.Errorf("--mrz: %w", err)
	}
	if !zone.Valid() {
		return nil, errors.New("--mrz: a check digit is wrong: a character is mistyped or misread")
	}
	return zone, nil
}

// writeEvidence writes the file for its owner alone, whole or not at all.
func writeEvidence(name string, ev *mrtd.Evidence) error {
	var b bytes.Buffer
	defer func() { pii.Wipe(b.Bytes()) }()
	if err := mrtd.WriteEvidence(&b, ev); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".evidence-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b.Bytes())
	err = errors.Join(err, f.Chmod(0o600), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// readReport is the JSON form of a reading: nothing in it is personal.
type readReport struct {
	Evidence     string   `json:"evidence"`
	Access       string   `json:"access"`
	Files        []string `json:"files"`
	Octets       int      `json:"octets"`
	AA           bool     `json:"aa"`
	CA           bool     `json:"ca"`
	CAM          bool     `json:"cam"`
	Challenge    string   `json:"challenge,omitempty"`
	Commands     int      `json:"commands"`
	Trips        int      `json:"trips"`
	Milliseconds int64    `json:"milliseconds"`
}

func (cmd passportReadCmd) print(c *cliContext, ev *mrtd.Evidence, r readReport, challenge []byte) error {
	r.Evidence, r.Access = cmd.Out, ev.Session.Access
	r.AA, r.CA, r.CAM = ev.Session.AA != nil, ev.Session.CA != nil, ev.Session.CAM != nil
	if r.AA {
		r.Challenge = hex.EncodeToString(challenge)
	}
	for _, id := range ev.FileIDs() {
		r.Files = append(r.Files, string(id))
		r.Octets += len(ev.File(id))
	}
	if cmd.JSON {
		return c.printJSON(r)
	}
	proof := "none"
	for _, p := range []struct {
		done bool
		name string
	}{{r.AA, "active authentication over " + r.Challenge}, {r.CA, "chip authentication"}, {r.CAM, "chip authentication mapping"}} {
		switch {
		case p.done && proof == "none":
			proof = p.name
		case p.done:
			proof += ", " + p.name
		}
	}
	_, err := fmt.Fprintf(c.Stdout, "read      %s, %d octets, by %s\nproof     %s\nevidence  %s\ntook      %.1f s, %d commands\n",
		strings.Join(r.Files, " "), r.Octets, r.Access, proof, r.Evidence, float64(r.Milliseconds)/1000, r.Commands)
	return err
}

// readProblem says in a sentence what to do about a failure.
func readProblem(r *reader, err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("stopped")
	case errors.Is(err, chip.ErrAccessDenied):
		return fmt.Errorf("the chip does not open: check the machine-readable zone or the card access number (%w)", err)
	case errors.Is(err, chip.ErrAccessData):
		return fmt.Errorf("this document does not open with these data: give the machine-readable zone (%w)", err)
	case errors.Is(err, chip.ErrNoApplication):
		return fmt.Errorf("this chip is of no passport or identity card (%w)", err)
	case r.Lost(err), errors.Is(err, chip.ErrSessionLost):
		return fmt.Errorf("the document left the reader: lay it down and keep it still (%w)", err)
	case errors.Is(err, chip.ErrSecureMessaging):
		return fmt.Errorf("the conversation with the chip was disturbed or tampered with (%w)", err)
	}
	return err
}
