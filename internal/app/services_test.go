package app_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"ipse/internal/app"
	"ipse/internal/config"
)

// TestEverySettingOfAServiceReachesTheProvider: a setting that is read and then
// forgotten on its way would be a promise not kept.
func TestEverySettingOfAServiceReachesTheProvider(t *testing.T) {
	t.Parallel()
	keys := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(keys, []byte(`{"keys": []}`), 0o600); err != nil {
		t.Fatal(err)
	}
	full := config.Service{}
	v := reflect.ValueOf(&full).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.String:
			f.SetString("x")
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Slice:
			f.Set(reflect.ValueOf([]string{"x"}))
		default:
			t.Fatalf("a setting of kind %s: say here how to set it", f.Kind())
		}
	}
	full.JWKSFile = keys
	got, err := app.ServicesOf([]config.Service{full})
	if err != nil {
		t.Fatal(err)
	}
	out := reflect.ValueOf(got[0])
	for i := range out.NumField() {
		if out.Field(i).IsZero() {
			t.Errorf("%s is not set", out.Type().Field(i).Name)
		}
	}
	if len(got[0].Attributes) != 2 {
		t.Errorf("attributes %v", got[0].Attributes)
	}
}

// TestLogosAreReadAtTheStart and what is no picture is refused there.
func TestLogosAreReadAtTheStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, c := range map[string]struct {
		content, want string // the type, or what the error says
	}{
		"logo.png":  {"\x89PNG\r\n\x1a\n", "image/png"},
		"logo.svg":  {"<svg/>", "image/svg+xml"},
		"other.png": {"<html>", "is not what its name says"},
		"logo.exe":  {"MZ", "must be a .png"},
		"big.svg":   {strings.Repeat(" ", 257<<10), "bytes, at most"},
		"none.svg":  {"", "no such file"},
	} {
		file := filepath.Join(dir, name)
		if c.content != "" {
			if err := os.WriteFile(file, []byte(c.content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		logos, err := app.LogosOf([]config.Service{{ID: "tax", LogoFile: file}, {ID: "plain"}})
		switch {
		case strings.HasPrefix(c.want, "image/"):
			if err != nil || len(logos) != 1 || logos["tax"].Type != c.want || string(logos["tax"].Data) != c.content {
				t.Errorf("%s: %v, %v", name, logos["tax"].Type, err)
			}
		case err == nil || !strings.Contains(err.Error(), c.want):
			t.Errorf("%s: %v", name, err)
		}
	}
}
