package sm

import (
	"testing"

	"ipse/mrtd/internal/apdu"
)

// TestMessagesCostTheirOwnOctets: protecting and taking a message allocates the message
// and its octets, nothing else, at either end and under every suite.
//
// Not parallel: allocations are counted for the whole process.
func TestMessagesCostTheirOwnOctets(t *testing.T) { //nolint:paralleltest // see above
	for _, suite := range []Suite{TDES, AES128, AES192, AES256} {
		reader, chip := NewSession(suite, []byte("a shared secret"), nil), NewSession(suite, []byte("a shared secret"), nil)
		command := &apdu.Command{INS: apdu.ReadBinary, P1: 0x81, Ne: 223}
		answer := &apdu.Response{Data: make([]byte, 223), SW: apdu.OK}
		var failed error
		got := testing.AllocsPerRun(100, func() {
			sent, err := reader.Protect(command)
			if err != nil {
				failed = err
				return
			}
			if _, err = chip.UnprotectCommand(sent); err != nil {
				failed = err
				return
			}
			back, err := chip.ProtectResponse(answer)
			if err != nil {
				failed = err
				return
			}
			if _, err = reader.Unprotect(back); err != nil {
				failed = err
			}
		})
		if failed != nil {
			t.Fatal(failed)
		}
		if got > 7 { // command, its octets; command; response, its octets; response, its data
			t.Errorf("%v: %.0f allocations for a command and its response", suite, got)
		}
		t.Logf("%v: %.0f allocations", suite, got)
	}
}
