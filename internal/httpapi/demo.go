package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"ipse/internal/pii"
	"ipse/internal/problem"
	"ipse/internal/proofing"
)

// Demo is what the demonstration adds: somebody to be, and a passport of theirs.
type Demo interface {
	// Passport issues a specimen passport with the portrait of a rendered person,
	// or with a portrait taken now (JPEG; the implementation's to wipe), and lays
	// it on a reader that connects with the pairing code. It returns when the
	// reader is connected. ErrDemoInput for an unknown person or another picture.
	Passport(ctx context.Context, code, person string, portrait pii.Bytes) (DemoZone, error)
	// File returns a file of a rendered person's live sequence. ErrDemoInput when
	// there is none.
	File(person, name string) ([]byte, error)
}

// DemoZone is what is printed on the specimen passport.
type DemoZone struct {
	DocumentNumber string `json:"document_number"`
	BirthDate      string `json:"birth_date"`  // YYYY-MM-DD
	ExpiryDate     string `json:"expiry_date"` // YYYY-MM-DD
}

// ErrDemoInput is for a Demo to return.
var ErrDemoInput = errors.New("demo: no such person, file or picture")

// demoPassport takes a new pairing code for the specimen's reader and answers
// with what the person would read on the page of the passport.
func (a *API) demoPassport(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Person   string `json:"person"`
		Portrait b64    `json:"portrait"`
	}
	if err := readLargeJSON(r, &body, maxDemoBody); err != nil {
		return err
	}
	portrait := pii.NewBytes(body.Portrait)
	defer portrait.Wipe() // on every exit, also before the demonstration takes it
	if (body.Person == "") == (portrait.Len() == 0) {
		return problem.New(problem.InvalidRequest, errors.New("either person or portrait is needed"))
	}
	token, err := a.token(r)
	if err != nil {
		return err
	}
	view, err := a.cfg.Proofing.NewPairing(r.Context(), token)
	if err != nil {
		return err
	}
	if view.Document == nil || view.Document.PairingCode == "" {
		return proofing.ErrState
	}
	zone, err := a.cfg.Demo.Passport(r.Context(), view.Document.PairingCode, body.Person, portrait)
	if errors.Is(err, ErrDemoInput) {
		return problem.New(problem.InvalidRequest, err)
	}
	if err != nil {
		return err
	}
	return writeJSON(w, map[string]DemoZone{"mrz": zone})
}

// maxDemoBody: a picture of at most maxFrame, in base64url.
const maxDemoBody = maxFrame*4/3 + 1024

func (a *API) demoFile(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("file")
	content, err := a.cfg.Demo.File(r.PathValue("person"), name)
	if err != nil {
		return problem.New(problem.NotFound, err)
	}
	kind := "application/json"
	if strings.HasSuffix(name, ".jpg") {
		kind = "image/jpeg"
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(content) // the client is gone: nothing left to tell it
	return nil
}
