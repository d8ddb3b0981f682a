package mrtd_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"ipse/internal/pii"
	"ipse/internal/pii/piitest"
	"ipse/mrtd"
	"ipse/mrtd/chip"
	"ipse/mrtd/deviation"
	"ipse/mrtd/internal/sm"
	"ipse/mrtd/jp2"
	"ipse/mrtd/lds"
	"ipse/mrtd/mrz"
	"ipse/mrtd/specimen"
)

func insert(t testing.TB, d *specimen.Document) *specimen.Chip {
	t.Helper()
	c, err := specimen.NewChip(d, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// printed is what a person types in: the zone of the document.
func printed(t testing.TB, d *specimen.Document) chip.Access {
	t.Helper()
	zone, err := mrz.Parse(d.MRZ)
	if err != nil {
		t.Fatal(err)
	}
	return chip.FromMRZ(zone)
}

func inspectOptions(t testing.TB, d *specimen.Document) mrtd.InspectOptions {
	t.Helper()
	return mrtd.InspectOptions{Now: now, Read: chip.Options{Access: printed(t, d), Rand: rand.Reader, Challenge: []byte("8 octets")},
		Verify: mrtd.VerifyOptions{RequireFresh: true, RequireCRL: true}}
}

func TestInspectReadsAndJudges(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "", "")
	d := issue(t, i, specimen.DocumentConfig{AA: "ecdsa-P-256-sha256", CA: []specimen.CAConfig{{Curve: "P-256"}},
		Access: specimen.AccessConfig{BAC: true, PACE: &specimen.PACEConfig{Protocol: "0.4.0.127.0.7.2.2.4.2.2", ParameterID: 13}}})
	x, err := mrtd.Inspect(t.Context(), insert(t, d), storeOf(t, i), inspectOptions(t, d))
	if err != nil {
		t.Fatal(err)
	}
	v := x.Verdict
	if !v.Genuine || !v.ChipAuthentic || v.Freshness != mrtd.OwnChallenge || v.Access != "PACE-GM" {
		explain(t, v)
		t.Error("not genuine, or not proved")
	}
	picture, err := v.PortraitJPEG(t.Context(), nil)
	if err != nil || !bytes.Equal(picture.Reveal(), portrait()) {
		t.Errorf("portrait: %v", err)
	}
	files := x.Evidence.Files[lds.DG2]
	x.Wipe()
	x.Wipe()
	if x.Verdict != nil || bytes.Trim(files.Reveal(), "\x00") != nil && len(bytes.Trim(files.Reveal(), "\x00")) > 0 {
		t.Error("wiping left something")
	}
	if !bytes.Equal(picture.Reveal(), portrait()) {
		t.Error("wiping the evidence took the caller's own copy")
	}
}

func TestInspectWantsItsArguments(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	d := issue(t, i, specimen.DocumentConfig{})
	opts := inspectOptions(t, d)
	if _, err := mrtd.Inspect(t.Context(), insert(t, d), nil, opts); !errors.Is(err, mrtd.ErrOptions) {
		t.Errorf("no store: %v", err)
	}
	opts.Now = nil
	if _, err := mrtd.Inspect(t.Context(), insert(t, d), storeOf(t, i), opts); !errors.Is(err, mrtd.ErrOptions) {
		t.Errorf("no clock: %v", err)
	}
	if _, err := (&mrtd.Verdict{}).PortraitJPEG(t.Context(), nil); !errors.Is(err, mrtd.ErrNoPortrait) {
		t.Errorf("no portrait: %v", err)
	}
}

// Each attack on the chip or the conversation is refused, by an error of the
// reading or by its own check of the verdict.
func TestAttacksAreRefusedByReadingOrVerdict(t *testing.T) {
	t.Parallel()
	cfg := specimen.DocumentConfig{AA: "ecdsa-P-256-sha256", CA: []specimen.CAConfig{{Curve: "P-256"}}}
	for fault, want := range map[string]any{
		specimen.FaultBadMAC:            chip.ErrSecureMessaging,
		specimen.FaultUnprotected:       chip.ErrSecureMessaging,
		specimen.FaultMissingStatus:     chip.ErrSecureMessaging,
		specimen.FaultReplayedRead:      chip.ErrSecureMessaging,
		specimen.FaultGone:              specimen.ErrRemoved,
		specimen.FaultReplayedAA:        "chip.aa",
		specimen.FaultCloneWithoutAAKey: "chip.authentic",
		specimen.FaultOmittedAA:         "chip.authentic",
		specimen.FaultCloneOtherKeys:    "chip.authentic",
		specimen.FaultSwappedDG15:       "hash.DG15",
		specimen.FaultSwappedDG1:        "hash.DG1",
		specimen.FaultTamperedDG2:       "hash.DG2",
		specimen.FaultMissingDG2:        "hash.DG2",
		specimen.FaultForeignCSCA:       "chain.signature",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
			cfg := cfg
			cfg.Faults = map[string]bool{fault: true}
			d := issue(t, i, cfg)
			x, err := mrtd.Inspect(t.Context(), insert(t, d), storeOf(t, i), inspectOptions(t, d))
			switch want := want.(type) {
			case error:
				if !errors.Is(err, want) {
					t.Errorf("%v, want %v", err, want)
				}
			case string:
				if err != nil {
					t.Fatal(err)
				}
				if c := x.Verdict.Find(want); x.Verdict.Genuine || c == nil || c.Result != mrtd.Failed {
					explain(t, x.Verdict)
					t.Errorf("not refused at %s", want)
				}
			}
		})
	}
}

