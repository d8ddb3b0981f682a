package specimen

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"testing"

	"ipse/mrtd/internal/apdu"
	"ipse/mrtd/internal/pace"
	"ipse/mrtd/internal/sm"
	"ipse/mrtd/lds"
	"ipse/mrtd/mrz"
	"ipse/mrtd/tlv"
)

func oidValue(t *testing.T, dotted string) []byte {
	t.Helper()
	e, err := tlv.Parse(tlv.EncodeOID(dotted))
	if err != nil {
		t.Fatal(err)
	}
	return e.Value
}

// general sends one GENERAL AUTHENTICATE and returns the object wanted.
func (x *terminal) general(chain bool, data []byte, want tlv.Tag) (*apdu.Response, []byte) {
	x.t.Helper()
	cmd := &apdu.Command{INS: apdu.GeneralAuthenticate, Data: tlv.Encode(0x7C, data), Ne: apdu.MaxShortNe}
	if chain {
		cmd.CLA = 0x10
	}
	if len(cmd.Data) > apdu.MaxShortData {
		cmd.Extended, cmd.Ne = true, apdu.MaxNe
	}
	r := x.raw(cmd)
	if r.SW != apdu.OK {
		return r, nil
	}
	outer, err := tlv.Parse(r.Data)
	if err != nil || outer.Tag != 0x7C {
		x.t.Fatalf("no dynamic authentication data")
	}
	if want == 0 {
		return r, outer.Value
	}
	e, _ := tlv.Find(outer.Value, want)
	return r, e.Value
}

// pace performs the protocol and returns the first status that is not 9000.
func (x *terminal) pace(cfg PACEConfig, password *sm.Password) apdu.Status {
	x.t.Helper()
	p, ok := pace.ParsePACE(cfg.Protocol)
	domain, err := pace.StandardDomain(cfg.ParameterID)
	if !ok || err != nil {
		x.t.Fatal("no such protocol")
	}
	set := append(tlv.Encode(0x80, oidValue(x.t, p.OID)), tlv.Encode(0x83, []byte{password.Reference})...)
	set = append(set, tlv.Encode(0x84, []byte{byte(cfg.ParameterID)})...)
	if r := x.raw(&apdu.Command{INS: apdu.ManageSecurity, P1: 0xC1, P2: 0xA4, Data: set}); r.SW != apdu.OK {
		return r.SW
	}
	r, z := x.general(true, nil, 0x80)
	if r.SW != apdu.OK {
		return r.SW
	}
	s, err := pace.DecryptNonce(p.Suite, password.Key(p.Suite), z)
	if err != nil {
		x.t.Fatal(err)
	}
	mapped, mapping, sw := x.paceMap(p, domain, s)
	if sw != apdu.OK {
		return sw
	}
	own, err := mapped.GenerateKey(rand.Reader)
	if err != nil {
		x.t.Fatal(err)
	}
	r, peer := x.general(true, tlv.Encode(0x83, own.Public()), 0x84)
	if r.SW != apdu.OK {
		return r.SW
	}
	secret, err := own.Agree(peer)
	if err != nil {
		x.t.Fatal(err)
	}
	keys := pace.NewKeys(p.Suite, secret)
	r, all := x.general(false, tlv.Encode(0x85, keys.Token(p, peer)), 0)
	if r.SW != apdu.OK {
		return r.SW
	}
	if token, _ := tlv.Find(all, 0x86); !keys.CheckToken(p, own.Public(), token.Value) {
		x.t.Fatal("the chip's token is wrong")
	}
	if p.Mapping == pace.ChipAuth {
		x.checkCAM(domain, keys, all, mapping)
	}
	x.sm = keys.Session()
	return apdu.OK
}

func (x *terminal) paceMap(p pace.Protocol, domain *pace.Domain, s []byte) (*pace.Domain, []byte, apdu.Status) {
	x.t.Helper()
	if p.Mapping == pace.Integrated {
		nonce := bytes.Repeat([]byte{0x5A}, p.Suite.KeySize())
		r, _ := x.general(true, tlv.Encode(0x81, nonce), 0x82)
		if r.SW != apdu.OK {
			return nil, nil, r.SW
		}
		mapped, err := domain.MapIntegrated(p.Suite, s, nonce)
		if err != nil {
			x.t.Fatal(err)
		}
		return mapped, nil, apdu.OK
	}
	m, err := domain.GenerateKey(rand.Reader)
	if err != nil {
		x.t.Fatal(err)
	}
	r, peer := x.general(true, tlv.Encode(0x81, m.Public()), 0x82)
	if r.SW != apdu.OK {
		return nil, nil, r.SW
	}
	mapped, err := domain.MapGeneric(s, m, peer)
	if err != nil {
		x.t.Fatal(err)
	}
	return mapped, peer, apdu.OK
}

