// Package specimen makes travel documents of the fictitious country UTO that
// behave like real ones: an issuer (CSCA, document signers, revocation list,
// master list), the documents it signs, and a software chip that answers APDUs.
//
// Everything it makes is a specimen: the authority is not on any state's list
// and the data are those of no person. Faults can be built in on purpose, so
// that a reader and a verifier can be shown to refuse them.
//
// A document, a chip that holds it and a store that trusts it, in a few lines:
//
//	issuer, err := specimen.NewIssuer(specimen.IssuerConfig{Rand: rand.Reader, Now: now})
//	doc, err := issuer.Issue(specimen.DocumentConfig{
//		Zone:     mrz.Fields{FamilyName: "MARTIN", GivenNames: "CAMILLE", BirthDate: "900715"},
//		Portrait: jpeg, Width: 413, Height: 531,
//		AA: "ecdsa-P-256-sha256", Access: specimen.AccessConfig{BAC: true},
//	})
//	chip, err := specimen.NewChip(doc, rand.Reader) // Transmit answers APDUs
//	store, err := issuer.Trust(now)                 // for mrtd.Verify
//
// doc.MRZ is what is printed on it; the chip is the Card of internal/relay's
// client, of mrtd/vpcd and of mrtd/chip alike.
package specimen

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"ipse/mrtd/lds"
)

// Document is what the software chip holds: the files a reader may read, the
// secrets that open them, and private keys that never leave the chip.
type Document struct {
	// Files are the elementary files as stored: COM, SOD, DG1.., CardAccess
	// and CardSecurity where PACE is offered.
	Files map[lds.FileID][]byte `json:"-"`
	// MRZ is the machine-readable zone, its lines joined by "\n": the BAC and
	// PACE-MRZ password is derived from it.
	MRZ string `json:"mrz"`
	// CAN is the six-digit card access number, or "" where none is printed.
	CAN string `json:"can,omitempty"`
	// Access says which access protocols the chip offers.
	Access AccessConfig `json:"access"`
	// AAKey is the active authentication key, PKCS#8 DER (RSA or EC), or nil.
	AAKey []byte `json:"aa_key,omitempty"`
	// AAHash is the object identifier of the hash of active authentication, ""
	// for SHA-256.
	AAHash string `json:"aa_hash,omitempty"`
	// CAKeys are the chip authentication keys, one for each
	// ChipAuthenticationPublicKeyInfo of DG14.
	CAKeys []CAKey `json:"ca_keys,omitempty"`
	// Faults switches misbehaviour on, by name (see the Fault constants).
	Faults map[string]bool `json:"faults,omitempty"`

	apart [][]byte // security infos for EF.CardSecurity alone
}

// AccessConfig says which access protocols a chip offers. At least one is on,
// unless the document is readable by anyone (a fault).
type AccessConfig struct {
	BAC bool `json:"bac"`
	// PACE is the first PACEInfo of EF.CardAccess, nil without PACE.
	PACE *PACEConfig `json:"pace,omitempty"`
	// FurtherPACE are more PACEInfos, for readers that must choose.
	FurtherPACE []PACEConfig `json:"further_pace,omitempty"`
}

// PACEConfig is one PACEInfo (ICAO 9303-11 §9.2.1).
type PACEConfig struct {
	// Protocol is the dotted object identifier, for example
	// "0.4.0.127.0.7.2.2.4.2.2" for id-PACE-ECDH-GM-AES-CBC-CMAC-128.
	Protocol string `json:"protocol"`
	// ParameterID is the standardised domain parameter (9303-11 §9.5.1), for
	// example 12 for P-256 and 13 for brainpoolP256r1.
	ParameterID int `json:"parameter_id"`
	// Explicit writes the parameters out in a PACEDomainParameterInfo (9303-11
	// §9.2.2), under the identifier 32 + ParameterID, instead of naming them.
	Explicit bool `json:"explicit,omitempty"`
}

// id is the parameter identifier of the PACEInfo; those below 32 are standardised.
func (p PACEConfig) id() int {
	if p.Explicit {
		return 32 + p.ParameterID
	}
	return p.ParameterID
}

// CAKey is one chip authentication key pair.
type CAKey struct {
	// KeyID is the keyId of DG14, or -1 where the chip has only one key and
	// DG14 names no identifier.
	KeyID int `json:"key_id"`
	// Protocol is the dotted object identifier of the ChipAuthenticationInfo,
	// for example "0.4.0.127.0.7.2.2.3.2.2" for id-CA-ECDH-AES-CBC-CMAC-128.
	Protocol string `json:"protocol"`
	// PKCS8 is the private key, PKCS#8 DER: EC with a named curve, or DH with a
	// standardised group.
	PKCS8 []byte `json:"pkcs8"`
}

