package config_test

import (
	"bytes"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"

	"ipse/internal/config"
)

// setting is a line of the reference file with what its comment says of it.
type setting struct {
	name    string // table.key
	line    int    // from 1
	comment string
	value   string
}

// manual reads the reference file, which is a complete configuration but for what has
// no default, and its settings. The example of a service is taken out of its comment.
func manual(t *testing.T) (lines []string, settings []setting) {
	t.Helper()
	var b bytes.Buffer
	if err := config.WriteReference(&b); err != nil {
		t.Fatal(err)
	}
	table, comment := "", ""
	header := regexp.MustCompile(`^\[+([a-z]+)\]+$`)
	for i, line := range strings.Split(strings.TrimRight(b.String(), "\n"), "\n") {
		switch line = strings.TrimPrefix(line, "#"); {
		case strings.HasPrefix(line, " ") || line == "":
			comment += line
			line = "#" + line
		case header.MatchString(line):
			table, comment = header.FindStringSubmatch(line)[1], ""
		default:
			key, value, _ := strings.Cut(line, " = ")
			settings = append(settings, setting{table + "." + key, i + 1, comment, value})
			comment = ""
		}
		lines = append(lines, line)
	}
	if len(settings) < 50 {
		t.Fatalf("%d settings: the manual reads differently", len(settings))
	}
	return lines, settings
}

// with is the manual's file with another value for one setting.
func with(lines []string, s setting, value string) []byte {
	changed := slices.Clone(lines)
	key, _, _ := strings.Cut(changed[s.line-1], " = ")
	changed[s.line-1] = key + " = " + value
	return []byte(strings.Join(changed, "\n") + "\n")
}

// TestEverySettingIsReadFromItsKey: another value, written into the manual's file,
// arrives, and nothing else changes with it; it is written again as it was read.
func TestEverySettingIsReadFromItsKey(t *testing.T) {
	t.Parallel()
	lines, settings := manual(t)
	whole := strings.Join(lines, "\n")
	base, err := config.Parse([]byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range settings {
		other := `"another"`
		switch {
		case s.value == "[]":
			other = `["another"]`
		case s.value == "true" || s.value == "false":
			other = strconv.FormatBool(s.value == "false")
		case regexp.MustCompile(`^\d+$`).MatchString(s.value):
			other = "7"
		case regexp.MustCompile(`^"\d+[smh].*"$`).MatchString(s.value):
			other = `"77m"`
		}
		got, err := config.Parse(with(lines, s, other))
		if err != nil {
			t.Errorf("%s = %s: %v", s.name, other, err)
			continue
		}
		written, err := toml.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		again, err := config.Parse(written)
		if err != nil || !reflect.DeepEqual(normal(again), normal(got)) {
			t.Errorf("%s: written and read again it is another configuration: %v", s.name, err)
		}
		if n := differences(reflect.ValueOf(base), reflect.ValueOf(got)); n != 1 {
			t.Errorf("%s = %s changes %d settings", s.name, other, n)
		}
	}
}

// normal makes empty and absent lists the same.
func normal(c config.Config) string { return strings.ReplaceAll(fmt.Sprintf("%+v", c), "[]", "") }

// differences counts the settings in which two configurations differ.
func differences(a, b reflect.Value) (n int) {
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			n += differences(a.Field(i), b.Field(i))
		}
	case reflect.Slice:
		if a.Len() != b.Len() {
			return 1
		}
		for i := range a.Len() {
			n += differences(a.Index(i), b.Index(i))
		}
	default:
		if a.Interface() != b.Interface() {
			return 1
		}
	}
	return n
}

// TestAValueOfAnotherTypeIsNamedWithItsLine, for every setting.
func TestAValueOfAnotherTypeIsNamedWithItsLine(t *testing.T) {
	t.Parallel()
	lines, settings := manual(t)
	for _, s := range settings {
		_, err := config.Parse(with(lines, s, "{ x = 1 }"))
		if want := fmt.Sprintf("line %d,", s.line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", s.name, err, want)
		}
		misspelt := with(lines, s, s.value)
		_, key, _ := strings.Cut(s.name, ".")
		misspelt = bytes.Replace(misspelt, []byte("\n"+key+" = "), []byte("\n"+key+"x = "), 1)
		if _, err := config.Parse(misspelt); err == nil || !strings.Contains(err.Error(), key+"x") {
			t.Errorf("%sx: %v", s.name, err)
		}
	}
}

