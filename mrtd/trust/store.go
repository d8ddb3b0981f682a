// Package trust holds what a verifier of travel documents trusts: country
// signing certificates (CSCA), link certificates, revocation lists and document
// signers, loaded from master lists, LDIF, PEM or DER (ICAO Doc 9303-12).
//
// A Store is immutable and safe for concurrent use; to reload, build another and
// swap it in a Live. The package takes bytes: who reads files is the caller.
package trust

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sort"
	"sync/atomic"

	"ipse/mrtd/cms"
)

// Kind says what a certificate in the store is for.
type Kind string

// Kinds of certificates.
const (
	Anchor Kind = "anchor" // a self-issued CSCA certificate: trusted because its source is
	Link   Kind = "link"   // a CSCA certificate signed by another CSCA key: trusted through that key
	Signer Kind = "signer" // a document signer: trusted only through a chain
)

// Entry is one certificate of the store.
type Entry struct {
	Cert   *cms.Certificate
	Kind   Kind
	Source string // the name of the source it came from
	// SourceSHA256 is the SHA-256 of that source, in hexadecimal.
	SourceSHA256 string

	sum [32]byte // fingerprint
}

// Store is a set of trusted certificates and revocation lists.
type Store struct {
	authorities []*Entry
	byName      map[string][]*Entry // anchors and links by subject
	byKeyID     map[string][]*Entry // anchors and links by subject key identifier
	signers     []*Entry
	crls        map[string][]*cms.CRL // by issuer
	crlCount    int
	known       []*KnownDeviation
	digest      [32]byte
}

// Empty returns a store that trusts nobody.
func Empty() *Store { return newStore(nil, nil, nil) }

func newStore(authorities, signers []*Entry, crls []*cms.CRL) *Store {
	s := &Store{authorities: authorities, signers: signers, crlCount: len(crls),
		byName: make(map[string][]*Entry, len(authorities)), byKeyID: make(map[string][]*Entry, len(authorities)),
		crls: map[string][]*cms.CRL{}}
	keys := map[string]string{} // of the names as encoded: several certificates share one
	for _, e := range authorities {
		key, ok := keys[string(e.Cert.Subject.Raw)]
		if !ok {
			key = e.Cert.Subject.Key()
			keys[string(e.Cert.Subject.Raw)] = key
		}
		s.byName[key] = append(s.byName[key], e)
		if id := e.Cert.SubjectKeyID; len(id) > 0 {
			s.byKeyID[string(id)] = append(s.byKeyID[string(id)], e)
		}
	}
	for _, l := range crls {
		key := l.Issuer.Key()
		s.crls[key] = append(s.crls[key], l)
	}
	s.digest = s.computeDigest(crls)
	return s
}

// computeDigest hashes the content independently of the order of loading.
func (s *Store) computeDigest(crls []*cms.CRL) [32]byte {
	var sums [][]byte
	for _, list := range [][]*Entry{s.authorities, s.signers} {
		for _, e := range list {
			sums = append(sums, e.sum[:])
		}
	}
	for _, l := range crls {
		f := sha256.Sum256(l.Raw)
		sums = append(sums, f[:])
	}
	slices.SortFunc(sums, bytes.Compare)
	return sha256.Sum256(bytes.Join(sums, nil))
}

// Digest identifies the store's content: SHA-256 over the sorted SHA-256 of its
// certificates and revocation lists (and deviation lists, where there are any), in hexadecimal. A verdict cites it.
func (s *Store) Digest() string { return hex.EncodeToString(s.digest[:]) }

// Len returns how many anchors and link certificates the store holds.
func (s *Store) Len() int { return len(s.authorities) }

// CRLCount returns how many revocation lists the store holds.
func (s *Store) CRLCount() int { return s.crlCount }

// Authorities returns the anchors and link certificates, in order of loading.
func (s *Store) Authorities() []*Entry { return slices.Clone(s.authorities) }

// Signers returns the document signers, in order of loading.
func (s *Store) Signers() []*Entry { return slices.Clone(s.signers) }

// Countries returns how many authorities each country has.
func (s *Store) Countries() map[string]int {
	out := map[string]int{}
	for _, e := range s.authorities {
		out[e.Cert.Country()]++
	}
	return out
}

// CountryCodes returns the countries in alphabetical order.
func (s *Store) CountryCodes() []string {
	m := s.Countries()
	out := make([]string, 0, len(m))
	for c := range m {
		out = append(out, c)
	}
	sort.Strings(out)
	return out
}

// Live is a store that can be replaced while verifiers use it. Whoever holds a
// Store from Get keeps a consistent one for as long as it needs.
type Live struct{ p atomic.Pointer[Store] }

// NewLive starts with s, or with an empty store if s is nil.
func NewLive(s *Store) *Live {
	l := &Live{}
	l.Swap(s)
	return l
}

// Get returns the store in force.
func (l *Live) Get() *Store { return l.p.Load() }

// Swap puts s in force for every later Get.
func (l *Live) Swap(s *Store) {
	if s == nil {
		s = Empty()
	}
	l.p.Store(s)
}
