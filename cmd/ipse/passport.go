package main

import (
	"encoding/pem"
	"fmt"
	"os"

	"ipse/internal/app"
	"ipse/mrtd/cms"
	"ipse/mrtd/deviation"
	"ipse/mrtd/trust"
)

type passportCmd struct {
	Read     passportReadCmd     `cmd:"" help:"Read a document's chip and write evidence."`
	Verify   passportVerifyCmd   `cmd:"" help:"Judge evidence offline: every step named. Exit 2 when not genuine."`
	Trust    passportTrustCmd    `cmd:"" help:"Say what trust sources hold, what was loaded, what was refused and why."`
	Specimen passportSpecimenCmd `cmd:"" help:"Make specimen issuers and documents."`
	Relay    passportRelayCmd    `cmd:"" help:"Lend the reader here to a check open in a browser elsewhere."`
}

// trustFlags are the flags of every command that needs a trust store.
type trustFlags struct {
	Root   []string `help:"Certificate (PEM or DER) that vouches for the signers of master lists; repeatable." type:"path" placeholder:"FILE"`
	Policy string   `help:"Which named deviations are tolerated: ${enum}." enum:"strict,icao,lenient" default:"icao"`
}

func (f trustFlags) load(paths []string) (*trust.Store, []trust.Report, error) {
	policy, err := deviation.ParsePolicy(f.Policy)
	if err != nil {
		return nil, nil, usageError{err}
	}
	opts := trust.Options{Policy: policy}
	for _, name := range f.Root {
		c, err := readCertificate(name)
		if err != nil {
			return nil, nil, err
		}
		opts.Roots = append(opts.Roots, c)
	}
	sources, err := readSources(paths)
	if err != nil {
		return nil, nil, err
	}
	return trust.Load(sources, opts)
}

func readCertificate(name string) (*cms.Certificate, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if block, _ := pem.Decode(b); block != nil {
		b = block.Bytes
	}
	c, err := cms.ParseCertificate(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// readSources reads files, and in folders every file of a known kind, sorted.
func readSources(paths []string) ([]trust.Source, error) {
	var out []trust.Source
	for _, p := range paths {
		found, err := app.ReadTrustSource(p)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}
