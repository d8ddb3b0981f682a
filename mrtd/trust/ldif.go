package trust

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"

	"ipse/mrtd/tlv"
)

// looksLikeLDIF reports whether data begins as an LDAP interchange file (RFC 2849).
func looksLikeLDIF(data []byte) bool {
	head := data[:min(len(data), 4096)]
	for line := range bytes.Lines(head) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		return bytes.HasPrefix(line, []byte("dn:")) || bytes.HasPrefix(line, []byte("version:"))
	}
	return false
}

// maxLDIFValue bounds one attribute value, in octets of base64.
const maxLDIFValue = 16 << 20

// ldif loads the binary attributes of the ICAO PKD's exports: certificates,
// revocation lists and master lists. Other attributes are skipped.
func (l *loader) ldif(data []byte) error {
	var name string
	var value []byte
	var at, offset int // of the attribute at hand, and after the line at hand
	flush := func() error {
		defer func() { name, value = "", nil }()
		if name == "" {
			return nil
		}
		return l.ldifValue(name, value, at)
	}
	for line := range bytes.Lines(data) {
		start := offset
		offset += len(line)
		line = bytes.TrimRight(line, "\r\n")
		if len(line) > 0 && line[0] == ' ' { // RFC 2849: a folded line goes on
			if name != "" {
				if len(value)+len(line) > maxLDIFValue {
					return &tlv.Error{Offset: at, Reason: errTooLong}
				}
				value = append(value, line[1:]...)
			}
			continue
		}
		if err := flush(); err != nil {
			return err
		}
		attribute, rest, ok := bytes.Cut(line, []byte("::"))
		if ok && wanted(string(attribute)) {
			at = start
			name, value = string(attribute), append([]byte{}, bytes.TrimSpace(rest)...)
		}
	}
	return flush()
}

var (
	errTooLong = errors.New("attribute value too long")
	errValue   = errors.New("attribute value is not base64")
)

func wanted(attribute string) bool {
	base, _, _ := strings.Cut(strings.ToLower(attribute), ";")
	switch base {
	case "usercertificate", "cacertificate", "certificaterevocationlist", "authorityrevocationlist",
		"pkdmasterlistcontent", "cscamasterlistdata":
		return true
	}
	return false
}

func (l *loader) ldifValue(name string, value []byte, at int) error {
	der := make([]byte, base64.StdEncoding.DecodedLen(len(value)))
	n, err := base64.StdEncoding.Decode(der, value)
	if err != nil {
		l.refuse("LDIF attribute", tlv.Refuse(name, "RFC 2849", &tlv.Error{Offset: at, Reason: errValue}))
		l.index++
		return nil
	}
	// One broken list among many must not hide the others of an export.
	if err := l.der(der[:n]); err != nil {
		l.refuse("LDIF attribute", tlv.Refuse(name, "RFC 2849", err))
		l.index++
	}
	return nil
}
