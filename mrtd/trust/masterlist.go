package trust

import (
	"fmt"

	"ipse/mrtd/cms"
	"ipse/mrtd/tlv"
)

const oidMasterList = "2.23.136.1.1.2"

// masterList loads a CSCA master list (ICAO 9303-12 §9): a CMS SignedData whose
// content is CscaMasterList ::= SEQUENCE { version, certList SET OF Certificate }.
func (l *loader) masterList(data []byte) error {
	sd, err := cms.ParseSignedData(data)
	if err != nil {
		return err
	}
	if sd.ContentType == oidDeviationList {
		return l.deviations(sd)
	}
	if sd.ContentType != oidMasterList {
		return fmt.Errorf("%w: content type %s", ErrListContent, sd.ContentType)
	}
	if l.report.Signature, err = l.verifyList(sd); err != nil {
		return err
	}
	list, err := tlv.Parse(sd.Content)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrListContent, err)
	}
	r := list.Reader()
	if _, err := r.Expect(tlv.Integer); err != nil {
		return fmt.Errorf("%w: %w", ErrListContent, err)
	}
	set, err := r.Expect(tlv.Set)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrListContent, err)
	}
	for certs := set.Reader(); !certs.Empty(); {
		e, err := certs.Next()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrListContent, err)
		}
		l.certificate(e.Raw)
	}
	return nil
}

// verifyList checks the signature of a list and says who vouches for it. A list
// whose signature is wrong is refused as a whole.
func (l *loader) verifyList(sd *cms.SignedData) (string, error) {
	last := cms.ErrNoSigner
	for i := range sd.Signers {
		s := &sd.Signers[i]
		for _, raw := range sd.Certificates {
			c, err := cms.ParseCertificate(raw)
			if err != nil || !s.Matches(c) {
				continue
			}
			if _, err := sd.Verify(s, c); err != nil {
				last = err
				continue
			}
			return l.vouch(sd, c)
		}
	}
	return "", fmt.Errorf("list signature: %w", last)
}

// vouch looks for a chain from the list's signer to a given root, of at most one
// enclosed certificate in between.
func (l *loader) vouch(sd *cms.SignedData, signer *cms.Certificate) (string, error) {
	who := signer.Country()
	for _, root := range l.opts.Roots {
		if _, err := signer.CheckSignedBy(root.Key); err == nil {
			return "verified: signer of " + who + " certified by the given root", nil
		}
		for _, raw := range sd.Certificates {
			mid, err := cms.ParseCertificate(raw)
			if err != nil || !mid.IsCA {
				continue
			}
			if _, err := signer.CheckSignedBy(mid.Key); err != nil {
				continue
			}
			if _, err := mid.CheckSignedBy(root.Key); err == nil {
				return "verified: signer of " + who + " certified through a link to the given root", nil
			}
		}
	}
	if l.opts.RequireSignedLists {
		return "", ErrListSigner
	}
	return "intact: signed by a signer of " + who + " for whom no given root vouches", nil
}
