// Package mrtd turns the chip of an electronic travel document (ICAO Doc 9303)
// into a verdict: Read drives a chip and gathers evidence, Verify judges
// evidence against a trust store, Inspect does both.
//
// The two halves meet in Evidence, so that a document read in one place can be
// judged in another, later, offline, and with the same result every time: same
// evidence, same trust, same policy, same time, same verdict. Nothing here knows
// of servers, files or logs; whatever says something about a person is of a type
// that does not print.
//
// A program brings three things:
//
//   - a chip.Card, which carries commands to the chip: mrtd/vpcd has one for virtual
//     cards, mrtd/specimen a software chip, and any reader takes one method
//     (Example_customCard);
//   - a trust.Store, loaded from the master lists of states (Example_trust);
//   - what opens the chip: the machine-readable zone or the card access number, see
//     chip.Access.
//
// Below it: chip reads, lds reads the files, mrz the zone, cms certificates and signed
// data, trust what is trusted, deviation names what departs from the standards and
// which policy tolerates it, jp2 decodes portraits in a sandbox, tlv BER and DER.
// docs/verdict.md lists the checks, docs/conformance.md and docs/conformance-chip.md
// the clauses.
package mrtd
