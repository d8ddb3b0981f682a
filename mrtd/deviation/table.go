package deviation

// Deviations of certificates and revocation lists.
const (
	CertBER              Code = "cert-ber"
	CertTrailing         Code = "cert-trailing-bytes"
	CertVersion          Code = "cert-version"
	CertSerialNegative   Code = "cert-serial-negative"
	CertSerialLong       Code = "cert-serial-long"
	CertAlgorithmDiffers Code = "cert-algorithm-differs"
	CertRSANoNull        Code = "cert-rsa-without-null"
	CertNamedCurve       Code = "cert-named-curve"
	CertNoCofactor       Code = "cert-curve-without-cofactor"
	CertCurveMislabelled Code = "cert-curve-mislabelled"
	CertBasicConstraints Code = "cert-basic-constraints"
	CertNoBasic          Code = "cert-no-basic-constraints"
	CertNoAuthorityKeyID Code = "cert-no-authority-key-id"
	CertNoSubjectKeyID   Code = "cert-no-subject-key-id"
	CertNoKeyUsage       Code = "cert-no-key-usage"
	CertKeyUsage         Code = "cert-key-usage"
	CertCountryCase      Code = "cert-country-case"
	CertNoCountry        Code = "cert-no-country"
	CertCritical         Code = "cert-unknown-critical-extension"
	CertDuplicate        Code = "cert-duplicate-extension"
	CertExtension        Code = "cert-malformed-extension"
	CertTime             Code = "cert-time-form"
	CertWeakKey          Code = "cert-weak-key"
	CertWeakHash         Code = "cert-weak-hash"
	CertPSSParameters    Code = "cert-pss-parameters"
	LinkBroken           Code = "link-certificate-broken"
	ChainKeyID           Code = "chain-key-id-differs"
	ChainNameForm        Code = "chain-name-form-differs"
	ChainUsagePeriod     Code = "chain-private-key-usage-period"
	ChainLinkCountry     Code = "chain-link-country"
	ChainNoIssuerMatch   Code = "chain-issuer-name-differs"
	ChainDocumentType    Code = "chain-document-type"
)

// Deviations of the document security object and other signed data.
const (
	SODIndefinite       Code = "sod-ber"
	SODTrailing         Code = "sod-trailing-bytes"
	SODContentType      Code = "sod-content-type"
	SODContentTypeAlien Code = "sod-content-type-unknown"
	SODNoSignedAttrs    Code = "sod-no-signed-attributes"
	SODAttrsOrder       Code = "sod-attributes-order"
	SODAttrType         Code = "sod-content-type-attribute"
	SODSignerID         Code = "sod-signer-identifier"
	SODNoCertificate    Code = "sod-no-certificate"
	SODManyCertificates Code = "sod-many-certificates"
	SODManySigners      Code = "sod-many-signers"
	SODDigestDiffers    Code = "sod-digest-algorithm-differs"
	SODSchemeDiffers    Code = "sod-scheme-differs-from-key"
	SODGenericAlgorithm Code = "sod-generic-signature-algorithm"
	SODPSSParameters    Code = "sod-pss-parameters"
	SODHashDiffers      Code = "sod-group-hash-differs"
	SODVersion          Code = "sod-version"
	SODWeakHash         Code = "sod-weak-hash"
	SODPlainECDSA       Code = "sod-plain-ecdsa"
	SODDigestNotListed  Code = "sod-digest-algorithm-not-listed"
)

// Deviations of the data.
const (
	COMDiffers        Code = "com-differs-from-sod"
	COMMissing        Code = "com-missing"
	HashKnownWrong    Code = "hash-known-wrong"
	FileTrailing      Code = "file-trailing-bytes"
	DG1Filler         Code = "dg1-filler"
	MRZCheckDigit     Code = "mrz-check-digit"
	DG2RecordLength   Code = "dg2-record-length"
	DG2ImageType      Code = "dg2-image-type"
	DG2ManyImages     Code = "dg2-many-images"
	DG2Header         Code = "dg2-biometric-header"
	DG2Structure      Code = "dg2-structure"
	TextBCDDate       Code = "text-bcd-date"
	TextEmpty         Code = "text-empty"
	TextFiller        Code = "text-filler"
	TextEncoding      Code = "text-encoding"
	TextUnlisted      Code = "text-unlisted-element"
	TextMissing       Code = "text-listed-element-missing"
	TextMalformed     Code = "text-malformed"
	AADERSignature    Code = "aa-der-signature"
	CADefaultProtocol Code = "ca-default-protocol"
)

// Deviations of a chip's behaviour, met while reading it.
const (
	ChipPACERefused Code = "chip-pace-refused"
	ChipCardAccess  Code = "chip-card-access"
	ChipMasterFile  Code = "chip-select-master-file"
	ChipReadAgain   Code = "chip-read-again"

	ChipUnsignedAccess Code = "chip-unsigned-access"
	ChipPACENotUsed    Code = "chip-pace-not-used"
	ChipAccessHidden   Code = "chip-access-hidden"
	ChipFileShort      Code = "chip-file-short"
	ChipDHNumber       Code = "chip-dh-number"
)

