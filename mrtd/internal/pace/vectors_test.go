package pace

import (
	"bytes"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"

	"ipse/mrtd/internal/sm"
)

// The worked examples of ICAO Doc 9303-11 (eighth edition), appendices G (generic
// mapping), H (integrated mapping) and I (chip authentication mapping). The values
// are those of the document; each test recomputes every one of them.

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func same(t *testing.T, what string, got []byte, want string) {
	t.Helper()
	if !bytes.Equal(got, unhex(t, want)) {
		t.Errorf("%s is\n%X, want\n%s", what, got, want)
	}
}

func protocol(t *testing.T, oid string) Protocol {
	t.Helper()
	p, ok := ParsePACE(oid)
	if !ok {
		t.Fatalf("%s is not PACE", oid)
	}
	return p
}

func domain(t testing.TB, id int) *Domain {
	t.Helper()
	d, err := StandardDomain(id)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func keyPair(t *testing.T, d *Domain, private string) *KeyPair {
	t.Helper()
	k, err := d.NewKeyPair(unhex(t, private))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func generator(d *Domain) []byte {
	if d.curve != nil {
		return d.curve.GeneratorPoint().Bytes()
	}
	return d.field.g.Bytes(d.field.p)
}

// finish runs key agreement and tokens on the mapped domain from both ends where
// both private keys are known.
type agreementVector struct {
	skIFD, pkIFD, skIC, pkIC string
	secret, enc, mac         string
	tIFD, tIC                string
}

func (v agreementVector) check(t *testing.T, p Protocol, mapped *Domain) *Keys {
	t.Helper()
	ifd := keyPair(t, mapped, v.skIFD)
	same(t, "PK.DH,IFD", ifd.Public(), v.pkIFD)
	secret, err := ifd.Agree(unhex(t, v.pkIC))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "K", secret, v.secret)
	if v.skIC != "" {
		ic := keyPair(t, mapped, v.skIC)
		same(t, "PK.DH,IC", ic.Public(), v.pkIC)
		other, err := ic.Agree(ifd.Public())
		if err != nil || !bytes.Equal(other, secret) {
			t.Errorf("the chip agrees on another secret (%v)", err)
		}
	}
	keys := NewKeys(p.Suite, secret)
	same(t, "KS.enc", keys.enc, v.enc)
	same(t, "KS.mac", keys.mac, v.mac)
	same(t, "T.IFD", keys.Token(p, unhex(t, v.pkIC)), v.tIFD)
	same(t, "T.IC", keys.Token(p, ifd.Public()), v.tIC)
	if !keys.CheckToken(p, ifd.Public(), unhex(t, v.tIC)) || keys.CheckToken(p, ifd.Public(), unhex(t, v.tIFD)) {
		t.Error("tokens are not told apart")
	}
	return keys
}

func nonce(t *testing.T, suite sm.Suite, key, z, s string) []byte {
	t.Helper()
	got, err := DecryptNonce(suite, unhex(t, key), unhex(t, z))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "s", got, s)
	same(t, "z", EncryptNonce(suite, unhex(t, key), got), z)
	return got
}

func passwordKey(t *testing.T, suite sm.Suite) []byte {
	t.Helper()
	p, err := sm.MRZPassword("T22000129", "640812", "101031")
	if err != nil {
		t.Fatal(err)
	}
	return p.Key(suite)
}

