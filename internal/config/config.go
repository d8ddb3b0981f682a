// Package config reads, completes and checks the server's configuration. The
// struct below is the manual: `ipse config reference` prints these comments and
// defaults as a TOML file, so that no second description can drift from them.
package config

import (
	"time"
)

// Config is the whole of ipse.toml.
type Config struct {
	// Server says where Ipse listens and under which address people reach it.
	Server Server `toml:"server"`
	// Operator is who runs this installation and answers for the data.
	Operator Operator `toml:"operator"`
	// Trust names the lists of certificates by which documents are judged.
	Trust Trust `toml:"trust"`
	// Proofing sets the limits of one identity check.
	Proofing Proofing `toml:"proofing"`
	// Face sets the comparison with the chip's portrait.
	Face Face `toml:"face"`
	// Counter is the route without a camera: where people go, and its agents (ipse
	// admin agent).
	Counter Counter `toml:"counter"`
	// Service lists the services that people log in to, one [[service]] each.
	Service []Service `toml:"service"`
}

// Server is the [server] table.
type Server struct {
	// The address to listen on, host:port. Only loopback unless you say otherwise.
	Address string `toml:"address"`
	// The address people type, without a trailing slash. Passkeys are bound to its
	// host name: changing it later makes every passkey useless.
	PublicURL string `toml:"public_url"`
	// PEM files for TLS. Leave both empty behind a proxy that ends TLS.
	TLSCertificate string `toml:"tls_certificate"`
	// The private key that belongs to tls_certificate.
	TLSKey string `toml:"tls_key"`
	// Addresses of the proxies in front (10.0.0.1 or 10.0.0.0/8). Only what these
	// add to X-Forwarded-For is believed, for the limits on each client.
	TrustedProxies []string `toml:"trusted_proxies"`
	// The folder of the database and of the server's own keys. Created with mode
	// 0700 when missing. Relative paths are taken from the configuration file.
	Data string `toml:"data"`
	// Where to show counts to a Prometheus server, host:port, at /metrics: numbers and
	// nothing of a person. Plain HTTP; without a host, loopback. Empty: nowhere.
	MetricsAddress string `toml:"metrics_address"`
	// How long a stop waits for requests under way, 1s to 5m.
	ShutdownTimeout Duration `toml:"shutdown_timeout"`
}

// Operator is the [operator] table. It is printed in every consent receipt.
type Operator struct {
	// The legal name of the controller (GDPR article 4(7)).
	Name string `toml:"name"`
	// Where people ask, withdraw or complain: a mail address or a web address.
	Contact string `toml:"contact"`
	// The privacy notice. May be empty.
	PrivacyURL string `toml:"privacy_url"`
	// The accessibility statement, which the law asks of public bodies (Directive (EU)
	// 2016/2102 article 7): linked from every page. May be empty.
	AccessibilityURL string `toml:"accessibility_url"`
}

// Trust is the [trust] table.
type Trust struct {
	// Master lists (.ml), LDIF files, PEM or DER certificates, or folders of them.
	// An empty list refuses every document.
	Sources []string `toml:"sources"`
	// Certificates (PEM or DER) that vouch for the signers of master lists. Without
	// one, a list's own signature is checked and its signer taken as it comes.
	Roots []string `toml:"roots"`
	// Which named deviations from Doc 9303 are tolerated: strict, icao or lenient.
	Policy string `toml:"policy"`
	// Refuse documents for which no fresh revocation list is known.
	RequireCRL bool `toml:"require_crl"`
	// How long past its next update a revocation list still counts as fresh, 0s to
	// 2160h.
	CRLGrace Duration `toml:"crl_grace"`
	// How often the files above are looked at; changed ones come into force without a
	// restart, as they do on SIGHUP. 10s to 24h, or 0s for on SIGHUP alone.
	CheckEvery Duration `toml:"check_every"`
}

// Proofing is the [proofing] table.
type Proofing struct {
	// How long one check may take from its first page to its account, 5m to 2h.
	SessionLifetime Duration `toml:"session_lifetime"`
	// Readings of a chip under way at once on this machine, 1 to 1000.
	ConcurrentReadings int `toml:"concurrent_readings"`
	// The least level of a document's chip: substantial, or high (the chip must
	// prove that it is the original).
	MinimumLevel string `toml:"minimum_level"`
	// Readings of a chip that one check may start, 1 to 20.
	DocumentAttempts int `toml:"document_attempts"`
	// Live checks that one check may start, 1 to 10.
	FaceAttempts int `toml:"face_attempts"`
	// Live checks with one document that may fail, in all checks together, before
	// the camera is closed to it and the counter remains, 1 to 100. Counted in
	// memory alone; a check that is left counts.
	DocumentFailures int `toml:"document_failures"`
	// After how long such a failure is forgotten, 1m to 720h.
	DocumentFailuresWindow Duration `toml:"document_failures_window"`
}

