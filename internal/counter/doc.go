// Package counter is the route without a camera: the agents who look at a person
// and their document, their passkeys, their sessions, and what they sign.
//
// An agent is a record of the operator's staff: a name, a passkey, two days. An
// operator adds one (Staff.Add) and hands over a code, which lets one passkey be
// registered, once. The passkey signs the agent in, and signs every decision: the
// WebAuthn challenge of a decision is the SHA-256 of a statement that names the
// case, the outcome, the checklist, the reason, the agent, the minute and the
// consent receipt (its hash). So an answer of the passkey serves for one decision
// and cannot be made without the agent's finger on it.
//
// # Evidence
//
// Statement, answer and public key are kept (Decision), written in the transaction
// that ends the case, and deleted after a time that the operator sets. Nothing in
// them is of the person: a case is a random number drawn when it was opened, a
// receipt is known by its hash and kept by the person alone. Check verifies one
// anywhere, with the evidence and the server's public address.
//
// Removing an agent ends their sessions at once and forgets their passkey. Their
// name stays as long as a decision that they signed, so that an auditor can ask
// who it was.
//
// This package never holds a portrait: it passes from the proofing session to the
// agent's page.
package counter
