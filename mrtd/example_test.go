package mrtd_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"time"

	"ipse/mrtd"
	"ipse/mrtd/chip"
	"ipse/mrtd/cms"
	"ipse/mrtd/mrz"
	"ipse/mrtd/specimen"
	"ipse/mrtd/trust"
)

// exampleDocument is a specimen and the store of who accepts it.
func exampleDocument(at time.Time) (*specimen.Document, *trust.Store) {
	issuer, err := specimen.NewIssuer(specimen.IssuerConfig{Rand: rand.Reader, Now: at})
	if err != nil {
		panic(err)
	}
	doc, err := issuer.Issue(specimen.DocumentConfig{Portrait: portrait(), AA: "ecdsa-P-256-sha256",
		Access: specimen.AccessConfig{PACE: &specimen.PACEConfig{Protocol: "0.4.0.127.0.7.2.2.4.2.2", ParameterID: 13}}})
	if err != nil {
		panic(err)
	}
	store, err := issuer.Trust(at)
	if err != nil {
		panic(err)
	}
	return doc, store
}

// A document is read and judged in one go, as a server does that drives the chip itself.
func ExampleInspect() {
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	doc, store := exampleDocument(at)
	card, err := specimen.NewChip(doc, rand.Reader)
	if err != nil {
		panic(err)
	}
	zone, err := mrz.Parse(doc.MRZ) // what is printed on the document
	if err != nil {
		panic(err)
	}
	challenge := make([]byte, 8) // fresh for each reading
	if _, err := rand.Read(challenge); err != nil {
		panic(err)
	}
	read, err := mrtd.Inspect(context.Background(), card, store, mrtd.InspectOptions{
		Read:   chip.Options{Access: chip.FromMRZ(zone), Challenge: challenge, Rand: rand.Reader},
		Verify: mrtd.VerifyOptions{RequireFresh: true},
		Now:    func() time.Time { return at },
	})
	if err != nil {
		panic(err)
	}
	defer read.Wipe()
	v := read.Verdict
	fmt.Println(v.Genuine, v.Access, v.Freshness)
	fmt.Println(v.Document.Kind, v.Document.IssuingState, v.Document.FamilyName) // what is personal does not print
	// Output:
	// true PACE-GM own_challenge
	// passport UTO [redacted]
}

// Evidence is read here and judged there: a file carries it, and a verdict says why.
func ExampleVerify() {
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	doc, store := exampleDocument(at)
	card, err := specimen.NewChip(doc, rand.Reader)
	if err != nil {
		panic(err)
	}
	zone, err := mrz.Parse(doc.MRZ)
	if err != nil {
		panic(err)
	}
	ev, err := mrtd.Read(context.Background(), card, chip.Options{Access: chip.FromMRZ(zone), Rand: rand.Reader}, func() time.Time { return at })
	if err != nil {
		panic(err)
	}
	var file bytes.Buffer
	if err := mrtd.WriteEvidence(&file, ev); err != nil {
		panic(err)
	}
	ev.Wipe()

	received, err := mrtd.ReadEvidence(file.Bytes())
	if err != nil {
		panic(err)
	}
	defer received.Wipe()
	v, err := mrtd.Verify(received, store, mrtd.VerifyOptions{Now: at})
	if err != nil {
		panic(err)
	}
	fmt.Println(v.PassiveAuthentication, v.Genuine)
	for _, c := range v.Checks {
		if c.Result == mrtd.Failed {
			fmt.Printf("%s: %s [%s]\n", c.ID, c.Detail, c.Clause)
		}
	}
	// Output:
	// true false
	// chip.authentic: the signed security object lists a chip key and no proof of it was given [9303-11 6]
}

// The master list of a state is loaded, vouched for by a certificate known from elsewhere.
func Example_trust() {
	list, err1 := os.ReadFile("trust/testdata/DE_ML_2026-05-28.ml")
	known, err2 := os.ReadFile("trust/testdata/DE_CSCA07.cer")
	if err1 != nil || err2 != nil {
		panic("no list")
	}
	root, err := cms.ParseCertificate(known)
	if err != nil {
		panic(err)
	}
	store, reports, err := trust.Load([]trust.Source{{Name: "germany.ml", Data: list}},
		trust.Options{Roots: []*cms.Certificate{root}, RequireSignedLists: true})
	if err != nil {
		panic(err)
	}
	fmt.Println(store.Len(), "authorities of", len(store.Countries()), "countries")
	fmt.Println(reports[0].Signature)
	// Output:
	// 588 authorities of 112 countries
	// verified: signer of DE certified by the given root
}

// countingReader is a card of one's own: one method carries a command to the chip and its
// answer back. This one counts what passes; another speaks to a reader.
type countingReader struct {
	to       chip.Card
	commands int
}

func (r *countingReader) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	r.commands++ // never log the octets: before secure messaging begins they open the chip
	return r.to.Transmit(ctx, command)
}

// Any reader can carry the commands: it takes one method.
func Example_customCard() {
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	doc, store := exampleDocument(at)
	software, err := specimen.NewChip(doc, rand.Reader)
	if err != nil {
		panic(err)
	}
	zone, err := mrz.Parse(doc.MRZ)
	if err != nil {
		panic(err)
	}
	card := &countingReader{to: software}
	read, err := mrtd.Inspect(context.Background(), card, store, mrtd.InspectOptions{
		Read: chip.Options{Access: chip.FromMRZ(zone), Challenge: []byte("8 octets"), Rand: rand.Reader},
		Now:  func() time.Time { return at },
	})
	if err != nil {
		panic(err)
	}
	defer read.Wipe()
	fmt.Println(read.Verdict.Genuine, card.commands > 10)
	// Output:
	// true true
}

// Files that another program read are judged as well; without proofs of the chip the
// verdict says what is owed.
func ExampleEvidenceOf() {
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	doc, store := exampleDocument(at)
	v, err := mrtd.Verify(mrtd.EvidenceOf(doc.Files, mrtd.Session{Access: "PACE-GM", ReadAt: at}), store, mrtd.VerifyOptions{Now: at})
	if err != nil {
		panic(err)
	}
	fmt.Println(v.PassiveAuthentication, v.ChipAuthentic)
	fmt.Println(v.Find("chip.authentic").Detail)
	// Output:
	// true false
	// the signed security object lists a chip key and no proof of it was given
}