// Table lists every deviation this library can name.
func Table() []Info {
	return append(append(append(certificateTable(), signedTable()...), dataTable()...), chipTable()...)
}

func certificateTable() []Info {
	return []Info{
		{CertBER, ICAO, "The certificate is not in DER.", "RFC 5280 4.1"},
		{CertTrailing, ICAO, "Bytes follow the certificate.", "RFC 5280 4.1"},
		{CertVersion, ICAO, "The certificate is not of version 3.", "9303-12 7.1.1"},
		{CertSerialNegative, ICAO, "The serial number is negative or zero.", "9303-12 7.1.1"},
		{CertSerialLong, ICAO, "The serial number is longer than 20 octets or needlessly padded.", "9303-12 7.1.1"},
		{CertAlgorithmDiffers, Lenient, "The signature algorithm inside the certificate differs from the one outside.", "RFC 5280 4.1.1.2"},
		{CertRSANoNull, ICAO, "An RSA algorithm identifier lacks its NULL parameters.", "RFC 3279 2.3.1"},
		{CertNamedCurve, Strict, "The elliptic curve is named instead of written out.", "9303-12 4.1.6.3"},
		{CertNoCofactor, ICAO, "The curve parameters lack the cofactor.", "9303-12 4.1.6.3"},
		{CertCurveMislabelled, Lenient, "The public key lies on another known curve than the one announced.", "RFC 5480 2.1.1"},
		{CertBasicConstraints, ICAO, "The basic constraints are not as the profile asks.", "9303-12 7.1.1"},
		{CertNoBasic, ICAO, "An authority's certificate lacks basic constraints.", "9303-12 7.1.1"},
		{CertNoAuthorityKeyID, ICAO, "The certificate lacks an authority key identifier.", "9303-12 7.1.1"},
		{CertNoSubjectKeyID, ICAO, "An authority's certificate lacks a subject key identifier.", "9303-12 7.1.1"},
		{CertNoKeyUsage, ICAO, "The certificate lacks a key usage.", "9303-12 7.1.1"},
		{CertKeyUsage, Lenient, "The key usage does not allow this use.", "9303-12 7.1.1"},
		{CertCountryCase, ICAO, "A country code is not in upper case.", "9303-12 7.1.1"},
		{CertNoCountry, ICAO, "The subject names no country.", "9303-12 7.1.1"},
		{CertCritical, Lenient, "A critical extension is not known here.", "RFC 5280 4.2"},
		{CertDuplicate, Lenient, "An extension appears twice.", "RFC 5280 4.2"},
		{CertExtension, ICAO, "A non-critical extension cannot be read and was ignored.", "RFC 5280 4.2"},
		{CertTime, ICAO, "A time is not in the form its year asks for.", "RFC 5280 4.1.2.5"},
		{CertWeakKey, ICAO, "A key is shorter than recommended (RSA 2048, EC 224 bits).", "9303-12 4.1.6"},
		{CertWeakHash, ICAO, "A certificate is signed with SHA-1.", "9303-12 4.1.6"},
		{CertPSSParameters, ICAO, "The PSS parameters differ from the signature.", "RFC 4055 3.1"},
		{LinkBroken, ICAO, "A link certificate leads to no trusted authority; it was not used.", "9303-12 4.1.3"},
		{ChainKeyID, ICAO, "The authority key identifier does not name the issuer's key.", "RFC 5280 4.2.1.1"},
		{ChainNameForm, ICAO, "Issuer and subject name agree only after normalisation.", "RFC 5280 7.1"},
		{ChainUsagePeriod, ICAO, "A private key was used outside its usage period.", "9303-12 7.1.1"},
		{ChainDocumentType, ICAO, "The signer's certificate does not list this type of document.", "9303-12 7.1.1.6"},
		{ChainLinkCountry, Lenient, "A link certificate leads to the authority of another country.", "9303-12 7.1.1"},
		{ChainNoIssuerMatch, Lenient, "The issuer is found by key identifier alone, its name differs.", "RFC 5280 6.1.3"},
	}
}

