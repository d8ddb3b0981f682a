package specimen

import (
	"crypto"
	"fmt"
	"time"

	"ipse/mrtd/cms"
	"ipse/mrtd/lds"
	"ipse/mrtd/tlv"
)

// Announcement is one entry of a deviation list: which documents have which defect
// (ICAO 9303-12 §10). Empty fields do not restrict.
type Announcement struct {
	Kind        string   // object identifier, see the constants of mrtd/trust
	Group       int      // data group, 0 for none
	Description string   // printable characters
	Code        string   // document code
	Signer      []byte   // certificate of the document signer concerned
	By          string   // how Signer is named: "key", "digest", or else by issuer and number
	Numbers     []string // document numbers
	From, To    time.Time
}

const oidDeviationList = "2.23.136.1.1.7"

// DeviationList makes a deviation list as of the time at, signed by a signer
// certified for that.
func (i *Issuer) DeviationList(at time.Time, entries ...Announcement) ([]byte, error) {
	signer, err := newSigner(i.cfg, i.csca, signerSpec{common: "Specimen Deviation List Signer", notBefore: at.AddDate(0, 0, -1), list: cms.OIDDeviationListSigner})
	if err != nil {
		return nil, fmt.Errorf("specimen: deviation list signer: %w", err)
	}
	var set [][]byte
	for _, e := range entries {
		documents, err := e.documents()
		if err != nil {
			return nil, err
		}
		var parts [][]byte
		if e.Description != "" {
			parts = append(parts, tlv.Encode(tlv.PrintableString, []byte(e.Description)))
		}
		parts = append(parts, tlv.EncodeOID(e.Kind))
		if e.Group != 0 {
			parts = append(parts, tlv.Encode(tlv.ContextConstructed(0), tlv.EncodeInt(e.Group)))
		}
		set = append(set, tlv.Encode(tlv.Sequence, documents, tlv.Encode(tlv.Set, tlv.Encode(tlv.Sequence, parts...))))
	}
	content := tlv.Encode(tlv.Sequence, tlv.EncodeInt(0), digestIdentifier(crypto.SHA256), tlv.Encode(tlv.Set, set...))
	return signData(i.cfg.Rand, signer, signSpec{contentType: oidDeviationList, content: content, at: at,
		certificates: [][]byte{signer.cert, i.csca.cert}})
}

// documents encodes DeviationDocuments, whose tags are implicit.
func (e Announcement) documents() ([]byte, error) {
	var parts [][]byte
	if e.Code != "" {
		parts = append(parts, tlv.Encode(tlv.Context(0), []byte((e.Code + "<")[:2])))
	}
	if e.Signer != nil {
		c, err := cms.ParseCertificate(e.Signer)
		if err != nil {
			return nil, fmt.Errorf("specimen: deviation list: %w", err)
		}
		switch e.By {
		case "key":
			parts = append(parts, tlv.Encode(tlv.Context(2), c.SubjectKeyID))
		case "digest":
			parts = append(parts, tlv.Encode(tlv.Context(3), hashOf(crypto.SHA256, c.Raw)))
		default:
			parts = append(parts, tlv.Encode(tlv.ContextConstructed(1), c.Issuer.Raw, tlv.Encode(tlv.Integer, c.Serial)))
		}
	}
	if !e.From.IsZero() {
		parts = append(parts, tlv.Encode(tlv.ContextConstructed(4),
			tlv.Encode(tlv.GeneralizedTime, generalized(e.From)), tlv.Encode(tlv.GeneralizedTime, generalized(e.To))))
	}
	if len(e.Numbers) > 0 {
		var numbers [][]byte
		for _, n := range e.Numbers {
			numbers = append(numbers, tlv.Encode(tlv.PrintableString, []byte(n)))
		}
		parts = append(parts, tlv.Encode(tlv.ContextConstructed(5), numbers...))
	}
	return tlv.Encode(tlv.Sequence, parts...), nil
}

// FaultWrongDG12 names a document whose DG12 does not have the signed hash.
const FaultWrongDG12 = "wrong-dg12"

// spoilDG12 changes DG12 after signing, as Italy's identity cards of 2017 have it.
func spoilDG12(doc *Document) {
	if b := doc.Files[lds.DG12]; len(b) > 0 {
		b[len(b)-1] ^= 0x01
	}
}
