package specimen

import (
	"crypto/subtle"
	"fmt"

	"ipse/mrtd/internal/apdu"
	"ipse/mrtd/internal/pace"
	"ipse/mrtd/internal/sm"
	"ipse/mrtd/lds"
	"ipse/mrtd/tlv"
)

// agreement is a PACE protocol under way (ICAO 9303-11 §4.4).
type agreement struct {
	info     pace.Info
	domain   *pace.Domain // standard, then mapped
	key      []byte       // derived from the password
	step     int          // the step expected next, 1 to 4
	nonce    []byte
	mapping  *pace.KeyPair // kept for CAM
	own      *pace.KeyPair
	peer     []byte
	camProof []byte
}

func (a *agreement) wipe() {
	if a == nil {
		return
	}
	clear(a.key)
	clear(a.nonce)
	a.mapping.Wipe()
	a.own.Wipe()
}

// readCardAccess reads the PACE infos that the chip offers in EF.CardAccess.
func (c *Chip) readCardAccess() error {
	b := c.doc.Files[lds.CardAccess]
	if b == nil {
		return nil
	}
	infos, err := pace.ParseInfos(b)
	if err != nil {
		return fmt.Errorf("specimen: chip: EF.CardAccess: %w", err)
	}
	c.infos = infos
	return nil
}

// manageSecurity answers MSE:Set AT and MSE:Set KAT (ICAO 9303-11 §4.4.4.1, §6.2.4).
func (c *Chip) manageSecurity(cmd *apdu.Command) apdu.Response {
	if c.has(FaultLeOnSelect) && cmd.Ne > 0 {
		return status(apdu.WrongLength)
	}
	objects, ok := dataObjects(cmd.Data)
	if !ok {
		return status(apdu.WrongData)
	}
	switch uint16(cmd.P1)<<8 | uint16(cmd.P2) {
	case 0xC1A4:
		return c.selectPACE(objects)
	case 0x41A4:
		return c.selectCA(objects)
	case 0x41A6:
		return c.keyAgreement3DES(objects)
	}
	return status(apdu.FunctionNotSupported)
}

// dataObjects reads a sequence of data objects, each at most once.
func dataObjects(b []byte) (map[tlv.Tag][]byte, bool) {
	out := map[tlv.Tag][]byte{}
	for r := tlv.NewReader(b); !r.Empty(); {
		e, err := r.Next()
		if err != nil {
			return nil, false
		}
		if _, twice := out[e.Tag]; twice {
			return nil, false
		}
		out[e.Tag] = e.Value
	}
	return out, true
}

// selectPACE prepares a PACE protocol: 80 protocol, 83 password, 84 parameters.
func (c *Chip) selectPACE(objects map[tlv.Tag][]byte) apdu.Response {
	c.forgetProtocols()
	if c.s.sm != nil {
		return status(apdu.ConditionsOfUse)
	}
	oid, err := tlv.Element{Tag: tlv.OID, Value: objects[0x80]}.ObjectIdentifier()
	if err != nil || len(objects[0x83]) != 1 {
		return status(apdu.WrongData)
	}
	info, found := c.paceInfo(oid, objects[0x84])
	if !found {
		return status(apdu.ReferenceNotFound)
	}
	domain, err := c.infos.Domain(info)
	if err != nil {
		return status(apdu.ReferenceNotFound)
	}
	password := c.password(objects[0x83][0])
	if password == nil {
		return status(apdu.ReferenceNotFound)
	}
	defer password.Wipe()
	c.s.agreement = &agreement{info: info, domain: domain, key: password.Key(info.Protocol.Suite), step: 1}
	return status(apdu.OK)
}

// paceInfo finds the info meant. Where several sets of parameters go with one
// protocol, the parameter id must say which (as German and Polish chips insist).
func (c *Chip) paceInfo(oid string, id []byte) (info pace.Info, found bool) {
	if c.infos == nil || len(id) == 0 && c.has(FaultParameterID) {
		return info, false
	}
	n := 0
	for _, i := range c.infos.PACE {
		if i.Protocol.OID != oid || len(id) > 0 && (len(id) != 1 || int(id[0]) != i.ParameterID) {
			continue
		}
		info = i
		n++
	}
	return info, n == 1
}

// password returns the password of a reference, or nil.
func (c *Chip) password(reference byte) *sm.Password {
	var p *sm.Password
	var err error
	switch reference {
	case sm.ReferenceMRZ:
		p, err = c.mrzPassword()
	case sm.ReferenceCAN:
		p, err = sm.CANPassword(c.doc.CAN)
	}
	if err != nil {
		return nil
	}
	return p
}

// generalAuthenticate answers the steps of PACE, which come as a command chain,
// and of chip authentication (ICAO 9303-11 §4.4.4.2, §6.2.4).
func (c *Chip) generalAuthenticate(cmd *apdu.Command, chaining bool) apdu.Response {
	outer, err := tlv.Parse(cmd.Data)
	if err != nil || outer.Tag != 0x7C {
		return status(apdu.WrongData)
	}
	objects, ok := dataObjects(outer.Value)
	if !ok {
		return status(apdu.WrongData)
	}
	if c.s.ca != nil {
		return c.agreeCA(objects)
	}
	a := c.s.agreement
	if a == nil || chaining != (a.step < 4) {
		c.forgetProtocols()
		return status(apdu.ConditionsOfUse)
	}
	answer, sw := c.paceStep(a, objects)
	if c.failed != nil || sw != apdu.OK {
		c.forgetProtocols()
		return status(sw)
	}
	a.step++
	if a.step > 4 {
		c.forgetProtocols()
	}
	return apdu.Response{Data: tlv.Encode(0x7C, answer), SW: apdu.OK}
}