// TestTheManualsRangesAreTheRealOnes: both ends of a range that the manual states are
// accepted, what lies beyond is refused by the setting's name.
func TestTheManualsRangesAreTheRealOnes(t *testing.T) {
	t.Parallel()
	lines, settings := manual(t)
	refused := func(s setting, value string) bool {
		cfg, err := config.Parse(with(lines, s, value))
		if err != nil {
			t.Fatalf("%s = %s: %v", s.name, value, err)
		}
		err = cfg.Validate()
		return err != nil && strings.Contains(err.Error(), s.name+" ")
	}
	durations, counts := regexp.MustCompile(`(\d+[smh]) to (\d+[smh])`), regexp.MustCompile(`(\d+) to (\d+)[.,:;]`)
	found := 0
	for _, s := range settings {
		var values [4]string // beyond, end, end, beyond
		if m := durations.FindStringSubmatch(s.comment); m != nil {
			low, high := duration(t, m[1]), duration(t, m[2])
			values = [4]string{fmt.Sprintf("%q", low-time.Millisecond), fmt.Sprintf("%q", low), fmt.Sprintf("%q", high), fmt.Sprintf("%q", high+time.Millisecond)}
		} else if m := counts.FindStringSubmatch(s.comment); m != nil && regexp.MustCompile(`^\d+$`).MatchString(s.value) {
			low, high := number(t, m[1]), number(t, m[2])
			values = [4]string{fmt.Sprint(low - 1), fmt.Sprint(low), fmt.Sprint(high), fmt.Sprint(high + 1)}
		} else {
			continue
		}
		found++
		for i, want := range []bool{true, false, false, true} {
			if got := refused(s, values[i]); got != want {
				t.Errorf("%s = %s: refused %v, the manual says %v (%s)", s.name, values[i], got, want, strings.TrimSpace(s.comment))
			}
		}
	}
	if found < 12 {
		t.Errorf("only %d ranges found: the test reads nothing", found)
	}
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestEveryServiceMistakeIsNamed with the service's place and the setting.
func TestEveryServiceMistakeIsNamed(t *testing.T) {
	t.Parallel()
	good := config.Service{ID: "tax", NameEN: "Tax", NameFR: "Impôts", PurposeEN: "p", PurposeFR: "p", RedirectURIs: []string{"https://tax.example/cb"},
		SecretSHA256: strings.Repeat("a", 64)}
	for want, change := range map[string]func(*config.Service){
		"service[1].id":                                   func(s *config.Service) { s.ID = strings.Repeat("x", 65) },
		"service[1].name_en and name_fr":                  func(s *config.Service) { s.NameFR = "" },
		"service[1].purpose_en":                           func(s *config.Service) { s.PurposeEN = "" },
		"service[1].redirect_uris is empty":               func(s *config.Service) { s.RedirectURIs = nil },
		"service[1].post_logout_redirect_uris must begin": func(s *config.Service) { s.PostLogoutRedirectURIs = []string{"http://tax.example/bye"} },
		"service[1].redirect_uris is not":                 func(s *config.Service) { s.RedirectURIs = []string{"https://tax.example/cb#part"} },
		"service[1].backchannel_logout_uri":               func(s *config.Service) { s.BackChannelLogoutURI = "ftp://tax.example" },
		"service[1].required_acr":                         func(s *config.Service) { s.RequiredACR = "eidas4" },
		"service[1].id_token_alg":                         func(s *config.Service) { s.IDTokenAlg = "none" },
		"service[1].secret_sha256":                        func(s *config.Service) { s.SecretSHA256 = strings.Repeat("A", 64) },
		"service[1] needs either":                         func(s *config.Service) { s.JWKSFile = "keys.json" },
	} {
		cfg := config.Default()
		cfg.Server.PublicURL, cfg.Operator = "https://id.example.org", config.Operator{Name: "Example Town", Contact: "privacy@example.org"}
		first, second := good, good
		first.ID = "first"
		change(&second)
		cfg.Service = []config.Service{first, second}
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "service[0]") {
			t.Errorf("%v, want %q", err, want)
		}
	}
	cfg := config.Default()
	cfg.Server.PublicURL, cfg.Server.Data, cfg.Operator = "https://id.example.org", "", config.Operator{Name: "a", Contact: "b"}
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "server.data") {
		t.Errorf("no folder: %v", err)
	}
}

// TestPrefixesAreAddressesOrNetworks of either family.
func TestPrefixesAreAddressesOrNetworks(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"10.0.0.1": "10.0.0.1/32", "2001:db8::1": "2001:db8::1/128", "10.0.0.0/8": "10.0.0.0/8", "::/0": "::/0"} {
		if p, err := config.Prefix(text); err != nil || p.String() != want {
			t.Errorf("%s: %s, %v", text, p, err)
		}
	}
	for _, text := range []string{"", "10.0.0", "proxy", "10.0.0.0/33", "10.0.0.1:80"} {
		if _, err := config.Prefix(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}
