// Package cms reads the certificates (X.509, RFC 5280), revocation lists and
// signed data (CMS, RFC 5652) of electronic travel documents and verifies their
// signatures.
//
// crypto/x509 refuses about a third of the world's country signing
// certificates, for explicit curve parameters above all, which ICAO Doc 9303-12
// §4.1.6.3 prescribes. This reader accepts what the states issue, names each
// departure from the profile (package deviation), and is strict where a
// signature depends on it: algorithms are matched exactly, points must lie on a
// known curve, the signed bytes are the received bytes.
package cms

import "errors"

// Reasons a structure is refused. Every error of this package is a *tlv.Refusal that
// names structure, place and clause, and wraps one of these or a tlv error.
var (
	ErrMalformed   = errors.New("malformed")
	ErrUnsupported = errors.New("unsupported")
	ErrKey         = errors.New("invalid public key")
	ErrSignature   = errors.New("signature does not verify")
	ErrDigest      = errors.New("message digest differs")
	ErrNoSigner    = errors.New("signer certificate not found")
)
