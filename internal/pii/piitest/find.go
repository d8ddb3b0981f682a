package piitest

import "strings"

// shortSecret is the length in octets under which a secret of letters and digits
// turns up by chance in keys and signatures that are printed in hexadecimal or base64;
// a run of encodedRun letters and digits is taken for such octets. One of fewer than
// wordSecret turns up between the dashes of base64url, too.
const (
	shortSecret = 11
	wordSecret  = 6
	encodedRun  = 20
)

// Shows reports whether text shows secret. A short secret of letters and digits is
// passed over where chance puts it: up to ten of them within a longer run of letters
// and digits, which may be an encoded key; up to five of them with a letter or digit
// beside; digits in the fraction of a number, which may be the time of a log's line.
// A program that prints a secret prints it somewhere on its own, too.
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
		if len(secret) >= shortSecret || !encodable(secret) || !byChance(text, start, end) {
			return true
		}
		from = start + 1
	}
}

// byChance reports whether the letters and digits text[start:end] may stand there by chance.
func byChance(text string, start, end int) bool {
	first, last := start, end // of the letters and digits around
	for first > 0 && letterOrDigit(text[first-1]) {
		first--
	}
	for last < len(text) && letterOrDigit(text[last]) {
		last++
	}
	return last-first >= encodedRun || end-start < wordSecret && last-first > end-start ||
		first > 1 && text[first-1] == '.' && digits(text[first-2:first-1]) && digits(text[first:end])
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

// digits reports whether s is made of digits alone.
func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }

func letterOrDigit(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
