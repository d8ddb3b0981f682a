// Package consent makes, signs and checks consent receipts: what a person
// agreed to before a check of their identity, for what purpose, on which legal
// basis, until when, and how they withdraw.
//
// The fields follow ISO/IEC TS 27560:2023 (consent record information
// structure) and the Kantara consent receipt before it. A receipt is a JWS
// (RFC 7515, ES256) over deterministic JSON, so that anyone holding the
// operator's public key verifies it offline. It names no one: it is bound to a
// proofing session by that session's random identifier.
//
// The texts a person agrees to are part of this package (texts/*.json). The
// page shows exactly the text that Offer carries, and the receipt signs its
// SHA-256: what is shown is what is signed.
package consent