// Faults that the issuer builds into the signed data.
const (
	FaultTamperedDG1   = "tampered-dg1"   // one character of DG1 changed after signing
	FaultTamperedDG2   = "tampered-dg2"   // one octet of the portrait changed after signing
	FaultTamperedSOD   = "tampered-sod"   // one octet of the signature changed
	FaultForeignCSCA   = "foreign-csca"   // signed under an authority of the same name, not on the list
	FaultExpiredDS     = "expired-ds"     // the document signer's certificate ended before the signing
	FaultRevokedDS     = "revoked-ds"     // the document signer is on the revocation list
	FaultExpired       = "expired"        // the document's own date of expiry has passed
	FaultSwappedDG15   = "swapped-dg15"   // DG15 replaced by another key after signing
	FaultMissingDG2    = "missing-dg2"    // DG2 is signed and listed, the chip does not hold it
	FaultNoDSInSOD     = "no-ds-in-sod"   // the SOD carries no certificate
	FaultWrongIssuerID = "wrong-signer"   // the SignerIdentifier names another certificate
	FaultIndefinite    = "indefinite-ber" // the SOD is encoded with indefinite lengths
	FaultSwappedDG1    = "swapped-dg1"    // DG1 replaced by that of another person after signing
	FaultNoSignedAttrs = "sod-no-attrs"   // the signature covers the content without signed attributes
	FaultContentType   = "sod-id-data"    // the content type is id-data
	FaultDigestDiffers = "sod-digest"     // the message digest is SHA-512 whatever the signature's hash
	FaultTrailingDG14  = "dg14-trailing"  // octets follow DG14, and are signed
	FaultDG2Length     = "dg2-length"     // the facial record states a wrong length
	FaultCOMDiffers    = "com-differs"    // EF.COM does not list DG2
	FaultNoCAInfo      = "ca-no-info"     // DG14 has a chip authentication key without ChipAuthenticationInfo
)

// Faults that the software chip commits.
const (
	// FaultCloneWithoutAAKey makes a clone: all files of a genuine document,
	// DG15 among them, without the private keys of AA and CA.
	FaultCloneWithoutAAKey = "clone"
	// FaultCloneOtherKeys makes a clone that uses keys of its own for AA and CA.
	FaultCloneOtherKeys = "clone-other-keys"
	// FaultOmittedAA makes a clone that hides DG14 and DG15 and leaves them out
	// of EF.COM; the signed SOD still lists them.
	FaultOmittedAA = "clone-omits-aa"
)

const documentFile = "document.json"

// ErrDocument reports a stored specimen that cannot be used.
var ErrDocument = errors.New("not a specimen document")

// Save hands every file of the stored form to write: "document.json" and one
// "NAME.bin" for each elementary file. The engine opens no files itself. The
// private keys are part of it: they are worth nothing outside a test.
func (d *Document) Save(write func(name string, content []byte) error) error {
	meta, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return fmt.Errorf("specimen: encode document: %w", err)
	}
	if err := write(documentFile, append(meta, '\n')); err != nil {
		return fmt.Errorf("specimen: save document: %w", err)
	}
	for _, id := range d.fileIDs() {
		if err := write(string(id)+".bin", d.Files[id]); err != nil {
			return fmt.Errorf("specimen: save %s: %w", id, err)
		}
	}
	return nil
}

// LoadDocument reads what Save wrote, from the directory dir of fsys ("." for its root).
func LoadDocument(fsys fs.FS, dir string) (*Document, error) {
	meta, err := fs.ReadFile(fsys, path.Join(dir, documentFile))
	if err != nil {
		return nil, fmt.Errorf("specimen: load document: %w", err)
	}
	doc := &Document{Files: map[lds.FileID][]byte{}}
	if err := json.Unmarshal(meta, doc); err != nil {
		return nil, fmt.Errorf("specimen: %w: %s is not valid JSON", ErrDocument, documentFile)
	}
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil, fmt.Errorf("specimen: load document: %w", err)
	}
	for _, e := range entries {
		id := lds.FileID(stem(e.Name()))
		if path.Ext(e.Name()) != ".bin" || !id.Valid() {
			continue
		}
		content, err := fs.ReadFile(fsys, path.Join(dir, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("specimen: load %s: %w", id, err)
		}
		doc.Files[id] = content
	}
	if len(doc.Files) == 0 {
		return nil, fmt.Errorf("specimen: %w: no elementary files", ErrDocument)
	}
	return doc, nil
}

func stem(name string) string { return name[:len(name)-len(path.Ext(name))] }

func (d *Document) fileIDs() []lds.FileID {
	ids := make([]lds.FileID, 0, len(d.Files))
	for id := range d.Files {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
