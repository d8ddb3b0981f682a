package specimen

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"time"

	"ipse/mrtd/cms"
	"ipse/mrtd/trust"
)

const organisation = "Specimen Authority of Utopia"

// IssuerConfig says what a specimen issuer is like.
type IssuerConfig struct {
	// Country is the two-letter code in its certificates. Default "UT", of the
	// fictitious Utopia.
	Country string
	// CSCA and DS are the algorithms of the authority and its document signers.
	// Default DefaultAlgorithm.
	CSCA, DS Algorithm
	// ExplicitCurves writes curve parameters out in the certificates, as ICAO
	// 9303-12 §4.1.6.3 asks and crypto/x509 refuses, instead of naming the curve.
	ExplicitCurves bool
	// Rand is the source of keys and serial numbers; required.
	Rand io.Reader
	// Now is when the issuer starts; required.
	Now time.Time
}

// ErrConfig reports a missing or impossible setting.
var ErrConfig = errors.New("specimen: invalid configuration")

func (cfg *IssuerConfig) fill() error {
	if cfg.Rand == nil || cfg.Now.IsZero() {
		return fmt.Errorf("%w: randomness and time are required", ErrConfig)
	}
	if cfg.Country == "" {
		cfg.Country = "UT"
	}
	if len(cfg.Country) != 2 {
		return fmt.Errorf("%w: country", ErrConfig)
	}
	if cfg.CSCA == "" {
		cfg.CSCA = DefaultAlgorithm
	}
	if cfg.DS == "" {
		cfg.DS = DefaultAlgorithm
	}
	return nil
}

// Issuer is a specimen authority with one document signer. It is for one
// goroutine at a time.
type Issuer struct {
	cfg     IssuerConfig
	csca    *authority
	ds      *authority
	list    *authority // signs master lists
	revoked [][]byte   // serial numbers, contents octets
	crls    int
}

// NewIssuer makes an authority, a document signer and a master list signer with
// fresh keys.
func NewIssuer(cfg IssuerConfig) (*Issuer, error) {
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	i := &Issuer{cfg: cfg}
	var err error
	if i.csca, err = newAuthority(cfg, i.authorityName()); err != nil {
		return nil, fmt.Errorf("specimen: CSCA: %w", err)
	}
	if i.ds, err = newSigner(cfg, i.csca, signerSpec{common: "Specimen Document Signer 1", notBefore: cfg.Now.AddDate(0, 0, -1)}); err != nil {
		return nil, fmt.Errorf("specimen: document signer: %w", err)
	}
	if i.list, err = newSigner(cfg, i.csca, signerSpec{common: "Specimen Master List Signer", notBefore: cfg.Now.AddDate(0, 0, -1), list: cms.OIDMasterListSigner}); err != nil {
		return nil, fmt.Errorf("specimen: master list signer: %w", err)
	}
	return i, nil
}

// Successor makes the issuer that follows i: an authority of the same name with a new
// key, and the link certificate by which the old key vouches for the new one (ICAO
// 9303-12 §4.1.3). The link ends with the old authority.
func (i *Issuer) Successor(at time.Time) (*Issuer, []byte, error) {
	cfg := i.cfg
	cfg.Now = at
	next, err := NewIssuer(cfg)
	if err != nil {
		return nil, nil, err
	}
	link, err := i.LinkTo(next, at)
	if err != nil {
		return nil, nil, err
	}
	return next, link, nil
}

// LinkTo makes a link certificate by which i's authority vouches for that of another
// issuer. Where that is of another country, verifiers must not take it for granted.
func (i *Issuer) LinkTo(other *Issuer, at time.Time) ([]byte, error) {
	serial, err := newSerial(i.cfg.Rand)
	if err != nil {
		return nil, err
	}
	own, err := cms.ParseCertificate(i.csca.cert)
	if err != nil {
		return nil, fmt.Errorf("specimen: link certificate: %w", err)
	}
	link, err := certify(i.cfg.Rand, i.csca, other.csca.key, certificateSpec{serial: serial, subject: other.csca.name, notBefore: at.AddDate(0, -1, 0),
		notAfter: own.NotAfter, usageUntil: own.NotAfter, authority: true})
	if err != nil {
		return nil, fmt.Errorf("specimen: link certificate: %w", err)
	}
	return link, nil
}

func (i *Issuer) authorityName() []byte {
	return distinguishedName(i.cfg.Country, organisation, "Specimen CSCA "+i.cfg.Country)
}

// CSCA returns the authority's certificate.
func (i *Issuer) CSCA() []byte { return bytes.Clone(i.csca.cert) }

// DS returns the document signer's certificate.
func (i *Issuer) DS() []byte { return bytes.Clone(i.ds.cert) }