// Whatever else chips in the field do is survived.
func TestQuirksOfRealChipsAreSurvived(t *testing.T) {
	t.Parallel()
	pace := &specimen.PACEConfig{Protocol: "0.4.0.127.0.7.2.2.4.2.2", ParameterID: 13}
	for _, fault := range []string{specimen.FaultResetMidRead, specimen.FaultNoExtended, specimen.FaultLimitedLe, specimen.FaultLeOnSelect,
		specimen.FaultRead6B00, specimen.FaultMasterFile6A87, specimen.FaultMasterFile6985, specimen.FaultCardAccess6982,
		specimen.FaultCardAccess6986, specimen.FaultDIR6982, specimen.FaultPACE6300, specimen.FaultBAC6A88, specimen.FaultParameterID,
		specimen.FaultAADER, specimen.FaultCAKeyID, specimen.FaultNoCAInfo, specimen.FaultTrailingDG14, specimen.FaultDG2Length,
		specimen.FaultCOMDiffers, specimen.FaultIndefinite, specimen.FaultNoSignedAttrs, specimen.FaultContentType} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
			d := issue(t, i, specimen.DocumentConfig{AA: "ecdsa-P-256-sha256", CA: []specimen.CAConfig{{Curve: "P-256", KeyID: 3}},
				Access: specimen.AccessConfig{BAC: true, PACE: pace}, Faults: map[string]bool{fault: true}})
			x, err := mrtd.Inspect(t.Context(), insert(t, d), storeOf(t, i), inspectOptions(t, d))
			if err != nil {
				t.Fatal(err)
			}
			if !x.Verdict.Genuine || !x.Verdict.ChipAuthentic {
				explain(t, x.Verdict)
				t.Error("refused")
			}
			if code := quirkCodes()[fault]; code != "" && !named(x.Verdict, code) {
				t.Errorf("%s is not named: %v", code, x.Verdict.Deviations)
			}
		})
	}
}

// quirkCodes are the names that verdicts give to what chips do.
func quirkCodes() map[string]deviation.Code {
	return map[string]deviation.Code{specimen.FaultResetMidRead: deviation.ChipReadAgain, specimen.FaultPACE6300: deviation.ChipPACERefused,
		specimen.FaultAADER: deviation.AADERSignature, specimen.FaultNoCAInfo: deviation.CADefaultProtocol}
}

// What a chip does that needs two quirks at once to be met.
func TestDoubleQuirksAreNamed(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	pace := &specimen.PACEConfig{Protocol: "0.4.0.127.0.7.2.2.4.2.2", ParameterID: 13}
	d := issue(t, i, specimen.DocumentConfig{Access: specimen.AccessConfig{BAC: true, PACE: pace},
		Faults: map[string]bool{specimen.FaultInApplication: true, specimen.FaultMasterFile6A87: true}})
	plain := issue(t, i, specimen.DocumentConfig{Access: specimen.AccessConfig{BAC: true, PACE: pace}})
	for code, card := range map[deviation.Code]chip.Card{deviation.ChipMasterFile: insert(t, d), deviation.ChipCardAccess: garbling{insert(t, plain)}} {
		x, err := mrtd.Inspect(t.Context(), card, storeOf(t, i), inspectOptions(t, d))
		if err != nil {
			t.Fatal(err)
		}
		if !x.Verdict.Genuine || !named(x.Verdict, code) {
			explain(t, x.Verdict)
			t.Errorf("%s is not named", code)
		}
	}
}

