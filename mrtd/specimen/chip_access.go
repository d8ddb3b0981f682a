package specimen

import (
	"crypto/subtle"

	"ipse/mrtd/internal/apdu"
	"ipse/mrtd/internal/sm"
	"ipse/mrtd/mrz"
)

// mrzPassword is the password printed on the document.
func (c *Chip) mrzPassword() (*sm.Password, error) {
	zone, err := mrz.Parse(c.doc.MRZ)
	if err != nil {
		return nil, err
	}
	return sm.MRZPassword(zone.Number.Reveal(), zone.BirthDate.Reveal(), zone.ExpiryDate.Reveal())
}

// getChallenge answers GET CHALLENGE with RND.IC (ICAO 9303-11 §4.3.4.1).
func (c *Chip) getChallenge(cmd *apdu.Command) apdu.Response {
	switch {
	case c.s.dir != eMRTD:
		return status(apdu.ConditionsOfUse)
	case c.has(FaultBAC6A88):
		return status(apdu.ReferenceNotFound)
	case !c.doc.Access.BAC:
		return status(apdu.UnknownINS)
	case cmd.Ne != 8 && cmd.Ne != apdu.MaxShortNe:
		return status(apdu.WrongLength)
	}
	c.s.challenge = c.random(8)
	return apdu.Response{Data: c.s.challenge, SW: apdu.OK}
}

// basicAccess answers EXTERNAL AUTHENTICATE of BAC (ICAO 9303-11 §4.3.3, §4.3.4.2).
func (c *Chip) basicAccess(cmd *apdu.Command) apdu.Response {
	challenge := c.s.challenge
	c.s.challenge = nil
	switch {
	case !c.doc.Access.BAC:
		return status(apdu.UnknownINS)
	case challenge == nil || c.s.sm != nil:
		return status(apdu.ConditionsOfUse)
	case len(cmd.Data) != sm.BACSize:
		return status(apdu.WrongLength)
	}
	password, err := c.mrzPassword()
	if err != nil {
		return status(apdu.ReferenceNotFound)
	}
	defer password.Wipe()
	enc, mac, err := password.BACKeys()
	if err != nil {
		return status(apdu.ReferenceNotFound)
	}
	s, ok := sm.OpenBAC(enc, mac, cmd.Data)
	if !ok || subtle.ConstantTimeCompare(s[8:16], challenge) != 1 {
		return status(apdu.AuthenticationFailed)
	}
	rndIFD, kIFD, kIC := s[:8], s[16:32], c.random(16)
	answer := append(append(append(make([]byte, 0, 32), challenge...), rndIFD...), kIC...)
	r := apdu.Response{Data: sm.SealBAC(enc, mac, answer), SW: apdu.OK}
	if cmd.Ne < len(r.Data) {
		return status(apdu.WrongLength)
	}
	c.s.sm = sm.NewBACSession(rndIFD, challenge, kIFD, kIC)
	return r
}