func (x *terminal) checkCAM(domain *pace.Domain, keys *pace.Keys, all, mapping []byte) {
	x.t.Helper()
	a, _ := tlv.Find(all, 0x8A)
	data, ok := keys.DecryptCAM(a.Value)
	if !ok {
		x.t.Fatal("the chip authentication data do not decrypt")
	}
	static, err := x.chip.doc.CAKeys[0].keyPair()
	if err != nil {
		x.t.Fatal(err)
	}
	if !domain.VerifyCAM(data, static.Public(), mapping) {
		x.t.Error("the chip authentication data are wrong")
	}
}

func (x *terminal) mrz() *sm.Password {
	x.t.Helper()
	zone, err := mrz.Parse(x.chip.doc.MRZ)
	if err != nil {
		x.t.Fatal(err)
	}
	p, err := sm.MRZPassword(zone.Number.Reveal(), zone.BirthDate.Reveal(), zone.ExpiryDate.Reveal())
	if err != nil {
		x.t.Fatal(err)
	}
	return p
}

func can(t *testing.T, digits string) *sm.Password {
	t.Helper()
	p, err := sm.CANPassword(digits)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func paceOID(kind, suite int) string { return fmt.Sprintf("0.4.0.127.0.7.2.2.4.%d.%d", kind, suite) }

func paceOf(kind, suite, id int) PACEConfig {
	return PACEConfig{Protocol: paceOID(kind, suite), ParameterID: id}
}

func TestEveryPACEOpensTheChip(t *testing.T) {
	t.Parallel()
	for _, c := range []PACEConfig{paceOf(2, 1, 12), paceOf(2, 2, 13), paceOf(2, 3, 16), paceOf(2, 4, 18), paceOf(2, 2, 8),
		paceOf(4, 2, 13), paceOf(4, 4, 12), paceOf(4, 1, 9), paceOf(6, 2, 13), paceOf(6, 4, 12),
		paceOf(1, 2, 0), paceOf(1, 4, 2), paceOf(3, 2, 0), paceOf(3, 1, 1)} {
		t.Run(fmt.Sprintf("%s/%d", c.Protocol[len(c.Protocol)-3:], c.ParameterID), func(t *testing.T) {
			t.Parallel()
			x := newTerminal(t, DocumentConfig{CAN: "123456", Access: AccessConfig{PACE: &c}})
			if access := x.expect(apdu.OK, apdu.ReadBinary, 0x9C, 0, nil, 256); !bytes.Equal(access, x.chip.doc.Files[lds.CardAccess]) {
				t.Error("EF.CardAccess differs")
			}
			for _, p := range []*sm.Password{x.mrz(), can(t, "123456")} {
				x.sm = nil
				x.chip.Reset()
				if sw := x.pace(c, p); sw != apdu.OK {
					t.Fatalf("password %d: %v", p.Reference, sw)
				}
				x.selectApplication()
				if b := x.expect(apdu.OK, apdu.ReadBinary, 0x81, 0, nil, 5); !bytes.Equal(b, x.chip.doc.Files[lds.DG1][:5]) {
					t.Error("DG1 differs")
				}
			}
		})
	}
}

func TestPACERefusesWhatItMust(t *testing.T) {
	t.Parallel()
	gm := paceOf(2, 2, 13)
	x := newTerminal(t, DocumentConfig{CAN: "123456", Access: AccessConfig{BAC: true, PACE: &gm}})
	for name, c := range map[string]struct {
		cfg      PACEConfig
		password *sm.Password
		want     apdu.Status
	}{
		"wrong CAN":          {gm, can(t, "654321"), apdu.AuthenticationFailed},
		"another protocol":   {paceOf(2, 3, 13), x.mrz(), apdu.ReferenceNotFound},
		"another parameter":  {paceOf(2, 2, 12), x.mrz(), apdu.ReferenceNotFound},
		"an unknown PIN":     {gm, &sm.Password{Reference: 3}, apdu.ReferenceNotFound},
		"right after wrongs": {gm, can(t, "123456"), apdu.OK},
	} {
		x.sm = nil
		x.chip.Reset()
		if sw := x.pace(c.cfg, c.password); sw != c.want {
			t.Errorf("%s: %v", name, sw)
		}
	}
	x.sm = nil
	x.chip.Reset()
	if r, _ := x.general(true, nil, 0x80); r.SW != apdu.ConditionsOfUse {
		t.Errorf("GENERAL AUTHENTICATE first: %v", r.SW)
	}
	x.selectApplication()
	if sw := x.basicAccess(""); sw != apdu.OK {
		t.Errorf("BAC on the same chip: %v", sw)
	}
	x = newTerminal(t, DocumentConfig{Access: AccessConfig{BAC: true, PACE: &gm}, Faults: map[string]bool{FaultPACE6300: true}})
	if sw := x.pace(gm, x.mrz()); sw != apdu.AuthenticationFailed {
		t.Errorf("%s: %v", FaultPACE6300, sw)
	}
	x.selectApplication()
	if sw := x.basicAccess(""); sw != apdu.OK {
		t.Errorf("BAC after it: %v", sw)
	}
}

func TestHalfDonePACEOpensNothing(t *testing.T) {
	t.Parallel()
	gm := paceOf(2, 2, 13)
	x := newTerminal(t, DocumentConfig{Access: AccessConfig{PACE: &gm}})
	set := append(tlv.Encode(0x80, oidValue(t, gm.Protocol)), tlv.Encode(0x83, []byte{1})...)
	x.expect(apdu.OK, apdu.ManageSecurity, 0xC1, 0xA4, set, 0)
	x.general(true, nil, 0x80)
	if r, _ := x.general(false, tlv.Encode(0x85, make([]byte, 8)), 0x86); r.SW != apdu.ConditionsOfUse {
		t.Errorf("steps left out: %v", r.SW)
	}
	x.expect(apdu.OK, apdu.ManageSecurity, 0xC1, 0xA4, set, 0)
	x.general(true, nil, 0x80)
	for _, point := range [][]byte{nil, {4}, make([]byte, 65), append([]byte{4}, make([]byte, 64)...)} {
		if r, _ := x.general(true, tlv.Encode(0x81, point), 0x82); r.SW == apdu.OK {
			t.Errorf("a mapping key of %d octets that is no point", len(point))
		}
	}
	x.selectApplication()
	x.expect(apdu.SecurityStatus, apdu.ReadBinary, 0x81, 0, nil, 5)
}

func TestChipAuthenticationChangesTheSession(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ curve, protocol string }{{"brainpoolP256r1", oidCAECDHAES128}, {"P-256", "0.4.0.127.0.7.2.2.3.2.4"},
		{"P-384", oidCAECDH3DES}, {"P-224", oidCAECDH3DES}, {"dh-0", ""}, {"dh-2", "0.4.0.127.0.7.2.2.3.1.4"}, {"dh-1", oidCADH3DES}} {
		x := opened(t, DocumentConfig{CA: []CAConfig{{Curve: c.curve, Protocol: c.protocol}}})
		static, err := x.chip.doc.CAKeys[0].keyPair()
		if err != nil {
			t.Fatal(err)
		}
		own, err := static.Domain().GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		protocol := x.chip.doc.CAKeys[0].Protocol
		p, _ := pace.ParseCA(protocol)
		ne := 256
		if p.DH {
			ne = 4096
		}
		if c.curve == "P-224" {
			x.expect(apdu.OK, apdu.ManageSecurity, 0x41, 0xA6, tlv.Encode(0x91, own.Public()), 0)
		} else {
			x.expect(apdu.OK, apdu.ManageSecurity, 0x41, 0xA4, tlv.Encode(0x80, oidValue(t, protocol)), 0)
			x.expect(apdu.OK, apdu.GeneralAuthenticate, 0, 0, tlv.Encode(0x7C, tlv.Encode(0x80, own.Public())), ne)
		}
		secret, err := own.Agree(static.Public())
		if err != nil {
			t.Fatal(err)
		}
		x.sm = sm.NewSession(p.Suite, secret, nil)
		if b := x.expect(apdu.OK, apdu.ReadBinary, 0x81, 0, nil, 5); !bytes.Equal(b, x.chip.doc.Files[lds.DG1][:5]) {
			t.Error("DG1 differs")
		}
	}
}

