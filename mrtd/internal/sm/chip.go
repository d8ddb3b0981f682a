package sm

import (
	"crypto/subtle"
	"fmt"

	"ipse/mrtd/internal/apdu"
)

// The chip's end of a session.

// IsProtected reports whether a command's class asks for secure messaging with an
// authenticated header (ISO/IEC 7816-4 §5.4.1).
func IsProtected(c *apdu.Command) bool { return c.CLA&apdu.Secured == apdu.Secured }

// UnprotectCommand checks a protected command and returns the plain one. A wrong
// one is ErrProtection and ends the session, as 9303-11 §9.8.7 asks of a chip,
// which then answers 6987 or 6988 unprotected.
func (s *Session) UnprotectCommand(c *apdu.Command) (*apdu.Command, error) {
	if s.ended {
		return nil, ErrEnded
	}
	out, err := s.openCommand(c)
	if err != nil {
		s.Wipe()
	}
	return out, err
}

func (s *Session) openCommand(c *apdu.Command) (*apdu.Command, error) {
	ssc := s.counter(2*s.commands + 1)
	s.commands++
	d, err := parseObjects(c.Data)
	if err != nil {
		return nil, err
	}
	if !IsProtected(c) || d.status != nil || len(d.code) != MACSize || d.cryptogram != nil && d.odd != (c.INS&1 == 1) {
		return nil, fmt.Errorf("%w: command without code", ErrProtection)
	}
	header := c.Header()
	if subtle.ConstantTimeCompare(s.authenticate(ssc, header[:], d.covered), d.code) != 1 {
		return nil, fmt.Errorf("%w: code of a command", ErrProtection)
	}
	s.odd = c.INS&1 == 1
	out := &apdu.Command{CLA: c.CLA &^ apdu.Secured, INS: c.INS, P1: c.P1, P2: c.P2, Extended: c.Extended}
	if d.cryptogram != nil {
		plain, ok := s.decrypt(ssc, d.cryptogram)
		if !ok {
			return nil, fmt.Errorf("%w: padding of a command", ErrProtection)
		}
		out.Data = plain
	}
	switch len(d.le) {
	case 1:
		out.Ne = (int(d.le[0])+255)%256 + 1
	case 2:
		out.Ne = (int(d.le[0])<<8+int(d.le[1])+65535)%65536 + 1
	}
	return out, nil
}

// ProtectResponse protects the response to the last command taken.
func (s *Session) ProtectResponse(r *apdu.Response) (*apdu.Response, error) {
	if s.ended || s.answers >= s.commands {
		return nil, ErrEnded
	}
	s.answers++
	ssc := s.counter(2 * s.answers)
	objects := make([]byte, 0, len(r.Data)+overhead)
	if len(r.Data) > 0 {
		objects = s.appendCryptogram(objects, ssc, r.Data, s.odd)
	}
	objects = append(objects, byte(tagStatus), 2, byte(r.SW>>8), byte(r.SW))
	code := s.authenticate(ssc, nil, objects)
	return &apdu.Response{Data: append(append(objects, byte(tagMAC), MACSize), code...), SW: r.SW}, nil
}
