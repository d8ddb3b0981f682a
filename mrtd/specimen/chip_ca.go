package specimen

import (
	"ipse/mrtd/internal/apdu"
	"ipse/mrtd/internal/pace"
	"ipse/mrtd/internal/sm"
	"ipse/mrtd/tlv"
)

// caSelection is chip authentication chosen by MSE:Set AT.
type caSelection struct {
	key      CAKey
	protocol pace.Protocol
}

// selectCA chooses the key and protocol of chip authentication: 80 protocol, 84
// key id (ICAO 9303-11 §6.2.4.2).
func (c *Chip) selectCA(objects map[tlv.Tag][]byte) apdu.Response {
	c.forgetProtocols()
	c.s.ca = nil
	if c.s.sm == nil {
		return status(apdu.SecurityStatus)
	}
	oid, err := tlv.Element{Tag: tlv.OID, Value: objects[0x80]}.ObjectIdentifier()
	if err != nil {
		return status(apdu.WrongData)
	}
	protocol, known := pace.ParseCA(oid)
	key, found := c.caKey(oid, objects[0x84])
	if !known || !found {
		return status(apdu.ReferenceNotFound)
	}
	c.s.ca = &caSelection{key, protocol}
	return status(apdu.OK)
}

// caKey finds the key of a protocol ("" for any) and key id; where several fit,
// the id must say which.
func (c *Chip) caKey(oid string, id []byte) (key CAKey, found bool) {
	if len(id) == 0 && c.has(FaultCAKeyID) {
		return key, false
	}
	n := 0
	for _, k := range c.doc.CAKeys {
		if oid != "" && k.Protocol != oid || len(id) > 0 && k.KeyID >= 0 && (len(id) != 1 || int(id[0]) != k.KeyID) {
			continue
		}
		key = k
		n++
	}
	return key, n == 1
}

// agreeCA answers GENERAL AUTHENTICATE of chip authentication: 80 the reader's key.
func (c *Chip) agreeCA(objects map[tlv.Tag][]byte) apdu.Response {
	selection := c.s.ca
	c.s.ca = nil
	if len(objects) != 1 || c.s.sm == nil {
		return status(apdu.WrongData)
	}
	if sw := c.rekey(selection.key, selection.protocol.Suite, objects[0x80]); sw != apdu.OK {
		return status(sw)
	}
	return apdu.Response{Data: tlv.Encode(0x7C), SW: apdu.OK}
}

// keyAgreement3DES answers MSE:Set KAT, the form of chip authentication with 3DES
// alone: 91 the reader's key, 84 key id (ICAO 9303-11 §6.2.4.1).
func (c *Chip) keyAgreement3DES(objects map[tlv.Tag][]byte) apdu.Response {
	c.forgetProtocols()
	if c.s.sm == nil {
		return status(apdu.SecurityStatus)
	}
	key, found := c.caKey("", objects[0x84])
	if !found {
		return status(apdu.ReferenceNotFound)
	}
	protocol, known := pace.ParseCA(key.Protocol)
	if !known || protocol.Suite != sm.TDES {
		return status(apdu.ConditionsOfUse)
	}
	return status(c.rekey(key, sm.TDES, objects[0x91]))
}

// rekey agrees on a secret with the static key; secure messaging changes over
// after the response.
func (c *Chip) rekey(key CAKey, suite sm.Suite, peer []byte) apdu.Status {
	static, err := key.keyPair()
	if err != nil {
		return apdu.ExecutionError
	}
	defer static.Wipe()
	secret, err := static.Agree(peer)
	if err != nil {
		return apdu.WrongData
	}
	defer clear(secret)
	c.s.next = sm.NewSession(suite, secret, nil)
	return apdu.OK
}
