package specimen

import (
	"slices"

	"ipse/mrtd/internal/apdu"
	"ipse/mrtd/internal/sm"
	"ipse/mrtd/lds"
)

// Faults of the software chip's behaviour: attacks on secure messaging.
const (
	FaultBadMAC        = "bad-mac"        // the code of one response of DG2 is wrong
	FaultUnprotected   = "unprotected"    // one response of DG2 comes without secure messaging
	FaultMissingStatus = "missing-status" // one response of DG2 lacks its protected status, DO'99'
	FaultReplayedRead  = "replayed-read"  // a response of DG2 is given twice
	FaultReplayedAA    = "replayed-aa"    // active authentication answers an old challenge
)

// Faults of the software chip's behaviour: what readers in the field meet.
const (
	FaultResetMidRead   = "reset-mid-read"     // loses its session once in the middle of DG2
	FaultGone           = "gone"               // leaves the reader in the middle of DG2, once and for good
	FaultNoExtended     = "no-extended"        // refuses extended length
	FaultNoChaining     = "no-chaining"        // refuses extended length and has no chaining for long keys either
	FaultLimitedLe      = "limited-le"         // returns at most 128 octets at a time
	FaultExactLe        = "le-6c80"            // answers 6C80 to whoever asks for more than 128 octets
	FaultLeOnSelect     = "le-on-select"       // refuses SELECT and MSE with an Le field
	FaultRead6B00       = "read-6b00"          // reading at the end answers 6B00, then secure messaging fails
	FaultMasterFile6A87 = "select-mf-6a87"     // SELECT MF answers 6A87
	FaultMasterFile6985 = "select-mf-6985"     // SELECT MF answers 6985
	FaultMasterFileForm = "select-mf-form"     // SELECT MF works without an identifier only
	FaultInApplication  = "in-application"     // the application is selected after power-up, not the master file
	FaultNoSFI          = "no-sfi"             // short file identifiers answer 6A86
	FaultCardAccess6982 = "card-access-6982"   // EF.CardAccess answers 6982
	FaultCardAccess6986 = "card-access-6986"   // EF.CardAccess answers 6986
	FaultDIR6982        = "dir-6982"           // EF.DIR answers 6982 before access control
	FaultPACE6300       = "pace-6300"          // PACE always fails, BAC works
	FaultBAC6A88        = "bac-6a88"           // BAC answers 6A88, PACE works
	FaultParameterID    = "needs-parameter-id" // MSE:Set AT of PACE needs the parameter id
	FaultAADER          = "aa-der"             // the active authentication signature is in DER
	FaultCAKeyID        = "needs-key-id"       // MSE:Set AT of chip authentication needs the key id
	FaultCAMLastKey     = "cam-last-key"       // PACE-CAM proves the last of several keys on its curve
	FaultCAMKeyApart    = "cam-key-apart"      // the key of PACE-CAM is in EF.CardSecurity alone
	FaultDHShort        = "dh-short"           // PACE over DH: the chip's numbers are shorter than the prime
	FaultDHPadded       = "dh-padded"          // the same, and zero octets fill them up, in the token as well
)

// FaultInfo describes a fault that can be built into a specimen.
type FaultInfo struct {
	Name string // the value of its constant
	Text string // one plain sentence
}

// Faults lists every fault, those of the signed data first.
func Faults() []FaultInfo { return slices.Concat(dataFaults(), fieldFaults(), chipFaults()) }

// KnownFault reports whether there is a fault of that name.
func KnownFault(name string) bool {
	return slices.ContainsFunc(Faults(), func(f FaultInfo) bool { return f.Name == name })
}

func dataFaults() []FaultInfo {
	return []FaultInfo{
		{FaultTamperedDG1, "One character of DG1 is changed after signing."},
		{FaultTamperedDG2, "One octet of the portrait is changed after signing."},
		{FaultTamperedSOD, "One octet of the signature is changed."},
		{FaultForeignCSCA, "The document is signed under an authority of the same name that is on no list."},
		{FaultExpiredDS, "The document signer's certificate ended before the signing."},
		{FaultRevokedDS, "The document signer is on the revocation list."},
		{FaultExpired, "The document's own date of expiry has passed."},
		{FaultSwappedDG15, "DG15 is replaced by another key after signing."},
		{FaultMissingDG2, "DG2 is signed and listed, the chip does not hold it."},
		{FaultNoDSInSOD, "EF.SOD encloses no certificate."},
		{FaultWrongIssuerID, "The signer identifier names another certificate."},
		{FaultIndefinite, "EF.SOD is encoded with indefinite lengths."},
		{FaultSwappedDG1, "DG1 is replaced by that of another person after signing."},
		{FaultNoSignedAttrs, "The signature covers the content without signed attributes."},
		{FaultContentType, "The content type of EF.SOD is id-data."},
		{FaultDigestDiffers, "The message digest is SHA-512 whatever the signature's hash."},
		{FaultTrailingDG14, "Octets follow DG14, and are signed."},
		{FaultDG2Length, "The facial record states a wrong length."},
		{FaultWrongDG12, "DG12 does not have the signed hash."},
		{FaultCOMDiffers, "EF.COM does not list DG2."},
		{FaultNoCAInfo, "DG14 names no chip authentication protocol; 3DES is meant."},
		{FaultCloneWithoutAAKey, "A clone: all files of a genuine document, none of its private keys."},
		{FaultCloneOtherKeys, "A clone with keys of its own."},
		{FaultOmittedAA, "A clone that hides DG14 and DG15."},
	}
}