func (c *Chip) paceStep(a *agreement, objects map[tlv.Tag][]byte) ([]byte, apdu.Status) {
	switch a.step {
	case 1:
		if len(objects) != 0 {
			return nil, apdu.WrongData
		}
		a.nonce = c.random(pace.NonceSize(a.info.Protocol.Suite))
		return tlv.Encode(0x80, pace.EncryptNonce(a.info.Protocol.Suite, a.key, a.nonce)), apdu.OK
	case 2:
		return c.paceMap(a, objects[0x81])
	case 3:
		return c.paceAgree(a, objects[0x83])
	}
	return c.paceConfirm(a, objects[0x85])
}

// paceMap maps the nonce: 81 reader's data, 82 chip's.
func (c *Chip) paceMap(a *agreement, peer []byte) ([]byte, apdu.Status) {
	if a.info.Protocol.Mapping == pace.Integrated {
		mapped, err := a.domain.MapIntegrated(a.info.Protocol.Suite, a.nonce, peer)
		if err != nil {
			return nil, apdu.WrongData
		}
		a.domain = mapped
		return tlv.Encode(0x82), apdu.OK
	}
	own, err := c.ephemeralKey(a.domain)
	if err != nil {
		c.failed = fmt.Errorf("specimen: chip: %w", err)
		return nil, apdu.ExecutionError
	}
	a.mapping = own
	mapped, err := a.domain.MapGeneric(a.nonce, own, peer)
	if err != nil {
		return nil, apdu.WrongData
	}
	if a.info.Protocol.Mapping == pace.ChipAuth {
		if a.camProof, err = c.camProof(own); err != nil {
			return nil, apdu.ExecutionError
		}
	}
	a.domain = mapped
	return tlv.Encode(0x82, c.written(own)), apdu.OK
}

// ephemeralKey draws a key of PACE.
func (c *Chip) ephemeralKey(d *pace.Domain) (*pace.KeyPair, error) {
	if !d.IsCurve() && (c.has(FaultDHShort) || c.has(FaultDHPadded)) {
		return d.GenerateShortKey(c.rand)
	}
	return d.GenerateKey(c.rand)
}

// written is the chip's public key as it sends it.
func (c *Chip) written(own *pace.KeyPair) []byte {
	public := own.Public()
	if d := own.Domain(); !d.IsCurve() && c.has(FaultDHPadded) {
		public = append(make([]byte, (d.Bits()+7)/8-len(public)), public...)
	}
	return public
}

// camProof is the chip authentication data of PACE-CAM, with a static key that lies on
// the curve of the mapping (ICAO 9303-11 §4.4.3.3.3): the first, as a rule.
func (c *Chip) camProof(mapping *pace.KeyPair) ([]byte, error) {
	var proof []byte
	for _, k := range c.doc.CAKeys {
		static, err := k.keyPair()
		if err != nil || !static.Domain().IsCurve() || static.Domain().Name() != mapping.Domain().Name() {
			continue
		}
		proof, err = pace.CAMData(static, mapping)
		static.Wipe()
		if err != nil || !c.has(FaultCAMLastKey) {
			return proof, err
		}
	}
	if proof == nil { // a clone has no such key and can do no better than guess
		proof = c.random(mapping.Domain().Curve().Size())
	}
	return proof, nil
}

// paceAgree exchanges ephemeral keys on the mapped generator: 83 and 84.
func (c *Chip) paceAgree(a *agreement, peer []byte) ([]byte, apdu.Status) {
	own, err := c.ephemeralKey(a.domain)
	if err != nil {
		c.failed = fmt.Errorf("specimen: chip: %w", err)
		return nil, apdu.ExecutionError
	}
	if err := a.domain.CheckPublic(peer); err != nil {
		return nil, apdu.WrongData
	}
	a.own, a.peer = own, append([]byte(nil), peer...)
	return tlv.Encode(0x84, c.written(own)), apdu.OK
}

// paceConfirm checks the reader's token and gives the chip's: 85, 86, and 8A the
// encrypted data of CAM. Secure messaging begins with the next command.
func (c *Chip) paceConfirm(a *agreement, token []byte) ([]byte, apdu.Status) {
	if a.own == nil || c.has(FaultPACE6300) {
		return nil, apdu.AuthenticationFailed
	}
	secret, err := a.own.Agree(a.peer)
	if err != nil {
		return nil, apdu.WrongData
	}
	defer clear(secret)
	keys := pace.NewKeys(a.info.Protocol.Suite, secret)
	if subtle.ConstantTimeCompare(keys.TokenAsSent(a.info.Protocol, c.written(a.own)), token) != 1 {
		keys.Wipe()
		return nil, apdu.AuthenticationFailed
	}
	answer := tlv.Encode(0x86, keys.Token(a.info.Protocol, a.peer))
	if a.info.Protocol.Mapping == pace.ChipAuth {
		answer = append(answer, tlv.Encode(0x8A, keys.EncryptCAM(a.camProof))...)
	}
	c.s.next = keys.Session()
	return answer, apdu.OK
}
