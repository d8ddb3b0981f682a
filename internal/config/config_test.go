package config_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"

	"ipse/internal/config"
)

const minimal = `
[server]
public_url = "https://id.example.org"
[operator]
name = "Example Town"
contact = "privacy@example.org"
`

func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ipse.toml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestReferenceFileReadsBackAsTheDefaults(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := config.WriteReference(&b); err != nil {
		t.Fatal(err)
	}
	got, err := config.Parse(b.Bytes())
	if err != nil {
		t.Fatalf("the reference file does not parse: %v\n%s", err, b.String())
	}
	for _, list := range []*[]string{&got.Trust.Sources, &got.Trust.Roots, &got.Counter.Places, &got.Server.TrustedProxies} {
		*list = nil // [] and absent mean the same
	}
	if want := config.Default(); !reflect.DeepEqual(got, want) {
		t.Errorf("reference reads back as %+v\nwant %+v", got, want)
	}
}

func TestReferenceFileDocumentsEverySetting(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := config.WriteReference(&b); err != nil {
		t.Fatal(err)
	}
	previous := ""
	settings := 0
	for line := range strings.Lines(b.String()) {
		line = strings.TrimSpace(line)
		isSetting := strings.Contains(line, " = ") && !strings.HasPrefix(line, "# ")
		if isSetting {
			settings++
			if !strings.HasPrefix(previous, "# ") {
				t.Errorf("setting without a comment: %s", line)
			}
		}
		previous = line
	}
	if settings < 30 {
		t.Errorf("only %d settings found: the test reads nothing", settings)
	}
}

func TestLoadResolvesPathsBesideTheFile(t *testing.T) {
	t.Parallel()
	name := write(t, minimal+"[trust]\nsources = [\"lists/de.ml\"]\nroots = [\"root.cer\"]\n")
	cfg, err := config.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(name)
	if want := filepath.Join(dir, "lists", "de.ml"); cfg.Trust.Sources[0] != want {
		t.Errorf("source = %s, want %s", cfg.Trust.Sources[0], want)
	}
	if want := filepath.Join(dir, "root.cer"); cfg.Trust.Roots[0] != want {
		t.Errorf("root = %s, want %s", cfg.Trust.Roots[0], want)
	}
	if want := filepath.Join(dir, "data"); cfg.Server.Data != want {
		t.Errorf("data = %s, want %s", cfg.Server.Data, want)
	}
	if time.Duration(cfg.Proofing.SessionLifetime) != 30*time.Minute {
		t.Errorf("session lifetime = %s", cfg.Proofing.SessionLifetime)
	}
}

