package chip

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"ipse/mrtd/deviation"
	"ipse/mrtd/internal/apdu"
	"ipse/mrtd/internal/pace"
	"ipse/mrtd/internal/sm"
	"ipse/mrtd/tlv"
)

// errPACE marks a refusal of the chip before the password came into play: another
// protocol may do.
var errPACE = errors.New("PACE refused by the chip")

// candidates orders the PACE infos that this package can do: with chip
// authentication mapping first, curves before prime fields, AES before 3DES,
// otherwise as the chip lists them.
func candidates(infos *pace.Infos) []pace.Info {
	if infos == nil {
		return nil
	}
	var out []pace.Info
	for _, i := range infos.PACE {
		if _, err := infos.Domain(i); err == nil {
			out = append(out, i)
		}
	}
	slices.SortStableFunc(out, func(a, b pace.Info) int { return cmp.Compare(rank(a), rank(b)) })
	return out[:min(len(out), maxPACETries)]
}

// maxPACETries bounds how many infos are tried.
const maxPACETries = 3

func rank(i pace.Info) int {
	n := 0
	if i.Protocol.Suite == sm.TDES {
		n += 8
	}
	if i.Protocol.DH {
		n += 4
	}
	switch i.Protocol.Mapping {
	case pace.Generic:
		n++
	case pace.Integrated:
		n += 2
	case pace.ChipAuth:
	}
	return n
}

// pace runs PACE (9303-11 §4.4) and, on success, starts secure messaging.
func (r *reader) pace(ctx context.Context, infos *pace.Infos, info pace.Info, password *sm.Password) error {
	domain, err := infos.Domain(info)
	if err != nil {
		return failed("PACE", ErrUnsupported, err)
	}
	z, err := r.beginPACE(ctx, info, password, len(infos.PACE) > 1)
	if err != nil {
		return err
	}
	key := password.Key(info.Protocol.Suite)
	defer clear(key)
	s, err := pace.DecryptNonce(info.Protocol.Suite, key, z)
	if err != nil {
		return failed("PACE, step 1", ErrAnswer, err)
	}
	defer clear(s)
	mapped, chipMapping, err := r.mapNonce(ctx, info.Protocol, domain, s)
	if err != nil {
		return err
	}
	own, err := mapped.GenerateKey(r.opts.Rand)
	if err != nil {
		return failed("PACE, step 3", ErrOptions, err)
	}
	defer own.Wipe()
	objects, err := r.authenticate(ctx, "PACE, step 3", true, domain, tlv.Encode(0x83, own.Public()))
	if err != nil {
		return err
	}
	peer := objects[0x84]
	secret, err := own.Agree(peer)
	if err != nil {
		return failed("PACE, step 3", ErrAnswer, err)
	}
	defer clear(secret)
	return r.confirmPACE(ctx, info, domain, pace.NewKeys(info.Protocol.Suite, secret), own.Public(), peer, chipMapping)
}

// beginPACE selects the protocol (MSE:Set AT, 9303-11 §4.4.4.1) and gets the
// encrypted nonce. The parameters are named where the chip offers several sets
// (German and Polish chips insist), or refuses to go without.
func (r *reader) beginPACE(ctx context.Context, info pace.Info, password *sm.Password, name bool) ([]byte, error) {
	const step = "PACE, step 1"
	oid := tlv.EncodeOID(info.Protocol.OID)
	for try := 0; ; try++ {
		data := append(tlv.Encode(0x80, oid[2:]), tlv.Encode(0x83, []byte{password.Reference})...)
		if name && info.ParameterID >= 0 {
			data = append(data, tlv.Encode(0x84, []byte{byte(info.ParameterID)})...)
		}
		// No Le: German chips refuse it here.
		answers, err := r.link.sendAll(ctx, step, []*apdu.Command{
			{INS: apdu.ManageSecurity, P1: 0xC1, P2: 0xA4, Data: data},
			{CLA: apdu.Chained, INS: apdu.GeneralAuthenticate, Data: tlv.Encode(0x7C), Ne: apdu.MaxShortNe},
		})
		if err != nil {
			return nil, err
		}
		first := answers[0]
		switch {
		case len(answers) == 2:
			objects, err := authenticationObjects(step, answers[1])
			return objects[0x80], err
		case first.SW>>8 == 0x63: // a warning about attempts left: go on
			objects, err := r.authenticate(ctx, step, true, nil)
			return objects[0x80], err
		case try > 0 || info.ParameterID < 0:
			return nil, &Error{Step: step, Reason: ErrAnswer, Status: uint16(first.SW), Err: errPACE}
		}
		name = !name
	}
}

