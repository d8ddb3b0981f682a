package mrtd

import (
	"errors"
	"fmt"

	"ipse/mrtd/cms"
	"ipse/mrtd/deviation"
	"ipse/mrtd/internal/apdu"
	"ipse/mrtd/internal/pace"
	"ipse/mrtd/internal/sm"
	"ipse/mrtd/lds"
	"ipse/mrtd/tlv"
)

// Reasons a chip authentication is not accepted. None holds a key.
var (
	errCANoKey      = errors.New("chip authentication: DG14 has no key of that identifier and kind")
	errCAProtocol   = errors.New("chip authentication: DG14 does not announce that protocol")
	errCATerminal   = errors.New("chip authentication: the terminal's keys do not belong together")
	errCATranscript = errors.New("chip authentication: the first answer is not protected under the agreed keys")
	errCAM          = errors.New("chip authentication mapping: the proof does not fit the signed key")
	errCAMProtocol  = errors.New("chip authentication mapping: not a protocol and parameters with that mapping")
)

// chipInfos reads the security infos of DG14.
func chipInfos(dg14 []byte) (*pace.Infos, error) {
	b, ds, err := lds.Content(lds.DG14, dg14)
	if err != nil {
		return nil, err
	}
	infos, err := pace.ParseInfos(b)
	if place := (*tlv.Error)(nil); errors.As(err, &place) {
		end := len(dg14)
		if len(ds) > 0 { // octets follow the content
			end = ds[0].Offset
		}
		place.Offset += end - len(b)
	}
	return infos, lds.Refuse(lds.DG14, err)
}

// verifyCA recomputes a chip authentication (ICAO 9303-11 §6.2): with the
// terminal's private key and the signed public key of the chip anyone derives
// the session keys, and only a chip that holds the private key could protect an
// answer under them; or whoever holds the terminal's key, see Verdict.Freshness.
func verifyCA(dg14 []byte, t *CATranscript) (string, []deviation.Deviation, error) {
	infos, err := chipInfos(dg14)
	if err != nil {
		return "", nil, err
	}
	protocol, ds, err := announcedCA(infos, t)
	if err != nil {
		return "", nil, err
	}
	key, found := infos.KeyFor(pace.CAInfo{Protocol: protocol, KeyID: t.KeyID})
	if !found {
		return "", nil, errCANoKey
	}
	domain, public, err := key.ParseKey()
	if err != nil {
		return "", nil, lds.Refuse(lds.DG14, err)
	}
	own, err := domain.NewKeyPair(t.TerminalPrivate)
	if err != nil {
		return "", nil, errCATerminal
	}
	defer own.Wipe()
	if !own.IsPublic(t.TerminalPublic) {
		return "", nil, errCATerminal
	}
	secret, err := own.Agree(public)
	if err != nil {
		return "", nil, errCATerminal
	}
	defer clear(secret)
	if err := checkFirstExchange(protocol.Suite, secret, t); err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("%s, %s", domain.Name(), protocol.Suite), ds, nil
}

// announcedCA checks the protocol against DG14, so that a weaker one than the
// issuer signed is not accepted. Without any announcement 3DES is meant.
func announcedCA(infos *pace.Infos, t *CATranscript) (pace.Protocol, []deviation.Deviation, error) {
	protocol, ok := pace.ParseCA(t.Protocol)
	if !ok {
		return protocol, nil, errCAProtocol
	}
	for _, i := range infos.CA {
		if i.Protocol.OID == protocol.OID {
			return protocol, nil, nil
		}
	}
	if len(infos.CA) == 0 && pace.DefaultCA(protocol.DH).OID == protocol.OID {
		return protocol, []deviation.Deviation{{Code: deviation.CADefaultProtocol}}, nil
	}
	return protocol, nil, errCAProtocol
}

