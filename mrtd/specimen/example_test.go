package specimen_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"image"
	"image/jpeg"
	"time"

	"ipse/mrtd"
	"ipse/mrtd/chip"
	"ipse/mrtd/mrz"
	"ipse/mrtd/specimen"
)

// A document of the fictitious Utopia is issued, put into a software chip, read
// and judged, as a demonstration or a test does it.
func Example() {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	var picture bytes.Buffer
	if err := jpeg.Encode(&picture, image.NewGray(image.Rect(0, 0, 413, 531)), nil); err != nil {
		panic(err)
	}

	issuer, err := specimen.NewIssuer(specimen.IssuerConfig{Rand: rand.Reader, Now: now})
	if err != nil {
		panic(err)
	}
	doc, err := issuer.Issue(specimen.DocumentConfig{
		Zone:     mrz.Fields{FamilyName: "MARTIN", GivenNames: "CAMILLE", Number: "X1234567", BirthDate: "900715", Sex: "F"},
		Portrait: picture.Bytes(), Width: 413, Height: 531,
		AA:     "ecdsa-P-256-sha256",
		Access: specimen.AccessConfig{BAC: true},
	})
	if err != nil {
		panic(err)
	}
	card, err := specimen.NewChip(doc, rand.Reader)
	if err != nil {
		panic(err)
	}
	store, err := issuer.Trust(now)
	if err != nil {
		panic(err)
	}

	zone, err := mrz.Parse(doc.MRZ) // what is printed on the document
	if err != nil {
		panic(err)
	}
	read, err := mrtd.Inspect(context.Background(), card, store, mrtd.InspectOptions{
		Read: chip.Options{Access: chip.FromMRZ(zone), Challenge: []byte("8 octets"), Rand: rand.Reader},
		Now:  func() time.Time { return now },
	})
	if err != nil {
		panic(err)
	}
	defer read.Wipe()
	fmt.Println(read.Verdict.Genuine, read.Verdict.ChipAuthentic, read.Verdict.Access)
	fmt.Println(read.Verdict.Document.FamilyName) // sensitive values do not print
	// Output:
	// true true BAC
	// [redacted]
}
