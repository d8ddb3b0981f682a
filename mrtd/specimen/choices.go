package specimen

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"ipse/mrtd/internal/ec"
	"ipse/mrtd/lds"
	"ipse/mrtd/tlv"
)

// Ciphers lists the names of the ciphers of secure messaging, in the order in which
// object identifiers number them (ICAO 9303-11 §9.2.1, §9.2.5).
func Ciphers() []string { return []string{"3des", "aes-128", "aes-192", "aes-256"} }

func cipherNumber(name string) (int, error) {
	n := slices.Index(Ciphers(), name) + 1
	if n == 0 {
		return 0, fmt.Errorf("%w: cipher %q", ErrAlgorithm, name)
	}
	return n, nil
}

// NewPACE makes a PACEInfo of names: mapping "gm", "im" or "cam"; parameters by number
// (ICAO 9303-11 §9.5.1), by the name of a curve or "dh-0" to "dh-2"; a cipher of
// Ciphers. ErrAlgorithm for other names; Issue refuses impossible combinations.
func NewPACE(mapping, parameters, cipher string) (PACEConfig, error) {
	id, err := parameterID(parameters)
	if err != nil {
		return PACEConfig{}, err
	}
	suite, err := cipherNumber(cipher)
	if err != nil {
		return PACEConfig{}, err
	}
	kind := map[string]int{"gm": 2, "im": 4, "cam": 6}[mapping]
	if kind == 0 {
		return PACEConfig{}, fmt.Errorf("%w: mapping %q", ErrAlgorithm, mapping)
	}
	if id <= 2 { // over a prime field
		kind--
	}
	return PACEConfig{Protocol: fmt.Sprintf("0.4.0.127.0.7.2.2.4.%d.%d", kind, suite), ParameterID: id}, nil
}

func parameterID(name string) (int, error) {
	if id, err := strconv.Atoi(strings.TrimPrefix(name, "dh-")); err == nil && id >= 0 {
		return id, nil
	}
	if c := ec.ByName(name); c != nil && c.PACEID() >= 0 {
		return c.PACEID(), nil
	}
	return 0, fmt.Errorf("%w: parameters %q", ErrAlgorithm, name)
}

// NewCA asks for a chip authentication key by names: a curve or "dh-0" to "dh-2", and
// a cipher of Ciphers.
func NewCA(curve, cipher string, id int) (CAConfig, error) {
	suite, err := cipherNumber(cipher)
	if err != nil {
		return CAConfig{}, err
	}
	kind := 2
	if strings.HasPrefix(curve, "dh-") {
		kind = 1
	}
	return CAConfig{Curve: curve, Protocol: fmt.Sprintf("0.4.0.127.0.7.2.2.3.%d.%d", kind, suite), KeyID: id}, nil
}

// details are the elements of DG11 and DG12 by name (ICAO 9303-10 §4.7.11, §4.7.12).
func details() map[string]struct {
	group lds.FileID
	tag   tlv.Tag
} {
	type place = struct {
		group lds.FileID
		tag   tlv.Tag
	}
	return map[string]place{
		"full-name": {lds.DG11, 0x5F0E}, "other-name": {lds.DG11, 0x5F0F}, "personal-number": {lds.DG11, 0x5F10}, "birth-date": {lds.DG11, 0x5F2B},
		"birth-place": {lds.DG11, 0x5F11}, "address": {lds.DG11, 0x5F42}, "telephone": {lds.DG11, 0x5F12}, "profession": {lds.DG11, 0x5F13},
		"title": {lds.DG11, 0x5F14}, "summary": {lds.DG11, 0x5F15}, "other-documents": {lds.DG11, 0x5F17}, "custody": {lds.DG11, 0x5F18},
		"authority": {lds.DG12, 0x5F19}, "issue-date": {lds.DG12, 0x5F26}, "other-person": {lds.DG12, 0x5F1A}, "endorsements": {lds.DG12, 0x5F1B},
		"tax-exit": {lds.DG12, 0x5F1C}, "personalised": {lds.DG12, 0x5F55}, "personalisation-system": {lds.DG12, 0x5F56},
	}
}

// DetailNames lists the names that AddDetail knows, sorted.
func DetailNames() []string { return slices.Sorted(maps.Keys(details())) }

// AddDetail adds an element to DG11 or DG12 by its name, for example "birth-place".
// Dates are YYYYMMDD; "<" separates parts, "<<" a family name from given names.
func (cfg *DocumentConfig) AddDetail(name, value string) error {
	d, ok := details()[name]
	if !ok {
		return fmt.Errorf("%w: detail %q", ErrConfig, name)
	}
	text := lds.TaggedText{Tag: d.tag, Text: value}
	if d.group == lds.DG11 {
		cfg.Person = append(cfg.Person, text)
	} else {
		cfg.Issue = append(cfg.Issue, text)
	}
	return nil
}

// Contact is a person to notify, for DG16 (ICAO 9303-10 §4.7.16).
type Contact struct {
	RecordedOn               string // YYYYMMDD
	Name, Telephone, Address string // "<" separates parts
}

// furtherGroups writes the groups that few documents have: DG7, DG13 and DG16.
func furtherGroups(doc *Document, cfg DocumentConfig) error {
	if len(cfg.Signature) > 0 {
		if lds.ImageFormat(cfg.Signature) == "" {
			return fmt.Errorf("%w: the signature is no JPEG or JPEG 2000", ErrConfig)
		}
		doc.Files[lds.DG7] = tlv.Encode(tlv.Tag(lds.DG7.Tag()), tlv.EncodeInt(1), tlv.Encode(0x5F43, cfg.Signature))
	}
	if len(cfg.Optional) > 0 {
		doc.Files[lds.DG13] = tlv.Encode(tlv.Tag(lds.DG13.Tag()), cfg.Optional)
	}
	if len(cfg.Contacts) > maxContacts {
		return fmt.Errorf("%w: %d persons to notify", ErrConfig, len(cfg.Contacts))
	}
	if len(cfg.Contacts) == 0 {
		return nil
	}
	body := tlv.EncodeInt(len(cfg.Contacts))
	for i, c := range cfg.Contacts {
		var one []byte
		for n, value := range []string{c.RecordedOn, c.Name, c.Telephone, c.Address} {
			if value != "" {
				one = append(one, tlv.Encode(tlv.Tag(0x5F50+n), []byte(value))...)
			}
		}
		body = append(body, tlv.Encode(tlv.ContextConstructed(i+1), one)...)
	}
	doc.Files[lds.DG16] = tlv.Encode(tlv.Tag(lds.DG16.Tag()), body)
	return nil
}

// maxContacts bounds the templates of DG16: their tags are one octet.
const maxContacts = 15
