// Package lds reads the Logical Data Structure of an electronic travel document
// (ICAO Doc 9303-10, LDS 1.7 and 1.8): the elementary files of the eMRTD
// application and the data groups inside them.
//
// The readers accept what documents in circulation hold, within limits, and
// return next to the content the named deviations they met, so that whoever
// judges the document can apply its own policy.
package lds

import "strconv"

// FileID names an elementary file: "COM", "SOD", "DG1" to "DG16",
// "CardAccess", "CardSecurity", "DIR", "ATR".
type FileID string

// The elementary files of Doc 9303-10 §3 and §4.
const (
	COM          FileID = "COM"
	SOD          FileID = "SOD"
	DG1          FileID = "DG1"
	DG2          FileID = "DG2"
	DG3          FileID = "DG3"
	DG4          FileID = "DG4"
	DG7          FileID = "DG7"
	DG11         FileID = "DG11"
	DG12         FileID = "DG12"
	DG13         FileID = "DG13"
	DG14         FileID = "DG14"
	DG15         FileID = "DG15"
	DG16         FileID = "DG16"
	CardAccess   FileID = "CardAccess"
	CardSecurity FileID = "CardSecurity"
	DIR          FileID = "DIR"
	ATR          FileID = "ATR"
)

type fileInfo struct {
	fid uint16
	sfi byte
	tag byte
}

// info follows Doc 9303-10 table 38 (eMRTD application) and table 2 (master file).
func (f FileID) info() (fileInfo, bool) {
	switch f {
	case COM:
		return fileInfo{0x011E, 0x1E, 0x60}, true
	case SOD:
		return fileInfo{0x011D, 0x1D, 0x77}, true
	case CardAccess:
		return fileInfo{0x011C, 0x1C, 0x31}, true
	case CardSecurity:
		return fileInfo{0x011D, 0x1D, 0x30}, true
	case DIR:
		return fileInfo{0x2F00, 0x1E, 0x61}, true
	case ATR:
		return fileInfo{0x2F01, 0x01, 0x00}, true
	}
	n, ok := f.Number()
	if !ok {
		return fileInfo{}, false
	}
	return fileInfo{0x0100 | uint16(n), byte(n), dataGroupTags()[n]}, true
}

// dataGroupTags returns the tags, indexed by data group number (Doc 9303-10 table 37).
func dataGroupTags() [17]byte {
	return [17]byte{0, 0x61, 0x75, 0x63, 0x76, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x6B, 0x6C, 0x6D, 0x6E, 0x6F, 0x70}
}

// Valid reports whether f names a file this package knows.
func (f FileID) Valid() bool { _, ok := f.info(); return ok }

// FID returns the two-octet file identifier for SELECT, or 0 for an unknown file.
func (f FileID) FID() uint16 { i, _ := f.info(); return i.fid }

// SFI returns the short file identifier, or 0 for an unknown file. EF.COM and
// EF.DIR, EF.SOD and EF.CardSecurity share theirs: they live under different
// applications.
func (f FileID) SFI() byte { i, _ := f.info(); return i.sfi }

// Tag returns the outermost tag of the file's content, or 0 where there is none.
func (f FileID) Tag() byte { i, _ := f.info(); return i.tag }

// Clause returns the clause that says what the file holds (Doc 9303-10, 9303-11).
func (f FileID) Clause() string {
	switch f {
	case COM:
		return "9303-10 4.6.1"
	case SOD:
		return "9303-10 4.6.2"
	case CardAccess:
		return "9303-10 3.11.3, 9303-11 9.2"
	case CardSecurity:
		return "9303-10 3.11.4, 9303-11 9.2"
	case DIR:
		return "9303-10 3.11.2"
	case ATR:
		return "9303-10 3.11.1"
	}
	if n, ok := f.Number(); ok {
		return "9303-10 4.7." + strconv.Itoa(n)
	}
	return "9303-10"
}

// Number returns the data group's number, 1 to 16; ok is false for other files.
func (f FileID) Number() (n int, ok bool) {
	if len(f) < 3 || len(f) > 4 || f[:2] != "DG" || f[2] == '0' {
		return 0, false
	}
	n, err := strconv.Atoi(string(f[2:]))
	return n, err == nil && n >= 1 && n <= 16
}

// DataGroup returns the FileID of data group n, or "" unless 1 <= n <= 16.
func DataGroup(n int) FileID {
	if n < 1 || n > 16 {
		return ""
	}
	return FileID("DG" + strconv.Itoa(n))
}

// ByTag returns the data group, EF.COM or EF.SOD whose outermost tag is tag, or "".
func ByTag(tag byte) FileID {
	switch tag {
	case 0x60:
		return COM
	case 0x77:
		return SOD
	}
	for n, t := range dataGroupTags() {
		if n > 0 && t == tag {
			return DataGroup(n)
		}
	}
	return ""
}
