// Package eval measures how often a 1:1 face comparison errs and says it in a
// form that can be published: FMR and FNMR with exact confidence intervals and a
// DET curve (ISO/IEC 19795-1), per group, as deterministic JSON and as one
// self-contained HTML file. It knows no model: it is given scores with labels,
// and it refuses to state an FMR that the number of comparisons cannot support.
//
// Scores live in evaluations only; the product shows decisions.
package eval
