// Package httpapi is the door that the pages use: JSON over HTTP under /api, a
// stream of views, and the WebSocket of the live check. docs/api.md describes it
// all; web/src/api.ts is its client.
//
// Every answer is either what was asked for or a problem document (package
// problem). Requests that change something are taken from this site's own pages
// only (Origin, Sec-Fetch-Site), bodies are small and strict, nothing is cached,
// and costly or guessable routes are limited by address.
//
// Nothing personal is logged: a request leaves its route's pattern, its status
// and its duration. Paths and queries, which may hold identifiers, do not.
package httpapi
