package specimen

import (
	"bytes"
	"fmt"
	"math/big"
	"strings"

	"ipse/mrtd/cms"
	"ipse/mrtd/internal/ec"
	"ipse/mrtd/tlv"
)

// Faults of the document signer's certificate: what certificates of states show.
const (
	FaultNegativeSerial   = "ds-negative-serial"   // the serial number is negative
	FaultBasicConstraints = "ds-basic-constraints" // the basic constraints contradict themselves
	FaultNoAKI            = "ds-no-aki"            // there is no authority key identifier
	FaultNoNull           = "ds-no-null"           // the RSA key's algorithm lacks its NULL parameters
	FaultCurveMislabelled = "ds-other-curve"       // the key lies on another curve than the one announced
	FaultCountryCase      = "ds-country-case"      // the country code is in lower case
	FaultOtherAKI         = "ds-other-aki"         // the authority key identifier names another key
	FaultIssuerForm       = "ds-issuer-form"       // the issuer is written in upper case, the authority is not
	FaultIssuerName       = "ds-issuer-name"       // the issuer's name is another than the authority's
)

// Faults of EF.SOD's signature and framing: what documents of states show.
const (
	FaultPSSParameters = "sod-pss"          // PSS with another salt length than declared (Italy)
	FaultSchemeDiffers = "sod-scheme"       // PKCS#1 with a key that is for PSS alone (Turkey)
	FaultPlainECDSA    = "sod-plain-ecdsa"  // the ECDSA signature is r||s
	FaultOldICAO       = "sod-old-icao"     // the content type 1.3.27.1.1.1 (Belgium, France)
	FaultSdu           = "sod-sdu"          // the content type of Sdu (Netherlands)
	FaultTypeUnknown   = "sod-type-unknown" // a content type that nobody knows
	// FaultManyCertificates encloses the authority's certificate beside the signer's.
	FaultManyCertificates = "sod-certificates"
	FaultSignerByKey      = "sod-key-id"      // the signer is identified by its subject key identifier
	FaultTwoSigners       = "sod-two-signers" // a signer of an unknown authority stands before the right one
	FaultListSigner       = "sod-list-signer" // the authority's signer of master lists signs the document
)

// Faults of DG11's text: what documents of states show.
const (
	FaultBCDDate = "dg11-bcd-date" // the date of birth is in packed digits
	FaultEmpty   = "dg11-empty"    // an element is present and empty
	FaultFiller  = "dg11-filler"   // an element holds fillers alone
	FaultLatin1  = "dg11-latin-1"  // text in Latin-1 without a mark of it
)

func fieldFaults() []FaultInfo {
	return []FaultInfo{
		{FaultNegativeSerial, "The signer's certificate has a negative serial number."},
		{FaultBasicConstraints, "The signer's basic constraints contradict themselves."},
		{FaultNoAKI, "The signer's certificate has no authority key identifier."},
		{FaultNoNull, "The algorithm of the signer's RSA key lacks its NULL parameters."},
		{FaultCurveMislabelled, "The signer's key lies on another curve than the one announced."},
		{FaultCountryCase, "The signer's country code is in lower case."},
		{FaultOtherAKI, "The authority key identifier of the signer names another key."},
		{FaultIssuerForm, "The signer writes its issuer's name in upper case, the authority does not."},
		{FaultIssuerName, "The signer's issuer has another name than the authority."},
		{FaultPSSParameters, "PSS is used with another salt length than declared."},
		{FaultSchemeDiffers, "A key for PSS alone signs with PKCS#1."},
		{FaultPlainECDSA, "The ECDSA signature of EF.SOD is r||s."},
		{FaultOldICAO, "The content type of EF.SOD is 1.3.27.1.1.1."},
		{FaultSdu, "The content type of EF.SOD is that of Sdu."},
		{FaultTypeUnknown, "The content type of EF.SOD is one that nobody knows."},
		{FaultManyCertificates, "EF.SOD encloses the authority's certificate as well."},
		{FaultSignerByKey, "The signer of EF.SOD is identified by its subject key identifier."},
		{FaultTwoSigners, "A signer of an unknown authority stands before the right one."},
		{FaultListSigner, "The authority's signer of master lists signs the document."},
		{FaultBCDDate, "DG11 has the date of birth in packed digits."},
		{FaultEmpty, "DG11 has an element that is empty."},
		{FaultFiller, "DG11 has an element of fillers alone."},
		{FaultLatin1, "DG11 is in Latin-1."},
	}
}

