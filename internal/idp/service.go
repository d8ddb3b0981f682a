package idp

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// Text is a text in the languages of the pages.
type Text struct {
	EN string `json:"en"`
	FR string `json:"fr"`
}

// In returns the text in the language ("en", "fr"), else the one that exists.
func (t Text) In(language string) string {
	if (language == "fr" && t.FR != "") || t.EN == "" {
		return t.FR
	}
	return t.EN
}

// Attribute is one attribute that a service may ask for.
type Attribute struct {
	// Name is one of the attributes of an Ipse account.
	Name string
	// Essential: without it the service cannot work, so a person who withholds it
	// cannot log in there.
	Essential bool
}

// Service is the registration of a relying party. What is not in it, the
// service never gets, whatever it asks for.
type Service struct {
	// ID is the client_id: letters, digits, dots, dashes, underscores; at most 64.
	ID string
	// Name is what people know the service as.
	Name Text
	// BackChannelLogoutURI is told that a person has signed out (OpenID Connect
	// Back-Channel Logout 1.0, 2.2); may be empty.
	BackChannelLogoutURI string
	// LogoPath and PolicyURL are shown on the consent page; may be empty. The logo is
	// a path of this server: the pages load nothing from elsewhere.
	LogoPath, PolicyURL string
	// RedirectURIs are compared exactly. https, or http on a loopback host.
	RedirectURIs []string
	// PostLogoutRedirectURIs are compared exactly; may be empty.
	PostLogoutRedirectURIs []string
	// Purpose says why the service asks; LegalBasis by what right.
	Purpose, LegalBasis Text
	// Attributes are all that the service may ever obtain.
	Attributes []Attribute
	// RequiredACR is the least level (eidas1, eidas2, eidas3); empty: none.
	RequiredACR string
	// SecretHash is the SHA-256 of a client secret of at least 128 random bits, in
	// hexadecimal, for client_secret_basic. A fast hash is right for such secrets:
	// there is nothing to guess.
	SecretHash string
	// JWKS holds the service's public keys, for private_key_jwt. Exactly one of
	// SecretHash and JWKS is set.
	JWKS *jose.JSONWebKeySet
	// SectorIdentifier: services with the same one see the same subject (OpenID
	// Connect Core 8.1). Empty: the host of the redirect addresses.
	SectorIdentifier string
	// IDTokenAlg is ES256 (the default) or RS256.
	IDTokenAlg string
	// RequirePAR refuses authorization requests that were not pushed first (RFC 9126).
	RequirePAR bool
	// RequireDPoP refuses token requests without a proof of possession (RFC 9449).
	RequireDPoP bool
}

