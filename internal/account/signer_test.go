package account_test

import (
	"crypto/rand"
	"errors"
	"testing"

	"ipse/internal/account"
	"ipse/internal/account/authtest"
)

func newSigners(t testing.TB) *account.Signers {
	t.Helper()
	s, err := account.NewSigners(account.SignersConfig{RPID: "ipse.example", RPName: "Ipse", Origins: []string{"https://ipse.example"}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestASignerNeedsNoPRFAndItsAnswerVerifiesAnywhere: what Signed returns as evidence
// verifies again with the public key alone.
func TestASignerNeedsNoPRFAndItsAnswerVerifiesAnywhere(t *testing.T) {
	t.Parallel()
	s := newSigners(t)
	challenge, handle := []byte("a challenge of thirty-two bytes.."), []byte("a handle of sixteen bytes")
	auth := &authtest.Authenticator{Origin: "https://ipse.example", Rand: rand.Reader, Faults: authtest.Faults{NoPRF: true}}
	options, err := s.BeginCreate(challenge, handle, "Agent")
	if err != nil {
		t.Fatal(err)
	}
	made, err := auth.Create(options)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create([]byte("another challenge, as long as it.."), handle, made.JSON); !errors.Is(err, account.ErrCredential) {
		t.Errorf("another challenge: %v", err)
	}
	signer, err := s.Create(challenge, handle, made.JSON)
	if err != nil {
		t.Fatal(err)
	}
	if options, err = s.BeginSign(challenge, signer.ID); err != nil {
		t.Fatal(err)
	}
	answer, err := auth.Get(options)
	if err != nil {
		t.Fatal(err)
	}
	id, answered, err := s.Answered(answer.JSON)
	if err != nil || string(id) != string(signer.ID) || string(answered) != string(challenge) {
		t.Errorf("answered: %v", err)
	}
	_, evidence, err := s.Signed(challenge, signer, answer.JSON)
	if err != nil {
		t.Fatal(err)
	}
	signer.Handle = nil
	if _, again, err := s.Signed(challenge, signer, evidence); err != nil || string(again) != string(evidence) {
		t.Errorf("the evidence: %v", err)
	}
	signer.PublicKey[len(signer.PublicKey)-1] ^= 1
	if _, _, err := s.Signed(challenge, signer, evidence); !errors.Is(err, account.ErrCredential) {
		t.Errorf("another key: %v", err)
	}
	auth.Faults.NotDiscoverable = true
	if options, err = s.BeginCreate(challenge, handle, "Agent"); err != nil {
		t.Fatal(err)
	}
	if made, err = auth.Create(options); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create(challenge, handle, made.JSON); !errors.Is(err, account.ErrCredential) {
		t.Errorf("not discoverable: %v", err)
	}
}

// FuzzAnswered: whatever a page sends as an authenticator's answer is read without a
// fault, and what is read of it is never empty.
func FuzzAnswered(f *testing.F) {
	for _, seed := range []string{`{}`, `null`, `{"rawId":"AA","response":{"clientDataJSON":"eyJjaGFsbGVuZ2UiOiJBQSJ9"}}`, `{"rawId":1}`, `[`} {
		f.Add([]byte(seed))
	}
	s := newSigners(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		id, challenge, err := s.Answered(raw)
		if err == nil && (len(id) == 0 || len(challenge) == 0) {
			t.Error("an empty answer")
		}
		if err != nil && !errors.Is(err, account.ErrCredential) {
			t.Error(err)
		}
	})
}