func signedTable() []Info {
	return []Info{
		{SODIndefinite, ICAO, "The signed data are in BER, not DER.", "9303-10 4.6.2"},
		{SODTrailing, ICAO, "Bytes follow the signed data.", "9303-10 4.6.2"},
		{SODContentType, ICAO, "The content type is a known national or generic one.", "9303-10 4.6.2.1"},
		{SODContentTypeAlien, Lenient, "The content type is not known.", "9303-10 4.6.2.1"},
		{SODNoSignedAttrs, ICAO, "The signature covers the content without signed attributes.", "9303-10 4.6.2.1"},
		{SODAttrsOrder, ICAO, "The signature covers the signed attributes in another order than sent.", "RFC 5652 5.4"},
		{SODAttrType, ICAO, "The content-type attribute differs from the content type.", "RFC 5652 11.1"},
		{SODSignerID, ICAO, "The signer identifier does not match the certificate whose key signed.", "RFC 5652 5.3"},
		{SODNoCertificate, ICAO, "The signer's certificate is not enclosed; it was found elsewhere.", "9303-10 4.6.2.1"},
		{SODManyCertificates, Strict, "More than one certificate is enclosed.", "9303-10 4.6.2.1"},
		{SODManySigners, ICAO, "There are several signers; the first that a trusted authority vouches for counts.", "9303-10 4.6.2.1"},
		{SODDigestDiffers, ICAO, "The digest algorithm differs from the one of the signature algorithm.", "RFC 5652 5.3"},
		{SODSchemeDiffers, ICAO, "The signature scheme differs from the one of the signer's key.", "RFC 4055 1.2"},
		{SODGenericAlgorithm, Strict, "The signature algorithm names the key type alone.", "RFC 3370 3.2"},
		{SODPSSParameters, ICAO, "The PSS parameters differ from the signature.", "RFC 4055 3.1"},
		{SODHashDiffers, Strict, "The data groups are hashed with another function than the signed content.", "9303-10 4.6.2.2"},
		{SODVersion, Strict, "A version number is not the one its contents ask for.", "RFC 5652 5.1"},
		{SODWeakHash, ICAO, "SHA-1 protects data groups or the signature.", "9303-12 4.1.6"},
		{SODPlainECDSA, ICAO, "The ECDSA signature is plain (r||s) or not in DER.", "9303-12 4.1.6.3"},
		{SODDigestNotListed, ICAO, "The signer's digest algorithm is not listed in the signed data.", "RFC 5652 5.1"},
	}
}

func dataTable() []Info {
	return []Info{
		{COMDiffers, ICAO, "EF.COM lists other data groups than the signed EF.SOD.", "9303-10 4.6.1"},
		{HashKnownWrong, ICAO, "A descriptive data group does not have the signed hash, as its state announces; it is not used.", "9303-12 10"},
		{COMMissing, ICAO, "EF.COM is missing or unreadable.", "9303-10 4.6.1"},
		{FileTrailing, ICAO, "Bytes follow the file's content.", "9303-10 4.5"},
		{DG1Filler, ICAO, "DG1 is padded beyond the machine-readable zone.", "9303-10 4.7.1"},
		{MRZCheckDigit, ICAO, "A check digit of the signed machine-readable zone is wrong.", "9303-3 4.9"},
		{DG2RecordLength, ICAO, "A length field of the facial record is wrong.", "ISO/IEC 19794-5 5.4"},
		{DG2ImageType, ICAO, "The image is of another type than its record says.", "ISO/IEC 19794-5 5.7.1"},
		{DG2ManyImages, Strict, "DG2 holds several images; the first is the portrait.", "9303-10 4.7.2"},
		{DG2Header, ICAO, "The biometric header lacks or misstates a mandatory element.", "9303-10 4.7.2.1"},
		{DG2Structure, ICAO, "The facial record is not built as its standard asks; what cannot be read was passed over.", "ISO/IEC 39794-5"},
		{TextBCDDate, ICAO, "A date is in packed digits.", "9303-10 4.7.11"},
		{TextEmpty, ICAO, "An element is present and empty.", "9303-10 4.7.11"},
		{TextFiller, ICAO, "An element holds filler characters.", "9303-10 4.7.11"},
		{TextEncoding, ICAO, "Text is not in UTF-8 and was read as Latin-1.", "9303-10 4.7.11"},
		{TextUnlisted, ICAO, "An element is present and not in the group's list.", "9303-10 4.7.11"},
		{TextMissing, ICAO, "An element is in the group's list and not present.", "9303-10 4.7.11"},
		{TextMalformed, ICAO, "A part of a descriptive data group cannot be read and was ignored.", "9303-10 4.7.11"},
		{AADERSignature, ICAO, "The active authentication signature is in DER.", "9303-11 6.1"},
		{CADefaultProtocol, ICAO, "DG14 names no chip authentication protocol; the default was used.", "9303-11 9.2.5"},
	}
}

func chipTable() []Info {
	return []Info{
		{ChipPACERefused, ICAO, "The chip offers PACE and refuses it; BAC was used.", "9303-11 4.2"},
		{ChipCardAccess, ICAO, "EF.CardAccess is not a set of security infos.", "9303-11 9.2.11"},
		{ChipMasterFile, Strict, "The master file cannot be selected.", "9303-10 3.11"},
		{ChipUnsignedAccess, ICAO, "EF.CardAccess offers PACE in a way that the signed DG14 does not.", "9303-11 9.2"},
		{ChipAccessHidden, ICAO, "The signed DG14 lists PACE in a way that EF.CardAccess does not offer.", "9303-11 9.2"},
		{ChipPACENotUsed, ICAO, "The signed DG14 lists PACE and another protocol opened the chip.", "9303-11 4.2"},
		{ChipFileShort, ICAO, "A file ends before the length that its header states.", "9303-10 3.6.3"},
		{ChipDHNumber, ICAO, "A Diffie-Hellman number of the chip begins with zero octets.", "9303-11 9.4.1"},
		{ChipReadAgain, Strict, "The chip lost its session and was read again from the start.", "TS 119 461 VAL-8.3.2"},
	}
}
