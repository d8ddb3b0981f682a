package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"
	"time"

	"ipse"
	"ipse/internal/config"
	"ipse/internal/pii"
	"ipse/internal/proofing"
	"ipse/mrtd/mrz"
	"ipse/mrtd/specimen"
	"ipse/mrtd/trust"
)

// today is when these tests take place.
func today() time.Time { return time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC) }

// desk is a specimen issuer and a reader that trusts it.
type desk struct {
	issuer *specimen.Issuer
	reader *chipReader
}

func newDesk(t *testing.T) desk {
	t.Helper()
	issuer, err := specimen.NewIssuer(specimen.IssuerConfig{Rand: rand.Reader, Now: today()})
	if err != nil {
		t.Fatal(err)
	}
	store, _, err := trust.Load([]trust.Source{{Name: "specimen", Data: issuer.CSCA()}}, trust.Options{})
	if err != nil {
		t.Fatal(err)
	}
	reader, err := newChipReader(trust.NewLive(store), config.Trust{Policy: "icao"}, rand.Reader, today)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reader.close(context.Background()) })
	return desk{issuer, reader}
}

func portraitOf(t *testing.T, person string) []byte {
	t.Helper()
	b, err := ipse.DemoPeople.ReadFile("testdata/people/people/" + person + "/portrait.jpg")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// chip makes a passport with faults and opens its software chip.
func (d desk) chip(t *testing.T, cfg specimen.DocumentConfig, faults ...string) *specimen.Chip {
	t.Helper()
	if cfg.Portrait == nil {
		cfg.Portrait, cfg.Width, cfg.Height = portraitOf(t, "p02"), 413, 531
	}
	cfg.At, cfg.Faults = today(), map[string]bool{}
	for _, f := range faults {
		cfg.Faults[f] = true
	}
	doc, err := d.issuer.Issue(cfg)
	if err != nil {
		t.Fatal(err)
	}
	chip, err := specimen.NewChip(doc, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return chip
}

func printed() proofing.Access {
	return proofing.Access{DocumentNumber: pii.NewText("L898902C3"), BirthDate: pii.NewText("1974-08-12"), ExpiryDate: pii.NewText("2036-11-24")}
}

func (d desk) read(t *testing.T, card proofing.Card, access proofing.Access) (*proofing.Reading, []proofing.Progress, error) {
	t.Helper()
	var steps []proofing.Progress
	req := proofing.ReadRequest{Access: access, Progress: func(p proofing.Progress) { steps = append(steps, p) }}
	if _, err := rand.Read(req.Challenge[:]); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	reading, err := d.reader.ReadDocument(ctx, card, req)
	return reading, steps, err
}

func TestAGenuineChipIsReadAndItsPortraitHandedOver(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for name, c := range map[string]struct {
		cfg  specimen.DocumentConfig
		chip proofing.Result
	}{
		"BAC and AA":   {specimen.DocumentConfig{AA: "ecdsa-P-256-sha256"}, proofing.ResultPassed},
		"PACE and CA":  {specimen.DocumentConfig{CA: []specimen.CAConfig{{Curve: "brainpoolP256r1"}}, Access: specimen.AccessConfig{PACE: &specimen.PACEConfig{Protocol: paceGMAES128, ParameterID: brainpoolP256r1}}}, proofing.ResultPassed},
		"BAC, no keys": {specimen.DocumentConfig{}, proofing.ResultNotOffered},
	} {
		reading, steps, err := d.read(t, d.chip(t, c.cfg), printed())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		a := reading.Attributes
		if !reading.Genuine || reading.Chip != c.chip || a.FamilyName.Reveal() != "ERIKSSON" || a.GivenName.Reveal() != "ANNA MARIA" ||
			a.BirthDate.Reveal() != "1974-08-12" || a.DocumentKind != "passport" || a.DocumentIssuer != "UTO" || a.DocumentExpiry.Reveal() != "2036-11-24" {
			t.Errorf("%s: genuine %t, chip %s, kind %s, issuer %s", name, reading.Genuine, reading.Chip, a.DocumentKind, a.DocumentIssuer)
		}
		if !bytes.Equal(reading.Portrait.Reveal(), portraitOf(t, "p02")) {
			t.Errorf("%s: the portrait is another", name)
		}
		if last := steps[len(steps)-1]; len(steps) < 5 || last.BytesRead != last.BytesTotal || last.Count < 4 {
			t.Errorf("%s: %d steps, last %+v", name, len(steps), last)
		}
		reading.Wipe()
	}
}

// A document whose date of birth is not whole is opened by what it has of it.
func TestAChipWhoseDateOfBirthIsNotWholeIsRead(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for zone, date := range map[string]string{"7408<<": "1974-08", "74<<<<": "1974"} {
		access := printed()
		access.BirthDate = pii.NewText(date)
		reading, _, err := d.read(t, d.chip(t, specimen.DocumentConfig{Zone: mrz.Fields{BirthDate: zone}, AA: "ecdsa-P-256-sha256"}), access)
		if err != nil {
			t.Errorf("%s: %v", date, err)
			continue
		}
		if !reading.Genuine || reading.Attributes.BirthDate.Reveal() != date {
			t.Errorf("%s: genuine %t, or another date", date, reading.Genuine)
		}
		reading.Wipe()
	}
}

func TestForgedDocumentsAreNotGenuineAndClonesNotOriginal(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for fault, want := range map[string]struct {
		genuine bool
		chip    proofing.Result
	}{
		specimen.FaultTamperedDG1:       {false, ""},
		specimen.FaultTamperedDG2:       {false, ""},
		specimen.FaultTamperedSOD:       {false, ""},
		specimen.FaultForeignCSCA:       {false, ""},
		specimen.FaultExpiredDS:         {false, ""},
		specimen.FaultSwappedDG15:       {false, ""},
		specimen.FaultCloneWithoutAAKey: {true, proofing.ResultFailed},
		specimen.FaultOmittedAA:         {true, proofing.ResultFailed},
	} {
		reading, _, err := d.read(t, d.chip(t, specimen.DocumentConfig{AA: "rsa-2048-sha256"}, fault), printed())
		if err != nil {
			t.Errorf("%s: %v", fault, err)
			continue
		}
		if reading.Genuine != want.genuine || (want.genuine && reading.Chip != want.chip) {
			t.Errorf("%s: genuine %t, chip %s", fault, reading.Genuine, reading.Chip)
		}
		if !reading.Genuine && (reading.Portrait.Len() > 0 || !reading.Attributes.FamilyName.IsZero()) {
			t.Errorf("%s: unsigned data are handed out", fault)
		}
	}
}

func TestAnExpiredDocumentIsGenuineAndProofingJudgesItsDate(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	access := printed()
	access.ExpiryDate = pii.NewText(today().AddDate(0, 0, -30).Format(time.DateOnly))
	reading, _, err := d.read(t, d.chip(t, specimen.DocumentConfig{}, specimen.FaultExpired), access)
	if err != nil || !reading.Genuine || reading.Attributes.DocumentExpiry.Reveal() >= today().Format(time.DateOnly) {
		t.Errorf("%v, %+v", err, reading)
	}
}

// lostCard fails after some commands.
type lostCard struct {
	card proofing.Card
	left int
}

func (c *lostCard) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if c.left--; c.left < 0 {
		return nil, errors.New("no answer")
	}
	return c.card.Transmit(ctx, command)
}

// silent answers every command with a status.
type silent [2]byte

func (s silent) Transmit(context.Context, []byte) ([]byte, error) { return []byte{s[0], s[1]}, nil }

func TestFailedReadingsHaveACodeForThePerson(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	mistyped := printed()
	mistyped.DocumentNumber = pii.NewText("L898902C4")
	for name, c := range map[string]struct {
		card   proofing.Card
		access proofing.Access
		want   proofing.Failure
	}{
		"mistyped":       {d.chip(t, specimen.DocumentConfig{}), mistyped, proofing.FailureAccessDenied},
		"CAN, no PACE":   {d.chip(t, specimen.DocumentConfig{}), proofing.Access{CAN: pii.NewText("123456")}, proofing.FailureAccessDenied},
		"gone":           {&lostCard{d.chip(t, specimen.DocumentConfig{}), 20}, printed(), proofing.FailureCardLost},
		"no passport":    {silent{0x6A, 0x82}, printed(), proofing.FailureNoPassport},
		"an empty chip":  {silent{0x6D, 0x00}, printed(), ""},
		"says all is ok": {silent{0x90, 0x00}, printed(), ""},
	} {
		reading, _, err := d.read(t, c.card, c.access)
		var failed *proofing.ReadError
		if !errors.As(err, &failed) || reading != nil || failed.Code == proofing.FailureInternal || (c.want != "" && failed.Code != c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
		if text := fmt.Sprint(err); bytes.Contains([]byte(text), []byte("L898902C")) {
			t.Errorf("%s: the error repeats what was typed: %s", name, text)
		}
	}
}
