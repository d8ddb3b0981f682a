package main

import (
	"crypto/rand"
	"errors"
	"fmt"

	"ipse"
	"ipse/mrtd"
	"ipse/mrtd/chip"
	"ipse/mrtd/mrz"
	"ipse/mrtd/specimen"
	"ipse/mrtd/trust"
)

// benchPerson is the rendered person of the measurements.
const benchPerson = "testdata/people/people/p02/"

// chip measures full readings of a software chip in this process, and verdicts.
func (cmd benchCmd) chip(c *cliContext) ([]figure, error) {
	portrait, err := ipse.DemoPeople.ReadFile(benchPerson + "portrait.jpg")
	if err != nil {
		return nil, err
	}
	issuer, err := specimen.NewIssuer(specimen.IssuerConfig{Rand: rand.Reader, Now: c.Now()})
	if err != nil {
		return nil, err
	}
	store, _, err := trust.Load([]trust.Source{{Name: "specimen", Data: issuer.CSCA()}}, trust.Options{})
	if err != nil {
		return nil, err
	}
	var out []figure
	for _, document := range []struct {
		name   string
		access specimen.AccessConfig
	}{
		{"read: BAC, AA", specimen.AccessConfig{BAC: true}},
		{"read: PACE-GM brainpoolP256r1, AA", specimen.AccessConfig{PACE: &specimen.PACEConfig{Protocol: "0.4.0.127.0.7.2.2.4.2.2", ParameterID: 13}}},
	} {
		doc, err := issuer.Issue(specimen.DocumentConfig{Portrait: portrait, Width: 413, Height: 531, AA: "ecdsa-P-256-sha256", Access: document.access})
		if err != nil {
			return nil, err
		}
		figures, err := cmd.readings(c, document.name, doc, store)
		if err != nil {
			return nil, err
		}
		out = append(out, figures...)
	}
	return out, nil
}

func (cmd benchCmd) readings(c *cliContext, name string, doc *specimen.Document, store *trust.Store) ([]figure, error) {
	card, err := specimen.NewChip(doc, rand.Reader)
	if err != nil {
		return nil, err
	}
	zone, err := mrz.Parse(doc.MRZ)
	if err != nil {
		return nil, err
	}
	opts := chip.Options{Access: chip.FromMRZ(zone), Challenge: make([]byte, 8), Rand: rand.Reader}
	var evidence *mrtd.Evidence
	commands := 0
	took, err := timed(c, cmd.For, func() error {
		evidence.Wipe()
		reading, err := chip.Read(c.Context, card, opts)
		if err != nil {
			return err
		}
		commands = reading.Commands
		evidence = mrtd.NewEvidence(reading, c.Now())
		return nil
	})
	if err != nil {
		return nil, err
	}
	defer evidence.Wipe()
	out := []figure{figureOf(name, took, fmt.Sprintf("%d commands; both ends in one process", commands))}
	took, err = timed(c, cmd.For, func() error {
		v, err := mrtd.Verify(evidence, store, mrtd.VerifyOptions{Now: c.Now(), AAChallenge: opts.Challenge})
		if err == nil && !v.Genuine {
			err = errors.New("the specimen is not genuine")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return append(out, figureOf("verify: "+name[len("read: "):], took, "signature, chain, hashes, chip")), nil
}
