package sm

import (
	"crypto/sha1" // prescribed by 9303-11 §9.7
	"errors"
	"fmt"
	"strings"

	"ipse/mrtd/mrz"
)

// ErrPassword reports access data that cannot open any document: a wrong length
// or a character outside the alphabet. It never says which.
var ErrPassword = errors.New("sm: unusable access data")

// Passwords that the MSE:Set AT of PACE names (9303-11 §4.4.4.1, tag 0x83).
const (
	ReferenceMRZ = 1
	ReferenceCAN = 2
)

// Password opens a chip. Wipe it when done.
type Password struct {
	// Reference is ReferenceMRZ or ReferenceCAN.
	Reference byte
	secret    []byte // SHA-1 of the MRZ information, or the digits of the CAN
}

// MRZPassword derives the password from the three fields of the machine-readable
// zone (9303-11 §4.3.2, §9.7.3): the document number as printed, fillers and check
// digit left out, and the two dates as YYMMDD. Numbers longer than nine characters
// (TD1) are used whole.
func MRZPassword(number, birth, expiry string) (*Password, error) {
	number = strings.TrimRight(strings.ToUpper(number), "<")
	if number == "" || len(number) > 22 || len(birth) != 6 || len(expiry) != 6 {
		return nil, ErrPassword
	}
	if len(number) < 9 {
		number += strings.Repeat("<", 9-len(number))
	}
	var info []byte
	for _, field := range []string{number, birth, expiry} {
		digit, err := mrz.CheckDigit(field)
		if err != nil {
			return nil, ErrPassword
		}
		info = append(append(info, field...), digit)
	}
	sum := sha1.Sum(info)
	clear(info)
	return &Password{Reference: ReferenceMRZ, secret: append([]byte(nil), sum[:]...)}, nil
}

// CANPassword makes the password of a card access number: its digits (9303-11 §9.7.3).
func CANPassword(can string) (*Password, error) {
	if len(can) < 6 || len(can) > 16 || strings.Trim(can, "0123456789") != "" {
		return nil, ErrPassword
	}
	return &Password{Reference: ReferenceCAN, secret: []byte(can)}, nil
}

// Key derives the key that encrypts the nonce of PACE (9303-11 §4.4.3.3, §9.7.3).
func (p *Password) Key(s Suite) []byte { return s.KDF(p.secret, CounterPACE) }

// BACKeys derives the document basic access keys (9303-11 §9.7.2). ErrPassword
// for a password other than that of the MRZ.
func (p *Password) BACKeys() (enc, mac []byte, err error) {
	if p.Reference != ReferenceMRZ {
		return nil, nil, fmt.Errorf("%w: BAC needs the MRZ", ErrPassword)
	}
	return TDES.KDF(p.secret[:16], CounterENC), TDES.KDF(p.secret[:16], CounterMAC), nil
}

// Wipe overwrites the secret.
func (p *Password) Wipe() {
	if p != nil {
		clear(p.secret)
	}
}
