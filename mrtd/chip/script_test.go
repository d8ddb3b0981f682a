package chip

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"ipse/internal/pii"
	"ipse/mrtd/lds"
)

// script is a card that expects commands and gives answers, in hexadecimal.
type script struct {
	t     *testing.T
	steps [][2]string
	next  int
}

var errScriptOver = errors.New("the script is over")

func (s *script) Transmit(_ context.Context, command []byte) ([]byte, error) {
	if s.next == len(s.steps) {
		return nil, errScriptOver
	}
	step := s.steps[s.next]
	s.next++
	if got := strings.ToUpper(hex.EncodeToString(command)); got != step[0] {
		s.t.Errorf("command %d is\n%s, want\n%s", s.next, got, step[0])
	}
	answer, err := hex.DecodeString(step[1])
	if err != nil {
		s.t.Fatal(err)
	}
	return answer, nil
}

func fromHex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func access(number, birth, expiry string) Access {
	return Access{Number: pii.NewText(number), BirthDate: pii.NewText(birth), ExpiryDate: pii.NewText(expiry)}
}

// play reads until the script is over and wants it to be played to its end.
func play(t *testing.T, s *script, opts Options) {
	t.Helper()
	_, err := Read(t.Context(), s, opts)
	if !errors.Is(err, ErrCard) || !errors.Is(err, errScriptOver) || s.next != len(s.steps) {
		t.Errorf("%d of %d steps: %v", s.next, len(s.steps), err)
	}
}

const noFile = "6A82"

// withoutCardAccess are the ways in which EF.CardAccess is asked for in vain.
func withoutCardAccess() [][2]string {
	return [][2]string{
		{"00B09C0000", noFile}, {"00A4000C023F00", noFile}, {"00A4020C02011C", noFile}, {"00A4000C", noFile},
	}
}

// TestTranscriptOfAppendixD sends the commands of the worked example of BAC (ICAO
// 9303-11 appendix D.3) with the reader's random numbers of the example.
func TestTranscriptOfAppendixD(t *testing.T) {
	t.Parallel()
	s := &script{t: t, steps: append(withoutCardAccess(), [][2]string{
		{"00A4040C07A0000002471001", "9000"},
		{"0084000008", "4608F919887022129000"},
		{"008200002872C29C2371CC9BDB65B779B8E8D37B29ECC154AA56A8799FAE2F498F76ED92F25F1448EEA8AD90A728",
			"46B9342A41396CD7386BF5803104D7CEDC122B9132139BAF2EEDC94EE178534F2F2D235D074D74499000"},
	}...)}
	play(t, s, Options{Access: access("L898902C<", "690806", "940623"),
		Rand: bytes.NewReader(fromHex(t, "781723860C06C226"+"0000000000000000"+"0B795240CB7049B01C19B33E32804F0B"))})
}

// TestTranscriptOfAppendixG1 sends the commands of the worked example of PACE with
// generic mapping over ECDH (ICAO 9303-11 appendix G.1) with the private keys of the
// example.
func TestTranscriptOfAppendixG1(t *testing.T) {
	t.Parallel()
	s := &script{t: t, steps: [][2]string{
		{"00B09C0000", "31143012060A04007F0007020204020202010202010D9000"},
		{"0022C1A40F800A04007F00070202040202830101", "9000"},
		{"10860000027C0000", "7C12801095A3A016522EE98D01E76CB6B98B42C39000"},
		{"10860000457C438141047ACF3EFC982EC45565A4B155129EFBC74650DCBFA6362D896FC70262E0C2CC5E544552DCB6725218799115B55C9BAA6D9F6BC3A9618E70C25AF71777A9C4922D00",
			"7C43824104824FBA91C9CBE26BEF53A0EBE7342A3BF178CEA9F45DE0B70AA601651FBA3F5730D8C879AAA9C9F73991E61B58F4D52EB87A0A0C709A49DC63719363CCD13C549000"},
		{"10860000457C438341042DB7A64C0355044EC9DF190514C625CBA2CEA48754887122F3A5EF0D5EDD301C3556F3B3B186DF10B857B58F6A7EB80F20BA5DC7BE1D43D9BF850149FBB3646200",
			"7C438441049E880F842905B8B3181F7AF7CAA9F0EFB743847F44A306D2D28C1D9EC65DF6DB7764B22277A2EDDC3C265A9F018F9CB852E111B768B326904B59A0193776F0949000"},
		{"008600000C7C0A8508C2B0BD78D94BA86600", "7C0A86083ABB9674BCE93C089000"},
		{"0CA4040C1D871101752F676B09FAC86A87D632749A49C7CC8E08C18BA1FCE707BD9F00", "990290008E08BEA7B381C494A0799000"},
	}}
	play(t, s, Options{Access: access("T22000129", "640812", "101031"),
		Rand: bytes.NewReader(fromHex(t, "7F4EF07B9EA82FD78AD689B38D0BC78CF21F249D953BC46F4C6E19259C010F99"+
			"A73FB703AC1436A18E0CFA5ABB3F7BEC7A070E7A6788486BEE230C4A22762595"))})
}

