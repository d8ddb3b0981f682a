// Package jp2 decodes the JPEG 2000 portraits of travel documents (JP2 files and
// raw codestreams) inside a sandbox.
//
// The decoder is OpenJPEG, a C library with a history of memory errors, compiled
// to WebAssembly by the pdf.js project and run by wazero, in Go, without cgo. It
// has no files, no clock, no network: eight functions are all it can call. What
// hostile input can reach is a linear memory of its own, made for one image,
// bounded, and overwritten with zeros afterwards. Size, components and time are
// bounded before and while it runs.
//
// The module is openjpeg.wasm of the npm package pdfjs-dist 6.5.438 (licence in
// LICENSE_OPENJPEG), SHA-256 in ModuleSHA256; its imports and exports have
// minified names, mapped in sandbox.go.
package jp2