// TestAppendixG1: ECDH, brainpoolP256r1, AES-128, generic mapping.
func TestAppendixG1(t *testing.T) {
	t.Parallel()
	p, d := protocol(t, "0.4.0.127.0.7.2.2.4.2.2"), domain(t, 13)
	const kPi = "89DED1B26624EC1E634C1989302849DD"
	same(t, "K.pi", passwordKey(t, p.Suite), kPi)
	s := nonce(t, p.Suite, kPi, "95A3A016522EE98D01E76CB6B98B42C3", "3F00C4D39D153F2B2A214A078D899B22")
	const pkMapIFD = "047ACF3EFC982EC45565A4B155129EFBC74650DCBFA6362D896FC70262E0C2CC5E544552DCB6725218799115B55C9BAA6D9F6BC3A9618E70C25AF71777A9C4922D"
	const pkMapIC = "04824FBA91C9CBE26BEF53A0EBE7342A3BF178CEA9F45DE0B70AA601651FBA3F5730D8C879AAA9C9F73991E61B58F4D52EB87A0A0C709A49DC63719363CCD13C54"
	ifd := keyPair(t, d, "7F4EF07B9EA82FD78AD689B38D0BC78CF21F249D953BC46F4C6E19259C010F99")
	ic := keyPair(t, d, "498FF49756F2DC1587840041839A85982BE7761D14715FB091EFA7BCE9058560")
	same(t, "PK.Map,IFD", ifd.Public(), pkMapIFD)
	same(t, "PK.Map,IC", ic.Public(), pkMapIC)
	q, err := d.curve.ParsePublicKey(ic.Public())
	if err != nil {
		t.Fatal(err)
	}
	h, err := ifd.ec.Agree(q)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "H", h.Bytes(), "0460332EF2450B5D247EF6D3868397D398852ED6E8CAF6FFEEF6BF85CA57057FD50840CA7415BAF3E43BD414D35AA4608B93A2CAF3A4E3EA4E82C9C13D03EB7181")
	mapped, err := d.MapGeneric(s, ifd, ic.Public())
	if err != nil {
		t.Fatal(err)
	}
	const g = "048CED63C91426D4F0EB1435E7CB1D74A46723A0AF21C89634F65A9AE87A9265E28C879506743F8611AC33645C5B985C80B5F09A0B83407C1B6A4D857AE76FE522"
	same(t, "mapped generator", generator(mapped), g)
	chipSide, err := d.MapGeneric(s, ic, ifd.Public())
	if err != nil {
		t.Fatal(err)
	}
	same(t, "mapped generator of the chip", generator(chipSide), g)
	agreementVector{
		skIFD:  "A73FB703AC1436A18E0CFA5ABB3F7BEC7A070E7A6788486BEE230C4A22762595",
		pkIFD:  "042DB7A64C0355044EC9DF190514C625CBA2CEA48754887122F3A5EF0D5EDD301C3556F3B3B186DF10B857B58F6A7EB80F20BA5DC7BE1D43D9BF850149FBB36462",
		skIC:   "107CF58696EF6155053340FD633392BA81909DF7B9706F226F32086C7AFF974A",
		pkIC:   "049E880F842905B8B3181F7AF7CAA9F0EFB743847F44A306D2D28C1D9EC65DF6DB7764B22277A2EDDC3C265A9F018F9CB852E111B768B326904B59A0193776F094",
		secret: "28768D20701247DAE81804C9E780EDE582A9996DB4A315020B2733197DB84925",
		enc:    "F5F0E35C0D7161EE6724EE513A0D9A7F", mac: "FE251C7858B356B24514B3BD5F4297D1",
		tIFD: "C2B0BD78D94BA866", tIC: "3ABB9674BCE93C08",
	}.check(t, p, mapped)
}

// TestAppendixG2: DH, 1024-bit group with a subgroup of 160 bits, AES-128, generic mapping.
func TestAppendixG2(t *testing.T) {
	t.Parallel()
	p, d := protocol(t, "0.4.0.127.0.7.2.2.4.1.2"), domain(t, 0)
	const kPi = "89DED1B26624EC1E634C1989302849DD"
	same(t, "K.pi", passwordKey(t, p.Suite), kPi)
	s := nonce(t, p.Suite, kPi, "854D8DF5827FA6852D1A4FA701CDDDCA", "FA5B7E3E49753A0DB9178B7B9BD898C8")
	ifd := keyPair(t, d, "5265030F751F4AD18B08AC565FC7AC952E41618D")
	same(t, "PK.Map,IFD", ifd.Public(), `23FB3749EA030D2A25B278D2A562047ADE3F01B74F17A15402CB7352CA7D2B3EB71C343DB13D1DEBCE9A3666DBCFC920B49174A602CB4796
		5CAA73DC702489A44D41DB914DE9613DC5E98C94160551C0DF86274B9359BC0490D01B03AD54022DCB4F57FAD6322497D7A1E28D46710F461AFE710FBBBC5F8BA166F4311975EC6C`)
	pkMapIC := unhex(t, `78879F57225AA8080D52ED0FC890A4B25336F699AA89A2D3A189654AF70729E623EA5738B26381E4DA19E004706FACE7B235C2DBF2F38748312F
		3C98C2DD4882A41947B324AA1259AC22579DB93F7085655AF30889DBB845D9E6783FE42C9F2449400306254C8AE8EE9DD812A804C0B66E8CAFC14F84D8258950A91B44126EE6`)
	mapped, err := d.MapGeneric(s, ifd, pkMapIC)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "mapped generator", generator(mapped), `7C9CBFE98F9FBDDA8D143506FA7D9306F4CB17E3C71707AFF5E1C1A12370249684D64EE37AF44B8DBD9D45BF6023919C
		BAA027AB97ACC771666C8E98FF483301BFA4872DEDE9034EDFACB70814166B7F360676829B826BEA57291B5AD69FBC84EF1E779032A305803F74341793E869742D401325B37EE8565FFCDEE618342DC5`)
	secret := sharedSecretOf(t, mapped, "89CCD99B0E8D3B1F11E1296DCA68EC53411CF2CA", pkDHICofG2)
	agreementVector{
		skIFD: "89CCD99B0E8D3B1F11E1296DCA68EC53411CF2CA",
		pkIFD: `907D89E2D425A178AA81AF4A7774EC8E388C115CAE67031E85EECE520BD911551B9AE4D04369F29A02626C86FBC6747CC7BC352645B6161A2A42D44EDA80A08F
			A8D61B76D3A154AD8A5A51786B0BC07147057871A922212C5F67F43173172236B7747D1671E6D692A3C7D40A0C3C5CE397545D015C175EB5130551EDBC2EE5D4`,
		pkIC: pkDHICofG2, secret: secret,
		enc: "2F7F46ADCC9E7E521B45D192FAFA9126", mac: "805A1D27D45A5116F73C54469462B7D8",
		tIFD: "B46DD9BD4D98381F", tIC: "917F37B5C0E6D8D1",
	}.check(t, p, mapped)
}

