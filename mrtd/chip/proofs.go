package chip

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"ipse/mrtd/cms"
	"ipse/mrtd/deviation"
	"ipse/mrtd/internal/apdu"
	"ipse/mrtd/internal/pace"
	"ipse/mrtd/internal/sm"
	"ipse/mrtd/lds"
	"ipse/mrtd/tlv"
)

// proveKey has the chip prove the private key of DG14 (9303-11 §6.2), unless PACE
// did already. Whatever the chip refuses here is left to the verdict: a proof owed
// and not given.
func (r *reader) proveKey(ctx context.Context, dg14 []byte) error {
	content, _, err := lds.Content(lds.DG14, dg14)
	if err != nil {
		return nil //nolint:nilerr // an unreadable DG14 is for the verdict to refuse
	}
	infos, err := pace.ParseInfos(content)
	if err != nil || len(infos.Keys) == 0 || r.link.session == nil || r.quirks.noCA {
		return nil //nolint:nilerr // as above
	}
	if r.out.CAM != nil && provedBy(infos, r.out.CAM) {
		return nil
	}
	info, key, ok := r.chooseCA(infos)
	if !ok {
		return nil
	}
	domain, public, err := key.ParseKey()
	if err != nil {
		return nil //nolint:nilerr // as above
	}
	own, err := domain.GenerateKey(r.opts.Rand)
	if err != nil {
		return failed("chip authentication", ErrOptions, err)
	}
	defer own.Wipe()
	secret, err := own.Agree(public)
	if err != nil {
		return nil //nolint:nilerr // as above
	}
	defer clear(secret)
	accepted, err := r.sendCA(ctx, info, own.Public())
	if err != nil || !accepted {
		return err
	}
	r.link.session.Wipe()
	r.link.session = sm.NewSession(info.Protocol.Suite, secret, nil)
	r.out.CA = &CATranscript{Protocol: info.Protocol.OID, KeyID: info.KeyID,
		TerminalPrivate: own.Private(), TerminalPublic: own.Public()}
	r.link.transcript = r.out.CA
	return nil
}

// provedBy reports whether the proof of PACE-CAM is of a key of DG14. Otherwise the
// key of EF.CardSecurity was proved, and DG14's is still owed.
func provedBy(infos *pace.Infos, t *CAMTranscript) bool {
	for _, k := range infos.Keys {
		domain, public, err := k.ParseKey()
		if err == nil && domain.VerifyCAM(t.ChipAuthenticationData, public, t.MappingPublicKey) {
			return true
		}
	}
	return false
}

// chooseCA takes an info that has a usable key: of version 1 before version 2, which
// needs terminal authentication first, AES before 3DES, curves before prime fields,
// otherwise as DG14 lists them. Without any info it is the first key with the default
// protocol (French documents).
func (r *reader) chooseCA(infos *pace.Infos) (pace.CAInfo, pace.CAKey, bool) {
	ordered := slices.Clone(infos.CA)
	slices.SortStableFunc(ordered, func(a, b pace.CAInfo) int { return cmp.Compare(rankCA(a), rankCA(b)) })
	for _, info := range ordered {
		key, ok := infos.KeyFor(info)
		if !ok {
			continue
		}
		if info.KeyID < 0 {
			info.KeyID = key.KeyID
		}
		return info, key, true
	}
	if len(infos.CA) > 0 {
		return pace.CAInfo{}, pace.CAKey{}, false
	}
	key := infos.Keys[0]
	r.deviate(deviation.CADefaultProtocol, string(lds.DG14))
	return pace.CAInfo{Protocol: pace.DefaultCA(key.DH), Version: 1, KeyID: key.KeyID}, key, true
}

func rankCA(i pace.CAInfo) int {
	n := 0
	if i.Version > 1 {
		n += 4
	}
	if i.Protocol.Suite == sm.TDES {
		n += 2
	}
	if i.Protocol.DH {
		n++
	}
	return n
}

