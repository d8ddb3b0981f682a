package trust

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"ipse/mrtd/cms"
	"ipse/mrtd/deviation"
)

// Reasons no path leads to an anchor.
var (
	ErrNoAuthority  = errors.New("trust: no authority of that name or key is trusted")
	ErrNotCertified = errors.New("trust: no trusted authority of that name signed this certificate")
	ErrBrokenLink   = errors.New("trust: the link certificate that signed this one leads to no trusted authority")
)

// maxCandidates bounds how many keys of one name are tried, maxLinks how many
// links a path may have, maxChecks how many signatures are checked for one path.
const (
	maxCandidates = 32
	maxLinks      = 8
	maxChecks     = 256
)

// Path leads from a certificate to the anchor that vouches for it.
type Path struct {
	// Authorities are the certificates above, nearest first; the last one is
	// an anchor.
	Authorities []*Entry
	Deviations  []deviation.Deviation
	// BrokenLinks counts link certificates that were passed over: no authority of the
	// store signed them.
	BrokenLinks int
}

// Anchor returns the trust anchor.
func (p *Path) Anchor() *Entry { return p.Authorities[len(p.Authorities)-1] }

// Issuer returns the authority that signed the certificate itself.
func (p *Path) Issuer() *Entry { return p.Authorities[0] }

// Path looks for the authority that signed c and, if that is a link
// certificate, for the anchor behind it (ICAO 9303-11 §5.1, RFC 5280 §6). A link that
// leads to no anchor is passed over, and named where another way is found. It
// looks at signatures, not at dates: see ValidAt of the certificates.
func (s *Store) Path(c *cms.Certificate) (*Path, error) {
	p := &Path{}
	budget := maxChecks
	if err := s.climb(c, p, &budget); err != nil {
		return nil, err
	}
	if p.ledAbroad() {
		p.Deviations = append(p.Deviations, deviation.Deviation{Code: deviation.ChainLinkCountry, Where: "link certificate"})
	}
	for range p.BrokenLinks {
		p.Deviations = append(p.Deviations, deviation.Deviation{Code: deviation.LinkBroken, Where: "link certificate"})
	}
	return p, nil
}

// ledAbroad reports a path over a link to the authority of another country: one state
// must not speak for another.
func (p *Path) ledAbroad() bool {
	return p.Issuer().Cert.Country() != p.Anchor().Cert.Country()
}

// climb extends p from c to an anchor. It is as deep as maxLinks, and checks at most
// budget signatures.
func (s *Store) climb(c *cms.Certificate, p *Path, budget *int) error {
	if len(p.Authorities) >= maxLinks {
		return fmt.Errorf("%w: more than %d links", ErrNoAuthority, maxLinks)
	}
	last := ErrNoAuthority
	for _, e := range s.candidates(c) {
		if e.Cert == c || slices.Contains(p.Authorities, e) {
			continue
		}
		if *budget--; *budget < 0 {
			return last
		}
		before := *p
		if !p.certify(c, e) {
			if errors.Is(last, ErrNoAuthority) {
				last = ErrNotCertified
			}
			continue
		}
		p.Authorities = append(p.Authorities, e)
		if e.Kind == Anchor {
			return nil
		}
		// The same key may also be on the list as an anchor of its own.
		if a := s.anchorWithKey(e.Cert); a != nil {
			p.Authorities = append(p.Authorities, a)
			return nil
		}
		if s.climb(e.Cert, p, budget) == nil {
			return nil
		}
		p.Authorities, p.Deviations = before.Authorities, before.Deviations
		p.BrokenLinks++
		last = fmt.Errorf("%w: serial %s of %s", ErrBrokenLink, e.Cert.SerialNumber().Text(16), e.Cert.Country())
	}
	return last
}

func (s *Store) anchorWithKey(link *cms.Certificate) *Entry {
	for _, e := range s.byName[link.Subject.Key()] {
		if e.Kind == Anchor && bytes.Equal(e.Cert.RawKey, link.RawKey) {
			return e
		}
	}
	return nil
}

// certify checks that e signed c, and gathers in what they do not agree.
func (p *Path) certify(c *cms.Certificate, e *Entry) bool {
	out, err := c.CheckSignedBy(e.Cert.Key)
	if err != nil {
		return false
	}
	ds := slices.Clone(p.Deviations)
	ds = append(ds, out.Deviations...)
	add := func(code deviation.Code) { ds = append(ds, deviation.Deviation{Code: code}) }
	switch {
	case !c.Issuer.Equal(e.Cert.Subject):
		add(deviation.ChainNoIssuerMatch)
	case !bytes.Equal(c.Issuer.Raw, e.Cert.Subject.Raw):
		add(deviation.ChainNameForm)
	}
	if c.AuthorityKeyID != nil && e.Cert.SubjectKeyID != nil && !bytes.Equal(c.AuthorityKeyID, e.Cert.SubjectKeyID) {
		add(deviation.ChainKeyID)
	}
	p.Deviations = ds
	return true
}