func TestMistakesAreNamedWithTheirSetting(t *testing.T) {
	t.Parallel()
	service := "[[service]]\nid=\"tax\"\nname_en=\"Tax\"\nname_fr=\"Impôts\"\npurpose_en=\"p\"\npurpose_fr=\"p\"\nredirect_uris=[\"https://tax.example/cb\"]\nsecret_sha256=\"" + strings.Repeat("a", 64) + "\"\n"
	tests := map[string]struct{ text, want string }{
		"no public address":            {"[operator]\nname=\"a\"\ncontact=\"b\"\n", "server.public_url"},
		"plain http":                   {strings.Replace(minimal, "https://", "http://", 1), "server.public_url must begin with https"},
		"trailing slash":               {strings.Replace(minimal, "example.org\"", "example.org/\"", 1), "ends with a slash"},
		"no operator":                  {"[server]\npublic_url=\"https://a.example\"\n", "operator.name"},
		"misspelt key":                 {minimal + "[proofing]\nsession_lifetim = \"5m\"\n", "unknown settings"},
		"lifetime too long":            {minimal + "[proofing]\nsession_lifetime = \"9h\"\n", "between 5m and 2h"},
		"not a duration":               {minimal + "[proofing]\nsession_lifetime = \"soon\"\n", "line"},
		"unknown light rule":           {minimal + "[face]\nlight = \"sometimes\"\n", "face.light"},
		"unknown false match":          {minimal + "[face]\nfmr = \"1:3\"\n", "face.fmr"},
		"lists looked at all the time": {minimal + "[trust]\ncheck_every = \"1s\"\n", "trust.check_every"},
		"endless grace":                {minimal + "[trust]\ncrl_grace = \"9000h\"\n", "trust.crl_grace"},
		"unknown policy":               {minimal + "[trust]\npolicy = \"loose\"\n", "trust.policy"},
		"unknown level":                {minimal + "[proofing]\nminimum_level = \"low\"\n", "proofing.minimum_level"},
		"too many attempts":            {minimal + "[proofing]\nface_attempts = 11\n", "proofing.face_attempts"},
		"proxy by name":                {strings.Replace(minimal, "[operator]", "trusted_proxies=[\"proxy.local\"]\n[operator]", 1), "server.trusted_proxies"},
		"broken TOML":                  {minimal + "[face\n", "line"},
		"half of TLS":                  {strings.Replace(minimal, "[operator]", "tls_key=\"k\"\n[operator]", 1), "go together"},
		"service twice":                {minimal + service + service, "used by an earlier service"},
		"service bad id":               {minimal + strings.Replace(service, "\"tax\"", "\"ta x\"", 1), "service[0].id"},
		"service no credential":        {minimal + strings.Replace(service, "secret_sha256", "#", 1), "either secret_sha256 or jwks_file"},
		"service http redirect":        {minimal + strings.Replace(service, "https://tax", "http://tax", 1), "service[0].redirect_uris"},
		"pack that is nowhere":         {minimal + "[face]\npack = \"missing\"\n", "face.pack is not a folder"},
		"own pack, lax rate":           {minimal + "[face]\npack = \".\"\nfmr = \"1:100\"\n", "face.fmr"},
		"own pack, no rate":            {minimal + "[face]\npack = \".\"\nfmr = \"best\"\n", "face.fmr"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Load(write(t, tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v does not name %q", err, tt.want)
			}
		})
	}
	if _, err := config.Load(write(t, minimal+service)); err != nil {
		t.Errorf("the untouched configuration is refused: %v", err)
	}
	own := minimal + "[face]\npack = \".\"\nfmr = \"1:50000\"\n"
	if cfg, err := config.Load(write(t, own)); err != nil || !filepath.IsAbs(cfg.Face.Pack) {
		t.Errorf("a pack of one's own: %q, %v", cfg.Face.Pack, err)
	}
}

func TestHTTPIsAllowedOnThisMachineOnly(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"localhost:8443", "127.0.0.1:8443", "[::1]:8443"} {
		if _, err := config.Load(write(t, strings.Replace(minimal, "https://id.example.org", "http://"+host, 1))); err != nil {
			t.Errorf("http://%s: %v", host, err)
		}
	}
}

func TestOversizedFileIsRefused(t *testing.T) {
	t.Parallel()
	_, err := config.Load(write(t, minimal+strings.Repeat("#", 1<<20)))
	if err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("err = %v", err)
	}
}

// FuzzParse: what is read writes and reads again as the same, whatever it says, and is
// judged without a fault; what is not read names a line or a setting.
func FuzzParse(f *testing.F) {
	var reference bytes.Buffer
	if err := config.WriteReference(&reference); err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{minimal, "[[service]]\nid=1", reference.String(), "[server]\nshutdown_timeout=\"-1h\"", "a.b.c=1", "[face]\nfmr='''x'''",
		"[trust]\nsources=[[]]", "\x00", "[proofing]\nface_attempts=9223372036854775808"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		cfg, err := config.Parse(raw)
		if err != nil {
			if !strings.Contains(err.Error(), "line") && !strings.Contains(err.Error(), "unknown settings") && !strings.Contains(err.Error(), "toml") {
				t.Errorf("the mistake has no place: %v", err)
			}
			return
		}
		_ = cfg.Validate()
		written, err := toml.Marshal(cfg)
		if err != nil {
			t.Fatal(err)
		}
		again, err := config.Parse(written)
		if err != nil {
			t.Fatalf("%v in\n%s", err, written)
		}
		rewritten, err := toml.Marshal(again)
		if err != nil || !bytes.Equal(written, rewritten) {
			t.Fatalf("%v: reads again as another configuration:\n%s\n%s", err, written, rewritten)
		}
	})
}
