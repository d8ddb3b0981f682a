package account_test

import (
	"errors"
	"testing"

	"ipse/internal/account"
)

// BenchmarkLogin is a whole login: options, answer, verification, session.
func BenchmarkLogin(b *testing.B) {
	w := newWorld(b)
	w.create()
	for b.Loop() {
		w.mustLogin()
	}
}

// FuzzLoginOpensNothingForForeignBytes: no bytes that are not an answer of the
// passkey to the challenge open a session, and none make it fail otherwise than
// by a named error.
func FuzzLoginOpensNothingForForeignBytes(f *testing.F) {
	w := newWorld(f)
	w.create()
	options, err := w.svc.BeginLogin(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	answer, err := w.auth.Get(options)
	if err != nil {
		f.Fatal(err)
	}
	if _, err := w.svc.Login(f.Context(), answer.JSON, ""); err != nil {
		f.Fatal(err)
	}
	f.Add(answer.JSON) // spent
	f.Add([]byte(`{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"AA","signature":"AA"}}`))
	f.Add([]byte("{"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		_, err := w.svc.Login(t.Context(), answer, "")
		if !errors.Is(err, account.ErrCredential) && !errors.Is(err, account.ErrChallengeExpired) {
			t.Errorf("err = %v", err)
		}
	})
}
