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

// FuzzNewPasskeys: no bytes that are not an authenticator's answer to the challenge
// make an account or an agent's passkey, and none fail otherwise than by a named error.
func FuzzNewPasskeys(f *testing.F) {
	w := newWorld(f)
	good := w.newAccount("p")
	signers, challenge, handle := newSigners(f), []byte("a challenge of thirty-two bytes.."), []byte("handle")
	options, err := signers.BeginCreate(challenge, handle, "Agent")
	if err != nil {
		f.Fatal(err)
	}
	agent, err := w.auth.Create(options)
	if err != nil {
		f.Fatal(err)
	}
	if _, err := signers.Create(challenge, handle, agent.JSON); err != nil {
		f.Fatal(err)
	}
	f.Add(good.Passkey.Credential)
	f.Add(agent.JSON)
	f.Add([]byte(`{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YUA"}}`))
	f.Add([]byte("null"))
	other := []byte("another challenge, as long as it..")
	f.Fuzz(func(t *testing.T, answer []byte) {
		n := good
		n.Passkey.Credential = answer
		_, err := w.svc.Create(t.Context(), "another check", n)
		if !errors.Is(err, account.ErrCredential) && !errors.Is(err, account.ErrChallengeExpired) {
			t.Errorf("an account: %v", err)
		}
		if _, err := signers.Create(other, handle, answer); !errors.Is(err, account.ErrCredential) {
			t.Errorf("an agent's passkey: %v", err)
		}
		if _, _, err := signers.Signed(other, account.Signer{ID: []byte{1}, Handle: handle, PublicKey: []byte{0xA0}}, answer); !errors.Is(err, account.ErrCredential) {
			t.Errorf("an agent's signature: %v", err)
		}
	})
}
