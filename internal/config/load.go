package config

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// maxFile bounds the size of a configuration file, in bytes.
const maxFile = 1 << 20

// Load reads the file at name over the defaults, makes its relative paths
// relative to the file's folder, and validates the result. Unknown keys are an
// error: a misspelt limit must not silently keep its default.
func Load(name string) (Config, error) {
	info, err := os.Stat(name)
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	if info.Size() > maxFile {
		return Config{}, fmt.Errorf("read configuration: %s has %d bytes, at most %d are read", name, info.Size(), maxFile)
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	cfg, err := Parse(raw)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", name, err)
	}
	cfg.resolve(filepath.Dir(name))
	if err := cfg.Validate(); err != nil {
		return Config{}, fmt.Errorf("%s: %w", name, err)
	}
	return cfg, nil
}

// Parse decodes TOML over the defaults. It does not validate.
func Parse(raw []byte) (Config, error) {
	cfg := Default()
	dec := toml.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&cfg); err != nil {
		var strict *toml.StrictMissingError
		if errors.As(err, &strict) {
			return Config{}, fmt.Errorf("unknown settings:\n%s", strict.String())
		}
		var decode *toml.DecodeError
		if errors.As(err, &decode) {
			row, col := decode.Position()
			return Config{}, fmt.Errorf("line %d, column %d: %w", row, col, err)
		}
		return Config{}, err
	}
	return cfg, nil
}

