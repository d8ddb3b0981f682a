package mrtd_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"ipse/mrtd"
	"ipse/mrtd/lds"
	"ipse/mrtd/specimen"
	"ipse/mrtd/trust"
)

func verdictSchema(t *testing.T) (*jsonschema.Schema, map[string]any) {
	t.Helper()
	b, err := os.ReadFile("verdict.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("verdict.schema.json", parsed); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("verdict.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema, parsed.(map[string]any)
}

// Verdicts of every kind are of the published schema.
func TestVerdictsFollowTheirSchema(t *testing.T) {
	t.Parallel()
	schema, _ := verdictSchema(t)
	i := newIssuer(t, "ecdsa-P-256-sha256", "ecdsa-P-256-sha256")
	full := specimen.DocumentConfig{AA: "ecdsa-P-256-sha256", Issue: []lds.TaggedText{{Tag: 0x5F19, Text: "UTOPIA"}}, ISO39794: true}
	listed, _ := announce(t, i, i, specimen.Announcement{Kind: trust.DGHashWrong, Group: 12, Description: "wrong DG12"})
	validate := func(name string, v *mrtd.Verdict) {
		t.Helper()
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(parsed); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	validated := 0
	for _, f := range append(slices.Clone(specimen.Faults()), specimen.FaultInfo{}) {
		cfg := full
		cfg.Faults = map[string]bool{f.Name: true}
		cfg.Portrait = portrait()
		d, err := i.Issue(cfg)
		if err != nil {
			continue // a fault of RSA signers
		}
		ev := evidenceOf(t, d, []byte("8 octets"))
		for name, s := range map[string]*trust.Store{"its list": storeOf(t, i), "a deviation list": listed, "nobody": trust.Empty()} {
			validated++
			validate(f.Name+", "+name, verify(t, ev, s, mrtd.VerifyOptions{AAChallenge: []byte("8 octets")}))
		}
	}
	if validated < 150 {
		t.Errorf("only %d verdicts were validated", validated)
	}
	validate("nothing", verify(t, &mrtd.Evidence{}, trust.Empty(), mrtd.VerifyOptions{}))
}

// The schema and the document describe every member of the type, and the document
// every check.
func TestEveryMemberOfAVerdictIsDescribed(t *testing.T) {
	t.Parallel()
	_, parsed := verdictSchema(t)
	doc, err := os.ReadFile("../docs/verdict.md")
	if err != nil {
		t.Fatal(err)
	}
	defs := parsed["$defs"].(map[string]any)
	for name, of := range map[string]any{"": mrtd.Verdict{}, "check": mrtd.Check{}, "signature": mrtd.SignatureInfo{}, "certificate": mrtd.CertificateInfo{},
		"revocation": mrtd.RevocationInfo{}, "file": mrtd.FileInfo{}, "document": mrtd.Document{}, "portrait": mrtd.Portrait{}, "known_deviation": trust.KnownDeviation{}} {
		properties := parsed["properties"]
		if name != "" {
			properties = defs[name].(map[string]any)["properties"]
		}
		described := properties.(map[string]any)
		members := 0
		for f := range reflect.TypeOf(of).Fields() {
			tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if tag == "" || tag == "-" {
				continue
			}
			members++
			if described[tag] == nil {
				t.Errorf("the schema does not describe %s.%s", name, tag)
			}
			if !strings.Contains(string(doc), tag) {
				t.Errorf("docs/verdict.md does not describe %s.%s", name, tag)
			}
		}
		if members != len(described) {
			t.Errorf("%q has %d members, the schema describes %d", name, members, len(described))
		}
	}
	ids := defs["check"].(map[string]any)["properties"].(map[string]any)["id"].(map[string]any)["enum"].([]any)
	for _, id := range ids {
		text := id.(string)
		if strings.HasPrefix(text, "hash") {
			text = "hash.DGn"
		}
		if text != "validity" && !strings.Contains(string(doc), "`"+text+"`") {
			t.Errorf("docs/verdict.md does not describe the check %s", text)
		}
	}
}
