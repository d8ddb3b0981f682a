package trust

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

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
	// The signature and the certificates are independent work; what the certificates
	// say is used only once the signature is known to be good.
	var signature string
	var signatureErr error
	certs, err := listedCertificates(sd.Content, sd.ContentOffset)
	inParallel(len(certs), func() { signature, signatureErr = l.verifyList(sd) }, func(i int) { certs[i].parse() })
	if signatureErr != nil {
		return signatureErr
	}
	if err != nil {
		return err
	}
	l.report.Signature = signature
	for i := range certs {
		l.certificate(&certs[i])
	}
	return nil
}

// listedCertificates splits CscaMasterList into its certificates.
func listedCertificates(content []byte, offset int) ([]parsed, error) {
	list, err := tlv.ParseAt(content, offset)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrListContent, err)
	}
	r := list.Reader()
	if _, err := r.Expect(tlv.Integer); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrListContent, err)
	}
	set, err := r.Expect(tlv.Set)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrListContent, err)
	}
	out := make([]parsed, 0, len(content)/1536) // about the size of a certificate
	for certs := set.Reader(); !certs.Empty(); {
		e, err := certs.Next()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrListContent, err)
		}
		out = append(out, parsed{raw: e.Raw})
	}
	return out, nil
}

// parsed is a certificate of a source and what its parser said.
type parsed struct {
	raw  []byte
	cert *cms.Certificate
	sum  [32]byte // fingerprint, where cert is set
	err  error
}

func (p *parsed) parse() {
	if p.cert, p.err = cms.ParseCertificate(p.raw); p.err == nil {
		p.sum = p.cert.Fingerprint()
	}
}

// inParallel calls once, and each for 0 to n-1, on all processors where n is large.
func inParallel(n int, once func(), each func(i int)) {
	const batch, maxWorkers = 16, 8
	if n < 2*batch {
		once()
		for i := range n {
			each(i)
		}
		return
	}
	var next atomic.Int64
	var work sync.WaitGroup
	work.Go(once)
	for range min(runtime.GOMAXPROCS(0), maxWorkers) {
		work.Go(func() {
			for {
				start := int(next.Add(batch)) - batch
				if start >= n {
					return
				}
				for i := start; i < min(start+batch, n); i++ {
					each(i)
				}
			}
		})
	}
	work.Wait()
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
	// A root vouches for its document signers too: they may not sign lists.
	if len(l.opts.Roots) > 0 && !slices.Contains(signer.ExtendedKeyUsage, cms.OIDMasterListSigner) {
		return "", ErrListSignerUsage
	}
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
