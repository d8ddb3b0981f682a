package sm

import (
	"crypto/cipher"
	"crypto/subtle"
	"errors"
	"fmt"

	"ipse/mrtd/internal/apdu"
	"ipse/mrtd/tlv"
)

var (
	// ErrUnprotected reports a response without secure messaging that claims success.
	ErrUnprotected = errors.New("sm: unprotected response")
	// ErrProtection reports a protected message whose data objects are missing,
	// malformed, or whose code is wrong.
	ErrProtection = errors.New("sm: secure messaging objects missing or wrong")
	errObjects    = fmt.Errorf("%w: data objects", ErrProtection)
	// ErrEnded reports the use of a session that has ended.
	ErrEnded = errors.New("sm: session has ended")
)

// Data objects of secure messaging (9303-11 §9.8.4, ISO/IEC 7816-4 §10.3).
const (
	tagCryptogramOdd = tlv.Tag(0x85) // without padding indicator, for odd INS
	tagCryptogram    = tlv.Tag(0x87)
	tagLe            = tlv.Tag(0x97)
	tagStatus        = tlv.Tag(0x99)
	tagMAC           = tlv.Tag(0x8E)
)

// Session is one secure messaging session. Both ends count alike: a command uses
// the next odd step of the send sequence counter, its response the one after. It
// is not for concurrent use. A session that was deceived ends and stays ended.
type Session struct {
	suite    Suite
	enc      cipher.Block
	mac      *macState
	encKey   []byte
	macKey   []byte
	initial  [16]byte // send sequence counter before the first command
	commands uint64   // protected or taken so far
	answers  uint64   // taken or protected so far
	odd      bool     // the last command taken had an odd INS (chip's end)
	ended    bool

	// Working space, so that messages cost no allocations but their own.
	ssc, iv [16]byte
	code    [MACSize]byte
}

// NewSession derives the session keys from the shared secret (KDF with counters 1
// and 2). A nil ssc is zero, as after PACE and chip authentication (9303-11 §9.8.6).
func NewSession(suite Suite, secret, ssc []byte) *Session {
	return NewSessionWithKeys(suite, suite.KDF(secret, CounterENC), suite.KDF(secret, CounterMAC), ssc)
}

// NewSessionWithKeys makes a session of keys that were derived already; it owns them.
func NewSessionWithKeys(suite Suite, enc, mac, ssc []byte) *Session {
	s := &Session{suite: suite, enc: suite.NewCipher(enc), mac: suite.newMAC(mac), encKey: enc, macKey: mac}
	copy(s.initial[:suite.BlockSize()], ssc)
	return s
}

// Suite returns the session's suite.
func (s *Session) Suite() Suite { return s.suite }

// Ended reports whether the session has ended.
func (s *Session) Ended() bool { return s.ended }

// Wipe ends the session and overwrites its keys.
func (s *Session) Wipe() {
	if s == nil {
		return
	}
	s.ended = true
	clear(s.encKey)
	clear(s.macKey)
	if s.mac != nil {
		*s.mac = macState{}
	}
	s.initial, s.ssc, s.iv, s.code = [16]byte{}, [16]byte{}, [16]byte{}, [MACSize]byte{}
	s.enc, s.mac = nil, nil
}

// counter returns the initial send sequence counter plus steps, valid until the next call.
func (s *Session) counter(steps uint64) []byte {
	s.ssc = s.initial
	out := s.ssc[:s.suite.BlockSize()]
	for i := len(out) - 1; i >= 0 && steps > 0; i-- {
		steps += uint64(out[i])
		out[i] = byte(steps)
		steps >>= 8
	}
	return out
}

// Counter returns the send sequence counter of the last response taken or
// protected, as it entered its code.
func (s *Session) Counter() []byte { return append([]byte(nil), s.counter(2*s.answers)...) }