// issuerOf returns an authority that signed c.
func (s *Store) issuerOf(c *cms.Certificate) (*Entry, error) {
	candidates := s.candidates(c)
	if len(candidates) == 0 {
		return nil, ErrNoAuthority
	}
	for _, e := range candidates {
		if e.Cert != c && new(Path).certify(c, e) {
			return e, nil
		}
	}
	return nil, ErrNotCertified
}

// candidates lists, at most maxCandidates: authorities with the issuer's name and key
// identifier, with the name alone, and with the key identifier alone.
func (s *Store) candidates(c *cms.Certificate) []*Entry {
	var both, name, key []*Entry
	for _, e := range s.byName[c.Issuer.Key()] {
		if len(c.AuthorityKeyID) > 0 && bytes.Equal(c.AuthorityKeyID, e.Cert.SubjectKeyID) {
			both = append(both, e)
		} else {
			name = append(name, e)
		}
	}
	if len(c.AuthorityKeyID) > 0 {
		for _, e := range s.byKeyID[string(c.AuthorityKeyID)] {
			if !e.Cert.Subject.Equal(c.Issuer) {
				key = append(key, e)
			}
		}
	}
	// Anchors before links: fewer signatures to check, nothing to doubt.
	all := append(append(anchorsFirst(both), anchorsFirst(name)...), anchorsFirst(key)...)
	return all[:min(len(all), maxCandidates)]
}

func anchorsFirst(entries []*Entry) []*Entry {
	out := make([]*Entry, 0, len(entries))
	for _, e := range entries {
		if e.Kind == Anchor {
			out = append(out, e)
		}
	}
	for _, e := range entries {
		if e.Kind != Anchor {
			out = append(out, e)
		}
	}
	return out
}

// Status is what the revocation lists say about a certificate.
type Status struct {
	Known     bool // a list of the issuer, signed by it, is there
	Revoked   bool
	RevokedAt time.Time
	ThisList  time.Time // when the newest such list was made
	NextList  time.Time // when it should be replaced, zero if it does not say
	// ListSHA256 is the SHA-256 of the newest such list, in hexadecimal.
	ListSHA256 string
	// BadSignature counts lists of that issuer whose signature did not verify.
	BadSignature int
}

// Fresh reports whether the newest list is of use at now: not past its next
// update, or within grace of it.
func (st Status) Fresh(now time.Time, grace time.Duration) bool {
	return st.Known && (st.NextList.IsZero() || !now.After(st.NextList.Add(grace)))
}

// Status looks c up in the revocation lists of its issuer. A list counts when
// any trusted key of that issuer signed it: a country's new key signs lists over
// certificates of the old one (ICAO 9303-12 §7.1.4). The key of a link certificate is
// trusted where the link leads to an anchor.
func (s *Store) Status(c *cms.Certificate) Status {
	var st Status
	for _, l := range s.crls[c.Issuer.Key()] {
		if !s.signedByIssuer(l) {
			st.BadSignature++
			continue
		}
		if !st.Known || l.ThisUpdate.After(st.ThisList) {
			sum := sha256.Sum256(l.Raw)
			st.ThisList, st.NextList, st.ListSHA256 = l.ThisUpdate, l.NextUpdate, hex.EncodeToString(sum[:])
		}
		st.Known = true
		if at, revoked := l.Revoked(c.Serial); revoked {
			st.Revoked, st.RevokedAt = true, at
		}
	}
	return st
}

func (s *Store) signedByIssuer(l *cms.CRL) bool {
	for i, e := range s.byName[l.Issuer.Key()] {
		if i == maxCandidates {
			break
		}
		if _, err := l.CheckSignedBy(e.Cert.Key); err == nil && s.trusts(e) {
			return true
		}
	}
	return false
}

func (s *Store) trusts(e *Entry) bool {
	if e.Kind == Anchor {
		return true
	}
	_, err := s.Path(e.Cert)
	return err == nil
}

// SignersMatching returns the store's document signers that match accept, for
// security objects that enclose none.
func (s *Store) SignersMatching(accept func(*cms.Certificate) bool) []*cms.Certificate {
	var out []*cms.Certificate
	for _, e := range s.signers {
		if accept(e.Cert) && len(out) < maxCandidates {
			out = append(out, e.Cert)
		}
	}
	return out
}

// BrokenLink is a link certificate whose signature no key of the store made.
type BrokenLink struct {
	Entry  *Entry
	Reason error
}

// AuditLinks verifies every link certificate against the authorities of the
// store and every self-signature, and returns those that fail. It costs one
// signature check per certificate: it is for reports, not for loading.
func (s *Store) AuditLinks() (verified int, broken []BrokenLink) {
	for _, e := range s.authorities {
		if e.Kind == Anchor {
			if _, err := e.Cert.CheckSignedBy(e.Cert.Key); err == nil {
				verified++
				continue
			}
		}
		if _, err := s.issuerOf(e.Cert); err != nil {
			broken = append(broken, BrokenLink{e, err})
			continue
		}
		verified++
	}
	return verified, broken
}
