package mrtd

import (
	"encoding/hex"
	"errors"
	"time"

	"ipse/mrtd/cms"
	"ipse/mrtd/deviation"
	"ipse/mrtd/trust"
)

func (v *verifier) chain() bool {
	const id, clause = "chain.signature", "9303-11 5.1 step 2"
	if v.signer == nil {
		return v.check(id, Skipped, clause, "no document signer")
	}
	v.out.Chain = append(v.out.Chain, describe("document signer", v.signer))
	path, err := v.path, v.pathErr
	switch {
	case errors.Is(err, trust.ErrNoAuthority):
		return v.check(id, Failed, clause, "no trusted authority of %s has the issuer's name or key", v.signer.Issuer.Country())
	case errors.Is(err, trust.ErrBrokenLink):
		return v.check(id, Failed, clause, "%s", reason(err))
	case err != nil:
		return v.check(id, Failed, clause, "the document signer is not signed by a trusted authority of %s", v.signer.Issuer.Country())
	}
	v.deviate(deviation.At("DS certificate", path.Deviations)...)
	for _, a := range path.Authorities {
		info := describe(string(a.Kind), a.Cert)
		info.Source, info.SourceSHA256 = a.Source, a.SourceSHA256
		v.out.Chain = append(v.out.Chain, info)
		v.deviate(deviation.At("CSCA certificate", a.Cert.Deviations)...)
	}
	return v.check(id, Passed, clause, "signed by an authority of %s, %s", path.Issuer().Cert.Country(), path.Issuer().Cert.Key)
}

func describe(role string, c *cms.Certificate) CertificateInfo {
	f := c.Fingerprint()
	return CertificateInfo{Role: role, Subject: c.Subject.String(), Issuer: c.Issuer.String(), Serial: c.SerialNumber().Text(16),
		Country: c.Country(), NotBefore: c.NotBefore, NotAfter: c.NotAfter, Key: c.Key.String(), Strength: c.Key.Strength(),
		Algorithm: c.Algorithm.String(), SHA256: hex.EncodeToString(f[:])}
}

// validity checks dates: of the signer when it signed and now, of the authority
// when it certified the signer and now. The signing time is the signed attribute
// where there is one; without it the signer's first day stands for it.
func (v *verifier) validity() {
	const clause = "9303-12 7.1.1, RFC 5280 6.1.3"
	if v.signer == nil || v.path == nil {
		v.check("validity", Skipped, clause, "no chain")
		return
	}
	signed := v.signer.NotBefore
	if t := v.out.Signature.SigningTime; t != nil {
		signed = *t
		if v.signer.ValidAt(signed) {
			v.check("validity.signer_at_signing", Passed, clause, "signed on %s", signed.Format(time.DateOnly))
		} else {
			v.check("validity.signer_at_signing", Failed, clause, "signed on %s, outside the signer's validity", signed.Format(time.DateOnly))
		}
	} else {
		v.check("validity.signer_at_signing", NotOffered, clause, "the signature states no time")
	}
	if p := v.signer.PrivateKeyUsage; p != nil && v.out.Signature.SigningTime != nil && !p.Contains(signed) {
		v.deviate(deviation.Deviation{Code: deviation.ChainUsagePeriod, Where: "DS certificate"})
	}
	v.authorityValidity()
	v.validNow()
}

func (v *verifier) authorityValidity() {
	const id, clause = "validity.authority_at_issuance", "9303-12 4.1.3"
	issuer := v.path.Issuer().Cert
	if !issuer.ValidAt(v.signer.NotBefore) {
		v.check(id, Failed, clause, "the authority was not valid when it certified the signer")
		return
	}
	if p := issuer.PrivateKeyUsage; p != nil && !p.Contains(v.signer.NotBefore) {
		v.deviate(deviation.Deviation{Code: deviation.ChainUsagePeriod, Where: "CSCA certificate"})
	}
	v.check(id, Passed, clause, "the authority was valid when it certified the signer")
}

// validNow checks the whole chain today. Certificates outlive the documents
// signed under them, so an ended one means an ended document.
func (v *verifier) validNow() {
	const id, clause = "validity.now", "9303-12 7.1.1"
	certs := []*cms.Certificate{v.signer}
	for _, a := range v.path.Authorities {
		certs = append(certs, a.Cert)
	}
	for i, c := range certs {
		role := v.out.Chain[i].Role
		switch {
		case v.opts.Now.Before(c.NotBefore):
			v.check(id, Failed, clause, "the %s is not valid before %s", role, c.NotBefore.Format(time.DateOnly))
			return
		case v.opts.Now.After(c.NotAfter):
			result := Failed
			if v.opts.AllowExpired {
				result = NotOffered
			}
			v.check(id, result, clause, "the %s ended on %s", role, c.NotAfter.Format(time.DateOnly))
			return
		}
	}
	v.check(id, Passed, clause, "every certificate of the chain is valid")
}

func (v *verifier) revocation() {
	const id, clause = "revocation.signer", "9303-12 7.1.4"
	if v.signer == nil || v.path == nil {
		v.check(id, Skipped, clause, "no chain")
		return
	}
	v.linkRevocation()
	st := v.store.Status(v.signer)
	missing := NotOffered
	if v.opts.RequireCRL {
		missing = Failed
	}
	if !st.Known {
		detail := "no revocation list of this authority is loaded"
		if st.BadSignature > 0 {
			detail = "the revocation lists of this authority are not signed by it"
		}
		v.check(id, missing, clause, "%s", detail)
		return
	}
	fresh := st.Fresh(v.opts.Now, v.opts.CRLGrace)
	info := &RevocationInfo{ListFrom: st.ThisList, ListSHA256: st.ListSHA256, Fresh: fresh, Revoked: st.Revoked}
	if !st.NextList.IsZero() {
		info.ListNext = &st.NextList
	}
	v.out.Revocation = info
	switch {
	case st.Revoked:
		v.check(id, Failed, clause, "revoked on %s", st.RevokedAt.Format(time.DateOnly))
	case !fresh:
		v.check(id, missing, clause, "not revoked by a list of %s, which should have been replaced on %s",
			st.ThisList.Format(time.DateOnly), st.NextList.Format(time.DateOnly))
	default:
		v.check(id, Passed, clause, "not revoked by the list of %s", st.ThisList.Format(time.DateOnly))
	}
}

// linkRevocation looks the link certificates of the chain up. Few authorities issue
// lists over them: nothing is required.
func (v *verifier) linkRevocation() {
	const id, clause = "revocation.link", "9303-12 7.1.4"
	known := false
	for _, a := range v.path.Authorities {
		if a.Kind != trust.Link {
			continue
		}
		st := v.store.Status(a.Cert)
		if st.Revoked {
			v.check(id, Failed, clause, "the link certificate %s is revoked since %s", a.Cert.SerialNumber().Text(16), st.RevokedAt.Format(time.DateOnly))
			return
		}
		known = known || st.Known
	}
	if known {
		v.check(id, Passed, clause, "no link certificate is on a revocation list")
	}
}

// deviations is the last check: does the policy tolerate all that was met?
func (v *verifier) deviations() {
	refused := deviation.Refused(v.opts.Policy, v.out.Deviations)
	if len(refused) > 0 {
		v.check("policy", Failed, "", "departures from the standards that policy %[2]s does not tolerate: %[1]d, the first is %[3]s", len(refused), v.opts.Policy, refused[0].Code)
		return
	}
	v.check("policy", Passed, "", "departures from the standards, all tolerated under policy %[2]s: %[1]d", len(v.out.Deviations), v.opts.Policy)
}
