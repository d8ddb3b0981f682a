// Package ipse is the root of the module: it embeds the rendered demo people,
// who do not exist, for the demonstration and for tests. The program is
// cmd/ipse; ARCHITECTURE.md says where everything lives.
package ipse

import "embed"

// DemoPeople holds testdata/people: portraits and live sequences of rendered
// people (CC0), used by `ipse demo` and by tests, never by `ipse serve`.
//
//go:embed testdata/people
var DemoPeople embed.FS