// Face is the [face] table.
type Face struct {
	// The false match rate of the decision threshold: "1:1000" or "1:10000", or
	// with a model pack of your own another one of 1:1000 or stricter that its
	// manifest states.
	FMR string `toml:"fmr"`
	// Folder of a model pack with its manifest.json; empty for the built-in one.
	// The server does not start with a pack that is not as its manifest says.
	Pack string `toml:"pack"`
	// Live checks under way at once on this machine, 1 to 64. Further people are
	// told how long to wait.
	ConcurrentChecks int `toml:"concurrent_checks"`
	// Colours that the page shows around the picture at the end of a live check and
	// that the face must reflect: "off", "when_available" (where the camera cannot
	// see them, or the person declines them, the check goes on without), "required"
	// (such people are sent to the counter). A camera too soft for a screen's grid to
	// be seen needs them under each.
	Light string `toml:"light"`
	// The ONNX Runtime library; empty searches IPSE_ONNXRUNTIME, the program's
	// folder with its node_modules and the system's library path in this order;
	// never the folder that the server is started in.
	Runtime string `toml:"runtime"`
}

// Counter is the [counter] table.
type Counter struct {
	// Places and opening hours, one line each, as people should read them.
	Places []string `toml:"places"`
	// How long an agent's session lasts without use, 2m to 1h.
	SessionIdle Duration `toml:"session_idle"`
	// For how many days the evidence of agents' decisions is kept, 1 to 3650: who
	// decided what and when, on which checklist, and nothing about the person.
	DecisionsKeptDays int `toml:"decisions_kept_days"`
}

// Service is one [[service]] table: a relying party.
type Service struct {
	// The client_id: letters, digits, dots, dashes, underscores; at most 64.
	ID string `toml:"id"`
	// What people know the service as, in English.
	NameEN string `toml:"name_en"`
	// The same in French.
	NameFR string `toml:"name_fr"`
	// A picture shown beside the name: a PNG, JPEG, WebP or SVG file of at most 256
	// KiB, read at the start and served from Ipse's own address, so that no other
	// server learns who logs in. May be empty.
	LogoFile string `toml:"logo_file"`
	// The service's own privacy notice. May be empty.
	PolicyURL string `toml:"policy_url"`
	// Why the service asks who you are, in English.
	PurposeEN string `toml:"purpose_en"`
	// The same in French.
	PurposeFR string `toml:"purpose_fr"`
	// The law it relies on, in English.
	LegalBasisEN string `toml:"legal_basis_en"`
	// The same in French.
	LegalBasisFR string `toml:"legal_basis_fr"`
	// Exact addresses that an answer may be sent to.
	RedirectURIs []string `toml:"redirect_uris"`
	// Exact addresses that people may return to after logging out.
	PostLogoutRedirectURIs []string `toml:"post_logout_redirect_uris"`
	// Attributes without which the service cannot work.
	Essential []string `toml:"essential"`
	// Attributes that people may refuse one by one.
	Optional []string `toml:"optional"`
	// The least level: eidas1, eidas2 or eidas3.
	RequiredACR string `toml:"required_acr"`
	// SHA-256 of the client secret in hexadecimal (the secret itself must have at
	// least 128 random bits); or use jwks_file.
	SecretSHA256 string `toml:"secret_sha256"`
	// The service's public keys (a JWK Set), for private_key_jwt.
	JWKSFile string `toml:"jwks_file"`
	// Services with the same sector see the same subject; empty: the host of the
	// first redirect address.
	Sector string `toml:"sector"`
	// The signature of ID tokens: ES256 or RS256.
	IDTokenAlg string `toml:"id_token_alg"`
	// Refuse authorization requests that were not pushed before (RFC 9126).
	RequirePAR bool `toml:"require_par"`
	// Refuse tokens that are not bound to a key of the service's (DPoP, RFC 9449).
	RequireDPoP bool `toml:"require_dpop"`
	// Where the service wants to be told that a person has signed out (OpenID Connect
	// Back-Channel Logout 1.0): https, or http on loopback. May be empty.
	BackChannelLogoutURI string `toml:"backchannel_logout_uri"`
}

// Duration is a time.Duration written as in "30m" or "15s".
type Duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return err
	}
	*d = Duration(v)
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String writes the duration without zero parts: 30m, not 30m0s.
func (d Duration) String() string {
	s := time.Duration(d).String()
	for _, zero := range []string{"m0s", "h0m"} {
		if len(s) > len(zero) && s[len(s)-len(zero):] == zero {
			s = s[:len(s)-len(zero)+1]
		}
	}
	return s
}

// Default returns the configuration that an empty file stands for. What has no
// sensible default (the public address, the operator) is empty and Validate
// asks for it.
func Default() Config {
	return Config{
		Server: Server{Address: "127.0.0.1:8443", Data: "data", ShutdownTimeout: Duration(15 * time.Second)},
		Trust:  Trust{Policy: "icao", CheckEvery: Duration(time.Minute)},
		Proofing: Proofing{SessionLifetime: Duration(30 * time.Minute), ConcurrentReadings: 64, MinimumLevel: "substantial", DocumentAttempts: 5, FaceAttempts: 3,
			DocumentFailures: 6, DocumentFailuresWindow: Duration(24 * time.Hour)},
		Face:    Face{FMR: "1:10000", ConcurrentChecks: 2, Light: "when_available"},
		Counter: Counter{SessionIdle: Duration(10 * time.Minute), DecisionsKeptDays: 730},
	}
}
