package proofing

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"ipse/internal/pii"
)

// FuzzAccess: what a person types opens a document only in the form that keys are made
// from, and what is refused is not repeated.
func FuzzAccess(f *testing.F) {
	f.Add("", "L898902C3", "1974-08-12", "2032-04-15")
	f.Add(" 123456 ", "", "", "")
	f.Add("", "L898902C3", "1974-08", "2032-04-15")
	f.Add("", "L898902C3", "1974", "2032-04")
	f.Add("12345x", "l898902c3 <", "1974-13-12", "0000-00-00")
	f.Add("", "D23145890734<<<<<<<<<<", "1974-08-12", "2032-04-15")
	f.Fuzz(func(t *testing.T, can, number, birth, expiry string) {
		got, err := Access{CAN: pii.NewText(can), DocumentNumber: pii.NewText(number), BirthDate: pii.NewText(birth), ExpiryDate: pii.NewText(expiry)}.normalised()
		if err != nil {
			for _, typed := range []string{can, number, birth, expiry} {
				if !errors.Is(err, ErrInput) || len(typed) > 12 && strings.Contains(err.Error(), typed) {
					t.Fatalf("%v", err)
				}
			}
			return
		}
		again, err := got.normalised()
		if err != nil || again != got {
			t.Fatalf("another form the second time: %v", err)
		}
		n := got.DocumentNumber.Reveal()
		if digits := got.CAN.Reveal(); digits != "" && (len(digits) != 6 || n != "") {
			t.Fatal("a CAN of another form, or not alone")
		}
		if len(n) > maxDocumentNumber || n != strings.ToUpper(n) || strings.ContainsAny(n, " \t") {
			t.Fatal("a number of another form")
		}
	})
}

// FuzzSealed: of a row, only what was sealed for this session under this key opens,
// whatever bytes stand there.
func FuzzSealed(f *testing.F) {
	key, err := sealKey([]byte("a token of thirty-two random bytes"), "session")
	if err != nil {
		f.Fatal(err)
	}
	plain := []byte(`{"level":"high"}`)
	sealed, err := seal(rand.Reader, key, "session", pii.NewBytes(plain))
	if err != nil {
		f.Fatal(err)
	}
	if got, err := open(key, "session", sealed); err != nil || !bytes.Equal(got.Reveal(), plain) {
		f.Fatalf("what was sealed does not open: %v", err)
	}
	f.Add(sealed, "another session")
	f.Add(sealed[:len(sealed)-1], "session")
	f.Add([]byte{}, "session")
	f.Add(append([]byte{1}, sealed...), "session")
	f.Fuzz(func(t *testing.T, row []byte, id string) {
		if bytes.Equal(row, sealed) && id == "session" {
			return
		}
		if got, err := open(key, id, row); !errors.Is(err, ErrInternal) || got.Len() != 0 {
			t.Fatalf("%d bytes open, %v", got.Len(), err)
		}
	})
}

// FuzzToken: a cookie is a session's token or ErrNoSession, and it has one spelling.
func FuzzToken(f *testing.F) {
	token, hash, err := newToken(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	if _, again, err := parseToken(token); err != nil || again != hash {
		f.Fatal(err)
	}
	for _, seed := range []string{token, token + "=", token[:len(token)-1], "", strings.Repeat("A", 43), " " + token} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cookie string) {
		_, got, err := parseToken(cookie)
		switch {
		case err != nil && !errors.Is(err, ErrNoSession):
			t.Fatal(err)
		case err == nil && cookie != token && got == hash:
			t.Fatal("a second spelling of a token")
		}
	})
}