const pkDHICofG2 = `075693D9AE941877573E634B6E644F8E60AF17A0076B8B123D9201074D36152BD8B3A213F53820C42ADC79AB5D0AEEC3AEFB91394DA476BD97B9B14D0A65C1FC71A0
	E019CB08AF55E1F729005FBA7E3FA5DC41899238A250767A6D46DB974064386CD456743585F8E5D90CC8B4004B1F6D866C79CE0584E49687FF61BC29AEA1`

// sharedSecretOf computes a shared secret with math/big: the session keys, which
// are the document's, confirm it.
func sharedSecretOf(t *testing.T, d *Domain, private, public string) string {
	t.Helper()
	m := new(big.Int).SetBytes(d.field.pBytes)
	z := new(big.Int).Exp(new(big.Int).SetBytes(unhex(t, public)), new(big.Int).SetBytes(unhex(t, private)), m)
	return hex.EncodeToString(z.FillBytes(make([]byte, d.field.size)))
}

// TestAppendixH1: ECDH, brainpoolP256r1, AES-128, integrated mapping.
func TestAppendixH1(t *testing.T) {
	t.Parallel()
	p, d := protocol(t, "0.4.0.127.0.7.2.2.4.4.2"), domain(t, 13)
	s := nonce(t, p.Suite, "591468CDA83D65219CCCB8560233600F", "143DC40C08C8E891FBED7DEDB92B64AD", "2923BE84E16CD6AE529049F1F1BBE9EB")
	mapped, err := d.MapIntegrated(p.Suite, s, unhex(t, "5DD4CBFC96F5453B130D890A1CDBAE32"))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "x of the mapped generator", generator(mapped)[1:33], "8E82D31559ED0FDE92A4D0498ADD3C23BABA94FB77691E31E90AEA77FB17D427")
	ifd := keyPair(t, mapped, "A73FB703AC1436A18E0CFA5ABB3F7BEC7A070E7A6788486BEE230C4A22762595")
	const pkIC = "0467F78E5F7F7686082B293E8D087E056916D0F74BC01A5F8957D0DE45691E51E8932B69A962B52A0985AD2C0A271EE6A13A8ADDDCD1A3A994B9DED257F4D22753"
	secret, err := ifd.Agree(unhex(t, pkIC))
	if err != nil {
		t.Fatal(err)
	}
	agreementVector{
		skIFD: "A73FB703AC1436A18E0CFA5ABB3F7BEC7A070E7A6788486BEE230C4A22762595",
		pkIFD: "0489CBA23FFE96AA18D824627C3E934E54A9FD0B87A95D1471DC1C0ABFDCD640D46755DE9B7B778280B6BEBD57439ADFEB0E21FD4ED6DF42578C13418A59B34C37",
		pkIC:  pkIC, secret: hex.EncodeToString(secret), // confirmed by the session keys
		enc: "0D3FEB33251A6370893D62AE8DAAF51B", mac: "B01E89E3D9E8719E586B50B4A7506E0B",
		tIFD: "450F02B86F6A0909", tIC: "75D4D96E8D5B0308",
	}.check(t, p, mapped)
}