// TestTranscriptOfAppendixI does the same for chip authentication mapping, and wants
// the proof in the reading.
func TestTranscriptOfAppendixI(t *testing.T) {
	t.Parallel()
	s := &script{t: t, steps: [][2]string{
		{"00B09C0000", "31143012060A04007F0007020204060202010202010D9000"},
		{"0022C1A40F800A04007F00070202040602830101", "9000"},
		{"10860000027C0000", "7C128010CB60E8E0D85B76A9BD304747C2AD42E29000"},
		{"10860000457C438141047F1D410ADB7DDB3B84BF1030800981A9105D7457B4A3ADE002384F3086C67EDE1AB889104A27DB6D842B019020FBF3CEACB0DC627F7BDCAC29969E19D0E553C100",
			"7C43824104A234236AA9B9621E8EFB73B5245C0E09D2576E5277183C1208BDD55280CAE8B304F365713A356E65A451E165ECC9AC0AC46E3771342C8FE5AEDD092685338E239000"},
		{"10860000457C43834104446C934084D9DAB863944F219520076C29EE3F7AE6722B11FF319EC1C7728F955483400BFF60BF0C5929270009277DC2A515E12575010AD9BA916CF1BF86FEFC00",
			"7C4384410402AD566F3C6EC7F9324509AD50A51FA52030782A4968FCFEDF737DAEA993333111C3B9B4C2287789BD137E7F8AA882E2A3C633CCD6ECC2C63C57AD401A09C2E19000"},
		{"008600000C7C0A8508E86BD06018A1CD3B00", "7C3C86088596CF055C67C1A38A301EEA964DAAE372AC990E3EFDE6333353BFC89A6704D93DA8798CF77F5B7A54BD10CBA372B42BE0B9B5F28AA8DE2F4F929000"},
	}}
	opts := Options{Access: access("C11T002JM", "960812", "231031"), MaxFile: 1 << 16,
		Rand: bytes.NewReader(fromHex(t, "5D8BB87BD74D985A4B7D4325B9F7B976FE835122773400798914AA22738135CC"+
			"76ECFDAA9841C323A3F5FC5E88B88DB3EFF7E35EBF57A7E6946CB630006C2120"))}
	pass, err := opts.Access.passwords()
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{opts: &opts, pass: pass, link: newLink(s, 100), quirks: &quirks{}, out: &Reading{Files: map[lds.FileID]pii.Bytes{}}}
	if err := r.openChip(t.Context()); !errors.Is(err, errScriptOver) {
		t.Fatal(err)
	}
	if r.out.Access != "PACE-CAM" || r.out.CAM == nil {
		t.Fatalf("%+v", r.out)
	}
	if got := strings.ToUpper(hex.EncodeToString(r.out.CAM.ChipAuthenticationData)); got != "85DC3FA93D0952BFA82F5FD189EE75BD82F11D1F0B8ED4BF5319AC9B53C426B3" {
		t.Errorf("chip authentication data %s", got)
	}
}