// normalise checks a registration and fills what has a default. The error names
// the field, for the operator.
func (s Service) normalise() (Service, error) {
	if !regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`).MatchString(s.ID) {
		return s, errors.New("service id: use 1 to 64 letters, digits, dots, dashes or underscores")
	}
	fail := func(format string, args ...any) (Service, error) {
		return s, fmt.Errorf("service "+s.ID+": "+format, args...)
	}
	if s.Name.In("en") == "" {
		return fail("name is missing")
	}
	if err := s.checkAddresses(); err != nil {
		return fail("%w", err)
	}
	if err := s.checkAttributes(); err != nil {
		return fail("%w", err)
	}
	if s.RequiredACR != "" && acrRank(s.RequiredACR) == 0 {
		return fail("required_acr %q: use eidas1, eidas2 or eidas3", s.RequiredACR)
	}
	if err := s.checkCredentials(); err != nil {
		return fail("%w", err)
	}
	if s.IDTokenAlg == "" {
		s.IDTokenAlg = "ES256"
	}
	if s.IDTokenAlg != "ES256" && s.IDTokenAlg != "RS256" {
		return fail("id_token_alg %q: use ES256 or RS256", s.IDTokenAlg)
	}
	if s.SectorIdentifier == "" {
		sector, err := commonHost(s.RedirectURIs)
		if err != nil {
			return fail("%w", err)
		}
		s.SectorIdentifier = sector
	}
	return s, nil
}

func (s Service) checkAddresses() error {
	if len(s.RedirectURIs) == 0 {
		return errors.New("redirect_uris: at least one address is needed")
	}
	for _, list := range [][]string{s.RedirectURIs, s.PostLogoutRedirectURIs} {
		for _, raw := range list {
			if err := checkAddress(raw); err != nil {
				return err
			}
		}
	}
	if s.LogoPath != "" && (!strings.HasPrefix(s.LogoPath, "/") || strings.HasPrefix(s.LogoPath, "//")) {
		return errors.New("the logo must be a path of this server")
	}
	if raw := s.PolicyURL; raw != "" && !strings.HasPrefix(raw, "/") {
		if u, err := url.Parse(raw); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
			return errors.New("the policy address must be an http(s) address")
		}
	}
	if s.BackChannelLogoutURI != "" {
		if err := checkAddress(s.BackChannelLogoutURI); err != nil {
			return fmt.Errorf("backchannel_logout_uri: %w", err)
		}
	}
	return nil
}

// checkAddress accepts what OAuth 2.1 (draft, 2.3 and 8.4) lets an answer be
// sent to: an absolute https address without fragment, or http on loopback.
func checkAddress(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return fmt.Errorf("address %q is not an absolute web address", raw)
	case u.Fragment != "" || strings.Contains(raw, "#"):
		return fmt.Errorf("address %q must not have a fragment", raw)
	case u.User != nil:
		return errors.New("an address must not carry a user name")
	case strings.Contains(raw, "*"):
		return fmt.Errorf("address %q: addresses are compared exactly, no wildcards", raw)
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	default:
		return fmt.Errorf("address %q must use https (http is for loopback only)", raw)
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || (ip != nil && ip.IsLoopback())
}

func (s Service) checkAttributes() error {
	var seen []string
	for _, a := range s.Attributes {
		if !slices.Contains(attributeNames(), a.Name) {
			return fmt.Errorf("attribute %q does not exist; choose among %s", a.Name, strings.Join(attributeNames(), ", "))
		}
		if slices.Contains(seen, a.Name) {
			return fmt.Errorf("attribute %q is listed twice", a.Name)
		}
		seen = append(seen, a.Name)
	}
	if len(s.Attributes) > 0 && s.Purpose.In("en") == "" {
		return errors.New("purpose is missing: people must be told why attributes are asked")
	}
	return nil
}

func (s Service) checkCredentials() error {
	if (s.SecretHash == "") == (s.JWKS == nil) {
		return errors.New("exactly one of a secret hash and a key set is needed")
	}
	if s.JWKS == nil {
		if raw, err := hex.DecodeString(s.SecretHash); err != nil || len(raw) != 32 {
			return errors.New("the secret hash must be a SHA-256 in hexadecimal")
		}
		return nil
	}
	if len(s.JWKS.Keys) == 0 {
		return errors.New("the key set is empty")
	}
	for i, k := range s.JWKS.Keys {
		if !k.Valid() || !k.IsPublic() {
			return fmt.Errorf("key %d of the key set is not a valid public key", i+1)
		}
		if k.Algorithm != "ES256" && k.Algorithm != "RS256" && k.Algorithm != "PS256" {
			return fmt.Errorf("key %d of the key set: alg must be ES256, RS256 or PS256", i+1)
		}
	}
	return nil
}

// commonHost returns the one host of all redirect addresses. Several hosts
// would make the subject depend on the order of a list: the operator must name
// the sector then.
func commonHost(addresses []string) (string, error) {
	var host string
	for _, raw := range addresses {
		u, err := url.Parse(raw)
		if err != nil {
			return "", errors.New("a redirect address does not parse")
		}
		if host != "" && u.Hostname() != host {
			return "", errors.New("the redirect addresses have several hosts: set the sector")
		}
		host = u.Hostname()
	}
	return host, nil
}

func (s *Service) attribute(name string) (Attribute, bool) {
	i := slices.IndexFunc(s.Attributes, func(a Attribute) bool { return a.Name == name })
	if i < 0 {
		return Attribute{}, false
	}
	return s.Attributes[i], true
}