// vector is zero for 3DES, the encrypted counter for AES (9303-11 §9.8.6.1).
func (s *Session) vector(ssc []byte) []byte {
	iv := s.iv[:len(ssc)]
	clear(iv)
	if s.suite != TDES {
		s.enc.Encrypt(iv, ssc)
	}
	return iv
}

// appendEncrypted appends the cryptogram of plain, padded.
func (s *Session) appendEncrypted(dst, ssc, plain []byte) []byte {
	begin, size, pad := len(dst), len(ssc), [16]byte{0x80}
	dst = append(dst, plain...)
	dst = append(dst, pad[:size-len(plain)%size]...)
	last := s.vector(ssc)
	for b := dst[begin:]; len(b) > 0; b = b[size:] {
		subtle.XORBytes(b, b[:size], last)
		s.enc.Encrypt(b[:size], b[:size])
		last = b[:size]
	}
	return dst
}

// decrypt returns the plain data of a cryptogram, in octets of their own.
func (s *Session) decrypt(ssc, cryptogram []byte) ([]byte, bool) {
	size := len(ssc)
	if len(cryptogram) == 0 || len(cryptogram)%size != 0 {
		return nil, false
	}
	out := make([]byte, len(cryptogram))
	last := s.vector(ssc)
	for at := 0; at < len(out); at += size {
		s.enc.Decrypt(out[at:at+size], cryptogram[at:at+size])
		subtle.XORBytes(out[at:], out[at:at+size], last)
		last = cryptogram[at : at+size]
	}
	return unpad(out, size)
}

// authenticate computes the code over the counter, the padded header (nil for a
// response) and the data objects, padded in turn when there are any (9303-11
// §9.8.4.1). It is valid until the next call.
func (s *Session) authenticate(ssc, header, objects []byte) []byte {
	m, size, pad := s.mac, len(ssc), [16]byte{0x80}
	m.reset()
	m.write(ssc)
	if header != nil {
		m.write(header)
		m.write(pad[:size-len(header)%size])
	}
	if len(objects) > 0 {
		m.write(objects)
		m.write(pad[:size-len(objects)%size])
	}
	return m.appendSum(s.code[:0], false)
}

// appendCryptogram appends DO'87' or, for odd instructions, DO'85'.
func (s *Session) appendCryptogram(dst, ssc, plain []byte, odd bool) []byte {
	size := len(ssc)
	n := len(plain) + size - len(plain)%size
	if odd {
		return s.appendEncrypted(tlv.AppendHeader(dst, tagCryptogramOdd, n), ssc, plain)
	}
	return s.appendEncrypted(append(tlv.AppendHeader(dst, tagCryptogram, n+1), 1), ssc, plain)
}

// overhead bounds what protection adds to data: padding and the headers of all objects.
const overhead = 48

// Protect returns the protected form of a command. Several commands may be
// protected ahead of their responses; see Rewind.
func (s *Session) Protect(c *apdu.Command) (*apdu.Command, error) {
	if s.ended {
		return nil, ErrEnded
	}
	ssc := s.counter(2*s.commands + 1)
	s.commands++
	out := &apdu.Command{CLA: c.CLA | apdu.Secured, INS: c.INS, P1: c.P1, P2: c.P2, Ne: apdu.MaxShortNe}
	objects := make([]byte, 0, len(c.Data)+overhead)
	if len(c.Data) > 0 {
		objects = s.appendCryptogram(objects, ssc, c.Data, c.INS&1 == 1)
	}
	objects = appendLe(objects, c)
	header := out.Header()
	code := s.authenticate(ssc, header[:], objects)
	out.Data = append(append(objects, byte(tagMAC), MACSize), code...)
	if c.NeedsExtended() || c.Extended || len(out.Data) > apdu.MaxShortData {
		out.Extended, out.Ne = true, apdu.MaxNe
	}
	return out, nil
}