// CRL makes the revocation list as of the time at.
func (i *Issuer) CRL(at time.Time) ([]byte, error) {
	i.crls++
	return revocationList(i.cfg, i.csca, i.crls, i.revoked, at)
}

// MasterList makes a master list of the authority's certificate as of the time at.
func (i *Issuer) MasterList(at time.Time) ([]byte, error) {
	return masterList(i.cfg.Rand, i.list, [][]byte{i.csca.cert}, at)
}

// MasterListBySigner makes a master list that the document signer signed, which it is
// not certified for: verifiers must refuse it.
func (i *Issuer) MasterListBySigner(at time.Time) ([]byte, error) {
	return masterList(i.cfg.Rand, i.ds, [][]byte{i.csca.cert}, at)
}

// Trust makes a trust store that holds the issuer's master list and revocation
// list as of the time at: what a verifier loads that accepts its documents.
func (i *Issuer) Trust(at time.Time) (*trust.Store, error) {
	list, err := i.MasterList(at)
	if err != nil {
		return nil, err
	}
	crl, err := i.CRL(at)
	if err != nil {
		return nil, err
	}
	store, _, err := trust.Load([]trust.Source{{Name: "specimen.ml", Data: list}, {Name: "specimen.crl", Data: crl}}, trust.Options{})
	return store, err
}

// Revoke puts the certificate on the next revocation list.
func (i *Issuer) Revoke(cert []byte) error {
	c, err := cms.ParseCertificate(cert)
	if err != nil {
		return fmt.Errorf("specimen: revoke: %w", err)
	}
	i.revoked = append(i.revoked, c.Serial)
	return nil
}

const issuerFile = "issuer.json"

type storedAuthority struct {
	Algorithm Algorithm `json:"algorithm"`
	Key       []byte    `json:"key"` // PKCS#8
	Cert      []byte    `json:"certificate"`
}

type storedIssuer struct {
	Country  string          `json:"country"`
	Since    time.Time       `json:"since"`
	Explicit bool            `json:"explicit_curves,omitempty"`
	CSCA     storedAuthority `json:"csca"`
	DS       storedAuthority `json:"ds"`
	List     storedAuthority `json:"master_list_signer"`
	Revoked  [][]byte        `json:"revoked,omitempty"`
	CRLs     int             `json:"crls"`
}

// Save hands the issuer's state to write, as "issuer.json", private keys
// included: it is a specimen.
func (i *Issuer) Save(write func(name string, content []byte) error) error {
	s := storedIssuer{Country: i.cfg.Country, Since: i.cfg.Now, Explicit: i.cfg.ExplicitCurves, Revoked: i.revoked, CRLs: i.crls}
	for _, part := range []struct {
		from *authority
		name Algorithm
		to   *storedAuthority
	}{{i.csca, i.cfg.CSCA, &s.CSCA}, {i.ds, i.cfg.DS, &s.DS}, {i.list, i.cfg.DS, &s.List}} {
		key, err := part.from.key.pkcs8()
		if err != nil {
			return fmt.Errorf("specimen: save issuer: %w", err)
		}
		*part.to = storedAuthority{part.name, key, part.from.cert}
	}
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("specimen: save issuer: %w", err)
	}
	return write(issuerFile, append(b, '\n'))
}

// LoadIssuer reads what Save wrote, from the directory dir of fsys.
func LoadIssuer(fsys fs.FS, dir string, rand io.Reader) (*Issuer, error) {
	b, err := fs.ReadFile(fsys, path.Join(dir, issuerFile))
	if err != nil {
		return nil, fmt.Errorf("specimen: load issuer: %w", err)
	}
	var s storedIssuer
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, fmt.Errorf("specimen: load issuer: %w: not JSON", ErrDocument)
	}
	i := &Issuer{cfg: IssuerConfig{Country: s.Country, CSCA: s.CSCA.Algorithm, DS: s.DS.Algorithm, Rand: rand, Now: s.Since, ExplicitCurves: s.Explicit},
		revoked: s.Revoked, crls: s.CRLs}
	if err := i.cfg.fill(); err != nil {
		return nil, err
	}
	for _, part := range []struct {
		from storedAuthority
		to   **authority
	}{{s.CSCA, &i.csca}, {s.DS, &i.ds}, {s.List, &i.list}} {
		if *part.to, err = part.from.load(); err != nil {
			return nil, fmt.Errorf("specimen: load issuer: %w", err)
		}
	}
	return i, nil
}

func (s storedAuthority) load() (*authority, error) {
	key, err := loadSigningKey(s.Algorithm, s.Key)
	if err != nil {
		return nil, err
	}
	c, err := cms.ParseCertificate(s.Cert)
	if err != nil {
		return nil, err
	}
	return &authority{key: key, name: c.Subject.Raw, cert: s.Cert, ski: keyID(key)}, nil
}
