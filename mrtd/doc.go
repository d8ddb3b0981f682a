// Package mrtd turns the chip of an electronic travel document (ICAO Doc 9303)
// into a verdict: Read drives a chip and gathers evidence, Verify judges
// evidence against a trust store.
//
// The two halves meet in Evidence, so that a document read in one place can be
// judged in another, later, offline, and with the same result every time: same
// evidence, same trust, same policy, same time, same verdict. Nothing here knows
// of servers, files or logs; whatever says something about a person is of a type
// that does not print.
package mrtd
