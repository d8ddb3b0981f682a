package chip

import (
	"context"
	"crypto/subtle"
	"errors"
	"io"
	"slices"

	"ipse/mrtd/deviation"
	"ipse/mrtd/internal/apdu"
	"ipse/mrtd/internal/pace"
	"ipse/mrtd/internal/sm"
	"ipse/mrtd/lds"
)

// passwords are what the access data give.
type passwords struct{ mrz, can *sm.Password }

func (a Access) passwords() (passwords, error) {
	var p passwords
	var err error
	if !a.CAN.IsZero() {
		if p.can, err = sm.CANPassword(a.CAN.Reveal()); err != nil {
			return p, failed("access data", ErrAccessData, nil)
		}
	}
	if !a.Number.IsZero() {
		if p.mrz, err = sm.MRZPassword(a.Number.Reveal(), a.BirthDate.Reveal(), a.ExpiryDate.Reveal()); err != nil {
			p.can.Wipe()
			return p, failed("access data", ErrAccessData, nil)
		}
	}
	if p.mrz == nil && p.can == nil {
		return p, failed("access data", ErrAccessData, nil)
	}
	return p, nil
}

func (p passwords) wipe() {
	p.mrz.Wipe()
	p.can.Wipe()
}

// openChip runs the access procedure (9303-11 §4.2): PACE where EF.CardAccess offers
// it, else, or where the chip refuses it, BAC. Afterwards the eMRTD application is
// selected, under secure messaging unless the document is open to everyone.
func (r *reader) openChip(ctx context.Context) error {
	var paceErr error
	if !r.opts.NoPACE {
		infos, err := r.cardAccess(ctx)
		if err != nil {
			return err
		}
		opened, err := r.tryPACE(ctx, infos)
		if opened || over(err) {
			return r.afterPACE(ctx, err)
		}
		paceErr = err
	}
	if r.pass.mrz == nil {
		if paceErr != nil {
			return paceErr
		}
		return failed("access", ErrAccessData, errors.New("the chip offers no PACE and BAC needs the zone"))
	}
	err := r.bac(ctx)
	if err == nil && paceErr != nil {
		r.deviate(deviation.ChipPACERefused, string(lds.CardAccess))
	}
	if errors.Is(err, ErrUnsupported) && paceErr != nil {
		return paceErr // what the chip said about the protocol it prefers
	}
	return err
}

// over reports an error after which no other protocol may be tried: the card is
// lost, or someone tampers with the conversation.
func over(err error) bool {
	return errors.Is(err, ErrCard) || errors.Is(err, ErrSecureMessaging) || errors.Is(err, ErrLimit) || errors.Is(err, ErrOptions)
}

func (r *reader) tryPACE(ctx context.Context, infos *pace.Infos) (opened bool, err error) {
	if infos == nil {
		return false, nil
	}
	password := r.pass.can
	if password == nil {
		password = r.pass.mrz
	}
	if len(infos.PACE) > 0 {
		err = failed("PACE", ErrUnsupported, errors.New("no usable parameters"))
	}
	for _, info := range candidates(infos) {
		err = r.pace(ctx, infos, info, password)
		if errors.Is(err, errPACE) && r.noExtended() || errors.Is(err, errNumber) {
			err = r.pace(ctx, infos, info, password) // once more: in chains, or with other numbers
		}
		if err == nil {
			return true, nil
		}
		if over(err) || errors.Is(err, ErrAccessDenied) {
			return false, err
		}
	}
	return false, err
}

// afterPACE reads EF.CardSecurity where PACE proved a key that only it may hold, and
// has the application selected, under secure messaging, together with the first read.
func (r *reader) afterPACE(ctx context.Context, err error) error {
	if err != nil {
		return err
	}
	if r.out.CAM != nil {
		if err := r.readOptional(ctx, lds.CardSecurity); err != nil {
			return err
		}
	}
	r.unselected = true
	return nil
}

// selectApplication has no Le: German chips refuse it.
func selectApplication() *apdu.Command {
	return &apdu.Command{INS: apdu.Select, P1: 0x04, P2: 0x0C, Data: []byte{0xA0, 0x00, 0x00, 0x02, 0x47, 0x10, 0x01}}
}

const selectStep = "select application"

func applicationSelected(a *answer) error {
	if !a.SW.Error() {
		return nil
	}
	e := refused(selectStep, ErrNoApplication, a)
	if a.SW == apdu.FileNotFound {
		e.Reason, e.lost = ErrNoApplication, false
	}
	return e
}

// cardAccess reads EF.CardAccess (9303-11 §9.2.11). A chip without it, or that does
// not let it be read (6982, 6986), has no PACE for us: nil.
func (r *reader) cardAccess(ctx context.Context) (*pace.Infos, error) {
	b, err := r.readCardAccess(ctx)
	if err != nil || b == nil {
		return nil, err
	}
	infos, err := pace.ParseInfos(b)
	if err != nil {
		r.deviate(deviation.ChipCardAccess, string(lds.CardAccess))
		return nil, nil //nolint:nilnil // no usable infos
	}
	r.keep(lds.CardAccess, b)
	return infos, nil
}