// TestAppendixH2: DH, 1024-bit group, AES-128, integrated mapping.
func TestAppendixH2(t *testing.T) {
	t.Parallel()
	p, d := protocol(t, "0.4.0.127.0.7.2.2.4.3.2"), domain(t, 0)
	s := nonce(t, p.Suite, "591468CDA83D65219CCCB8560233600F", "9ABB8864CA0FF1551E620D1EF4E13510", "FA5B7E3E49753A0DB9178B7B9BD898C8")
	mapped, err := d.MapIntegrated(p.Suite, s, unhex(t, "B3A6DB3C870C3E99245E0D1C06B747DE"))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "mapped generator", generator(mapped), `1D7D767F11E333BCD6DBAEF40E799E7A926B96973550656FF3C830726D118D61C276CDCC61D475CF03A98E0C0E79CAEB
		A5BE25578BD4551D0B10903236F0B0F976852FA78EEA14EA0ACA87D1E91F688FE0DFF897BBE35A472621D343564B262F34223AE8FC59B664BFEDFA2BFE7516CA5510A6BBB633D517EC25D4E0BBAA16C2`)
	const sk = `4BD0E54740F9A028E6A515BFDAF967848C4F5F5FFF65AA0915947FFD1A0DF2FA6981271BC905F3551457B7E03AC3B8066DE4AA406C1171FB43DD939C4BA16175
		103BA3DEE16419AA248118F90CC36A3D6F4C373652E0C3CCE7F0F1D0C5425B3600F0F0D6A67F004C8BBA33F2B4733C7252445C1DFC4F1107203F71D2EFB28161`
	const pkIC = `928D9A0F9DBA450F13FC859C6F290D1D36E42431138A4378500BEB4E0401854CFF111F71CB6DC1D0335807A11388CC8EAA87B07907AAD9FBA6B169AF6D8C26AF
		8DDDC39ADC3AD2E3FF882B84D23E9768E95A80E4746FB07A9767679FE92133B4D379935C771BD7FBED6C7BB4B1708B275EA75679524CDC9C6A91370CC662A2F3`
	agreementVector{
		skIFD: sk,
		pkIFD: `0F0CC62945A8029251FB7EF3C094E12EC68E4EF07F27CB9D9CD04C5C4250FAE0E4F8A951557E929AEB48E5C6DD47F2F5CD7C351A9BD2CD722C07EDE166770F08
			FFCB370262CF308DD7B07F2E0DA9CAAA1492344C852906919538C98A4BA4187E76CE9D87832386D319CE2E043C3343AEAE6EDBA1A9894DC5094D22F7FE1351D5`,
		pkIC: pkIC, secret: sharedSecretOf(t, mapped, sk, pkIC),
		enc: "01AFC10CF87BE36D8179E87370171F07", mac: "23F0FBD05FD6C7B8B88F4C8309669061",
		tIFD: "55D61977CBF5307E", tIC: "C2F04230187E1525",
	}.check(t, p, mapped)
}