func (c *Config) resolve(dir string) {
	at := func(p *string) {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	at(&c.Server.Data)
	at(&c.Server.TLSCertificate)
	at(&c.Server.TLSKey)
	for i := range c.Trust.Sources {
		at(&c.Trust.Sources[i])
	}
	for i := range c.Trust.Roots {
		at(&c.Trust.Roots[i])
	}
	at(&c.Face.Runtime)
	at(&c.Face.Pack)
	for i := range c.Service {
		at(&c.Service[i].JWKSFile)
		at(&c.Service[i].LogoFile)
	}
}

// Validate reports every mistake at once, each with the setting's name and what
// is expected.
func (c Config) Validate() error {
	var v checker
	v.server(c.Server)
	if c.Operator.Name == "" {
		v.add("operator.name", "is empty: consent receipts name who is responsible")
	}
	if c.Operator.Contact == "" {
		v.add("operator.contact", "is empty: people must be able to ask and to withdraw")
	}
	v.url("operator.privacy_url", c.Operator.PrivacyURL, true)
	v.url("operator.accessibility_url", c.Operator.AccessibilityURL, true)
	v.span("proofing.session_lifetime", c.Proofing.SessionLifetime, 5*time.Minute, 2*time.Hour)
	v.count("proofing.concurrent_readings", c.Proofing.ConcurrentReadings, 1000)
	v.count("proofing.document_attempts", c.Proofing.DocumentAttempts, 20)
	v.count("proofing.face_attempts", c.Proofing.FaceAttempts, 10)
	v.count("proofing.document_failures", c.Proofing.DocumentFailures, 100)
	v.span("proofing.document_failures_window", c.Proofing.DocumentFailuresWindow, time.Minute, 720*time.Hour)
	v.oneOf("proofing.minimum_level", c.Proofing.MinimumLevel, "substantial", "high")
	v.oneOf("trust.policy", c.Trust.Policy, "strict", "icao", "lenient")
	v.span("trust.crl_grace", c.Trust.CRLGrace, 0, 90*24*time.Hour)
	if c.Trust.CheckEvery != 0 {
		v.span("trust.check_every", c.Trust.CheckEvery, 10*time.Second, 24*time.Hour)
	}
	v.face(c.Face)
	v.span("counter.session_idle", c.Counter.SessionIdle, 2*time.Minute, time.Hour)
	v.count("counter.decisions_kept_days", c.Counter.DecisionsKeptDays, 3650)
	seen := map[string]bool{}
	for i, s := range c.Service {
		name := fmt.Sprintf("service[%d]", i)
		if seen[s.ID] {
			v.add(name+".id", "is used by an earlier service")
		}
		seen[s.ID] = true
		v.service(name, s)
	}
	return errors.Join(v.errs...)
}

// checker collects mistakes.
type checker struct{ errs []error }

func (v *checker) add(setting, problem string) {
	v.errs = append(v.errs, fmt.Errorf("%s %s", setting, problem))
}

func (v *checker) face(f Face) {
	v.count("face.concurrent_checks", f.ConcurrentChecks, 64)
	v.oneOf("face.light", f.Light, "off", "when_available", "required")
	if f.Pack == "" {
		v.oneOf("face.fmr", f.FMR, "1:1000", "1:10000")
		return
	}
	n, ok := strings.CutPrefix(f.FMR, "1:")
	if times, err := strconv.ParseUint(n, 10, 32); !ok || err != nil || times < 1000 {
		v.add("face.fmr", "is not 1:1000 or a stricter rate, written 1:N")
	}
	if info, err := os.Stat(f.Pack); err != nil || !info.IsDir() {
		v.add("face.pack", "is not a folder")
	}
}

func (v *checker) server(s Server) {
	if _, _, err := net.SplitHostPort(s.Address); err != nil {
		v.add("server.address", "is not host:port")
	}
	if _, _, err := net.SplitHostPort(s.MetricsAddress); s.MetricsAddress != "" && err != nil {
		v.add("server.metrics_address", "is not host:port")
	}
	if s.PublicURL == "" {
		v.add("server.public_url", "is empty: passkeys and tokens are bound to it, for example https://id.example.org")
	} else {
		v.url("server.public_url", s.PublicURL, false)
		if strings.HasSuffix(s.PublicURL, "/") {
			v.add("server.public_url", "ends with a slash: leave it out")
		}
	}
	if (s.TLSCertificate == "") != (s.TLSKey == "") {
		v.add("server.tls_certificate and server.tls_key", "go together: set both or none")
	}
	for _, p := range s.TrustedProxies {
		if _, err := Prefix(p); err != nil {
			v.add("server.trusted_proxies", "must be addresses or networks, for example 10.0.0.0/8")
		}
	}
	if s.Data == "" {
		v.add("server.data", "is empty: name a folder")
	}
	v.span("server.shutdown_timeout", s.ShutdownTimeout, time.Second, 5*time.Minute)
}

var (
	clientID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	sha256   = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

func (v *checker) service(name string, s Service) {
	if !clientID.MatchString(s.ID) {
		v.add(name+".id", "must be 1 to 64 letters, digits, dots, dashes or underscores")
	}
	if s.NameEN == "" || s.NameFR == "" {
		v.add(name+".name_en and name_fr", "must both be given")
	}
	if s.PurposeEN == "" || s.PurposeFR == "" {
		v.add(name+".purpose_en and purpose_fr", "must both be given: people are told why")
	}
	if len(s.RedirectURIs) == 0 {
		v.add(name+".redirect_uris", "is empty: name the exact addresses")
	}
	for _, u := range s.RedirectURIs {
		v.url(name+".redirect_uris", u, false)
	}
	for _, u := range s.PostLogoutRedirectURIs {
		v.url(name+".post_logout_redirect_uris", u, false)
	}
	v.url(name+".backchannel_logout_uri", s.BackChannelLogoutURI, true)
	if s.RequiredACR != "" {
		v.oneOf(name+".required_acr", s.RequiredACR, "eidas1", "eidas2", "eidas3")
	}
	if s.IDTokenAlg != "" {
		v.oneOf(name+".id_token_alg", s.IDTokenAlg, "ES256", "RS256")
	}
	if (s.SecretSHA256 == "") == (s.JWKSFile == "") {
		v.add(name, "needs either secret_sha256 or jwks_file")
	}
	if s.SecretSHA256 != "" && !sha256.MatchString(s.SecretSHA256) {
		v.add(name+".secret_sha256", "must be 64 lower-case hexadecimal digits")
	}
}

// url wants an absolute https address, or http on this very machine.
func (v *checker) url(setting, value string, optional bool) {
	if value == "" && optional {
		return
	}
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.Fragment != "" {
		v.add(setting, "is not an absolute address without fragment")
		return
	}
	local := u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
	if u.Scheme != "https" && (u.Scheme != "http" || !local) {
		v.add(setting, "must begin with https:// (http:// only for localhost)")
	}
}

// Prefix reads an address or a network of addresses.
func Prefix(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return addr.Prefix(addr.BitLen())
	}
	return netip.ParsePrefix(text)
}

func (v *checker) span(setting string, d Duration, low, high time.Duration) {
	if time.Duration(d) < low || time.Duration(d) > high {
		v.add(setting, fmt.Sprintf("is %s: must be between %s and %s", d, Duration(low), Duration(high)))
	}
}

func (v *checker) count(setting string, n, high int) {
	if n < 1 || n > high {
		v.add(setting, fmt.Sprintf("is %d: must be between 1 and %d", n, high))
	}
}

func (v *checker) oneOf(setting, value string, allowed ...string) {
	for _, a := range allowed {
		if value == a {
			return
		}
	}
	v.add(setting, "must be one of "+strings.Join(allowed, ", "))
}