// garbling spoils EF.CardAccess on its way.
type garbling struct{ chip.Card }

func (g garbling) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	response, err := g.Card.Transmit(ctx, command)
	if command[0] == 0 && command[1] == 0xB0 && len(response) > 8 && response[0] == lds.CardAccess.Tag() { // READ BINARY: a challenge may begin so, too
		response[3] = 0x7F // the length of the first security info
	}
	return response, err
}

// TestCAMProvesAnyOfSeveralKeys: with several keys on one curve, whichever the chip
// proves is found, in DG14 as in the verdict, with parameters named and written out.
func TestCAMProvesAnyOfSeveralKeys(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	for _, fault := range []string{"", specimen.FaultCAMLastKey} {
		for _, explicit := range []bool{false, true} {
			d := issue(t, i, specimen.DocumentConfig{CA: []specimen.CAConfig{{Curve: "P-256", KeyID: 1}, {Curve: "brainpoolP256r1", KeyID: 2}, {Curve: "P-256", KeyID: 3}},
				Access: specimen.AccessConfig{PACE: &specimen.PACEConfig{Protocol: "0.4.0.127.0.7.2.2.4.6.2", ParameterID: 12, Explicit: explicit}}, Faults: map[string]bool{fault: true}})
			x, err := mrtd.Inspect(t.Context(), insert(t, d), storeOf(t, i), inspectOptions(t, d))
			if err != nil {
				t.Fatal(err)
			}
			if v := x.Verdict; !v.Genuine || !v.ChipAuthentic || v.Access != "PACE-CAM" || x.Evidence.Session.CAM == nil || x.Evidence.Session.CA != nil {
				explain(t, v)
				t.Errorf("%q, written out %v: not proved by the mapping", fault, explicit)
			}
		}
	}
}

// spy records the conversation.
type spy struct {
	chip.Card
	mu   sync.Mutex
	seen [][]byte
}

func (s *spy) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	response, err := s.Card.Transmit(ctx, command)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, bytes.Clone(command), bytes.Clone(response))
	return response, err
}

// forms are the ways in which a secret may show in text: as it is, in hexadecimal, in
// base64 and as Go prints octets.
func forms(secret []byte) []string {
	decimal := strings.Trim(fmt.Sprintf("%d", secret), "[]")
	return []string{string(secret), hex.EncodeToString(secret), strings.ToUpper(hex.EncodeToString(secret)),
		strings.TrimRight(base64.StdEncoding.EncodeToString(secret), "="), decimal, strings.ReplaceAll(decimal, " ", ",")}
}

// secretsOf lists what nobody may print of a document: what it says of its holder, what
// opens it, the keys derived from that, its portrait.
func secretsOf(t testing.TB, d *specimen.Document) []string {
	t.Helper()
	var out []string
	add := func(secrets ...string) {
		for _, s := range secrets {
			out = append(out, forms([]byte(s))...)
		}
	}
	zone, err := mrz.Parse(d.MRZ)
	if err != nil {
		t.Fatal(err)
	}
	add("ERIKSSON", "ANNA MARIA", "L898902C3", "740812", "1974-08-12", "specimenspecimen", "271828", zone.ExpiryDate.Reveal())
	password, err := sm.MRZPassword(zone.Number.Reveal(), zone.BirthDate.Reveal(), zone.ExpiryDate.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	enc, mac, err := password.BACKeys()
	if err != nil {
		t.Fatal(err)
	}
	can, err := sm.CANPassword(d.CAN)
	if err != nil {
		t.Fatal(err)
	}
	add(string(enc), string(mac), string(password.Key(sm.AES128)), string(can.Key(sm.AES128)))
	return out
}

// TestNothingSecretIsPrintedOrSentInClear reads documents, well and with every fault
// there is, prints and logs everything a program could (values, errors, verdicts,
// progress), and looks for the holder's data, the passwords, keys and the portrait;
// likewise in what was sent.
func TestNothingSecretIsPrintedOrSentInClear(t *testing.T) {
	t.Parallel()
	faults := []string{""}
	for _, f := range specimen.Faults() {
		faults = append(faults, f.Name)
	}
	for _, fault := range faults {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			signer := specimen.Algorithm("ecdsa-P-256-sha256")
			if fault == "sod-scheme" || fault == "ds-no-null" { // of RSA
				signer = "rsa-2048-sha256"
			}
			i := newIssuer(t, "ecdsa-P-256-sha256", signer)
			d := issue(t, i, specimen.DocumentConfig{AA: "ecdsa-P-256-sha256", CA: []specimen.CAConfig{{Curve: "P-256"}}, CAN: "271828",
				Person: []lds.TaggedText{{Tag: 0x5F0E, Text: "ERIKSSON<<ANNA"}}, Issue: []lds.TaggedText{{Tag: 0x5F19, Text: "UTOPIA"}},
				Access: specimen.AccessConfig{BAC: true, PACE: &specimen.PACEConfig{Protocol: "0.4.0.127.0.7.2.2.4.2.2", ParameterID: 13}},
				Faults: map[string]bool{fault: true}})
			for _, access := range []chip.Access{printed(t, d), {CAN: pii.NewText("271828")}, {CAN: pii.NewText("314159")},
				{Number: pii.NewText("L898902C3"), BirthDate: pii.NewText("740813"), ExpiryDate: pii.NewText("361123")}} {
				readAndSearch(t, i, d, access)
			}
		})
	}
}

