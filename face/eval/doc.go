// Package eval measures how often a 1:1 face comparison and a liveness check
// err, and says it in a form that can be published: FMR and FNMR with confidence
// intervals and a DET curve (ISO/IEC 19795-1), APCER per species, BPCER and IAPAR
// (ISO/IEC 30107-3), per group, as deterministic JSON and as one self-contained
// HTML file. It knows no model: it is given scores and decisions with labels, and
// it refuses to state a rate that the number of trials cannot support.
//
// Scores live in evaluation reports only; the product shows decisions.
package eval
