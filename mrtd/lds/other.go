package lds

import (
	"ipse/internal/pii"
	"ipse/mrtd/cms"
	"ipse/mrtd/deviation"
	"ipse/mrtd/tlv"
)

// maxItems bounds the repeated elements of DG7 and DG16.
const maxItems = 16

// ParseDG7 returns the displayed signatures or usual marks of DG7 (Doc 9303-10
// §4.7.7), encoded images that share the file's buffer.
func ParseDG7(b []byte) ([]pii.Bytes, []deviation.Deviation, error) {
	e, ds, err := content(DG7, b)
	if err != nil {
		return nil, nil, err
	}
	kids, err := e.Children()
	if err != nil {
		return nil, nil, fail(DG7, err)
	}
	var out []pii.Bytes
	for _, k := range kids {
		if k.Tag != 0x5F43 {
			continue
		}
		if len(out) == maxItems {
			return nil, nil, fail(DG7, k.Err(tlv.ErrCount))
		}
		if ImageFormat(k.Value) == "" {
			ds = append(ds, at(DG7, deviation.DG2ImageType, k.Offset))
		}
		out = append(out, pii.NewBytes(k.Value))
	}
	if len(out) == 0 {
		return nil, nil, fail(DG7, e.Err(ErrNoImage))
	}
	return out, ds, nil
}

// Contact is one person to notify, of DG16 (Doc 9303-10 §4.7.16).
type Contact struct {
	RecordedOn pii.Text // YYYY-MM-DD
	Name       pii.Text
	Telephone  pii.Text
	Address    pii.Text
}

// ParseDG16 reads the persons to notify. Parts that cannot be read are left out
// and named.
func ParseDG16(b []byte) ([]Contact, []deviation.Deviation, error) {
	e, ds, err := content(DG16, b)
	if err != nil {
		return nil, nil, err
	}
	kids, err := e.Children()
	if err != nil {
		return nil, nil, fail(DG16, err)
	}
	t := &textReader{file: DG16, deviations: ds}
	var out []Contact
	for _, k := range kids {
		if !k.Tag.Constructed() {
			continue
		}
		if len(out) == maxItems {
			return nil, nil, fail(DG16, k.Err(tlv.ErrCount))
		}
		out = append(out, t.contact(k))
	}
	return out, t.deviations, nil
}

func (t *textReader) contact(e tlv.Element) Contact {
	var c Contact
	kids, err := e.Children()
	if err != nil {
		t.deviate(deviation.TextMalformed, e.Offset)
		return c
	}
	for _, k := range kids {
		switch k.Tag {
		case 0x5F50:
			c.RecordedOn = t.date(k)
		case 0x5F51:
			c.Name = pii.NewText(unfill(t.text(k)))
		case 0x5F52:
			c.Telephone = t.field(k)
		case 0x5F53:
			c.Address = t.field(k)
		}
	}
	return c
}

// ParseDG15 reads the public key of active authentication (Doc 9303-10 §4.7.15). Octets
// after the key, inside the object, are passed over.
func ParseDG15(b []byte) (*cms.PublicKey, []deviation.Deviation, error) {
	e, ds, err := content(DG15, b)
	if err != nil {
		return nil, nil, err
	}
	info, err := e.Reader().Expect(tlv.Sequence)
	if err != nil {
		return nil, nil, fail(DG15, err)
	}
	key, found, err := cms.ReadPublicKey(info)
	if err != nil {
		return nil, nil, fail(DG15, err)
	}
	return key, append(ds, deviation.At(string(DG15), found)...), nil
}

// oidCardSecurity is id-SecurityObject of BSI TR-03110-3 §A.1.2.5.
const oidCardSecurity = "0.4.0.127.0.7.3.2.1"

// ParseCardSecurity reads EF.CardSecurity (Doc 9303-11 §9.2.11): signed data
// whose content are SecurityInfos. It verifies nothing: the signer's certificate
// is enclosed and chains to a CSCA like that of EF.SOD.
func ParseCardSecurity(b []byte) (*cms.SignedData, []deviation.Deviation, error) {
	if len(b) > MaxFile {
		return nil, nil, fail(CardSecurity, ErrUnsupported)
	}
	sd, err := cms.ParseSignedData(b)
	if err != nil {
		return nil, nil, fail(CardSecurity, err)
	}
	ds := deviation.At(string(CardSecurity), sd.Deviations)
	if sd.ContentType != oidCardSecurity {
		ds = append(ds, at(CardSecurity, deviation.SODContentTypeAlien, 0))
	}
	return sd, ds, nil
}