func appendLe(dst []byte, c *apdu.Command) []byte {
	switch {
	case c.Ne == 0:
		return dst
	case c.NeedsExtended() || c.Extended:
		return append(dst, byte(tagLe), 2, byte(c.Ne>>8), byte(c.Ne))
	}
	return append(dst, byte(tagLe), 1, byte(c.Ne))
}

// Rewind forgets commands that were protected ahead and never sent: the next
// command takes the place after the last response. (Whoever carries the commands
// then holds two for one counter value, both of which the chip's holder agreed to
// have sent; what they read is checked against the signed hashes in either case.)
func (s *Session) Rewind() { s.commands = s.answers }

// Unprotect takes the response to the oldest command without one and returns what
// it protects. Its code is checked in constant time and its status is the
// protected one, DO'99'. An unprotected error status is returned as it is, since a
// chip that lost the session cannot protect; any other unprotected response is
// ErrUnprotected, a wrong one ErrProtection, and both end the session.
func (s *Session) Unprotect(r *apdu.Response) (*apdu.Response, error) {
	if s.ended || s.answers >= s.commands {
		return nil, ErrEnded
	}
	s.answers++
	if len(r.Data) == 0 {
		if !r.SW.Error() {
			s.Wipe()
			return nil, ErrUnprotected
		}
		return &apdu.Response{SW: r.SW}, nil
	}
	out, err := s.open(r)
	if err != nil {
		s.Wipe()
		return nil, err
	}
	return out, nil
}

// open reads [DO'87' or DO'85'] DO'99' DO'8E' and nothing else.
func (s *Session) open(r *apdu.Response) (*apdu.Response, error) {
	d, err := parseObjects(r.Data)
	if d.status == nil && d.code == nil {
		return nil, ErrUnprotected // plain data
	}
	if err != nil {
		return nil, err
	}
	if len(d.status) != 2 || d.le != nil || len(d.code) != MACSize {
		return nil, fmt.Errorf("%w: response without status or code", ErrProtection)
	}
	ssc := s.counter(2 * s.answers)
	if subtle.ConstantTimeCompare(s.authenticate(ssc, nil, d.covered), d.code) != 1 {
		return nil, fmt.Errorf("%w: code of a response", ErrProtection)
	}
	out := &apdu.Response{SW: apdu.Status(uint16(d.status[0])<<8 | uint16(d.status[1]))}
	if d.cryptogram != nil {
		plain, ok := s.decrypt(ssc, d.cryptogram)
		if !ok {
			return nil, fmt.Errorf("%w: padding of a response", ErrProtection)
		}
		out.Data = plain
	}
	return out, nil
}

// objects are the data objects of a protected message.
type objects struct {
	cryptogram, le, status, code []byte
	covered                      []byte // what the code covers
	odd                          bool   // DO'85'
}

// parseObjects reads the data objects in their order, each at most once.
func parseObjects(b []byte) (objects, error) {
	var d objects
	step := 0
	for rest := b; len(rest) > 0; {
		e, n, err := tlv.ParsePrefix(rest)
		if err != nil {
			return d, errObjects
		}
		at, ok := d.take(e)
		if !ok || at <= step || e.Indefinite {
			return d, errObjects
		}
		step = at
		if e.Tag == tagMAC {
			d.covered = b[:len(b)-len(rest)]
		}
		rest = rest[n:]
	}
	return d, nil
}

// take stores an object and returns its place in the order.
func (d *objects) take(e tlv.Element) (place int, ok bool) {
	switch e.Tag {
	case tagCryptogram:
		if len(e.Value) < 2 || e.Value[0] != 1 {
			return 0, false
		}
		d.cryptogram = e.Value[1:]
		return 1, true
	case tagCryptogramOdd:
		d.cryptogram, d.odd = e.Value, true
		return 1, len(e.Value) > 0
	case tagLe:
		d.le = e.Value
		return 2, len(e.Value) == 1 || len(e.Value) == 2
	case tagStatus:
		d.status = e.Value
		return 3, true
	case tagMAC:
		d.code = e.Value
		return 4, true
	}
	return 0, false
}