// TestAppendixI: ECDH, brainpoolP256r1, AES-128, chip authentication mapping. The
// document gives CA.IC and SK.Map,IC, from which the chip's static private key,
// which it does not print, follows: CA.IC = SK.Map,IC / SK.IC.
func TestAppendixI(t *testing.T) {
	t.Parallel()
	p, d := protocol(t, "0.4.0.127.0.7.2.2.4.6.2"), domain(t, 13)
	password, err := sm.MRZPassword("C11T002JM", "960812", "231031")
	if err != nil {
		t.Fatal(err)
	}
	z := unhex(t, "CB60E8E0D85B76A9BD304747C2AD42E2")
	s, err := DecryptNonce(p.Suite, password.Key(p.Suite), z)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "s", s, "658B860BC94DF6F044FCE6D5C82CF8E5")
	ifd := keyPair(t, d, "5D8BB87BD74D985A4B7D4325B9F7B976FE835122773400798914AA22738135CC")
	same(t, "PK.Map,IFD", ifd.Public(), "047F1D410ADB7DDB3B84BF1030800981A9105D7457B4A3ADE002384F3086C67EDE1AB889104A27DB6D842B019020FBF3CEACB0DC627F7BDCAC29969E19D0E553C1")
	ic := keyPair(t, d, "9E56A6B59C95D06ECE5CD10F983BB2F4F1943528E577F23881D89D8C3BBEE0AA")
	const pkMapIC = "04A234236AA9B9621E8EFB73B5245C0E09D2576E5277183C1208BDD55280CAE8B304F365713A356E65A451E165ECC9AC0AC46E3771342C8FE5AEDD092685338E23"
	same(t, "PK.Map,IC", ic.Public(), pkMapIC)
	mapped, err := d.MapGeneric(s, ifd, ic.Public())
	if err != nil {
		t.Fatal(err)
	}
	same(t, "mapped generator", generator(mapped), "0489F0B5EABF3BE293C75903A3986131925C9F5B515CA95AF485DC7E886F03245D44BEFB2DD3A0DBD71CB5E618971CF4747F12B79E548379A40E45963BAAF3E829")
	const skIFD, pkIC = "76ECFDAA9841C323A3F5FC5E88B88DB3EFF7E35EBF57A7E6946CB630006C2120",
		"0402AD566F3C6EC7F9324509AD50A51FA52030782A4968FCFEDF737DAEA993333111C3B9B4C2287789BD137E7F8AA882E2A3C633CCD6ECC2C63C57AD401A09C2E1"
	secret, err := keyPair(t, mapped, skIFD).Agree(unhex(t, pkIC))
	if err != nil {
		t.Fatal(err)
	}
	keys := agreementVector{
		skIFD: skIFD,
		pkIFD: "04446C934084D9DAB863944F219520076C29EE3F7AE6722B11FF319EC1C7728F955483400BFF60BF0C5929270009277DC2A515E12575010AD9BA916CF1BF86FEFC",
		pkIC:  pkIC, secret: hex.EncodeToString(secret), // confirmed by the session keys
		enc: "0A9DA4DB03BDDE39FC5202BC44B2E89E", mac: "4B1C06491ED5140CA2B537D344C6C0B1",
		tIFD: "E86BD06018A1CD3B", tIC: "8596CF055C67C1A3",
	}.check(t, p, mapped)

	const ca = "85DC3FA93D0952BFA82F5FD189EE75BD82F11D1F0B8ED4BF5319AC9B53C426B3"
	const a = "1EEA964DAAE372AC990E3EFDE6333353BFC89A6704D93DA8798CF77F5B7A54BD10CBA372B42BE0B9B5F28AA8DE2F4F92"
	same(t, "IV", keys.camIV(), "F6A3B75A1E933941DD7A13E2520779DF")
	data, ok := keys.DecryptCAM(unhex(t, a))
	if !ok {
		t.Fatal("A.IC does not decrypt")
	}
	same(t, "CA.IC", data, ca)
	same(t, "A.IC", keys.EncryptCAM(data), a)
	infos, err := ParseInfos(unhex(t, `31643062060904007F0007020201023052300C060704007F0007010202010D034200041872709494399E7470A6431BE25E83EEE24FEA568C2ED28DB48E05DB3A610DC8
		84D256A40E35EFCB59BF6753D3A489D28C7A4D973C2DA138A6E7A4A08F68E16F02010D`))
	if err != nil || len(infos.Keys) != 1 || infos.Keys[0].KeyID != 13 {
		t.Fatalf("%+v, %v", infos, err)
	}
	kd, static, err := infos.Keys[0].ParseKey()
	if err != nil || kd.Name() != "brainpoolP256r1" {
		t.Fatal(err)
	}
	if !d.VerifyCAM(data, static, ic.Public()) {
		t.Error("the proof of the chip is refused")
	}
	sk := keyPair(t, d, "86C88A4579CE48135878E6348A734B5D47CE5BC1E54C0E8978687B49FDE2E2C2")
	same(t, "PK.IC", sk.Public(), hex.EncodeToString(static))
	made, err := CAMData(sk, ic)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "CA.IC of the chip", made, ca)
	data[5] ^= 1
	if d.VerifyCAM(data, static, ic.Public()) || d.VerifyCAM(nil, static, ic.Public()) || d.VerifyCAM(made, ic.Public(), static) {
		t.Error("a wrong proof is accepted")
	}
}