// readCardAccess tries the forms that chips take: by short identifier in the master
// file, which is current after power-up; after selecting the master file, in two
// forms; and by file identifier.
func (r *reader) readCardAccess(ctx context.Context) ([]byte, error) {
	const step = "read CardAccess"
	short := &apdu.Command{INS: apdu.ReadBinary, P1: 0x80 | lds.CardAccess.SFI(), Ne: apdu.MaxShortNe}
	byID := []*apdu.Command{{INS: apdu.Select, P1: 0x02, P2: 0x0C, Data: []byte{0x01, 0x1C}}, {INS: apdu.ReadBinary, Ne: apdu.MaxShortNe}}
	for i, commands := range [][]*apdu.Command{
		{short},
		{{INS: apdu.Select, P2: 0x0C, Data: []byte{0x3F, 0x00}}, short},
		byID,
		append([]*apdu.Command{{INS: apdu.Select, P2: 0x0C}}, byID...),
	} {
		answers, err := r.link.sendAll(ctx, step, r.probed(commands))
		if err != nil {
			return nil, err
		}
		answers = r.probe(answers, len(commands))
		a := answers[len(answers)-1]
		if len(answers) < len(commands) || a.SW.Error() || len(a.Data) < 2 || a.Data[0] != lds.CardAccess.Tag() {
			if i == 1 && len(answers) < len(commands) {
				r.deviate(deviation.ChipMasterFile, "")
			}
			continue
		}
		return r.rest(ctx, lds.CardAccess, a.Data)
	}
	return nil, nil
}

// probing tells that it is worth finding out early whether chip and reader take
// extended lengths: where the document would have to be opened again for that, and
// trips cost time.
func (r *reader) probing() bool {
	return r.link.batch != nil && !r.quirks.short && !r.link.extendedWorks
}

// probed adds, to commands of which the last reads, the same read with extended
// length. It is carried out only where the others were, and costs no trip.
func (r *reader) probed(commands []*apdu.Command) []*apdu.Command {
	if !r.probing() {
		return commands
	}
	long := *commands[len(commands)-1]
	long.Extended = true
	return append(slices.Clone(commands), &long)
}

// probe takes the answer to the command that probed added.
func (r *reader) probe(answers []*answer, asked int) []*answer {
	if len(answers) <= asked {
		return answers
	}
	if answers[asked].SW.Error() {
		r.quirks.short = true
	}
	return answers[:asked]
}

// bac runs basic access control (9303-11 §4.3).
func (r *reader) bac(ctx context.Context) error {
	const step = "BAC"
	enc, mac, err := r.pass.mrz.BACKeys()
	if err != nil {
		return failed(step, ErrAccessData, nil)
	}
	defer clear(enc)
	defer clear(mac)
	choose := selectApplication()
	choose.Extended = r.probing()
	answers, err := r.link.sendAll(ctx, step, []*apdu.Command{choose, {INS: apdu.GetChallenge, Ne: 8}})
	if err != nil {
		return err
	}
	if choose.Extended && answers[0].SW.Error() && answers[0].SW != apdu.FileNotFound {
		r.quirks.short = true
		return r.bac(ctx)
	}
	if len(answers) == 1 {
		if err := applicationSelected(answers[0]); err != nil {
			return err
		}
		a, err := r.link.send(ctx, step, &apdu.Command{INS: apdu.GetChallenge, Ne: 8})
		if err != nil {
			return err
		}
		answers = append(answers, a)
	}
	challenge := answers[1]
	if challenge.SW != apdu.OK {
		return r.openToAll(ctx, challenge)
	}
	if len(challenge.Data) != 8 {
		return failed(step, ErrAnswer, errors.New("length of the challenge"))
	}
	return r.externalAuthenticate(ctx, enc, mac, challenge.Data)
}

func (r *reader) externalAuthenticate(ctx context.Context, enc, mac, rndIC []byte) error {
	const step = "BAC"
	s := make([]byte, 32) // RND.IFD || RND.IC || K.IFD
	defer clear(s)
	if _, err := io.ReadFull(r.opts.Rand, s); err != nil {
		return failed(step, ErrOptions, err)
	}
	copy(s[8:16], rndIC)
	a, err := r.link.send(ctx, step, &apdu.Command{INS: apdu.ExternalAuthenticate, Data: sm.SealBAC(enc, mac, s), Ne: sm.BACSize})
	if err != nil {
		return err
	}
	if a.SW != apdu.OK {
		return refused(step, ErrAccessDenied, a)
	}
	answer, ok := sm.OpenBAC(enc, mac, a.Data)
	if !ok {
		return failed(step, ErrSecureMessaging, errors.New("the chip's cryptogram"))
	}
	defer clear(answer)
	if subtle.ConstantTimeCompare(answer[:8], rndIC) != 1 || subtle.ConstantTimeCompare(answer[8:16], s[:8]) != 1 {
		return failed(step, ErrSecureMessaging, errors.New("nonces in the chip's cryptogram"))
	}
	r.link.session = sm.NewBACSession(s[:8], rndIC, s[16:], answer[16:])
	r.out.Access, r.out.Protocol, r.out.ParameterID = "BAC", "", 0
	return nil
}

// openToAll finds out why a chip gives no challenge: some old documents are open to
// everyone, others want PACE alone.
func (r *reader) openToAll(ctx context.Context, challenge *answer) error {
	for _, commands := range [][]*apdu.Command{
		{{INS: apdu.ReadBinary, P1: 0x80 | lds.COM.SFI(), Ne: headerSize}},
		{{INS: apdu.Select, P1: 0x02, P2: 0x0C, Data: []byte{0x01, 0x1E}}, {INS: apdu.ReadBinary, Ne: headerSize}},
	} {
		answers, err := r.link.sendAll(ctx, "read COM", commands)
		if err != nil {
			return err
		}
		a := answers[len(answers)-1]
		if len(answers) == len(commands) && !a.SW.Error() && len(a.Data) >= 2 && a.Data[0] == lds.COM.Tag() {
			r.out.Access, r.out.Protocol, r.out.ParameterID = "none", "", 0
			return nil
		}
	}
	return refused("BAC", ErrUnsupported, challenge)
}
