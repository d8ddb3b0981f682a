package pace

import (
	"bytes"
	"testing"

	"ipse/mrtd/internal/sm"
)

// TestBSIWorkedExample follows the ECDH part of BSI's "Worked Example for Extended
// Access Control (EAC)", version 1.0 (PACE with generic mapping, secure messaging,
// chip authentication, brainpoolP256r1, AES-128). Its chip authentication is of
// version 2, whose keys are derived with the chip's nonce after the shared secret
// and which ends with a token; version 1, which passports use, shares everything
// before. Where the printed session keys of PACE are wrong, those of the example's
// own log are used.
func TestBSIWorkedExample(t *testing.T) {
	t.Parallel()
	d := domain(t, 13)
	p := protocol(t, "0.4.0.127.0.7.2.2.4.2.2")
	s := unhex(t, "7D98C00FC6C9E9543BBF94A87073A123")
	ifd := keyPair(t, d, "752287F5B02DE3C4BC3E17945118C51B23C97278E4CD748048AC56BA5BDC3D46")
	ic := keyPair(t, d, "19C428715663DE745D1824B855D2B967890C99D68ED5FEEE9DCDF8D7BBA289D2")
	same(t, "PK.Map,PCD", ifd.Public(), "043DD29BBE5907FD21A152ADA4895FAAE7ACC55F5E50EFBFDE5AB0C6EB54F198D615913635F0FDF5BEB383E00355F82D3C41ED0DF2E28363433DFB73856A15DC9F")
	same(t, "PK.Map,PICC", ic.Public(), "049CFCF7582AC986D0DD52FA53123414C3E1B96B4D00ABA8E574679B70EFB5BC3B45D2F13729CC2AE178E7E241B443213533B77DBB44649A815DDC4A2384BA422A")
	mapped, err := d.MapGeneric(s, ifd, ic.Public())
	if err != nil {
		t.Fatal(err)
	}
	same(t, "mapped generator", generator(mapped), "043929D28BA1E5339D6C5DADE5E33BD3C2F0BD14DD77C75215322616"+
		"59C918FA6014DD48FA84E62BDE438EDB4C9771D042CDB24B7788BDBAB2031C45751E777F66")
	agreementVector{
		skIFD:  "9D9A32DF93A57CCE33CA3CDD3457E33A976F293546C73550F397259C93BE0120",
		pkIFD:  "04518BC4E532AD2A9BD6527804D5D665ABD51041037A0CC8AA922804EB501C222B3427388599AFAAE9FBACE2DF93E13C3C4979CD12F0AE3E3C012602839155" + "4582",
		skIC:   "15872C56908C144002177994CFAAEDD5467CE150853C44535051FF24183039D8",
		pkIC:   "04282CF38073036AFAC216AF135BD994DA0C357F10BD4C34AFEA1042B2EB0FD6804DF3658B835AC2E7133F13691184542BB50B109963A4662ABDC08B9763AF4B5B",
		secret: "6E7D077CCD367C2EAA683F1E8EC534302E2D00B6ADAF8A87A6EDA78740F17606",
		enc:    "68406B4162100563D9C901A6154D2901", mac: "73FF268784F72AF833FDC9464049AFC9",
		tIFD: "A27AE7B36573C1D9", tIC: "A2658C2F38600B0F",
	}.check(t, p, mapped)

	// Chip authentication: key agreement on the standard generator.
	static := keyPair(t, d, "7984674CF3B3A524BF929CE8A67FCF22173DA0BAD595EED6DEB72D22C542FA9D")
	const pkIC = "04A44EBE5451DF7AADB01E459B8C928A87746A57927C8C28A6775C97A7E1FE8D9A46FF4A1CC7E4D1389AEA19758E4F75C28C598FD734AEBEB135337CF95BE12E94"
	same(t, "PK.PICC", static.Public(), pkIC)
	terminal := keyPair(t, d, "A6A4D255C5BF7A77EC3D0553DB74F693CF044E18C98364D4977A296108AF19BD")
	same(t, "PK.PCD", terminal.Public(), "045A7A377FC9CAFC03AC7FF45441A8B2909D88EAB8E6B0173847AB49B949DF3799A34EE57EC55268CF8B1C3EC489F8BF4CF4C68D3FD9670E89C0D5D3FFF1AAF89F")
	k, err := terminal.Agree(static.Public())
	if err != nil {
		t.Fatal(err)
	}
	same(t, "K", k, "791DA04273CCFE862E52DF60347E2557192E1F8D7517822CE3D306056C1CDEB4")
	if other, err := static.Agree(terminal.Public()); err != nil || !bytes.Equal(other, k) {
		t.Errorf("the chip agrees on another secret (%v)", err)
	}
	withNonce := append(bytes.Clone(k), unhex(t, "4287B3072A3EDC60")...)
	same(t, "K.mac", sm.AES128.KDF(withNonce, sm.CounterMAC), "78B5709E7ABEDB185B424D0EE3A82499")
	same(t, "K.enc", sm.AES128.KDF(withNonce, sm.CounterENC), "94ABCD271AB7D9A5590BA52CB518B831")
	ca, ok := ParseCA("0.4.0.127.0.7.2.2.3.2.2")
	if !ok {
		t.Fatal("not chip authentication")
	}
	same(t, "T.PICC", NewKeys(ca.Suite, withNonce).Token(ca, terminal.Public()), "FF0117D68DEE8E72")
}

// TestBSICardAccess reads EF.CardAccess of the same example: PACE, two chip
// authentication protocols with their domain parameters, and infos of no interest.
func TestBSICardAccess(t *testing.T) {
	t.Parallel()
	infos, err := ParseInfos(unhex(t, `3181C6300D060804007F00070202020201023012060A04007F000702020302020201020201013012060A04007F0007020204020202010202010D
		301C060904007F000702020302300C060704007F0007010202010D020101302F060804007F0007020206162368747470733A2F2F7777772E686A702D636F6E73756C74696E67
		2E636F6D2F686F6D65303E060804007F000702020831323012060A04007F00070202030202020102020102301C060904007F000702020302300C060704007F0007010202010D020102`))
	if err != nil {
		t.Fatal(err)
	}
	if len(infos.PACE) != 1 || infos.PACE[0].ParameterID != 13 || len(infos.CA) != 1 || infos.CA[0].KeyID != 1 || infos.CA[0].Version != 2 {
		t.Errorf("%+v", infos)
	}
	if d, err := infos.Domain(infos.PACE[0]); err != nil || d.Name() != "brainpoolP256r1" {
		t.Error(err)
	}
}