// mapNonce exchanges mapping data (step 2) and returns the mapped domain and the
// chip's mapping key, nil with integrated mapping.
func (r *reader) mapNonce(ctx context.Context, p pace.Protocol, domain *pace.Domain, s []byte) (*pace.Domain, []byte, error) {
	const step = "PACE, step 2"
	if p.Mapping == pace.Integrated {
		t := make([]byte, p.Suite.KeySize())
		if _, err := io.ReadFull(r.opts.Rand, t); err != nil {
			return nil, nil, failed(step, ErrOptions, err)
		}
		if _, err := r.authenticate(ctx, step, true, nil, tlv.Encode(0x81, t)); err != nil {
			return nil, nil, err
		}
		mapped, err := domain.MapIntegrated(p.Suite, s, t)
		if err != nil {
			return nil, nil, failed(step, ErrAnswer, err)
		}
		return mapped, nil, nil
	}
	own, err := domain.GenerateKey(r.opts.Rand)
	if err != nil {
		return nil, nil, failed(step, ErrOptions, err)
	}
	defer own.Wipe()
	objects, err := r.authenticate(ctx, step, true, domain, tlv.Encode(0x81, own.Public()))
	if err != nil {
		return nil, nil, err
	}
	mapped, err := domain.MapGeneric(s, own, objects[0x82])
	if err != nil {
		return nil, nil, failed(step, ErrAnswer, err)
	}
	return mapped, objects[0x82], nil
}

// confirmPACE exchanges the authentication tokens (step 4): the first answer that
// depends on the password.
func (r *reader) confirmPACE(ctx context.Context, info pace.Info, domain *pace.Domain, keys *pace.Keys, own, peer, chipMapping []byte) error {
	const step = "PACE, step 4"
	p := info.Protocol
	done := false
	defer func() {
		if !done {
			keys.Wipe()
		}
	}()
	objects, err := r.authenticate(ctx, step, false, nil, tlv.Encode(0x85, r.token(keys, p, peer)))
	if err != nil {
		if e := (*Error)(nil); errors.As(err, &e) && e.Status != 0 {
			e.Reason, e.Err = ErrAccessDenied, nil
			if domain.Short(peer) {
				e.Err = errNumber
			}
		}
		return err
	}
	if !keys.CheckToken(p, own, objects[0x86]) {
		return failed(step, ErrSecureMessaging, errors.New("authentication token of the chip"))
	}
	if p.Mapping == pace.ChipAuth {
		data, ok := keys.DecryptCAM(objects[0x8A])
		if !ok {
			return failed(step, ErrAnswer, errors.New("chip authentication data"))
		}
		r.out.CAM = &CAMTranscript{ChipAuthenticationData: data, MappingPublicKey: append([]byte(nil), chipMapping...)}
	}
	r.link.session, done = keys.Session(), true
	r.out.Access, r.out.Protocol, r.out.ParameterID = p.Name(), p.OID, info.ParameterID
	return nil
}

// errNumber marks a token that the chip refused in an exchange whose DH number is
// shorter than its prime: a fresh exchange, most likely without such a number, tells
// whether the password is wrong or the two ends write the number differently.
var errNumber = errors.New("the chip's number is shorter than the prime")

// token is the reader's authentication token. It is over the chip's number as the
// standard writes it, or as the chip does where that has zero octets too many: who
// sends them has them in the token as well. (The reader's own numbers have none,
// see pace.GenerateKey, so that the chip's token leaves no choice.)
func (r *reader) token(keys *pace.Keys, p pace.Protocol, peer []byte) []byte {
	if p.DH && len(pace.Number(peer)) < len(peer) {
		r.deviate(deviation.ChipDHNumber, "")
		return keys.TokenAsSent(p, peer)
	}
	return keys.Token(p, peer)
}

// authenticate sends GENERAL AUTHENTICATE with dynamic authentication data and
// returns the chip's by tag (9303-11 §4.4.4.2). domain, if not nil, says how long the
// answer may get. Keys too long for a short command go with extended length, or in
// parts: the length of the data object tells the chip where a step ends.
func (r *reader) authenticate(ctx context.Context, step string, chained bool, domain *pace.Domain, objects ...[]byte) (map[tlv.Tag][]byte, error) {
	c := &apdu.Command{INS: apdu.GeneralAuthenticate, Data: tlv.Encode(0x7C, objects...), Ne: apdu.MaxShortNe}
	if chained {
		c.CLA = apdu.Chained
	}
	size := 0
	if domain != nil && !domain.IsCurve() {
		size = (domain.Bits()+7)/8 + 8 // two data objects around the key
	}
	answers, whole, err := r.sendLong(ctx, step, []*apdu.Command{c}, size)
	if err != nil {
		return nil, err
	}
	a := answers[len(answers)-1]
	if !whole && a.SW == apdu.OK {
		return nil, failed(step, ErrAnswer, errors.New("the chain was cut"))
	}
	if r.link.extended && a.SW == apdu.OK && len(a.Data) > shortPlain {
		r.link.extendedWorks = true
	}
	return authenticationObjects(step, a)
}

func authenticationObjects(step string, a *answer) (map[tlv.Tag][]byte, error) {
	if a.SW != apdu.OK {
		e := refused(step, ErrAnswer, a)
		e.Err = errPACE
		return nil, e
	}
	outer, err := tlv.Parse(a.Data)
	if err != nil || outer.Tag != 0x7C {
		return nil, failed(step, ErrAnswer, errors.New("dynamic authentication data"))
	}
	all, err := outer.Children()
	if err != nil || len(all) > 8 {
		return nil, failed(step, ErrAnswer, errors.New("dynamic authentication data"))
	}
	out := map[tlv.Tag][]byte{}
	for _, e := range all {
		if _, twice := out[e.Tag]; twice {
			return nil, failed(step, ErrAnswer, fmt.Errorf("object %X twice", uint32(e.Tag)))
		}
		out[e.Tag] = e.Value
	}
	return out, nil
}
