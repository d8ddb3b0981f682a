package piitest_test

import (
	"testing"

	"ipse/internal/pii/piitest"
)

func TestShows(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text, secret string
		want         bool
	}{
		{"opened with 271828.", "271828", true},
		{"271828", "271828", true},
		{"CAN:271828}", "271828", true},
		{"P<UTOX<<Y<<<L000<7408122F", "740812", true},
		{"3af0271828cc91aa55de0172", "271828", false},                             // within 24 characters of hexadecimal
		{"3af0271828cc91aa55de0172 and 271828", "271828", true},                   // and once on its own
		{"11111111112718281111111111111111 11111", "271828", false},               // a large number in decimal
		{"3af03237313832380000000000000000", "323731383238", true},                // twelve characters come by no chance
		{"aaaaaaaaaaaaaaaaaaaaANNA MARIAaaaaaaaaaaaaaaa", "ANNA MARIA", true},     // a space is no base64
		{"GET /account/people/by-name/ERIKSSON/documents", "ERIKSSON", true},      // an address is no encoding
		{`{"time":"2026-11-25T17:30:14.6271828Z","msg":"read"}`, "271828", false}, // the fraction of a second
		{"seconds_sum 0.00271828 271828", "271828", true},
		{"version.271828", "271828", true},
		{"nonce=bgHjIhk6BDHsXnh77sb-4UTO9xKg1-dh7wzPISMV", "UTO", false}, // short runs between dashes are common
		{"nonce=bgHjIhk6BDHsXnh77sb&country=UTO", "UTO", true},
		{"birth date 1974-08-12", "1974", true},
		{"nothing", "271828", false},
		{"nothing", "", false},
	} {
		if got := piitest.Shows(test.text, test.secret); got != test.want {
			t.Errorf("%q in %q: %v", test.secret, test.text, got)
		}
	}
}