// changesSigner reports whether a document with these faults needs a signer of its own.
func changesSigner(faults map[string]bool) bool {
	for _, f := range [...]string{FaultNegativeSerial, FaultBasicConstraints, FaultNoAKI, FaultNoNull, FaultCurveMislabelled, FaultCountryCase,
		FaultOtherAKI, FaultIssuerForm, FaultIssuerName, FaultSchemeDiffers} {
		if faults[f] {
			return true
		}
	}
	return false
}

// issuerAs returns the issuer as a certificate with these faults names it.
func issuerAs(issuer *authority, faults map[string]bool) *authority {
	changed := *issuer
	if faults[FaultOtherAKI] {
		changed.ski = bytes.Repeat([]byte{0xA5}, 20)
	}
	c, err := cms.ParseCertificate(issuer.cert)
	if err != nil { // not certified yet: an authority certifies itself
		return &changed
	}
	country, common := c.Subject.Country(), c.Subject.Get("2.5.4.3")
	switch {
	case faults[FaultIssuerForm]:
		changed.name = distinguishedName(country, strings.ToUpper(organisation), strings.ToUpper(common))
	case faults[FaultIssuerName]:
		changed.name = distinguishedName(country, organisation, "Another name")
	}
	return &changed
}

// spoilKey commits the faults of a certificate that lie in its key.
func spoilKey(k *signingKey, faults map[string]bool) error {
	if (faults[FaultNoNull] || faults[FaultSchemeDiffers]) && k.rsa == nil {
		return fmt.Errorf("%w: this fault needs a document signer with RSA", ErrConfig)
	}
	k.noNull, k.pssKey = faults[FaultNoNull], faults[FaultSchemeDiffers]
	if faults[FaultSchemeDiffers] {
		k.scheme = cms.RSAPKCS1
	}
	if !faults[FaultCurveMislabelled] {
		return nil
	}
	switch {
	case k.curve == nil || k.curve.BitSize() != 256:
		return fmt.Errorf("%w: this fault needs a document signer on a curve of 256 bits", ErrConfig)
	case k.curve.Name() == "P-256":
		k.announced = ec.ByName("brainpoolP256r1")
	default:
		k.announced = ec.ByName("P-256")
	}
	return nil
}

// signerOfSOD returns the signer, with a key that declares one salt length and uses
// another where that is the fault.
func signerOfSOD(signer *authority, faults map[string]bool) *authority {
	if !faults[FaultPSSParameters] {
		return signer
	}
	changed, key := *signer, *signer.key
	key.salt = 11
	changed.key = &key
	return &changed
}

func contentTypeFor(faults map[string]bool) string {
	switch {
	case faults[FaultContentType]:
		return oidData
	case faults[FaultOldICAO]:
		return "1.3.27.1.1.1"
	case faults[FaultSdu]:
		return "1.2.528.1.1006.1.20.1"
	case faults[FaultTypeUnknown]:
		return "2.23.136.1.1.99"
	}
	return oidSecurityObject
}

// plainSignature rewrites SEQUENCE { r, s } as r||s (BSI TR-03111 §5.2.1).
func plainSignature(der []byte, c *ec.Curve) []byte {
	e, err := tlv.Parse(der)
	if err != nil || c == nil {
		return der
	}
	parts, err := e.Children()
	if err != nil || len(parts) != 2 {
		return der
	}
	size := c.Size()
	out := make([]byte, 2*size)
	new(big.Int).SetBytes(parts[0].Value).FillBytes(out[:size])
	new(big.Int).SetBytes(parts[1].Value).FillBytes(out[size:])
	return out
}

// spoilDG11 commits the faults of DG11's text.
func spoilDG11(dg11 []byte, faults map[string]bool) []byte {
	e, err := tlv.Parse(dg11)
	if err != nil {
		return dg11
	}
	body := bytes.Clone(e.Value)
	add := func(tag tlv.Tag, value []byte) {
		body = append(body, tlv.Encode(tag, value)...)
	}
	if faults[FaultBCDDate] {
		add(0x5F2B, []byte{0x19, 0x74, 0x08, 0x12})
	}
	if faults[FaultEmpty] {
		add(0x5F12, nil)
	}
	if faults[FaultFiller] {
		add(0x5F13, []byte("<<<<<<<<"))
	}
	if faults[FaultLatin1] {
		add(0x5F14, []byte("Z\xFCrich"))
	}
	return tlv.Encode(e.Tag, body)
}
