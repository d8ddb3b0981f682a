package mrtd

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"ipse/internal/pii"
	"ipse/mrtd/cms"
	"ipse/mrtd/deviation"
	"ipse/mrtd/lds"
	"ipse/mrtd/trust"
)

// VerifyOptions say how strictly, when and against which challenge.
type VerifyOptions struct {
	// Now is the time of the verdict; it must be given, so that the same call
	// has the same result tomorrow.
	Now time.Time
	// Policy says which deviations are tolerated; the zero value is deviation.ICAO.
	Policy deviation.Policy
	// AAChallenge is the challenge that the verifier chose for this session.
	// When given, an active authentication over another one fails; when nil the
	// verdict says that freshness is not known.
	AAChallenge []byte
	// OwnSession says that the caller itself drove the chip when this evidence was
	// gathered. Chip authentication proves the chip to the reader alone: whoever
	// holds its ephemeral key can make up the transcript.
	OwnSession bool
	// RequireFresh refuses a chip whose proof may be old: where a proof is owed it
	// must be over AAChallenge, or made in the caller's own session.
	RequireFresh bool
	// AllowExpired tolerates a document whose date of expiry has passed, and the
	// certificates that ended with it.
	AllowExpired bool
	// RequireCRL fails the verification where no fresh revocation list is known.
	RequireCRL bool
	// CRLGrace is how long after its next update a revocation list still counts
	// as fresh. The default is 0.
	CRLGrace time.Duration
}

// ErrOptions reports missing arguments.
var ErrOptions = errors.New("mrtd: evidence, store and time must be given")

// Verify judges evidence (ICAO 9303-11 §5.1, §6). A document that is not genuine
// is a verdict, not an error: errors report misuse only.
func Verify(ev *Evidence, store *trust.Store, opts VerifyOptions) (*Verdict, error) {
	if ev == nil || store == nil || opts.Now.IsZero() {
		return nil, ErrOptions
	}
	v := &verifier{ev: ev, store: store, opts: opts, out: &Verdict{
		Policy: opts.Policy.String(), VerifiedAt: opts.Now.UTC(), ReadAt: ev.Session.ReadAt.UTC(),
		Access: ev.Session.Access, TrustDigest: store.Digest(), Files: describeFiles(ev),
	}}
	v.run()
	return v.out, nil
}

type verifier struct {
	ev    *Evidence
	store *trust.Store
	opts  VerifyOptions
	out   *Verdict

	sod     *lds.DocumentSecurity
	signer  *cms.Certificate
	path    *trust.Path // from the signer, nil with pathErr
	pathErr error
	failed  bool
	// unsigned are files that are left unused: their hash is known to be wrong.
	unsigned map[lds.FileID]bool
	// aaFresh: active authentication passed over the verifier's own challenge.
	aaFresh bool
}

func (v *verifier) run() {
	v.deviate(v.ev.Session.Deviations...)
	ok := v.securityObject()
	ok = v.signature() && ok
	v.announced()
	ok = v.hashes() && ok
	ok = v.chain() && ok
	v.validity()
	v.revocation()
	v.out.PassiveAuthentication = ok
	v.commonData()
	v.documentData(ok)
	v.accessParameters(ok)
	v.chipAuthenticity(ok)
	v.deviations()
	v.out.Genuine = ok && !v.failed
}

func (v *verifier) check(id string, r Result, clause, format string, args ...any) bool {
	v.out.Checks = append(v.out.Checks, Check{ID: id, Result: r, Clause: clause, Detail: fmt.Sprintf(format, args...)})
	if r == Failed {
		v.failed = true
	}
	return r == Passed
}

func (v *verifier) deviate(ds ...deviation.Deviation) {
	for _, d := range ds {
		if !slices.Contains(v.out.Deviations, d) {
			v.out.Deviations = append(v.out.Deviations, d)
		}
	}
}

// reason is an error's text; errors of the parsers name places, never content.
func reason(err error) string { return err.Error() }

func (v *verifier) securityObject() bool {
	const id, clause = "sod.structure", "9303-10 4.6.2"
	b := v.ev.File(lds.SOD)
	if b == nil {
		return v.check(id, Failed, clause, "EF.SOD was not read")
	}
	sod, err := lds.ParseSOD(b)
	if err != nil {
		return v.check(id, Failed, clause, "%s", reason(err))
	}
	v.sod = sod
	v.deviate(sod.Deviations...)
	return v.check(id, Passed, clause, "lists %d data groups", len(sod.Groups))
}

// signature finds the document signer's certificate and verifies the SOD with
// it: among those enclosed first, then in the trust store. Of several signers whose
// signature is right, the first that a trusted authority vouches for counts.
func (v *verifier) signature() bool {
	const id, clause = "sod.signature", "9303-11 5.1 step 3"
	if v.sod == nil {
		return v.check(id, Skipped, clause, "no security object")
	}
	enclosed, parseErr := v.enclosedSigners()
	last := cms.ErrNoSigner
	if parseErr != nil {
		last = parseErr
	}
	var found *signedBy
	for i := range v.sod.Signed.Signers {
		s := &v.sod.Signed.Signers[i]
		for _, c := range v.signerCandidates(s, enclosed) {
			out, err := v.sod.Signed.Verify(s, c)
			if err != nil {
				last = err
				continue
			}
			one := &signedBy{info: s, cert: c, outcome: out}
			one.path, one.pathErr = v.store.Path(c)
			if found == nil || found.pathErr != nil && one.pathErr == nil {
				found = one
			}
			break
		}
	}
	if found == nil {
		return v.check(id, Failed, clause, "%s", reason(last))
	}
	v.accept(found, slices.Contains(enclosed, found.cert))
	return v.check(id, Passed, clause, "%s with %s, %s", found.outcome.Scheme, found.outcome.Hash, found.cert.Key)
}

