package piitest

import "strings"

// shortSecret is the length in octets under which a secret of letters and digits
// turns up by chance in keys and signatures that are printed in hexadecimal or base64;
// a run of encodedRun letters and digits is taken for such octets.
const (
	shortSecret = 11
	encodedRun  = 20
)

// Shows reports whether text shows secret. A secret of up to ten letters and digits
// within a longer run of letters and digits is passed over: six digits are met by
// chance in encoded keys, and a program that prints a secret prints it somewhere on
// its own, too.
func Shows(text, secret string) bool {
	if secret == "" {
		return false
	}
	for from := 0; ; {
		at := strings.Index(text[from:], secret)
		if at < 0 {
			return false
		}
		start, end := from+at, from+at+len(secret)
		if len(secret) >= shortSecret || !encodable(secret) || runAround(text, start, end) < encodedRun {
			return true
		}
		from = start + 1
	}
}

// encodable reports whether s is made of letters and digits alone.
func encodable(s string) bool {
	for i := range len(s) {
		if !letterOrDigit(s[i]) {
			return false
		}
	}
	return true
}

// runAround is the length of the run of letters and digits that holds text[start:end].
func runAround(text string, start, end int) int {
	for start > 0 && letterOrDigit(text[start-1]) {
		start--
	}
	for end < len(text) && letterOrDigit(text[end]) {
		end++
	}
	return end - start
}

func letterOrDigit(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