func TestChipAuthenticationNamesItsKey(t *testing.T) {
	t.Parallel()
	x := opened(t, DocumentConfig{CA: []CAConfig{{Curve: "P-256", KeyID: 1}, {Curve: "brainpoolP256r1", KeyID: 2}}})
	oid := tlv.Encode(0x80, oidValue(t, oidCAECDHAES128))
	x.expect(apdu.ReferenceNotFound, apdu.ManageSecurity, 0x41, 0xA4, oid, 0)
	x.expect(apdu.ReferenceNotFound, apdu.ManageSecurity, 0x41, 0xA4, append(oid, 0x84, 1, 9), 0)
	x.expect(apdu.OK, apdu.ManageSecurity, 0x41, 0xA4, append(oid, 0x84, 1, 2), 0)
	x.expect(apdu.WrongData, apdu.GeneralAuthenticate, 0, 0, tlv.Encode(0x7C, tlv.Encode(0x80, []byte{4, 1})), 256)
	x.expect(apdu.ConditionsOfUse, apdu.GeneralAuthenticate, 0, 0, tlv.Encode(0x7C), 256)
	x = newTerminal(t, DocumentConfig{CA: []CAConfig{{Curve: "P-256"}}})
	x.selectApplication()
	x.expect(apdu.SecurityStatus, apdu.ManageSecurity, 0x41, 0xA4, oid, 0)
}