// checkFirstExchange checks the codes of the first command and response after
// chip authentication, whose counters are 1 and 2 (ICAO 9303-11 §9.8.6.1).
func checkFirstExchange(suite sm.Suite, secret []byte, t *CATranscript) error {
	command, err := apdu.Parse(t.Command)
	if err != nil {
		return errCATranscript
	}
	asChip := sm.NewSession(suite, secret, nil)
	defer asChip.Wipe()
	plain, err := asChip.UnprotectCommand(command)
	if err != nil {
		return errCATranscript
	}
	asReader := sm.NewSession(suite, secret, nil)
	defer asReader.Wipe()
	if _, err := asReader.Protect(plain); err != nil {
		return errCATranscript
	}
	response, err := apdu.ParseResponse(t.Response)
	if err != nil || len(response.Data) == 0 { // an unprotected error proves nothing
		return errCATranscript
	}
	if _, err := asReader.Unprotect(response); err != nil {
		return errCATranscript
	}
	return nil
}

// verifyCAM checks the proof of PACE-CAM: CA.IC times the signed key is the
// chip's mapping key (ICAO 9303-11 §4.4.3.5.2). The key is that of DG14 on the
// same curve, or of EF.CardSecurity where its signer is certified by a trusted
// authority.
func (v *verifier) verifyCAM(dg14 []byte) (string, error) {
	session, t := &v.ev.Session, v.ev.Session.CAM
	protocol, ok := pace.ParsePACE(session.Protocol)
	if !ok || protocol.Mapping != pace.ChipAuth {
		return "", errCAMProtocol
	}
	domain, err := v.paceDomain(protocol)
	if err != nil || !domain.IsCurve() {
		return "", errCAMProtocol
	}
	sources := []struct {
		name string
		read func() (*pace.Infos, error)
	}{
		{"DG14", func() (*pace.Infos, error) { return chipInfos(dg14) }},
		{"EF.CardSecurity", v.cardSecurityInfos},
	}
	for _, s := range sources {
		infos, err := s.read()
		if err != nil {
			continue
		}
		for _, k := range infos.Keys {
			d, public, err := k.ParseKey()
			if err == nil && d.Name() == domain.Name() && domain.VerifyCAM(t.ChipAuthenticationData, public, t.MappingPublicKey) {
				return fmt.Sprintf("PACE-CAM, %s, key of %s", domain.Name(), s.name), nil
			}
		}
	}
	return "", errCAM
}

// paceDomain returns the domain of PACE: standardised, or as EF.CardAccess writes it
// out, which can only be a known curve.
func (v *verifier) paceDomain(protocol pace.Protocol) (*pace.Domain, error) {
	infos, err := pace.ParseInfos(v.ev.File(lds.CardAccess))
	if err != nil {
		infos = &pace.Infos{}
	}
	return infos.Domain(pace.Info{Protocol: protocol, ParameterID: v.ev.Session.ParameterID})
}

// cardSecurityInfos returns the security infos of EF.CardSecurity, once its
// signature and the signer's chain are verified.
func (v *verifier) cardSecurityInfos() (*pace.Infos, error) {
	signed, ds, err := lds.ParseCardSecurity(v.ev.File(lds.CardSecurity))
	if err != nil {
		return nil, err
	}
	v.deviate(ds...)
	for i := range signed.Signers {
		for _, raw := range signed.Certificates {
			c, err := cms.ParseCertificate(raw)
			if err != nil || !signed.Signers[i].Matches(c) {
				continue
			}
			if _, err := signed.Verify(&signed.Signers[i], c); err != nil {
				continue
			}
			path, err := v.store.Path(c)
			if err != nil || v.path == nil || path.Issuer().Cert.Country() != v.path.Issuer().Cert.Country() || !c.ValidAt(v.opts.Now) || v.store.Status(c).Revoked {
				continue
			}
			return pace.ParseInfos(signed.Content)
		}
	}
	return nil, fmt.Errorf("EF.CardSecurity: %w", cms.ErrSignature)
}
