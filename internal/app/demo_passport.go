package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"ipse/internal/httpapi"
	"ipse/internal/pii"
	"ipse/internal/problem"
	"ipse/internal/relay"
	"ipse/mrtd/mrz"
	"ipse/mrtd/specimen"
)

// Limits of the desk.
const (
	maxSpecimens  = 32               // passports on a reader at once
	onReaderFor   = 30 * time.Minute // then the reader lets go by itself
	connectWithin = 10 * time.Second
)

// The access protocol of the specimens, the one most passports have: PACE with
// generic mapping and AES-128 (ICAO 9303-11 §9.2.1) over brainpoolP256r1 (§9.5.1).
const (
	paceGMAES128    = "0.4.0.127.0.7.2.2.4.2.2"
	brainpoolP256r1 = 13
)

// passportDesk issues specimen passports and lays each on a reader of its own,
// which is an ordinary client of the relay. Portraits taken from a camera live
// in the memory of the software chip until its reader lets go.
type passportDesk struct {
	url  string // of the relay
	rand io.Reader
	now  func() time.Time
	log  *slog.Logger
	http *http.Client

	base context.Context // ends with close
	stop context.CancelFunc
	wg   sync.WaitGroup
	free chan struct{} // places on readers

	mu     sync.Mutex // guards issuer, which serves one at a time
	issuer *specimen.Issuer
}

func newPassportDesk(url string, opts DemoOptions) (*passportDesk, error) {
	issuer, err := specimen.NewIssuer(specimen.IssuerConfig{Rand: opts.Rand, Now: opts.Now()})
	if err != nil {
		return nil, fmt.Errorf("demo: specimen issuer: %w", err)
	}
	base, stop := context.WithCancel(context.Background())
	return &passportDesk{url: url, rand: opts.Rand, now: opts.Now, log: opts.Log, http: &http.Client{Transport: &http.Transport{}},
		base: base, stop: stop, free: make(chan struct{}, maxSpecimens), issuer: issuer}, nil
}

// close lets go of every reader and waits for them.
func (d *passportDesk) close() {
	d.stop()
	d.wg.Wait()
	d.http.CloseIdleConnections()
}

// Passport implements httpapi.Demo.
func (d *passportDesk) Passport(ctx context.Context, code, person string, portrait pii.Bytes) (httpapi.DemoZone, error) {
	if person != "" {
		picture, err := personFile(person, "portrait.jpg")
		if err != nil {
			return httpapi.DemoZone{}, err
		}
		portrait = pii.NewBytes(bytes.Clone(picture))
	}
	defer portrait.Wipe() // the chip has its own copy
	doc, err := d.issue(portrait)
	if err != nil {
		return httpapi.DemoZone{}, err
	}
	zone, err := printedZone(doc, d.now())
	if err != nil {
		wipeDocument(doc)
		return httpapi.DemoZone{}, err
	}
	if err := d.connect(ctx, code, doc); err != nil {
		return httpapi.DemoZone{}, err
	}
	return zone, nil
}

// printedZone is what a person reads on the passport's page and types.
func printedZone(doc *specimen.Document, now time.Time) (httpapi.DemoZone, error) {
	zone, err := mrz.Parse(doc.MRZ)
	if err != nil {
		return httpapi.DemoZone{}, fmt.Errorf("demo: zone: %w", err)
	}
	birth, birthOK := mrz.Birth(zone.BirthDate.Reveal(), now)
	expiry, expiryOK := mrz.Expiry(zone.ExpiryDate.Reveal(), now)
	if !birthOK || !expiryOK {
		return httpapi.DemoZone{}, errors.New("demo: the zone's dates do not resolve")
	}
	return httpapi.DemoZone{DocumentNumber: zone.Number.Reveal(), BirthDate: birth, ExpiryDate: expiry}, nil
}

// issue makes a passport of ICAO's own specimen person (9303-4 appendix B) with
// the portrait.
func (d *passportDesk) issue(portrait pii.Bytes) (*specimen.Document, error) {
	size, err := jpeg.DecodeConfig(bytes.NewReader(portrait.Reveal()))
	if err != nil || size.Width < 64 || size.Height < 64 || size.Width > 2048 || size.Height > 2048 {
		return nil, fmt.Errorf("%w: the portrait is not a JPEG of a usable size", httpapi.ErrDemoInput)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	doc, err := d.issuer.Issue(specimen.DocumentConfig{Portrait: portrait.Reveal(), Width: size.Width, Height: size.Height, At: d.now(),
		AA: "ecdsa-P-256-sha256", Access: specimen.AccessConfig{BAC: true,
			PACE: &specimen.PACEConfig{Protocol: paceGMAES128, ParameterID: brainpoolP256r1}}})
	if err != nil {
		return nil, fmt.Errorf("demo: issue a passport: %w", err)
	}
	return doc, nil
}

// connect opens the software chip and carries its answers until the server has
// read it. It returns when the relay has welcomed the reader.
func (d *passportDesk) connect(ctx context.Context, code string, doc *specimen.Document) error {
	chip, err := specimen.NewChip(doc, d.rand)
	if err != nil {
		wipeDocument(doc)
		return fmt.Errorf("demo: software chip: %w", err)
	}
	select {
	case d.free <- struct{}{}:
	default:
		wipeDocument(doc)
		return &problem.Error{Code: problem.Busy, RetryAfter: time.Minute}
	}
	connected, ended := make(chan struct{}), make(chan error, 1)
	d.wg.Go(func() {
		defer pii.Contain(d.base, d.log, "specimen reader")
		defer func() { <-d.free }()
		defer wipeDocument(doc)
		carrying, cancel := context.WithTimeout(d.base, onReaderFor)
		defer cancel()
		err := relay.Connect(carrying, relay.ClientConfig{URL: d.url, Code: code, Card: chip, Name: "specimen", HTTPClient: d.http,
			Lost: func(err error) bool { return errors.Is(err, specimen.ErrRemoved) }, Connected: func() { close(connected) }})
		if err != nil && carrying.Err() == nil {
			d.log.InfoContext(carrying, "specimen reader ended", "error", err)
		}
		ended <- err
	})
	timeout := time.NewTimer(connectWithin)
	defer timeout.Stop()
	select {
	case <-connected:
		return nil
	case err := <-ended:
		return problem.New(problem.ReaderNotConnected, err)
	case <-timeout.C:
		return problem.New(problem.ReaderNotConnected, errors.New("the specimen's reader did not connect in time"))
	case <-ctx.Done():
		return ctx.Err()
	}
}

// wipeDocument overwrites the files of a specimen, its portrait among them.
func wipeDocument(doc *specimen.Document) {
	for _, content := range doc.Files {
		pii.Wipe(content)
	}
}