func chipFaults() []FaultInfo {
	return []FaultInfo{
		{FaultBadMAC, "The code of one response is wrong."},
		{FaultUnprotected, "One response comes without secure messaging."},
		{FaultMissingStatus, "One response lacks its protected status."},
		{FaultReplayedRead, "One response is given twice."},
		{FaultReplayedAA, "Active authentication answers an old challenge."},
		{FaultResetMidRead, "The chip loses its session once in the middle of DG2."},
		{FaultGone, "The chip leaves the reader in the middle of DG2."},
		{FaultNoExtended, "The chip refuses extended length; long commands and answers come in chains."},
		{FaultNoChaining, "The chip refuses extended length, and chains as well: long keys cannot be used."},
		{FaultLimitedLe, "The chip returns at most 128 octets at a time."},
		{FaultExactLe, "The chip answers 6C80 to whoever asks for more than 128 octets."},
		{FaultLeOnSelect, "The chip refuses SELECT and MSE with an Le field."},
		{FaultRead6B00, "Reading at the end of a file breaks secure messaging."},
		{FaultMasterFile6A87, "Selecting the master file answers 6A87."},
		{FaultMasterFile6985, "Selecting the master file answers 6985."},
		{FaultMasterFileForm, "The master file is selected without its identifier only."},
		{FaultInApplication, "After power-up the application is selected, not the master file."},
		{FaultNoSFI, "The chip knows no short file identifiers."},
		{FaultCardAccess6982, "EF.CardAccess answers 6982."},
		{FaultCardAccess6986, "EF.CardAccess answers 6986."},
		{FaultDIR6982, "EF.DIR answers 6982 before access control."},
		{FaultPACE6300, "PACE always fails."},
		{FaultBAC6A88, "BAC answers 6A88."},
		{FaultParameterID, "PACE needs the parameter id named."},
		{FaultAADER, "The active authentication signature is in DER."},
		{FaultCAKeyID, "Chip authentication needs the key id named."},
		{FaultCAMLastKey, "PACE-CAM proves the last of several keys on its curve."},
		{FaultCAMKeyApart, "The key of PACE-CAM is in EF.CardSecurity alone, not in DG14."},
		{FaultDHShort, "The chip's numbers of PACE over DH are shorter than the prime, as one in 256 is."},
		{FaultDHPadded, "The same, and zero octets stand before them, in the authentication token as well."},
	}
}

// faultyRead is which READ BINARY of DG2 meets a fault, counted from 1: neither
// the first nor the last of a portrait.
const faultyRead = 2

// readOf counts a READ BINARY and commits the faults that end the session there.
func (c *Chip) readOf(id lds.FileID, _ int) {
	if id != lds.DG2 {
		return
	}
	c.s.reads++
	if c.s.reads != faultyRead {
		return
	}
	if c.has(FaultGone) {
		c.failed = ErrRemoved
	}
	if c.has(FaultResetMidRead) && !c.once[FaultResetMidRead] {
		c.once[FaultResetMidRead] = true
		c.reset()
	}
}

// protect protects a response, and commits the faults of secure messaging.
func (c *Chip) protect(channel *sm.Session, cmd *apdu.Command, r apdu.Response) apdu.Response {
	out, err := channel.ProtectResponse(&r)
	if err != nil {
		return status(apdu.SMIncorrect)
	}
	if cmd.INS&^1 != apdu.ReadBinary || c.s.file != lds.DG2 {
		return *out
	}
	return c.spoilResponse(*out, r)
}

func (c *Chip) spoilResponse(out, plain apdu.Response) apdu.Response {
	if c.has(FaultReplayedRead) {
		if c.s.reads < faultyRead {
			c.s.lastRead = out
		}
		if c.s.reads == faultyRead {
			return c.s.lastRead
		}
	}
	if c.s.reads != faultyRead {
		return out
	}
	switch {
	case c.has(FaultBadMAC):
		out.Data[len(out.Data)-1] ^= 0x01
	case c.has(FaultUnprotected):
		return plain
	case c.has(FaultMissingStatus): // DO'99' 02 SW1 SW2 stands before DO'8E' 08 ..
		cut := len(out.Data) - 10 - 4
		out.Data = append(out.Data[:cut:cut], out.Data[cut+4:]...)
	}
	return out
}