// signedBy is a signature that is right, and who vouches for the signer.
type signedBy struct {
	info    *cms.SignerInfo
	cert    *cms.Certificate
	outcome cms.Outcome
	path    *trust.Path
	pathErr error
}

func (v *verifier) enclosedSigners() ([]*cms.Certificate, error) {
	var out []*cms.Certificate
	var last error
	for i, raw := range v.sod.Signed.Certificates {
		if i == 8 {
			break
		}
		c, err := cms.ParseCertificate(raw)
		if err != nil {
			last = err
			continue
		}
		out = append(out, c)
	}
	return out, last
}

// signerCandidates lists matching enclosed certificates, then matching ones of
// the store, then enclosed ones that the identifier does not name (documents of
// Ukraine and Malaysia).
func (v *verifier) signerCandidates(s *cms.SignerInfo, enclosed []*cms.Certificate) []*cms.Certificate {
	var matching, others []*cms.Certificate
	for _, c := range enclosed {
		if s.Matches(c) {
			matching = append(matching, c)
		} else {
			others = append(others, c)
		}
	}
	if len(matching) == 0 {
		matching = v.store.SignersMatching(s.Matches)
	}
	return append(matching, others...)
}

func (v *verifier) accept(by *signedBy, enclosed bool) {
	s, c, out := by.info, by.cert, by.outcome
	v.signer, v.path, v.pathErr = c, by.path, by.pathErr
	v.deviate(deviation.At("SOD", out.Deviations)...)
	v.deviate(deviation.At("DS certificate", c.Deviations)...)
	v.deviate(deviation.At("DS certificate", c.SignerProfile())...)
	if !s.Matches(c) {
		v.deviate(deviation.Deviation{Code: deviation.SODSignerID, Where: "SOD"})
	}
	if s.Issuer != nil && s.Matches(c) && !bytes.Equal(s.Issuer.Raw, c.Issuer.Raw) {
		v.deviate(deviation.Deviation{Code: deviation.ChainNameForm, Where: "SOD"})
	}
	if !enclosed {
		v.deviate(deviation.Deviation{Code: deviation.SODNoCertificate, Where: "SOD"})
	}
	if v.sod.Hash != cms.HashByOID(s.Digest) {
		v.deviate(deviation.Deviation{Code: deviation.SODHashDiffers, Where: "SOD"})
	}
	info := &SignatureInfo{Algorithm: out.Scheme.String() + " with " + out.Hash.String(), Key: c.Key.String(),
		Strength: c.Key.Strength(), DataHash: v.sod.Hash.String(), LDSVersion: v.sod.LDSVersion}
	for _, g := range v.sod.Groups {
		info.Listed = append(info.Listed, g.Number)
	}
	if !s.SigningTime.IsZero() {
		t := s.SigningTime
		info.SigningTime = &t
	}
	v.out.Signature = info
}

// hashes compares every data group read with its signed hash. DG1 and DG2 must
// be there; DG3 and DG4 are behind extended access control and may not be.
func (v *verifier) hashes() bool {
	const clause = "9303-11 5.1 step 5"
	if v.sod == nil {
		return v.check("hash", Skipped, clause, "no security object")
	}
	ok := true
	for n := 1; n <= 16; n++ {
		id := lds.DataGroup(n)
		want, have := v.sod.HashOf(n), v.ev.File(id)
		name := "hash." + string(id)
		switch {
		case want == nil && have == nil:
			if n <= 2 {
				ok = v.check(name, Failed, clause, "the security object does not list this mandatory group")
			}
		case want == nil:
			ok = v.check(name, Failed, clause, "read but not listed in the signed security object")
		case have == nil && n <= 2:
			ok = v.check(name, Failed, clause, "listed and mandatory, but not read")
		case have == nil:
			v.check(name, Skipped, clause, "listed, not read")
		default:
			h := v.sod.Hash.New()
			h.Write(have)
			switch {
			case string(h.Sum(nil)) == string(want):
				v.check(name, Passed, clause, "%s as signed", v.sod.Hash)
			case v.excused(id, n):
				v.check(name, NotOffered, clause, "%s differs from the signed one, as the issuing state announces; the group is not used", v.sod.Hash)
			default:
				ok = v.check(name, Failed, clause, "%s differs from the signed one", v.sod.Hash)
			}
		}
	}
	return ok
}

func describeFiles(ev *Evidence) []FileInfo {
	ids := make([]lds.FileID, 0, len(ev.Files))
	for id := range ev.Files {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	out := make([]FileInfo, 0, len(ids))
	for _, id := range ids {
		sum := sha256.Sum256(ev.File(id))
		out = append(out, FileInfo{File: id, Size: len(ev.File(id)), SHA256: pii.NewText(hex.EncodeToString(sum[:]))})
	}
	return out
}
