package main

import (
	"ipse/internal/app"
	"ipse/internal/config"
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

// load reads the store. With explain set, sources that cannot be loaded are reported
// and left out.
func (f trustFlags) load(paths []string, explain bool) (*trust.Store, []trust.Report, error) {
	return app.LoadTrust(config.Trust{Sources: paths, Roots: f.Root, Policy: f.Policy}, explain)
}