// readAndSearch reads a document and searches all that comes of it.
func readAndSearch(t *testing.T, i *specimen.Issuer, d *specimen.Document, access chip.Access) {
	t.Helper()
	opts := inspectOptions(t, d)
	opts.Read.Access, opts.Read.Extra = access, []lds.FileID{lds.DG11, lds.DG12}
	var log strings.Builder
	debug := &slog.HandlerOptions{Level: slog.LevelDebug}
	loggers := []*slog.Logger{slog.New(slog.NewTextHandler(&log, debug)), slog.New(slog.NewJSONHandler(&log, debug))}
	record := func(message string, value any) {
		for _, l := range loggers {
			l.Debug(message, "value", value)
		}
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			fmt.Fprintf(&log, message+" "+format+"\n", value)
		}
	}
	opts.Read.Progress = func(p chip.Progress) { fmt.Fprintf(&log, "%+v\n", p) }
	wire := &spy{Card: insert(t, d)}
	x, err := mrtd.Inspect(t.Context(), wire, storeOf(t, i), opts)
	record("error", err)
	record("options", opts.Read.Access)
	if x != nil {
		record("verdict", *x.Verdict)
		record("evidence", *x.Evidence)
		record("session", x.Evidence.Session)
	}
	var sent strings.Builder
	for _, message := range wire.seen {
		sent.Write(message)
	}
	for _, secret := range secretsOf(t, d) {
		if piitest.Shows(log.String(), secret) {
			t.Errorf("%q is printed", secret)
		}
		// The chip of one fault sends the portrait in clear, and is refused for it.
		if strings.Contains(sent.String(), secret) && !d.Faults[specimen.FaultUnprotected] {
			t.Errorf("%q is sent", secret)
		}
	}
	x.Wipe()
}

func TestJPEG2000PortraitsBecomeJPEG(t *testing.T) {
	t.Parallel()
	decoder, err := jp2.New(t.Context(), jp2.Config{Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = decoder.Close(context.WithoutCancel(t.Context())) })
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	for _, name := range []string{"portrait.jp2", "portrait.j2k"} {
		d := issue(t, i, specimen.DocumentConfig{Portrait: readFile(t, "jp2/testdata/"+name)})
		x, err := mrtd.Inspect(t.Context(), insert(t, d), storeOf(t, i), inspectOptions(t, d))
		if err != nil {
			t.Fatal(err)
		}
		if !x.Verdict.Genuine {
			explain(t, x.Verdict)
			t.Error("refused")
		}
		picture, err := x.Verdict.PortraitJPEG(t.Context(), decoder)
		if err != nil || lds.ImageFormat(picture.Reveal()) != lds.FormatJPEG {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := x.Verdict.PortraitJPEG(t.Context(), nil); !errors.Is(err, lds.ErrUnsupported) {
			t.Errorf("%s without a decoder: %v", name, err)
		}
	}
}

func TestReadingIsGivenUpInTime(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	d := issue(t, i, specimen.DocumentConfig{})
	ctx, cancel := context.WithCancel(t.Context())
	opts := inspectOptions(t, d)
	opts.Read.Progress = func(chip.Progress) { cancel() }
	if _, err := mrtd.Inspect(ctx, insert(t, d), storeOf(t, i), opts); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