// sendCA sends the reader's key, naming the chip's where DG14 does, and once more
// without naming it where the chip refuses that. false when the chip refuses.
func (r *reader) sendCA(ctx context.Context, info pace.CAInfo, public []byte) (bool, error) {
	const step = "chip authentication"
	ids := [][]byte{keyReference(info.KeyID), nil}
	for len(ids) > 0 {
		answers, whole, err := r.sendLong(ctx, step, commandsCA(info, public, ids[0]), 0)
		if err != nil {
			return false, err
		}
		last := answers[len(answers)-1]
		switch {
		case last.SW == apdu.OK && whole:
			return true, nil
		case last.bare && r.noExtended():
			return false, refused(step, ErrAnswer, last)
		case last.bare:
			r.quirks.noCA = true // a fresh session, without asking again
			return false, refused(step, ErrAnswer, last)
		case r.noExtended(): // once more, in chains
		case ids[0] == nil:
			return false, nil
		default:
			ids = ids[1:]
		}
	}
	return false, nil
}

// commandsCA is MSE:Set KAT with 3DES, MSE:Set AT and GENERAL AUTHENTICATE with AES
// (9303-11 §6.2.4).
func commandsCA(info pace.CAInfo, public, id []byte) []*apdu.Command {
	if info.Protocol.Suite == sm.TDES {
		return []*apdu.Command{{INS: apdu.ManageSecurity, P1: 0x41, P2: 0xA6, Data: append(tlv.Encode(0x91, public), id...)}}
	}
	return []*apdu.Command{
		{INS: apdu.ManageSecurity, P1: 0x41, P2: 0xA4, Data: append(tlv.Encode(0x80, tlv.EncodeOID(info.Protocol.OID)[2:]), id...)},
		{INS: apdu.GeneralAuthenticate, Data: tlv.Encode(0x7C, tlv.Encode(0x80, public)), Ne: apdu.MaxShortNe},
	}
}

// keyReference is the data object of a key identifier, in as few octets as it
// takes; nil for none.
func keyReference(id int) []byte {
	switch {
	case id < 0:
		return nil
	case id > 0xFF:
		return tlv.Encode(0x84, []byte{byte(id >> 8), byte(id)})
	}
	return tlv.Encode(0x84, []byte{byte(id)})
}

// answerChallenge runs active authentication (9303-11 §6.1) with the caller's
// challenge. A chip that refuses leaves the proof owed.
func (r *reader) answerChallenge(ctx context.Context, dg15 []byte) error {
	const step = "active authentication"
	if r.opts.Challenge == nil || r.quirks.noAA {
		return nil
	}
	c := &apdu.Command{INS: apdu.InternalAuthenticate, Data: r.opts.Challenge, Ne: apdu.MaxShortNe}
	answers, _, err := r.sendLong(ctx, step, []*apdu.Command{c}, signatureSize(dg15))
	if err != nil {
		return err
	}
	a := answers[0]
	switch {
	case a.SW == apdu.OK && len(a.Data) > 0:
		r.out.AA = &AATranscript{Challenge: append([]byte(nil), r.opts.Challenge...), Response: append([]byte(nil), a.Data...)}
		return nil
	case a.bare && r.noExtended():
		return refused(step, ErrAnswer, a)
	case a.bare:
		r.quirks.noAA = true
		return refused(step, ErrAnswer, a)
	case r.noExtended():
		return r.answerChallenge(ctx, dg15) // once more, the answer in parts
	}
	return nil
}

// signatureSize estimates the length of the response from the key of DG15.
func signatureSize(dg15 []byte) int {
	key, _, err := lds.ParseDG15(dg15)
	if err != nil {
		return 0
	}
	if key.Kind == cms.KeyEC {
		return 2*((key.Bits+7)/8) + 9 // in DER
	}
	return (key.Bits + 7) / 8
}

var errShort = errors.New("file ends early")
